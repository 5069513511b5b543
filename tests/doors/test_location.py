"""Which shop is calling."""

from __future__ import annotations

LUNA = "+14155550002"


async def test_two_shops_on_one_number_are_told_apart_by_key(caller, desk):
    shop = caller(LUNA)
    heard = await shop.ring()
    assert "Tenemos varias sucursales de Taqueria Luna con este número." in heard.said
    assert "Para Centro, oprima el 1. Para Norte, oprima el 2. Para otra sucursal, oprima el 9." in heard.said
    heard = await shop.press("2")
    assert heard.said.startswith("Gracias. Norte. ¿En qué le podemos ayudar?")
    await shop.press("1")
    now = await desk.line.contact(shop.sid)
    assert (now.card.merchant, now.card.location, now.card.language) == ("Taqueria Luna", "Norte", "es")


async def test_another_shop_goes_on_without_one(caller, desk):
    shop = caller(LUNA)
    await shop.ring()
    assert (await shop.press("9")).said.startswith("¿En qué le podemos ayudar?")
    await shop.press("1")
    now = await desk.line.contact(shop.sid)
    assert (now.card.merchant, now.card.location) == ("Taqueria Luna", "")


async def test_silence_is_asked_once_more_and_then_left_be(caller):
    shop = caller(LUNA)
    await shop.ring()
    assert (await shop.say_nothing()).said.startswith("No escuché nada. Tenemos varias sucursales")
    assert (await shop.say_nothing()).said.startswith("¿En qué le podemos ayudar?")


async def test_zero_is_a_person(caller):
    shop = caller(LUNA)
    await shop.ring()
    assert (await shop.press("0")).one("Enqueue").text == "support.p2"


async def test_an_odd_key_is_asked_again(caller):
    shop = caller(LUNA)
    await shop.ring()
    assert (await shop.press("7")).said.startswith("Disculpe, no le entendí. Tenemos varias")
