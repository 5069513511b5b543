"""Told against had: how wide the told range must be so that four in five waits fall into it, and which way
to lean.

Now and then a caller's first estimate is kept, and compared with the wait it became. One who hangs up keeps a
place until the line passes it, so that short waits are not all that is learned from. Neighbours share one
fate: a comparison weighs as much as the time since the last one, as a share of the wait; so a surge, where
labels come a whole wait late, hardly moves anything, and a steady day is learned in some hours.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from typing import Any

GOAL = 0.8
PACE = 0.12
"""How fast the width follows: e-folds for one independent miss too many."""
NARROWEST, WIDEST = 0.6, 2.5
WORTH = 40.0
"""Independent comparisons that the belief in an unbiased law is worth."""
FADE = 0.99
KNOWN = 1.5
"""Up to so many times the usual wait, what was learned of it counts in full."""
LEAST_BIAS, MOST_BIAS = 0.8, 1.25
LOST_BELOW = 0.4
LOST_AFTER = 15.0


@dataclass(frozen=True, slots=True)
class Told:
    """What was said at ``at``: a range and a mean (s), before leaning, for this ``rank`` in the line."""

    at: float
    p10: float
    p90: float
    mean: float
    queue: str
    rank: Any


class Calibration:
    """Learns from what was told and had; ``corrections`` says what to make of it."""

    __slots__ = ("_ghosts", "_had", "_heard", "_kept_at", "_told", "coverage", "seen", "width")

    def __init__(self) -> None:
        self.width = 1.0
        self.coverage = GOAL
        self.seen = 0.0
        self._kept_at = self._heard = -math.inf
        self._told = self._had = 0.0
        self._ghosts: dict[str, list[tuple[Any, Told]]] = {}

    def corrections(self, mean: float) -> tuple[float, float]:
        """(lean, width) for a wait of so many seconds.

        What was learned of short waits says little of much longer ones.
        """
        if self.seen < 1:
            return 1.0, self.width
        usual = self._told / self.seen
        proven = min(1.0, KNOWN * usual / mean) if mean > 0 else 1.0
        prior = WORTH * usual
        lean = min(MOST_BIAS, max(LEAST_BIAS, (self._had + prior) / (self._told + prior)))
        return 1 + (lean - 1) * proven, self.width**proven

    @property
    def lost(self) -> bool:
        """Whether ranges miss so often that none should be told."""
        return self.seen > LOST_AFTER and self.coverage < LOST_BELOW

    def wants(self, now: float, gap: float) -> bool:
        """Whether this arrival's estimate is to be kept; at most one in ``gap`` seconds."""
        if now - self._kept_at < gap:
            return False
        self._kept_at = now
        return True

    def learn(self, now: float, told: Told) -> None:
        """The wait that was told has ended, or would have."""
        had = now - told.at
        weight = min(1.0, max(0.0, (told.at - self._heard) / max(told.mean, 1.0)))
        self._heard = max(self._heard, told.at)
        if weight <= 0:
            return
        inside = told.p10 <= had <= told.p90
        fade = FADE**weight
        self.seen = self.seen * fade + weight
        self._told = self._told * fade + weight * told.mean
        self._had = self._had * fade + weight * min(had, 6 * told.mean)
        self.coverage += min(1.0, weight / 20) * (inside - self.coverage)
        self.width *= math.exp(PACE * weight * ((not inside) - (1 - GOAL)))
        self.width = min(WIDEST, max(NARROWEST, self.width))

    def haunt(self, told: Told) -> None:
        """The caller hung up; the place stays until the line has passed it."""
        heapq.heappush(self._ghosts.setdefault(told.queue, []), (told.rank, told))

    def passed(self, now: float, queue: str, rank: Any) -> None:
        """Someone of this rank was taken: all before would have been."""
        ghosts = self._ghosts.get(queue)
        while ghosts and ghosts[0][0] < rank:
            self.learn(now, heapq.heappop(ghosts)[1])

    def idle(self, now: float) -> None:
        """An agent is free and nobody waits: every place has been passed."""
        for ghosts in self._ghosts.values():
            while ghosts:
                self.learn(now, heapq.heappop(ghosts)[1])
