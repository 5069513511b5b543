"""What the replay showed: each estimator's scores, over all callers and by hour, queue, band, wait, end."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from drill.lab.rivals import RIVALS
from drill.lab.scores import Score, score
from drill.replay.history import Call
from drill.replay.run import OURS, Asked
from queueing.patience import fitted
from queueing.priors import Priors

LEVELS_MIN = (1, 2, 5, 10, 20, 30, 60)
"""Bounds of the levels of wait, in minutes."""
FEW = 20
"""Groups of fewer callers are not shown: their figures would be chance."""
UNIX_S = 1e8
"""Seconds above this count from 1970: the hour is then that of a time zone."""


@dataclass(frozen=True, slots=True)
class Group:
    """``scores`` by estimator, of those who were told something by ours."""

    by: str
    name: str
    scores: Mapping[str, Score]


@dataclass(frozen=True, slots=True)
class Report:
    """``asked`` calls; ``passed``: they did not wait; ``unknown``: their wait never ended; ``silent``: ours
    told nothing. The others are in ``total``, None when there are none, and in ``groups``.
    """

    asked: int
    passed: int
    unknown: int
    silent: int
    total: Mapping[str, Score] | None
    groups: Sequence[Group]

    def shown(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "calls": self.asked,
            "did_not_wait": self.passed,
            "wait_unknown": self.unknown,
            "told_nothing": self.silent,
            "scores": {name: figures(each) for name, each in (self.total or {}).items()},
            "groups": [
                {
                    "by": group.by,
                    "name": group.name,
                    "scores": {n: figures(s) for n, s in group.scores.items()},
                }
                for group in self.groups
            ],
        }


def figures(one: Score) -> dict[str, float | int]:
    """Of one estimator over one history: seconds and shares."""
    return {
        "calls": one.calls,
        "mean_wait_s": round(one.mean_s, 2),
        "mae_s": round(one.mae_s, 2),
        "rmse_s": round(one.rrmse * one.mean_s, 2),
        "bias_s": round(one.bias * one.mean_s, 2),
        "coverage": round(one.covered, 4),
        "late": round(one.late, 4),
        "pinball_s": round(one.pinball_s, 2),
    }


def report(asked: Sequence[Asked], *, least_wait_s: float = 5.0, time_zone: str = "UTC") -> Report:
    """Callers who waited ``least_wait_s`` or more. All estimators are judged on the same callers: those whom
    ours told something.
    """
    known = [each for each in asked if each.wait_s is not None]
    waited = [each for each in known if (each.wait_s or 0.0) >= least_wait_s]
    told = [each for each in waited if each.told[OURS] is not None]
    sorts: dict[str, Callable[[Asked], str]] = {
        "hour": lambda each: _hour(each.call.entered, time_zone),
        "queue": lambda each: each.call.queue or "–",
        "band": lambda each: str(each.call.band),
        "wait told": _level,
        "end": lambda each: _end(each.call),
    }
    groups = []
    for by, name_of in sorts.items():
        kinds: dict[str, list[Asked]] = {}
        for each in told:
            kinds.setdefault(name_of(each), []).append(each)
        if len(kinds) > 1 or by in ("hour", "wait told"):
            groups += [
                Group(by, name, _scores(kinds[name])) for name in sorted(kinds) if len(kinds[name]) >= FEW
            ]
    return Report(
        asked=len(asked),
        passed=len(known) - len(waited),
        unknown=len(asked) - len(known),
        silent=len(waited) - len(told),
        total=_scores(told) if told else None,
        groups=groups,
    )


def _scores(told: Sequence[Asked]) -> dict[str, Score]:
    found = {}
    for name in (OURS, *RIVALS):
        pairs = [(each.told[name], each.wait_s or 0.0) for each in told]
        if any(said is not None for said, _ in pairs):
            found[name] = score([pairs])
    return found


def _end(call: Call) -> str:
    if call.answered is not None:
        return "answered"
    return "hung up" if call.left is None else "left otherwise"


def _hour(at: float, time_zone: str) -> str:
    if at < UNIX_S:
        return f"{int(at // 3600) % 24:02}:00"
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(time_zone)).strftime("%H:00")


def _level(each: Asked) -> str:
    """By what we told, which is known beforehand: by what was had, long waits would all seem told short."""
    said = each.told[OURS]
    minutes = said.p50 / 60 if said else 0.0
    over = [0, *LEVELS_MIN]
    low = max(bound for bound in over if bound <= minutes)
    high = min((bound for bound in over if bound > minutes), default=None)
    return f"{low:02} min +" if high is None else f"{low:02}–{high:02} min"


def learned(calls: Sequence[Call]) -> Priors:
    """What the rows say of handling times and patience, to begin another centre with. All count alike."""
    first = Priors()
    each: dict[str, list[float]] = {}
    for call in calls:
        if call.kind == "live" and call.answered is not None and call.ended is not None:
            each.setdefault(call.queue, []).append(call.ended - call.answered)
    every = [seconds for queue in each.values() for seconds in queue]
    if not every or sum(every) <= 0:
        return first
    mean = sum(every) / len(every)
    spread = math.sqrt(sum((seconds - mean) ** 2 for seconds in every) / len(every)) / mean
    means = {queue: round(sum(some) / len(some), 1) for queue, some in each.items() if sum(some) > 0}
    waits = [
        (until - call.entered, call.abandoned is not None)
        for call in calls
        if call.kind == "live"
        and (until := next((at for at in (call.answered, call.abandoned, call.left) if at is not None), None))
        is not None
    ]
    hazard = fitted(waits, first.hangup_per_s)
    return Priors({**means, "": round(mean, 1)}, round(max(0.1, spread), 3), round(math.exp(hazard.level), 8))
