"""What a caller goes through."""

from __future__ import annotations

import asyncio

from drill.network.exchange import Phone
from tests.drill.product import HOOK, OURS, Answered, Asked, Rehearsal, heard, lines


async def test_the_first_request_comes_while_it_rings_and_later_ones_on_the_answered_call(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.product.says["/voice/next"] = "<Say>Second.</Say>"
    leg = await rehearsal.rings("<Say>First.</Say><Redirect>next?x=1&amp;y=2</Redirect>")
    await rehearsal.passes(0.7)
    first, second = rehearsal.product.asked
    assert first.fields["CallStatus"] == "ringing"
    assert second.fields["CallStatus"] == "in-progress"
    assert second.url == "http://127.0.0.1:8080/voice/next?x=1&y=2"
    await rehearsal.passes(2)
    assert heard(leg) == ["First.", "Second."]
    assert leg.status == "completed"
    assert rehearsal.violations == []


async def test_speech_takes_its_time(rehearsal: Rehearsal) -> None:
    words = "x" * 140
    leg = await rehearsal.rings(f"<Say>{words}</Say><Say>after</Say>")
    await rehearsal.passes(9.9)
    assert heard(leg) == [words]
    await rehearsal.passes(0.2)
    assert heard(leg)[-1] == "after"


async def test_a_clip_plays_as_long_as_its_header_says(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Play>/clip.wav</Play><Say>after</Say>")
    await rehearsal.passes(19.9)
    assert heard(leg) == []
    await rehearsal.passes(0.2)
    assert heard(leg) == ["after"]


async def test_a_clip_is_fetched_once(rehearsal: Rehearsal) -> None:
    await rehearsal.rings("<Play loop='2'>/clip.wav</Play><Play>/clip.wav</Play>")
    await rehearsal.passes(61)
    assert rehearsal.product.paths().count("/clip.wav") == 1


async def test_a_clip_that_is_not_there_is_a_violation_and_the_call_goes_on(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/gone.wav"] = Answered("no", status=404)
    leg = await rehearsal.rings("<Play>/gone.wav</Play><Say>after</Say>")
    await rehearsal.passes(5.5)
    assert heard(leg) == ["after"]
    assert rehearsal.violations == ["11200 a clip could not be fetched: answered 404"]


async def test_a_rejected_call_is_never_answered(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Reject reason='busy'/>")
    assert leg.status == "busy"
    assert leg.started_ms is None
    assert rehearsal.product.last("/voice/status").fields["CallStatus"] == "busy"


async def test_the_call_ends_with_its_document_and_the_product_is_told(rehearsal: Rehearsal) -> None:
    await rehearsal.rings("<Pause length='7'/>")
    await rehearsal.passes(8)
    told = rehearsal.product.last("/voice/status").fields
    assert told["CallStatus"] == "completed"
    assert told["CallDuration"] == "7"
    assert told["Duration"] == "1"
    assert told["CallbackSource"] == "call-progress-events"
    assert told["SequenceNumber"] == "0"
    assert told["Timestamp"].endswith("+0000")


async def test_keys_are_gathered_and_stop_the_prompt(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/menu"] = "<Say>Thank you.</Say>"
    leg = await rehearsal.rings(
        "<Gather numDigits='1' action='/voice/menu'><Say>" + "word " * 100 + "</Say></Gather>"
    )
    await rehearsal.passes(3)
    leg.keypad.press("2")
    await rehearsal.settles()
    asked = rehearsal.product.last("/voice/menu")
    assert asked.fields["Digits"] == "2"
    assert heard(leg)[-1] == "Thank you."


async def test_a_gather_without_input_falls_through(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings(
        "<Gather action='/voice/menu' timeout='4'><Say>hello</Say></Gather><Say>No key.</Say>"
    )
    await rehearsal.passes(4.4)
    assert heard(leg) == ["hello"]
    await rehearsal.passes(0.2)
    assert heard(leg) == ["hello", "No key."]
    assert "/voice/menu" not in rehearsal.product.paths()


async def test_a_gather_may_ask_its_action_without_input(rehearsal: Rehearsal) -> None:
    await rehearsal.rings("<Gather action='/voice/menu' actionOnEmptyResult='true' timeout='1'/>")
    await rehearsal.passes(1.5)
    assert rehearsal.product.last("/voice/menu").fields["Digits"] == ""


async def test_the_finishing_key_ends_it_and_alone_is_no_input(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Gather action='/voice/menu'/><Gather action='/voice/menu2'/>")
    leg.keypad.press("#")
    await rehearsal.settles()
    assert "/voice/menu" not in rehearsal.product.paths()
    leg.keypad.press("12#")
    await rehearsal.settles()
    assert rehearsal.product.last("/voice/menu2").fields["Digits"] == "12"


async def test_digits_are_submitted_when_no_more_come(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Gather action='/voice/menu' timeout='3'/>")
    leg.keypad.press("1")
    await rehearsal.passes(2)
    leg.keypad.press("2")
    await rehearsal.passes(2.9)
    assert "/voice/menu" not in rehearsal.product.paths()
    await rehearsal.passes(0.2)
    assert rehearsal.product.last("/voice/menu").fields["Digits"] == "12"


async def test_speech_is_gathered_with_a_confidence(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings(
        "<Gather input='dtmf speech' speechTimeout='auto' action='/voice/menu'><Say>Say it.</Say></Gather>"
    )
    leg.keypad.speak("my till is frozen")
    await rehearsal.passes(3)
    asked = rehearsal.product.last("/voice/menu").fields
    assert asked["SpeechResult"] == "my till is frozen"
    assert float(asked["Confidence"]) > 0


async def test_keys_before_a_gather_do_not_count(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Say>wait for it</Say><Gather action='/voice/menu' numDigits='1'/>")
    assert leg.keypad.press("5") is False
    await rehearsal.passes(3)
    assert "/voice/menu" not in rehearsal.product.paths()


async def test_a_caller_in_the_hold_loop_asks_again_when_the_music_ends(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/wait"] = "<Play>/clip.wav</Play>"
    leg = await rehearsal.rings("<Enqueue waitUrl='/voice/wait'>support.p1</Enqueue>")
    assert leg.stage == "queue"
    await rehearsal.passes(61)
    asked = rehearsal.product.all("/voice/wait")
    assert [each.fields["QueueTime"] for each in asked] == ["0", "20", "40", "60"]
    assert asked[0].fields["QueuePosition"] == "1"
    assert asked[0].fields["CurrentQueueSize"] == "1"
    assert asked[0].fields["MaxQueueSize"] == "1000"
    assert asked[-1].fields["AvgQueueTime"] == "60"
    assert asked[0].fields["QueueSid"].startswith("QU")


async def test_leaving_the_queue_asks_the_action(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/wait"] = [
        "<Gather numDigits='1' action='/voice/wait/key'><Play>/clip.wav</Play></Gather>",
    ]
    rehearsal.product.says["/voice/wait/key"] = "<Leave/>"
    rehearsal.product.says["/voice/left"] = "<Say>Goodbye.</Say>"
    leg = await rehearsal.rings("<Enqueue waitUrl='/voice/wait' action='/voice/left'>support</Enqueue>")
    await rehearsal.passes(5)
    leg.keypad.press("*")
    await rehearsal.settles()
    left = rehearsal.product.last("/voice/left").fields
    assert left["QueueResult"] == "leave"
    assert left["QueueTime"] == "5"
    assert heard(leg) == ["Goodbye."]


async def test_a_caller_who_hangs_up_in_the_queue_is_told_of_twice(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/wait"] = "<Play>/clip.wav</Play>"
    leg = await rehearsal.rings("<Enqueue waitUrl='/voice/wait' action='/voice/left'>support</Enqueue>")
    await rehearsal.passes(12)
    rehearsal.exchange.end(leg)
    await rehearsal.settles()
    left = rehearsal.product.last("/voice/left").fields
    assert (left["QueueResult"], left["CallStatus"]) == ("hangup", "completed")
    assert rehearsal.product.last("/voice/status").fields["CallStatus"] == "completed"
    assert (await rehearsal.get("Queues"))["queues"][0]["current_size"] == 0


async def test_a_failing_wait_document_is_the_queues_error(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/wait"] = Answered("no", status=500)
    rehearsal.product.says["/voice/left"] = "<Say>Sorry.</Say>"
    leg = await rehearsal.rings("<Enqueue waitUrl='/voice/wait' action='/voice/left'>support</Enqueue>")
    assert rehearsal.product.last("/voice/left").fields["QueueResult"] == "error"
    assert heard(leg) == ["Sorry."]


async def test_a_full_queue_says_so(rehearsal: Rehearsal) -> None:
    await rehearsal.post("Queues", FriendlyName="support", MaxSize=1)
    rehearsal.product.says["/voice/wait"] = "<Play>/clip.wav</Play>"
    document = "<Enqueue waitUrl='/voice/wait' action='/voice/left'>support</Enqueue>"
    await rehearsal.rings(document)
    await rehearsal.rings(document, from_="+14155550124")
    left = rehearsal.product.last("/voice/left").fields
    assert left["QueueResult"] == "queue-full"
    assert "QueueSid" not in left


async def test_dequeued_over_rest_to_a_conference(rehearsal: Rehearsal) -> None:
    says = rehearsal.product.says
    says["/voice/wait"] = "<Play>/clip.wav</Play>"
    says["/voice/connecting"] = "<Say>One moment.</Say>"
    says["/voice/connect"] = (
        "<Dial action='/voice/after'><Conference startConferenceOnEnter='false' waitUrl='/voice/connecting' "
        "statusCallback='/voice/conference' statusCallbackEvent='start end join leave'>c1</Conference></Dial>"
    )
    leg = await rehearsal.rings("<Enqueue waitUrl='/voice/wait' action='/voice/left'>support</Enqueue>")
    queue = (await rehearsal.get("Queues"))["queues"][0]["sid"]
    answer = await rehearsal.post(
        f"Queues/{queue}/Members/{leg.sid}", Url="http://127.0.0.1:8080/voice/connect"
    )
    assert answer.status_code == 200
    assert rehearsal.product.last("/voice/left").fields["QueueResult"] == "redirected"
    assert leg.stage == "conference"
    assert heard(leg) == ["One moment."]
    again = await rehearsal.post(f"Queues/{queue}/Members/{leg.sid}", Url="http://127.0.0.1:8080/x")
    assert (again.status_code, again.json()["code"]) == (404, 20404)
    assert [each.fields["StatusCallbackEvent"] for each in rehearsal.product.all("/voice/conference")] == [
        "participant-join"
    ]
    assert rehearsal.violations == []
    assert "dial conference c1" in lines(leg)


async def test_a_caller_who_hangs_up_while_the_product_thinks_hears_nothing_more(
    rehearsal: Rehearsal,
) -> None:
    thinks, goes_on = asyncio.Event(), asyncio.Event()

    async def think(asked: Asked) -> str:
        thinks.set()
        await goes_on.wait()
        return "<Say>Too late.</Say>"

    rehearsal.product.says["/voice/menu"] = think
    rehearsal.product.says["/voice/incoming"] = "<Redirect>/voice/menu</Redirect>"
    leg = rehearsal.network.switchboard.ring_in("+14155550123", OURS)
    await thinks.wait()
    rehearsal.exchange.end(leg)
    goes_on.set()
    await rehearsal.settles()
    assert heard(leg) == []
    assert rehearsal.product.paths() == ["/voice/incoming", "/voice/menu", "/voice/status"]


async def test_a_caller_taken_from_the_queue_while_the_product_thinks_is_not_held_up(
    rehearsal: Rehearsal,
) -> None:
    thinks, goes_on = asyncio.Event(), asyncio.Event()

    async def think(asked: Asked) -> str:
        thinks.set()
        await goes_on.wait()
        return "<Say>Too late.</Say>"

    rehearsal.product.says["/voice/wait"] = think
    rehearsal.product.says["/voice/incoming"] = "<Enqueue waitUrl='/voice/wait'>support</Enqueue>"
    rehearsal.product.says["/voice/connect"] = "<Say>Connecting you.</Say>"
    leg = rehearsal.network.switchboard.ring_in("+14155550123", OURS)
    await thinks.wait()
    (queue,) = rehearsal.exchange.queues.values()
    await rehearsal.rest.post(
        f"/2010-04-01/Accounts/{rehearsal.exchange.account.sid}/Queues/{queue.sid}/Members/{leg.sid}.json",
        data={"Url": f"{HOOK}/voice/connect"},
    )
    goes_on.set()
    await rehearsal.settles()
    assert heard(leg) == ["Connecting you."]


async def test_a_machine_is_told_from_a_person_before_the_document_is_asked(rehearsal: Rehearsal) -> None:
    rehearsal.exchange.phones["+14155550177"] = Phone("machine", 1000)
    rehearsal.product.says["/answer"] = "<Hangup/>"
    await rehearsal.post(
        "Calls", To="+14155550177", From=OURS, Url=f"{HOOK}/answer", MachineDetection="DetectMessageEnd"
    )
    await rehearsal.passes(2)
    assert "/answer" not in rehearsal.product.paths()
    await rehearsal.passes(3)
    assert rehearsal.product.last("/answer").fields["AnsweredBy"] == "machine_end_beep"


async def test_a_call_that_nobody_answers_asks_nothing(rehearsal: Rehearsal) -> None:
    rehearsal.exchange.phones["+14155550177"] = Phone("no-answer")
    told = {"StatusCallback": f"{HOOK}/told", "Timeout": "20"}
    await rehearsal.post("Calls", To="+14155550177", From=OURS, Url=f"{HOOK}/answer", **told)
    await rehearsal.passes(21)
    assert rehearsal.product.paths() == ["/told"]
    assert rehearsal.product.last("/told").fields["CallStatus"] == "no-answer"


async def test_a_document_given_over_rest_needs_absolute_addresses(rehearsal: Rehearsal) -> None:
    twiml = "<Response><Gather action='/voice/menu' numDigits='1'/></Response>"
    leg = await rehearsal.rings("<Pause length='60'/>")
    await rehearsal.post(f"Calls/{leg.sid}", Twiml=twiml)
    leg.keypad.press("1")
    await rehearsal.settles()
    assert rehearsal.violations[0] == "11100 '/voice/menu' in a Twiml parameter must be absolute"


async def test_what_the_double_passes_over_is_noted_and_the_call_goes_on(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings(
        "<Dial record='record-from-answer' hangupOnStar='false'><Conference>c1</Conference></Dial>"
    )
    assert leg.stage == "conference"
    assert rehearsal.violations == ["0 the double does not act out <Dial record>"]


async def test_partial_speech_is_told_while_the_caller_speaks(rehearsal: Rehearsal) -> None:
    leg = await rehearsal.rings("<Gather input='speech' action='/m' partialResultCallback='/partial'/>")
    leg.keypad.speak("my till is frozen")
    await rehearsal.settles()
    assert rehearsal.product.paths()[-1] == "/partial"
    assert rehearsal.product.last("/partial").fields["UnstableSpeechResult"] == "my till "
