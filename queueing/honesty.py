"""How true the told waits were: the words that callers heard against the waits they then had. Pure.

A wait is told in whole minutes, rounded up, so it is judged in whole minutes, rounded up. Who was answered
had a wait. Of who left before, it is only known that it would have been longer: where it had passed the told
range already they count as late, else as not known; so do those who still wait.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

GOAL = 0.8
"""Of ten waits, so many should fall into the told range."""
LEVELS_MIN = (2, 5, 10, 20, 30, 60)


@dataclass(frozen=True, slots=True)
class ToldRow:
    """What one caller heard first, and until when they then waited. ``high_min`` None: "more than"."""

    told_ms: int
    low_min: int
    high_min: int | None
    until_ms: int
    """Answered or gone; now, for one who still waits."""
    answered: bool


@dataclass(frozen=True, slots=True)
class Honesty:
    """``told`` callers; of ``known`` it is known whether the range held. Shares of ``known``, None for none.

    ``late`` waited longer than told. ``bias_s`` is the middle of the range less the wait, on average over who
    was answered and told a range; more than nought: told too long. ``had_s`` is their mean wait.
    """

    told: int = 0
    known: int = 0
    in_range: float | None = None
    late: float | None = None
    bias_s: float | None = None
    had_s: float | None = None


def honesty(rows: Iterable[ToldRow]) -> Honesty:
    """Of these callers."""
    told = known = inside = late = 0
    errors, waits = [], []
    for row in rows:
        told += 1
        had_s = max(0, row.until_ms - row.told_ms) / 1000
        minutes = math.ceil(had_s / 60)
        is_late = row.high_min is not None and minutes > row.high_min
        if not row.answered and not is_late:
            continue
        known += 1
        late += is_late
        inside += not is_late and minutes >= row.low_min
        if row.answered and row.high_min is not None:
            errors.append((row.low_min + row.high_min) * 30 - had_s)
            waits.append(had_s)
    return Honesty(
        told,
        known,
        inside / known if known else None,
        late / known if known else None,
        sum(errors) / len(errors) if errors else None,
        sum(waits) / len(waits) if waits else None,
    )


def grouped(rows: Iterable[ToldRow], name_of: Callable[[ToldRow], str]) -> Mapping[str, Honesty]:
    """By a name of each row, in the names' order."""
    groups: dict[str, list[ToldRow]] = {}
    for row in rows:
        groups.setdefault(name_of(row), []).append(row)
    return {name: honesty(groups[name]) for name in sorted(groups)}


def level(row: ToldRow) -> str:
    """By what was told, since by what was had the long waits would all seem told short."""
    middle = (row.low_min + row.high_min) / 2 if row.high_min is not None else math.inf
    low = max(bound for bound in (0, *LEVELS_MIN) if bound <= middle)
    high = min((bound for bound in LEVELS_MIN if bound > middle), default=None)
    return f"{low:02} min and more" if high is None else f"{low:02}–{high:02} min"
