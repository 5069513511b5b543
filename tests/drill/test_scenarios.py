"""Every scenario that comes with the drill is sound, and a bad file is told what to mend."""

from __future__ import annotations

import pytest

from drill import shifts
from drill.policies import Rules, changes, plan
from drill.scenarios import written
from foundation.errors import Mendable

SMALL = {
    "title": "Small",
    "day": "2024-03-05",
    "begins": "10:00",
    "ends": "11:00",
    "arrivals": [{"name": "all", "per_minute": [["10:00", 2], ["10:30", 4], ["11:00", 0]]}],
    "shift": [{"agents": 3, "start": "10:00", "end": "11:30", "late_minutes": 2, "breaks": [["10:20", 10]]}],
}


def small(**more):
    return written.understood({**SMALL, **more}, "small.toml")


@pytest.mark.parametrize("name", written.names())
def test_what_comes_with_the_drill_can_be_played(name):
    scenario = written.read(written.find(name))
    assert plan(scenario, Rules("")).policy.queues
    assert sum(stream.expected for stream in scenario.arrivals) > 50
    assert shifts.duties(scenario, 1)


def test_the_five_outage_reports_and_the_ordinary_days_are_there():
    reports = {"upserve", "dripos", "acme", "olla", "dripstat"}
    assert reports | {"quiet-tuesday", "mothers-day", "flood", "night-of-two"} == set(written.names())


def test_rates_are_straight_lines_between_the_points():
    (stream,) = small().arrivals
    rates = [stream.rate(at) for at in (599, 600, 615, 630, 645, 660, 661)]
    assert rates == [0, 2, 3, 4, 2, 0, 0]
    assert stream.expected == 3 * 30 + 2 * 30


def test_hours_go_on_after_midnight():
    late = small(begins="24:30", ends="25:30")
    assert late.ms(late.begins, "UTC") == small().ms(24 * 60, "UTC") + 30 * 60_000


def test_a_minute_is_a_minute_when_the_clocks_change():
    spring = written.understood({**SMALL, "day": "2024-03-10"}, "s")
    assert spring.ms(240, "America/New_York") - spring.ms(60, "America/New_York") == 180 * 60_000


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"begins": "10 o'clock"}, 'begins: "10 o\'clock" is not a time'),
        ({"ends": "09:00"}, "ends: must be later than begins"),
        ({"colour": "red"}, "colour: there is no such key"),
        ({"title": None}, "title: "),
        (
            {"arrivals": [{"name": "a", "per_minute": [["10:00", 1], ["09:00", 1]]}]},
            "arrivals[1]: per_minute",
        ),
        ({"arrivals": [{**SMALL["arrivals"][0], "callers": {"patience": 3}}]}, "there is no patience"),
        ({"arrivals": [{**SMALL["arrivals"][0], "callers": {"redial_pct": 300}}]}, "redial_pct: "),
        ({"shift": [{"agents": 0, "start": "10:00", "end": "11:00"}]}, "shift[1].agents: "),
        (
            {"script": [{"at": "10:10", "do": "update", "words": {"en": "x"}}]},
            "is updated before it is declared",
        ),
        ({"script": [{"at": "10:10", "do": "dance"}]}, "script[1]: "),
    ],
)
def test_a_bad_file_names_the_key_and_what_to_mend(change, named):
    with pytest.raises(Mendable) as refused:
        small(**change)
    assert "small.toml has faults" in str(refused.value)
    assert named.replace('"10', "'10") in str(refused.value).replace('"10', "'10"), str(refused.value)


def test_a_file_that_is_no_toml_or_not_there_says_so(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("title = ")
    with pytest.raises(Mendable, match="is not TOML"):
        written.read(broken)
    with pytest.raises(Mendable, match="one of acme, dripos"):
        written.find("tuesday")


# -- the rules ---------------------------------------------------------------------------------------------


def test_the_centre_is_the_examples_with_the_scenarios_over_it_and_the_changes_over_both():
    scenario = small(centre={"callbacks": {"max_open": 40, "tries": 2}})
    made = plan(scenario, Rules("", changes(["callbacks.max_open=7", "service_level.within_seconds=20"])))
    assert (made.callbacks.max_open, made.callbacks.tries, made.within_s) == (7, 2, 20)
    assert [queue.name for queue in made.policy.queues] == ["support", "payments", "hardware"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("callbacks.most=3", "callbacks.most: there is no such key"),
        ("callbacks.tries=many", "callbacks.tries"),
    ],
)
def test_a_rule_that_is_none_is_named(given, named):
    with pytest.raises(Mendable, match=named):
        plan(small(), Rules("", changes([given])))


def test_a_change_without_a_value_is_refused():
    with pytest.raises(Mendable, match="key=value"):
        changes(["callbacks.tries"])


# -- who works ---------------------------------------------------------------------------------------------


def test_agents_come_late_by_the_seed_and_go_on_breaks_one_third_at_a_time():
    duties = shifts.duties(small(), 7)
    assert duties == shifts.duties(small(), 7)
    assert duties != shifts.duties(small(), 8)
    assert [duty.end_s for duty in duties] == [90 * 60] * 3
    assert all(0 <= duty.start_s <= 3600 for duty in duties)
    assert len({duty.start_s for duty in duties}) == 3
    assert [duty.breaks[0] for duty in duties] == [(1200, 600), (1800, 600), (2400, 600)]


def test_who_is_rostered_when():
    assert [shifts.rostered(small(), at) for at in (599, 600, 689, 690)] == [0, 3, 3, 0]
