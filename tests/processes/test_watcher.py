"""The rounds of the watch: promises that ended are followed, and the line's figures are looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlmodel import SQLModel, select

from callbacks import record as promise_record
from callbacks.making import NewPromise, make
from callbacks.states import PromiseState
from callbacks.tables import Promise
from foundation.clock import ManualClock
from foundation.connections import Sql, open_sql
from merchants.tables import Merchant
from processes.earlier import PREFIX, write_weeks
from processes.migrating import learn_tables
from processes.spikes import Spikes
from queueing import pulse
from queueing.line import Card
from queueing.states import Disposition
from queueing.tables import Contact
from surge import switch
from surge.detector import baseline
from surge.states import FollowUpState, Level
from tests.surge.house import NUMBER, House
from tests.waits import queue_pulse


@pytest.fixture
async def house(redis: Redis, clock: ManualClock, tmp_path: Path) -> AsyncIterator[House]:
    learn_tables()
    sql: Sql = open_sql(f"sqlite:///{tmp_path}/books.sqlite3")
    async with sql.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield House(redis, sql, clock, tmp_path / "data")
    await sql.close()


async def ended(house: House, state: PromiseState) -> Promise:
    """A promise that came to this end."""
    made = await make(house.cb, NewPromise(NUMBER, "support", "p2", Card(caller=NUMBER)), house.now_ms)
    async with house.sql.session() as session:
        row = await promise_record.locked(session, made.promise.id)
        row.state, row.open_number, row.ended_ms = state.value, None, house.now_ms
    return made.promise


@pytest.mark.parametrize("state", [PromiseState.UNREACHABLE, PromiseState.EXPIRED])
async def test_a_promise_in_vain_is_followed_up_once(house: House, state: PromiseState) -> None:
    promise = await ended(house, state)
    for _ in range(2):
        await house.watcher.promises()
    rows = await house.ledger()
    assert {name: (row.why, row.state) for name, row in rows.items()} == {promise.id: (state.value, "open")}


async def test_a_promise_that_was_kept_serves_its_merchant(house: House) -> None:
    await house.turned_away("CA1", Disposition.FULL)
    await house.writes_down()
    house.clock.advance(minutes=5)
    await ended(house, PromiseState.KEPT)
    await house.watcher.promises()
    assert await house.states() == {"CA1": FollowUpState.SERVED}


async def test_a_long_wait_is_suggested_once_and_carried_out_when_the_detector_may(house: House) -> None:
    async def passes(minutes: int) -> None:
        for _ in range(minutes):
            queues = {"support": queue_pulse(200, 2)}
            now = pulse.Pulse(house.now_ms, queues)
            await pulse.publish(house.redis, house.watch.keys, now)
            await house.watcher.sense()
            house.clock.advance(minutes=1)

    await passes(6)
    assert len(await house.lines("suggested")) == 1
    assert (await switch.state(house.watch)).level == Level.CALM
    await switch.set_mode(house.watch, "automatic", "ann", house.now_ms)
    await passes(2)
    assert (await switch.state(house.watch)).level == Level.SURGE


async def test_a_suggestion_names_what_rings(house: House) -> None:
    """Two in five rang from Texas in other weeks, and about anything; now all do, about payments."""
    now_ms, week_ms = house.now_ms, 7 * 24 * 3_600_000
    async with house.sql.session() as session:
        for number, region in ((1, "Texas"), (2, "Maine")):
            session.add(
                Merchant(id=number, name=f"S{number}", key=f"s{number}", region=region, product="Till 3")
            )
        for index in range(100):
            session.add(
                Contact(
                    contact=f"CAold{index}", entered_ms=now_ms - week_ms + index * 1000,
                    merchant_id=1 if index % 5 < 2 else 2, topic="payments" if index % 4 == 0 else "other",
                )
            )  # fmt: skip
        for index in range(30):
            ringing = {"merchant_id": 1, "topic": "payments", "entered_ms": now_ms - index * 1000 - 1}
            session.add(Contact(contact=f"CAnew{index}", **ringing))
    found = await Spikes(house.watch).ringing(now_ms)
    assert [(each.what, each.value) for each in found] == [("topic", "payments"), ("region", "Texas")]
    for _ in range(6):
        queues = {"support": queue_pulse(200, 2)}
        await pulse.publish(house.redis, house.watch.keys, pulse.Pulse(house.now_ms, queues))
        await house.watcher.sense()
        house.clock.advance(minutes=1)
    (line,) = await house.lines("suggested")
    assert "What rings: menu choice payments: 100% of the calls, usually 25%; region Texas: " in line.words


async def test_without_earlier_weeks_nothing_is_named(house: House) -> None:
    async with house.sql.session() as session:
        for index in range(30):
            session.add(Contact(contact=f"CA{index}", entered_ms=house.now_ms - 1, topic="payments"))
    assert await Spikes(house.watch).ringing(house.now_ms) == ()


async def test_far_more_calls_than_in_earlier_weeks_are_a_spike(house: House) -> None:
    """One call in two minutes is usual; twelve in one is not."""
    hour, now_ms = 3_600_000, house.now_ms
    async with house.sql.session() as session:
        for back in range(1, 7):
            for step in range(-120, 120, 2):
                at_ms = now_ms - back * 7 * 24 * hour + step * 60_000
                session.add(Contact(contact=f"CA{back}.{step}", entered_ms=at_ms))
    spikes = Spikes(house.watch)
    assert await spikes.score(now_ms) < 1
    async with house.sql.session() as session:
        for index in range(30):
            session.add(Contact(contact=f"CAnow{index}", entered_ms=now_ms + index * 4_000))
    house.clock.advance(minutes=1)
    scores = []
    for _ in range(3):
        scores.append(await spikes.score(house.now_ms))
        house.clock.advance(minutes=1)
    assert scores[0] < scores[-1]
    assert scores[-1] > house.policy.cusum_alarm


async def test_earlier_weeks_give_the_detector_a_usual_hour(house: House) -> None:
    async with house.sql.session() as session:
        session.add(Merchant(id=1, name="Corner Bakery", key="corner bakery", product="Register 3"))
    queues = {"hardware": "hardware", "account": "support"}
    made = await write_weeks(house.sql, house.now_ms, 3.0, queues, ("agent01",), 1)
    assert made == pytest.approx(3 * 4 * 60 * 3.0, rel=0.1)
    spikes = Spikes(house.watch)
    assert await spikes.score(house.now_ms) < 1
    weeks = await spikes._earlier(house.now_ms // 60_000)
    assert baseline(weeks, spikes._of_week(house.now_ms)) == pytest.approx(3.0, rel=0.25)
    async with house.sql.reading() as session:
        calls = list(await session.exec(select(Contact)))
    assert all(call.contact.startswith(PREFIX) and call.disposition == Disposition.ANSWERED for call in calls)
    assert all(call.entered_ms < house.now_ms - 3_600_000 for call in calls)  # nothing of today
