"""Whether a demo's promises are all there: open and in their place, or ended by somebody."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis.asyncio import Redis
from sqlmodel import col, delete, update

from callbacks import promises
from callbacks.tables import Promise
from callbacks.turns import turn_name
from foundation.clock import ManualClock
from foundation.connections import Sql
from processes.promised import Owed, owed
from queueing.states import Disposition
from tests.callbacks.office import NUMBER, Staff


@pytest.fixture
def staff(redis: Redis, sql: Sql, clock: ManualClock) -> Staff:
    return Staff(redis, sql, clock)


async def look(staff: Staff) -> Owed:
    return await owed(staff.sql, staff.line)


async def test_a_promise_in_line_is_there_and_counted(staff: Staff) -> None:
    await staff.owed()
    found = await look(staff)
    assert found.vanished == ()
    assert (found.shown()["made"], found.shown()["open"]) == (1, 1)


async def test_one_that_ended_by_somebody_is_no_loss(staff: Staff) -> None:
    promise = await staff.owed()
    await promises.cancel(staff.cb, promise.id, "rang in", "merchant", staff.now_ms)
    found = await look(staff)
    assert found.vanished == ()
    assert (found.shown()["open"], found.shown()["cancelled"]) == (0, 1)


async def test_one_whose_merchant_waits_on_the_line_is_there(staff: Staff) -> None:
    promise = await staff.owed()
    await promises.came_back(
        staff.cb,
        promise,
        "CA2",
        queue="support",
        band="p2",
        card=promises.card_of(promise),
        now_ms=staff.now_ms,
    )
    assert (await look(staff)).vanished == ()


async def test_a_call_that_was_promised_one_and_has_none_is_a_loss(staff: Staff) -> None:
    promise = await staff.owed()
    async with staff.sql.session() as session:
        await session.exec(delete(Promise).where(col(Promise.id) == promise.id))
    assert (await look(staff)).vanished == ("CA1",)


async def test_one_that_has_lost_its_turn_is_a_loss(staff: Staff) -> None:
    promise = await staff.owed()
    await staff.line.leave(turn_name(promise.id, promise.turn), Disposition.SET_ASIDE, staff.now_ms)
    assert (await look(staff)).vanished == (promise.id,)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: {"state": "cancelled"},
        lambda: {"state": "cancelled", "ended_ms": 5, "ended_by": "ann"},
        lambda: {"state": "dialing"},
        lambda: {"state": "connected"},
        lambda: {"open_number": None},
    ],
    ids=["nobody ended it", "its number is not free", "no attempt", "nobody talks", "a second may be made"],
)
async def test_one_whose_record_makes_no_sense_is_a_loss(
    staff: Staff, wrong: Callable[[], dict[str, object]]
) -> None:
    promise = await staff.owed(NUMBER)
    async with staff.sql.session() as session:
        await session.exec(update(Promise).where(col(Promise.id) == promise.id).values(**wrong()))
    assert (await look(staff)).vanished == (promise.id,)
