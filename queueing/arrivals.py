"""Arrivals of the present, by band: who will still come and be served before a contact, and until when.

Keys grow with the time of arrival. A band's arrivals at a time u will have about the key
``last key + slope (u - last time)``; they overtake a contact while that is below its own key. So head
starts end by themselves, and a band that is strictly higher overtakes for ever.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from queueing.learning import Rate

MEMORIES = ((20.0, 0.03), (80.0, 0.12), (500.0, 0.85))
GRID_S = 60.0
SWOLLEN = 1.8
HORIZON_S = 12 * 3600.0


Overtaking = tuple[tuple[float, float], ...]
"""(until when in s from now, arrivals per s) of each stream."""


class Stream:
    """The arrivals of one band that came in the order of their keys, or (``lag`` > 0) behind it, as kept
    places do.
    """

    __slots__ = ("first", "key", "lag", "rate", "since", "t")

    def __init__(self, t: float, key: Any) -> None:
        self.since, self.first = t, key
        self.t, self.key = t, key
        self.lag = 0.0
        self.rate = Rate(1 / 300, 0.5, MEMORIES)

    @property
    def slope(self) -> float:
        """How much keys grow in a second; nought where they are no numbers."""
        if not isinstance(self.key, int | float):
            return 0.0
        return (self.key - self.first) / (self.t - self.since) if self.t > self.since else 1.0


class Arrivals:
    def __init__(self) -> None:
        self.streams: dict[tuple[str, int], Stream] = {}
        self.jumps: dict[tuple[str, int], Stream] = {}

    def expose(self, passed: float) -> None:
        for stream in self.streams.values():
            stream.rate.expose(passed)
        for stream in self.jumps.values():
            stream.rate.expose(passed)

    def arrive(self, t: float, queue: str, band: int, key: Any) -> None:
        of = (queue, band)
        stream = self.streams.get(of)
        if stream is None:
            self.streams[of] = Stream(t, key)
        elif key >= stream.key:
            stream.t, stream.key = t, key
            stream.rate.happen()
        else:
            jump = self.jumps.get(of)
            if jump is None:
                jump = self.jumps[of] = Stream(t, key)
            else:
                jump.rate.happen()
            slope = stream.slope
            if slope > 0:
                behind = (stream.key - key) / slope + (t - stream.t)
                jump.lag = behind if jump.lag == 0 else 0.9 * jump.lag + 0.1 * behind

    def surging(self) -> bool:
        """Whether some band's calls come much faster than they long did."""
        return any(stream.rate.swell() > SWOLLEN for stream in self.streams.values())

    def overtaking(self, now: float, key: Any, share: Callable[[str], float]) -> Overtaking:
        """Those who will be served before ``key``. ``share``: how far a queue's contacts take from our
        agents.
        """
        found = []
        for of, stream in self.streams.items():
            ours = share(of[0])
            if ours <= 0:
                continue
            left = _until(stream, now, key)
            if left > GRID_S / 2:
                found.append((_on_grid(left), stream.rate.value * ours))
            jump = self.jumps.get(of)
            if jump is not None and left + jump.lag > GRID_S / 2:
                found.append((_on_grid(left + jump.lag), jump.rate.value * ours))
        return tuple(found)


def _on_grid(left: float) -> float:
    return round(left / GRID_S) * GRID_S if left < HORIZON_S else math.inf


def _until(stream: Stream, now: float, key: Any) -> float:
    if stream.key >= key:
        return -math.inf if stream.slope <= 0 else stream.t + (key - stream.key) / stream.slope - now
    slope = stream.slope
    return stream.t + (key - stream.key) / slope - now if slope > 0 else math.inf
