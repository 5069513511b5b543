"""Writes the journal down in SQL: every event, exactly once.

An event is acknowledged after its transaction is committed, so whatever stops the scribe, it is read again;
and it is written under its own name, so a second time changes nothing.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import structlog
from redis.asyncio import Redis

from callbacks import keeping
from callbacks.office import Office
from foundation.connections import Sql
from processes.beating import keep_beating
from processes.opening import opened
from processes.rounds import rounds
from processes.settings import Settings
from processes.starting import begin, until_stopped
from processes.sweeper import consumer_name
from queueing import journal, ledger
from queueing.journal import Event
from queueing.keys import Keys
from surge import followups
from surge.office import Watch

GROUP = "scribe"
BLOCK_MS = 1_000
AT_ONCE = 200
ABANDONED_MS = 30_000
"""In hand for so long, an event is taken over: whoever read it is dead."""
WRITE_S = 5.0
"""A statement's time: there is no caller waiting for it."""

log = structlog.get_logger(__name__)


def run() -> None:
    """Write until SIGTERM or SIGINT. Raises Mendable when the settings are bad or unsafe."""
    until_stopped(write_down(begin("scribe")))


async def write_down(settings: Settings) -> None:
    """All rounds, side by side, until cancelled."""
    counts: Counter[str] = Counter()
    async with opened(settings) as stores, asyncio.TaskGroup() as together:
        office = stores.office
        scribe = Scribe(
            stores.blocking, stores.sql, stores.keys, consumer_name(), counts, office, stores.watch
        )
        together.create_task(keep_beating(stores, "scribe", counts))
        together.create_task(rounds(stores.clock, "scribe", scribe.look, counts))
        together.create_task(rounds(stores.clock, "take over", scribe.take_over, counts))
        log.info("writing")


class Scribe:
    """One reader of the journal for SQL. Several may run: each event is given to one of them."""

    def __init__(
        self,
        redis: Redis,
        sql: Sql,
        keys: Keys,
        consumer: str,
        counts: Counter[str],
        office: Office | None = None,
        watch: Watch | None = None,
        block_ms: int = BLOCK_MS,
    ) -> None:
        """``redis`` is for blocking reads (with ``block_ms`` 0 none blocks). With an ``office``, promises
        follow what is written; with a ``watch``, follow-ups do.
        """
        self.redis = redis
        self.sql = sql
        self.keys = keys
        self.consumer = consumer
        self.counts = counts
        self.office = office
        self.watch = watch
        self.block_ms = block_ms
        self._in_hand = True
        """Whether there may be events that were read and not written: after a start, and after a failure."""

    async def look(self) -> float:
        """One round: read, write, acknowledge. 0: look again at once. Raises Unavailable."""
        again = self._in_hand
        self._in_hand = True
        events = await self._read(again=again)
        if events:
            await self._write(events)
        self._in_hand = again and bool(events)
        return 0

    async def take_over(self) -> float:
        """Take over and write what a dead scribe had in hand. Raises Unavailable."""
        left = await journal.claim(
            self.redis, self.keys, GROUP, self.consumer, idle_ms=ABANDONED_MS, count=AT_ONCE
        )
        if left:
            await self._write(left)
        return 0 if left else ABANDONED_MS / 3

    async def _read(self, *, again: bool) -> list[Event]:
        return await journal.read(
            self.redis, self.keys, GROUP, self.consumer, count=AT_ONCE, block_ms=self.block_ms, again=again
        )

    async def _write(self, events: list[Event]) -> None:
        async with self.sql.session(statement_s=WRITE_S) as session:
            fresh = await ledger.record(session, events)
            if self.office is not None:
                await keeping.follow(session, fresh, self.office)
            if self.watch is not None:
                await followups.follow(session, fresh, self.watch)
        await journal.ack(self.redis, self.keys, GROUP, [event.id for event in events])
        self.counts["events_written"] += len(events)
