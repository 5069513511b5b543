"""The figures of the spike detector."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from drill.detection import FACTORS, measure, poisson, rates, shape, shapes_table, table
from drill.scenarios import written


def test_drawn_counts_have_the_rate_they_are_drawn_with():
    drawn = random.Random(4)
    for rate in (0.5, 7.0, 95.0):
        assert fmean(poisson(rate, drawn) for _ in range(2000)) == pytest.approx(rate, rel=0.1)


def test_a_week_has_the_volume_asked_for():
    assert fmean(fmean(rates(1.9, random.Random(seed))) for seed in range(20)) == pytest.approx(1.9, rel=0.1)


def test_bigger_surges_are_seen_sooner_and_the_plain_rule_cries_wolf():
    cusum, plain = measure(1.9, weeks=2, ramps=25, seed=2)
    assert cusum.found_pct[1:] == (100, 100, 100)
    minutes = [each for each in cusum.minutes if each is not None]
    assert minutes == sorted(minutes, reverse=True)
    assert minutes[-1] <= 5
    assert cusum.false_days_pct < 20 < plain.false_days_pct
    lines = table([cusum, plain]).splitlines()
    assert len(lines) == 4
    assert all(line.count("|") == 5 + len(FACTORS) for line in lines)


def test_the_reported_outages_are_seen_and_ordinary_days_are_not():
    found = {
        name: shape(name, written.read(written.find(name)), days=20, seed=3)
        for name in ("upserve", "quiet-tuesday", "mothers-day")
    }
    for name in ("quiet-tuesday", "mothers-day"):
        assert found[name].double is None
        assert found[name].minutes is None
        assert found[name].alarmed_pct <= 5
    upserve = found["upserve"]
    assert upserve.alarmed_pct == 100
    low, middle, high = upserve.minutes
    assert low <= middle <= high < 10
    lines = shapes_table(list(found.values())).splitlines()
    assert len(lines) == 5
    assert {line.count("|") for line in lines} == {6}
