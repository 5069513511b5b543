"""Told against had: what counts as kept, as late, as not known."""

from __future__ import annotations

import pytest

from queueing.honesty import Honesty, ToldRow, grouped, honesty, level


def row(low: int, high: int | None, had_s: float, answered: bool = True) -> ToldRow:
    return ToldRow(1_000, low, high, 1_000 + round(had_s * 1000), answered)


@pytest.mark.parametrize(
    ("low", "high", "had_s", "in_range", "late"),
    [
        (4, 15, 181, 1, 0),  # the fourth minute: what is rounded up to 4
        (4, 15, 180, 0, 0),
        (4, 15, 900, 1, 0),
        (4, 15, 901, 0, 1),
        (0, 1, 60, 1, 0),
        (0, 1, 61, 0, 1),
        (90, None, 90_000, 1, 0),
        (90, None, 5_000, 0, 0),
    ],
)
def test_a_wait_is_judged_by_the_minute(
    low: int, high: int | None, had_s: float, in_range: int, late: int
) -> None:
    told = honesty([row(low, high, had_s)])
    assert (told.known, told.in_range, told.late) == (1, in_range, late)


def test_who_left_is_judged_only_when_the_range_had_passed() -> None:
    told = honesty([row(4, 10, 300, answered=False), row(4, 10, 601, answered=False), row(4, 10, 420)])
    assert (told.told, told.known, told.in_range, told.late) == (3, 2, 0.5, 0.5)
    assert (told.bias_s, told.had_s) == (0.0, 420.0)


def test_the_bias_is_that_of_the_middle() -> None:
    told = honesty([row(2, 4, 60), row(2, 4, 240), row(90, None, 9_000)])
    assert told.bias_s == (120 - 60) / 2
    assert told.had_s == 150


def test_nothing_told_is_nothing_judged() -> None:
    assert honesty([]) == Honesty()
    assert honesty([row(4, 10, 5, answered=False)]) == Honesty(told=1)


def test_the_levels_are_by_what_was_told() -> None:
    rows = [row(0, 1, 9), row(2, 6, 9), row(6, 15, 9), row(80, None, 9), row(50, 80, 9)]
    assert list(grouped(rows, level)) == [
        "00–02 min",
        "02–05 min",
        "10–20 min",
        "60 min and more",
    ]
    assert grouped(rows, level)["60 min and more"].told == 2
