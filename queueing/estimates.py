"""How long a contact will still wait: the estimator that learns from events, and a plain form.

The estimator is in ``queueing/estimator.py``. The plain form: agents now, one pooled rate of hanging up,
and the contacts ahead, callbacks among them. Source of the formulas: W. Whitt's sum of exponential stages for
the M/M/s+M queue, seen by one who stays, walked from the head of the line with the expected share of those
ahead who have not hung up by then ("fluid survival").
"""

from __future__ import annotations

import math
from functools import lru_cache

from queueing.estimator import Estimator
from queueing.ranges import Estimate, gamma_range

__all__ = ["Estimate", "Estimator", "plain_wait"]

MODEL_ERROR = 0.12
"""Standard deviation of what the model itself gets wrong, as a share of the mean; it widens the range."""

LEAST_DRAIN = 0.05
"""Share of the capacity that is left to this contact's band however many come with a higher one."""


def plain_wait(
    ahead: int,
    agents: int,
    handling_s: float,
    hangup_per_s: float,
    higher_per_s: float = 0.0,
    promised: float = 0.0,
) -> Estimate | None:
    """The remaining wait of a contact with ``ahead`` others before it, when all ``agents`` are busy.

    ``handling_s`` is the mean time one contact occupies an agent (wrap-up included), ``hangup_per_s`` theta,
    the hang-ups per second of waiting, ``higher_per_s`` lo, the arrivals of higher bands per second.
    ``promised`` is p, the share (0 to 1) of those ahead who are owed a callback: they cannot hang up.

    With c = agents / handling_s and d = c - lo, walking from the head of the line, t = 0, V = 0:

    - lo is taken as at most 95 % of c (a drain d is always left);
    - each contact ahead is still there with probability S = p + (1 - p) exp(-theta t), the callbacks being
      spread evenly, and then takes 1/d on average:
      x = S / d;  V = V max(0, 1 - theta (S - p) / d)^2 + S (e2 + 1/d^2) - x^2;  t = t + x;
      where e2 = (c + lo) / (c - lo)^3 is the variance of one such step;
    - oneself last, with S = 1;
    - V = V + (0.12 t)^2 for the model's own error;
    - the quantiles are those of the gamma law with mean t and variance V, by Wilson and Hilferty (1931).

    None when nothing honest can be said: nobody serves the queue, or a figure is missing or absurd.
    """
    figures = (handling_s, hangup_per_s, higher_per_s, promised)
    if ahead < 0 or agents <= 0 or not all(math.isfinite(figure) and figure >= 0 for figure in figures):
        return None
    if handling_s == 0 or promised > 1:
        return None
    capacity = agents / handling_s
    steps = _steps(capacity, hangup_per_s, higher_per_s, promised, _ladder_length(ahead))
    mean, variance = steps[ahead]
    return gamma_range(mean, variance + (MODEL_ERROR * mean) ** 2)


@lru_cache(maxsize=64)
def _steps(
    capacity: float, theta: float, higher: float, promised: float, length: int
) -> tuple[tuple[float, float], ...]:
    """Mean and variance of the wait with 0, 1, ... ``length`` - 1 ahead: one walk serves the whole line."""
    drain = max(capacity - higher, LEAST_DRAIN * capacity)
    one_s = 1 / drain
    spread = (2 * capacity - drain) / drain**3  # (c + lo) / (c - lo)^3, with the drain that was left to us
    second = spread + one_s**2
    at, variance = 0.0, 0.0
    steps = []
    for _ in range(length):
        steps.append((at + one_s, variance * max(0.0, 1 - theta * one_s) ** 2 + spread))
        hold_on = (1 - promised) * math.exp(-theta * at)
        still_there = promised + hold_on
        advance = still_there * one_s
        variance = variance * max(0.0, 1 - theta * hold_on * one_s) ** 2 + still_there * second - advance**2
        at += advance
    return tuple(steps)


def _ladder_length(ahead: int) -> int:
    """A power of two above ``ahead``, at least 64: callers of one line share their steps."""
    return max(64, 1 << ahead.bit_length())
