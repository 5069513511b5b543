"""What an estimate costs, in CPU time of this process: one, after the line has changed, and all who wait."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

from queueing.estimates import Estimator
from queueing.feed import Feed
from queueing.policy import LinePolicy
from queueing.records import Board, QueueNow
from queueing.rungs import Ladder

WAITING = 1_000
AGENTS = 20
READERS = 20
ONE_US, ALL_MS = 200.0, 50.0
"""Targets at a thousand waiting."""


@dataclass(frozen=True, slots=True)
class Cost:
    """``one_us``: median of one estimate. ``event_us``: of one event. ``all_ms``: of all who wait.

    ``pulse_ms``: of the ladder that is published each second; ``look_up_us``: of a door that reads a wait off
    it, when some do within that second.
    """

    one_us: float
    event_us: float
    all_ms: float
    pulse_ms: float
    look_up_us: float

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
    pulses, reads = told(made, t + 2)
    return Cost(
        middle(ones) / 1e3,
        middle(events) / 1e3,
        middle(alls) / 1e6,
        middle(pulses) / 1e6,
        middle(reads) / 1e3,
    )


def told(made: Estimator, t: float) -> tuple[list[float], list[float]]:
    """What the one who takes the pulse spends on it, and a door that reads a wait off it (ns)."""
    feed = Feed(LinePolicy(), made)
    pulses, reads = [], []
    for later in range(20):
        board = Board(
            round((t + later) * 1000), {"": QueueNow("", WAITING, None, 0, AGENTS, 0)}, {}, 0, 0, ()
        )
        begun = time.process_time_ns()
        ladder = feed.pulse(board, "").queues[""].ladder
        pulses.append(float(time.process_time_ns() - begun))
        text = ladder.packed()
        begun = time.process_time_ns()
        for place in range(READERS):
            Ladder.unpacked(text).at(WAITING - place, "p2")
        reads.append((time.process_time_ns() - begun) / READERS)
    return pulses, reads


def middle(figures: Sequence[float]) -> float:
    return sorted(figures)[len(figures) // 2]
