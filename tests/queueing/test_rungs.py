"""The short ladder of waits: true where it was estimated, close between, honest where nothing is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queueing.estimates import Estimate, Estimator
from queueing.rungs import Ladder, chosen, shifted


def flat(seconds: float) -> Estimate:
    return Estimate(seconds, seconds, seconds, seconds)


LADDER = Ladder(
    ((1, flat(10)), (2, flat(20)), (4, flat(60))), {"p1": (2, flat(15)), "p2": (5, flat(100))}, ""
)


@pytest.mark.parametrize(
    ("position", "band", "wait"),
    [
        (1, "p2", 10),
        (3, "p2", 40),
        (3, "p1", 40),
        (4, "p2", 60),
        (5, "p2", 100),
        (6, "p2", 140),
        (7, "", 180),
    ],
)
def test_between_two_rungs_it_is_even_and_beyond_it_goes_on(position: int, band: str, wait: float) -> None:
    assert LADDER.at(position, band) == flat(wait)


def test_a_high_band_that_would_come_into_the_middle_goes_on_by_the_line() -> None:
    assert LADDER.at(5, "p1") == flat(80)
    assert LADDER.newcomer == flat(100)


def test_the_first_rung_may_be_far() -> None:
    assert Ladder(((4, flat(40)),), {}, "").at(2) == flat(20)
    assert Ladder((), {"p2": (1, flat(0))}, "").at(1, "p2") == flat(0)
    assert Ladder((), {}, "").at(1) is None


@pytest.mark.parametrize("silence", ["few", "nobody", "missed"])
def test_a_silent_ladder_tells_nothing_and_says_why(silence: str) -> None:
    silent = Ladder.unpacked(Ladder(LADDER.rungs, LADDER.newcomers, silence).packed())
    assert silent.silence == silence
    assert silent.at(1) is None
    assert silent.newcomer is None
    assert silent.foreseen == flat(100)  # to plan by


def test_where_the_line_outlasts_the_agents_those_are_told_whom_they_still_reach() -> None:
    silent = Ladder.unpacked(Ladder(LADDER.rungs, silence="endless").packed())
    assert (silent.silence, silent.at(4), silent.at(5, "p1")) == ("endless", flat(60), None)
    assert silent.newcomer is None
    assert silent.foreseen is None
    assert Ladder.unpacked(Ladder(silence="endless").packed()).at(1) is None


def test_the_packing_is_short_and_loses_nothing_but_fractions() -> None:
    assert Ladder.unpacked(LADDER.packed()) == LADDER
    assert LADDER.packed().startswith("1:10:10:10:10,2:20:20:20:20,")


@pytest.mark.parametrize("text", ["", "x", "1:2/", "1:a:2:3:4/", "/p1:1", "1:1:2:3:4/p1"])
def test_what_is_no_ladder_tells_nothing(text: str) -> None:
    assert Ladder.unpacked(text).at(1) is None


@given(st.integers(0, 5000))
def test_the_positions_are_few_and_end_with_the_last(waiting: int) -> None:
    positions = list(chosen(waiting))
    assert positions == sorted(set(positions))
    assert positions[-1:] == ([waiting] if waiting else [])
    assert len(positions) <= 32


def test_between_the_rungs_of_a_long_line_it_is_right_to_a_hundredth() -> None:
    made = Estimator(handling_s=300.0)
    made.on_agents(0, 20)
    for number in range(1020):
        made.on_arrival(number * 2.0, number, number % 3, number * 2.0 - (number % 3) * 60)
        if number < 20:
            made.on_start(number * 2.0, number)
    waits = list(made.estimates(3000.0).values())
    rungs = tuple((position, waits[position - 1]) for position in chosen(len(waits)))
    told = Ladder(tuple((at, wait) for at, wait in rungs if wait), {}, "")
    for position, wait in enumerate(waits, 1):
        near = told.at(position)
        assert near is not None
        assert wait is not None
        assert near.p50 == pytest.approx(wait.p50, rel=0.015, abs=1.0)
        assert near.p90 == pytest.approx(wait.p90, rel=0.015, abs=1.0)


def test_a_shift_moves_all_of_it() -> None:
    assert shifted(Estimate(1, 2, 3, 4), 5) == Estimate(6, 7, 8, 9)
