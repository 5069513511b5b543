"""Promises, on SQLite and on PostgreSQL: made once, put into the line, changed by whoever may."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from callbacks import promises
from callbacks.office import Conflict
from callbacks.states import PromiseState
from callbacks.turns import turn_name
from foundation.clock import ManualClock
from foundation.connections import Sql, open_redis, open_sql
from foundation.errors import Mendable, Unavailable
from queueing.line import Card, Line
from tests.callbacks.office import NUMBER, Staff

HOUR_MS = 3_600_000


@pytest.fixture
def office(redis: Redis, books: Sql, clock: ManualClock) -> Staff:
    return Staff(redis, books, clock)


async def test_the_promise_takes_exactly_the_callers_place(office: Staff) -> None:
    for n in range(5):
        await office.rings(f"CA{n}")
        office.clock.advance(s=1)
    made = await office.asks("CA2")
    turn = turn_name(made.promise.id, 1)
    assert made.fresh
    assert made.entry is not None
    assert made.entry.position == 3
    assert await office.order() == ["CA0", "CA1", turn, "CA3", "CA4"]
    await office.writes_down()
    promise = await office.promise(made.promise.id)
    assert (promise.state, promise.live_contact, promise.turn) == (PromiseState.IN_LINE, "", 1)
    assert promise.arrival_us == (await office.contact("CA2")).arrival_us
    where = await promises.place(office.cb, promise)
    assert (where.position, where.waiting, where.state) == (3, 5, PromiseState.IN_LINE)


async def test_a_number_has_one_open_promise(office: Staff) -> None:
    await office.rings("CA1")
    first = await office.asks("CA1")
    again = [await office.asks("CA1"), await office.asks("CA9"), await office.asks(made_by="web")]
    assert [(made.promise.id, made.fresh) for made in again] == [(first.promise.id, False)] * 3
    assert await promises.count_open(office.cb) == 1
    assert len(await office.order()) == 1


async def test_of_many_who_ask_at_once_for_one_number_one_is_fresh(office: Staff) -> None:
    async def asks(n: int) -> object:
        for _ in range(20):
            try:
                return await office.asks(made_by="web")
            except (Unavailable, Conflict):  # SQLite's other writers were at it too long
                continue
        raise AssertionError(n)

    made = await asyncio.gather(*(asks(n) for n in range(8)))
    assert sum(each.fresh for each in made) == 1  # type: ignore[attr-defined]
    assert await promises.count_open(office.cb) == 1


async def test_after_the_end_the_number_may_be_promised_again(office: Staff) -> None:
    first = await office.asks(made_by="web")
    await promises.cancel(office.cb, first.promise.id, "not needed", "merchant", office.now_ms)
    second = await office.asks(made_by="web")
    assert second.fresh
    assert second.promise.id != first.promise.id
    assert await office.order() == [turn_name(second.promise.id, 1)]


@pytest.mark.parametrize(
    "number", ["+19005550123", "+442079460000", "+18765550123", "+14155550100", "911", ""]
)
async def test_a_number_we_do_not_call_is_refused_with_a_reason(office: Staff, number: str) -> None:
    with pytest.raises(Mendable, match="cannot be called: "):
        await office.asks(number=number)
    assert await promises.count_open(office.cb) == 0


async def test_a_window_waits_for_its_time_at_the_old_ticket(office: Staff) -> None:
    await office.rings("CA1")
    ticket = (await office.contact("CA1")).arrival_us
    window = (office.now_ms + HOUR_MS, office.now_ms + 2 * HOUR_MS)
    made = await office.asks("CA1", window=window)
    assert made.promise.state == PromiseState.DUE_LATER
    assert await office.order() == []
    assert (await office.contact("CA1")).disposition == "promised"
    await office.writes_down()
    office.clock.advance(minutes=59)
    await office.keeps()
    assert await office.order() == []
    office.clock.advance(minutes=1)
    await office.rings("CA2", "+14155550199")
    await office.keeps()
    assert await office.order() == [turn_name(made.promise.id, 1), "CA2"]
    assert (await office.contact(turn_name(made.promise.id, 1))).arrival_us == ticket


@pytest.mark.parametrize("window", [(2 * HOUR_MS, HOUR_MS), (-2 * HOUR_MS, -HOUR_MS), (HOUR_MS, HOUR_MS)])
async def test_a_window_nobody_can_be_called_in_is_refused(office: Staff, window: tuple[int, int]) -> None:
    with pytest.raises(Mendable):
        await office.asks(window=(office.now_ms + window[0], office.now_ms + window[1]))


async def test_nobody_is_put_into_the_line_in_quiet_hours(office: Staff) -> None:
    office.clock.advance(minutes=9 * 60)  # 23:13 in Los Angeles
    made = await office.asks(made_by="web")
    assert made.promise.state == PromiseState.DUE_LATER
    assert made.promise.due_ms - office.now_ms == (8 * 60 + 47) * 60_000 - 20_000
    await office.keeps()
    assert await office.order() == []


async def test_a_turn_that_waits_into_quiet_hours_leaves_the_line(office: Staff) -> None:
    made = await office.asks(made_by="web")
    office.clock.advance(minutes=7 * 60)  # 21:13
    await office.keeps()
    assert await office.order() == []
    assert await office.state(made.promise) == PromiseState.DUE_LATER
    office.clock.advance(minutes=11 * 60)
    await office.keeps()
    assert await office.order() == [turn_name(made.promise.id, 2)]


async def test_without_sql_nothing_is_promised(redis: Redis, clock: ManualClock, tmp_path: Path) -> None:
    away = open_sql(f"sqlite:///{tmp_path}/nowhere/at/all.sqlite3")
    office = Staff(redis, away, clock)
    await office.rings("CA1")
    with pytest.raises(Unavailable):
        await office.asks("CA1")
    assert await office.order() == ["CA1"]
    await away.close()


async def test_without_redis_the_promise_stands_and_comes_into_line_later(office: Staff) -> None:
    gone = open_redis("unix:///nowhere.sock?db=0")
    cut_off = replace(office.cb, line=Line(gone, office.line_policy), redis=gone)
    request = promises.NewPromise(
        NUMBER, "support", "p2", Card(), contact="CA1", entered_ms=office.now_ms - 5000
    )
    made = await promises.make(cut_off, request, office.now_ms)
    assert made.fresh
    assert made.entry is None
    await gone.aclose()
    office.clock.advance(minutes=2)  # by then the call that made it has not been seen again
    await office.keeps()
    await office.keeps()
    turn = await office.contact(turn_name(made.promise.id, 1))
    assert (turn.state, turn.entered_ms) == ("waiting", office.now_ms - 125_000)


async def test_while_an_agent_is_asked_for_the_caller_the_call_goes_on(office: Staff) -> None:
    await office.at_work("ann")
    await office.rings("CA1")
    made = await office.asks("CA1")
    assert made.fresh
    assert made.entry is not None
    assert made.entry.outcome == "reserved"
    await office.keeps()
    assert await office.order() == []
    await office.line.accept("CA1", "ann", 1, office.now_ms)
    await office.line.connect("CA1", office.now_ms)
    await office.keeps()
    assert await office.state(made.promise) == PromiseState.SUPERSEDED


async def test_reschedule_later_and_at_once(office: Staff) -> None:
    promise = await office.owed()
    window = (office.now_ms + HOUR_MS, office.now_ms + 2 * HOUR_MS)
    moved = await promises.reschedule(office.cb, promise.id, window, "merchant", office.now_ms)
    assert (moved.state, moved.due_ms, moved.by_ms) == (PromiseState.DUE_LATER, *window)
    assert await office.order() == []
    back = await promises.reschedule(office.cb, promise.id, None, "merchant", office.now_ms)
    assert (back.state, back.turn, back.windowed) == (PromiseState.IN_LINE, 2, False)
    assert await office.order() == [turn_name(promise.id, 2)]
    put_off = await promises.later(office.cb, promise.id, 30, "ann", office.now_ms)
    assert put_off.due_ms == office.now_ms + 30 * 60_000
    assert put_off.tries == 0
    assert await office.order() == []
    told = [(event.kind, event.by) for event in await promises.history(office.cb, promise.id)]
    assert told == [
        ("made", "merchant"),
        ("in_line", "line"),
        ("rescheduled", "merchant"),
        ("rescheduled", "merchant"),
        ("later", "ann"),
    ]


async def test_cancel_frees_whoever_is_asked(office: Staff) -> None:
    promise = await office.owed()
    await office.at_work("ann")
    over = await promises.cancel(office.cb, promise.id, "solved by itself", "merchant", office.now_ms)
    assert (over.state, over.reason, over.ended_by) == (
        PromiseState.CANCELLED,
        "solved by itself",
        "merchant",
    )
    agent = await office.roster.agent("ann")
    assert agent is not None
    assert agent.presence == "ready"
    await promises.cancel(office.cb, promise.id, "again", "sue", office.now_ms)  # a double click
    assert (await office.promise(promise.id)).ended_by == "merchant"
    with pytest.raises(Conflict):
        await promises.later(office.cb, promise.id, 10, "ann", office.now_ms)


async def test_skip_keeps_the_place_for_another(office: Staff) -> None:
    promise = await office.owed()
    await office.at_work("ann", "bob")
    turn = turn_name(promise.id, 1)
    assert (await office.contact(turn)).agent == "ann"
    await promises.skip(office.cb, promise.id, "ann", 1, "speaks Spanish", office.now_ms)
    assert (await office.contact(turn)).agent == "bob"
    with pytest.raises(Conflict) as caught:
        await promises.skip(office.cb, promise.id, "ann", 1, "once more", office.now_ms)
    assert caught.value.who == "bob"
    skipped = [event for event in await promises.history(office.cb, promise.id) if event.kind == "skipped"]
    assert [(event.by, event.words) for event in skipped] == [("ann", "speaks Spanish")]


async def test_supervisors_move_resolve_and_assign(office: Staff) -> None:
    owed = [await office.owed(f"+1415555012{n}", f"CA{n}") for n in range(3)]
    ids = [promise.id for promise in owed]
    assert (
        await promises.move(office.cb, [*ids[:2], "PR0000000000000000"], "billing", "sue", office.now_ms) == 2
    )
    assert await office.order("billing") == [turn_name(ids[0], 1), turn_name(ids[1], 1)]
    given = await promises.assign(office.cb, ids[2], "ann", "sue", office.now_ms)
    assert given.agent == "ann"
    assert await promises.resolve(office.cb, ids, "sue", "the incident is over", office.now_ms) == 3
    assert await promises.resolve(office.cb, ids, "sue", "the incident is over", office.now_ms) == 0
    assert await office.order() == await office.order("billing") == []
    with pytest.raises(Mendable):
        await promises.move(office.cb, ids, "nowhere", "sue", office.now_ms)


async def test_keeping_switched_off_empties_the_line_and_on_fills_it(office: Staff) -> None:
    promise = await office.owed()
    await promises.switch(office.cb, "sue", office.now_ms, keeping=False)
    await office.keeps()
    assert await office.order() == []
    assert await office.state(promise) == PromiseState.IN_LINE
    await promises.switch(office.cb, "sue", office.now_ms, keeping=True, max_open=7)
    await office.keeps()
    assert await office.order() == [turn_name(promise.id, 2)]
    switched = await promises.switches(office.cb)
    assert (switched.offering, switched.keeping, switched.max_open) == (True, True, 7)


# --- the merchant rings in --------------------------------------------------------------------------------


async def back(office: Staff, promise_id: str, contact: str) -> object:
    promise = await office.promise(promise_id)
    return await promises.came_back(
        office.cb,
        promise,
        contact,
        queue="support",
        band="p2",
        card=Card(caller=NUMBER),
        now_ms=office.now_ms,
    )


async def test_who_rings_in_takes_the_promises_place(office: Staff) -> None:
    promise = await office.owed()
    office.clock.advance(s=30)
    await office.rings("CA7", "+14155550177")
    await back(office, promise.id, "CA8")
    assert await office.order() == ["CA8", "CA7"]
    await office.keeps()
    assert await office.order() == ["CA8", "CA7"]
    assert (await promises.place(office.cb, await office.promise(promise.id))).position == 1
    card = (await office.contact("CA8")).card
    assert card.promise == promise.id


async def test_who_hangs_up_after_coming_back_has_the_old_place_again(office: Staff) -> None:
    promise = await office.owed()
    office.clock.advance(s=30)
    await office.rings("CA7", "+14155550177")
    await back(office, promise.id, "CA8")
    from queueing.states import Disposition

    await office.line.leave("CA8", Disposition.ABANDONED, office.now_ms)
    await office.keeps()
    assert await office.order() == [turn_name(promise.id, 2), "CA7"]
    again = await office.contact(turn_name(promise.id, 2))
    assert again.arrival_us == promise.arrival_us


async def test_who_comes_back_and_is_answered_supersedes_the_promise(office: Staff) -> None:
    promise = await office.owed()
    await back(office, promise.id, "CA8")
    await office.at_work("ann")
    now = await office.contact("CA8")
    await office.line.accept("CA8", "ann", now.fence, office.now_ms)
    await office.line.connect("CA8", office.now_ms)
    await office.keeps()
    over = await office.promise(promise.id)
    assert (over.state, over.ended_by, over.held_by) == (PromiseState.SUPERSEDED, "merchant", "CA8")


async def test_a_promise_of_another_time_gives_its_ticket_to_who_rings_in(office: Staff) -> None:
    await office.rings("CA1")
    window = (office.now_ms + HOUR_MS, office.now_ms + 2 * HOUR_MS)
    made = await office.asks("CA1", window=window)
    await office.writes_down()
    await office.rings("CA7", "+14155550177")
    await back(office, made.promise.id, "CA8")
    assert await office.order() == ["CA8", "CA7"]
    office.clock.advance(minutes=90)
    await office.keeps()
    assert await office.order() == ["CA8", "CA7"]


# --- Redis is lost ----------------------------------------------------------------------------------------


async def test_after_redis_was_lost_all_promises_are_back_in_order(office: Staff) -> None:
    owed = []
    for n in range(20):
        owed.append(await office.owed(f"+141555502{n:02}", f"CA{n}"))
        office.clock.advance(ms=400)
    before = await office.order()
    await office.redis.flushall()
    office.read = "-"
    await office.keeps()
    assert await office.order() == before == [turn_name(promise.id, 1) for promise in owed]


async def test_a_turn_nobody_is_owed_leaves_the_line(office: Staff) -> None:
    promise = await office.owed()
    for stray in (turn_name(promise.id, 9), "PR00000000000000aa.1"):
        await office.line.rejoin(
            stray, queue="support", band="p2", arrival_us=1, entered_ms=1, card=Card(), now_ms=office.now_ms
        )
    await office.keeps()
    assert await office.order() == [turn_name(promise.id, 1)]


async def test_what_was_not_kept_in_its_time_is_given_to_a_person(office: Staff) -> None:
    promise = await office.owed()
    office.clock.advance(minutes=25 * 60)
    await office.keeps()
    over = await office.promise(promise.id)
    assert (over.state, over.reason) == (PromiseState.EXPIRED, "not kept in its time")
    assert await office.order() == []
