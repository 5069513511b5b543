"""Whom an incident touches: match, maybe or none, each with its reason."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import Mendable
from surge.directive import Told
from surge.matching import Caller, Scope, best, match, ranked, reach
from surge.states import Match

CALLER = Caller(
    7, ("Register 4",), "west", "native", ("Card Reader V2", "Card Reader V3"), ("Main Street", "Harbor")
)
NOBODY = Caller()


def told(scope: Scope, **changed) -> Told:
    given = {"id": "IN1", "severity": "major", "state": "investigating", "audience": "merchants"}
    return Told(**{**given, "scope": scope.packed(), "version": 1, "updated_ms": 0, "words": {}, **changed})


def test_a_shop_of_the_region_once_it_is_known_which_one_calls():
    shop, scope = replace(CALLER, region="", locations=("Harbor",)), Scope(regions=("Harbor",))
    assert match(scope, shop).match is Match.MATCH
    assert match(scope, replace(shop, region="west", locations=("Main Street",))).match is Match.NONE


@pytest.mark.parametrize(
    ("scope", "expected", "reason"),
    [
        (Scope(all=True), Match.MATCH, "it touches everybody"),
        (Scope(merchants=(7, 8)), Match.MATCH, "this merchant is named"),
        (Scope(merchants=(8,)), Match.NONE, "this merchant is not named"),
        (Scope(), Match.NONE, "the scope is empty"),
        (Scope(products=("register  4",)), Match.MATCH, "it touches Register 4"),
        (Scope(products=("Kitchen",)), Match.NONE, "the product is Register 4, which is not touched"),
        (Scope(regions=("WEST", "east")), Match.MATCH, "it touches west"),
        (Scope(regions=("Harbor",)), Match.MAYBE, "we do not know from which of their shops they call"),
        (Scope(rails=("stripe",)), Match.NONE, "the payment rail is native, which is not touched"),
        (Scope(devices=("card reader v3",)), Match.MATCH, "it touches Card Reader V3"),
        (Scope(components=("payments",)), Match.MAYBE, "we do not know the part of the platform"),
        (Scope(products=("Register 4",), rails=("native",)), Match.MATCH, "it touches Register 4, native"),
        (
            Scope(products=("Register 4",), rails=("stripe",)),
            Match.NONE,
            "the payment rail is native, which is not touched",
        ),
        (Scope(rails=("stripe",), merchants=(7,)), Match.MATCH, "this merchant is named"),
    ],
)
def test_a_known_merchant(scope: Scope, expected: Match, reason: str):
    found = match(scope, CALLER)
    assert (found.match, found.reason) == (expected, reason)


@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        (Scope(devices=("Card Reader V3",)), "we do not know the device"),
        (Scope(regions=("west",), rails=("native",)), "we do not know the region and the payment rail"),
        (Scope(merchants=(8,)), "we do not know who is calling"),
    ],
)
def test_what_is_not_known_makes_a_maybe(scope: Scope, reason: str):
    found = match(scope, NOBODY)
    assert (found.match, found.reason) == (Match.MAYBE, reason)


def test_a_plain_no_outweighs_what_is_not_known():
    assert match(Scope(rails=("stripe",), devices=("V9",)), replace(CALLER, devices=())).match is Match.NONE


def test_who_chose_the_part_that_is_down_in_the_menu_matches():
    scope = Scope(components=("payments",))
    assert match(scope, replace(NOBODY, topic="payments")).match is Match.MATCH
    assert match(scope, replace(NOBODY, topic="orders")).match is Match.MAYBE


def test_a_region_that_is_not_known_is_not_excluded_by_the_shops_names():
    scope = Scope(regions=("west",))
    assert match(scope, Caller(7, locations=("Harbor",))).match is Match.MAYBE
    assert match(scope, Caller(7, region="east", locations=("Harbor",))).match is Match.NONE


def test_several_causes_at_once_are_each_told():
    """Three at once: each caller is matched to each of them, and to the gravest first."""
    west = told(Scope(regions=("west",)), id="IN1", updated_ms=5)
    readers = told(Scope(devices=("Card Reader V3",)), id="IN2", severity="critical", updated_ms=1)
    maybe = told(Scope(components=("payments",)), id="IN3", severity="safety", updated_ms=9)
    other = told(Scope(regions=("east",)), id="IN4", updated_ms=9)
    live = [west, maybe, other, readers]
    assert [each.id for each, _ in ranked(live, CALLER)] == ["IN2", "IN1", "IN3"]
    incident, matched = best(live, CALLER)
    assert incident is readers
    assert matched.match is Match.MATCH
    assert [each.id for each, _ in ranked([west, maybe, other], CALLER)] == ["IN1", "IN3"]  # one resolved


def test_of_two_as_grave_the_one_with_the_latest_news_comes_first():
    older, newer = (
        told(Scope(all=True), id="IN1", updated_ms=5),
        told(Scope(all=True), id="IN2", updated_ms=6),
    )
    assert best([older, newer], CALLER)[0] is newer


def test_none_of_them():
    incident, matched = best([told(Scope(regions=("east",)))], CALLER)
    assert (incident, matched.match, matched.reason) == (None, Match.NONE, "no incident touches them")


def test_a_scope_that_cannot_be_read_turns_nobody_away():
    incident, matched = best([replace(told(Scope()), scope={"colour": ["red"]})], CALLER)
    assert incident is not None
    assert (matched.match, matched.reason) == (Match.MAYBE, "the incident's scope cannot be read")


def test_the_reach_of_a_scope():
    callers = [CALLER, NOBODY, replace(CALLER, rail="stripe")]
    counts = reach(Scope(rails=("native",)), callers)
    assert counts == {Match.MATCH: 1, Match.MAYBE: 1, Match.NONE: 1}
    assert reach(Scope(), callers)[Match.NONE] == 3


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"colour": []}, "no 'colour'"),
        ({"all": "yes"}, "true or false"),
        ({"products": "Register 4"}, "products are a list"),
        ({"products": [4]}, "plain words"),
        ({"regions": ["w\x00est"]}, "plain words"),
        ({"devices": ["x" * 121]}, "120 characters"),
        ({"rails": ["x"] * 2001}, "at most 2,000"),
        ({"merchants": ["7"]}, "merchant ids"),
        ({"merchants": [True]}, "merchant ids"),
        ({"merchants": [0]}, "merchant ids"),
        ({"merchants": 7}, "merchant ids"),
    ],
)
def test_what_is_no_scope_is_named(given: dict, said: str):
    with pytest.raises(Mendable, match=said):
        Scope.unpacked(given)


WORDS = st.lists(st.sampled_from(["west", "east", "Register 4", "native", "V3", "payments"]), max_size=3)
SCOPES = st.builds(
    Scope,
    all=st.booleans(),
    components=WORDS.map(lambda words: tuple(dict.fromkeys(words))),
    products=WORDS.map(lambda words: tuple(dict.fromkeys(words))),
    regions=WORDS.map(lambda words: tuple(dict.fromkeys(words))),
    rails=WORDS.map(lambda words: tuple(dict.fromkeys(words))),
    devices=WORDS.map(lambda words: tuple(dict.fromkeys(words))),
    merchants=st.lists(st.integers(1, 3), unique=True, max_size=3).map(tuple),
)
ONE = st.sampled_from(["", "west", "east", "native", "V3"])
CALLERS = st.builds(
    Caller, st.none() | st.integers(1, 3), WORDS.map(tuple), ONE, ONE, WORDS.map(tuple), WORDS.map(tuple), ONE
)


@given(SCOPES)
def test_a_scope_comes_back_from_json(scope: Scope):
    assert Scope.unpacked(json.loads(json.dumps(scope.packed()))) == scope
    assert scope.empty is (not scope.packed())


@given(SCOPES, CALLERS)
def test_learning_more_never_turns_a_sure_answer_round(scope: Scope, caller: Caller):
    """Forgetting what is known of a caller may make a maybe, never the opposite."""
    sure = match(scope, caller).match
    forgotten = match(scope, Caller(caller.merchant_id)).match
    if sure is not Match.MAYBE and forgotten is not Match.MAYBE:
        assert sure is forgotten


@given(SCOPES, CALLERS)
def test_every_answer_has_a_reason(scope: Scope, caller: Caller):
    found = match(scope, caller)
    assert found.reason == found.reason.strip()
    assert found.reason
    if scope.empty:
        assert found.match is Match.NONE
