"""How many merchants are dialled, and how fast."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks.pace import Floor, expected_free, gap_between_ms, merchants_to_dial, next_permit
from foundation.errors import Mendable

QUIET = Floor(free=0, talks_s=(), handling_s=300, dial_s=25, dialled=0, live_ahead=0)


def dial(floor: Floor, safety: float = 0.8, permits: int = 1000) -> int:
    return merchants_to_dial(floor, safety=safety, permits=permits)


def test_one_merchant_for_each_free_agent():
    assert dial(replace(QUIET, free=3)) == 3
    assert dial(replace(QUIET, free=1), safety=0) == 1


def test_merchants_on_the_way_and_live_callers_ahead_have_their_agents():
    assert dial(replace(QUIET, free=5, dialled=2)) == 3
    assert dial(replace(QUIET, free=5, dialled=2, live_ahead=2)) == 1
    assert dial(replace(QUIET, free=5, dialled=9)) == 0


def test_agents_about_to_be_free_count_by_the_rate():
    """100 talks of 300 s on average: within 25 s eight end (100 x (1 - exp(-25/300)))."""
    unknown = replace(QUIET, talks_s=(None,) * 100)
    assert expected_free(unknown) == pytest.approx(7.996, abs=0.001)
    assert dial(unknown, safety=1) == 7
    assert dial(unknown, safety=0.8) == 6


def test_talks_that_have_just_begun_count_less_and_long_ones_no_more():
    begun, long = replace(QUIET, talks_s=(0.0,) * 100), replace(QUIET, talks_s=(3000.0,) * 100)
    assert expected_free(begun) == pytest.approx(1.244, abs=0.001)
    assert expected_free(long) == expected_free(replace(QUIET, talks_s=(None,) * 100))


def test_an_unknown_handling_time_hopes_for_nobody():
    for mean in (None, 0.0, float("nan"), float("inf"), -1.0):
        assert expected_free(replace(QUIET, talks_s=(None,) * 50, handling_s=mean)) == 0


def test_never_more_than_the_permits():
    assert dial(replace(QUIET, free=50), permits=1) == 1
    assert dial(replace(QUIET, free=50), permits=0) == 0


@pytest.mark.parametrize("safety", [-0.1, 1.1, float("nan")])
def test_a_safety_beyond_one_is_named(safety: float):
    with pytest.raises(Mendable, match="from 0 to 1"):
        dial(QUIET, safety=safety)


TALKS = st.lists(st.none() | st.floats(0, 10_000), max_size=40)
COUNT = st.integers(0, 50)


@given(
    COUNT, TALKS, st.none() | st.floats(0.1, 5000), st.floats(0, 120), COUNT, COUNT, st.floats(0, 1), COUNT
)
def test_never_over(free, talks, handling_s, dial_s, dialled, live_ahead, safety, permits):
    floor = Floor(free, talks, handling_s, dial_s, dialled, live_ahead)
    hoped = expected_free(floor)
    assert 0 <= hoped <= len(talks)
    now = merchants_to_dial(floor, safety=safety, permits=permits)
    assert 0 <= now <= permits
    if now:
        assert now + dialled + live_ahead <= free + len(talks)
    assert merchants_to_dial(replace(floor, dialled=dialled + 1), safety=safety, permits=permits) <= now
    assert merchants_to_dial(replace(floor, free=free + 1), safety=safety, permits=permits) >= now


def test_what_is_expected_is_not_more_than_what_happens():
    """Talks drawn from the Erlang law of two stages, looked at while they last."""
    drawn, mean, dial_s = random.Random(7), 300.0, 25.0
    told, happened = 0.0, 0
    for _ in range(20_000):
        length, spent = drawn.gammavariate(2, mean / 2), drawn.uniform(0, 600)
        if length > spent:
            told += expected_free(replace(QUIET, talks_s=(spent,)))
            happened += length <= spent + dial_s
    assert 0.6 * happened < told < 1.02 * happened


def test_dials_at_one_a_second():
    first = next_permit(0, 1.0, 1_000_000)
    assert (first.wait_ms, first.remember_ms) == (0, 1_001_000)
    assert next_permit(first.remember_ms, 1.0, 1_000_400).wait_ms == 600
    assert next_permit(first.remember_ms, 1.0, 1_001_000).wait_ms == 0
    assert next_permit(first.remember_ms, 1.0, 9_000_000).remember_ms == 9_001_000


def test_a_clock_that_was_put_back_costs_one_gap():
    assert next_permit(5_000_000, 1.0, 1_000_000).wait_ms == 1000


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_of_nothing_is_named(rate: float):
    with pytest.raises(Mendable, match="more than 0"):
        next_permit(0, rate, 0)


@given(st.floats(0.1, 50), st.lists(st.integers(0, 2000), min_size=2, max_size=80))
def test_the_rate_is_never_passed_in_any_span(rate: float, pauses: list[int]):
    now_ms, remembered_ms, sent = 1_700_000_000_000, 0, []
    for pause in pauses:
        now_ms += pause
        permit = next_permit(remembered_ms, rate, now_ms)
        sent.append(now_ms + permit.wait_ms)
        remembered_ms, now_ms = permit.remember_ms, now_ms + permit.wait_ms
    assert all(after - before >= 1000 / rate for before, after in pairwise(sent))
    assert gap_between_ms(rate) >= 1000 / rate
