from __future__ import annotations

from merchants.recognition import Ask, KnownLocation, KnownMerchant, Recognised

BAKERY = KnownMerchant(1, "Corner Bakery", "gold", "Till 3", "es")
SHOPS = tuple(KnownLocation(i, f"Shop {i}") for i in range(1, 11))


def test_a_stranger_is_carried_on_politely():
    assert Recognised().ask is Ask.CARRY_ON
    assert Recognised().location is None


def test_one_location_or_none_needs_no_question():
    assert Recognised(BAKERY).ask is Ask.NOTHING
    assert Recognised(BAKERY, SHOPS[:1]).ask is Ask.NOTHING
    assert Recognised(BAKERY, SHOPS[:1]).location == SHOPS[0]


def test_several_locations_are_chosen_from_by_key():
    several = Recognised(BAKERY, SHOPS)
    assert several.ask is Ask.LOCATION
    assert several.location is None
    assert several.choices()[0] == ("1", SHOPS[0])
    assert [key for key, _ in several.choices(most=3)] == ["1", "2", "3"]


def test_a_choice_settles_it_and_a_wrong_one_changes_nothing():
    several = Recognised(BAKERY, SHOPS)
    assert several.chosen(2).location == SHOPS[1]
    assert several.chosen(99) == several
