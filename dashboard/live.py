"""The live part of pages: one look a second for everybody, and a stream that sends what changed.

One task per process looks at the line while anybody watches. Each stream renders its own parts from the
newest look and sends those that differ; a slow reader skips looks, so nothing piles up. Clocks tick in the
browser.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import structlog

from callbacks import lists
from callbacks.owed import Owed
from dashboard.record import figures_between, told_rows
from dashboard.rooms import Rooms
from foundation.errors import Unavailable
from queueing import pulse as pulses
from queueing.figures import Figures
from queueing.honesty import Honesty, honesty
from queueing.pulse import Pulse
from queueing.records import AgentNow, Board

log = structlog.get_logger()

LOOK_MS = 1_000
STALE_PULSE_MS = 15_000
DAY_MS = 5_000
"""Today's figures are counted anew after this."""


@dataclass(frozen=True, slots=True)
class Look:
    """The line as it was seen. ``age_ms`` is how old that is, in people's time; ``trouble`` who is away."""

    number: int
    board: Board | None
    day: Figures
    seen_ms: int
    age_ms: int = 0
    trouble: str = ""
    owed: tuple[Owed, ...] | None = None
    """Every open promise; None when SQL never answered."""
    told: Honesty = field(default_factory=Honesty)
    """How true the waits were that were told today."""
    pulse: Pulse | None = None
    """The waits that are told now; None when nobody says."""

    def version(self, promise: str) -> int:
        """The version of an open promise; -1 of any other."""
        return next((row.version for row in self.owed or () if row.id == promise), -1) if promise else -1

    def agent(self, agent: str) -> AgentNow | None:
        if self.board is None:
            return None
        return next((now for now in self.board.agents if now.agent == agent), None)


class Watch:
    """Looks at the line for everyone in this process."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self._look = Look(0, None, Figures(), 0, trouble="")
        self._day_seen_ms = -DAY_MS
        self._owed_stamp: tuple[int, ...] = ()
        self._watching = 0
        self._task: asyncio.Task[None] | None = None
        self._looked = asyncio.Condition()
        self._one = asyncio.Lock()

    # -- looking ----------------------------------------------------------------------------------

    async def now(self, *, at_most_ms: int = LOOK_MS) -> Look:
        """The newest look, taken again when it is older than ``at_most_ms``."""
        if self._age_ms() >= at_most_ms or self._look.board is None or self._look.trouble:
            await self.look()
        return self._told()

    async def look(self) -> Look:
        """Look now. When Redis does not answer, what was seen last stays, and grows old."""
        async with self._one:
            trouble = ""
            board = self._look.board
            seen_ms = self._look.seen_ms
            try:
                board = await self.rooms.line.look(self.rooms.clock.now_ms())
                seen_ms = self.rooms.wall.now_ms()
            except Unavailable:
                trouble = "redis"
            (day, told), owed = await self._day(), await self._owed()
            self._look = Look(
                self._look.number + 1,
                board,
                day,
                seen_ms,
                trouble=trouble,
                owed=owed,
                told=told,
                pulse=None if trouble else await self._pulse(),
            )
        async with self._looked:
            self._looked.notify_all()
        return self._told()

    async def _pulse(self) -> Pulse | None:
        with suppress(Unavailable):
            seen = await pulses.read(self.rooms.redis, self.rooms.line.keys)
            if seen and self.rooms.clock.now_ms() - seen.at_ms < STALE_PULSE_MS:
                return seen
        return None

    async def _day(self) -> tuple[Figures, Honesty]:
        now_ms = self.rooms.wall.now_ms()
        if now_ms - self._day_seen_ms < DAY_MS:
            return self._look.day, self._look.told
        self._day_seen_ms = now_ms
        end_ms = self.rooms.clock.now_ms()
        try:
            span = midnight_ms(end_ms, self.rooms.time_zone), end_ms + 1
            return await figures_between(self.rooms, *span), honesty(await told_rows(self.rooms, *span))
        except Unavailable:
            return self._look.day, self._look.told

    async def _owed(self) -> tuple[Owed, ...] | None:
        """The promises, read again only when one of them has changed."""
        try:
            stamp = await lists.stamp(self.rooms.sql)
            if stamp == self._owed_stamp and self._look.owed is not None:
                return self._look.owed
            owed = await lists.owed(self.rooms.sql)
        except Unavailable:
            return self._look.owed
        self._owed_stamp = stamp
        return owed

    def _age_ms(self) -> int:
        return self.rooms.wall.now_ms() - self._look.seen_ms

    def _told(self) -> Look:
        return replace(self._look, age_ms=max(0, self._age_ms()) if self._look.board else 0)

    # -- watching ---------------------------------------------------------------------------------

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """While anybody is inside, somebody looks each second."""
        self._watching += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_looking(), name="dashboard look")
        try:
            yield
        finally:
            self._watching -= 1
            task = self._task
            if not self._watching and task:
                self._task = None
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def after(self, number: int) -> Look:
        """The first look after number ``number``; later ones may have been missed."""
        async with self._looked:
            await self._looked.wait_for(lambda: self._look.number > number)
        return self._told()

    async def _keep_looking(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # a look that breaks must not blind every page
                log.exception("looking at the line failed")
            await self.rooms.wall.sleep(LOOK_MS)


def midnight_ms(now_ms: int, time_zone: str) -> int:
    """The beginning of the day of ``now_ms`` in the centre's time zone."""
    zone = ZoneInfo(time_zone)
    day = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)


# -- the stream's own words ------------------------------------------------------------------------------


def pulse(look: Look, now_ms: int) -> bytes:
    """What time it is on the line's clock, and how old the figures are."""
    told = {"now_ms": now_ms, "age_ms": look.age_ms, "trouble": look.trouble}
    return message(json.dumps(told, separators=(",", ":")), event="pulse")


def parts(changed: dict[str, str], mark: str) -> bytes:
    """Changed parts of a page, each replacing the element of its id."""
    html = "".join(
        f'<hx-partial hx-target="#{part}" hx-swap="outerMorph">{text}</hx-partial>'
        for part, text in changed.items()
    )
    return message(html, mark=mark)


def held(part: str, text: str, mark: str) -> bytes:
    """A part that the page puts in place itself, when nobody is pointing at it: an event of its name."""
    return message(text, event=part, mark=mark)


def message(data: str, *, event: str = "", mark: str = "") -> bytes:
    """One server-sent event. A mark is what the browser sends back as Last-Event-ID."""
    lines = [f"event: {event}"] if event else []
    lines += [f"data: {line}" for line in data.splitlines() or [""]]
    if mark:
        lines.append(f"id: {mark}")
    return ("\n".join(lines) + "\n\n").encode()
