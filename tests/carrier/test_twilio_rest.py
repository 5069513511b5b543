"""The carrier's verbs, end to end: Twilio's own client on the wire, the double at the other end."""

from __future__ import annotations

import asyncio

import pytest

from carrier.twilio_rest import Ambiguous, Busy, Carrier, Dequeued, Refused
from drill.network.exchange import Phone
from drill.network.legs import Leg
from foundation.clock import ManualClock
from foundation.errors import Unavailable
from tests.drill.loopback import listening
from tests.drill.product import ACCOUNT, HOOK, OURS, TOKEN, Rehearsal, heard

AGENT = "+14155550199"
WAITING = "<Enqueue waitUrl='/voice/wait' action='/voice/left'>support.p1</Enqueue>"
NOBODY = "CA" + "0" * 32


async def someone_waits(rehearsal: Rehearsal, **more: str) -> Leg:
    rehearsal.product.says["/voice/wait"] = "<Play>/clip.wav</Play>"
    rehearsal.product.says["/voice/connect"] = "<Say>Connecting you.</Say><Pause length='60'/>"
    return await rehearsal.rings(WAITING, **more)


async def test_exactly_the_chosen_caller_is_taken_out_of_the_queue(
    rehearsal: Rehearsal, carrier: Carrier
) -> None:
    first = await someone_waits(rehearsal)
    second = await someone_waits(rehearsal, from_="+14155550124")
    assert await carrier.dequeue("support.p1", second.sid, f"{HOOK}/voice/connect") is Dequeued.TOOK
    await rehearsal.settles()
    assert heard(second) == ["Connecting you."]
    assert first.stage == "queue"
    assert [member.call_sid for member in await carrier.members("support.p1")] == [first.sid]


async def test_a_caller_who_hung_up_or_left_meanwhile_is_lost(rehearsal: Rehearsal, carrier: Carrier) -> None:
    gone = await someone_waits(rehearsal)
    taken = await someone_waits(rehearsal, from_="+14155550124")
    rehearsal.exchange.end(gone)
    assert await carrier.dequeue("support.p1", gone.sid, f"{HOOK}/voice/connect") is Dequeued.LOST
    await carrier.dequeue("support.p1", taken.sid, f"{HOOK}/voice/connect")
    assert await carrier.dequeue("support.p1", taken.sid, f"{HOOK}/voice/connect") is Dequeued.LOST
    assert await carrier.dequeue("support.p1", NOBODY, f"{HOOK}/voice/connect") is Dequeued.LOST
    assert await carrier.dequeue("no such queue", taken.sid, f"{HOOK}/voice/connect") is Dequeued.LOST


async def test_members_come_from_the_front_with_their_times(
    rehearsal: Rehearsal, carrier: Carrier, clock: ManualClock
) -> None:
    first = await someone_waits(rehearsal)
    entered_ms = clock.now_ms()
    await rehearsal.passes(30)
    await someone_waits(rehearsal, from_="+14155550124")
    members = await carrier.members("support.p1")
    assert [(member.position, member.wait_s) for member in members] == [(1, 30), (2, 0)]
    assert (members[0].call_sid, members[0].entered_ms) == (first.sid, entered_ms)
    assert await carrier.members("another") == []


async def test_a_queue_is_made_once_and_widened(rehearsal: Rehearsal, carrier: Carrier) -> None:
    made = await carrier.ensure_queue("support.p1", 1000)
    assert await carrier.ensure_queue("support.p1") == made
    (queue,) = await carrier.queues()
    assert (queue.sid, queue.name, queue.size, queue.max_size) == (made, "support.p1", 0, 5000)


async def test_an_agents_phone_is_rung_and_asks_our_document(rehearsal: Rehearsal, carrier: Carrier) -> None:
    rehearsal.product.says["/voice/agent/answer"] = "<Say>Press 1.</Say><Pause length='9'/>"
    sid = await carrier.dial(
        AGENT,
        OURS,
        f"{HOOK}/voice/agent/answer?contact=c1",
        status_callback=f"{HOOK}/voice/agent/status",
        status_events=("initiated", "ringing", "answered", "completed"),
        timeout_s=20,
    )
    await rehearsal.passes(5)
    asked = rehearsal.product.last("/voice/agent/answer").fields
    assert (asked["CallSid"], asked["Direction"], asked["CallStatus"]) == (sid, "outbound-api", "in-progress")
    await carrier.hang_up(sid)
    await rehearsal.settles()
    told = rehearsal.product.all("/voice/agent/status")
    assert [each.fields["CallStatus"] for each in told] == [
        "initiated",
        "ringing",
        "in-progress",
        "completed",
    ]
    assert [each.fields["SequenceNumber"] for each in told] == ["0", "1", "2", "3"]


async def test_a_call_cancelled_while_queued_never_rings_and_is_never_told_of(
    rehearsal: Rehearsal, carrier: Carrier
) -> None:
    url, told = f"{HOOK}/voice/agent/answer", f"{HOOK}/voice/agent/status"
    first = await carrier.dial(AGENT, OURS, url, status_callback=told)
    second = await carrier.dial("+14155550198", OURS, url, status_callback=told)
    await rehearsal.settles()
    await carrier.cancel(second)
    await rehearsal.passes(5)
    call = await carrier.call(second)
    assert call is not None
    assert call.status == "canceled"
    assert {each.fields["CallSid"] for each in rehearsal.product.all("/voice/agent/status")} <= {first}


async def test_outbound_calls_leave_one_a_second(rehearsal: Rehearsal, carrier: Carrier) -> None:
    rehearsal.exchange.phones[AGENT] = Phone("no-answer")
    sids = [await carrier.dial(AGENT, OURS, f"{HOOK}/x") for _ in range(4)]
    await rehearsal.passes(1.5)
    statuses = [(await carrier.call(sid)).status for sid in sids]  # type: ignore[union-attr]  # they exist
    assert statuses == ["ringing", "ringing", "queued", "queued"]


async def test_cancelling_or_ending_what_is_over_is_well(rehearsal: Rehearsal, carrier: Carrier) -> None:
    leg = await someone_waits(rehearsal)
    await carrier.hang_up(leg.sid)
    await carrier.hang_up(leg.sid)
    await carrier.cancel(leg.sid)
    await carrier.cancel(NOBODY)
    assert leg.status == "completed"


async def test_a_call_is_redirected_only_while_in_progress(rehearsal: Rehearsal, carrier: Carrier) -> None:
    leg = await someone_waits(rehearsal)
    await carrier.redirect(leg.sid, f"{HOOK}/voice/connect")
    await rehearsal.settles()
    assert heard(leg) == ["Connecting you."]
    rehearsal.exchange.end(leg)
    with pytest.raises(Refused) as refused:
        await carrier.redirect(leg.sid, f"{HOOK}/voice/connect")
    assert refused.value.code == 21220


async def test_a_participant_is_held_taken_back_and_removed(rehearsal: Rehearsal, carrier: Carrier) -> None:
    says = rehearsal.product.says
    says["/voice/hold"] = "<Play>/clip.wav</Play><Redirect/>"
    leg = await rehearsal.rings("<Dial><Conference>c1</Conference></Dial><Say>After.</Say>")
    await rehearsal.rings("<Dial><Conference>c1</Conference></Dial>", from_="client:agent1")
    assert leg.stage == "talking"
    assert await carrier.hold("c1", leg.sid, True, f"{HOOK}/voice/hold")
    await rehearsal.settles()
    assert leg.stage == "conference"
    assert rehearsal.product.last("/voice/hold").fields["CallSid"] == leg.sid
    assert await carrier.hold("c1", leg.sid, False)
    assert leg.stage == "talking"
    assert await carrier.remove("c1", leg.sid)
    await rehearsal.settles()
    assert heard(leg) == ["After."]
    assert await carrier.remove("c1", leg.sid) is False
    assert await carrier.hold("c2", leg.sid, True) is False


async def test_a_number_is_pointed_at_us(rehearsal: Rehearsal, carrier: Carrier) -> None:
    (number,) = await carrier.numbers()
    await carrier.point_number(
        number.sid,
        voice_url=f"{HOOK}/a",
        fallback_url=f"{HOOK}/b",
        status_url=f"{HOOK}/c",
        sms_url=f"{HOOK}/d",
        sms_fallback_url=f"{HOOK}/e",
    )
    (number,) = await carrier.numbers()
    assert (number.sms_url, number.sms_fallback_url) == (f"{HOOK}/d", f"{HOOK}/e")
    assert (number.voice_url, number.fallback_url, number.status_url) == (
        f"{HOOK}/a",
        f"{HOOK}/b",
        f"{HOOK}/c",
    )


async def test_what_was_dialled_can_be_looked_up(
    rehearsal: Rehearsal, carrier: Carrier, clock: ManualClock
) -> None:
    before_ms = clock.now_ms()
    sid = await carrier.dial(AGENT, OURS, f"{HOOK}/x")
    await rehearsal.settles()
    (call,) = await carrier.calls(to=AGENT, from_=OURS, since_ms=before_ms)
    assert (call.sid, call.to, call.from_, call.direction) == (sid, AGENT, OURS, "outbound-api")
    assert await carrier.calls(to="+14155550111") == []
    assert await carrier.calls(to=AGENT, since_ms=before_ms + 60_000) == []


def befalls(rehearsal: Rehearsal, kind: str, match: str = "", **more: object) -> None:
    rule = {"on": "rest", "kind": kind, "match": match, "method": "POST", **more}
    rehearsal.exchange.courier.faults.replace({"rules": [rule]})


async def test_too_many_requests_were_not_processed(rehearsal: Rehearsal, carrier: Carrier) -> None:
    befalls(rehearsal, "busy", times=1)
    with pytest.raises(Busy):
        await carrier.dial(AGENT, OURS, f"{HOOK}/x")
    assert await carrier.calls(to=AGENT) == []


@pytest.mark.parametrize(("kind", "placed"), [("fail_before", 0), ("fail_after", 1), ("lose_answer", 1)])
async def test_an_unanswered_dial_is_ambiguous_and_made_once_at_most(
    rehearsal: Rehearsal, carrier: Carrier, kind: str, placed: int
) -> None:
    befalls(rehearsal, kind)
    with pytest.raises(Ambiguous):
        await carrier.dial(AGENT, OURS, f"{HOOK}/x")
    assert len(await carrier.calls(to=AGENT)) == placed


async def test_a_stalled_answer_is_not_waited_for(rehearsal: Rehearsal, carrier: Carrier) -> None:
    carrier.timeout_s = 0.05
    befalls(rehearsal, "stall_after", ms=60_000)
    with pytest.raises(Ambiguous):
        await carrier.dial(AGENT, OURS, f"{HOOK}/x")
    leg = await someone_waits(rehearsal)
    with pytest.raises(Unavailable):
        await carrier.redirect(leg.sid, f"{HOOK}/voice/connect")


async def test_a_dequeue_whose_answer_is_lost_may_have_happened(
    rehearsal: Rehearsal, carrier: Carrier
) -> None:
    leg = await someone_waits(rehearsal)
    befalls(rehearsal, "lose_answer", match="Members")
    with pytest.raises(Ambiguous):
        await carrier.dequeue("support.p1", leg.sid, f"{HOOK}/voice/connect")
    await rehearsal.settles()
    assert heard(leg) == ["Connecting you."]


async def test_two_who_take_the_same_caller(rehearsal: Rehearsal, carrier: Carrier) -> None:
    leg = await someone_waits(rehearsal)
    await carrier.queues()
    both = [carrier.dequeue("support.p1", leg.sid, f"{HOOK}/voice/connect") for _ in range(2)]
    assert sorted(await asyncio.gather(*both)) == [Dequeued.LOST, Dequeued.TOOK]


@pytest.mark.parametrize(
    ("to", "code"),
    [("+15005550001", 21217), ("+15005550002", 21214), ("+15005550003", 21215), ("+15005550004", 21216)],
)
async def test_numbers_that_always_go_wrong(carrier: Carrier, to: str, code: int) -> None:
    with pytest.raises(Refused) as refused:
        await carrier.dial(to, OURS, f"{HOOK}/x")
    assert (refused.value.code, refused.value.status) == (code, 400)


async def test_a_caller_id_that_is_not_ours_is_refused(carrier: Carrier) -> None:
    with pytest.raises(Refused) as refused:
        await carrier.dial(AGENT, "+14155559999", f"{HOOK}/x")
    assert refused.value.code == 21210


async def test_a_wrong_token_is_refused(rehearsal: Rehearsal) -> None:
    async with listening(rehearsal.network) as url:
        stranger = Carrier(ACCOUNT.sid, "wrong", api_base_url=url)
        with pytest.raises(Refused) as refused:
            await stranger.queues()
        await stranger.close()
    assert (refused.value.status, refused.value.code) == (401, 20003)


async def test_an_api_key_will_do(rehearsal: Rehearsal) -> None:
    async with listening(rehearsal.network) as url:
        key = (ACCOUNT.key_sid, ACCOUNT.key_secret)
        carrier = Carrier(ACCOUNT.sid, TOKEN, api_base_url=url, api_key=key)
        assert await carrier.queues() == []
        await carrier.close()


async def test_nobody_there_is_unavailable() -> None:
    carrier = Carrier(ACCOUNT.sid, TOKEN, api_base_url="http://127.0.0.1:1")
    with pytest.raises(Unavailable):
        await carrier.queues()
    with pytest.raises(Ambiguous):
        await carrier.dial(AGENT, OURS, f"{HOOK}/x")
    await carrier.close()
