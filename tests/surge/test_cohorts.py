"""Whom to tell next that it is over."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surge.cohorts import Row, Stage, last_told_ms, next_stage
from surge.policy import SurgePolicy

POLICY = SurgePolicy(cohort=10)
VERIFIED = 1_700_000_000_000
MINUTE = 60_000
SOAKED = VERIFIED + 15 * MINUTE
ROWS = [Row(f"CA{n:03}", f"merchant {n}", n) for n in range(25)]


def told(rows: list[Row], stage: Stage, at_ms: int) -> list[Row]:
    return [
        replace(row, cohort=stage.cohort, told_ms=at_ms, open=False) if row.id in stage.tell else row
        for row in rows
    ]


def test_nobody_is_told_before_it_is_verified_and_watched():
    assert next_stage(POLICY, ROWS, None, SOAKED) == Stage(reason="it is not verified")
    early = next_stage(POLICY, ROWS, VERIFIED, SOAKED - 1)
    assert (early.tell, early.due_ms) == ((), SOAKED)


def test_stage_after_stage_who_rang_first_first():
    rows, now_ms, sizes = ROWS[::-1], SOAKED, []
    while not (stage := next_stage(POLICY, rows, VERIFIED, now_ms)).done:
        assert stage.cohort == len(sizes) + 1
        assert list(stage.tell) == sorted(stage.tell)
        sizes.append(len(stage.tell))
        rows = told(rows, stage, now_ms)
        waiting = next_stage(POLICY, rows, VERIFIED, now_ms + 5 * MINUTE - 1)
        assert waiting.tell == ()
        now_ms += 5 * MINUTE
    assert sizes == [10, 10, 5]
    assert now_ms - 5 * MINUTE == last_told_ms(POLICY, 25, SOAKED)


@pytest.mark.parametrize(("down", "paused"), [(0, False), (1, False), (2, True)])
def test_more_than_one_in_ten_still_down_stops_it(down: int, paused: bool):
    rows = told(ROWS, next_stage(POLICY, ROWS, VERIFIED, SOAKED), SOAKED)
    rows = [replace(row, still_down_ms=SOAKED + 1) if n < down else row for n, row in enumerate(rows)]
    stage = next_stage(POLICY, rows, VERIFIED, SOAKED + 10 * MINUTE)
    assert stage.paused is paused
    assert bool(stage.tell) is not paused
    if paused:
        assert stage.reason == "2 of 10 told in stage 1 say that it is still down"
        resumed = next_stage(POLICY, rows, VERIFIED, SOAKED + 10 * MINUTE, resumed_ms=SOAKED + 2)
        assert len(resumed.tell) == 10


def test_a_relapse_takes_the_notice_back_to_the_start():
    """Verified, then back to investigating: nobody more is told until it is verified again, and soaked."""
    rows = told(ROWS, next_stage(POLICY, ROWS, VERIFIED, SOAKED), SOAKED)
    assert next_stage(POLICY, rows, None, SOAKED + 60 * MINUTE).tell == ()
    again = SOAKED + 90 * MINUTE
    assert next_stage(POLICY, rows, again, again + 15 * MINUTE - 1).tell == ()
    assert len(next_stage(POLICY, rows, again, again + 15 * MINUTE).tell) == 10


def test_each_merchant_is_told_once():
    rows = [replace(row, who="merchant 0") for row in ROWS]
    stage = next_stage(POLICY, rows, VERIFIED, SOAKED)
    assert stage.tell == ("CA000",)
    assert next_stage(POLICY, told(rows, stage, SOAKED), VERIFIED, SOAKED + 10 * MINUTE).done


def test_no_more_than_there_is_room_for():
    assert len(next_stage(POLICY, ROWS, VERIFIED, SOAKED, room=3).tell) == 3
    assert next_stage(POLICY, ROWS, VERIFIED, SOAKED, room=0) == Stage(
        reason="there is no room for more texts at present"
    )


def test_nobody_left_is_done():
    assert next_stage(POLICY, [replace(row, open=False) for row in ROWS], VERIFIED, VERIFIED).done
    assert next_stage(POLICY, [], VERIFIED, VERIFIED).done


@given(
    st.lists(
        st.builds(
            Row,
            st.uuids().map(str),
            st.sampled_from(["a", "b", "c", "d"]),
            st.integers(0, 9),
            st.booleans(),
            st.integers(0, 3),
            st.none() | st.integers(VERIFIED, SOAKED),
            st.none() | st.integers(VERIFIED, SOAKED),
        ),
        max_size=20,
    ),
    st.integers(VERIFIED, SOAKED + 60 * MINUTE),
)
def test_whatever_the_rows(rows: list[Row], now_ms: int):
    stage = next_stage(POLICY, rows, VERIFIED, now_ms)
    chosen = [row for row in rows if row.id in stage.tell]
    assert len(chosen) <= POLICY.cohort
    assert all(row.open and not row.cohort for row in chosen)
    assert len({row.who for row in chosen}) == len(chosen)
    assert stage.reason
    if stage.tell:
        assert now_ms >= SOAKED
        assert stage.cohort > max((row.cohort for row in rows), default=0)
