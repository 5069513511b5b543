"""Takes the pulse: keeps the estimator fed from the journal, and publishes what it says, once a second.

One process does so at a time; the pulse says which. When it is gone another makes the estimator anew: from
the record in SQL of the last hours, the journal after it, and the line itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import structlog
from redis.asyncio import Redis
from sqlmodel import col, select

from foundation.connections import Sql
from foundation.errors import Unavailable
from queueing import journal, pulse, rostered, shifts
from queueing.feed import Feed
from queueing.journal import Event
from queueing.keys import Keys
from queueing.line import Line
from queueing.priors import Priors
from queueing.pulse import Pulse
from queueing.records import Board, ContactNow
from queueing.staffing import HORIZON_S
from queueing.story import order
from queueing.tables import ContactEvent

GROUP = "pulse"
TAKE_OVER_MS = 5_000
"""Nobody has taken the pulse for so long: whoever did is gone."""
BACK_MS = 12 * 3_600_000
MOST_EVENTS = 60_000
"""How far back the record is read: what is older has faded from the estimator anyway."""
PAGE = 2_000
AT_ONCE = 200
"""Events taken in between two breaths, some 15 ms: other work goes on beside."""
DOUBTS = 3
"""So many looks in a row must disagree with the line before it is read out whole: a move may be under way."""
READ_S = 5.0
ROSTER_MS = 60_000
"""The roster is read again after so long."""
ROSTER_READ_S = 1.0
AHEAD_S = HORIZON_S + 3600.0
"""So far it is laid out, to last for a while where SQL is away."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Reckoner:
    """``by`` is this process's name. Without ``sql`` it begins from what Redis holds, and knows no roster.

    ``time_zone``: in which the roster is written.
    """

    redis: Redis
    line: Line
    keys: Keys
    by: str
    sql: Sql | None = None
    priors: Priors = field(default_factory=Priors)
    time_zone: str = "UTC"
    feed: Feed | None = None
    _cursor: str = "0-0"
    _doubts: int = field(default=0)
    _planned_ms: int = -ROSTER_MS

    async def take(self, now_ms: int) -> Pulse | None:
        """Learn what happened since the last time, and publish. None while another process does so.

        Raises Unavailable.
        """
        before = await pulse.read(self.redis, self.keys)
        # Either clock may be ahead of the other by a little.
        if before and before.by != self.by and abs(now_ms - before.at_ms) < TAKE_OVER_MS:
            self.feed = None
            return None
        if self.feed is None:
            self.feed = await self._recalled(before, now_ms)
            self._planned_ms = -ROSTER_MS
        else:
            await self._follow(self.feed)
        if not 0 <= now_ms - self._planned_ms < ROSTER_MS:
            self._planned_ms = now_ms
            await self._plan(self.feed, now_ms)
        board = await self.line.look(now_ms)
        await self._agree(self.feed, board)
        taken = self.feed.pulse(board, self.by)
        await pulse.publish(self.redis, self.keys, taken)
        await journal.move(self.redis, self.keys, GROUP, self._cursor)
        return taken

    async def _follow(self, feed: Feed) -> None:
        async for events in journal.after(self.redis, self.keys, self._cursor):
            await self._take(feed, events)

    async def _take(self, feed: Feed, events: list[Event]) -> None:
        for first in range(0, len(events), AT_ONCE):
            feed.take(events[first : first + AT_ONCE])
            await asyncio.sleep(0)
        if events:
            self._cursor = events[-1].id

    async def _plan(self, feed: Feed, now_ms: int) -> None:
        """Read the roster; where SQL does not answer, what was read last goes on."""
        if self.sql is None:
            return
        try:
            async with self.sql.reading(statement_s=ROSTER_READ_S) as session:
                found = await rostered.shifts(session)
        except Unavailable:
            return
        now_s = now_ms / 1000
        feed.planned(shifts.steps(found, self.time_zone, now_s, now_s + AHEAD_S), now_s)

    async def _agree(self, feed: Feed, board: Board) -> None:
        self._doubts = 0 if feed.look(board) else self._doubts + 1
        if self._doubts < DOUBTS:
            return
        self._doubts = 0
        feed.put_right(board, await self._everyone(board))

    async def _everyone(self, board: Board) -> list[ContactNow]:
        found: list[ContactNow] = []
        for queue in board.queues:
            start = 0
            while page := await self.line.waiting(queue, start, 1000):
                found += page
                start += len(page)
        return found

    # --- from the record ------------------------------------------------------------------------------

    async def _recalled(self, before: Pulse | None, now_ms: int) -> Feed:
        """A new one, as if it had watched the last hours."""
        self._cursor = "0-0"
        await journal.ensure_group(self.redis, self.keys, GROUP)
        latest = [event async for events in journal.after(self.redis, self.keys, "0-0") for event in events]
        until = latest[0].id if latest else ""
        feed = Feed(self.line.policy, self.priors.estimator())
        count = 0
        try:
            async for events in self._record(now_ms - BACK_MS, until):
                await self._take(feed, events)
                count += len(events)
        except Unavailable:
            feed = Feed(self.line.policy, self._remembered(before).estimator())
            log.warning("the estimator begins without the record")
        await self._take(feed, latest)
        self._doubts = DOUBTS  # and the line has the last word
        log.info("the estimator was made anew", record=count, journal=len(latest))
        return feed

    def _remembered(self, before: Pulse | None) -> Priors:
        """What the last pulse said of handling times, where nothing better is believed."""
        if before is None or self.priors.handling_s:
            return self.priors
        return Priors({queue: now.handling_s for queue, now in before.queues.items()})

    async def _record(self, since_ms: int, until: str) -> AsyncIterator[list[Event]]:
        """What SQL holds from then on and before the event ``until``, in the journal's order."""
        if self.sql is None:
            return
        row = ContactEvent
        # Ids have the time of Redis's clock, which need not be ours.
        oldest = select(row.id).where(col(row.at_ms) >= since_ms).order_by(col(row.at_ms), col(row.id))
        newest = select(row.id).order_by(col(row.id).desc())
        async with self.sql.reading(statement_s=READ_S) as session:
            first = (await session.exec(oldest.limit(1))).first()
            cut = (await session.exec(newest.offset(MOST_EVENTS).limit(1))).first()
        if first is None:
            return
        last = max(f"{order(first)[0] - 1:013}-~", cut or "")
        carried: list[Event] = []
        while True:
            wanted = select(row).where(row.id > last).order_by(col(row.id)).limit(PAGE)
            async with self.sql.reading(statement_s=READ_S) as session:
                rows = list(await session.exec(wanted))
            found = [
                Event(r.id, r.kind, r.at_ms, r.contact, r.agent, r.queue, r.band, r.fields) for r in rows
            ]
            if rows:
                last = rows[-1].id
            # Ids are text: those of one millisecond may stand in another order, and end on the next page.
            ready = sorted([*carried, *found], key=lambda event: order(event.id))
            edge = order(last)[0]
            carried = [event for event in ready if order(event.id)[0] == edge] if rows else []
            ready = ready[: len(ready) - len(carried)]
            if until:
                ready = [event for event in ready if order(event.id) < order(until)]
            if ready:
                yield ready
            if not rows:
                return
