"""How good the told waits were: error over the mean wait, bias, coverage, late share, pinball loss."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from queueing.estimates import Estimate


@dataclass(frozen=True, slots=True)
class Score:
    """Of one estimator. ``rrmse``, ``bias`` are shares of ``mean_s``; ``mae_s`` and ``pinball_s`` seconds.

    ``covered`` is the share of waits within p10 to p90, ``late`` the share above p90, ``silent`` the share of
    callers that nothing was said to. ``rrmse`` is the mean over runs, each with its own mean wait.
    """

    calls: int
    mean_s: float
    rrmse: float
    mae_s: float
    bias: float
    covered: float
    late: float
    pinball_s: float
    silent: float


def score(runs: Iterable[Sequence[tuple[Estimate | None, float]]]) -> Score:
    """Of runs of (told, wait in seconds). Raises ValueError when nothing was told at all."""
    ratios: list[float] = []
    every: list[tuple[Estimate, float]] = []
    asked = 0
    for run in runs:
        told = [(estimate, wait) for estimate, wait in run if estimate is not None]
        asked += len(run)
        if told:
            mean_s = sum(wait for _, wait in told) / len(told)
            square = sum((estimate.mean - wait) ** 2 for estimate, wait in told) / len(told)
            ratios.append(math.sqrt(square) / mean_s)
        every += told
    if not every:
        raise ValueError("nothing was told: there is nothing to score")
    count = len(every)
    mean_s = sum(wait for _, wait in every) / count
    return Score(
        calls=count,
        mean_s=mean_s,
        rrmse=sum(ratios) / len(ratios),
        mae_s=sum(abs(estimate.p50 - wait) for estimate, wait in every) / count,
        bias=sum(estimate.mean - wait for estimate, wait in every) / count / mean_s,
        covered=sum(estimate.p10 <= wait <= estimate.p90 for estimate, wait in every) / count,
        late=sum(wait > estimate.p90 for estimate, wait in every) / count,
        pinball_s=sum(pinball(estimate, wait) for estimate, wait in every) / count,
        silent=1 - count / asked,
    )


def pinball(estimate: Estimate, wait: float) -> float:
    """Mean over the three quantiles q of max(q (w - x), (q - 1)(w - x)), in seconds."""
    told = ((0.1, estimate.p10), (0.5, estimate.p50), (0.9, estimate.p90))
    return sum(max(q * (wait - x), (q - 1) * (wait - x)) for q, x in told) / len(told)
