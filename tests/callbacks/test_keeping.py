"""Promises follow the journal: the talk, the agent's word after it, and calls that come in meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from callbacks import dialing, merchant_first, picking_up, promises, reaping, settling
from callbacks.states import Mode, PromiseState, Result
from callbacks.tables import Promise
from callbacks.turns import turn_name
from carrier.twilio_rest import Call, Carrier
from foundation.clock import ManualClock
from foundation.connections import Sql
from queueing import journal
from queueing.line import Card
from queueing.records import Entry
from queueing.states import Disposition
from tests.callbacks.office import NUMBER, POLICY, Staff

TEN_MIN_MS = 600_000


class Over(Carrier):
    """Every call is over, by its word."""

    async def call(self, sid: str) -> Call:
        return Call(sid, "", NUMBER, "completed", "outbound-api", None)


@pytest.fixture
def office(redis: Redis, books: Sql, clock: ManualClock) -> Staff:
    return Staff(redis, books, clock)


async def in_talk(office: Staff) -> tuple[Promise, str]:
    """A promise whose merchant and agent talk; and its turn."""
    promise = await office.owed()
    await office.at_work("ann")
    turn = await rung(office, promise)
    assert await dialing.answered(office.cb, f"{promise.id}-1", "CAleg", office.now_ms)
    await office.line.connect(turn, office.now_ms)
    await office.writes_down()
    return promise, turn


async def rung(office: Staff, promise: Promise) -> str:
    """The merchant's phone rings: an attempt that is sent, as far as anybody knows."""
    turn, fence = await office.presses_call(promise)
    intent = await dialing.write_intent(office.cb, promise.id, turn, fence, "ann", office.now_ms)
    assert intent.attempt is not None
    assert await dialing.note_sent(office.cb, intent.attempt.id, "CAleg", office.now_ms)
    return turn


async def noted(office: Staff, turn: str, outcome: str) -> None:
    await journal.write(
        office.redis,
        office.line.keys,
        "note",
        at_ms=office.now_ms,
        contact=turn,
        agent="ann",
        outcome=outcome,
    )
    await office.writes_down()


async def comes_back(office: Staff, promise: Promise, contact: str) -> Entry:
    given = {"queue": "support", "band": "p2", "card": Card(caller=NUMBER), "now_ms": office.now_ms}
    return await promises.came_back(office.cb, await office.promise(promise.id), contact, **given)


# --- the word after the talk ------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["reached", "solved"])
async def test_an_agents_word_keeps_it(office: Staff, word: str) -> None:
    promise, turn = await in_talk(office)
    assert await office.state(promise) == PromiseState.CONNECTED
    await office.line.finish(turn, office.now_ms)
    await noted(office, turn, word)
    kept = await office.promise(promise.id)
    assert (kept.state, kept.ended_by, kept.met_ms) == (PromiseState.KEPT, "ann", office.now_ms)


@pytest.mark.parametrize("word", ["machine", "no_answer"])
async def test_a_talk_with_nobody_is_a_try_in_vain(office: Staff, word: str) -> None:
    promise, turn = await in_talk(office)
    await office.line.finish(turn, office.now_ms)
    await noted(office, turn, word)
    again = await office.promise(promise.id)
    assert (again.state, again.tries, again.held_by) == (PromiseState.DUE_LATER, 1, "")
    assert again.due_ms == office.now_ms + TEN_MIN_MS
    await office.roster.ready("ann", office.now_ms)
    await office.keeps()
    assert await office.state(promise) == PromiseState.DUE_LATER  # the wrap-up's end says nothing any more


async def test_again_is_due_again_and_no_try(office: Staff) -> None:
    promise, turn = await in_talk(office)
    await noted(office, turn, "again")
    again = await office.promise(promise.id)
    assert (again.state, again.tries, again.due_ms) == (PromiseState.DUE_LATER, 0, office.now_ms + TEN_MIN_MS)


async def test_a_wrong_number_is_not_rung_again(office: Staff) -> None:
    promise, turn = await in_talk(office)
    await noted(office, turn, "wrong_number")
    assert await office.state(promise) == PromiseState.UNREACHABLE


async def test_a_transferred_merchant_is_not_kept_before_the_second_talk_is_over(office: Staff) -> None:
    promise, turn = await in_talk(office)
    await office.line.transfer(turn, "billing", None, office.now_ms)
    await office.roster.ready("ann", office.now_ms)
    await office.keeps()
    assert await office.state(promise) == PromiseState.CONNECTED
    assert await office.order("billing") == [turn]


async def test_an_agent_lost_in_the_talk_leaves_the_merchant_on_the_line_first(office: Staff) -> None:
    promise, turn = await in_talk(office)
    await office.line.fail_join(turn, office.now_ms)
    await office.keeps()
    waits = await office.promise(promise.id)
    assert (waits.state, waits.turn, waits.tries) == (PromiseState.CONNECTED, 1, 0)
    assert await office.order() == [turn]
    await office.roster.off("ann", office.now_ms)
    await office.at_work("ben")
    await office.presses_call(promise, "ben")
    await office.line.connect(turn, office.now_ms)
    await office.line.finish(turn, office.now_ms)
    await noted(office, turn, "reached")
    assert await office.state(promise) == PromiseState.KEPT
    assert await office.attempt_states(promise) == ["talked"]


@pytest.mark.parametrize("joins_fail", [0, 1])
async def test_who_hangs_up_then_is_rung_again_at_once(office: Staff, joins_fail: int) -> None:
    promise, turn = await in_talk(office)
    await office.line.fail_join(turn, office.now_ms)
    for _ in range(joins_fail):  # the next agent presses Call, and is lost before they meet
        await office.at_work("ben")
        await office.presses_call(promise, "ben")
        await office.line.fail_join(turn, office.now_ms)
    for agent in ("ann", "ben"):
        await office.roster.off(agent, office.now_ms)
    await office.writes_down()
    office.clock.advance(s=30)
    await office.line.leave(turn, Disposition.SET_ASIDE, office.now_ms)
    await office.writes_down()
    lost = await office.promise(promise.id)
    assert (lost.state, lost.tries, lost.due_ms) == (PromiseState.DUE_LATER, 0, office.now_ms)
    await office.keeps()
    await office.keeps()
    again = await office.contact(turn_name(promise.id, 2))
    assert again.arrival_us == promise.arrival_us


async def test_who_hangs_up_in_a_transfer_was_talked_with(office: Staff) -> None:
    promise, turn = await in_talk(office)
    await office.line.transfer(turn, "billing", None, office.now_ms)
    await office.line.leave(turn, Disposition.SET_ASIDE, office.now_ms)
    await office.writes_down()
    assert await office.state(promise) == PromiseState.KEPT


async def test_the_same_events_read_again_change_nothing(office: Staff) -> None:
    promise, turn = await in_talk(office)
    await office.line.finish(turn, office.now_ms)
    await office.roster.ready("ann", office.now_ms)
    await office.writes_down()
    before = await office.promise(promise.id)
    office.read = "-"
    await office.writes_down()
    after = await office.promise(promise.id)
    assert (after.state, after.version) == (PromiseState.KEPT, before.version)


async def test_a_call_that_was_picked_up_unheard_of_is_no_try_of_the_merchants(office: Staff) -> None:
    """Twilio rang and somebody picked up, but no door of ours could be reached."""
    promise = await office.owed()
    await office.at_work("ann")
    await rung(office, promise)

    (attempt,) = await office.attempts(promise)
    assert await settling.settle(office.cb, Over("AC" + "0" * 32, "token"), attempt, office.now_ms)
    there = await office.promise(promise.id)
    assert (there.state, there.tries) == (PromiseState.DUE_LATER, 0)
    assert there.due_ms == office.now_ms + TEN_MIN_MS
    assert [(a.state, a.result) for a in await office.attempts(promise)] == [("not_reached", "trouble")]


# --- no two conversations ---------------------------------------------------------------------------------


async def test_a_live_call_that_is_taken_first_makes_the_rung_leg_hang_up(office: Staff) -> None:
    promise = await office.owed()
    await office.at_work("ann")
    await rung(office, promise)
    await comes_back(office, promise, "CAlive")
    assert await dialing.take_for(office.cb, promise.id, "CAlive", office.now_ms)
    assert await dialing.take_for(office.cb, promise.id, "CAlive", office.now_ms)
    assert not await dialing.answered(office.cb, f"{promise.id}-1", "CAleg", office.now_ms)


async def test_a_leg_on_which_1_is_pressed_first_keeps_the_live_call_waiting(office: Staff) -> None:
    promise = await office.owed()
    await office.at_work("ann")
    await rung(office, promise)
    await comes_back(office, promise, "CAlive")
    attempt = f"{promise.id}-1"
    assert await dialing.answered(office.cb, attempt, "CAleg", office.now_ms)
    assert await picking_up.take(office.cb, attempt, "CAleg", office.now_ms)
    assert not await dialing.take_for(office.cb, promise.id, "CAlive", office.now_ms)
    assert await picking_up.take(office.cb, attempt, "CAleg", office.now_ms)


async def test_a_leg_that_is_picked_up_and_presses_1_too_late_has_lost(office: Staff) -> None:
    promise = await office.owed()
    await office.at_work("ann")
    await rung(office, promise)
    await comes_back(office, promise, "CAlive")
    attempt = f"{promise.id}-1"
    assert await dialing.answered(office.cb, attempt, "CAleg", office.now_ms)
    assert await dialing.take_for(office.cb, promise.id, "CAlive", office.now_ms)
    assert not await picking_up.take(office.cb, attempt, "CAleg", office.now_ms)
    assert (await office.promise(promise.id)).held_by == "CAlive"


async def test_a_merchant_who_rings_in_while_rung_is_busy_and_no_try_is_counted(office: Staff) -> None:
    promise = await office.owed()
    await office.at_work("ann")
    await rung(office, promise)
    await comes_back(office, promise, "CAlive")
    await dialing.over(office.cb, f"{promise.id}-1", Result.BUSY, office.now_ms, "CAleg")
    there = await office.promise(promise.id)
    assert (there.state, there.tries, there.live_contact) == (PromiseState.IN_LINE, 0, "CAlive")
    await office.keeps()
    assert [c for c in await office.order() if c.startswith("PR")] == []
    live = await office.contact("CAlive")
    assert live.arrival_us == promise.arrival_us


async def test_a_live_call_that_could_not_be_joined_lets_go_of_the_promise(office: Staff) -> None:
    promise = await office.owed()
    await comes_back(office, promise, "CAlive")
    await office.at_work("ann")
    live = await office.contact("CAlive")
    await office.line.accept("CAlive", "ann", live.fence, office.now_ms)
    assert await dialing.take_for(office.cb, promise.id, "CAlive", office.now_ms)
    await office.line.fail_join("CAlive", office.now_ms)
    await office.writes_down()
    there = await office.promise(promise.id)
    assert (there.held_by, there.live_contact) == ("", "CAlive")
    await office.line.leave("CAlive", Disposition.ABANDONED, office.now_ms)
    await office.keeps()
    assert (await office.contact(turn_name(promise.id, 2))).agent == "ann"


async def left_alone(office: Staff) -> Promise:
    """The merchant picked up, the agent was lost, and the merchant's own leg waits on the line, first."""
    promise = await office.owed()
    await office.at_work("ann")
    turn = await rung(office, promise)
    assert await dialing.answered(office.cb, f"{promise.id}-1", "CAleg", office.now_ms)
    await office.roster.off("ann", office.now_ms)
    await office.line.fail_join(turn, office.now_ms)
    await dialing.over(office.cb, f"{promise.id}-1", Result.AGENT_GONE, office.now_ms)
    await comes_back(office, promise, "CAleg")
    await office.keeps()
    assert (await office.promise(promise.id)).live_contact == "CAleg"
    return promise


async def test_a_rung_leg_that_waited_and_was_answered_ends_the_promise(office: Staff) -> None:
    promise = await left_alone(office)
    await office.at_work("ben")
    asked = await office.contact("CAleg")
    await office.line.accept("CAleg", "ben", asked.fence, office.now_ms)
    await office.line.connect("CAleg", office.now_ms)
    await office.writes_down()
    assert await office.state(promise) == PromiseState.SUPERSEDED


async def test_a_rung_leg_that_waited_and_hung_up_gives_the_place_back(office: Staff) -> None:
    promise = await left_alone(office)
    await office.line.leave("CAleg", Disposition.ABANDONED, office.now_ms)
    await office.writes_down()
    there = await office.promise(promise.id)
    assert (there.state, there.live_contact, there.held_by) == (PromiseState.IN_LINE, "", "")


async def test_a_return_that_sql_was_not_told_of_follows_from_the_card(office: Staff) -> None:
    promise = await office.owed()
    card = Card(caller=NUMBER, promise=promise.id)
    turn = turn_name(promise.id, 1)
    await office.line.take_up("CAlive", turn, queue="support", band="p2", card=card, now_ms=office.now_ms)
    await office.keeps()
    assert (await office.promise(promise.id)).live_contact == "CAlive"
    assert await office.order() == ["CAlive"]


async def test_a_turn_that_has_ended_and_is_forgotten_does_not_come_again(office: Staff) -> None:
    promise = await office.owed()
    await comes_back(office, promise, "CAlive")
    await office.line.leave("CAlive", Disposition.ABANDONED, office.now_ms)
    await office.writes_down()
    await office.redis.flushall()
    office.read = "-"
    await office.keeps()
    assert await office.order() == [turn_name(promise.id, 2)]
    assert (await office.contact(turn_name(promise.id, 2))).arrival_us == promise.arrival_us


# --- merchant first ---------------------------------------------------------------------------------------


@pytest.fixture
def forward(office: Staff) -> Staff:
    """An office that asks the merchant first."""
    rules = replace(POLICY, modes={"support": Mode.MERCHANT_FIRST})
    return Staff(office.redis, office.sql, office.clock, policy=rules)


async def test_merchants_are_dialled_for_free_agents_in_the_order_of_their_tickets(forward: Staff) -> None:
    owed = []
    for n in range(3):
        owed.append(await forward.owed(f"+1415555012{n}", f"CA{n}"))
        forward.clock.advance(ms=10)
    assert await forward.order() == []
    assert await merchant_first.to_dial(forward.cb, forward.now_ms) == []
    await forward.at_work("ann", "bob")
    chosen = await merchant_first.to_dial(forward.cb, forward.now_ms)
    assert [each.promise for each in chosen] == [promise.id for promise in owed[:2]]
    intent = await dialing.write_intent(forward.cb, owed[0].id, "", 0, "", forward.now_ms)
    assert intent.attempt is not None
    chosen = await merchant_first.to_dial(forward.cb, forward.now_ms)
    assert [each.promise for each in chosen] == [owed[1].id]
    await promises.switch(forward.cb, "sue", forward.now_ms, keeping=False)
    assert await merchant_first.to_dial(forward.cb, forward.now_ms) == []


async def test_an_agent_of_two_queues_is_dialled_for_once(forward: Staff) -> None:
    rules = replace(POLICY, modes=dict.fromkeys(("support", "billing"), Mode.MERCHANT_FIRST))
    staff = Staff(forward.redis, forward.sql, forward.clock, policy=rules)
    billing = await staff.asks(number="+14155550121", queue="billing")
    staff.clock.advance(ms=10)
    await staff.asks(number="+14155550122", queue="support")
    await staff.roster.sign_in(
        "ann", name="ann", skills={"support": 0, "billing": 0}, line="softphone", now_ms=staff.now_ms
    )
    await staff.roster.ready("ann", staff.now_ms)
    chosen = await merchant_first.to_dial(staff.cb, staff.now_ms)
    assert [each.promise for each in chosen] == [billing.promise.id]


async def test_live_callers_ahead_have_the_free_agents(forward: Staff) -> None:
    await forward.rings("CAlive", "+14155550177")
    forward.clock.advance(ms=10)
    await forward.owed()
    await forward.at_work("ann")
    assert await merchant_first.to_dial(forward.cb, forward.now_ms) == []


async def pressed_one(forward: Staff) -> Promise:
    promise = await forward.owed()
    forward.clock.advance(s=10)
    await forward.rings("CAother", "+14155550177")
    intent = await dialing.write_intent(forward.cb, promise.id, "", 0, "", forward.now_ms)
    assert intent.attempt is not None
    await dialing.note_sent(forward.cb, intent.attempt.id, "CAleg", forward.now_ms)
    assert await dialing.answered(forward.cb, intent.attempt.id, "CAleg", forward.now_ms)
    assert await dialing.join_line(forward.cb, intent.attempt.id, "CAleg", forward.now_ms) is None
    assert await picking_up.take(forward.cb, intent.attempt.id, "CAleg", forward.now_ms)
    entry = await dialing.join_line(forward.cb, intent.attempt.id, "CAleg", forward.now_ms)
    assert entry is not None
    assert entry.position == 1
    return promise


async def test_a_merchant_who_pressed_1_stands_at_the_ticket_and_is_kept(forward: Staff) -> None:
    promise = await pressed_one(forward)
    await forward.at_work("ann")
    now = await forward.contact("CAleg")
    await forward.line.accept("CAleg", now.agent, now.fence, forward.now_ms)
    assert await dialing.take_for(forward.cb, promise.id, "CAleg", forward.now_ms)
    await forward.line.connect("CAleg", forward.now_ms)
    await forward.keeps()
    assert await forward.state(promise) == PromiseState.CONNECTED
    assert await forward.attempt_states(promise) == ["talked"]
    await forward.line.finish("CAleg", forward.now_ms)
    await forward.roster.ready("ann", forward.now_ms)
    await forward.keeps()
    assert await forward.state(promise) == PromiseState.KEPT


async def test_a_merchant_who_pressed_1_and_hangs_up_is_rung_later(forward: Staff) -> None:
    promise = await pressed_one(forward)
    await forward.line.leave("CAleg", Disposition.ABANDONED, forward.now_ms)
    await forward.keeps()
    there = await forward.promise(promise.id)
    assert (there.state, there.tries) == (PromiseState.DUE_LATER, 1)
    assert [(a.state, a.result) for a in await forward.attempts(promise)] == [("not_reached", "hung_up")]


async def talks_first(forward: Staff) -> Promise:
    promise = await pressed_one(forward)
    await forward.at_work("ann")
    now = await forward.contact("CAleg")
    await forward.line.accept("CAleg", now.agent, now.fence, forward.now_ms)
    assert await dialing.take_for(forward.cb, promise.id, "CAleg", forward.now_ms)
    await forward.line.connect("CAleg", forward.now_ms)
    await forward.keeps()
    return promise


async def test_who_was_rung_first_and_hangs_up_when_the_agent_is_lost_is_rung_again(forward: Staff) -> None:
    promise = await talks_first(forward)
    await forward.line.fail_join("CAleg", forward.now_ms)
    await forward.writes_down()
    assert await forward.state(promise) == PromiseState.CONNECTED
    await forward.line.leave("CAleg", Disposition.ABANDONED, forward.now_ms)
    await forward.writes_down()
    lost = await forward.promise(promise.id)
    assert (lost.state, lost.tries, lost.held_by) == (PromiseState.DUE_LATER, 0, "")


async def test_who_was_rung_first_and_hangs_up_in_a_transfer_was_talked_with(forward: Staff) -> None:
    promise = await talks_first(forward)
    await forward.line.transfer("CAleg", "billing", None, forward.now_ms)
    await forward.line.leave("CAleg", Disposition.ABANDONED, forward.now_ms)
    await forward.writes_down()
    assert await forward.state(promise) == PromiseState.KEPT


@pytest.mark.parametrize(
    ("lost", "there"), [(False, PromiseState.KEPT), (True, PromiseState.DUE_LATER)], ids=["talking", "parted"]
)
async def test_a_first_rung_merchant_whose_end_nobody_told_is_gone(
    forward: Staff, lost: bool, there: PromiseState
) -> None:
    promise = await talks_first(forward)
    if lost:
        await forward.roster.off("ann", forward.now_ms)
        await forward.line.fail_join("CAleg", forward.now_ms)
    forward.clock.advance(ms=reaping.TALK_LOOK_MS * 3)
    assert await reaping.end_talks(forward.cb, Over("AC" + "0" * 32, "token"), forward.now_ms) == 1
    await forward.roster.ready("ann", forward.now_ms)
    await forward.writes_down()
    assert await forward.state(promise) == there


async def test_a_parted_merchant_whose_end_nobody_told_has_abandoned_nothing(office: Staff) -> None:
    promise, turn = await in_talk(office)
    await office.roster.off("ann", office.now_ms)
    await office.line.fail_join(turn, office.now_ms)
    async with office.sql.session() as session:
        held = await session.get(Promise, promise.id)
        held.held_by = "CAleg"
    office.clock.advance(ms=reaping.TALK_LOOK_MS * 3)
    assert await reaping.end_talks(office.cb, Over("AC" + "0" * 32, "token"), office.now_ms) == 1
    await office.writes_down()
    assert (await office.contact(turn)).disposition == "set_aside"
    assert await office.state(promise) == PromiseState.DUE_LATER
