"""A rate that is learned: begun from a prior, and forgotten as fast as the moment asks for."""

from __future__ import annotations

SHARE = 0.003
"""How much of the trust is dealt out anew at each event, so that no speed of forgetting is ruled out for
ever.
"""


class Rate:
    """Events per second of exposure, with several speeds of forgetting, each trusted as it foretold.

    ``memories`` are half-lives in events, with the trust to begin with. Each keeps fading sums of events
    and exposure, begun with a prior worth some events; an event that comes after exposure e had the
    predictive density a b^a / (b + e)^(a + 1) (Lomax), and the trust in each speed is multiplied by it. In
    quiet times the long memory wins, after a change the short one.
    """

    __slots__ = ("_fades", "_first", "events", "exposure", "pending", "temper", "trust")

    def __init__(
        self, rate: float, worth: float, memories: tuple[tuple[float, float], ...], temper: float = 1.0
    ) -> None:
        self._fades = [0.5 ** (1 / half_life) for half_life, _ in memories]
        self._first = [trust for _, trust in memories]
        self.events = [worth] * len(memories)
        self.exposure = [worth / rate] * len(memories)
        self.trust = list(self._first)
        self.pending = 0.0
        self.temper = temper

    def expose(self, exposure: float) -> None:
        self.pending += exposure

    def happen(self, lean: float = 0.0) -> None:
        """One event, after all that was exposed since the one before.

        ``lean``: the share of the trust that goes to the shortest memory, when a change is to be expected.
        """
        pending, total = self.pending, 0.0
        for at, fade in enumerate(self._fades):
            a, b = self.events[at], self.exposure[at]
            density = a / (b + pending) * (b / (b + pending)) ** a
            self.trust[at] *= max(density, 1e-12) ** self.temper
            total += self.trust[at]
            self.events[at] = a * fade + 1
            self.exposure[at] = b * fade + pending
        self.trust = [
            SHARE * first + (1 - SHARE) * trust / total
            for first, trust in zip(self._first, self.trust, strict=True)
        ]
        if lean:
            self.trust = [trust * (1 - lean) for trust in self.trust]
            self.trust[0] += lean
        self.pending = 0.0

    @property
    def value(self) -> float:
        return self.less(0.0)

    def less(self, owed: float) -> float:
        """The rate if so much of the exposure had not been; half of it counts in any case."""
        pending = self.pending - owed
        return sum(
            trust * a / max(b + pending, (b + self.pending) / 2)
            for trust, a, b in zip(self.trust, self.events, self.exposure, strict=True)
        )

    def swell(self) -> float:
        """The rate by the shortest memory over the rate by the longest."""
        short = self.events[0] / (self.exposure[0] + self.pending)
        return short * (self.exposure[-1] + self.pending) / self.events[-1]

    @property
    def doubt(self) -> float:
        """Relative variance of the value, for events that come as Poisson's do.

        What a short memory holds is in the longer ones too: two share as much as the longer one knows.
        """
        known = list(zip(self.trust, self.events, strict=True))
        return sum(mine * theirs / max(a, b) for mine, a in known for theirs, b in known)
