"""One attempt, from the agent's Call to the talk; and everything that may go wrong on the way."""

from __future__ import annotations

import pytest

from callbacks import dialing, picking_up, promises
from callbacks.states import PromiseState, Result
from callbacks.turns import turn_name
from tests.callbacks.office import NUMBER, Staff


async def test_the_merchant_is_rung_once_and_the_promise_is_kept(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone()
    attempt = await ringing.dials(promise)
    assert attempt is not None
    assert await ringing.state(promise) == PromiseState.DIALING
    await ringing.passes(4)
    assert [leg.sid for leg in ringing.legs()] == ringing.talking
    assert await ringing.state(promise) == PromiseState.CONNECTED
    assert await ringing.attempt_states(promise) == ["talked"]
    ringing.hangs_up(ringing.legs()[0])
    await ringing.passes(1)
    await ringing.roster.ready("ann", ringing.now_ms)
    await ringing.writes_down()
    kept = await ringing.promise(promise.id)
    assert (kept.state, kept.ended_by, kept.open_number) == (PromiseState.KEPT, "ann", None)
    assert kept.tries == 0


async def test_a_talk_whose_end_nobody_tells_is_over_all_the_same(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone()
    await ringing.dials(promise)
    await ringing.passes(4)
    ringing.faults({"on": "webhook", "kind": "drop", "match": "/voice/called/status"})
    ringing.hangs_up(ringing.legs()[0])
    await ringing.passes(1)
    assert await ringing.state(promise) == PromiseState.CONNECTED
    await ringing.passes(120)
    assert (await ringing.contact(turn_name(promise.id, promise.turn))).disposition == "answered"
    await ringing.roster.ready("ann", ringing.now_ms)
    await ringing.writes_down()
    assert await ringing.state(promise) == PromiseState.KEPT


async def test_a_talk_that_lasts_is_looked_up_and_left_alone(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone()
    await ringing.dials(promise)
    asked: list[str] = []
    real = ringing.carrier.call

    async def call(sid: str) -> object:
        asked.append(sid)
        return await real(sid)

    ringing.carrier.call = call
    await ringing.passes(240)
    assert await ringing.state(promise) == PromiseState.CONNECTED
    assert 2 <= len(asked) <= 4


@pytest.mark.parametrize(
    ("answers", "result"), [("no-answer", Result.NO_ANSWER), ("busy", Result.BUSY), ("failed", Result.FAILED)]
)
async def test_nobody_reached_is_due_again_later(ringing: Staff, answers: str, result: Result) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone(answers=answers)
    began_ms = ringing.now_ms
    await ringing.dials(promise)
    await ringing.passes(40)
    later = await ringing.promise(promise.id)
    assert (later.state, later.tries) == (PromiseState.DUE_LATER, 1)
    assert later.due_ms >= began_ms + 600_000
    assert [(a.state, a.result) for a in await ringing.attempts(promise)] == [("not_reached", result)]
    assert (await ringing.roster.agent("ann")).presence == "wrap_up"
    assert await ringing.order() == []


async def rest_fails(staff: Staff, kind: str, **more: object) -> None:
    staff.faults({"on": "rest", "kind": kind, "match": "/Calls.json", "method": "POST", "times": 1, **more})


@pytest.mark.parametrize("kind", ["lose_answer", "fail_after", "stall_after"])
async def test_a_call_whose_answer_was_lost_is_found_and_not_placed_again(ringing: Staff, kind: str) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone(after_ms=30_000, answers="no-answer")
    await rest_fails(ringing, kind, **({"ms": 3000} if kind == "stall_after" else {}))
    await ringing.dials(promise)
    assert await ringing.attempt_states(promise) == ["unknown"]
    await ringing.passes(60)
    assert len(ringing.legs()) == 1
    assert await ringing.state(promise) == PromiseState.DUE_LATER
    assert await ringing.attempt_states(promise) == ["not_reached"]


@pytest.mark.parametrize("kind", ["fail_before", "stall_before"])
async def test_a_call_that_was_never_placed_counts_for_nothing(ringing: Staff, kind: str) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone()
    await rest_fails(ringing, kind, **({"ms": 3000} if kind == "stall_before" else {}))
    turn, _ = await ringing.presses_call(promise)
    await dialing.begin(ringing.cb, ringing.carrier, turn, 1, "ann", ringing.now_ms)
    assert await ringing.attempt_states(promise) == ["unknown"]
    await ringing.passes(14)
    assert await ringing.attempt_states(promise) == ["unknown"]
    await ringing.passes(3)
    assert await ringing.attempt_states(promise) == ["withdrawn"]
    again = await ringing.promise(promise.id)
    assert (again.state, again.tries, again.turn) == (PromiseState.IN_LINE, 0, 1)
    assert (await ringing.contact(turn)).state in ("waiting", "reserved")
    assert ringing.legs() == []


async def test_too_many_requests_at_the_carrier_count_for_nothing(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    await rest_fails(ringing, "busy")
    await ringing.dials(promise)
    assert await ringing.attempt_states(promise) == ["withdrawn"]
    assert await ringing.state(promise) == PromiseState.IN_LINE
    ringing.phone()
    await ringing.passes(6)  # ann has passed on it and is asked again
    await ringing.dials(promise)
    await ringing.passes(4)
    assert await ringing.state(promise) == PromiseState.CONNECTED
    assert len(ringing.legs()) == 1


async def test_a_number_that_the_carrier_refuses_is_not_tried_again(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    await ringing.refuses_calls()
    await ringing.dials(promise)
    over = await ringing.promise(promise.id)
    assert (over.state, over.reason, over.tries) == (PromiseState.UNREACHABLE, "refused", 1)


async def test_a_pick_up_that_overtakes_the_201_wins(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    turn, fence = await ringing.presses_call(promise)
    intent = await dialing.write_intent(ringing.cb, promise.id, turn, fence, "ann", ringing.now_ms)
    assert intent.attempt is not None
    assert await dialing.answered(ringing.cb, intent.attempt.id, "CAleg", ringing.now_ms)
    assert await dialing.note_sent(ringing.cb, intent.attempt.id, "CAleg", ringing.now_ms)
    (attempt,) = await ringing.attempts(promise)
    assert (attempt.state, attempt.call_sid) == ("answered", "CAleg")


async def test_of_two_legs_that_are_picked_up_one_talks(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    attempt = await ringing.dials(promise)
    assert attempt is not None
    won = [
        await dialing.answered(ringing.cb, attempt.id, leg, ringing.now_ms) for leg in ("CAx", "CAy", "CAx")
    ]
    assert won == [True, False, True]
    pressed = [
        await picking_up.take(ringing.cb, attempt.id, leg, ringing.now_ms) for leg in ("CAy", "CAx", "CAx")
    ]
    assert pressed == [False, True, True]
    # The loser's own end is not the attempt's.
    assert await dialing.over(ringing.cb, attempt.id, Result.HUNG_UP, ringing.now_ms, "CAy") is None
    assert await ringing.attempt_states(promise) == ["answered"]


async def test_no_call_is_placed_after_the_send_deadline(ringing: Staff) -> None:
    """A worker that was stopped between intent and sending wakes up late."""
    promise = await ringing.owed()
    await ringing.at_work("ann")
    turn, fence = await ringing.presses_call(promise)
    intent = await dialing.write_intent(ringing.cb, promise.id, turn, fence, "ann", ringing.now_ms)
    assert intent.attempt is not None
    ringing.clock.advance(s=6)
    await dialing.send(ringing.cb, ringing.carrier, intent.attempt, NUMBER)
    assert ringing.legs() == []
    assert await ringing.attempt_states(promise) == ["withdrawn"]


async def test_a_repeated_call_for_the_same_reservation_rings_once(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone()
    turn, fence = await ringing.presses_call(promise)
    for _ in range(3):
        await dialing.begin(ringing.cb, ringing.carrier, turn, fence, "ann", ringing.now_ms)
    assert len(ringing.legs()) == 1
    assert (await ringing.contact(turn)).accepted


async def test_the_last_try_in_vain_makes_it_unreachable(ringing: Staff) -> None:
    promise = await ringing.owed()
    ringing.phone(answers="busy")
    for tries in (1, 2, 3):
        await ringing.at_work("ann")
        await ringing.keeps()
        promise = await ringing.promise(promise.id)
        assert promise.turn == tries
        await ringing.dials(promise)
        await ringing.passes(5)
        await ringing.roster.ready("ann", ringing.now_ms)
        ringing.clock.advance(minutes=61)
        await ringing.keeps()
    over = await ringing.promise(promise.id)
    assert (over.state, over.tries, over.ended_by) == (PromiseState.UNREACHABLE, 3, "line")
    assert len(ringing.legs()) == 3


async def test_a_supervisors_cancel_stops_the_ringing(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone(after_ms=20_000)
    await ringing.dials(promise)
    await ringing.passes(1)
    await promises.cancel(ringing.cb, promise.id, "rang by mistake", "sue", ringing.now_ms)
    await ringing.passes(30)
    assert ringing.talking == []
    assert [leg.status for leg in ringing.legs()] == ["canceled"]
    assert await ringing.attempt_states(promise) == ["withdrawn"]
    assert (await ringing.roster.agent("ann")).presence == "ready"


# --- the agent goes while nobody knows whether it rings -------------------------------------------------


async def agent_goes(ringing: Staff, turn: str, fence: int) -> None:
    """The agent's phone drops: the line lets go, and the effect of that is carried out."""
    await ringing.line.fail_join(turn, ringing.now_ms)
    await dialing.agent_gone(ringing.cb, ringing.carrier, turn, fence, ringing.now_ms)


async def test_an_agent_gone_while_the_answer_is_unknown_rings_nobody_a_second_time(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone(after_ms=12_000)
    await rest_fails(ringing, "lose_answer")
    turn, fence = await ringing.presses_call(promise)
    await dialing.begin(ringing.cb, ringing.carrier, turn, fence, "ann", ringing.now_ms)
    assert await ringing.attempt_states(promise) == ["unknown"]
    await agent_goes(ringing, turn, fence)
    await ringing.at_work("bob")
    now = await ringing.contact(turn)
    await dialing.begin(ringing.cb, ringing.carrier, turn, now.fence, now.agent, ringing.now_ms)
    await ringing.passes(20)
    assert len(ringing.legs()) == 1
    assert len(await ringing.attempts(promise)) == 1


async def test_a_phone_found_ringing_for_an_agent_who_has_gone_is_stopped_and_counts_for_nothing(
    ringing: Staff,
) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone(answers="no-answer", after_ms=60_000)
    await rest_fails(ringing, "lose_answer")
    turn, fence = await ringing.presses_call(promise)
    await dialing.begin(ringing.cb, ringing.carrier, turn, fence, "ann", ringing.now_ms)
    await agent_goes(ringing, turn, fence)
    await ringing.passes(25)
    assert [leg.status for leg in ringing.legs()] == ["canceled"]
    (attempt,) = await ringing.attempts(promise)
    assert (attempt.state, attempt.result) == ("not_reached", Result.AGENT_GONE)
    again = await ringing.promise(promise.id)
    assert (again.state, again.tries) == (PromiseState.IN_LINE, 0)


async def test_an_agent_gone_before_the_call_is_sent_has_it_stopped_as_soon_as_it_is_known(
    ringing: Staff,
) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone(after_ms=20_000)
    turn, fence = await ringing.presses_call(promise)
    intent = await dialing.write_intent(ringing.cb, promise.id, turn, fence, "ann", ringing.now_ms)
    assert intent.attempt is not None
    await agent_goes(ringing, turn, fence)
    assert await ringing.attempt_states(promise) == ["intent"]
    await dialing.send(ringing.cb, ringing.carrier, intent.attempt, NUMBER)
    await ringing.passes(3)
    assert [leg.status for leg in ringing.legs()] == ["canceled"]
    again = await ringing.promise(promise.id)
    assert (again.state, again.tries) == (PromiseState.IN_LINE, 0)


async def test_who_picks_up_though_the_agent_has_gone_is_there_first(ringing: Staff) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    turn, fence = await ringing.presses_call(promise)
    intent = await dialing.write_intent(ringing.cb, promise.id, turn, fence, "ann", ringing.now_ms)
    assert intent.attempt is not None
    await agent_goes(ringing, turn, fence)
    assert await dialing.answered(ringing.cb, intent.attempt.id, "CAleg", ringing.now_ms)
    assert await dialing.note_sent(ringing.cb, intent.attempt.id, "CAleg", ringing.now_ms)
    assert await picking_up.take(ringing.cb, intent.attempt.id, "CAleg", ringing.now_ms)


async def test_a_pick_up_during_the_look_up_is_not_withdrawn(ringing: Staff) -> None:
    """The look-up's own question and the pick-up overtake each other."""
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone(after_ms=60_000)
    await rest_fails(ringing, "lose_answer")
    await ringing.dials(promise)
    ringing.clock.advance(s=16)
    (attempt,) = await ringing.attempts(promise)
    (leg,) = ringing.legs()
    assert await dialing.answered(ringing.cb, attempt.id, leg.sid, ringing.now_ms)
    await dialing.settle(ringing.cb, ringing.carrier, attempt, ringing.now_ms)  # as it was before
    assert await ringing.attempt_states(promise) == ["answered"]
