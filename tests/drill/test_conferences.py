"""Meeting in a conference: who joins, who hears what, what the first comer's callback is told."""

from __future__ import annotations

from drill.network.legs import Leg
from tests.drill.product import HOOK, Rehearsal, heard, lines

TOLD = "statusCallback='/voice/conference' statusCallbackEvent='start end join leave hold mute modify'"


def caller_leg(extra: str = "") -> str:
    return (
        f"<Dial action='/voice/after'><Conference startConferenceOnEnter='false' "
        f"waitUrl='/voice/connecting' participantLabel='caller' {TOLD} {extra}>c1</Conference></Dial>"
    )


def agent_leg(extra: str = "endConferenceOnExit='true'") -> str:
    return (
        "<Dial action='/voice/agent/after'>"
        f"<Conference participantLabel='agent' {extra}>c1</Conference></Dial>"
    )


async def both_meet(rehearsal: Rehearsal, agent_extra: str = "endConferenceOnExit='true'") -> tuple[Leg, Leg]:
    says = rehearsal.product.says
    says["/voice/connecting"] = "<Say>One moment.</Say><Play loop='0'>/clip.wav</Play>"
    says["/voice/after"] = "<Say>Goodbye.</Say>"
    says["/voice/agent/after"] = "<Hangup/>"
    says["/voice/agent"] = agent_leg(agent_extra)
    caller = await rehearsal.rings(caller_leg())
    await rehearsal.passes(3)
    app = "AP" + "c" * 32
    agent = rehearsal.network.switchboard.connect_client("agent1", app, {"contact": "c1", "fence": "1"})
    await rehearsal.settles()
    return caller, agent


def told(rehearsal: Rehearsal) -> list[str]:
    return [asked.fields["StatusCallbackEvent"] for asked in rehearsal.product.all("/voice/conference")]


async def test_the_caller_waits_until_the_agent_is_in(rehearsal: Rehearsal) -> None:
    caller, agent = await both_meet(rehearsal)
    assert heard(caller) == ["One moment."]
    assert caller.stage == agent.stage == "talking"
    assert told(rehearsal) == ["participant-join", "participant-join", "conference-start"]
    connected = rehearsal.product.last("/voice/agent").fields
    assert connected["From"] == "client:agent1"
    assert (connected["contact"], connected["fence"]) == ("c1", "1")
    assert connected["ApplicationSid"].startswith("AP")
    first = rehearsal.product.all("/voice/conference")[0].fields
    assert first["FriendlyName"] == "c1"
    assert first["ConferenceSid"].startswith("CF")
    assert (first["CallSid"], first["ParticipantLabel"]) == (caller.sid, "caller")
    assert (first["StartConferenceOnEnter"], first["EndConferenceOnExit"]) == ("false", "false")
    sequence = [int(asked.fields["SequenceNumber"]) for asked in rehearsal.product.all("/voice/conference")]
    assert sequence == [1, 2, 3]


async def test_the_waiting_music_stops_when_the_talk_begins(rehearsal: Rehearsal) -> None:
    caller, _ = await both_meet(rehearsal)
    before = lines(caller).count("play http://127.0.0.1:8080/clip.wav")
    await rehearsal.passes(60)
    assert lines(caller).count("play http://127.0.0.1:8080/clip.wav") == before


async def test_the_wait_document_of_a_conference_is_not_looped(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/connecting"] = "<Say>One moment.</Say>"
    await rehearsal.rings(caller_leg())
    await rehearsal.passes(30)
    assert len(rehearsal.product.all("/voice/connecting")) == 1


async def test_when_the_agent_hangs_up_the_conference_ends_and_the_caller_goes_on(
    rehearsal: Rehearsal,
) -> None:
    caller, agent = await both_meet(rehearsal)
    await rehearsal.passes(60)
    rehearsal.exchange.end(agent)
    await rehearsal.settles()
    assert rehearsal.product.last("/voice/after").fields["DialCallStatus"] == "answered"
    assert heard(caller)[-1] == "Goodbye."
    assert told(rehearsal)[3:] == ["participant-leave", "participant-leave", "conference-end"]
    left, _, ended = rehearsal.product.all("/voice/conference")[3:]
    assert (left.fields["CallSid"], left.fields["ParticipantCallStatus"]) == (agent.sid, "completed")
    assert ended.fields["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
    assert ended.fields["CallSidEndingConference"] == agent.sid
    assert rehearsal.product.last("/voice/agent/status").fields["CallStatus"] == "completed"
    (room,) = (await rehearsal.get("Conferences"))["conferences"]
    assert room["status"] == "completed"


async def test_when_the_caller_hangs_up_the_agent_stays_unless_the_conference_ends(
    rehearsal: Rehearsal,
) -> None:
    caller, agent = await both_meet(rehearsal)
    rehearsal.exchange.end(caller)
    await rehearsal.settles()
    assert told(rehearsal)[-1] == "participant-leave"
    assert not agent.ended
    assert rehearsal.product.last("/voice/after").fields["CallStatus"] == "completed"


async def test_hold_and_back(rehearsal: Rehearsal) -> None:
    caller, agent = await both_meet(rehearsal)
    rehearsal.product.says["/voice/hold"] = "<Play>/clip.wav</Play><Redirect/>"
    (room,) = (await rehearsal.get("Conferences"))["conferences"]
    path = f"Conferences/{room['sid']}/Participants/{caller.sid}"
    answer = await rehearsal.post(path, Hold="true", HoldUrl=f"{HOOK}/voice/hold")
    assert answer.json()["hold"] is True
    await rehearsal.passes(45)
    assert len(rehearsal.product.all("/voice/hold")) == 3
    assert agent.stage == "talking"
    await rehearsal.post(path, Hold="false")
    await rehearsal.passes(45)
    assert len(rehearsal.product.all("/voice/hold")) == 3
    assert told(rehearsal)[-2:] == ["participant-hold", "participant-unhold"]
    assert rehearsal.violations == []


async def test_participants_are_found_by_label_too_muted_changed_and_removed(rehearsal: Rehearsal) -> None:
    caller, agent = await both_meet(rehearsal)
    (room,) = (await rehearsal.get("Conferences", FriendlyName="c1", Status="in-progress"))["conferences"]
    path = f"Conferences/{room['sid']}/Participants"
    listed = (await rehearsal.get(path))["participants"]
    assert [(each["call_sid"], each["label"]) for each in listed] == [
        (caller.sid, "caller"),
        (agent.sid, "agent"),
    ]
    assert (await rehearsal.post(f"{path}/caller", Muted="true")).json()["muted"] is True
    assert [each["label"] for each in (await rehearsal.get(path, Muted="true"))["participants"]] == ["caller"]
    changed = await rehearsal.post(f"{path}/agent", EndConferenceOnExit="false")
    assert changed.json()["end_conference_on_exit"] is False
    assert (await rehearsal.delete(f"{path}/agent")).status_code == 204
    assert rehearsal.product.last("/voice/agent/after").fields["DialCallStatus"] == "answered"
    assert (await rehearsal.delete(f"{path}/agent")).status_code == 404
    assert not caller.ended


async def test_a_label_that_is_taken_fails(rehearsal: Rehearsal) -> None:
    await both_meet(rehearsal)
    rehearsal.product.says["/voice/incoming"] = caller_leg()
    await rehearsal.rings(from_="+14155550188")
    assert "16025 this participant label is taken" in rehearsal.violations
    assert rehearsal.product.last("/voice/after").fields["DialCallStatus"] == "failed"


async def test_a_conference_ended_over_rest_lets_everybody_go(rehearsal: Rehearsal) -> None:
    caller, agent = await both_meet(rehearsal)
    (room,) = (await rehearsal.get("Conferences"))["conferences"]
    ended = await rehearsal.post(f"Conferences/{room['sid']}", Status="completed")
    assert ended.json()["status"] == "completed"
    assert ended.json()["reason_conference_ended"] == "conference-ended-via-api"
    assert heard(caller)[-1] == "Goodbye."
    assert agent.ended


async def test_a_name_can_be_used_again(rehearsal: Rehearsal) -> None:
    caller, agent = await both_meet(rehearsal)
    rehearsal.exchange.end(agent)
    rehearsal.exchange.end(caller)
    await rehearsal.settles()
    await rehearsal.rings("<Dial><Conference>c1</Conference></Dial>", from_="+14155550188")
    rooms = (await rehearsal.get("Conferences", FriendlyName="c1"))["conferences"]
    assert [room["status"] for room in rooms] == ["init", "completed"]


async def test_a_redirected_caller_leaves_the_conference(rehearsal: Rehearsal) -> None:
    caller, _ = await both_meet(rehearsal)
    rehearsal.product.says["/voice/requeue"] = "<Say>Back to the line.</Say>"
    await rehearsal.post(f"Calls/{caller.sid}", Url=f"{HOOK}/voice/requeue")
    assert heard(caller)[-1] == "Back to the line."
    assert told(rehearsal)[-1] == "participant-leave"
    assert "/voice/after" not in rehearsal.product.paths()
