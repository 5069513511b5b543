"""The centres that are simulated: arrivals, patience, handling times, staff. Times in seconds from midnight.

Shapes follow the published measures of call centres: log-normal handling times, a rate of hanging up that
falls with the time already waited, arrivals that a fault multiplies by ten within a quarter of an hour.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

Steps = tuple[tuple[float, int], ...]

SURGE_AT = 3600.0
STRICT = 1e6
"""What a band is worth in the key: more than a day, so that a higher band is always served first."""


def steady(_at: float) -> float:
    return 1.0


def outage(at: float) -> float:
    """Ten times the calls within a quarter of an hour, for an hour and a half, and then they ebb."""
    since = at - SURGE_AT
    if since < 0:
        return 1.0
    if since < 900:
        return 1.0 + 9.0 * since / 900
    if since < 6300:
        return 10.0
    return 1.0 + 9.0 * math.exp(-(since - 6300) / 2400)


def day_of_waves(at: float) -> float:
    return 1.0 + 0.45 * math.sin(at / 3600) + 0.15 * math.sin(at / 900)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One kind of centre. ``calls_per_s`` is before ``shape``; ``scored`` is the part that is measured."""

    name: str
    title: str
    target: float
    calls_per_s: float
    staff: Steps
    shape: Callable[[float], float] = steady
    peak: float = 1.0
    horizon_s: float = 8 * 3600
    handling_s: float = 300.0
    handling_cv: float = 1.0
    surge_handling: float = 1.0
    """Calls that begin during the surge take so many times as long."""
    patience_s: float = 2400.0
    patience_shape: float = 1.0
    """Weibull's: 1 is memoryless, below it those who have waited are likelier to stay."""
    bands: tuple[float, ...] = (1.0,)
    """Each band's share of the calls, the first served first."""
    accepts_callback: float = 0.0
    offer_after_s: float = 180.0
    no_answer: float = 0.15
    dial_s: float = 40.0
    scored_from_s: float = 1800.0
    scored_until_s: float = math.inf
    scored_band: int = 0
    roster_known: bool = True
    bias_limit: float = 0.05
    priors_off: float = 1.0
    """The estimator is told a handling time and a rate of hanging up that are so many times the true ones."""

    def arrivals(self, rng: random.Random) -> Iterator[float]:
        at = 0.0
        while True:
            at += rng.expovariate(self.calls_per_s * self.peak)
            if at > self.horizon_s:
                return
            if rng.random() * self.peak <= self.shape(at):
                yield at

    def handling(self, rng: random.Random, at: float) -> float:
        sigma2 = math.log(1 + self.handling_cv**2)
        mean = self.handling_s * (self.surge_handling if at >= SURGE_AT else 1.0)
        return mean * rng.lognormvariate(-sigma2 / 2, math.sqrt(sigma2))

    def patience(self, rng: random.Random) -> float:
        scale = self.patience_s / math.gamma(1 + 1 / self.patience_shape)
        return rng.weibullvariate(scale, self.patience_shape)


SURGE = Scenario(
    name="surge",
    title="outage surge, ten times the calls",
    target=0.11,
    calls_per_s=0.032,
    staff=((0, 12), (SURGE_AT + 2700, 16), (SURGE_AT + 5400, 20)),
    shape=outage,
    peak=10.0,
    surge_handling=1.2,
    patience_s=3600.0,
    patience_shape=0.75,
    scored_from_s=SURGE_AT,
    bias_limit=0.10,
)

SCENARIOS: dict[str, Scenario] = {
    each.name: each
    for each in (
        SURGE,
        replace(
            SURGE, name="ramp", title="its first 45 minutes", target=0.09, scored_until_s=SURGE_AT + 2700
        ),
        replace(SURGE, name="alone", title="surge, no extra staff", target=0.14, staff=((0, 12),)),
        replace(
            SURGE, name="memoryless", title="surge, memoryless patience", target=0.125, patience_shape=1.0
        ),
        replace(
            SURGE, name="misled", title="surge, priors three times too high", target=0.125, priors_off=3.0
        ),
        replace(
            SURGE,
            name="misled-low",
            title="surge, priors three times too low",
            target=0.125,
            priors_off=1 / 3,
        ),
        Scenario(
            name="staffing",
            title="staffing that changes",
            target=0.31,
            calls_per_s=0.066,
            shape=day_of_waves,
            peak=1.6,
            staff=tuple(
                (h * 1800.0, n)
                for h, n in enumerate((20, 26, 32, 20, 14, 8, 12, 24, 30, 34, 22, 14, 8, 14, 26, 32))
            ),
            handling_cv=1.0,
            patience_s=1500.0,
            patience_shape=0.8,
        ),
        Scenario(
            name="low",
            title="low band of two",
            target=0.32,
            calls_per_s=0.08,
            staff=((0, 20),),
            bands=(0.4, 0.6),
            patience_s=2400.0,
            patience_shape=0.8,
            scored_band=1,
            horizon_s=12 * 3600,
        ),
        Scenario(
            name="promises",
            title="promises in the line",
            target=0.185,
            calls_per_s=0.05,
            staff=((0, 12),),
            shape=day_of_waves,
            peak=1.6,
            accepts_callback=0.4,
            patience_s=1800.0,
            patience_shape=0.8,
        ),
        Scenario(
            name="six",
            title="six agents",
            target=0.48,
            calls_per_s=0.0205,
            staff=((0, 6),),
            handling_cv=1.2,
            patience_s=2400.0,
            patience_shape=0.8,
            horizon_s=24 * 3600,
        ),
        Scenario(
            name="fifty",
            title="fifty agents in overload",
            target=0.115,
            calls_per_s=0.25,
            staff=((0, 50),),
            handling_cv=1.2,
            patience_s=1200.0,
            patience_shape=0.8,
            horizon_s=6 * 3600,
        ),
    )
}
