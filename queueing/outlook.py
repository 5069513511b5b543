"""The road ahead: in which periods from now how many agents drain the line for one contact."""

from __future__ import annotations

import math
from collections.abc import Sequence

from queueing.ladder import FOREVER, Segment
from queueing.patience import Hazard
from queueing.renewals import EDGES, PER_UNIT, paces
from queueing.staffing import HORIZON_S, Plan

LEAST_DRAIN = 0.05
"""Share of the agents that is left to this contact's band however many come with a higher one."""

MANY = 100
"""With more calls in progress than this, how long each has lasted makes no difference."""


def segments(
    plan: Plan,
    higher: Sequence[tuple[float, float]],
    elapsed: Sequence[float],
    unit: float,
    cv2: float,
    hazard: Hazard,
) -> list[Segment]:
    """Periods of constant drain, the last without end.

    ``plan``: agents from now on. ``higher``: (until when in s from now, arrivals per s) of those who will be
    served first. ``elapsed``: how long (s) each call in progress has lasted; ``unit`` the mean handling time
    (s) and ``cv2`` its squared coefficient of variation.
    """
    gains = _gains(elapsed, unit, cv2)
    lost = unit * hazard.at(0.0)
    ends = {unit * edge for edge in EDGES[1:]}
    ends.update(at for at, _ in plan if at > 0)
    ends.update(until for until, _ in higher if until < HORIZON_S)
    taken = unit * sum(rate for _, rate in higher)
    road, begin, period, planned = [], 0.0, 0, 0
    for end in [*sorted(ends), FOREVER]:
        while period < len(gains) and begin >= unit * EDGES[period + 1] - 1e-9:
            period += 1
        while planned + 1 < len(plan) and plan[planned + 1][0] <= begin:
            planned += 1
        agents = plan[planned][1]
        if period < len(gains) and agents > 0:
            agents = max(0.0, agents + gains[period])
        if begin > 0 and higher:
            taken = unit * sum(rate for until, rate in higher if until > begin)
        drain = max(_left(agents, taken, lost), LEAST_DRAIN * agents)
        middle = (begin + min(end, begin + 2 * unit)) / 2
        road.append(Segment(end, drain, _step_variance(agents, drain, unit, cv2, middle)))
        begin = end
    return road


def _left(agents: float, taken: float, lost: float) -> float:
    """Agents' worth that higher bands leave, when these would take ``taken`` and callers of theirs hang up.

    While all agents are busy they wait u / d on average (M/M/s; u the mean handling time, d what is left), so
    that of them 1 - h u / d stay: d = agents - taken (1 - h u / d), a square equation. ``lost`` is h u; where
    more come than can be served the waits have no such mean, and little is left however many hang up.
    """
    spare, lost = agents - taken, min(lost, LEAST_DRAIN * agents)
    return (spare + math.sqrt(spare * spare + 4 * taken * lost)) / 2


def _step_variance(agents: float, drain: float, unit: float, cv2: float, at: float) -> float:
    """e2 = (c + lo) / (c - lo)^3 in s^2; completions begin like Poisson's and in the long run vary with
    cv^2.
    """
    if drain <= 0:
        return 0.0
    uneven = 1 + (cv2 - 1) * -math.expm1(-at / unit)
    return (2 * agents - drain) * unit**2 / drain**3 * uneven


def _gains(elapsed: Sequence[float], unit: float, cv2: float) -> list[float]:
    """By period: how many agents' worth the calls in progress free more than usual, or less."""
    if len(elapsed) > MANY:
        return [0.0] * (len(EDGES) - 1)
    table = paces(round(cv2, 1))
    last = len(table) - 1
    rows = [table[min(int(lasted / unit * PER_UNIT + 0.5), last)] for lasted in elapsed]
    return [sum(column) - len(rows) for column in zip(*rows, strict=True)] if rows else []
