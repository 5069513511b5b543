"""What became of the promises: how many were kept, how punctually, and after how many tries.

Pure: plain rows in, counts out. A promise is never an abandoned call, nor an offered or answered one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from callbacks.policy import MINUTE_MS
from callbacks.states import OPEN, PromiseState


@dataclass(frozen=True, slots=True)
class Row:
    """One promise, as far as the reports look at it. Times are milliseconds since the epoch.

    ``from_ms``: not to be rung before this (a window's start; when it was made, for a promise at its turn).
    ``by_ms``: the end of what was promised, 0 when no time was told. ``tries``: those in vain.
    """

    state: PromiseState
    queue: str
    made_ms: int
    from_ms: int
    by_ms: int
    first_rung_ms: int | None = None
    met_ms: int | None = None
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """How many promises ended how. ``made`` is the sum of all the others."""

    made: int = 0
    on_time: int = 0
    late: int = 0
    unreachable: int = 0
    cancelled: int = 0
    superseded: int = 0
    resolved: int = 0
    expired: int = 0
    open: int = 0

    @property
    def kept(self) -> int:
        """on_time + late."""
        return self.on_time + self.late

    @property
    def kept_pct(self) -> float | None:
        """100 x kept / (kept + unreachable + expired): of those that were ours to keep and are over. A
        promise that was withdrawn, resolved or overtaken by the merchant is not in it. None when there are
        none."""
        return _pct(self.kept, self.kept + self.unreachable + self.expired)

    @property
    def on_time_pct(self) -> float | None:
        """100 x on_time / kept; None when none was kept."""
        return _pct(self.on_time, self.kept)


class Measured(StrEnum):
    """By what punctuality is measured."""

    FIRST_RING = "first_ring"
    """When the merchant's phone was first rung: what is in our hands."""

    MET = "met"
    """When merchant and agent met."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many promises deviated by more than ``over_min`` and at most ``to_min`` minutes (an end that is
    None is open; early is negative). The bucket from 0 to 0 holds what was inside the promised time."""

    over_min: int | None
    to_min: int | None
    count: int


_EDGES = (1, 5, 15, 30, 60)
"""Minutes late, or early, at which a bucket ends."""


def tally(rows: Iterable[Row]) -> Tally:
    """The counts. A kept promise is on time when merchant and agent met by ``by_ms``, or when no time was
    told; a kept one that does not know when they met counts by its first ring, and as late without one."""
    counts = Counter(_ending(row) for row in rows)
    return Tally(made=counts.total(), **counts)


def grouped(rows: Iterable[Row], key: Callable[[Row], str]) -> dict[str, Tally]:
    """The counts of each group, in the groups' order by name."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return {name: tally(groups[name]) for name in sorted(groups)}


def by_queue(row: Row) -> str:
    """A key for ``grouped``."""
    return row.queue


def by_day(time_zone: str) -> Callable[[Row], str]:
    """A key for ``grouped``: the day on which it was made, "2024-03-05", on the clock of ``time_zone``."""
    zone = ZoneInfo(time_zone)
    return lambda row: f"{datetime.fromtimestamp(row.made_ms / 1000, zone):%Y-%m-%d}"


def by_hour(time_zone: str) -> Callable[[Row], str]:
    """A key for ``grouped``: the hour in which it was made, "2024-03-05T14:00-05:00". The distance from UTC
    keeps the two readings of an hour apart."""
    zone = ZoneInfo(time_zone)

    def key(row: Row) -> str:
        at = datetime.fromtimestamp(row.made_ms / 1000, zone)
        return at.replace(minute=0, second=0, microsecond=0).isoformat(timespec="minutes")

    return key


def deviation_ms(row: Row, measured: Measured = Measured.FIRST_RING) -> int | None:
    """How far off the promised time it was: 0 inside, t - by_ms after it, t - from_ms (negative) before it.

    t is the first ring, or when they met. None when there was none, or when no time was told.
    """
    at_ms = row.first_rung_ms if measured is Measured.FIRST_RING else row.met_ms
    if at_ms is None or not row.by_ms:
        return None
    if at_ms > row.by_ms:
        return at_ms - row.by_ms
    return min(0, at_ms - row.from_ms)


def punctuality(rows: Iterable[Row], measured: Measured = Measured.FIRST_RING) -> list[Bucket]:
    """The promises by how far off the promised time they were, earliest first; every bucket is there.

    Early and late end at 1, 5, 15, 30 and 60 minutes. Those without a deviation (see ``deviation_ms``) are
    in none: they are in the tally.
    """
    last = len(_EDGES) + 1
    counts: Counter[int] = Counter()
    for row in rows:
        off_ms = deviation_ms(row, measured)
        if off_ms is not None:
            place = bisect_left(_EDGES, abs(off_ms) / MINUTE_MS) + 1 if off_ms else 0
            counts[place if off_ms > 0 else -place] += 1
    return [Bucket(*_ends(place), counts[place]) for place in range(-last, last + 1)]


def tries(rows: Iterable[Row]) -> Mapping[int, int]:
    """How many promises that were rung at all were rung how often: attempts to promises, in order.

    attempts = tries in vain, and one more when they met.
    """
    rung = Counter(row.tries + (row.met_ms is not None) for row in rows)
    return {attempts: rung[attempts] for attempts in sorted(rung) if attempts}


def _ending(row: Row) -> str:
    if row.state in OPEN:
        return "open"
    if row.state is not PromiseState.KEPT:
        return row.state.value
    if not row.by_ms:
        return "on_time"
    at_ms = row.first_rung_ms if row.met_ms is None else row.met_ms
    return "on_time" if at_ms is not None and at_ms <= row.by_ms else "late"


def _ends(place: int) -> tuple[int | None, int | None]:
    """The ends of the bucket ``place`` steps from the middle."""
    ends: tuple[int | None, ...] = (0, *_EDGES, None)
    if place == 0:
        return 0, 0
    near, far = ends[abs(place) - 1], ends[abs(place)]
    if place > 0:
        return near, far
    return None if far is None else -far, -(near or 0)


def _pct(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
