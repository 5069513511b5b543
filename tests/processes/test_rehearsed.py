"""The demo's centre: the example's in everything but callbacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from callbacks.moments import bounds, may_ring
from carrier.numbers import normalise
from merchants.sheet import Policy, read
from processes.centre import read_centre
from processes.demo import EXAMPLES
from processes.rehearsed import MERCHANTS, NoCentre, write_centre, write_merchants

HOUR_MS = 3_600_000


def test_it_is_the_example_with_callbacks_that_can_be_watched(tmp_path: Path) -> None:
    write_centre(EXAMPLES / "centre.toml", tmp_path / "centre.toml")
    example, demo = read_centre(EXAMPLES / "centre.toml"), read_centre(tmp_path / "centre.toml")
    assert demo.policy == example.policy
    assert demo.callbacks.offer_wait_ms < example.callbacks.offer_wait_ms
    assert demo.callbacks.modes == example.callbacks.modes
    assert demo.surge.surge.enter_s < example.surge.surge.enter_s
    assert demo.surge.soak_ms < example.surge.soak_ms
    assert demo.surge.detector == "suggest"  # the person at the keyboard presses


def test_merchants_are_rung_at_every_hour(tmp_path: Path) -> None:
    write_centre(EXAMPLES / "centre.toml", tmp_path / "centre.toml")
    within = bounds(read_centre(tmp_path / "centre.toml").callbacks, None, "America/New_York")
    assert all(may_ring(within, hour * HOUR_MS) for hour in range(24))


def test_an_example_without_callbacks_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text('name = "Short"\n')
    with pytest.raises(NoCentre, match=r"short\.toml"):
        write_centre(tmp_path / "short.toml", tmp_path / "centre.toml")


def test_enough_merchants_for_a_flood_none_of_them_a_real_number(tmp_path: Path) -> None:
    write_merchants(EXAMPLES / "merchants.csv", tmp_path / "a.csv", 1)
    rows = read((tmp_path / "a.csv").read_bytes(), Policy(normalise))
    numbers = [number for row in rows for number, _ in row.numbers]
    assert len(rows) == len({row.name for row in rows}) == MERCHANTS
    assert len(set(numbers)) == len(numbers)
    assert all(number[5:10] == "55501" for number in numbers)
    assert {row.language for row in rows} == {"en", "es"}
    write_merchants(EXAMPLES / "merchants.csv", tmp_path / "b.csv", 1)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
