"""The level that the figures speak for."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surge.levels import Reading, Sensor, Suggestion, step
from surge.policy import SurgePolicy
from surge.states import LEVEL_MOVES, Level

POLICY = SurgePolicy()
START = 1_700_000_000_000
MINUTE = 60_000


def run(waits: list[float | None], here: Level = Level.CALM, *, obey: bool = True, spike: float = 0.0):
    """A reading every half minute; each suggestion as (minute, level), followed when ``obey``."""
    sensor, said = Sensor(), []
    for place, wait_s in enumerate(waits):
        reading = Reading(START + place * MINUTE // 2, wait_s, spike)
        sensor, suggestion = step(POLICY, sensor, reading, here)
        if suggestion:
            said.append((place / 2, suggestion.level))
            here = suggestion.level if obey else here
    return said


def test_a_long_wait_must_last_before_the_level_goes_up():
    assert run([1000] * 6) == []
    assert run([1000] * 7) == [(3, Level.SURGE)]
    assert run([1000, 1000, 1000, 800, *[1000] * 6]) == [(3, Level.WATCH)]


def test_watch_first_where_the_wait_is_between():
    assert run([600] * 20) == [(3, Level.WATCH)]
    assert run([600] * 7 + [950] * 8) == [(3, Level.WATCH), (6.5, Level.SURGE)]


def test_between_the_two_thresholds_nothing_moves():
    assert run([700] * 200, Level.SURGE) == []
    assert run([250] * 200, Level.WATCH) == []
    assert run([250] * 200, Level.CALM) == []


def test_short_waits_must_last_before_it_goes_down():
    assert run([500] * 20, Level.SURGE) == []
    assert run([500] * 21, Level.SURGE) == [(10, Level.WATCH)]
    assert run([100] * 21, Level.SURGE) == [(10, Level.CALM)]
    assert run([100] * 21, Level.CLOSED_TO_NEW) == [(10, Level.CALM)]


def test_closing_to_new_is_never_suggested():
    assert run([5000] * 100, Level.SURGE) == []


def test_a_spike_is_told_at_once_and_holds_the_level():
    assert run([10], spike=12.1) == [(0, Level.SURGE)]
    assert run([10], spike=12) == []
    assert run([100] * 100, Level.SURGE, spike=7) == []
    assert run([100] * 21, Level.SURGE, spike=6) == [(10, Level.CALM)]


def test_what_is_not_known_is_neither_long_nor_short():
    assert run([None] * 100) == run([None] * 100, Level.SURGE) == []
    assert run([*[1000] * 4, None, *[1000] * 4]) == []


def test_nobody_serving_is_a_wait_without_an_end():
    said = step(
        POLICY, Sensor(START, over_surge_ms=START - 5 * MINUTE), Reading(START, float("inf")), Level.CALM
    )
    assert said[1] == Suggestion(
        Level.SURGE,
        "A newcomer's wait is without an end, and has been too long for 3 min.",
        START + POLICY.expires_ms,
    )


@pytest.mark.parametrize("later_ms", [2 * MINUTE + 1, -1])
def test_after_a_gap_the_dwell_begins_anew(later_ms: int):
    sensor = Sensor(START, over_surge_ms=START - 60 * MINUTE, over_watch_ms=START - 60 * MINUTE)
    after, suggestion = step(POLICY, sensor, Reading(START + later_ms, 1000), Level.CALM)
    assert suggestion is None
    assert after.over_surge_ms == START + later_ms


def test_it_is_suggested_to_renew_a_level_that_is_still_needed():
    def renewed(wait_s: float | None, left_min: int, here: Level = Level.SURGE) -> Suggestion | None:
        ends_ms = START + left_min * MINUTE
        return step(POLICY, Sensor(), Reading(START, wait_s), here, ends_ms)[1]

    assert renewed(1200, 11) is None
    suggestion = renewed(1200, 10)
    assert suggestion is not None
    assert (suggestion.level, suggestion.expires_ms) == (Level.SURGE, START + POLICY.expires_ms)
    assert suggestion.why == "A newcomer's wait is about 20 min, and the level ends soon."
    assert renewed(1200, 5, Level.CLOSED_TO_NEW).level is Level.CLOSED_TO_NEW
    assert renewed(100, 5) is renewed(None, 5) is renewed(1200, 5, Level.CALM) is None


def test_the_reason_names_the_wait_and_calm_has_no_end():
    sensor = Sensor(START - MINUTE, under_watch_ms=START - 11 * MINUTE)
    suggestion = step(POLICY, sensor, Reading(START, 61), Level.WATCH)[1]
    assert suggestion == Suggestion(
        Level.CALM, "A newcomer's wait is about 1 min, and has been short for 10 min."
    )


@given(st.lists(st.none() | st.floats(0, 4000), max_size=200), st.sampled_from(Level))
def test_whatever_the_waits(waits: list[float | None], here: Level):
    """Every move is lawful for one person, and it never goes up and down within the longer dwell."""
    said = run(waits, here)
    for _, level in said:
        assert level is not Level.CLOSED_TO_NEW
        assert level in LEVEL_MOVES[here]
        here = level
    for (before, first), (after, second) in pairwise(said):
        assert after - before >= (10 if second < first else 0)


def test_a_wait_that_swings_switches_seldom():
    """Ten hours of a wait that swings about the threshold: hysteresis and dwell keep it in one level."""
    drawn = random.Random(5)
    waits: list[float | None] = [900 + 200 * drawn.uniform(-1, 1) for _ in range(1200)]
    assert len(run(waits)) <= 2
