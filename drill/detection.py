"""How soon the spike detector sees a surge, and how often it cries wolf: ``python -m drill.detection``.

Simulated: weeks of calls with the hourly shape of a support line, each day up or down by 15 % (log normal),
and ramps to a multiple over five minutes, at a random minute between 8 and 22 o'clock. Beside it the plain
rule "the last five minutes are above twice what is usual".

Beside that the shapes of the drill's scenarios, the reported outages among them: what is ordinary there is
usual, and those who ring about the outage come on top.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from drill.scenarios import written
from drill.scenarios.written import Scenario
from surge.detector import Spike, alarms, baseline, count

SHAPE = (
    0.25, 0.18, 0.12, 0.1, 0.12, 0.25, 0.5, 0.8, 1.1, 1.35, 1.5, 1.7,
    1.8, 1.6, 1.4, 1.35, 1.5, 1.75, 1.8, 1.55, 1.25, 0.9, 0.6, 0.4,
)  # fmt: skip
"""Calls by the hour of the day, beside the day's mean: a restaurant's line, busiest at lunch and dinner."""
WEEKDAY = (0.85, 0.85, 0.9, 0.95, 1.15, 1.25, 1.05)
DAY_SPREAD = 0.15
VOLUMES = (9.6, 1.9, 0.48)
"""Calls a minute on average."""
FACTORS = (2, 3, 5, 10)
RAMP_MIN = 5
GIVE_UP_MIN = 60
WEEK_MIN = 7 * 24 * 60
WARM_MIN = 360
"""Before a ramp the detector has seen six hours."""

Rule = Callable[[Sequence[int], Sequence[float]], Iterator[bool]]
"""Calls and usual calls, minute by minute, to whether it alarms in each."""


def cusum(calls: Sequence[int], usual: Sequence[float]) -> Iterator[bool]:
    spike = Spike()
    for came, expected in zip(calls, usual, strict=True):
        spike = count(spike, came, expected)
        yield alarms(spike)


def twice(calls: Sequence[int], usual: Sequence[float]) -> Iterator[bool]:
    """The plain rule."""
    for end in range(1, len(calls) + 1):
        start = max(0, end - 5)
        yield sum(calls[start:end]) > 2 * sum(usual[start:end]) and end >= 5


@dataclass(frozen=True, slots=True)
class Row:
    volume: float
    rule: str
    false_days_pct: float
    """Of the days without a ramp, those with an alarm."""
    alarms_per_day: float
    found_pct: tuple[float, ...]
    """By factor: seen within an hour of the ramp's beginning …"""
    minutes: tuple[float | None, ...]
    """… and the median minutes to that; None when not even half were seen."""


def rates(volume: float, drawn: random.Random) -> list[float]:
    """The true rate of each minute of a week."""
    levels = [math.exp(drawn.gauss(0, DAY_SPREAD)) for _ in range(7)]
    mean = sum(SHAPE) / 24
    made = []
    for minute in range(WEEK_MIN):
        day, hour = divmod(minute // 60, 24)
        share = (minute % 60) / 60
        shape = (1 - share) * SHAPE[hour] + share * SHAPE[(hour + 1) % 24]
        made.append(volume * shape / mean * WEEKDAY[day] * levels[day])
    return made


def poisson(rate: float, drawn: random.Random) -> int:
    """Counted by exponential gaps; large rates in parts."""
    came = 0
    while rate > 20:
        came, rate = came + poisson(20, drawn), rate - 20
    limit, product = math.exp(-rate), drawn.random()
    while product > limit:
        came, product = came + 1, product * drawn.random()
    return came


def hourly(calls: Sequence[int]) -> dict[int, int]:
    return {hour: sum(calls[hour * 60 : hour * 60 + 60]) for hour in range(168)}


def measure(volume: float, weeks: int, ramps: int, seed: int) -> list[Row]:
    """Both rules on the same calls. Six earlier weeks are the record; ``weeks`` clean ones follow."""
    drawn = random.Random(seed)

    def week() -> tuple[list[float], list[int]]:
        true = rates(volume, drawn)
        return true, [poisson(rate, drawn) for rate in true]

    record = [hourly(week()[1]) for _ in range(6)]
    usual = [baseline(record, minute) for minute in range(WEEK_MIN)]
    clean = [week() for _ in range(weeks)]
    tried = [_ramps(factor, ramps, clean, usual, drawn) for factor in FACTORS]
    return [_row(volume, name, rule, [calls for _, calls in clean], usual, tried) for name, rule in RULES]


RULES: tuple[tuple[str, Rule], ...] = (("CUSUM", cusum), ("last 5 min > 2x", twice))
Try = tuple[list[int], list[float]]


def _ramps(
    factor: int, many: int, clean: Sequence[tuple[list[float], list[int]]], usual: Sequence[float],
    drawn: random.Random,
) -> list[Try]:  # fmt: skip
    """Six clean hours, then an hour that rises to ``factor`` times its rate in five minutes."""
    made = []
    for _ in range(many):
        true, calls = drawn.choice(clean)
        begin = drawn.randrange(7) * 1440 + drawn.randrange(8 * 60, 21 * 60)
        more = [
            poisson(true[begin + at] * (1 + (factor - 1) * min(1.0, (at + 1) / RAMP_MIN)), drawn)
            for at in range(GIVE_UP_MIN)
        ]
        start = begin - WARM_MIN
        made.append((calls[start:begin] + more, list(usual[start : begin + GIVE_UP_MIN])))
    return made


def _row(
    volume: float, name: str, rule: Rule, clean: Sequence[list[int]], usual: Sequence[float],
    tried: Sequence[Sequence[Try]],
) -> Row:  # fmt: skip
    false_days, false_alarms, days = 0, 0, 7 * len(clean)
    for calls in clean:
        on = list(rule(calls, usual))
        begun = [at for at in range(WEEK_MIN) if on[at] and not (at and on[at - 1])]
        false_alarms += len(begun)
        false_days += len({at // 1440 for at in begun})
    found, minutes = [], []
    for tries in tried:
        took = sorted(_took(rule, *each) for each in tries)
        seen = [each for each in took if each <= GIVE_UP_MIN]
        middle = took[len(took) // 2]
        found.append(100 * len(seen) / len(took))
        minutes.append(middle if middle <= GIVE_UP_MIN else None)
    return Row(volume, name, 100 * false_days / days, false_alarms / days, tuple(found), tuple(minutes))


def _took(rule: Rule, calls: Sequence[int], usual: Sequence[float]) -> float:
    """Minutes from the ramp's beginning to the first alarm in it; infinite without one."""
    on = list(rule(calls, usual))[WARM_MIN:]
    return next((at for at, alarm in enumerate(on, start=1) if alarm), math.inf)


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """Of one scenario, over so many drawn days. ``double``: minutes from the first call about the outage that
    may come to where calls come at twice the usual rate; None where they never do."""

    name: str
    usual: float
    highest: float
    """Calls a minute at the worst."""
    double: int | None
    minutes: tuple[float, float, float] | None
    """From there to the alarm, the p10, p50 and p90 of the days; below 0: before. None without an outage."""
    alarmed_pct: float
    """Of the days, those with an alarm; without an outage each of them is a false one."""


def shape(name: str, scenario: Scenario, days: int, seed: int) -> ShapeRow:
    """Six quiet hours at the scenario's first ordinary rate, then its day."""
    minutes = range(math.ceil(scenario.begins), math.ceil(scenario.ends))
    usual = [sum(each.rate(at) for each in scenario.arrivals if not each.about) for at in minutes]
    more = [sum(each.rate(at) for each in scenario.arrivals if each.about) for at in minutes]
    drawn = random.Random(f"{seed} {name}")
    before = [usual[0]] * WARM_MIN
    rate = [a + b for a, b in zip(usual, more, strict=True)]
    found = sorted(
        _took(cusum, [poisson(each, drawn) for each in before + rate], before + usual) for _ in range(days)
    )
    first = next((at for at, each in enumerate(more) if each > 0), 0)
    double = next((at for at, each in enumerate(more) if each > 0 and each >= usual[at]), None)
    span = None
    if double is not None:
        low, middle, high = (found[round(share * (days - 1))] - double for share in (0.1, 0.5, 0.9))
        span = (low, middle, high)
    return ShapeRow(
        name, usual[0], max(rate),
        None if double is None else double - first, span, 100 * sum(map(math.isfinite, found)) / days,
    )  # fmt: skip


def shapes_table(rows: Sequence[ShapeRow]) -> str:
    """Markdown."""
    head = [
        "scenario", "calls/min: usual, highest", "twice the usual, after the first call",
        "alarm after that: p10, p50, p90", "days with an alarm",
    ]  # fmt: skip
    lines = [head, ["---"] * len(head)]
    for row in rows:
        double = "never" if row.double is None else f"{row.double} min"
        found = "–" if row.minutes is None else ", ".join(f"{each:.0f}" for each in row.minutes) + " min"
        calls = f"{row.usual:.1f}, {row.highest:.0f}"
        lines.append([row.name, calls, double, found, f"{row.alarmed_pct:.1f}%"])
    return _markdown(lines)


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    head = ["calls/min", "rule", "days with a false alarm", "false alarms a day"]
    head += [f"{factor}x" for factor in FACTORS]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        cells = [f"{row.volume:g}", row.rule, f"{row.false_days_pct:.1f}%", f"{row.alarms_per_day:.2f}"]
        for found, minutes in zip(row.found_pct, row.minutes, strict=True):
            middle = "–" if minutes is None else f"{minutes:.0f} min"
            cells.append(middle if found >= 99.5 else f"{middle} ({found:.0f}%)")
        lines.append(cells)
    return _markdown(lines)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m drill.detection", description=__doc__)
    asked.add_argument("--weeks", type=int, default=20, help="weeks without a ramp (default 20)")
    asked.add_argument("--ramps", type=int, default=300, help="ramps of each size (default 300)")
    asked.add_argument("--days", type=int, default=500, help="days of each scenario (default 500)")
    asked.add_argument("--seed", type=int, default=1)
    wishes = asked.parse_args()
    rows = [row for volume in VOLUMES for row in measure(volume, wishes.weeks, wishes.ramps, wishes.seed)]
    print(table(rows))
    print()
    known = [(name, written.read(written.find(name))) for name in written.names()]
    print(shapes_table([shape(name, each, wishes.days, wishes.seed) for name, each in known]))


if __name__ == "__main__":
    main()
