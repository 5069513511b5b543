"""Watches incidents and surges: rounds that the sweeper runs beside its own.

What the doors are told is published, levels expire, the line's figures are looked at, notices and updates go
out, stale incidents nag, follow-ups come to their end. Any number of sweepers may do so at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlmodel import col, select

from callbacks.office import Office
from ivr import wishes
from processes import tagged
from processes.spikes import Spikes
from queueing import pulse
from surge import (
    adopting,
    aside,
    board,
    commitments,
    desk,
    leads,
    levels,
    merging,
    notices,
    status_page,
    switch,
)
from surge.levels import Reading, Sensor, Suggestion
from surge.office import Watch
from surge.states import IncidentState, Level
from surge.tables import Incident

PUBLISH_MS = 1_000
SENSE_MS = 5_000
NAG_MS = 5_000
UPDATES_MS = 2_000
NOTICES_MS = 5_000
FOLLOW_UPS_MS = 30_000
PROMISES_MS = 2_000
TAG_MS = 2_000
REMIND_MS = 60_000
PAGE_MS = 60_000
STALE_PULSE_MS = 15_000

Round = Callable[[], Awaitable[float]]


@dataclass(slots=True)
class Watcher:
    watch: Watch
    cb: Office
    counts: Counter[str]
    sensor: Sensor = field(default_factory=Sensor)
    spikes: Spikes = field(init=False)
    tags: tagged.Tags = field(init=False)
    suggested: str = ""
    """What was suggested last: it is said once, not at every look."""

    def __post_init__(self) -> None:
        self.spikes = Spikes(self.watch)
        self.tags = tagged.Tags(self.watch, self.cb)

    def rounds(self) -> dict[str, Round]:
        """The rounds by name, for ``rounds.rounds``."""
        return {
            "surge board": self.publish,
            "surge sense": self.sense,
            "surge nag": self.nag,
            "surge updates": self.tell_updates,
            "surge notices": self.notify,
            "surge follow-ups": self.tidy,
            "surge promises": self.promises,
            "surge tags": self.tag,
            "surge commitments": self.remind,
            "surge page": self.page,
        }

    @property
    def now_ms(self) -> int:
        return self.watch.clock.now_ms()

    async def publish(self) -> float:
        now_ms = self.now_ms
        self.counts["surge_brought_in"] += await aside.bring_in(self.watch, now_ms)
        self.counts["levels_expired"] += await switch.expire(self.watch, now_ms)
        await board.publish(self.watch, now_ms)
        return PUBLISH_MS

    async def sense(self) -> float:
        """The wait of a newcomer, by the pulse, and the level it speaks for."""
        now_ms = self.now_ms
        seen = await pulse.read(self.watch.redis, self.watch.keys)
        fresh = seen is not None and now_ms - seen.at_ms < STALE_PULSE_MS
        wait_s = _longest_wait_s(seen) if seen is not None and fresh else None
        row = await switch.state(self.watch)
        here = switch.in_force(row, now_ms)
        reading = Reading(now_ms, wait_s, await self.spikes.score(now_ms))
        self.sensor, told = levels.step(self.watch.policy, self.sensor, reading, here, row.expires_ms)
        said = f"{told.level} {row.automatic}" if told else ""
        if told is not None and said != self.suggested:
            why = await self._why(told, here, now_ms)
            self.counts["levels_changed"] += await switch.suggest(self.watch, told.level, why, now_ms)
        self.suggested = said
        return SENSE_MS

    async def _why(self, told: Suggestion, here: Level, now_ms: int) -> str:
        """On the way up with what it is that rings, where something does."""
        if told.level <= here:
            return told.why
        ringing = "; ".join(each.words() for each in await self.spikes.ringing(now_ms))
        return f"{told.why} What rings: {ringing}." if ringing else told.why

    async def nag(self) -> float:
        self.counts["leads_nagged"] += await leads.nag(self.watch, self.now_ms)
        return NAG_MS

    async def tell_updates(self) -> float:
        self.counts["incident_texts"] += await notices.tell_updates(self.watch, self.now_ms)
        return UPDATES_MS

    async def notify(self) -> float:
        """The staged notice of each incident that is over or seems so."""
        over = (IncidentState.VERIFIED.value, IncidentState.RESOLVED.value)
        since_ms = self.now_ms - status_page.BACK_MS
        async with self.watch.sql.reading() as session:
            wanted = select(Incident.id, Incident.state).where(
                col(Incident.state).in_(over), col(Incident.updated_ms) > since_ms
            )
            found = list(await session.exec(wanted))
        for incident, state in found:
            stage = await notices.stage(self.watch, incident, self.now_ms)
            self.counts["merchants_told"] += len(stage.tell)
            asked, released = await tagged.ask(self.watch, self.cb, incident, self.now_ms)
            self.counts["promises_asked"] += asked
            self.counts["promises_released"] += released
            if state == IncidentState.RESOLVED:
                told = await notices.end_subscriptions(self.watch, incident, self.now_ms)
                self.counts["incident_texts"] += told
        return NOTICES_MS

    async def tidy(self) -> float:
        self.counts["follow_ups_adopted"] += await adopting.adopt(self.watch)
        self.counts["follow_ups_merged"] += await merging.merge(self.watch, self.now_ms)
        self.counts["follow_ups_silent"] += await desk.silent_ones_work(self.watch, self.now_ms)
        return FOLLOW_UPS_MS

    async def promises(self) -> float:
        self.counts["follow_ups_promised"] += await wishes.look(self.watch, self.cb, self.now_ms)
        self.counts["promises_followed"] += await tagged.follow(self.watch, self.now_ms)
        return PROMISES_MS

    async def tag(self) -> float:
        self.counts["promises_tagged"] += await self.tags.look(self.now_ms)
        return TAG_MS

    async def remind(self) -> float:
        self.counts["commitments_due"] += await commitments.remind(self.watch, self.now_ms)
        return REMIND_MS

    async def page(self) -> float:
        await status_page.show(self.watch, self.now_ms)
        return PAGE_MS


def _longest_wait_s(seen: pulse.Pulse) -> float | None:
    """A newcomer's p50 in the queue where it is longest; infinite where people wait and nobody serves."""
    waits = []
    for queue in seen.queues.values():
        if not queue.agents:
            waits += [float("inf")] if queue.waiting else []
        elif estimate := queue.foreseen_wait():
            waits.append(estimate.p50 if queue.waiting else 0.0)
    return max(waits, default=None)
