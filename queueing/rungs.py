"""Waits by position, as a short ladder: a few positions are estimated, those between are interpolated.

The estimator lives in one process; what all others know of it is this. Whoever stands between two others in
a queue waits about as long as they, whatever their bands, so one ladder serves the queue; who comes next
stands behind a different key in each band, and has a rung of their own at the end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from queueing.ranges import Estimate

Rung = tuple[int, Estimate]
"""The wait at a position, 1 being next."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The waits in one queue. ``newcomers``: of one who would join now, by band.

    ``silence``: why no wait may be told (``Estimator.silence``, or "endless": only of those in ``rungs`` it
    may, who are served before the agents leave); "" where it may.
    """

    rungs: tuple[Rung, ...] = ()
    newcomers: Mapping[str, Rung] = field(default_factory=dict)
    silence: str = "few"

    def at(self, position: int, band: str = "") -> Estimate | None:
        """The wait at a position; beyond the last rung it goes on as steeply. None: nothing honest is known.

        ``band`` matters only for who came after the ladder was made.
        """
        if self.silence not in ("", "endless") or position < 1:
            return None
        rungs = list(self.rungs)
        if self.silence and (not rungs or position > rungs[-1][0]):
            return None
        end = self.newcomers.get(band) or max(self.newcomers.values(), default=None, key=lambda rung: rung[0])
        if end and (not rungs or end[0] > rungs[-1][0]):
            rungs.append(end)
        return _between(rungs, position) if rungs else None

    @property
    def newcomer(self) -> Estimate | None:
        """The wait of who comes now, in the band that waits longest."""
        return None if self.silence else self.foreseen

    @property
    def foreseen(self) -> Estimate | None:
        """The same, even where ranges have missed too often to be told: to plan by."""
        if not self.newcomers:
            return None
        return max((rung[1] for rung in self.newcomers.values()), key=lambda wait: wait.p50)

    def packed(self) -> str:
        """One word of text: ``1:20:30:45:31,2:…/p1:1:…,p2:…``, whole seconds; ``!few/`` if silent."""
        ends = (f"{band}:{_packed(rung)}" for band, rung in self.newcomers.items())
        told = [f"!{self.silence}"] if self.silence else []
        return ",".join([*told, *map(_packed, self.rungs)]) + "/" + ",".join(ends)

    @classmethod
    @lru_cache(maxsize=64)
    def unpacked(cls, text: str) -> Ladder:
        """What is no ladder tells nothing. Everybody who asks within a second reads the same one."""
        rungs, _, ends = text.partition("/")
        silence = "" if text else "few"
        if rungs.startswith("!"):
            silence, _, rungs = rungs[1:].partition(",")
        try:
            named = (end.split(":", 1) for end in ends.split(",") if end)
            return cls(
                tuple(_unpacked(rung) for rung in rungs.split(",") if rung),
                {band: _unpacked(rung) for band, rung in named},
                silence,
            )
        except ValueError:
            return cls()


def chosen(waiting: int) -> Iterator[int]:
    """The positions to estimate, from 1: every one at first, then each a third further on, and the last."""
    position = 1
    while position < waiting:
        yield position
        position += max(1, position // 3)
    if waiting > 0:
        yield waiting


def shifted(wait: Estimate, later_s: float) -> Estimate:
    return Estimate(*(seconds + later_s for seconds in (wait.p10, wait.p50, wait.p90, wait.mean)))


def _between(rungs: Sequence[Rung], position: int) -> Estimate:
    at = bisect_left(rungs, position, key=lambda rung: rung[0])
    if at < len(rungs) and rungs[at][0] == position:
        return rungs[at][1]
    if at == len(rungs):
        (one, low), (other, high) = (rungs[-2] if len(rungs) > 1 else (0, _NOW)), rungs[-1]
    else:
        (one, low), (other, high) = (rungs[at - 1] if at else (0, _NOW)), rungs[at]
    part = (position - one) / (other - one)
    return Estimate(*(max(0.0, a + part * (b - a)) for a, b in zip(_all(low), _all(high), strict=True)))


_NOW = Estimate(0.0, 0.0, 0.0, 0.0)


def _all(wait: Estimate) -> Iterable[float]:
    return wait.p10, wait.p50, wait.p90, wait.mean


def _packed(rung: Rung) -> str:
    return ":".join([str(rung[0]), *(f"{seconds:.0f}" for seconds in _all(rung[1]))])


def _unpacked(text: str) -> Rung:
    position, *seconds = text.split(":")
    p10, p50, p90, mean = map(float, seconds)
    return int(position), Estimate(p10, p50, p90, mean)
