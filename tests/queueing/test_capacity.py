"""Erlang's formulas, held to chains of births and deaths solved numerically, and to the integral of Erlang
B.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import Mendable
from queueing.capacity import Load, agents_needed, answered_within, blocked, delayed, outcome


def stationary(load: Load, agents: int, longest: int) -> list[float]:
    """P(so many in the system): births lambda, deaths min(n, s) mu + max(0, n - s) theta, in logarithms."""
    logs, theta = [0.0], 0.0 if math.isinf(load.patience_s) else 1 / load.patience_s
    for n in range(1, longest + 1):
        death = min(n, agents) / load.handling_s + max(0, n - agents) * theta
        logs.append(logs[-1] + math.log(load.calls_per_s / death))
    top = max(logs)
    weights = [math.exp(log - top) for log in logs]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


@pytest.mark.parametrize(("erlangs", "agents"), [(0.5, 1), (8, 10), (45, 50), (60, 50), (950, 1000)])
def test_erlang_b_is_its_integral(erlangs: float, agents: int):
    """1/B = integral over u from 0 of e^-u (1 + u / a)^s."""
    step, end = 1 / 400, 60.0 + 12 * math.sqrt(agents)
    total = 0.0
    for at in range(int(end / step)):
        u = (at + 0.5) * step
        total += math.exp(-u + agents * math.log1p(u / erlangs)) * step
        if u > agents and math.exp(-u + agents * math.log1p(u / erlangs)) < 1e-12 * total:
            break
    assert blocked(erlangs, agents) == pytest.approx(1 / total, rel=1e-4)


@pytest.mark.parametrize(("agents", "rho"), [(1, 0.5), (6, 0.9), (50, 0.95), (200, 0.8), (200, 0.99)])
def test_erlang_c_is_the_chain(agents: int, rho: float):
    load = Load(agents * rho / 300, 300)
    chain = stationary(load, agents, agents + int(60 / (1 - rho)) + 200)
    now = outcome(load, agents)
    assert now.delayed == pytest.approx(sum(chain[agents:]), rel=1e-6)
    line = sum(p * (n - agents) for n, p in enumerate(chain) if n > agents)
    assert now.wait_s == pytest.approx(line / load.calls_per_s, rel=1e-6)
    assert now.abandoned == 0
    assert now.occupancy == pytest.approx(rho)


@pytest.mark.parametrize("patience_s", [60, 600, 6000])
@pytest.mark.parametrize(
    ("agents", "rho"), [(1, 0.5), (6, 1.0), (50, 0.95), (50, 1.4), (200, 1.05), (12, 8.0)]
)
def test_erlang_a_is_the_chain(agents: int, rho: float, patience_s: float):
    load = Load(agents * rho / 300, 300, patience_s)
    chain = stationary(load, agents, agents + int(load.calls_per_s * patience_s * 2) + 600)
    now = outcome(load, agents)
    line = sum(p * (n - agents) for n, p in enumerate(chain) if n > agents)
    assert now.delayed == pytest.approx(sum(chain[agents:]), rel=1e-8)
    assert now.abandoned == pytest.approx(line / patience_s / load.calls_per_s, rel=1e-7)
    assert now.wait_s == pytest.approx(line / load.calls_per_s, rel=1e-7)
    busy = sum(p * min(n, agents) for n, p in enumerate(chain)) / agents
    assert now.occupancy == pytest.approx(busy, rel=1e-8)


@pytest.mark.parametrize(("agents", "rho", "patience_s"), [(6, 0.95, 600), (50, 1.1, 300), (20, 2.0, 900)])
@pytest.mark.parametrize("target_s", [5, 30, 90])
def test_the_service_level_of_erlang_a_is_the_chain_run_to_the_answer(
    agents: int, rho: float, patience_s: float, target_s: float
):
    """One who finds n in line is answered within t when those and the own place have gone: solved step by
    step.

    State: how many are still ahead; the caller hangs up at rate theta, the line ahead shortens at s mu + n
    theta.
    """
    load = Load(agents * rho / 300, 300, patience_s)
    chain = stationary(load, agents, agents + int(load.calls_per_s * patience_s * 2) + 200)
    theta, smu = 1 / patience_s, agents / 300
    ahead = chain[agents:]
    answered, step = 0.0, 0.1
    for _ in range(int(target_s / step)):
        gone = []
        for n, p in enumerate(ahead):
            more = ahead[n + 1] * (smu + (n + 1) * theta) if n + 1 < len(ahead) else 0.0
            gone.append(p + step * (more - p * (smu + n * theta + theta)))
        answered += step * smu * (ahead[0] + gone[0]) / 2
        ahead = gone
    expected = sum(chain[:agents]) + answered
    assert answered_within(load, agents, target_s) == pytest.approx(expected, abs=2e-3)


def test_without_patience_the_service_level_is_the_exponential():
    load = Load(45 / 300, 300)
    c = delayed(45, 50)
    assert answered_within(load, 50, 30) == pytest.approx(1 - c * math.exp(-5 / 300 * 30))


def exact(load: Load, agents: int) -> tuple[Fraction, Fraction, Fraction | None, Fraction | None]:
    """Erlang B, C (1 without a limit), and of Erlang A P(wait) and P(hang up): sums of fractions.

    The definitions, term by term: p(n) = a^n / n! up to s, and beyond divided by (s mu + k theta) each.
    """
    a, handling = Fraction(load.calls_per_s) * Fraction(load.handling_s), Fraction(load.handling_s)
    term, terms = Fraction(1), [Fraction(1)]
    for n in range(1, agents + 1):
        term = term * a / n
        terms.append(term)
    b = term / sum(terms)
    tail = term * agents / (agents - a) if agents > a else None
    c = tail / (sum(terms[:-1]) + tail) if tail is not None else Fraction(1)
    if math.isinf(load.patience_s):
        return b, c, None, None
    theta, lam, mu = 1 / Fraction(load.patience_s), Fraction(load.calls_per_s), 1 / handling
    beyond, line, k = Fraction(0), Fraction(0), 0
    while k < 10 or term > sum(terms) * Fraction(1, 10**18):
        beyond, line = beyond + term, line + k * term
        k += 1
        term = term * lam / (agents * mu + k * theta)
    whole = sum(terms[:-1]) + beyond
    return b, c, beyond / whole, theta * line / whole / lam


@pytest.mark.parametrize(
    ("agents", "erlangs", "patience_s"),
    [(1, 0.5, 60.0), (5, 4.0, math.inf), (12, 10.0, 600.0), (40, 44.0, 300.0), (80, 60.0, math.inf)],
)
def test_the_formulas_are_the_definitions_summed_without_rounding(
    agents: int, erlangs: float, patience_s: float
):
    load = Load(erlangs / 256, 256, patience_s)  # powers of two: the figures are exact fractions
    b, c, waits, hang_up = exact(load, agents)
    assert blocked(erlangs, agents) == pytest.approx(float(b), rel=1e-12)
    assert delayed(erlangs, agents) == pytest.approx(float(c), rel=1e-12)
    if waits is not None and hang_up is not None:
        now = outcome(load, agents)
        assert now.delayed == pytest.approx(float(waits), rel=1e-10)
        assert now.abandoned == pytest.approx(float(hang_up), rel=1e-9)


@pytest.mark.parametrize("erlangs", [9_000, 9_900, 10_000, 11_000])
def test_at_ten_thousand_agents_erlang_b_and_c_are_the_sums_in_sixty_digits(erlangs: int):
    with localcontext() as ctx:
        ctx.prec = 60
        term = total = Decimal(1)
        for n in range(1, 10_001):
            term = term * erlangs / n
            total += term
        b = term / total
        assert blocked(erlangs, 10_000) == pytest.approx(float(b), rel=1e-10, abs=1e-300)
        if erlangs < 10_000:
            tail = term * 10_000 / (10_000 - erlangs)
            assert delayed(erlangs, 10_000) == pytest.approx(float(tail / (total - term + tail)), rel=1e-10)


def test_figures_from_a_printed_table():
    """Erlang B at 10 erlangs and 10 agents is .2146, Erlang C at 10 and 12 is .4494 (three figures
    everywhere).
    """
    assert blocked(10, 10) == pytest.approx(0.2146, abs=5e-5)
    assert delayed(10, 12) == pytest.approx(0.4494, abs=5e-4)


@pytest.mark.parametrize("rho", [0.5, 0.97, 1.0, 1.03, 5.0])
@pytest.mark.parametrize("patience_s", [1.0, 600.0, 1e9, math.inf])
def test_ten_thousand_agents_are_safe(rho: float, patience_s: float):
    load = Load(10_000 * rho / 300, 300, patience_s)
    now = outcome(load, 10_000)
    for share in (now.delayed, now.abandoned, now.occupancy, answered_within(load, 10_000, 20)):
        assert 0 <= share <= 1
    if math.isinf(patience_s) and rho >= 1:
        assert math.isinf(now.wait_s)
    else:
        assert 0 <= now.wait_s < math.inf


def test_overload_loses_what_is_too_much():
    """rho 2: with many agents half of all hang up, and the line is as long as makes them."""
    now = outcome(Load(20_000 / 300, 300, 600), 10_000)
    assert now.abandoned == pytest.approx(0.5, abs=1e-3)
    assert now.wait_s == pytest.approx(300, rel=1e-3)


@given(st.floats(0.01, 50), st.integers(1, 80), st.floats(10, 1e5))
def test_one_more_agent_never_harms(erlangs: float, agents: int, patience_s: float):
    load = Load(erlangs / 240, 240, patience_s)
    less, more = outcome(load, agents), outcome(load, agents + 1)
    assert more.delayed <= less.delayed + 1e-12
    assert more.abandoned <= less.abandoned + 1e-9
    assert answered_within(load, agents + 1, 30) >= answered_within(load, agents, 30) - 1e-6


@given(st.floats(0.01, 300), st.sampled_from([60.0, 600.0, math.inf]))
def test_agents_needed_is_the_least_that_does(erlangs: float, patience_s: float):
    load = Load(erlangs / 240, 240, patience_s)
    need = agents_needed(load, answered=0.8, within_s=30)
    assert answered_within(load, need, 30) >= 0.8
    assert answered_within(load, need - 1, 30) < 0.8


def test_agents_needed_minds_the_hang_ups_too():
    load = Load(100 / 300, 300, 120)
    need = agents_needed(load, answered=0.5, within_s=60, most_abandoned=0.02)
    assert outcome(load, need).abandoned <= 0.02 < outcome(load, need - 1).abandoned


@pytest.mark.parametrize(
    "figures", [(-1, 300, 600), (math.nan, 300, 600), (0.1, 0, 600), (0.1, math.inf, 600), (0.1, 300, 0)]
)
def test_absurd_figures_are_refused(figures: tuple[float, float, float]):
    with pytest.raises(Mendable):
        Load(*figures)


@pytest.mark.parametrize(("answered", "within_s"), [(0, 30), (1, 30), (1.2, 30), (0.8, -1)])
def test_absurd_targets_are_refused(answered: float, within_s: float):
    with pytest.raises(Mendable):
        agents_needed(Load(0.1, 300), answered=answered, within_s=within_s)


def test_nobody_calls_and_nobody_works():
    assert outcome(Load(0, 300), 5).delayed == 0
    assert outcome(Load(0.1, 300, 600), 0).abandoned == 1
    assert answered_within(Load(0.1, 300, 600), 0, 30) == 0
    assert answered_within(Load(0, 300), 1, 30) == 1
