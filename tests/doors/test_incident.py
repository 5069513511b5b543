"""What callers hear first when an incident touches them, or may."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carrier import tables as carrier_tables  # noqa: F401  (made by the fixture sql)
from foundation.errors import Unavailable
from ivr.app import doors
from queueing.hours import Hours
from surge import board, incidents
from surge.checking import spoken_s
from surge.states import Level
from tests.doors.handset import Web, journalled
from tests.doors.incidents import (
    MAYBE,
    QUESTION,
    STATUS,
    alike,
    declared,
    follow_up,
    level,
    outcome,
    said,
    written_down,
)

BAKERY, LUNA, NOOK = "+14155550001", "+14155550002", "+14155550003"


async def test_who_is_touched_hears_the_status_before_the_menu_and_the_lines(caller, watch):
    await declared(watch, do="Switch offline mode on", dont="Do not close the till")
    shop = caller(BAKERY)
    heard = await shop.ring()
    assert heard.said.startswith(
        "Thank you for calling Corner Pay. It looks like you are calling from Corner Bakery, Mission Street. "
        f"Para español, oprima el 9. {STATUS} Meanwhile: Switch offline mode on. "
        "Important: Do not close the till. How can we help?"
    )
    await alike(shop)


async def test_the_status_begins_in_time_however_long_the_name(caller, watch, desk, clock):
    from carrier.numbers import normalise
    from merchants import directory

    long = "The Original and Only Pancake and Waffle House of the Upper Valley and Adjoining Counties"
    sheet = f"name,tier,numbers,locations,product,language\n{long},gold,+1 415 555 0009,{long},Till 3,en\n"
    async with desk.sql.session() as session:
        await directory.import_csv(session, sheet, normalise=normalise)
    assert "Pancake" in (await caller("+14155550009").ring()).said
    await declared(watch)
    clock.advance(s=1)
    before, _, _ = (await caller("+14155550009").ring()).said.partition(STATUS)
    assert spoken_s(before) < 15


async def test_the_age_is_told_and_old_words_are_not(caller, watch, clock):
    await declared(watch)
    clock.advance(s=7 * 60)
    assert "As of 7 minutes ago: Card payments are down" in (await caller().ring()).said
    clock.advance(s=20 * 60)
    heard = (await caller().ring()).said
    assert "We know of this problem: Card payments down. Our last update is 27 minutes old" in heard
    assert "everywhere" not in heard


async def test_a_spanish_merchant_hears_it_in_spanish(caller, watch):
    await declared(watch, scope={"products": ["Till 2"]})
    shop = caller(LUNA)
    heard = await shop.ring()
    assert "Información de hace un minuto: Los pagos con tarjeta no funcionan." in heard.said
    assert heard.languages == ["es-US"]


async def test_whom_it_does_not_touch_hears_nothing_of_it(caller, watch):
    await declared(watch, scope={"products": ["Till 2"]})
    assert "Card payments" not in (await caller(BAKERY).ring()).said


async def test_who_is_not_known_hears_that_it_may_concern_them(caller, watch):
    await declared(watch, scope={"products": ["Till 2"]})
    assert f"{MAYBE} {STATUS}" in (await caller("+14155559999").ring()).said


async def test_it_is_told_once_a_call(caller, watch):
    await declared(watch)
    shop = caller(BAKERY)
    await shop.ring()
    await shop.say_nothing()
    assert "Card payments" not in shop.heard.said
    heard = await shop.press("1")
    assert "Card payments" not in heard.said
    assert heard.has("Enqueue")
    assert "Card payments" not in (await shop.wait()).said


async def test_a_topic_makes_a_maybe_no_second_telling(caller, watch):
    await declared(watch, scope={"components": ["payments"]})
    shop = caller(BAKERY)
    assert f"{MAYBE} {STATUS}" in (await shop.ring()).said
    assert "Card payments" not in (await shop.press("1")).said
    assert shop.heard.has("Enqueue")


async def test_two_incidents_in_one_breath_the_gravest_first(caller, watch):
    await declared(watch)
    await declared(watch, title="Tills", words={"en": "Some tills freeze"}, severity="critical")
    heard = (await caller(BAKERY).ring()).said
    assert "ago: Some tills freeze. We also know of another problem. As of" in heard
    assert heard.index("Some tills") < heard.index("Card payments")


async def test_a_shop_in_the_region_hears_it_when_it_is_chosen(caller, watch):
    await declared(watch, scope={"regions": ["Norte"]})
    await level(watch, Level.SURGE)
    status = "Información de hace un minuto: Los pagos con tarjeta no funcionan."
    for key, asked in (("2", True), ("1", False)):
        shop = caller(LUNA)
        heard = await shop.ring()
        assert f"Puede que esto le afecte, o puede que no. {status} Tenemos varias" in heard.said
        heard = await shop.press(key)
        assert heard.said.startswith("Gracias. ")
        assert (f"Norte. {status} ¿Nos llama por este problema?" in heard.said) is asked


async def test_the_question_comes_before_the_shops_and_the_shops_after_it(caller, watch):
    await declared(watch)
    await level(watch, Level.SURGE)
    shop = caller(LUNA)
    assert (await shop.ring()).said.endswith(
        "¿Nos llama por este problema? Si es así, oprima el 1. Si es por otro asunto, oprima el 2."
    )
    heard = await shop.press("2")
    assert heard.said.startswith("De acuerdo, otro asunto.")
    assert "Norte" in heard.said
    assert (await shop.press("2")).said.startswith("Gracias. Norte.")


# --- the question -----------------------------------------------------------------------------------------


@pytest.fixture
async def surge(watch):
    row = await declared(watch)
    await level(watch, Level.SURGE)
    return row


async def test_asked_once_more_after_silence_then_the_menu(caller, surge):
    shop = caller(BAKERY)
    heard = await shop.ring()
    assert heard.said.endswith(f"{STATUS} {QUESTION}")
    await alike(shop)
    heard = await shop.say_nothing()
    assert heard.said == "If your call is about this, press 1. If it is about something else, press 2."
    heard = await shop.say_nothing()
    assert heard.said.startswith("How can we help?")
    assert "Card payments" not in heard.said
    assert (await shop.press("1")).has("Enqueue")


async def test_something_else_is_the_menu_and_the_line(caller, surge, desk):
    shop = caller(BAKERY)
    await shop.ring()
    heard = await shop.press("2")
    assert heard.said.startswith("All right, something else. How can we help?")
    await alike(shop)
    assert (await shop.press("2")).has("Enqueue")
    assert (await desk.line.contact(shop.sid)).card.incident == ""


async def test_after_something_else_the_other_incident_is_asked_about(caller, watch, surge):
    await declared(watch, title="Tills", words={"en": "Some tills freeze"}, severity="minor")
    shop = caller(BAKERY)
    await shop.ring()
    heard = await shop.press("2")
    assert heard.said == (
        "All right, something else. We also know of another problem. "
        f"As of 1 minute ago: Some tills freeze. {QUESTION}"
    )
    assert (await shop.press("2")).said.startswith("All right, something else. How can we help?")


async def test_the_language_key_tells_it_in_the_other_language(caller, surge):
    shop = caller(BAKERY)
    await shop.ring()
    heard = await shop.press("9")
    assert "Los pagos con tarjeta no funcionan" in heard.said
    assert heard.languages == ["es-US"]
    await shop.press("2")
    assert shop.heard.languages == ["es-US"]


async def test_a_person_is_to_be_had_at_any_time(caller, surge, desk):
    shop = caller(BAKERY)
    await shop.ring()
    assert (await shop.press("0")).has("Enqueue")
    assert (await desk.line.contact(shop.sid)).queue == "support"


async def test_a_wrong_key_is_asked_again(caller, surge):
    shop = caller(BAKERY)
    await shop.ring()
    assert (await shop.press("7")).said.startswith("I am sorry, I did not understand that. If your call")


async def test_safety_and_loss_of_data_are_never_asked(caller, watch):
    await declared(watch, severity="safety")
    await level(watch, Level.SURGE)
    heard = (await caller(BAKERY).ring()).said
    assert STATUS in heard
    assert QUESTION not in heard
    assert "How can we help?" in heard


async def test_a_change_of_level_holds_for_the_next_call(caller, watch, clock):
    await declared(watch)
    assert QUESTION not in (await caller(BAKERY).ring()).said
    await level(watch, Level.SURGE)
    clock.advance(s=1)
    assert QUESTION in (await caller(BAKERY).ring()).said
    clock.advance(s=3600)
    assert "How can we help?" in (await caller(BAKERY).ring()).said, "a surge that nobody renewed is over"


# --- callers who keep their own way -----------------------------------------------------------------------


async def test_who_was_cut_off_is_back_in_the_line_and_hears_it(caller, watch, clock):
    shop = caller(BAKERY)
    await shop.to_the_line()
    await shop.hang_up()
    await declared(watch)
    await level(watch, Level.SURGE)
    clock.advance(s=20)
    again = caller(BAKERY)
    heard = await again.ring()
    assert heard.said.startswith("Welcome back to Corner Pay.")
    assert "Card payments are down everywhere" in heard.said
    assert heard.has("Enqueue")
    await alike(again)


async def test_out_of_hours_it_is_told_too(caller, watch, desk):
    await declared(watch)
    closed = replace(desk, centre=replace(desk.centre, hours=Hours("UTC", {}, {})))
    shop = caller(BAKERY)
    shop.web = Web(doors(closed))
    heard = await shop.ring()
    assert STATUS in heard.said
    assert heard.has("Record")
    await written_down(desk)
    assert (await follow_up(desk, shop.sid)).incident


# --- the record -------------------------------------------------------------------------------------------


async def test_who_hangs_up_at_the_question_is_followed_up_as_who_they_are(caller, surge, desk, clock):
    shop = caller(BAKERY)
    await shop.ring()
    clock.advance(s=25)
    for _ in range(2):
        await shop.post("/voice/status", CallStatus="completed", CallDuration="25")
    await written_down(desk)
    assert await outcome(desk, shop.sid) == "abandoned"
    row = await follow_up(desk, shop.sid)
    assert (row.why, row.incident, row.merchant, row.number) == (
        "abandoned",
        surge.id,
        "Corner Bakery",
        BAKERY,
    )


async def test_who_hangs_up_at_once_wanted_nothing(caller, surge, desk, clock):
    shop = caller(BAKERY)
    await shop.ring()
    clock.advance(s=2)
    await shop.post("/voice/status", CallStatus="completed")
    await written_down(desk)
    assert await follow_up(desk, shop.sid) is None


async def test_the_card_says_which_incident_and_why(caller, surge, desk):
    shop = caller(BAKERY)
    await shop.ring()
    await shop.say_nothing()
    await shop.say_nothing()
    await shop.press("1")
    card = (await desk.line.contact(shop.sid)).card
    assert (card.incident, card.match, card.reason) == (surge.id, "match", "it touches everybody")


# --- stores away ------------------------------------------------------------------------------------------


def broken(desk, **changed) -> Web:
    return Web(doors(replace(desk, **changed)))


class Away:
    """A store that says so."""

    def __getattr__(self, name):
        def refuse(*args, **more):
            raise Unavailable("away")

        return refuse


async def test_without_redis_the_copy_on_this_machine_tells_it(caller, watch, desk, monkeypatch):
    await declared(watch)

    async def away(*_args, **_more):
        raise Unavailable("away")

    monkeypatch.setattr(board, "read", away)
    shop = caller(BAKERY)
    shop.web = broken(desk)
    assert STATUS in (await shop.ring()).said


async def test_without_the_directory_it_may_concern_anybody(caller, watch, desk):
    await declared(watch, scope={"products": ["Till 3"]})
    shop = caller(BAKERY)
    shop.web = broken(desk, sql=None)
    assert f"{MAYBE} {STATUS}" in (await shop.ring()).said


async def test_an_incident_that_ends_between_two_webhooks_is_asked_about_no_more(caller, watch, surge, clock):
    shop = caller(BAKERY)
    await shop.ring()
    row = await said(watch, surge, "It works again", state=incidents.IncidentState.VERIFIED)
    await incidents.resolve(watch, row.id, row.version, "ann", clock.now_ms())
    clock.advance(s=1)
    heard = await shop.press("1")
    assert heard.said.startswith("How can we help?")


async def test_what_a_caller_was_told_is_in_the_journal(caller, surge, desk):
    shop = caller(BAKERY)
    await shop.ring()
    (event,) = await journalled(desk)
    assert (event.kind, event.fields["incident"], event.fields["version"]) == ("informed", surge.id, "1")
