from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queueing.estimates import Estimate, plain_wait


def wait(ahead: int, agents: int = 10, handling_s: float = 240, hangup_per_s: float = 1 / 600) -> Estimate:
    estimate = plain_wait(ahead, agents, handling_s, hangup_per_s)
    assert estimate is not None
    return estimate


@pytest.mark.parametrize(
    ("ahead", "agents", "handling_s", "hangup_per_s"),
    [(3, 0, 240, 0), (3, -1, 240, 0), (3, 5, 0, 0), (3, 5, -1, 0), (3, 5, 240, -0.1), (-1, 5, 240, 0)],
)
def test_nothing_is_said_when_nothing_is_known(
    ahead: int, agents: int, handling_s: float, hangup_per_s: float
):
    assert plain_wait(ahead, agents, handling_s, hangup_per_s) is None


@pytest.mark.parametrize("absurd", [math.nan, math.inf, -math.inf])
def test_absurd_figures_give_no_estimate(absurd: float):
    assert plain_wait(3, 5, absurd, 0.001) is None
    assert plain_wait(3, 5, 240, absurd) is None
    assert plain_wait(3, 5, 240, 0.001, absurd) is None


def test_without_hang_ups_it_is_the_sum_of_exponential_steps():
    """W | n is Gamma(n + 1, s mu): mean (n + 1) / (s mu), variance (n + 1) / (s mu)^2."""
    estimate = wait(24, agents=10, handling_s=200, hangup_per_s=0)
    assert estimate.mean == pytest.approx(25 * 20)
    spread = math.sqrt(25 * 20**2 + (0.12 * 500) ** 2)
    assert estimate.p90 == pytest.approx(500 + 1.2816 * spread, rel=0.04)
    assert estimate.p10 == pytest.approx(500 - 1.2816 * spread, rel=0.04)


def test_one_ahead_of_a_single_agent():
    assert wait(0, agents=1, hangup_per_s=0).mean == pytest.approx(240)
    assert wait(1, agents=1, hangup_per_s=0).mean == pytest.approx(480)


def test_hang_ups_bend_a_long_line_to_the_logarithm():
    """In overload the mean tends to (1/theta) ln(1 + (n+1) theta / (s mu))."""
    for ahead in (100, 1000, 5000):
        expected = 600 * math.log(1 + (ahead + 1) / 600 / (12 / 240))
        assert wait(ahead, agents=12).mean == pytest.approx(expected, rel=0.03)


def test_higher_bands_still_to_come_lengthen_the_wait():
    """theta = 0: (n + 1) / (s mu - lo)."""
    estimate = plain_wait(9, 10, 240, 0.0, higher_per_s=0.02)
    assert estimate is not None
    assert estimate.mean == pytest.approx(10 / (10 / 240 - 0.02))


def test_a_flood_of_higher_bands_leaves_a_little_drain():
    estimate = plain_wait(9, 10, 240, 0.0, higher_per_s=100)
    assert estimate is not None
    assert estimate.mean == pytest.approx(10 / (0.05 * 10 / 240))


def test_callbacks_ahead_do_not_hang_up():
    """All ahead are callbacks: as without hang-ups. Some are: between the two."""
    waits = [plain_wait(60, 12, 240, 1 / 600, promised=share) for share in (0.0, 0.5, 1.0)]
    none, half, every = (each.mean for each in waits if each)
    assert every == pytest.approx(61 * 20)
    assert none < half < every


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_that_is_none_gives_no_estimate(share: float):
    assert plain_wait(3, 5, 240, 0.001, promised=share) is None


@given(st.integers(0, 3000), st.integers(1, 500), st.floats(1, 7200), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_are_in_order_and_finite(
    ahead: int, agents: int, handling_s: float, hangup_per_s: float, higher_per_s: float
):
    estimate = plain_wait(ahead, agents, handling_s, hangup_per_s, higher_per_s)
    assert estimate is not None
    assert 0 <= estimate.p10 <= estimate.p50 <= estimate.p90 < math.inf
    assert 0 < estimate.mean < math.inf


@given(st.integers(0, 500), st.integers(1, 50), st.floats(30, 900), st.floats(0, 0.01))
def test_more_ahead_is_longer_and_more_agents_shorter(
    ahead: int, agents: int, handling_s: float, theta: float
):
    assert wait(ahead + 1, agents, handling_s, theta).mean > wait(ahead, agents, handling_s, theta).mean
    assert wait(ahead, agents + 1, handling_s, theta).mean < wait(ahead, agents, handling_s, theta).mean


@pytest.mark.parametrize("promises", [0, 20, 45])
def test_it_agrees_with_a_simulated_line(promises: int):
    """M/M/s+M seen by one who stays: each step goes by s mu + (callers ahead) theta. Of the 60 ahead,
    ``promises`` are callbacks, anywhere among them."""
    rng = random.Random(7)
    capacity, theta, ahead = 12 / 240, 1 / 600, 60

    def one() -> float:
        line = [True] * promises + [False] * (ahead - promises)
        rng.shuffle(line)
        at = 0.0
        while line:
            callers = [place for place, promised in enumerate(line) if not promised]
            at += rng.expovariate(capacity + len(callers) * theta)
            served = rng.random() < capacity / (capacity + len(callers) * theta)
            line.pop(0 if served else rng.choice(callers))
        return at + rng.expovariate(capacity)

    waits = sorted(one() for _ in range(4000))
    estimate = plain_wait(ahead, 12, 240, theta, promised=promises / ahead)
    assert estimate is not None
    assert estimate.mean == pytest.approx(statistics.fmean(waits), rel=0.03)
    inside = sum(estimate.p10 <= waited <= estimate.p90 for waited in waits) / len(waits)
    assert 0.8 <= inside <= 0.95  # wider than 80 %: room for the model's own error
