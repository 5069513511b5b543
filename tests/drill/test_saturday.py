"""A bad Saturday: quiet, then far too many, then quiet again; and its people react to what is really said."""

from __future__ import annotations

import random
import re
from itertools import takewhile

import pytest

from announcements import catalog
from drill import saturday
from drill.crowd import Merchant, Visit
from drill.network.people import Script
from drill.saturday import (
    FAILS_S,
    FIXED_S,
    HEARD_CALLBACK,
    HEARD_QUESTION,
    HEARD_TEXT,
    PEAK_S,
    QUIET_S,
    STEPS,
)
from surge import wording
from surge.matching import Scope
from surge.playbook import Play
from surge.states import INCIDENT_MOVES, IncidentState

SHOPS = [
    Merchant(
        f"+1415555{number:04}", "es" if number % 4 == 0 else "en", ("Register 3", "Register 4")[number % 2]
    )
    for number in range(100, 180)
]
TOUCHED = [shop for shop in SHOPS if shop.product == "Register 3"]


def played(seed: int = 1, usual: float = 3.0, worst: float = 24.0, until_s: float = 1_200) -> list[Visit]:
    crowd = saturday.saturday(seed, SHOPS, TOUCHED, usual, worst)
    return list(takewhile(lambda visit: visit.at_s < until_s, crowd))


def per_minute(visits: list[Visit], start_s: float, end_s: float) -> float:
    return sum(start_s <= visit.at_s < end_s for visit in visits) / (end_s - start_s) * 60


def test_quiet_then_several_times_the_calls_then_quiet() -> None:
    visits = [visit for seed in range(5) for visit in played(seed)]
    before, worst, after = (
        per_minute(visits, *span) / 5 for span in ((20, FAILS_S), (PEAK_S, FIXED_S), (QUIET_S, 1_200))
    )
    assert before == pytest.approx(3, rel=0.4)
    assert worst == pytest.approx(24, rel=0.1)
    assert after == pytest.approx(3, rel=0.25)
    assert [visit.at_s for visit in played()] == sorted(visit.at_s for visit in played())


def test_the_same_seed_is_the_same_day() -> None:
    assert played(7) == played(7) != played(8)


def test_nobody_rings_when_nobody_is_to() -> None:
    assert played(usual=0, worst=0) == []


def test_the_flood_are_those_touched_the_others_ring_about_anything() -> None:
    yes = [
        visit for visit in played() if visit.script["presses"][0] == {"when": HEARD_QUESTION, "digits": "1"}
    ]
    numbers = {shop.number for shop in TOUCHED}
    assert sum(visit.number in numbers for visit in yes) > 0.9 * len(yes)
    assert {visit.language for visit in yes} == {"en", "es"}
    assert any(visit.number not in {shop.number for shop in SHOPS} for visit in yes)  # nobody we know
    landlines = {
        visit.number for visit in yes if visit.telephone and visit.telephone.get("text_error") == 30006
    }
    assert 0 < len(landlines) < 0.3 * len(numbers)


def test_the_phone_network_understands_all_of_it() -> None:
    for visit in played():
        Script.of(visit.script)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("offer", [("text", "callback", "line"), ("callback", "line")])
def test_they_react_to_what_is_said_and_to_nothing_else(language: str, offer: tuple[str, ...]) -> None:
    said, keys = wording.offers(language, Play(offer=offer))
    named = {kind: key for key, kind in keys.items()}
    for line in said:
        for kind, key in (("text", "1"), ("callback", "1"), ("callback", "2")):
            pattern = HEARD_TEXT if kind == "text" else HEARD_CALLBACK[key]
            if re.search(pattern, line.text, re.IGNORECASE):
                assert named[kind] == key
    heard = [
        line.text for line in said if re.search(HEARD_CALLBACK[named["callback"]], line.text, re.IGNORECASE)
    ]
    assert len(heard) == 1
    for question in ("incident_question", "incident_question_again"):
        assert re.search(HEARD_QUESTION, catalog.voice(language, question).text, re.IGNORECASE)


@pytest.mark.parametrize("language", ["en", "es"])
def test_they_answer_what_asks_for_an_answer(language: str) -> None:
    given = {"centre": "Corner Pay", "title": saturday.TITLE}
    notice = catalog.sms(language, "incident_verified", **given)
    keep = catalog.sms(language, "incident_keep", when=wording.Worded("3:10"), **given)
    kept = catalog.sms(language, "incident_kept", centre="Corner Pay")
    assert [saturday.asked_in(body) for body in (notice, keep, kept)] == ["notice", "keep", ""]


def test_too_few_find_it_still_down_for_the_notices_to_stop() -> None:
    chance = random.Random(1)
    told = [saturday.reply(chance, "notice") for _ in range(2_000)]
    assert 0 < told.count("2") / len(told) < 0.05
    assert {"1", "2", ""} == set(told)
    assert {"KEEP", "1", ""} == {saturday.reply(chance, "keep") for _ in range(200)}


def test_what_the_stand_in_does_is_lawful_and_in_order() -> None:
    assert [step.at_s for step in STEPS] == sorted(step.at_s for step in STEPS)
    states = [IncidentState.INVESTIGATING]
    for step in STEPS:
        if step.verb in {state.value for state in IncidentState}:
            there = IncidentState(step.verb)
            assert there in INCIDENT_MOVES[states[-1]]
            states.append(there)
    assert states[-1] is IncidentState.RESOLVED
    assert all(all(step.words) for step in STEPS if step.verb not in ("level", "calm"))
    assert not Scope.unpacked({"products": [saturday.PRODUCT]}).empty
