"""A pulse as simple as can be, for tests that need a wait to tell: each place in line takes as long."""

from __future__ import annotations

from queueing.bands import DEFAULT_BANDS
from queueing.pulse import QueuePulse
from queueing.ranges import Estimate
from queueing.rungs import Ladder, Rung


def rung(position: int, each_s: float) -> Rung:
    """``each_s`` a place, half of it to one and a half."""
    mean = position * each_s
    return position, Estimate(mean / 2, mean, mean * 1.5, mean)


def ladder(waiting: int, each_s: float) -> Ladder:
    """Of so many who wait, and of whoever comes next, in whatever band."""
    newcomers = {band.name: rung(waiting + 1, each_s) for band in DEFAULT_BANDS}
    return Ladder(tuple(rung(position, each_s) for position in range(1, waiting + 1)), newcomers, "")


def queue_pulse(waiting: int, agents: int, handling_s: float = 240.0, promises: int = 0) -> QueuePulse:
    """Nobody at work: no wait is told."""
    told = ladder(waiting, handling_s / agents) if agents else Ladder(silence="nobody")
    return QueuePulse(waiting, agents, handling_s, 1 / 600, promises, told, owed_s=promises * handling_s)
