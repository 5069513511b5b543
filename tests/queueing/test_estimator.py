"""What the estimator promises: one verb at a time, and over any history at all."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queueing.estimates import Estimate, Estimator


def centre(agents: int = 4, waiting: int = 10, **figures: object) -> Estimator:
    """All agents busy since a while, so many in line (contacts 100, 101, ...), at t = 1000."""
    made = Estimator(**({"handling_s": 300.0} | figures))  # type: ignore[arg-type]
    made.on_agents(0, agents)
    for number in range(agents):
        begun = 880 + 120 * (number + 0.5) / agents
        made.on_arrival(begun, number, 0, begun)
        made.on_start(begun, number)
    for number in range(waiting):
        made.on_arrival(1000, 100 + number, 0, 900 + number)
    return made


def mean(made: Estimator, contact: int, t: float = 1000) -> float:
    return sure(made.estimate(t, contact)).mean


def sure(estimate: Estimate | None) -> Estimate:
    assert estimate is not None
    return estimate


# --- one verb at a time -------------------------------------------------------------------------------


def test_the_wait_is_about_the_places_ahead_over_the_pace():
    made = centre(agents=10, waiting=60, hangup_per_s=1e-9)
    assert mean(made, 159) == pytest.approx(60 * 30, rel=0.2)


def test_hang_ups_ahead_are_expected():
    patient, impatient = centre(waiting=60, hangup_per_s=1e-6), centre(waiting=60, hangup_per_s=1 / 300)
    assert mean(impatient, 159) < 0.6 * mean(patient, 159)


def test_the_further_back_the_longer():
    waits = [estimate.mean for estimate in map(sure, centre().estimates(1000).values())]
    assert waits == sorted(waits)
    assert len(set(waits)) == 10


@pytest.mark.parametrize("verb", ["on_abandon", "on_leave", "on_start"])
def test_it_shrinks_as_one_ahead_leaves(verb: str):
    made = centre()
    before = mean(made, 109)
    if verb == "on_start":
        made.on_end(1000, 0)
    getattr(made, verb)(1000, 100)
    assert mean(made, 109) < before


def test_one_behind_makes_no_difference():
    made = centre()
    before = made.estimate(1000, 105)
    made.on_arrival(1000, 200, 0, 1000)
    assert mean(made, 105) == pytest.approx(sure(before).mean, rel=0.01)


def test_a_converted_caller_keeps_the_place_and_counts_for_more_to_those_behind():
    made = centre(waiting=20, hangup_per_s=1 / 400)
    order, before = list(made.estimates(1000)), mean(made, 119)
    for contact in range(100, 115):
        made.on_convert(1000, contact)
    assert list(made.estimates(1000)) == order
    assert mean(made, 119) > before


def test_a_promise_cannot_hang_up():
    made = centre()
    made.on_convert(1000, 100)
    made.on_abandon(1000, 100)
    assert made.estimate(1000, 100) is not None
    made.on_leave(1000, 100)
    assert made.estimate(1000, 100) is None


def test_an_arrival_with_a_higher_band_goes_ahead():
    made = centre()
    before = mean(made, 109)
    made.on_arrival(1000, 300, 0, 0.0)
    assert mean(made, 109) > before
    assert mean(made, 300) < mean(made, 100)


def test_higher_bands_still_to_come_are_reckoned_with():
    """Two lines alike but for what the higher band did until now."""
    quiet, lively = Estimator(handling_s=300.0), Estimator(handling_s=300.0)
    for made in (quiet, lively):
        made.on_agents(0, 12)
        for number in range(12):
            made.on_arrival(0.5, number, 1, 1e6 + 0.5)
            made.on_start(0.5, number)
    for step in range(60):
        lively.on_arrival(1 + step * 50, 500 + step, 0, 1 + step * 50)
        lively.on_leave(1 + step * 50, 500 + step)
    for made in (quiet, lively):
        for number in range(20):
            made.on_arrival(3100 + number, 100 + number, 1, 1e6 + 3100 + number)
    assert mean(lively, 119, 3200) > 1.4 * mean(quiet, 119, 3200)


def test_a_head_start_ends_by_itself():
    """Those who will come after my head start is used up are behind me, and no reason to wait longer."""
    figures = {}
    for head_start in (60.0, 1e5):
        made = Estimator(handling_s=300.0, hangup_per_s=1e-6)
        made.on_agents(0, 10)
        for number in range(10):
            made.on_arrival(0.5, number, 1, 0.5)
            made.on_start(0.5, number)
        for step in range(100):
            at = 1.0 + step * 40
            made.on_arrival(at, 500 + step, 0, at - head_start)
            made.on_leave(at, 500 + step)
        for number in range(30):
            made.on_arrival(4000 + number, 100 + number, 1, 4000 + number)
        figures[head_start] = mean(made, 129, 4050)
    assert figures[60.0] < 0.75 * figures[1e5]


def test_agents_who_will_come_by_the_roster_shorten_the_wait():
    alone = centre(waiting=60)
    relieved = centre(waiting=60, roster=[(0, 4), (1600, 12)])
    by_function = centre(waiting=60, roster=lambda t: 4 if t < 1600 else 12)
    assert mean(relieved, 159) < 0.7 * mean(alone, 159)
    assert mean(by_function, 159) == pytest.approx(mean(relieved, 159), rel=0.1)
    assert mean(relieved, 100) == pytest.approx(mean(alone, 100), rel=0.05)


def test_nothing_is_said_of_those_whom_the_roster_leaves():
    made = centre(waiting=60, roster=[(0, 4), (1600, 0)], hangup_per_s=1e-6)
    assert made.estimate(1000, 100) is not None
    made.on_agents(1600, 4)
    assert made.estimate(1000, 159) is None or mean(made, 159) > 2000


def test_an_agent_who_is_free_takes_the_next_at_once():
    made = centre(agents=3, waiting=0)
    made.on_end(1000, 0)
    made.on_arrival(1000, 7, 0, 1000)
    assert made.estimate(1000, 7) == Estimate(0.0, 0.0, 0.0, 0.0)


def test_agents_who_are_signed_in_and_never_free_are_found_out():
    """Ten signed in, of whom four take calls: soon it is four that are counted on."""
    made = Estimator(handling_s=300.0, hangup_per_s=1e-6)
    made.on_agents(0, 10)
    serving, next_one, t = [], 0, 0.0
    for number in range(200):
        made.on_arrival(float(number), number, 0, number)
    for number in range(4):
        made.on_start(200, number)
        serving.append(number)
    next_one = 4
    for step in range(90):
        t = 275.0 + 75 * step
        made.on_end(t, serving.pop(0))
        made.on_start(t, next_one)
        serving.append(next_one)
        next_one += 1
    assert mean(made, next_one + 39, t) == pytest.approx(40 * 75, rel=0.3)


def test_calls_that_have_lasted_long_free_their_agents_later():
    fresh, stale = Estimator(handling_s=300.0), Estimator(handling_s=300.0)
    for made, begun in ((fresh, 1800.0), (stale, 0.0)):
        made.on_agents(0, 3)
        for number in range(3):
            made.on_start(begun, number)
        made.on_arrival(2000, 9, 0, 2000)
    assert mean(stale, 9, 2000) > 1.3 * mean(fresh, 9, 2000)


def test_a_shift_that_begins_all_at_once_is_no_sign_of_long_calls():
    """Fifty agents in the first minute of their first calls: nobody has ended, and nothing follows from
    it.
    """
    made = Estimator(handling_s=300.0, hangup_per_s=1e-6)
    made.on_agents(0, 50)
    for number in range(50):
        made.on_start(0, number)
    for number in range(200):
        made.on_arrival(number / 8, 100 + number, 0, number)
    for number in range(2):
        made.on_end(40 + number, number)
        made.on_start(40 + number, 100 + number)
    assert mean(made, 299, 51) == pytest.approx(200 * 6, rel=0.2)


def test_handling_times_are_learned_and_long_forgotten_priors_do_not_matter():
    waits = []
    for prior in (100.0, 900.0):
        made, rng = Estimator(handling_s=prior, hangup_per_s=1e-6), random.Random(5)
        made.on_agents(0, 1)
        t = 0.0
        for number in range(300):
            made.on_start(t, number)
            t += rng.lognormvariate(math.log(250), 0.7)
            made.on_end(t, number)
        made.on_start(t, 1000)
        made.on_arrival(t, 1001, 0, t)
        waits.append(mean(made, 1001, t))
    assert waits[0] == pytest.approx(waits[1], rel=0.05)
    assert waits[0] == pytest.approx(250 * math.exp(0.245), rel=0.25)


def test_queues_that_share_no_agents_do_not_wait_for_each_other():
    made = Estimator(handling_s={"cards": 300.0, "tills": 300.0}, shares={"cards": {}, "tills": {}})
    made.on_agents(0, 2, "cards")
    made.on_agents(0, 2, "tills")
    for number, queue in enumerate(["cards", "cards", "tills", "tills"]):
        made.on_arrival(1, number, 0, 1, queue=queue)
        made.on_start(1, number)
    made.on_arrival(5, 10, 0, 5, queue="cards")
    alone = mean(made, 10, 20)
    for number in range(30):
        made.on_arrival(20, 100 + number, 0, 2, queue="tills")
    assert mean(made, 10, 20) == pytest.approx(alone, rel=1e-6)
    assert mean(made, 129, 20) > 5 * alone


def test_queues_that_share_all_agents_are_one_line():
    made = centre(waiting=0)
    made.on_arrival(1000, 10, 0, 1000, queue="cards")
    alone = mean(made, 10)
    for number in range(10):
        made.on_arrival(1000, 100 + number, 0, 999, queue="tills")
    assert mean(made, 10) > 5 * alone


# --- when nothing is said -----------------------------------------------------------------------------


def test_nobody_signed_in_is_unknown():
    made = centre()
    made.on_agents(1000, 0)
    assert made.estimate(1000, 100) is None
    assert set(made.estimates(1000).values()) == {None}


def test_before_any_agents_were_heard_of_it_is_unknown():
    made = Estimator(handling_s=300.0)
    made.on_arrival(1, 1, 0, 1)
    assert made.estimate(1, 1) is None


def test_without_a_prior_some_contacts_must_have_been_handled():
    made = Estimator()
    made.on_agents(0, 1)
    for number in range(5):
        made.on_start(300 * number, number)
        made.on_arrival(300 * number + 1, 100 + number, 0, number)
        assert made.estimate(300 * number + 2, 100 + number) is None
        made.on_end(300 * number + 299, number)
    made.on_start(1500, 9)
    assert made.estimate(1501, 104) is not None


def test_a_contact_that_is_not_in_line_is_unknown():
    made = centre()
    assert made.estimate(1000, 0) is None
    assert made.estimate(1000, "nobody") is None


# --- any history at all -------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["on_agents", "on_arrival", "on_convert", "on_abandon", "on_leave", "on_start", "on_end", "ask"]
        ),
        st.floats(-30, 400),
        st.integers(0, 12),
        st.integers(0, 2),
        st.sampled_from(["live", "promise", "other"]),
    ),
    max_size=80,
)


def play(steps: list[tuple[str, float, int, int, str]]) -> tuple[Estimator, list[Estimate | None]]:
    made, t, said = Estimator(handling_s=200.0), 1e9, []
    for verb, passed, number, band, kind in steps:
        t += passed
        if verb == "on_agents":
            made.on_agents(t, number % 4)
        elif verb == "on_arrival":
            made.on_arrival(t, number, band, t - 600.0 * band, kind)
        elif verb == "ask":
            said += made.estimates(t).values()
        else:
            getattr(made, verb)(t, number)
    said += made.estimates(t).values()
    return made, said


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_whatever_happens_the_numbers_are_in_order_and_not_below_nought(
    steps: list[tuple[str, float, int, int, str]],
):
    made, said = play(steps)
    for estimate in said:
        if estimate is not None:
            assert 0 <= estimate.p10 <= estimate.p50 <= estimate.p90 < math.inf
            assert 0 <= estimate.mean < math.inf
    assert set(made.waiting) == {place.contact for place in made.places}
    assert not set(made.waiting) & set(made.serving)
    assert all(count >= 0 for count in made.handlings.busy.values())


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_the_same_events_give_the_same_numbers(steps: list[tuple[str, float, int, int, str]]):
    assert play(steps)[1] == play(steps)[1]


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_asking_changes_nothing(steps: list[tuple[str, float, int, int, str]]):
    """Estimates are the same whether or not others were asked for on the way."""
    silent = [step for step in steps if step[0] != "ask"]
    asked = [also for step in silent for also in (step, ("ask", 0.0, 0, 0, "live"))]
    made, _ = play(silent)
    again, _ = play(asked)
    assert made.estimates(made.now) == again.estimates(made.now)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_an_event_told_twice_at_once_counts_once(steps: list[tuple[str, float, int, int, str]]):
    twice = [each for step in steps for each in (step, (step[0], 0.0, *step[2:]))]
    made, _ = play(steps)
    again, _ = play(twice)
    assert list(made.estimates(made.now)) == list(again.estimates(made.now))
    assert set(made.serving) == set(again.serving)


def test_late_repeats_of_one_who_left_are_ignored():
    made = centre()
    made.on_abandon(1000, 100)
    made.on_arrival(900, 100, 0, 900)
    made.on_start(950, 100)
    assert made.estimate(1000, 100) is None
    assert 100 not in made.serving


def test_keys_may_be_of_any_ordered_kind():
    made = Estimator(handling_s=300.0)
    made.on_agents(1000, 2)
    for number in range(2):
        made.on_start(1000, number)
    for number in range(10):
        made.on_arrival(1000 + number, 100 + number, number % 2, (number % 2, number))
    assert None not in made.estimates(1010).values()
    assert list(made.estimates(1010)) == [100, 102, 104, 106, 108, 101, 103, 105, 107, 109]


def test_an_agent_asked_in_vain_lengthens_all_waits_and_puts_the_contact_back():
    """The seconds are spent, and no contact is handled for them."""
    told = []
    for in_vain in (False, True):
        made = Estimator(handling_s=300.0)
        made.on_agents(0, 2)
        for number in range(6):
            made.on_arrival(number, number, 0, number)
        made.on_start(10, 0)
        if in_vain:
            for again in range(20):
                made.on_start(20 + again * 20, 1)
                made.on_return(35 + again * 20, 1)
                assert [place.contact for place in made.places] == [1, 2, 3, 4, 5]
        made.on_start(500, 1)
        made.on_end(510, 0)
        told.append(made.estimate(510, 5))
    assert told[0] is not None
    assert told[1] is not None
    assert told[1].mean > 1.05 * told[0].mean
    made.on_return(520, "nobody")  # harmless
    assert made.handlings.busy["", "live"] == 1


def test_a_newcomer_is_told_what_they_will_be_told_when_they_have_come():
    made = Estimator(handling_s=300.0)
    made.on_agents(0, 3)
    for number in range(60):
        made.on_arrival(number * 5.0, number, number % 2, number * 5.0 + (number % 2) * 100)
        if number < 3:
            made.on_start(number * 5.0, number)
    for key in (-1.0, 130.0, 301.0, 1e6):
        foretold = made.newcomer(300.0, "", key)
        made.on_arrival(300.0, key, 0, key)
        told = made.estimate(300.0, key)
        assert foretold is not None
        assert told is not None
        assert foretold.mean == pytest.approx(told.mean, rel=0.02)
        made.on_leave(300.0, key)


def test_who_waited_before_we_knew_is_as_patient_as_that():
    """One who has waited an hour is likelier to stay than one who has just come."""
    told = []
    for since in (None, 0.0):
        made = Estimator(handling_s=300.0)
        made.on_agents(3600, 1)
        for number in range(200):
            made.on_arrival(3600, number, 0, number, since=since)
        told.append(made.estimate(3600, 199))
    assert told[0] is not None
    assert told[1] is not None
    assert told[1].mean > 1.1 * told[0].mean


def test_it_says_why_it_is_silent():
    made = Estimator()
    assert made.silence("") == "nobody"
    made.on_agents(0, 1)
    assert made.silence("") == "few"
    for number in range(5):
        made.on_start(number * 10, number)
        made.on_end(number * 10 + 9, number)
    assert made.silence("") == ""
    made.calibration.seen, made.calibration.coverage = 50.0, 0.3
    assert made.silence("") == "missed"
