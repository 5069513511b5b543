"""Dial: telephones that answer or do not, whispers, and a queue taken from the front."""

from __future__ import annotations

import pytest

from drill.network.exchange import Phone
from tests.drill.product import Answered, Rehearsal, heard

FRONT = "+14155550171"
BACK = "+14155550172"


def phone(
    rehearsal: Rehearsal, number: str, answers: str = "human", after_ms: int = 2000, **script: object
) -> None:
    rehearsal.exchange.phones[number] = Phone(answers, after_ms, dict(script))


async def test_a_number_is_dialled_talked_to_and_its_call_reported(rehearsal: Rehearsal) -> None:
    phone(rehearsal, FRONT, hang_up={"after_s": 30})
    rehearsal.product.says["/voice/after"] = "<Say>Thanks.</Say>"
    leg = await rehearsal.rings(
        f"<Dial action='/voice/after' callerId='+14155550100'><Number statusCallback='/told' "
        f"statusCallbackEvent='initiated ringing answered completed'>{FRONT}</Number></Dial>"
    )
    await rehearsal.passes(3)
    assert leg.stage == "talking"
    await rehearsal.passes(30)
    after = rehearsal.product.last("/voice/after").fields
    assert (after["DialCallStatus"], after["DialBridged"], after["DialCallDuration"]) == (
        "completed",
        "true",
        "30",
    )
    told = rehearsal.product.all("/told")
    assert [each.fields["CallStatus"] for each in told] == [
        "initiated",
        "ringing",
        "in-progress",
        "completed",
    ]
    assert told[0].fields["ParentCallSid"] == leg.sid
    assert told[0].fields["Direction"] == "outbound-dial"
    assert told[0].fields["From"] == "+14155550100"


@pytest.mark.parametrize(
    ("answers", "status"), [("busy", "busy"), ("failed", "failed"), ("no-answer", "no-answer")]
)
async def test_a_number_that_is_not_reached(rehearsal: Rehearsal, answers: str, status: str) -> None:
    phone(rehearsal, FRONT, answers)
    await rehearsal.rings(f"<Dial action='/voice/after' timeout='10'>{FRONT}</Dial>")
    await rehearsal.passes(11)
    assert rehearsal.product.last("/voice/after").fields["DialCallStatus"] == status


async def test_the_first_to_pick_up_wins(rehearsal: Rehearsal) -> None:
    phone(rehearsal, FRONT, after_ms=5000)
    phone(rehearsal, BACK, after_ms=1000)
    await rehearsal.rings(f"<Dial><Number>{FRONT}</Number><Number>{BACK}</Number></Dial>")
    await rehearsal.passes(6)
    status = {each.to: each.status.value for each in rehearsal.exchange.legs.values()}
    assert (status[FRONT], status[BACK]) == ("canceled", "in-progress")


async def test_a_whisper_is_heard_before_the_two_talk(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/whisper"] = (
        "<Gather numDigits='1' action='/pressed'><Say>Press 1.</Say></Gather><Hangup/>"
    )
    rehearsal.product.says["/pressed"] = ""
    phone(rehearsal, FRONT, presses=[{"when": "press 1", "digits": "1"}])
    leg = await rehearsal.rings(f"<Dial><Number url='/whisper'>{FRONT}</Number></Dial>")
    await rehearsal.passes(2.2)
    assert leg.stage != "talking"
    await rehearsal.passes(3)
    assert leg.stage == "talking"
    assert rehearsal.product.last("/pressed").fields["Digits"] == "1"


async def test_a_whisper_that_hangs_up_is_no_answer(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/whisper"] = "<Hangup/>"
    phone(rehearsal, FRONT)
    await rehearsal.rings(f"<Dial action='/voice/after'><Number url='/whisper'>{FRONT}</Number></Dial>")
    await rehearsal.passes(3)
    assert rehearsal.product.last("/voice/after").fields["DialCallStatus"] == "no-answer"


async def test_without_an_action_the_next_verb_runs(rehearsal: Rehearsal) -> None:
    phone(rehearsal, FRONT, "busy")
    leg = await rehearsal.rings(f"<Dial>{FRONT}</Dial><Say>Nobody there.</Say>")
    await rehearsal.passes(2)
    assert heard(leg) == ["Nobody there."]


async def test_a_caller_who_hangs_up_stops_the_ringing(rehearsal: Rehearsal) -> None:
    phone(rehearsal, FRONT, after_ms=20_000)
    leg = await rehearsal.rings(f"<Dial action='/voice/after'>{FRONT}</Dial>")
    await rehearsal.passes(3)
    rehearsal.exchange.end(leg)
    await rehearsal.settles()
    assert all(each.ended for each in rehearsal.exchange.legs.values())
    assert rehearsal.product.last("/voice/after").fields["CallStatus"] == "completed"


async def test_a_queue_is_taken_from_the_front_and_its_action_asked_at_the_end(rehearsal: Rehearsal) -> None:
    says = rehearsal.product.says
    says["/voice/wait"] = "<Play>/clip.wav</Play>"
    says["/whisper"] = "<Say>You are next.</Say>"
    waiting = "<Enqueue waitUrl='/voice/wait' action='/voice/left'>support</Enqueue>"
    first = await rehearsal.rings(waiting)
    second = await rehearsal.rings(waiting, from_=BACK)
    await rehearsal.passes(10)
    taker = await rehearsal.rings(
        "<Dial action='/voice/after'><Queue url='/whisper'>support</Queue></Dial>", from_="client:agent1"
    )
    assert heard(first) == ["You are next."]
    whispered = rehearsal.product.last("/whisper").fields
    assert (whispered["DequeingCallSid"], whispered["QueueTime"]) == (taker.sid, "10")
    await rehearsal.passes(5)
    assert (first.stage, taker.stage, second.stage) == ("talking", "talking", "queue")
    assert "/voice/left" not in rehearsal.product.paths()
    rehearsal.exchange.end(taker)
    await rehearsal.settles()
    assert rehearsal.product.last("/voice/left").fields["QueueResult"] == "bridged"


async def test_an_empty_queue_is_waited_for(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/wait"] = "<Play>/clip.wav</Play>"
    await rehearsal.post("Queues", FriendlyName="support")
    taker = await rehearsal.rings(
        "<Dial timeout='10' action='/voice/after'><Queue>support</Queue></Dial>", from_="client:agent1"
    )
    await rehearsal.passes(5)
    caller = await rehearsal.rings("<Enqueue waitUrl='/voice/wait'>support</Enqueue>")
    assert (caller.stage, taker.stage) == ("talking", "talking")
    rehearsal.exchange.end(caller)
    await rehearsal.rings("<Dial timeout='10' action='/voice/after'><Queue>support</Queue></Dial>")
    await rehearsal.passes(11)
    assert rehearsal.product.last("/voice/after").fields["DialCallStatus"] == "no-answer"


async def test_what_a_caller_says_is_recorded(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/done"] = "<Say>Thank you.</Say>"
    leg = await rehearsal.rings(
        "<Record action='/done' maxLength='60' recordingStatusCallback='/recorded'/><Say>Nothing said.</Say>"
    )
    leg.keypad.speak("my till has been frozen since this morning, please call back")
    await rehearsal.passes(11)
    done = rehearsal.product.last("/done").fields
    assert done["RecordingDuration"] == "4"
    assert done["Digits"] == ""
    assert heard(leg) == ["Thank you."]
    recorded = rehearsal.product.last("/recorded").fields
    assert (recorded["RecordingStatus"], recorded["RecordingSource"]) == ("completed", "RecordVerb")
    recording = await rehearsal.get(f"Recordings/{done['RecordingSid']}")
    assert (recording["duration"], recording["call_sid"]) == ("4", leg.sid)
    sound = await rehearsal.rest.get(done["RecordingUrl"])
    assert sound.headers["content-type"] == "audio/x-wav"
    assert len(sound.content) == 44 + 4 * 8000


async def test_silence_is_no_recording(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Record action='/done' timeout='3'/><Say>Nothing said.</Say>")
    await rehearsal.passes(3.5)
    assert heard(leg) == ["Nothing said."]
    assert "/done" not in rehearsal.product.paths()


async def test_a_caller_who_hangs_up_leaves_what_was_said(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Record action='/done'/>")
    leg.keypad.speak("call me")
    await rehearsal.passes(2)
    rehearsal.exchange.end(leg)
    await rehearsal.settles()
    done = rehearsal.product.last("/done").fields
    assert (done["Digits"], done["CallStatus"]) == ("hangup", "completed")
    assert done["RecordingSid"].startswith("RE")


async def test_a_key_ends_the_recording(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Record action='/done' finishOnKey='#'/>")
    leg.keypad.speak("call me")
    await rehearsal.passes(2)
    leg.keypad.press("5#")
    await rehearsal.settles()
    assert rehearsal.product.last("/done").fields["Digits"] == "#"


async def test_a_clip_without_a_sound_is_noted(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/empty.wav"] = Answered(b"", kind="audio/x-wav")
    await rehearsal.rings("<Play>/empty.wav</Play>")
    await rehearsal.passes(s=1)
    assert rehearsal.violations == ["0 a clip without a sound in it"]


async def test_a_clip_of_another_kind_is_noted(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/page"] = Answered("<html/>", kind="text/html")
    await rehearsal.rings("<Play>/page</Play>")
    await rehearsal.passes(1)
    assert rehearsal.violations == ["12300 a clip of type text/html"]
