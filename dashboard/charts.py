"""Charts as values: where each bar and dot of a report stands. The template draws them as inline SVG.

Pure. Coordinates are in the units of the SVG's view box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 960.0
HEIGHT = 280.0
LEFT = 44.0
RIGHT = 48.0
TOP = 16.0
BOTTOM = 34.0
MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class Point:
    """One stretch of a chart: ``share`` is the service level, 0 to 1, None when nothing was offered."""

    label: str
    answered: int
    abandoned: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    width: float
    answered_y: float
    answered_height: float
    abandoned_y: float
    abandoned_height: float
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    word: str


@dataclass(frozen=True, slots=True)
class Chart:
    width: float
    height: float
    left: float
    right: float
    floor: float
    bars: list[Bar]
    rules: list[Tick]
    labels: list[Tick]
    shares: list[str]
    """The service level as polylines, broken where there was none."""
    dots: list[tuple[float, float]]
    target_y: float
    share_ticks: list[Tick]


def volume_chart(points: Sequence[Point], target_pct: int) -> Chart:
    """Bars of answered and abandoned contacts, and the service level over them on its own scale."""
    most = nice(max((point.answered + point.abandoned for point in points), default=0))
    floor, tall = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT - RIGHT) / max(1, len(points))
    bars, labels, dots = [], [], []
    lines: list[list[str]] = [[]]
    every = -(-len(points) // MOST_LABELS)
    for i, point in enumerate(points):
        x = LEFT + i * step
        answered, abandoned = (tall * number / most for number in (point.answered, point.abandoned))
        title = f"{point.label}: {point.answered} answered, {point.abandoned} abandoned"
        width = max(1.0, step * 0.72)
        bars.append(
            Bar(
                x=round(x + (step - width) / 2, 1),
                width=round(width, 1),
                answered_y=round(floor - answered, 1),
                answered_height=round(answered, 1),
                abandoned_y=round(floor - answered - abandoned, 1),
                abandoned_height=round(abandoned, 1),
                title=title,
            )
        )
        if i % every == 0:
            labels.append(Tick(round(x + step / 2, 1), point.label))
        if point.share is None:
            lines.append([])
        else:
            at = (round(x + step / 2, 1), round(floor - tall * point.share, 1))
            lines[-1].append(f"{at[0]},{at[1]}")
            dots.append(at)
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        floor=floor,
        bars=bars,
        rules=[Tick(round(floor - tall * part / 4, 1), f"{most * part // 4:,}") for part in range(5)],
        labels=labels,
        shares=[" ".join(line) for line in lines if len(line) > 1],
        dots=dots if len(dots) <= 48 else [],
        target_y=round(floor - tall * target_pct / 100, 1),
        share_ticks=[Tick(round(floor - tall * part / 2, 1), f"{part * 50} %") for part in range(3)],
    )


def nice(most: int) -> int:
    """The top of a scale: a round number of at least ``most`` that four even steps divide."""
    scale = 1
    while True:
        for step in (4, 8, 12, 20):
            if step * scale >= most:
                return step * scale
        scale *= 10


# -- a histogram -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Column:
    """``level``: "" inside what was aimed at, "near" and "past" outside, on one side and the other."""

    x: float
    y: float
    width: float
    height: float
    middle: float
    count: int
    words: str
    lines: tuple[str, str]
    level: str


@dataclass(frozen=True, slots=True)
class Histogram:
    width: float
    height: float
    left: float
    right: float
    floor: float
    columns: list[Column]
    rules: list[Tick]


def histogram(counts: Sequence[tuple[str, int, str]]) -> Histogram:
    """A column for each of (words, count, level). The words are parted into two lines for their label."""
    most = nice(max((count for _, count, _ in counts), default=0))
    high = HEIGHT * 1.4
    floor, top = high - BOTTOM - 14, TOP + 8
    tall = floor - top
    step = (WIDTH - LEFT - 8) / max(1, len(counts))
    columns = []
    for i, (words, count, level) in enumerate(counts):
        height, x = tall * count / most, LEFT + i * step
        first, _, last = words.rpartition(" ")
        columns.append(
            Column(
                x=round(x + step * 0.12, 1),
                y=round(floor - height, 1),
                width=round(step * 0.76, 1),
                height=round(height, 1),
                middle=round(x + step / 2, 1),
                count=count,
                words=words,
                lines=(first, last),
                level=level,
            )
        )
    rules = [Tick(round(floor - tall * part / 4, 1), f"{most * part // 4:,}") for part in range(5)]
    return Histogram(WIDTH, high, LEFT, WIDTH - 8, floor, columns, rules)
