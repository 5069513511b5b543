"""Patience: at what rate callers hang up, by how long they have waited already.

Fitted to hang-ups and waiting seconds by age, those still waiting included, and slowly forgotten. At first
it is thought to fall with the wait about as real lines show it (two in ten a minute at first, one in ten
later on).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable
from itertools import pairwise

from queueing.places import Place

EDGES = (60.0, 240.0, 600.0, 1500.0, 3600.0)
MIDS = (30.0, 150.0, 420.0, 1000.0, 2400.0, 4800.0)
"""Ages (s): bounds of the cells, and what age stands for each."""

HALF_LIFE_S = 7200.0
EVERY_S = 20.0
"""A fit is good for so long."""

YOUNG_S, SCALE_S = 60.0, 600.0
LEVEL_SD = 0.5
EASE, EASE_SD = 0.22, 0.12
LEAST_EASE, MOST_EASE = -0.4, 0.8
_LOGS = tuple(math.log((mid + YOUNG_S) / SCALE_S) for mid in MIDS)


class Hazard:
    """Hang-ups per second of one who waits: exp(level) ((age + 60) / 600)^-ease.

    Integrated in closed form.
    """

    __slots__ = ("_power", "_rate", "_scale", "ease", "level")

    def __init__(self, level: float, ease: float) -> None:
        self.level, self.ease = level, ease
        self._power = 1 - ease
        self._rate: float = math.exp(level) * SCALE_S**ease
        self._scale = self._rate / self._power

    def at(self, age: float) -> float:
        return self._rate * math.pow(age + YOUNG_S, -self.ease)

    def staying(self, age: float, later: float) -> float:
        """Probability to be there ``later`` seconds on, for one who has waited ``age``."""
        if later <= 0:
            return 1.0
        begin = age + YOUNG_S
        power = self._power
        return math.exp(self._scale * (begin**power - (begin + later) ** power))


def fitted(waits: Iterable[tuple[float, bool]], rate: float) -> Hazard:
    """From whole waits (s, whether it ended by hanging up), begun from ``rate``."""
    found = Patience(rate)
    for waited, hung_up in waits:
        found.watched(waited)
        if hung_up:
            found.hang_up(waited)
    found._fit()
    return found.hazard


class Patience:
    """Learns level and ease, Poisson, with normal priors; ``hazard`` is what they are now.

    ``doubt``: variance of the level, which is about the relative variance of the rate.
    """

    __slots__ = ("_ages", "_exposure", "_fitted_at", "_hangups", "_prior", "doubt", "hazard")

    def __init__(self, rate: float) -> None:
        self._prior = math.log(rate)
        self.hazard = Hazard(self._prior, EASE)
        self.doubt = LEVEL_SD**2
        self._exposure = [0.0] * len(MIDS)
        self._hangups = [0.0] * len(MIDS)
        self._ages: list[OrderedDict[int, Place]] = [OrderedDict() for _ in MIDS]
        self._fitted_at = -math.inf

    def begin(self, place: Place) -> None:
        self._ages[0][place.seq] = place
        place.cell = 0

    def end(self, place: Place) -> None:
        self._ages[place.cell].pop(place.seq, None)

    def watched(self, waited: float) -> None:
        """One waited so long, from the beginning."""
        for cell, (low, high) in enumerate(pairwise((0.0, *EDGES, math.inf))):
            self._exposure[cell] += max(0.0, min(waited, high) - low)

    @property
    def pooled(self) -> float:
        """Hang-ups per second over all who wait or lately did, however long each had waited."""
        seen = sum(self._exposure)
        if seen <= 0:
            return self.hazard.at(MIDS[1])
        rates = zip(MIDS, self._exposure, strict=True)
        return sum(self.hazard.at(mid) * seconds for mid, seconds in rates) / seen

    def hang_up(self, age: float) -> None:
        self._hangups[sum(age >= edge for edge in EDGES)] += 1

    def advance(self, t: float, passed: float, *, fit: bool = True) -> None:
        """``passed`` seconds were waited by all in the line until ``t``; fits anew when it is time.

        Not when somebody only asks (``fit``): what is learned comes from what happened, not from who asked.
        """
        for cell, ages in enumerate(self._ages):
            if ages:
                self._exposure[cell] += len(ages) * passed
        for cell, edge in enumerate(EDGES):
            ages = self._ages[cell]
            while ages:
                seq, place = next(iter(ages.items()))
                if t - place.born < edge:
                    break
                del ages[seq]
                self._ages[cell + 1][seq] = place
                place.cell = cell + 1
        if fit and t - self._fitted_at >= EVERY_S:
            self._forget(t - self._fitted_at)
            self._fitted_at = t
            self._fit()

    def _forget(self, passed: float) -> None:
        fade = 0.5 ** (passed / HALF_LIFE_S) if passed < math.inf else 1.0
        self._exposure = [seconds * fade for seconds in self._exposure]
        self._hangups = [count * fade for count in self._hangups]

    def _fit(self) -> None:
        """Newton's steps to the posterior mode, from the last fit."""
        level, ease = self.hazard.level, self.hazard.ease
        for _ in range(4):
            g0, g1 = (self._prior - level) / LEVEL_SD**2, (EASE - ease) / EASE_SD**2
            h00, h01, h11 = 1 / LEVEL_SD**2, 0.0, 1 / EASE_SD**2
            for log, seconds, count in zip(_LOGS, self._exposure, self._hangups, strict=True):
                expected = seconds * math.exp(level - ease * log)
                g0 += count - expected
                g1 -= (count - expected) * log
                h00 += expected
                h01 -= expected * log
                h11 += expected * log * log
            whole = h00 * h11 - h01 * h01
            level += min(1.0, max(-1.0, (h11 * g0 - h01 * g1) / whole))
            ease += min(0.3, max(-0.3, (h00 * g1 - h01 * g0) / whole))
            ease = min(MOST_EASE, max(LEAST_EASE, ease))
        self.hazard = Hazard(level, ease)
        self.doubt = h11 / whole
