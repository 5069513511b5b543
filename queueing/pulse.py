"""The line's pulse: its live figures, taken once a second, kept as one small value that every door reads.

Handling time and hang-up rate are learned: running sums that halve with age, begun with a prior worth some
contacts, so that a quiet morning does not forget and one odd call does not count for all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from redis.asyncio import Redis

from foundation.connections import answering
from queueing import journal
from queueing.estimates import Estimate, plain_wait
from queueing.journal import Event
from queueing.keys import Keys
from queueing.line import Line
from queueing.names import is_turn
from queueing.policy import LinePolicy
from queueing.records import Board


@dataclass(frozen=True, slots=True)
class Priors:
    """What is believed before anything was seen, and for how many contacts that counts."""

    handling_s: float = 240.0
    hangup_per_s: float = 1 / 600
    worth_contacts: float = 20.0
    half_life_contacts: float = 80.0
    """After so many completions older ones count half (reference: half-life of the handling time's mean)."""


@dataclass(frozen=True, slots=True)
class QueuePulse:
    """One queue now. ``agents`` are at work and serve it; ``hangup_per_s`` is per second a caller waits.

    Callbacks wait too, and take an agent's time, but nobody hangs up.
    """

    waiting: int
    agents: int
    handling_s: float
    hangup_per_s: float
    promises: int = 0
    """The callbacks among the waiting."""

    @property
    def promised(self) -> float:
        """Their share of the waiting."""
        return min(1.0, self.promises / self.waiting) if self.waiting else 0.0

    def newcomers_wait(self) -> Estimate | None:
        """The wait of who calls now, behind all who wait."""
        return plain_wait(
            self.waiting, self.agents, self.handling_s, self.hangup_per_s, promised=self.promised
        )


@dataclass(frozen=True, slots=True)
class Pulse:
    at_ms: int
    queues: Mapping[str, QueuePulse]


@dataclass(slots=True)
class Sums:
    """What one queue has taught: handled seconds over contacts, hang-ups over waited seconds."""

    handled: float = 0.0
    contacts: float = 0.0
    hangups: float = 0.0
    waited: float = 0.0


@dataclass(slots=True)
class Lessons:
    """Learns from the journal's events; one per sweeper, kept in Redis with the pulse."""

    priors: Priors = field(default_factory=Priors)
    sums: dict[str, Sums] = field(default_factory=dict)

    def learn(self, events: Iterable[Event]) -> None:
        fade = 0.5 ** (1 / self.priors.half_life_contacts)
        for event in events:
            if not event.queue:
                continue
            sums = self.sums.setdefault(event.queue, Sums())
            handling = event.fields.get("handling_ms", "")
            if handling.isdigit() and int(handling) > 0:
                sums.handled = sums.handled * fade + int(handling) / 1000
                sums.contacts = sums.contacts * fade + 1
            elif event.kind == "ended" and not is_turn(event.contact):  # a turn cannot hang up
                waited = int(event.fields.get("wait_ms", "0") or 0) / 1000
                hung_up = event.fields.get("disposition") == "abandoned"
                sums.waited = sums.waited * fade + waited
                sums.hangups = sums.hangups * fade + hung_up

    def of(self, queue: str, waiting_s: float) -> tuple[float, float]:
        """Handling time (s) and hang-up rate (per s) of a queue; ``waiting_s`` are still being waited."""
        sums, prior = self.sums.get(queue, Sums()), self.priors
        worth = prior.worth_contacts
        handling_s = (sums.handled + worth * prior.handling_s) / (sums.contacts + worth)
        worth_s = worth / prior.hangup_per_s / 10
        rate = (sums.hangups + worth_s * prior.hangup_per_s) / (sums.waited + waiting_s + worth_s)
        return handling_s, rate


def reckon(board: Board, lessons: Lessons) -> Pulse:
    """The pulse of the line as it stands on ``board``."""
    queues = {}
    for name, now in board.queues.items():
        # The oldest's age and the youngest's nought: half of it each, on average.
        waiting_s = (now.waiting - now.promises) * now.longest_wait_ms / 2000
        handling_s, rate = lessons.of(name, waiting_s)
        queues[name] = QueuePulse(now.waiting, now.agents, round(handling_s, 1), round(rate, 8), now.promises)
    return Pulse(board.at_ms, queues)


GROUP = "pulse"
FRESH_MS = 800
AT_ONCE = 1_000


async def take(redis: Redis, keys: Keys, policy: LinePolicy, *, now_ms: int) -> Pulse | None:
    """Learn from what happened since the last one, and make a new one the present.

    None when another sweeper has just done so. Raises Unavailable.
    """
    lessons = await remembered(redis, keys)
    before = await read(redis, keys)
    if before and 0 <= now_ms - before.at_ms < FRESH_MS:
        return None
    await journal.ensure_group(redis, keys, GROUP)
    # What a sweeper read and never learned, because it died, comes first: else it would be kept for ever.
    events = await journal.read(redis, keys, GROUP, GROUP, count=AT_ONCE, again=True)
    events += await journal.read(redis, keys, GROUP, GROUP, count=AT_ONCE)
    lessons.learn(events)
    pulse = reckon(await Line(redis, policy).look(now_ms), lessons)
    await publish(redis, keys, pulse, lessons)
    await journal.ack(redis, keys, GROUP, [event.id for event in events])
    return pulse


async def publish(redis: Redis, keys: Keys, pulse: Pulse, lessons: Lessons) -> None:
    """Make it the present one. Raises Unavailable."""
    told: dict[str, Any] = {"at_ms": pulse.at_ms, "queues": {q: asdict(v) for q, v in pulse.queues.items()}}
    told["sums"] = {queue: asdict(sums) for queue, sums in lessons.sums.items()}
    async with answering():
        await redis.set(keys.pulse, json.dumps(told, separators=(",", ":")))


async def read(redis: Redis, keys: Keys) -> Pulse | None:
    """The present pulse; None before the first was taken. The caller asks how old it may be."""
    async with answering():
        text = await redis.get(keys.pulse)
    if not text:
        return None
    told = json.loads(text)
    return Pulse(told["at_ms"], {queue: QueuePulse(**figures) for queue, figures in told["queues"].items()})


async def remembered(redis: Redis, keys: Keys, priors: Priors | None = None) -> Lessons:
    """What was learned before this process began. Raises Unavailable."""
    async with answering():
        text = await redis.get(keys.pulse)
    kept = json.loads(text).get("sums", {}) if text else {}
    return Lessons(priors or Priors(), {queue: Sums(**sums) for queue, sums in kept.items()})
