"""What an estimate costs, in CPU time of this process: one, after the line has changed, and all who wait."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from queueing.estimates import Estimator

WAITING = 1_000
AGENTS = 20
ONE_US, ALL_MS = 200.0, 50.0
"""Targets at a thousand waiting."""


@dataclass(frozen=True, slots=True)
class Cost:
    """``one_us``: median of one estimate. ``event_us``: of one event. ``all_ms``: of all who wait."""

    one_us: float
    event_us: float
    all_ms: float

    @property
    def met(self) -> bool:
        return self.one_us <= ONE_US and self.all_ms <= ALL_MS


def crowded(waiting: int) -> tuple[Estimator, float]:
    """A line of two bands with a roster that changes each half-hour, and the time it is."""
    rng = random.Random(1)
    made = Estimator(handling_s=300.0, roster=[(at * 1800.0, AGENTS + at % 3) for at in range(24)])
    made.on_agents(0, AGENTS)
    t = 0.0
    for number in range(waiting + AGENTS):
        t += 4
        band = rng.randrange(2)
        made.on_arrival(t, number, band, t + band * 600.0)
        if number < AGENTS:
            made.on_start(t, number)
    return made, t


def measure(rounds: int = 200, waiting: int = WAITING) -> Cost:
    """Each round one call ends, the next one begins, one arrives, and the new one asks."""
    made, t = crowded(waiting)
    ones, events, alls = [], [], []
    for number in range(10**6, 10**6 + rounds):
        t += 15
        ended, head = next(iter(made.serving)), next(iter(made.places)).contact
        begun = time.process_time_ns()
        made.on_end(t, ended)
        made.on_start(t, head)
        made.on_arrival(t, number, number % 2, t + number % 2 * 600.0)
        changed = time.process_time_ns()
        made.estimate(t, number)
        asked = time.process_time_ns()
        events.append((changed - begun) / 3)
        ones.append(asked - changed)
        if number % 10 == 0:
            made.estimates(t + 1)
            alls.append(time.process_time_ns() - asked)
    return Cost(middle(ones) / 1e3, middle(events) / 1e3, middle(alls) / 1e6)


def middle(figures: Sequence[float]) -> float:
    return sorted(figures)[len(figures) // 2]
