"""The load on the line and what it will come to: read from the line's pulse and from the record.

The hour's minutes and the usual rate change slowly and are read once a quarter of a minute; what is of this
second comes from the look that every live page shares.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import col

from dashboard import record
from dashboard.live import Look
from dashboard.load_chart import Minute, smoothed
from dashboard.rooms import Rooms
from foundation.errors import Unavailable
from queueing import pulse
from queueing.names import TURN_PREFIX
from queueing.presence import Presence
from queueing.pulse import Pulse
from queueing.tables import Contact
from surge.detector import load as weigh
from surge.forecast import Now, Outlook, compare
from surge.policy import SurgePolicy
from surge.states import Level

MINUTE_MS = 60_000
WEEK_MS = 7 * 24 * 3_600_000
BACK = 60
"""Minutes of the past that are shown."""
RATE_OVER = 5
"""The rate of now is that of so many minutes, as in the chart: longer, and a flood is seen late."""
SLOW_MS = 15_000
ASSUMED_SHARE = 0.5
"""Of the callers, who match, as long as no incident says whom it touches."""
FRESH_PULSE_MS = 15_000
_OUT = (Presence.OFF.value, Presence.AWAY.value)


@dataclass(frozen=True, slots=True)
class Load:
    """Erlangs offered against agents in. ``ratio`` None: nobody is in, or nothing is known.

    ``ratio`` is of the next 15 minutes: who waits now is part of the load.
    """

    known: bool = False
    per_min: float = 0.0
    usual_per_min: float | None = None
    handling_s: float = 0.0
    agents: int = 0
    waiting: int = 0
    offered: float = 0.0
    ratio: float | None = None
    past: Sequence[Minute] = ()
    without: Outlook | None = None
    surge: Outlook | None = None
    """The next hour without surge, and with it."""
    matched_share: float | None = None
    """Of the merchants, those that a live incident touches; None: no incident, and a half is assumed."""
    wait_s: float | None = None
    """A newcomer's predicted wait now."""


@dataclass(slots=True)
class _Slow:
    """What is read once a while."""

    at_ms: int = -SLOW_MS
    arrivals: list[int] = field(default_factory=list)
    agents: list[float] = field(default_factory=list)
    usual_per_min: float | None = None


class Loads:
    """The load, for everybody in this process."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self._slow = _Slow()
        self._one = asyncio.Lock()

    async def now(self, look: Look, matched_share: float | None = None) -> Load:
        """Never raises: what cannot be had is not known."""
        rooms = self.rooms
        now_ms = rooms.clock.now_ms()
        async with self._one:
            if not 0 <= now_ms - self._slow.at_ms < SLOW_MS:
                try:
                    self._slow = await self._read(now_ms)
                except Unavailable:
                    self._slow.at_ms = now_ms
        try:
            seen = await pulse.read(rooms.redis, rooms.line.keys)
        except Unavailable:
            seen = None
        past = Past(self._slow.arrivals, self._slow.agents, self._slow.usual_per_min)
        return reckon(look, seen, past, rooms.surge.policy, matched_share, now_ms)

    async def _read(self, now_ms: int) -> _Slow:
        from_ms = now_ms - BACK * MINUTE_MS
        arrivals = await _arrivals(self.rooms, from_ms, now_ms)
        spells = await record.presences(self.rooms, from_ms, now_ms)
        moments = [from_ms + (i + 1) * MINUTE_MS for i in range(BACK)]
        agents = [
            float(sum(s.from_ms < at <= s.to_ms and s.presence not in _OUT for s in spells)) for at in moments
        ]
        return _Slow(now_ms, arrivals, agents, await _usual(self.rooms, now_ms))


async def _arrivals(rooms: Rooms, from_ms: int, to_ms: int) -> list[int]:
    """Calls that came in each minute."""
    statement = (
        sql_select(col(Contact.entered_ms))
        .where(
            col(Contact.entered_ms) >= from_ms,
            col(Contact.entered_ms) < to_ms,
            ~col(Contact.contact).startswith(TURN_PREFIX),
        )
        .limit(100_000)
    )
    async with rooms.sql.reading() as session:
        rows = (await (await session.connection()).execute(statement)).scalars().all()
    counted = Counter((int(at_ms) - from_ms) // MINUTE_MS for at_ms in rows)
    return [counted.get(i, 0) for i in range((to_ms - from_ms) // MINUTE_MS)]


async def _usual(rooms: Rooms, now_ms: int) -> float | None:
    """Calls a minute in this half hour of earlier weeks; None when there is no such past."""
    found = []
    async with rooms.sql.reading() as session:
        for weeks in (1, 2, 3, 4):
            middle = now_ms - weeks * WEEK_MS
            statement = sql_select(func.count()).where(
                col(Contact.entered_ms) >= middle - 15 * MINUTE_MS,
                col(Contact.entered_ms) < middle + 15 * MINUTE_MS,
                ~col(Contact.contact).startswith(TURN_PREFIX),
            )
            found.append(int((await (await session.connection()).execute(statement)).scalar_one()))
    seen = [count for count in found if count]
    return sum(seen) / len(seen) / 30 if seen else None


@dataclass(frozen=True, slots=True)
class Past:
    """The last hour by minute: calls that came, agents who were in; and the calls a minute that are usual."""

    arrivals: Sequence[int] = ()
    agents: Sequence[float] = ()
    usual_per_min: float | None = None


def reckon(
    look: Look,
    seen: Pulse | None,
    told: Past,
    policy: SurgePolicy,
    matched_share: float | None,
    now_ms: int,
) -> Load:
    """Out of what was read. Without a look or a fresh pulse nothing is known."""
    if look.board is None or seen is None or now_ms - seen.at_ms > FRESH_PULSE_MS or not seen.queues:
        return Load()
    board = look.board
    agents = sum(agent.presence.value not in _OUT for agent in board.agents)
    waiting = sum(queue.waiting for queue in board.queues.values())
    weights = [max(1, queue.waiting + queue.agents) for queue in seen.queues.values()]
    handling_s = _mean([queue.handling_s for queue in seen.queues.values()], weights)
    # Per second that any of the waiting waits: who is owed a callback does not hang up.
    hangup = _mean([queue.hangup_per_s * (1 - queue.promised) for queue in seen.queues.values()], weights)
    recent = told.arrivals[-RATE_OVER:]
    per_min = sum(recent) / len(recent) if recent else 0.0
    work = weigh(per_min, handling_s, agents, waiting)
    offered = work.offered + work.backlog if work else 0.0
    history = [
        Minute(
            i - len(told.arrivals) + 1,
            rate * handling_s / 60,
            told.agents[i] if i < len(told.agents) else None,
        )
        for i, rate in enumerate(smoothed(told.arrivals))
    ]
    share = ASSUMED_SHARE if matched_share is None else matched_share
    given = Now(per_min, handling_s, agents, waiting, hangup, share, plan=seen.plan)
    without, surge = compare(policy, given, Level.SURGE)
    return Load(
        known=True,
        per_min=per_min,
        usual_per_min=told.usual_per_min,
        handling_s=handling_s,
        agents=agents,
        waiting=waiting,
        offered=offered,
        ratio=offered / agents if agents else None,
        past=history,
        without=without,
        surge=surge,
        matched_share=matched_share,
        wait_s=without.minutes[0].wait_s if agents else None,
    )


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)
