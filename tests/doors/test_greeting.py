"""What a caller hears first."""

from __future__ import annotations

import pytest


async def test_a_stranger_is_greeted_offered_spanish_and_the_choices(caller):
    heard = await caller().ring()
    assert heard.said.startswith(
        "Thank you for calling Corner Pay. Para español, oprima el 9. How can we help?"
    )
    assert "For payments and card readers, press 1." in heard.said
    assert "For an outage, press 3." in heard.said
    assert heard.said.endswith("To wait for a person without choosing, press 0.")
    assert heard.languages == ["en-US", "es-US"]
    gather = heard.one("Gather")
    assert gather.get("input") == "dtmf speech"
    assert "card reader" in gather.get("hints")


async def test_a_merchant_with_one_shop_is_greeted_by_name(caller):
    heard = await caller("+14155550001").ring()
    assert "It looks like you are calling from Corner Bakery, Mission Street." in heard.said


async def test_a_merchant_without_locations_is_greeted_by_name(caller):
    assert "calling from Book Nook." in (await caller("+14155550003").ring()).said


async def test_a_spanish_merchant_is_spoken_to_in_spanish(caller):
    heard = await caller("+14155550002").ring()
    assert heard.said.startswith("Gracias por llamar a Corner Pay.")
    assert heard.languages == ["es-US"]


@pytest.mark.parametrize(
    "number",
    ["anonymous", "unknown", "", "+266696687", "sip:shop@example.com", "Restricted", "+1", "☎" * 50, "\x00"],
)
async def test_a_withheld_or_odd_number_is_carried_on_with(caller, number):
    somebody = caller(number)
    assert "How can we help?" in (await somebody.ring()).said
    assert (await somebody.press("1")).has("Enqueue")
