"""The phone line as an incident's first detector: a spike against the same hour of earlier weeks, the offered
load against what the agents can do, and what it is that rings.

Pure. The spike is a Poisson CUSUM for a doubling (Page 1954; log likelihood ratio x ln 2 - L a minute).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

LEAST_PER_MIN = 1 / 60
"""No hour is expected to be quieter than this: a few calls at night are no spike."""
LEVEL_RANGE = (0.6, 1.6)
"""How far a whole day may differ from other weeks without being a spike."""
LEVEL_MEMORY_MIN = 180.0
"""Minutes after which a day's level has mostly forgotten what it was."""
LEVEL_PRIOR = 30.0
"""Calls that a day must have had before it is believed to differ."""
BACKLOG_S = 900
"""In which time those who wait already are to be served: their work is offered load too."""
ATTRIBUTES = ("product", "region", "rail", "device", "topic")
"""What a cluster is looked for in; topic is the menu's choice."""
LEAST_EVIDENCE = 6.0
"""Log likelihood ratio (nats) below which a cluster may be chance."""
LEAST_LIFT = 1.5
LEAST_CALLS = 5


@dataclass(frozen=True, slots=True)
class Spike:
    """The detector after some minute. ``score``: evidence for a doubling, in nats."""

    score: float = 0.0
    seen: float = 0.0
    """Calls, fading, and those that were expected in the same time: the day's level is their ratio."""
    expected: float = 0.0

    @property
    def level(self) -> float:
        """How busy this day is in all, beside other weeks: 1 is as ever."""
        low, high = LEVEL_RANGE
        return min(high, max(low, (self.seen + LEVEL_PRIOR) / (self.expected + LEVEL_PRIOR)))


def count(spike: Spike, calls: int, baseline: float, alarm: float = 12.0) -> Spike:
    """After one more minute with ``calls``, where other weeks had ``baseline`` a minute.

    S = max(0, S + calls ln 2 - L), L = baseline x the day's level; the level stands still while S is above
    half the alarm. S is cut at twice the alarm, so that it is over soon after the spike is.
    """
    usual = max(LEAST_PER_MIN, baseline)
    score = spike.score + calls * math.log(2) - usual * spike.level
    score = min(2 * alarm, max(0.0, score))
    if score > alarm / 2:
        return Spike(score, spike.seen, spike.expected)
    fade = math.exp(-1 / LEVEL_MEMORY_MIN)
    return Spike(score, spike.seen * fade + calls, spike.expected * fade + usual)


def alarms(spike: Spike, alarm: float = 12.0) -> bool:
    return spike.score > alarm


def baseline(weeks: Sequence[Mapping[int, int]], minute_of_week: int) -> float:
    """The calls a minute that are usual at ``minute_of_week`` (0 is Monday midnight, local).

    ``weeks``: hour of the week (0 to 167) to calls, of each earlier week; an hour that is missing had no
    record. Each hour is the mean over the weeks, without the highest and the lowest when there are four or
    more (an earlier outage is no habit); between the middles of two hours it goes in a straight line.
    """
    place = (minute_of_week - 30) / 60
    hour = math.floor(place)
    share = place - hour
    return ((1 - share) * _usual(weeks, hour % 168) + share * _usual(weeks, (hour + 1) % 168)) / 60


@dataclass(frozen=True, slots=True)
class Load:
    """Work against hands, in agents: ``offered`` by those who call, ``backlog`` by those who wait."""

    offered: float
    backlog: float
    agents: int

    @property
    def ratio(self) -> float:
        """Offered load over capacity; infinite when there is work and nobody in."""
        work = self.offered + self.backlog
        return work / self.agents if self.agents else math.inf if work else 0.0


def load(calls_per_min: float, handling_s: float | None, agents: int, waiting: int = 0) -> Load | None:
    """None while the handling time is not known.

    offered = calls a second x handling; backlog = waiting x handling / 15 min.
    """
    if handling_s is None or handling_s <= 0:
        return None
    return Load(calls_per_min * handling_s / 60, waiting * handling_s / BACKLOG_S, agents)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What rings: ``value`` of ``what`` is ``share`` (0 to 1) of the calls, ``lift`` times what is usual."""

    what: str
    value: str
    share: float
    lift: float
    calls: int

    def words(self) -> str:
        usual = self.share / self.lift
        what = "menu choice" if self.what == "topic" else self.what
        return f"{what} {self.value}: {self.share:.0%} of the calls, usually {usual:.0%}"


Ring = Mapping[str, str | Sequence[str]]
"""One call: attribute to its value, or values; what is not known is absent or empty."""


def clusters(rows: Iterable[Ring], usual: Iterable[Ring]) -> tuple[Cluster, ...]:
    """What stands out: of each attribute the value that does most, the surest first.

    Evidence: n (p ln(p/p0) + (1-p) ln((1-p)/(1-p0))), p0 with one call's weight of doubt.
    """
    now, before = list(rows), list(usual)
    found = [max(made, key=_surest) for what in ATTRIBUTES if (made := list(_candidates(what, now, before)))]
    return tuple(made for _, made in sorted(found, key=_surest, reverse=True))


def _surest(pair: tuple[float, Cluster]) -> tuple[float, str]:
    return pair[0], pair[1].value


def _candidates(what: str, now: Sequence[Ring], before: Sequence[Ring]) -> Iterable[tuple[float, Cluster]]:
    rings, known = _tally(what, now)
    habits, known_before = _tally(what, before)
    for value, calls in rings.items():
        share = calls / known
        usually = (habits[value] + 1) / (known_before + 1 + max(len(habits), len(rings)))
        lift = share / usually
        if calls < LEAST_CALLS or known_before < LEAST_CALLS or lift < LEAST_LIFT:
            continue
        evidence = known * _divergence(share, usually)
        if evidence >= LEAST_EVIDENCE:
            yield evidence, Cluster(what, value, share, lift, calls)


def _tally(what: str, rows: Sequence[Ring]) -> tuple[Counter[str], int]:
    """Calls by value, and how many have one at all."""
    tally: Counter[str] = Counter()
    known = 0
    for row in rows:
        given = row.get(what, ())
        values = {value for value in ((given,) if isinstance(given, str) else given) if value}
        tally.update(values)
        known += bool(values)
    return tally, known


def _divergence(share: float, usually: float) -> float:
    rest = 0.0 if share >= 1 else (1 - share) * math.log((1 - share) / (1 - usually))
    return share * math.log(share / usually) + rest


def _usual(weeks: Sequence[Mapping[int, int]], hour: int) -> float:
    counts = sorted(week[hour] for week in weeks if hour in week)
    if len(counts) >= 4:
        counts = counts[1:-1]
    return sum(counts) / len(counts) if counts else 0.0
