"""What is asked of SQL every few seconds is answered by an index: a record of years costs no more."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import Connection, event

from callbacks import keeping, lists, merchant_first, needed, notice, promises, reaping, telling, upkeep
from callbacks.making import NewPromise
from callbacks.policy import CallbackPolicy
from callbacks.states import Mode
from foundation.clock import ManualClock
from foundation.connections import Sql
from queueing.journal import Event
from queueing.records import Card
from tests.callbacks.office import POLICY, Staff

GROWING = (
    "SCAN promise",
    "SCAN attempt",
    "SCAN contact",
    "SCAN text",
    "promise USING INDEX ix_promise_live_contact (live_contact=?)",  # those that no call holds: nearly all
    "promise USING INDEX sqlite_autoindex_promise_1 (id>?)",  # all there are, by their ids
)
"""Ways of finding something that take longer with every day of the record."""
TALKS_EVER = "attempt USING INDEX ix_attempt_state_lease"
"""By itself it is for attempts under way: of talks it finds all there were."""


@pytest.fixture
def plans(books: Sql) -> list[str]:
    """By and by, how SQLite finds what it is asked for."""
    told: list[str] = []

    def explain(connection: Connection, _cursor: Any, statement: str, given: Any, _context: Any, many: bool):
        if statement.startswith("SELECT") and not many:
            cursor = connection.connection.cursor()
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", given)
            told.extend(f"{step[3]} <- {statement}" for step in cursor.fetchall())
            cursor.close()

    if books.engine.dialect.name == "sqlite":
        event.listen(books.engine.sync_engine, "before_cursor_execute", explain)
    return told


async def test_no_round_reads_a_whole_table(
    redis: Redis, books: Sql, clock: ManualClock, plans: list[str]
) -> None:
    staff = Staff(redis, books, clock, policy=with_both_modes())
    promise = await staff.owed()
    await every_round(staff)
    await follows_a_call(staff)
    await is_asked_for(staff)
    assert await promises.attempts(staff.cb, promise.id) == []
    if books.engine.dialect.name == "sqlite":
        assert plans
    assert not [plan for plan in plans if any(way in plan for way in GROWING)]
    assert not [plan for plan in plans if TALKS_EVER in plan and "promise.held_by" in plan]


def with_both_modes() -> CallbackPolicy:
    return CallbackPolicy(
        calls_per_s=POLICY.calls_per_s, number_a_day=10, modes={"billing": Mode.MERCHANT_FIRST}
    )


async def every_round(staff: Staff) -> None:
    cb, now_ms = staff.cb, staff.now_ms
    await upkeep.refill(cb, now_ms)
    await upkeep.put_right(cb, now_ms)
    await notice.publish(cb, now_ms)
    await telling.tell_news(cb, now_ms)
    await reaping.reap(cb, staff.carrier, now_ms)
    await reaping.stop_unwanted(cb, staff.carrier, now_ms)
    await reaping.end_talks(cb, staff.carrier, now_ms)
    await reaping.expire(cb, now_ms)
    await reaping.tidy(cb, now_ms)
    await merchant_first.to_dial(cb, now_ms)
    await needed.open_ones(cb, now_ms - 30_000, "", 200)
    await needed.ask(cb, "IN1", 1, 60_000, lambda promise: promise.id, now_ms)
    await needed.let_go(cb, "IN1", 1, 60_000, now_ms)
    await lists.stamp(cb.sql)
    await lists.owed(cb.sql)


async def follows_a_call(staff: Staff) -> None:
    """Of somebody who has no promise, as most."""
    entered = Event("1-0", "entered", staff.now_ms, "CA9", "", "support", "p2", {})
    async with staff.cb.sql.session() as session:
        assert await keeping.follow(session, [entered], staff.cb) == 0


async def is_asked_for(staff: Staff) -> None:
    request = NewPromise("+14155550199", "support", "p2", Card(), contact="CA9")
    assert (await promises.make(staff.cb, request, staff.now_ms)).fresh
    assert not (await promises.make(staff.cb, request, staff.now_ms)).fresh
