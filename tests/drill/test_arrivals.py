"""The callers of a scenario: as many as it says, the same for the same seed, each as their stream says."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from drill import arrivals
from drill.arrivals import Menu
from drill.network.people import Script
from drill.scenarios.written import Manners
from tests.drill.test_scenarios import small

MENU = Menu({"payments": "1", "hardware": "2"}, "9")


def crowd(seed=1, **more):
    scenario = small(**more)
    return arrivals.callers(scenario, arrivals.merchants(scenario, seed), MENU, seed)


def stream(**more):
    return {"name": "all", "per_minute": [["10:00", 20], ["11:00", 20]], **more}


def test_as_many_ring_as_the_rates_say():
    counts = [len(crowd(seed, arrivals=[stream()])) for seed in range(5)]
    assert 1200 * 5 * 0.95 < sum(counts) < 1200 * 5 * 1.05
    assert len(set(counts)) > 1


def test_the_same_seed_gives_the_same_callers():
    assert crowd(3) == crowd(3)
    assert crowd(3) != crowd(4)


def test_one_stream_more_leaves_the_others_as_they_were():
    alone = crowd(arrivals=[stream()])
    both = crowd(arrivals=[stream(), stream(name="more")])
    assert [caller for caller in both if caller.stream == "all"] == alone


def test_other_manners_leave_when_and_who_as_it_was():
    calm, keen = crowd(arrivals=[stream()]), crowd(arrivals=[stream()], callers={"takes_text_pct": 0})
    assert [(c.at_s, c.number, c.patience_s) for c in calm] == [
        (c.at_s, c.number, c.patience_s) for c in keen
    ]
    assert [c.script for c in calm] != [c.script for c in keen]


def test_everybody_rings_within_the_stream_and_in_order():
    times = [caller.at_s for caller in crowd(arrivals=[stream(per_minute=[["10:20", 9], ["10:40", 9]])])]
    assert times == sorted(times)
    assert times[0] >= 1200
    assert times[-1] <= 2400


def test_patience_has_the_mean_that_was_asked_for():
    manners, chance = Manners(patience_minutes=8, patience_shape=0.75), random.Random(1)
    drawn = [arrivals.patience_s(chance, manners) for _ in range(40_000)]
    assert sum(drawn) / len(drawn) == pytest.approx(480, rel=0.03)


def test_only_merchants_who_fit_ring_in_a_stream():
    rails = {"merchants": {"rails": {"native": 1, "external": 1}}}
    scenario = small(**rails)
    numbers = {each.number: each.rail for each in arrivals.merchants(scenario, 1)}
    rang = crowd(arrivals=[stream(where={"rail": ["native"]})], **rails)
    known = [numbers[caller.number] for caller in rang if caller.known]
    assert set(known) == {"native"}
    assert len(known) > 800


def test_strangers_are_nobodys_numbers():
    scenario = small()
    numbers = {each.number for each in arrivals.merchants(scenario, 1)}
    rang = crowd(arrivals=[stream(strangers=True)])
    assert not [caller for caller in rang if caller.number in numbers or caller.known]


def test_shares_are_kept():
    told = Counter(
        (caller.number == "", caller.redials is not None, caller.landline)
        for caller in crowd(
            arrivals=[stream()],
            callers={"withheld_pct": 10, "redial_pct": 50},
            merchants={"landline_pct": 40},
        )
    )
    total = told.total()
    assert sum(n for (withheld, _, _), n in told.items() if withheld) / total == pytest.approx(0.10, abs=0.03)
    assert sum(n for (_, redials, _), n in told.items() if redials) / total == pytest.approx(0.50, abs=0.04)
    assert sum(n for (_, _, landline), n in told.items() if landline) / total == pytest.approx(0.40, abs=0.04)


def test_every_script_is_one_that_the_network_takes_and_says_yes_to_its_own_incident():
    for about, key in ((True, "1"), (False, "2")):
        for caller in crowd(arrivals=[stream(about=about)])[:300]:
            script = Script.of(caller.script)
            question = next(rule for rule in script.reactions if rule.when.search("Is your call about this?"))
            assert question.digits == key


def test_the_directory_has_every_merchant_once():
    scenario = small(merchants={"count": 700})
    people = arrivals.merchants(scenario, 1)
    assert len({each.number for each in people}) == len({each.name for each in people}) == 700
    assert len(arrivals.sheet(people).splitlines()) == 701
