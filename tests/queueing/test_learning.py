"""What the estimator learns from, part by part: rates, patience, renewals, staff, places, calibration."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from queueing.arrivals import Arrivals
from queueing.calibration import Calibration, Told
from queueing.handling import Handling, whole_per_capped
from queueing.ladder import FOREVER, Load, Reach, Segment, through
from queueing.learning import Rate
from queueing.outlook import segments
from queueing.patience import Hazard, Patience
from queueing.places import Place, Places, tally
from queueing.renewals import EDGES, paces
from queueing.staffing import Staff

MEMORIES = ((40.0, 0.1), (1000.0, 0.9))


def fed(rate: Rate, true_rate: float, events: int, rng: random.Random) -> Rate:
    for _ in range(events):
        rate.expose(rng.expovariate(true_rate))
        rate.happen()
    return rate


def test_a_rate_finds_the_truth_and_forgets_its_prior():
    rate = fed(Rate(5.0, 4.0, MEMORIES), 0.5, 2000, random.Random(1))
    assert rate.value == pytest.approx(0.5, rel=0.08)


def test_after_a_change_the_short_memory_is_trusted_and_later_the_long_one_again():
    rng = random.Random(2)
    rate = fed(Rate(1.0, 4.0, MEMORIES), 1.0, 2000, rng)
    calm = rate.trust[0]
    fed(rate, 3.0, 120, rng)
    assert rate.trust[0] > 0.5 > calm
    assert rate.value == pytest.approx(3.0, rel=0.3)
    fed(rate, 3.0, 4000, rng)
    assert rate.trust[0] < 0.5


def test_time_without_an_event_counts_at_once():
    rate = Rate(1.0, 4.0, MEMORIES)
    rate.expose(40)
    assert rate.value < 0.2


def test_patience_that_falls_with_the_wait_is_found():
    """Hang-ups by a hazard of 1/500 (age + 60 over 600)^-0.5, from those of all ages."""
    rng, truth = random.Random(3), Hazard(math.log(1 / 500), 0.5)
    patience, t = Patience(1 / 900), 0.0
    places = {}
    for number in itertools.count():
        t += 5
        if t > 30_000:
            break
        place = Place(number, number, number, 0, "live", "", t)
        places[number] = place
        patience.begin(place)
        patience.advance(t, 5.0)
        for other in list(places.values()):
            age = t - other.born
            if rng.random() < truth.at(age) * 5:
                patience.hang_up(age)
                patience.end(other)
                del places[other.seq]
            elif age > 5000:
                patience.end(other)
                del places[other.seq]
    assert patience.hazard.at(30) == pytest.approx(truth.at(30), rel=0.35)
    assert patience.hazard.at(2000) == pytest.approx(truth.at(2000), rel=0.25)


@given(st.floats(-9, -4), st.floats(-0.4, 0.8), st.floats(0, 5000), st.floats(0.1, 5000))
def test_staying_is_the_integral_of_the_hazard(level: float, ease: float, age: float, later: float):
    hazard, steps = Hazard(level, ease), 400
    whole = sum(hazard.at(age + (at + 0.5) * later / steps) for at in range(steps)) * later / steps
    assert hazard.staying(age, later) == pytest.approx(math.exp(-whole), rel=0.02, abs=1e-9)


@pytest.mark.parametrize("cv2", [0.4, 1.0, 1.5])
def test_renewals_are_those_of_simulated_agents(cv2: float):
    """An agent whose call has lasted 1.5 means: completions in each period of EDGES."""
    rng, sigma = random.Random(4), math.sqrt(math.log(1 + cv2))
    counts = [0] * (len(EDGES) - 1)
    runs = 0
    while runs < 4000:
        first = rng.lognormvariate(-(sigma**2) / 2, sigma)
        if first < 1.5:
            continue
        runs += 1
        at = first - 1.5
        while at < EDGES[-1]:
            counts[sum(at >= edge for edge in EDGES) - 1] += 1
            at += rng.lognormvariate(-(sigma**2) / 2, sigma)
    told = paces(cv2)[12]
    for period, (begin, end) in enumerate(itertools.pairwise(EDGES)):
        assert counts[period] / runs / (end - begin) == pytest.approx(told[period], abs=0.1)


def test_one_endless_call_moves_the_mean_little():
    handling, t = Handling(300.0, 1.1), 0.0
    for number in range(200):
        handling.begin(number, t)
        handling.expose(300, 1, t + 300)
        handling.end(number)
        t += 300
    before = handling.mean_s
    handling.begin(999, t)
    for _ in range(100):
        t += 300
        handling.expose(300, 1, t)
    assert handling.mean_s < 1.6 * before


def test_the_tail_is_the_log_normal_one():
    rng, sigma = random.Random(5), math.sqrt(math.log(1 + 1.44))
    times = [rng.lognormvariate(-(sigma**2) / 2, sigma) for _ in range(100_000)]
    capped = sum(min(each, 3.0) for each in times)
    assert whole_per_capped(1.44) == pytest.approx(sum(times) / capped, rel=0.01)


# --- the walk -----------------------------------------------------------------------------------------


def test_the_walk_past_a_block_is_the_walk_one_by_one():
    """x = S / d for each caller, live and promised mixed, against the closed form."""
    hazard, unit, drain = Hazard(math.log(1 / 900), 0.0), 300.0, 6.0
    road = [Segment(FOREVER, drain, (unit / drain) ** 2)]
    at = 0.0
    for number in range(400):
        at += (unit / drain) * (1.0 if number % 4 == 0 else hazard.staying(0.0, at))
    got = through(Load(300 * unit, 100 * unit, 0.0), Reach(0.0, 0.0, 0), road, hazard, 0.0, unit)
    assert got.at == pytest.approx(at, rel=0.01)


def test_the_walk_crosses_periods_as_if_they_were_cut_elsewhere():
    hazard, unit = Hazard(math.log(1 / 900), 0.0), 300.0
    whole = [Segment(FOREVER, 6.0, 2500.0)]
    cut = [Segment(100.0, 6.0, 2500.0), Segment(777.0, 6.0, 2500.0), Segment(FOREVER, 6.0, 2500.0)]
    load = Load(12 * unit, 3 * unit, 0.0)
    one, other = (through(load, Reach(0.0, 0.0, 0), road, hazard, 0.0, unit) for road in (whole, cut))
    assert other.at == pytest.approx(one.at, rel=1e-6)
    assert other.variance == pytest.approx(one.variance, rel=0.3)


def test_a_line_that_nobody_serves_to_its_end_has_none():
    road = [Segment(600.0, 2.0, 100.0), Segment(FOREVER, 0.0, 0.0)]
    hazard = Hazard(math.log(1e-9), 0.0)
    assert through(Load(1000.0, 0.0, 0.0), Reach(0.0, 0.0, 0), road, hazard, 0.0, 300.0).at == 500
    assert through(Load(9000.0, 0.0, 0.0), Reach(0.0, 0.0, 0), road, hazard, 0.0, 300.0).at == FOREVER


# --- staff, arrivals, places, calibration -------------------------------------------------------------


def test_a_roster_that_is_not_kept_is_trusted_less_near_than_far():
    staff = Staff()
    staff.sign("", 8)
    staff.follow("", [(0, 10), (1800, 14), (30_000, 6)])
    plan = dict(staff.plan(100.0, ""))
    assert plan[0.0] == 8
    assert plan[1700.0] == pytest.approx(14 - 2 * math.exp(-1700 / 3600))
    assert plan[29_900.0] == pytest.approx(6, abs=0.01)


def test_kept_places_that_come_back_are_reckoned_with_for_as_long_as_they_are_old():
    arrivals = Arrivals()
    for step in range(200):
        t = 10.0 * step
        arrivals.expose(10.0)
        arrivals.arrive(t, "", 0, t)
        if step % 4 == 3:
            arrivals.arrive(t, "", 0, t - 600)
    (until, rate), *_ = arrivals.overtaking(1990.0, 1985.0, lambda queue: 1.0)
    assert until == pytest.approx(600, abs=61)
    assert rate == pytest.approx(1 / 40, rel=0.3)
    assert arrivals.overtaking(1990.0, 1300.0, lambda queue: 1.0) == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 300)), max_size=400))
def test_places_stay_sorted_and_tallied(moves: list[tuple[bool, int]]):
    places, there, entered = Places(), dict[int, Place](), 0
    for joins, key in moves:
        if joins and key not in there:
            entered += 1
            there[key] = Place(key, key, entered, 0, "live" if key % 3 else "promise", "", float(key))
            places.add(there[key])
        elif not joins and key in there:
            places.remove(there.pop(key))
    assert [place.key for place in places] == sorted(there)
    assert len(places) == len(there)
    for at, key in enumerate(sorted(there)):
        assert places.ahead(there[key].rank) == at
    for block in places.blocks:
        counted = tally(block.places)
        assert {of: count for of, (count, _) in block.sums.items()} == {
            of: count for of, (count, _) in counted.items()
        }


def told(at: float, mean: float = 100.0) -> Told:
    return Told(at, 0.7 * mean, 1.3 * mean, mean, "", (at, 0))


def test_ranges_that_miss_are_widened_then_given_up():
    calibration = Calibration()
    for step in range(40):
        calibration.learn(100.0 * step + 400, told(100.0 * step))
    assert calibration.width > 1.5
    assert calibration.lost
    for step in range(40, 120):
        calibration.learn(100.0 * step + 100, told(100.0 * step))
    assert not calibration.lost


def test_ranges_that_always_hold_are_narrowed():
    calibration = Calibration()
    for step in range(60):
        calibration.learn(100.0 * step + 100, told(100.0 * step))
    assert calibration.width < 0.8


def test_waits_that_are_longer_than_told_move_the_mean_and_only_for_waits_alike():
    calibration = Calibration()
    for step in range(200):
        calibration.learn(100.0 * step + 115, told(100.0 * step))
    assert calibration.corrections(100.0)[0] == pytest.approx(1.1, abs=0.04)
    assert calibration.corrections(5000.0)[0] == pytest.approx(1.0, abs=0.01)


def test_neighbours_share_one_fate():
    """A hundred labels within a second weigh no more than one."""
    calibration = Calibration()
    calibration.learn(500, told(0.0))
    seen = calibration.seen
    for step in range(100):
        calibration.learn(500, told(step / 100))
    assert calibration.seen < seen + 0.1


def test_one_who_hung_up_is_reckoned_with_when_the_line_passes_the_place():
    calibration = Calibration()
    calibration.haunt(told(10.0))
    calibration.passed(200.0, "", (9.0, 0))
    assert calibration.seen == 0
    calibration.passed(300.0, "", (11.0, 0))
    assert calibration.seen > 0


def test_of_those_who_overtake_some_hang_up_before_their_turn():
    """Of twenty agents a higher band would take 9.6: its callers wait 300 / 10.6 s, and one in 36 goes."""
    hazard = Hazard(math.log(1 / 1000), 0.0)
    (drain,) = {s.drain for s in segments([(0.0, 20.0)], [(math.inf, 0.032)], [], 300.0, 1.0, hazard)}
    assert drain == pytest.approx(20 - 9.6 * (1 - 300 / drain / 1000))
    assert 10.65 < drain < 10.68
    (none,) = {s.drain for s in segments([(0.0, 20.0)], [(math.inf, 0.32)], [], 300.0, 1.0, hazard)}
    assert none == pytest.approx(1, rel=0.02)  # a twentieth of them, as ever
