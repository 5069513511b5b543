"""Merchants who would rather be called back: what they react to is what callers are told."""

from __future__ import annotations

import random
import re
from collections import Counter
from itertools import islice

import pytest

from announcements import catalog
from drill import takers
from drill.crowd import Habits, Merchant, Visit, back, visits
from drill.network.people import Script
from drill.takers import Wishes, taking, telephone

SHOPS = [Merchant(f"+1415555{number:04}", "es" if number % 2 == 0 else "en") for number in range(100, 180)]
TOLD = {
    takers.HEARD_OFFER: ("offer", "offer_again"),
    takers.HEARD_NUMBER: ("number_confirm",),
    takers.HEARD_TURN: ("when_turn",),
    takers.HEARD_WINDOW: ("when_window",),
    takers.HEARD_TEXT: ("text_ask",),
    takers.HEARD_PROMISED: ("promised_goodbye",),
    takers.HEARD_OWED: ("already_stay",),
    takers.HEARD_CALLED: ("called_press_one",),
    takers.HEARD_CALLED_LATER: ("called_later",),
    takers.HEARD_CALLED_CANCEL: ("called_cancel",),
}


@pytest.mark.parametrize(
    ("language", "when"), [("en", "tomorrow between 9 and 11"), ("es", "mañana, de 9 a 11")]
)
def test_they_react_to_what_is_said_and_to_nothing_else(language: str, when: str) -> None:
    values = {"key": "1", "phone": "4 1 5", "when": when}
    keys = [key for keys in TOLD.values() for key in keys]
    said = {key: catalog.voice(language, key, **_fitting(language, key, values)).text for key in keys}
    for pattern, wanted in TOLD.items():
        fits = {key for key, text in said.items() if re.search(pattern, text, re.IGNORECASE)}
        assert fits == set(wanted), (language, pattern)


def _fitting(language: str, key: str, values: dict[str, str]) -> dict[str, str]:
    """Those of the values that the phrase has a place for."""
    wanted = {"number_confirm": ["phone"], "when_turn": ["key"], "when_window": ["when", "key"]}
    return {name: values[name] for name in wanted.get(key, [])}


def test_the_phone_network_understands_all_of_it() -> None:
    for seed in range(300):
        chance = random.Random(seed)
        Script.of({"presses": taking(chance, Wishes())})
        Script.of({"presses": takers.returning(chance, Wishes())})
        Script.of(telephone(chance)["script"])


def test_most_pick_up_some_not_at_once_and_some_are_machines() -> None:
    phones = [telephone(random.Random(seed)) for seed in range(3000)]
    first = Counter(phone["answers"] for phone in phones)
    assert first["human"] / 3000 == pytest.approx(0.68, abs=0.03)
    assert min(first["no-answer"], first["busy"], first["machine"]) > 60
    assert sum("human" in phone["then"] for phone in phones) > 500
    keys = Counter(press["digits"] for phone in phones for press in phone["script"].get("presses", []))
    assert keys["1"] > keys["2"] > 0
    assert keys["3"] > 0


def test_about_half_would_rather_be_called_back_and_never_without_a_number() -> None:
    rang: list[Visit] = list(islice(visits(3, SHOPS, Habits(opening=0)), 3000))
    takes = [
        visit
        for visit in rang
        if any(press["when"] == takers.HEARD_OFFER for press in visit.script["presses"])
    ]
    assert len(takes) / len(rang) == pytest.approx(0.48, abs=0.04)
    assert all(visit.number and visit.telephone for visit in takes)
    assert any(visit.returns_after_s for visit in takes)
    assert not any(visit.returns_after_s for visit in rang if visit not in takes)


def test_who_comes_back_says_what_it_is_to_be_and_rings_no_third_time() -> None:
    visit = Visit(
        10, "+14155550100", "en", {"patience_s": 100.0, "presses": []}, None, {"answers": "busy"}, 30.0
    )
    scripts = [back(visit, 50, seed) for seed in range(60)]
    pressed = Counter(
        press["digits"]
        for each in scripts
        for press in each.script["presses"]
        if press["when"] == takers.HEARD_OWED
    )
    assert set(pressed) == {"1", "2", "3"}
    assert pressed.total() < 60
    assert all(each.returns_after_s is None and each.telephone is None for each in scripts)
