"""The next hour, with and without a level."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surge.forecast import Now, Outlook, compare, outlook
from surge.policy import SurgePolicy
from surge.states import Level

POLICY = SurgePolicy()
SATURDAY = Now(12, handling_s=300, agents=20, waiting=40, hangup_per_s=1 / 1800, matched_share=0.8)
"""Three times what twenty agents can do."""


def test_a_quiet_line_stays_quiet():
    quiet = outlook(POLICY, Now(calls_per_min=2, handling_s=300, agents=20), Level.CALM)
    assert len(quiet.minutes) == 60
    assert quiet.abandoned == quiet.texts == 0
    assert quiet.longest_wait_s == 0
    assert quiet.minutes[0].load == pytest.approx(0.5)


def test_surge_shortens_the_wait_and_loses_fewer():
    without, surged = compare(POLICY, SATURDAY, Level.SURGE)
    assert without.texts == 0
    assert without.last_wait_s > 15 * 60
    assert surged.last_wait_s < without.last_wait_s
    assert surged.abandoned < without.abandoned
    assert 100 < surged.texts < surged.calls


def test_closing_to_new_shortens_it_most():
    surged, closed = (outlook(POLICY, SATURDAY, level) for level in (Level.SURGE, Level.CLOSED_TO_NEW))
    assert closed.last_wait_s < surged.last_wait_s
    assert closed.texts > surged.texts
    assert closed.texts == pytest.approx(0.8 * closed.calls)


def test_at_surge_texts_begin_only_when_the_wait_is_long():
    surged = outlook(POLICY, replace(SATURDAY, waiting=0), Level.SURGE)
    first = next(minute.at for minute in surged.minutes if minute.texts)
    assert first > 1
    assert surged.minutes[first - 2].wait_s > POLICY.max_wait_s
    assert all(minute.wait_s <= POLICY.max_wait_s for minute in surged.minutes[: first - 2])


def test_who_hangs_up_rings_again_ten_minutes_later():
    without = outlook(POLICY, SATURDAY, Level.CALM)
    patient = outlook(POLICY, replace(SATURDAY, redials=0), Level.CALM)
    assert [minute.calls for minute in without.minutes[:10]] == [12] * 10
    assert without.minutes[10].calls == pytest.approx(12 + 0.6 * without.minutes[0].abandoned)
    assert patient.calls == pytest.approx(12 * 60)


def test_the_roster_says_how_many_serve_later_in_the_hour():
    kept, leave = (
        outlook(POLICY, replace(SATURDAY, plan=plan), Level.CALM)
        for plan in (((0, 20), (1800, 60)), ((0, 20), (1800, 0)))
    )
    same = outlook(POLICY, SATURDAY, Level.CALM)
    assert kept.minutes[:30] == leave.minutes[:30] == same.minutes[:30]
    assert kept.last_wait_s < same.last_wait_s / 3
    assert leave.last_wait_s == math.inf


def test_with_nobody_in_there_is_no_end():
    nobody = outlook(POLICY, replace(SATURDAY, agents=0), Level.CALM)
    assert nobody.last_wait_s == math.inf
    assert nobody.minutes[0].load == math.inf
    assert outlook(POLICY, replace(SATURDAY, handling_s=0), Level.CALM).last_wait_s == math.inf


def test_the_wait_of_those_who_never_hang_up():
    stubborn = Now(calls_per_min=0, handling_s=300, agents=20, waiting=400, hangup_per_s=0)
    minutes = outlook(POLICY, stubborn, Level.CALM).minutes
    assert minutes[0].waiting == pytest.approx(396)
    assert minutes[0].wait_s == pytest.approx(99 * 60)


def balance(now: Now, of: Outlook) -> float:
    """Who came, less who left in a known way: those served, in whole."""
    return now.waiting + of.calls - of.texts - of.abandoned - of.minutes[-1].waiting


@given(
    st.builds(
        Now,
        st.floats(0, 200),
        st.floats(1, 2000),
        st.integers(0, 200),
        st.integers(0, 2000),
        st.floats(0, 0.1),
        st.floats(0, 1),
        st.floats(0, 1),
        st.floats(0, 1),
        st.floats(0, 1),
    ),
    st.sampled_from(Level),
)
def test_nobody_appears_from_nowhere_or_vanishes(now: Now, level: Level):
    of = outlook(POLICY, now, level)
    served = balance(now, of)
    capacity = now.agents * 3600 / now.handling_s
    assert -1e-6 <= served <= capacity + 1e-6
    for minute in of.minutes:
        assert minute.waiting >= 0
        assert minute.wait_s >= 0
        assert 0 <= minute.texts <= minute.calls
        assert minute.abandoned >= 0
