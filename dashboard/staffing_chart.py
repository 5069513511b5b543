"""Agents needed through a day, as values; the template draws them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.charts import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Tick, nice
from queueing.needed import Slot


@dataclass(frozen=True, slots=True)
class Step:
    """One half hour: the column of what is needed, and the cap of the busiest day above it."""

    x: float
    width: float
    y: float
    height: float
    most_y: float
    most_height: float
    title: str


@dataclass(frozen=True, slots=True)
class StaffingChart:
    """``were_in``, ``planned``: the points of a stepped line; "" when that is not known."""

    width: float
    height: float
    left: float
    right: float
    floor: float
    steps: Sequence[Step]
    were_in: str
    planned: str
    rules: Sequence[Tick]
    labels: Sequence[Tick]


def staffing_chart(slots: Sequence[Slot]) -> StaffingChart:
    """Of all half hours of a day."""
    tallest = max(max(slot.agents_most, slot.agents, slot.were_in or 0, slot.planned or 0) for slot in slots)
    most = nice(int(tallest + 0.999))
    floor, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    tall, step = floor - TOP, (right - LEFT) / len(slots)
    steps = []
    for at, slot in enumerate(slots):
        x, high = LEFT + at * step, tall * slot.agents / most
        above = tall * max(0, slot.agents_most - slot.agents) / most
        when, busiest = f"{slot.minute // 60:02}:{slot.minute % 60:02}", f"{slot.agents_most} for {slot.most}"
        steps.append(
            Step(
                round(x + step * 0.12, 1),
                round(step * 0.76, 1),
                round(floor - high, 1),
                round(high, 1),
                round(floor - high - above, 1),
                round(above, 1),
                f"{when}: {slot.agents} agents for {slot.calls:.1f} calls, {busiest}",
            )
        )

    def line(agents: Sequence[float | None]) -> str:
        heights = [round(floor - tall * n / most, 1) for n in agents if n is not None]
        return " ".join(
            f"{LEFT + at * step:.1f},{y} {LEFT + (at + 1) * step:.1f},{y}" for at, y in enumerate(heights)
        )

    return StaffingChart(
        WIDTH,
        HEIGHT,
        LEFT,
        right,
        floor,
        steps,
        line([slot.were_in for slot in slots]),
        line([slot.planned for slot in slots]),
        [Tick(round(floor - tall * part / 4, 1), f"{most * part / 4:g}") for part in range(5)],
        [Tick(round(LEFT + (at + 0.5) * step, 1), f"{at // 2:02}:00") for at in range(0, len(slots), 6)],
    )
