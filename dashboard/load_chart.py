"""The chart of load against capacity: an hour back, an hour ahead. Pure; the template draws it as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboard.charts import BOTTOM, HEIGHT, LEFT, TOP, WIDTH, Tick, nice

RIGHT = 12.0
LABEL_MINUTES = 15


@dataclass(frozen=True, slots=True)
class Minute:
    """``offered``: erlangs, how many agents the callers of this minute would keep busy; ``capacity``: agents
    in. None where it is not known."""

    offset: int
    """Minutes from now; below zero: past."""
    offered: float | None
    capacity: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table beside the chart."""

    word: str
    offered: str
    capacity: str
    with_surge: str


@dataclass(frozen=True, slots=True)
class LoadChart:
    width: float
    height: float
    left: float
    right: float
    floor: float
    now_x: float
    offered: str
    area: str
    capacity: str
    ahead: str
    ahead_surge: str
    rules: list[Tick]
    labels: list[Tick]
    rows: list[Row]


def load_chart(
    past: Sequence[Minute],
    ahead: Sequence[float],
    ahead_surge: Sequence[float],
    capacity: Sequence[float],
    word: Callable[[int], str],
) -> LoadChart:
    """``past`` in order of time up to now; ``ahead``: the load offered in each minute to come, without surge
    and with it; ``capacity``: the agents of each of them, of one at least. ``word`` makes the words of an
    offset in minutes."""
    back, on = max((-minute.offset for minute in past), default=0), max(len(ahead), len(ahead_surge), 1)
    known = [value for minute in past for value in (minute.offered, minute.capacity) if value is not None]
    most = nice(max(4, round(max([*known, *ahead, *ahead_surge, *capacity], default=4) + 0.5)))
    floor, tall = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    wide = WIDTH - LEFT - RIGHT

    def x(offset: float) -> float:
        return round(LEFT + wide * (offset + back) / max(1, back + on), 1)

    def y(value: float) -> float:
        return round(floor - tall * min(value, most) / most, 1)

    offered = [(x(m.offset), y(m.offered)) for m in past if m.offered is not None]
    capacities = [(x(m.offset), y(m.capacity)) for m in past if m.capacity is not None]
    for i, (before, agents) in enumerate(pairwise([capacity[0], *capacity])):
        if i == 0 or agents != before:
            capacities += [(x(i), y(before)), (x(i), y(agents))]
    capacities.append((x(on), y(capacity[-1])))
    last = past[-1].offered if past and past[-1].offered is not None else None
    start = [(x(0), y(last))] if last is not None else []
    area = [*offered, (offered[-1][0], floor), (offered[0][0], floor)] if offered else []
    return LoadChart(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        floor=floor,
        now_x=x(0),
        offered=_points(offered),
        area=_points(area),
        capacity=_points(capacities),
        ahead=_points([*start, *((x(i + 1), y(value)) for i, value in enumerate(ahead))]),
        ahead_surge=_points([*start, *((x(i + 1), y(value)) for i, value in enumerate(ahead_surge))]),
        rules=[Tick(round(floor - tall * part / 4, 1), f"{most * part // 4:,}") for part in range(5)],
        labels=[
            Tick(x(offset), word(offset))
            for offset in range(-back, on + 1, LABEL_MINUTES)
            if -back < offset < on
        ],
        rows=_rows(past, ahead, ahead_surge, capacity, word),
    )


def _rows(
    past: Sequence[Minute],
    ahead: Sequence[float],
    surge: Sequence[float],
    capacity: Sequence[float],
    say: Callable[[int], str],
) -> list[Row]:
    """Every tenth minute."""
    rows = [
        Row(say(m.offset), _figure(m.offered), _figure(m.capacity), "") for m in past if m.offset % 10 == 0
    ]
    for i in range(9, len(ahead), 10):
        with_surge = surge[i] if i < len(surge) else None
        rows.append(
            Row(
                say(i + 1),
                _figure(ahead[i]),
                _figure(capacity[min(i, len(capacity) - 1)]),
                _figure(with_surge),
            )
        )
    return rows


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def smoothed(per_minute: Sequence[int], over: int = 5) -> list[float]:
    """The mean of each minute and those before it: single minutes jump."""
    found = []
    for i in range(len(per_minute)):
        window = per_minute[max(0, i - over + 1) : i + 1]
        found.append(sum(window) / len(window))
    return found
