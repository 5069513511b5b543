"""The live figures behind every announced wait: what is learned, what is told, and who takes the pulse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlmodel import SQLModel

from foundation.connections import Sql, open_sql
from queueing import journal, ledger, pulse, rostered
from queueing.calibration import Told
from queueing.feed import Feed
from queueing.handling import Handlings
from queueing.hours import around_the_clock, local
from queueing.priors import Priors
from queueing.pulse import Pulse
from queueing.reckoner import BACK_MS, DOUBTS, GROUP, TAKE_OVER_MS, Reckoner
from queueing.shifts import WEEKDAYS, Shift
from queueing.states import Disposition
from tests.queueing.conftest import Centre

KNOWN = Priors({"": 240.0})


def reckoner(centre: Centre, by: str = "me", priors: Priors = KNOWN, sql=None) -> Reckoner:
    return Reckoner(centre.redis, centre.line, centre.keys, by, sql, priors)


async def taken(one: Reckoner, centre: Centre) -> Pulse:
    now = await one.take(centre.now_ms)
    assert now is not None
    return now


async def handled(centre: Centre, contact: str, seconds: float) -> None:
    """One contact of so many seconds, talk and wrap-up together."""
    await centre.ring(contact)
    await centre.meet(contact)
    centre.clock.advance(s=seconds / 2)
    await centre.line.finish(contact, centre.now_ms)
    centre.clock.advance(s=seconds / 2)
    await centre.roster.ready("ann", centre.now_ms)


def feed_of(one: Reckoner) -> Feed:
    assert one.feed is not None
    return one.feed


# --- what is told ---------------------------------------------------------------------------------------


async def test_what_is_told_is_what_is_read(centre: Centre) -> None:
    await centre.at_work("ann")
    for number in range(40):
        await centre.ring(f"CA{number}")
    now = await taken(reckoner(centre), centre)
    seen = await pulse.read(centre.redis, centre.keys)
    assert seen is not None
    assert seen.by == "me"
    support = seen.queues["support"]
    assert (support.waiting, support.agents, support.handling_s) == (39, 1, 240.0)
    told = now.queues["support"].ladder
    for position in (1, 7, 39, 40):
        mine, theirs = told.at(position, "p2"), support.ladder.at(position, "p2")
        assert mine is not None
        assert theirs is not None
        assert theirs.p90 == pytest.approx(mine.p90, abs=1)
    last = told.at(39, "p2")
    assert last is not None
    assert last.p10 < last.p50 < last.p90
    assert 5 * 240 < last.p50 < 30 * 240  # many will hang up


async def test_a_queue_without_agents_is_silent_and_says_why(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1", "billing")
    queues = (await taken(reckoner(centre), centre)).queues
    assert queues["billing"].ladder.silence == "nobody"
    assert queues["billing"].newcomers_wait() is None
    assert queues["support"].ladder.at(1, "p2") is not None


async def test_before_anything_was_seen_nothing_is_told(centre: Centre) -> None:
    await centre.at_work("ann")
    one = reckoner(centre, priors=Priors())
    assert (await taken(one, centre)).queues["support"].ladder.silence == "few"
    for number in range(5):
        await handled(centre, f"CA{number}", 100)
    assert (await taken(one, centre)).queues["support"].ladder.silence == ""


async def test_a_newcomer_of_a_high_band_comes_before_those_without_a_head_start(centre: Centre) -> None:
    await centre.at_work("ann")
    for number in range(11):
        await centre.ring(f"CA{number}")
        centre.clock.advance(s=10)
    ends = (await taken(reckoner(centre), centre)).queues["support"].ladder.newcomers
    assert {band: position for band, (position, _) in ends.items()} == {"p0": 1, "p1": 1, "p2": 11}
    assert ends["p0"][1].p50 < ends["p2"][1].p50


async def test_ranges_that_miss_too_often_are_told_no_more(centre: Centre) -> None:
    await centre.at_work("ann")
    one = reckoner(centre)
    await centre.ring("CA0")
    await taken(one, centre)
    for number in range(60):  # an hour apart, each told a tenth of what was had
        at = number * 3600.0
        feed_of(one).estimator.calibration.learn(at + 3000, Told(at, 100.0, 500.0, 300.0, "support", (at, 0)))
    now = (await taken(one, centre)).queues["support"]
    assert now.ladder.silence == "missed"
    assert now.newcomers_wait() is None
    foreseen = now.foreseen_wait()
    assert foreseen is not None
    assert foreseen.p50 > 0


# --- what is learned ------------------------------------------------------------------------------------


async def test_handling_time_is_learned_with_the_wrap_up(centre: Centre) -> None:
    await centre.at_work("ann")
    for number in range(60):
        await handled(centre, f"CA{number}", 100)
    queues = (await taken(reckoner(centre), centre)).queues
    assert 90 < queues["support"].handling_s < 130
    assert queues["billing"].handling_s == pytest.approx(240)


async def test_hang_ups_are_learned_and_those_still_waiting_count(centre: Centre) -> None:
    one = reckoner(centre)
    for number in range(30):
        await centre.ring(f"CA{number}")
        centre.clock.advance(s=60)
        await centre.line.leave(f"CA{number}", Disposition.ABANDONED, centre.now_ms)
    impatient = (await taken(one, centre)).queues["support"].hangup_per_s
    assert impatient > 1 / 200
    for number in range(20):
        await centre.ring(f"patient{number}")
    centre.clock.advance(minutes=20)
    await centre.ring("another")
    assert (await taken(one, centre)).queues["support"].hangup_per_s < impatient / 2


async def test_an_agent_asked_in_vain_costs_time_and_the_caller_keeps_the_place(centre: Centre) -> None:
    one = reckoner(centre)
    await centre.ring("CA1")
    await centre.ring("CA2")
    await centre.at_work("ann")
    await taken(one, centre)
    assert list(feed_of(one).estimator.serving) == ["CA1"]
    asked = await centre.contact("CA1")
    await centre.line.decline("CA1", "ann", asked.fence, centre.now_ms, away=True)
    await taken(one, centre)
    estimator = feed_of(one).estimator
    assert [place.contact for place in estimator.places] == ["CA1", "CA2"]
    assert (estimator.serving, estimator.handlings.ended) == ({}, 0)


async def test_who_hangs_up_while_an_agent_is_asked_has_hung_up(centre: Centre) -> None:
    one = reckoner(centre)
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.ring("CA2")
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    await taken(one, centre)
    assert list(feed_of(one).estimator.serving) == ["CA2"]
    assert feed_of(one).estimator.handlings.ended == 0
    assert not feed_of(one).estimator.waiting


async def test_a_callback_takes_the_place_and_cannot_hang_up(centre: Centre) -> None:
    turn = "PR0123456789abcdef.1"
    one = reckoner(centre)
    await centre.ring("CA1")
    await centre.ring("CA2")
    await centre.line.promise("CA1", turn, card=(await centre.contact("CA1")).card, now_ms=centre.now_ms)
    await taken(one, centre)
    places = list(feed_of(one).estimator.places)
    assert [(place.contact, place.kind) for place in places] == [("CA1", "promise"), ("CA2", "live")]
    await centre.at_work("ann")
    await centre.meet(turn)
    await taken(one, centre)
    assert list(feed_of(one).estimator.serving) == ["CA1"]


async def test_work_in_callbacks_counts_for_each_queue_as_far_as_its_agents_do_it(centre: Centre) -> None:
    """Of support's two agents one serves billing too: half of support's callbacks are that one's work."""
    await centre.at_work("ann", support=0)
    await centre.at_work("bob", support=0, billing=0)
    await centre.ring("CA1")
    await centre.meet("CA1")
    await centre.ring("CA2")
    await centre.meet("CA2")
    await centre.ring("CA3")
    card = (await centre.contact("CA3")).card
    await centre.line.promise("CA3", "PR0123456789abcdef.1", card=card, now_ms=centre.now_ms)
    now = await taken(reckoner(centre), centre)
    each_s = 240 * Handlings.PROMISED
    assert now.queues["support"].owed_s == pytest.approx(each_s, rel=0.02)
    assert now.queues["billing"].owed_s == pytest.approx(each_s / 2, rel=0.02)


async def test_a_transfer_is_in_the_new_line_while_the_agent_wraps_up(centre: Centre) -> None:
    one = reckoner(centre)
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.meet("CA1")
    await centre.line.transfer("CA1", "billing", None, centre.now_ms)
    for _ in range(DOUBTS + 1):
        now = await taken(one, centre)
    estimator = feed_of(one).estimator
    assert [place.queue for place in estimator.places] == ["billing"]
    assert len(estimator.serving) == 1
    assert now.queues["billing"].waiting == 1
    centre.clock.advance(s=20)
    await centre.roster.ready("ann", centre.now_ms)
    await taken(one, centre)
    assert (len(estimator.serving), estimator.handlings.ended) == (0, 1)


async def test_another_band_is_another_place(centre: Centre) -> None:
    one = reckoner(centre)
    await centre.ring("CA1")
    centre.clock.advance(s=60)
    await centre.ring("CA2")
    await centre.line.set_band("CA2", "p1", centre.now_ms)
    await taken(one, centre)
    assert (
        [place.contact for place in feed_of(one).estimator.places] == ["CA2", "CA1"] == await centre.order()
    )


async def test_queues_share_their_agents_as_far_as_these_serve_both(centre: Centre) -> None:
    await centre.at_work("ann", support=0)
    await centre.at_work("bob", support=0, billing=0)
    one = reckoner(centre)
    await taken(one, centre)
    staff = feed_of(one).estimator.staff
    assert (staff.of("support"), staff.of("billing")) == (2, 1)
    assert (staff.share("support", "billing"), staff.share("billing", "support")) == (1.0, 0.5)
    await centre.roster.away("bob", "Lunch", centre.now_ms)
    await taken(one, centre)
    assert (staff.of("support"), staff.of("billing"), staff.share("billing", "support")) == (1, 0, 0.0)


async def test_the_time_until_the_two_have_met_is_part_of_the_wait(centre: Centre) -> None:
    await centre.at_work("ann")
    one = reckoner(centre)
    for number in range(80):
        await centre.ring(f"CA{number}")
        centre.clock.advance(s=15)
        await centre.meet(f"CA{number}")
        await centre.line.finish(f"CA{number}", centre.now_ms)
        await centre.roster.ready("ann", centre.now_ms)
    now = await taken(one, centre)
    assert feed_of(one).join_s == pytest.approx(15, abs=0.5)
    newcomer = now.queues["support"].ladder.newcomers["p2"][1]
    assert newcomer.mean == pytest.approx(15, abs=0.5)  # an agent is free


# --- who takes it, and from what ------------------------------------------------------------------------


async def test_one_at_a_time_and_another_when_it_is_gone(centre: Centre) -> None:
    first, second = reckoner(centre, "first"), reckoner(centre, "second")
    assert await first.take(centre.now_ms) is not None
    centre.clock.advance(s=1)
    assert await second.take(centre.now_ms) is None
    assert await first.take(centre.now_ms) is not None
    centre.clock.advance(s=TAKE_OVER_MS / 1000)
    assert await second.take(centre.now_ms) is not None
    assert await first.take(centre.now_ms) is None
    assert first.feed is None


async def told_alike(one: Reckoner, other: Reckoner, centre: Centre) -> None:
    board = await centre.line.look(centre.now_ms)
    mine, theirs = feed_of(one).pulse(board, ""), feed_of(other).pulse(board, "")
    support, again = mine.queues["support"], theirs.queues["support"]
    assert again.handling_s == pytest.approx(support.handling_s, rel=0.005)
    for position in (1, 5, 16, 17):  # when it was asked matters a hair to how waits are parted by age
        told, told_again = support.ladder.at(position, "p2"), again.ladder.at(position, "p2")
        assert told is not None
        assert told_again is not None
        assert told_again.p50 == pytest.approx(told.p50, rel=0.005)
        assert told_again.p90 == pytest.approx(told.p90, rel=0.005)


@pytest.fixture(params=["sqlite", "postgres"])
async def books(request: pytest.FixtureRequest, tmp_path) -> AsyncIterator[Sql]:
    url = f"sqlite:///{tmp_path}/record.sqlite3"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    opened = open_sql(url)
    async with opened.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.drop_all)
        await connection.run_sync(SQLModel.metadata.create_all)
    yield opened
    await opened.close()


async def test_what_the_line_said_before_the_journal_is_no_second_call(centre: Centre) -> None:
    """The line was read out between a move and the reading of its journal."""
    one = reckoner(centre)
    await centre.at_work("ann")
    await taken(one, centre)
    await centre.ring("CA1")
    feed, board = feed_of(one), await centre.line.look(centre.now_ms)
    feed.put_right(board, [])
    assert list(feed.estimator.serving) == ["CA1"]
    centre.clock.advance(s=1)
    await taken(one, centre)
    assert list(feed.estimator.serving) == ["CA1"]
    assert feed.estimator.handlings.ended == 0


async def test_clocks_a_little_apart_are_no_reason_to_take_over(centre: Centre) -> None:
    first, second = reckoner(centre, "first"), reckoner(centre, "second")
    assert await first.take(centre.now_ms) is not None
    assert await second.take(centre.now_ms - 2_000) is None


async def test_the_next_one_makes_it_anew_from_journal_and_record(centre: Centre, books: Sql) -> None:
    """Some of it is in SQL only, some in both, some in the journal only: nothing twice, nothing lost."""
    one = reckoner(centre)
    await centre.at_work("ann")
    for number in range(12):
        await handled(centre, f"CA{number}", 100 + number)
    for number in range(12, 30):
        await centre.ring(f"CA{number}")
        centre.clock.advance(s=30)
    await taken(one, centre)
    events = await centre.told()
    async with books.session() as session:
        await ledger.record(session, events[: len(events) * 2 // 3])
    await centre.redis.xtrim(centre.keys.journal, minid=events[len(events) // 3].id, approximate=False)
    centre.clock.advance(s=10)
    await centre.line.leave("CA20", Disposition.ABANDONED, centre.now_ms)
    await taken(one, centre)
    centre.clock.advance(s=TAKE_OVER_MS / 1000)
    other = reckoner(centre, "other", sql=books)
    await taken(other, centre)
    assert feed_of(other).estimator.handlings.ended == 12
    await told_alike(one, other, centre)


async def test_without_the_record_it_begins_from_the_line_and_the_last_pulse(centre: Centre) -> None:
    one = reckoner(centre, priors=Priors())
    await centre.at_work("ann")
    for number in range(12):
        await handled(centre, f"CA{number}", 100)
    await centre.ring("CA100")
    await centre.meet("CA100")
    await centre.ring("CA101")
    centre.clock.advance(s=40)
    handling_s = (await taken(one, centre)).queues["support"].handling_s
    await centre.redis.xtrim(centre.keys.journal, maxlen=0)
    centre.clock.advance(s=TAKE_OVER_MS / 1000)
    away = reckoner(centre, "other", priors=Priors(), sql=Away())
    now = await taken(away, centre)
    assert now.queues["support"].handling_s == pytest.approx(handling_s, rel=0.15)
    estimator = feed_of(away).estimator
    assert [place.contact for place in estimator.places] == ["CA101"]
    assert list(estimator.serving) == ["CA100"]
    assert estimator.waiting["CA101"].born == pytest.approx(centre.now_ms / 1000 - 45)
    assert now.queues["support"].ladder.at(1, "p2") is not None


class Away:
    """An SQL that does not answer."""

    def reading(self, statement_s: float = 0.0):
        from foundation.errors import Unavailable

        raise Unavailable()


async def test_when_redis_comes_back_empty_the_line_has_the_last_word(centre: Centre) -> None:
    one = reckoner(centre)
    await centre.at_work("ann")
    for number in range(6):
        await centre.ring(f"CA{number}")
    await taken(one, centre)
    await centre.redis.flushall()
    await centre.at_work("ann")
    await centre.ring("CA3")
    for _ in range(DOUBTS):
        now = await taken(one, centre)
        centre.clock.advance(s=1)
    estimator = feed_of(one).estimator
    assert list(estimator.serving) == ["CA3"]
    assert not estimator.waiting
    assert now.queues["support"].waiting == 0


async def test_what_is_not_yet_learned_is_not_trimmed(centre: Centre) -> None:
    one = reckoner(centre)
    await taken(one, centre)
    await centre.ring("CA1")
    assert await journal.trim(centre.redis, centre.keys) == 0
    await taken(one, centre)
    assert await journal.trim(centre.redis, centre.keys) == 1
    groups = await centre.redis.xinfo_groups(centre.keys.journal)
    assert [group["name"] for group in groups] == [GROUP]


async def test_old_records_are_left_alone(centre: Centre, sql) -> None:
    await centre.at_work("ann")
    await handled(centre, "CA1", 100)
    async with sql.session() as session:
        await ledger.record(session, await centre.told())
    await centre.redis.delete(centre.keys.journal)
    events = await asyncio.wait_for(_recorded(reckoner(centre, sql=sql), centre.now_ms), 5)
    assert events > 4
    assert await _recorded(reckoner(centre, sql=sql), centre.now_ms + 2 * BACK_MS) == 0


async def _recorded(one: Reckoner, now_ms: int) -> int:
    return sum([len(events) async for events in one._record(now_ms - BACK_MS, "")])


# --- the roster -----------------------------------------------------------------------------------------

HOURS = around_the_clock()


async def put(sql: Sql, *shifts: Shift) -> None:
    async with sql.session() as session:
        await rostered.replace(session, shifts)


async def test_the_roster_in_sql_is_reckoned_with_within_a_minute(centre: Centre, books: Sql) -> None:
    await centre.at_work("ann")
    await centre.at_work("bob", support=0, billing=0)
    for number in range(40):
        await centre.ring(f"CA{number}")
    one = reckoner(centre, sql=books)
    alone = await taken(one, centre)
    assert not alone.plan
    assert not alone.queues["support"].plan
    now = local(HOURS, centre.now_ms)
    minute = now.hour * 60 + now.minute
    day = now.date().isoformat()
    await put(books, Shift(day, 0, minute + 10, 2), Shift(day, minute + 10, minute + 300, 12))
    centre.clock.advance(s=30)
    assert not (await taken(one, centre)).plan
    centre.clock.advance(s=30)
    helped = await taken(one, centre)
    (_, few), (later, many), *_ = helped.plan
    assert (few, many) == (2, pytest.approx(12))
    assert 450 < later <= 600
    assert helped.queues["billing"].plan[1][1] == pytest.approx(6)  # one of two serves it
    seen = await pulse.read(centre.redis, centre.keys)
    assert seen is not None
    assert seen.queues["support"].plan[1][1] == 12
    long, short = (each.queues["support"].ladder.at(38, "p2") for each in (alone, helped))
    assert long is not None
    assert short is not None
    assert short.p50 < 0.6 * long.p50
    await put(books)
    centre.clock.advance(s=60)
    assert not (await taken(one, centre)).plan


async def test_when_the_shift_ends_before_the_line_those_are_told_who_come_before(
    centre: Centre, books: Sql
) -> None:
    await centre.at_work("ann")
    for number in range(40):
        await centre.ring(f"CA{number}")
    now = local(HOURS, centre.now_ms)
    await put(books, Shift(now.date().isoformat(), 0, now.hour * 60 + now.minute + 30, 1))
    ladder = (await taken(reckoner(centre, sql=books), centre)).queues["support"].ladder
    assert ladder.silence == "endless"
    first, last = ladder.at(2, "p2"), ladder.at(39, "p2")
    assert first is not None
    assert first.p50 < 1800
    assert last is None
    assert ladder.newcomer is None


async def test_a_roster_that_cannot_be_read_goes_on_as_it_was_read_last(centre: Centre, books: Sql) -> None:
    await centre.at_work("ann")
    one = reckoner(centre, sql=books)
    await put(books, *(Shift(day, 0, 1440, 4) for day in WEEKDAYS))
    assert (await taken(one, centre)).plan == [(0.0, 1.0)]
    one.sql = Away()  # type: ignore[assignment]
    centre.clock.advance(s=120)
    assert (await taken(one, centre)).plan == [(0.0, 1.0)]
