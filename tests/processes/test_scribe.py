"""Every event is written down exactly once, whatever stops the scribe."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from redis.asyncio import Redis
from sqlmodel import func, select

from foundation.connections import Sql
from foundation.errors import Unavailable
from processes import scribe as module
from processes.scribe import GROUP, Scribe
from queueing import journal
from queueing.keys import Keys
from queueing.line import Card, Line
from queueing.policy import LinePolicy
from queueing.states import Disposition
from queueing.tables import Contact, ContactEvent

POLICY = LinePolicy()
KEYS = Keys.of(POLICY)
NOW_MS = 1_700_000_000_000


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_MS", 0)
    monkeypatch.setattr(module, "ABANDONED_MS", 0)


async def a_call(redis: Redis, contact: str = "CA1") -> None:
    """A caller who enters the line and gives up: two lines of the journal."""
    line = Line(redis, POLICY)
    await line.enter(contact, queue="support", band="p2", card=Card(), now_ms=NOW_MS)
    await line.leave(contact, Disposition.ABANDONED, NOW_MS + 60_000)


def scribe(redis: Redis, sql: Sql, consumer: str = "one") -> Scribe:
    return Scribe(redis, sql, KEYS, consumer, Counter())


async def written(sql: Sql) -> int:
    async with sql.reading() as session:
        return int((await session.exec(select(func.count()).select_from(ContactEvent))).one())


async def pending(redis: Redis) -> int:
    told: Any = await redis.xpending(KEYS.journal, GROUP)
    return int(told["pending"])


async def until_idle(one: Scribe) -> None:
    """Rounds until several have found nothing, neither in hand nor new."""
    idle = 0
    while idle < 3:
        before = one.counts["events_written"]
        await one.look()
        idle = idle + 1 if one.counts["events_written"] == before else 0


async def test_what_happened_is_written_down(redis: Redis, sql: Sql) -> None:
    await a_call(redis)
    await until_idle(scribe(redis, sql))
    async with sql.reading() as session:
        contact = await session.get(Contact, "CA1")
    assert contact is not None
    assert (contact.queue, contact.disposition, contact.wait_ms) == ("support", "abandoned", 60_000)
    assert await pending(redis) == 0


async def test_a_scribe_that_died_before_it_acknowledged_writes_nothing_twice(
    redis: Redis, sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_call(redis)
    with monkeypatch.context() as dying:
        dying.setattr(journal, "ack", killed)
        with pytest.raises(SystemExit):
            await until_idle(scribe(redis, sql))
    first = await written(sql)
    assert await pending(redis) == first
    await until_idle(scribe(redis, sql))  # the same one, started again
    assert await written(sql) == first
    assert await pending(redis) == 0


async def killed(*_given: Any) -> None:
    raise SystemExit


async def test_a_scribe_that_died_before_it_wrote_loses_nothing(redis: Redis, sql: Sql) -> None:
    """It read and never came back: another takes over what it had in hand."""
    await a_call(redis)
    await journal.ensure_group(redis, KEYS, GROUP)
    in_hand = await journal.read(redis, KEYS, GROUP, "dead")
    other = scribe(redis, sql, "two")
    await until_idle(other)
    assert await written(sql) == 0
    await other.take_over()
    assert await written(sql) == len(in_hand)
    assert await pending(redis) == 0


async def test_two_scribes_share_the_work(redis: Redis, sql: Sql) -> None:
    for number in range(10):
        await a_call(redis, f"CA{number}")
    one, two = scribe(redis, sql, "one"), scribe(redis, sql, "two")
    for _ in range(4):
        await one.look()
        await two.look()
    assert await written(sql) == one.counts["events_written"] + two.counts["events_written"] == 20


class Away:
    """A database that does not answer, until it is back."""

    def __init__(self, sql: Sql) -> None:
        self.sql = sql
        self.is_back = False

    @asynccontextmanager
    async def session(self, **given: Any) -> AsyncIterator[Any]:
        if not self.is_back:
            raise Unavailable("SQL gave no answer")
        async with self.sql.session(**given) as session:
            yield session


async def test_events_wait_for_a_database_that_is_away(redis: Redis, sql: Sql) -> None:
    await a_call(redis)
    away = Away(sql)
    one = scribe(redis, cast(Sql, away))
    for _ in range(3):
        with pytest.raises(Unavailable):
            await until_idle(one)
    assert await pending(redis) == 2
    await a_call(redis, "CA2")
    away.is_back = True
    await until_idle(one)
    assert await written(sql) == 4
    assert await pending(redis) == 0


async def test_a_redis_that_came_back_empty_is_read_from_anew(redis: Redis, sql: Sql) -> None:
    await a_call(redis)
    one = scribe(redis, sql)
    await until_idle(one)
    await redis.flushall()
    await a_call(redis, "CA2")
    await until_idle(one)
    assert await written(sql) == 4
