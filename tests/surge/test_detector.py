"""The spike, the load, and what it is that rings."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surge.detector import (
    LEVEL_RANGE,
    Cluster,
    Load,
    Spike,
    alarms,
    baseline,
    clusters,
    count,
    load,
)


def after(minutes: list[int], usual: float, spike: Spike | None = None) -> Spike:
    spike = spike or Spike()
    for calls in minutes:
        spike = count(spike, calls, usual)
    return spike


def test_the_sum_is_the_evidence_for_a_doubling():
    assert count(Spike(), 5, 2.0).score == pytest.approx(5 * math.log(2) - 2)
    assert count(Spike(score=1), 0, 2.0).score == 0


def test_ordinary_minutes_raise_no_alarm_and_ten_times_as_many_do_in_two():
    assert after([2] * 1000, 2.0).score == 0
    assert alarms(after([20], 2.0)) is False
    assert alarms(after([20, 20], 2.0)) is True


def test_a_busy_day_is_no_spike():
    """Half as many again, all day: the day's level takes it up."""
    day = after([3] * 600, 2.0)
    assert day.level == pytest.approx(1.5, abs=0.1)
    assert not alarms(day)


def test_the_level_stands_still_while_it_may_be_a_spike():
    day = after([2] * 300, 2.0)
    spike = after([20, 20, 20], 2.0, day)
    assert spike.level == day.level


def test_it_is_over_soon_after_the_spike():
    spike = after([40] * 240, 2.0)
    assert spike.score == 24
    calm = next(minute for minute in range(100) if after([2] * minute, 2.0, spike).score == 0)
    assert calm <= 45


def test_a_few_calls_at_night_are_no_spike():
    assert not alarms(after([1, *[0] * 9] * 3, 0.0))


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 20)), max_size=200))
def test_whatever_comes(minutes: list[tuple[int, float]]):
    spike = Spike()
    for calls, usual in minutes:
        more = count(spike, calls + 1, usual)
        spike = count(spike, calls, usual)
        assert 0 <= spike.score <= more.score <= 24
        assert LEVEL_RANGE[0] <= spike.level <= LEVEL_RANGE[1]


def test_the_usual_of_an_hour():
    """The middle of an hour has its own mean, the full hour that of its two neighbours."""
    weeks = [{0: 60, 1: 120, 167: 60} for _ in range(3)]
    assert baseline(weeks, 30) == 1
    assert baseline(weeks, 60) == 1.5
    assert baseline(weeks, 90) == 2
    assert baseline(weeks, 0) == 1  # Sunday night and Monday morning are neighbours
    assert baseline([], 90) == 0


def test_an_outage_some_weeks_ago_is_no_habit():
    weeks = [{5: 60}, {5: 62}, {5: 900}, {5: 58}, {}]
    assert baseline(weeks, 5 * 60 + 30) == pytest.approx(61 / 60)


def test_the_load_in_agents():
    """12 calls a minute of 5 minutes are 60 agents' work; 30 who wait are 10 more for 15 min."""
    now = load(12, 300, 20, 30)
    assert now == Load(60, 10, 20)
    assert now.ratio == 3.5
    assert load(12, None, 20) is load(12, 0, 20) is None
    assert load(1, 300, 0).ratio == math.inf
    assert load(0, 300, 0).ratio == 0


def calls(many: int, product: str, region: str, **more) -> list[dict]:
    return [{"product": product, "region": region, **more} for _ in range(many)]


USUAL = [
    *calls(400, "Register 4", "west"),
    *calls(400, "Register 3", "east"),
    *calls(200, "Online Ordering", "west"),
]


def cluster(now: list[dict], usual: list[dict]) -> Cluster | None:
    """What stands out most."""
    return next(iter(clusters(now, usual)), None)


def test_it_names_what_rings():
    now = [*calls(40, "Online Ordering", "west"), *calls(5, "Register 4", "west")]
    found = cluster([*now, *calls(5, "Register 3", "east")], USUAL)
    assert found is not None
    assert (found.what, found.value, found.calls) == ("product", "Online Ordering", 40)
    assert found.share == 0.8
    assert found.lift == pytest.approx(4, abs=0.1)
    assert found.words() == "product Online Ordering: 80% of the calls, usually 20%"


def test_it_names_of_each_attribute_what_stands_out_the_surest_first():
    now = [*calls(40, "Register 3", "east", topic="payments"), *calls(5, "Register 4", "west")]
    usual = [{**call, "topic": "payments" if index % 4 == 0 else "other"} for index, call in enumerate(USUAL)]
    found = clusters(now, usual)
    assert [(each.what, each.value) for each in found] == [
        ("topic", "payments"), ("product", "Register 3"), ("region", "east"),
    ]  # fmt: skip
    assert found[0].words() == "menu choice payments: 100% of the calls, usually 25%"


def test_among_several_devices_each_counts():
    now = [{"device": ["V3", "Printer"]} for _ in range(20)]
    usual = [{"device": ["V2", "Printer"]} for _ in range(90)] + [{"device": ("V3", "Printer")}] * 10
    found = cluster(now, usual)
    assert found is not None
    assert (found.what, found.value) == ("device", "V3")


def test_nothing_stands_out_on_an_ordinary_day():
    drawn = random.Random(3)
    named = sum(cluster(drawn.sample(USUAL, 60), USUAL) is not None for _ in range(300))
    assert named <= 3


def test_a_handful_of_calls_names_nothing():
    assert cluster(calls(4, "Online Ordering", "west"), USUAL) is None
    assert cluster([], USUAL) is cluster([], []) is cluster([{"product": ""}] * 50, USUAL) is None


def test_what_is_new_is_named_too():
    found = cluster(calls(30, "Scanner", "west"), USUAL)
    assert found is not None
    assert found.value == "Scanner"
    assert isinstance(found, Cluster)


@given(
    st.lists(st.fixed_dictionaries({"product": st.sampled_from("abc"), "topic": st.sampled_from("xy")})),
    st.lists(st.fixed_dictionaries({"product": st.sampled_from("abc")})),
)
def test_whatever_rings(now: list[dict], usual: list[dict]):
    found = cluster(now, usual)
    if found is not None:
        assert 0 < found.share <= 1
        assert found.lift >= 1.5
        assert found.calls >= 5


def test_of_what_other_weeks_say_nothing_is_not_named():
    """A column that the merchants' file has got only now would else be "usually 50%"."""
    now = [{"product": "Register 4", "device": "iPad"} for _ in range(40)]
    assert [each.what for each in clusters(now, USUAL)] == ["product"]
