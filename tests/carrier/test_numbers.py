"""Numbers: one form, little of them shown, and few that we would ever dial."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrier.numbers import NotDialled, dialable, keyed, masked, normalise, why_not_dialled, zone_of
from foundation.errors import Mendable


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("+14155554471", "+14155554471"),
        ("(415) 555-4471", "+14155554471"),
        ("415.555.4471", "+14155554471"),
        (" 1 415 555 4471 ", "+14155554471"),
        ("+44 20 7946 0958", "+442079460958"),
        ("011 44 20 7946 0958", "+442079460958"),
        ("415\u00a0555\u00a04471", "+14155554471"),
    ],
)
def test_a_number_has_one_form_however_it_is_typed(typed: str, number: str) -> None:
    assert normalise(typed) == number


def test_a_region_says_what_a_national_number_means() -> None:
    assert normalise("020 7946 0958", "GB") == "+442079460958"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        "anonymous",
        "client:agent1",
        "+1415555FLOW",
        "٤١٥٥٥٥٤٤٧١",
        "4155554471;ext=99",
        "4155554471 x99",
        "12",
        "+1415555447199999",
        "+999123456789",
        "4155554471\u0000",
        "1" * 500,
    ],
)
def test_what_cannot_be_keyed_on_a_telephone_is_no_number(typed: str) -> None:
    with pytest.raises(Mendable):
        normalise(typed)


@given(st.text(max_size=60))
def test_whatever_is_typed_gives_a_number_or_a_reason(typed: str) -> None:
    try:
        number = normalise(typed)
    except Mendable:
        return
    assert number.startswith("+")
    assert number[1:].isascii()
    assert number[1:].isdigit()
    assert normalise(number) == number


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+14155554471", "+1 415 ••• 4471"),
        ("+442079460958", "+44 ••• 0958"),
        ("anonymous", "withheld"),
        ("client:agent1", "withheld"),
        ("", "withheld"),
        ("sip:shop@example.com", "withheld"),
    ],
)
def test_a_number_is_shown_masked(number: str, shown: str) -> None:
    assert masked(number) == shown


@given(st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True))
def test_a_mask_hides_at_least_three_digits(number: str) -> None:
    told = "".join(character for character in masked(number) if character.isdigit())
    assert len(told) <= len(number) - 1 - 3


@pytest.mark.parametrize("number", ["+14155554471", "+16135550123", "+12125552368"])
def test_ordinary_lines_at_home_are_dialled(number: str) -> None:
    assert dialable(number) is None


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("+18095550123", "we do not call DO"),
        ("+18765550123", "we do not call JM"),
        ("+442079460958", "we do not call GB"),
        ("+447400123456", "we do not call GB"),
        ("+19002345678", "not an ordinary line"),
        ("+18002345678", "not an ordinary line"),
        ("+881612345678", "we do not call"),
        ("+19765550123", "no such number is in use"),
        ("+14155554471;ext=99", "international form"),
        ("911", "international form"),
        ("+1911", "international form"),
        ("+14155550100x", "international form"),
        ("anonymous", "international form"),
        ("client:agent1", "international form"),
        ("", "international form"),
        ("+10000000000", "no such number is in use"),
    ],
)
def test_what_we_would_not_dial_has_its_reason(number: str, why: str) -> None:
    reason = dialable(number)
    assert reason is not None
    assert why in reason


def test_our_own_number_would_ring_in_circles() -> None:
    assert dialable("+14155550100", ours={"+14155550100"}) == "it is our own number"


def test_personal_numbers_are_not_ordinary_lines() -> None:
    reason = dialable("+447012345678", regions={"GB"})
    assert reason is not None


def test_other_regions_can_be_allowed() -> None:
    assert dialable("+442079460958", regions={"GB", "US"}) is None


@given(st.text(max_size=20))
def test_nothing_breaks_the_policy(number: str) -> None:
    assert dialable(number) is None or dialable(number)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("+14155554471", None),
        ("+442079460958", NotDialled.FOREIGN),
        ("+19002345678", NotDialled.PREMIUM),
        ("+18002345678", NotDialled.PREMIUM),
        ("+19765550123", NotDialled.UNUSED),
        ("anonymous", NotDialled.NO_NUMBER),
        ("+14155550100", NotDialled.OURS),
    ],
)
def test_the_reason_has_a_code(number: str, why: NotDialled | None) -> None:
    assert why_not_dialled(number, ours=("+14155550100",)) is why
    assert (dialable(number, ours=("+14155550100",)) is None) == (why is None)


@pytest.mark.parametrize(
    ("keys", "number", "why"),
    [
        ("4155554471", "+14155554471", None),
        ("14155554471", "+14155554471", None),
        ("011442079460958", "+442079460958", NotDialled.FOREIGN),
        ("9002345678", "+19002345678", NotDialled.PREMIUM),
        ("911", "", NotDialled.EMERGENCY),
        ("112", "", NotDialled.EMERGENCY),
        ("411", "", NotDialled.NO_NUMBER),
        ("", "", NotDialled.NO_NUMBER),
        ("*", "", NotDialled.NO_NUMBER),
        ("1" * 200, "", NotDialled.NO_NUMBER),
        ("0000000000", "+10000000000", NotDialled.UNUSED),
    ],
)
def test_what_is_keyed_on_a_telephone(keys: str, number: str, why: NotDialled | None) -> None:
    assert keyed(keys) == (number, why)


@given(st.text(max_size=40))
def test_whatever_is_keyed_is_a_number_to_dial_or_has_a_reason(keys: str) -> None:
    number, why = keyed(keys)
    assert why is not None or dialable(number) is None


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+14155554471", "America/Los_Angeles"),
        ("+16025551234", "America/Phoenix"),
        ("+442071234567", "Europe/London"),
        ("+56221234567", "America/Santiago"),
        ("+18005551234", None),
        ("+441624123456", None),
        ("anonymous", None),
        ("+999123456789", None),
        ("", None),
    ],
)
def test_a_number_tells_its_time_zone_unless_there_are_several(number: str, zone: str | None) -> None:
    assert zone_of(number) == zone
