"""What became of the promises, counted."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callbacks.figures import (
    Bucket,
    Measured,
    Row,
    Tally,
    by_day,
    by_hour,
    by_queue,
    deviation_ms,
    grouped,
    punctuality,
    tally,
    tries,
)
from callbacks.policy import MINUTE_MS
from callbacks.states import OPEN, PromiseState

MADE = round(datetime(2024, 3, 5, 15, tzinfo=UTC).timestamp() * 1000)


def row(state: PromiseState = PromiseState.KEPT, rung_min: float | None = None, **changed) -> Row:
    """Made at 0, promised from minute 60 to 120."""
    at_ms = None if rung_min is None else MADE + round(rung_min * MINUTE_MS)
    values = {
        "queue": "support",
        "made_ms": MADE,
        "from_ms": MADE + 60 * MINUTE_MS,
        "by_ms": MADE + 120 * MINUTE_MS,
        "first_rung_ms": at_ms,
        "met_ms": at_ms if state is PromiseState.KEPT else None,
    }
    return Row(state, **{**values, **changed})


def test_every_ending_has_its_count():
    ends = [state for state in PromiseState if state not in OPEN and state is not PromiseState.KEPT]
    rows = [
        row(rung_min=60),
        row(rung_min=120),
        row(rung_min=121),
        *(row(state) for state in ends),
        *(row(s) for s in OPEN),
    ]
    assert tally(rows) == Tally(
        made=13, on_time=2, late=1, unreachable=1, cancelled=1, superseded=1, resolved=1, expired=1, open=5
    )
    assert tally([]) == Tally()


def test_rates_are_of_what_was_ours_to_keep():
    counted = Tally(
        made=20, on_time=6, late=2, unreachable=1, expired=1, cancelled=5, superseded=3, resolved=2
    )
    assert counted.kept_pct == 80.0
    assert counted.on_time_pct == 75.0
    assert Tally().kept_pct is None
    assert Tally().on_time_pct is None


def test_nothing_here_is_an_abandoned_call():
    assert not any("abandon" in field.name for field in fields(Tally))


def test_late_is_when_they_met_not_when_it_first_rang():
    late = row(rung_min=100, met_ms=MADE + 130 * MINUTE_MS)
    assert tally([late]).late == 1
    assert tally([row(rung_min=100, met_ms=None)]).on_time == 1
    assert tally([row(rung_min=None)]).late == 1
    assert tally([row(rung_min=500, by_ms=0)]).on_time == 1


@pytest.mark.parametrize(
    ("minute", "off_min"), [(60, 0), (90, 0), (120, 0), (125, 5), (59, -1), (30, -30), (120.5, 0.5)]
)
def test_inside_the_promised_time_is_no_deviation(minute: float, off_min: float):
    assert deviation_ms(row(rung_min=minute)) == off_min * MINUTE_MS


def test_without_a_ring_or_a_told_time_there_is_no_deviation():
    assert deviation_ms(row()) is None
    assert deviation_ms(row(rung_min=90, by_ms=0)) is None
    assert deviation_ms(row(rung_min=90, met_ms=None), Measured.MET) is None
    assert deviation_ms(row(rung_min=90, met_ms=MADE + 122 * MINUTE_MS), Measured.MET) == 2 * MINUTE_MS


def test_punctuality_as_a_histogram():
    minutes = (60, 61, 120, 120.5, 121, 125, 126, 500, 59.5, 54, -1000)
    found = punctuality([*(row(rung_min=minute) for minute in minutes), row()])
    assert found == [
        Bucket(None, -60, 1),
        Bucket(-60, -30, 0),
        Bucket(-30, -15, 0),
        Bucket(-15, -5, 1),
        Bucket(-5, -1, 0),
        Bucket(-1, 0, 1),
        Bucket(0, 0, 3),
        Bucket(0, 1, 2),
        Bucket(1, 5, 1),
        Bucket(5, 15, 1),
        Bucket(15, 30, 0),
        Bucket(30, 60, 0),
        Bucket(60, None, 1),
    ]


def test_tries_are_attempts_at_promises_that_were_rung():
    rows = [row(rung_min=70), row(rung_min=70, tries=2), row(PromiseState.UNREACHABLE, tries=3), row()]
    assert tries(rows) == {1: 1, 3: 2}


def test_groups_by_queue_day_and_hour():
    rows = [row(rung_min=70), row(queue="orders"), row(made_ms=MADE + 14 * 60 * MINUTE_MS)]
    assert {name: group.made for name, group in grouped(rows, by_queue).items()} == {
        "orders": 1,
        "support": 2,
    }
    assert list(grouped(rows, by_day("America/New_York"))) == ["2024-03-05", "2024-03-06"]
    assert list(grouped(rows, by_day("America/Los_Angeles"))) == ["2024-03-05"]
    assert list(grouped(rows, by_hour("America/New_York"))) == [
        "2024-03-05T10:00-05:00",
        "2024-03-06T00:00-05:00",
    ]


def test_an_hour_that_is_read_twice_is_two_hours():
    first = round(datetime(2024, 11, 3, 5, 30, tzinfo=UTC).timestamp() * 1000)
    rows = [row(made_ms=first), row(made_ms=first + 60 * MINUTE_MS)]
    assert list(grouped(rows, by_hour("America/New_York"))) == [
        "2024-11-03T01:00-04:00",
        "2024-11-03T01:00-05:00",
    ]


@given(
    st.lists(
        st.builds(
            row,
            st.sampled_from(PromiseState),
            st.none() | st.floats(-500, 500),
            tries=st.integers(0, 3),
            by_ms=st.sampled_from([0, MADE, MADE + 120 * MINUTE_MS]),
        ),
        max_size=30,
    )
)
def test_nobody_is_counted_twice_or_left_out(rows: list[Row]):
    counted = tally(rows)
    parts = [getattr(counted, field.name) for field in fields(Tally) if field.name != "made"]
    assert sum(parts) == counted.made == len(rows)
    measured = [row for row in rows if deviation_ms(row) is not None]
    assert sum(bucket.count for bucket in punctuality(rows)) == len(measured)
    assert sum(group.made for group in grouped(rows, by_queue).values()) == len(rows)
