"""The demo's centre: the example's in everything but callbacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from callbacks.moments import bounds, may_ring
from processes.centre import read_centre
from processes.demo import EXAMPLES
from processes.rehearsed import NoCentre, write_centre

HOUR_MS = 3_600_000


def test_it_is_the_example_with_callbacks_that_can_be_watched(tmp_path: Path) -> None:
    write_centre(EXAMPLES / "centre.toml", tmp_path / "centre.toml")
    example, demo = read_centre(EXAMPLES / "centre.toml"), read_centre(tmp_path / "centre.toml")
    assert demo.policy == example.policy
    assert demo.callbacks.offer_wait_ms < example.callbacks.offer_wait_ms
    assert demo.callbacks.modes == example.callbacks.modes


def test_merchants_are_rung_at_every_hour(tmp_path: Path) -> None:
    write_centre(EXAMPLES / "centre.toml", tmp_path / "centre.toml")
    within = bounds(read_centre(tmp_path / "centre.toml").callbacks, None, "America/New_York")
    assert all(may_ring(within, hour * HOUR_MS) for hour in range(24))


def test_an_example_without_callbacks_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "short.toml").write_text('name = "Short"\n')
    with pytest.raises(NoCentre, match=r"short\.toml"):
        write_centre(tmp_path / "short.toml", tmp_path / "centre.toml")
