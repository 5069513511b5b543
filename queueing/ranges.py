"""A wait told as a range: three quantiles and the mean, from a mean and a variance."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z10, _Z90 = -1.2815515655446004, 1.2815515655446004


@dataclass(frozen=True, slots=True)
class Estimate:
    """The remaining wait in seconds: quantiles and mean. One in ten waits less than ``p10``."""

    p10: float
    p50: float
    p90: float
    mean: float


def gamma_range(mean: float, variance: float) -> Estimate:
    """The quantiles of the gamma law with this mean (s, > 0) and variance (s^2, > 0).

    Wilson and Hilferty (1931): the cube root of a gamma variable is nearly normal.
    """
    shape = mean**2 / variance
    ninth = 1 / (9 * shape)
    root = math.sqrt(ninth)
    middle = 1 - ninth
    return Estimate(
        p10=mean * max(0.0, middle + _Z10 * root) ** 3,
        p50=mean * max(0.0, middle) ** 3,
        p90=mean * max(0.0, middle + _Z90 * root) ** 3,
        mean=mean,
    )
