"""What so many agents can do: Erlang B, C and A, and how many agents a target needs.

Load a = calls_per_s x handling_s, in erlangs; s agents, each serving at mu = 1 / handling_s; callers hang
up at theta = 1 / patience_s (0 for never). Sources: Erlang (1917); Palm (1957) for patience; the recursions
as in Garnett, Mandelbaum and Reiman, "Designing a call center with impatient customers" (2002). Numbers
stay near one throughout: no factorial, no power, so ten thousand agents are as safe as ten.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from foundation.errors import Mendable

MOST_AGENTS = 1_000_000
_ENOUGH = 1e-15
_NEGLIGIBLE = 45.0
_POINTS = 1200


@dataclass(frozen=True, slots=True)
class Load:
    """What comes: calls per second, the mean handling time (s), the mean patience (s; infinite: never hangs
    up).

    Raises Mendable where a figure is missing or absurd.
    """

    calls_per_s: float
    handling_s: float
    patience_s: float = math.inf

    def __post_init__(self) -> None:
        if not (math.isfinite(self.calls_per_s) and self.calls_per_s >= 0):
            raise Mendable("Calls per second must be nought or more.")
        if not (math.isfinite(self.handling_s) and self.handling_s > 0):
            raise Mendable("The handling time must be more than nought seconds.")
        if not self.patience_s > 0:
            raise Mendable("Patience must be more than nought seconds; leave it out where nobody hangs up.")

    @property
    def erlangs(self) -> float:
        return self.calls_per_s * self.handling_s


@dataclass(frozen=True, slots=True)
class Outcome:
    """In the long run, with constant load. Shares from 0 to 1, seconds.

    ``delayed``: share of callers who have to wait. ``abandoned``: share who hang up. ``wait_s``: mean time in
    line over all callers, hung up or not; infinite where the line grows for ever. ``occupancy``: share of the
    agents' time on calls.
    """

    agents: int
    delayed: float
    abandoned: float
    wait_s: float
    occupancy: float


def blocked(erlangs: float, agents: int) -> float:
    """Erlang B: the share of calls that find all agents busy, when none may wait.

    1/B(0) = 1;  1/B(s) = 1 + (s / a) / B(s - 1).  In this form it only grows; past 1e300 it is as good as
    nought.
    """
    if erlangs <= 0:
        return 0.0 if agents > 0 else 1.0
    inverse = 1.0
    for agent in range(1, agents + 1):
        inverse = 1.0 + agent / erlangs * inverse
        if inverse > 1e300:
            return 0.0
    return 1 / inverse


def delayed(erlangs: float, agents: int) -> float:
    """Erlang C: the share of calls that wait, when all wait and nobody hangs up. C = B / (1 - rho (1 - B)).

    1 where the load is as large as the staff, or larger.
    """
    if agents <= erlangs or agents <= 0:
        return 1.0 if erlangs > 0 or agents <= 0 else 0.0
    b = blocked(erlangs, agents)
    return b / (1 - erlangs / agents * (1 - b))


def outcome(load: Load, agents: int) -> Outcome:
    """Erlang C without patience, Erlang A with it.

    Erlang A: x = s mu / theta, y = lambda / theta, A = 1 + sum over j >= 1 of y^j / ((x + 1) ... (x + j));
    P(wait) = A B / (1 + (A - 1) B); P(hangs up) = P(wait) (1 / (rho A) + 1 - 1 / rho);
    mean time in line = P(hangs up) / theta.
    """
    a = load.erlangs
    if a == 0:
        return Outcome(agents, 0.0 if agents > 0 else 1.0, 0.0, 0.0, 0.0)
    if agents <= 0:
        hung_up = 0.0 if math.isinf(load.patience_s) else 1.0
        return Outcome(0, 1.0, hung_up, load.patience_s, 0.0)
    if math.isinf(load.patience_s):
        c = delayed(a, agents)
        wait_s = c * load.handling_s / (agents - a) if agents > a else math.inf
        return Outcome(agents, c, 0.0, wait_s, min(1.0, a / agents))
    b, series = blocked(a, agents), _series(load, agents)
    wait = b / (1 / series * (1 - b) + b) if b > 0 else 0.0
    rho = a / agents
    # 1/(rho A) + 1 - 1/rho, without taking nearly equal numbers from each other: see _hung_up_of_delayed.
    hung_up = wait * _hung_up_of_delayed(load, agents, series, rho)
    return Outcome(agents, wait, hung_up, hung_up * load.patience_s, (1 - hung_up) * rho)


def _series(load: Load, agents: int) -> float:
    """A: summed from its largest terms, infinite only where the line is (far) beyond counting."""
    x = agents * load.patience_s / load.handling_s
    y = load.calls_per_s * load.patience_s
    total, term, j = 1.0, 1.0, 0
    while True:
        j += 1
        term *= y / (x + j)
        total += term
        if total > 1e300:
            return math.inf
        if x + j > y and term < _ENOUGH * total * (1 - y / (x + j)):
            return total


def _hung_up_of_delayed(load: Load, agents: int, series: float, rho: float) -> float:
    """Share of those who wait that hang up: 1 / (rho A) + 1 - 1 / rho."""
    inverse = 0.0 if math.isinf(series) else 1 / (rho * series)
    share = inverse + 1 - 1 / rho
    if share > 1e-9:
        return min(1.0, share)
    # A light load: the difference is lost in rounding. Few hang up, and each after Erlang C's short wait.
    slack = agents / load.handling_s - load.calls_per_s
    return max(0.0, 1 / (load.patience_s * slack)) if slack > 0 else max(0.0, share)


def answered_within(load: Load, agents: int, target_s: float) -> float:
    """Service level: the share of all callers who are answered, and within ``target_s``.

    Erlang C: 1 - C exp(-(s mu - lambda) t). Erlang A: by the law of the offered wait, see ``_reached``.
    """
    if agents <= 0:
        return 0.0
    now = outcome(load, agents)
    if load.erlangs == 0:
        return 1.0
    if math.isinf(load.patience_s):
        slack = agents / load.handling_s - load.calls_per_s
        return 1 - now.delayed * math.exp(-slack * target_s) if slack > 0 else 0.0
    return 1 - now.delayed + now.delayed * _reached(load, agents, max(0.0, target_s))


def _reached(load: Load, agents: int, target_s: float) -> float:
    """Of those who have to wait, the share that is answered, and within ``target_s``.

    The offered wait of one who has to wait has a density in proportion to v(x) = exp(lambda (1 - e^(-theta
    x)) / theta - s mu x) (Baccelli and Hebuterne, 1981); the caller is still there with e^(-theta x).
    Simpson's rule where v is not negligible.
    """
    theta, lam, smu = 1 / load.patience_s, load.calls_per_s, agents / load.handling_s

    def log_v(x: float) -> float:
        return -lam / theta * math.expm1(-theta * x) - smu * x

    peak = max(0.0, math.log(lam / smu) / theta)
    top = log_v(peak)
    width = 1 / max(abs(smu - lam), math.sqrt(theta * smu))
    end = peak + width
    while log_v(end) > top - _NEGLIGIBLE:
        end += width
    begin = peak
    while begin > 0 and log_v(begin) > top - _NEGLIGIBLE:
        begin = max(0.0, begin - width)
    whole = _simpson(lambda x: math.exp(log_v(x) - top), begin, end)
    if target_s <= begin:
        return 0.0
    part = _simpson(lambda x: math.exp(log_v(x) - top - theta * x), begin, min(end, target_s))
    return min(1.0, part / whole)


def _simpson(f: Callable[[float], float], begin: float, end: float) -> float:
    step = (end - begin) / _POINTS
    odd = sum(f(begin + step * at) for at in range(1, _POINTS, 2))
    even = sum(f(begin + step * at) for at in range(2, _POINTS, 2))
    return (f(begin) + f(end) + 4 * odd + 2 * even) * step / 3


def agents_needed(
    load: Load, *, answered: float = 0.8, within_s: float = 30.0, most_abandoned: float | None = None
) -> int:
    """The fewest agents with whom the share ``answered`` is answered within ``within_s`` seconds.

    With ``most_abandoned``: and no more than that share hangs up. Raises Mendable for a target that no number
    of agents meets, or that would need more than a million.
    """
    if not 0 < answered < 1 or within_s < 0 or (most_abandoned is not None and not 0 < most_abandoned <= 1):
        raise Mendable("A service level is a share between 0 and 1, within nought seconds or more.")
    if load.erlangs > MOST_AGENTS / 2:
        raise Mendable(
            "That load needs more than a million agents: check calls per second and handling time."
        )

    def enough(agents: int) -> bool:
        if answered_within(load, agents, within_s) < answered:
            return False
        return most_abandoned is None or outcome(load, agents).abandoned <= most_abandoned

    few, many = 0, max(1, int(load.erlangs) + 1)
    while not enough(many):
        few, many = many, many * 2
        if many > 4 * MOST_AGENTS:
            raise Mendable("No number of agents meets that target.")
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many
