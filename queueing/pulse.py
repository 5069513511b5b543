"""The line's pulse: its live figures, taken once a second, kept as one small value that every door reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from redis.asyncio import Redis

from foundation.connections import answering
from queueing.keys import Keys
from queueing.ranges import Estimate
from queueing.rungs import Ladder
from queueing.staffing import Plan, packed, unpacked


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
    ladder: Ladder = field(default_factory=Ladder)
    plan: Plan = ()
    """Its agents over the coming hours, where there is a roster."""
    owed_s: float = 0.0
    """Work (s) of this queue's agents in the callbacks that wait, of every queue that they serve."""

    @property
    def promised(self) -> float:
        """Their share of the waiting."""
        return min(1.0, self.promises / self.waiting) if self.waiting else 0.0

    def newcomers_wait(self) -> Estimate | None:
        """The wait of who calls now, behind all who wait; None where none may be told."""
        return self.ladder.newcomer

    def foreseen_wait(self) -> Estimate | None:
        """The same to plan by, even where ranges have missed too often to be told."""
        return self.ladder.foreseen


@dataclass(frozen=True, slots=True)
class Pulse:
    """``by``: the process that took it, and goes on taking it while it lives."""

    at_ms: int
    queues: Mapping[str, QueuePulse]
    by: str = ""
    plan: Plan = ()
    """All agents over the coming hours, where there is a roster."""


async def publish(redis: Redis, keys: Keys, pulse: Pulse) -> None:
    """Make it the present one. Raises Unavailable."""
    queues = {
        name: [
            q.waiting,
            q.agents,
            round(q.handling_s, 1),
            round(q.hangup_per_s, 8),
            q.promises,
            q.ladder.packed(),
        ]
        for name, q in pulse.queues.items()
    }
    told: dict[str, Any] = {"at_ms": pulse.at_ms, "by": pulse.by, "queues": queues}
    told["owed_s"] = {name: round(queue.owed_s) for name, queue in pulse.queues.items()}
    if pulse.plan:
        told["plans"] = {name: packed(queue.plan) for name, queue in pulse.queues.items()}
        told["plans"][""] = packed(pulse.plan)
    async with answering():
        await redis.set(keys.pulse, json.dumps(told, separators=(",", ":")))


async def read(redis: Redis, keys: Keys) -> Pulse | None:
    """The present pulse; None before the first was taken. The caller asks how old it may be."""
    async with answering():
        text = await redis.get(keys.pulse)
    return _understood(text) if text else None


@lru_cache(maxsize=4)
def _understood(text: str) -> Pulse:
    """A process reads each pulse many times: for its doors, its screens, its detector."""
    told = json.loads(text)
    plans = {name: unpacked(plan) for name, plan in told.get("plans", {}).items()}
    owed_s = told.get("owed_s", {})
    queues = {
        name: QueuePulse(
            waiting, agents, handling_s, hangup_per_s, promises, Ladder.unpacked(ladder), plans.get(name, ()),
            owed_s.get(name, 0.0),
        )
        for name, (waiting, agents, handling_s, hangup_per_s, promises, ladder) in told["queues"].items()
    }  # fmt: skip
    return Pulse(told["at_ms"], queues, told["by"], plans.get("", ()))
