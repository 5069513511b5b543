"""What callers are offered who say that their call is about the incident, and what becomes of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks import notice
from carrier import tables as carrier_tables  # noqa: F401  (made by the fixture sql)
from carrier.tables import OptOut
from foundation.errors import Unavailable
from ivr.app import doors
from queueing.pulse import Pulse, publish
from queueing.states import ContactState
from surge import board, deflection
from surge.states import Level
from tests.doors.handset import Web, journalled
from tests.doors.incidents import (
    STATUS,
    STAY,
    TEXT_OFFER,
    alike,
    declared,
    deflections,
    follow_up,
    level,
    outcome,
    texts,
    written_down,
)
from tests.doors.test_callback import desk  # noqa: F401  (a fixture: with callbacks)
from tests.waits import queue_pulse

BAKERY, LUNA, NOOK = "+14155550001", "+14155550002", "+14155550003"
INTRO = "Many people are calling about this."


@pytest.fixture
async def surge(watch):
    row = await declared(watch, topic="outage")
    await level(watch, Level.SURGE)
    return row


@pytest.fixture
async def closed(watch):
    row = await declared(watch)
    await level(watch, Level.CLOSED_TO_NEW)
    return row


@pytest.fixture
def figures(desk, clock):  # noqa: F811
    """The line's figures of this moment, and the notice that callbacks may be offered."""

    async def shown(waiting: int = 30, agents: int = 2) -> None:
        queues = {queue.name: queue_pulse(waiting, agents) for queue in desk.policy.queues}
        await publish(desk.redis, desk.keys, Pulse(clock.now_ms(), queues))
        await notice.publish(desk.office, clock.now_ms())

    return shown


async def opts_out(desk, number: str) -> None:  # noqa: F811
    async with desk.sql.session() as session:
        session.add(OptOut(number=number, at_ms=1))


async def says_yes(shop) -> None:
    await shop.ring()
    await shop.press("1")


async def test_a_text_is_in_sql_before_it_is_spoken_then_goodbye(caller, surge, desk):  # noqa: F811
    shop = caller(BAKERY)
    await says_yes(shop)
    assert shop.heard.said == f"{INTRO} {TEXT_OFFER} {STAY}"
    await alike(shop)
    heard = await shop.press("1")
    assert heard.said == (
        "Thank you. We are texting you what we know, and every update until it is fixed. To be called, "
        "reply 2 to the text. Thank you for calling Corner Pay. Goodbye."
    )
    assert heard.has("Hangup")
    await alike(shop)
    (text,), (row,) = await texts(desk), await deflections(desk)
    assert text.number == BAKERY
    assert (row.id, row.merchant, row.kind, row.version) == (shop.sid, "Corner Bakery", "text", 1)
    await shop.post("/voice/status", CallStatus="completed")
    await written_down(desk)
    assert await outcome(desk, shop.sid) == "deflected"
    assert (await follow_up(desk, shop.sid)).why == "deflected"


async def test_silence_joins_the_line_at_the_incidents_topic(caller, surge, desk):  # noqa: F811
    shop = caller(BAKERY)
    await says_yes(shop)
    heard = await shop.say_nothing()
    assert heard.has("Enqueue")
    now = await desk.line.contact(shop.sid)
    assert (now.queue, now.card.topic, now.card.incident) == ("support", "outage", surge.id)
    assert now.card.reason == "they say that their call is about this"


async def test_a_callback_is_asked_for_in_the_place_in_line(caller, surge, desk, figures):  # noqa: F811
    await figures()
    shop = caller(NOOK)
    await says_yes(shop)
    assert "To be called back and keep your place in line, press 2." in shop.heard.said
    assert (await shop.press("2")).has("Enqueue")
    assert (await desk.line.contact(shop.sid)).state is ContactState.WAITING
    heard = await shop.wait()
    assert heard.said.startswith("The number we would call is")
    await shop.press("1")
    if shop.heard.verbs == ["Redirect"]:
        await shop.say_nothing()
    heard = await shop.press("1")
    assert "We will call you back" in heard.said


async def test_no_callback_is_offered_that_may_not_be(caller, surge):
    shop = caller(NOOK)
    await says_yes(shop)
    assert "called back" not in shop.heard.said


async def test_a_wrong_key_hears_the_offers_again(caller, surge):
    shop = caller(BAKERY)
    await says_yes(shop)
    assert (await shop.press("8")).said == f"I am sorry, I did not understand that. {TEXT_OFFER} {STAY}"
    assert (await shop.press("8")).has("Enqueue")


# --- never turned away ------------------------------------------------------------------------------------


async def test_who_opted_out_is_told_why_and_offered_the_rest(caller, surge, desk, figures):  # noqa: F811
    await figures()
    await opts_out(desk, NOOK)
    shop = caller(NOOK)
    await says_yes(shop)
    assert shop.heard.said == (
        f"{INTRO} You have asked us not to text this number, so we do not. "
        f"To be called back and keep your place in line, press 1. {STAY}"
    )


async def test_a_withheld_number_joins_the_line(caller, surge, desk):  # noqa: F811
    shop = caller("anonymous")
    await shop.ring()
    heard = await shop.press("1")
    assert heard.has("Enqueue")
    assert await deflections(desk) == []


async def test_a_short_wait_is_no_reason_for_a_text(caller, surge, figures):
    await figures(waiting=1, agents=10)
    shop = caller(BAKERY)
    await says_yes(shop)
    assert "text" not in shop.heard.said


@pytest.mark.parametrize(("band", "spared"), [("p1", True), ("p0", False)])
async def test_bands_that_the_centre_names(caller, surge, watch, desk, band, spared):  # noqa: F811
    """The merchant's own: the incident's topic has p0, and would spare everybody."""
    shop, policy = caller(BAKERY), replace(watch.policy, never_bands=frozenset({band}))
    shop.web = Web(doors(replace(desk, watch=replace(watch, policy=policy))))
    await says_yes(shop)
    assert shop.heard.has("Enqueue") is spared


async def test_the_others_agents_are_kept_for_them(caller, surge, desk, agent, figures, clock):  # noqa: F811
    await agent("ann")
    await agent("bob")
    shop = caller(BAKERY)
    await says_yes(shop)
    await shop.press("0")  # an agent is asked for it: one of two is with this
    clock.advance(s=1)
    await figures()
    late = caller(NOOK)
    await says_yes(late)
    assert late.heard.said == (
        f"{INTRO} {TEXT_OFFER} To be called back and keep your place in line, press 2. {STAY}"
    )
    serving = await desk.roster.with_cards("support")
    assert sorted(card.match if card else "" for _, card in serving) == ["", "match"]


async def test_who_calls_again_waits_for_a_person_at_the_first_calls_place(caller, surge, desk, clock):  # noqa: F811
    shop = caller(BAKERY)
    await says_yes(shop)
    await shop.press("1")
    rang_ms = clock.now_ms()
    clock.advance(s=300)
    await caller(NOOK).ring()
    again = caller(BAKERY)
    heard = await again.ring()
    assert "We texted you about this earlier. This time, you can wait for a person. How can we" in heard.said
    await alike(again)
    await again.press("2")
    assert (await desk.line.contact(again.sid)).arrival_us // 1000 == rang_ms
    (row,) = await deflections(desk)
    assert row.called_again_ms == clock.now_ms()


async def test_when_texts_are_shut_it_is_said(caller, watch, desk, figures):  # noqa: F811
    await figures()
    shut = replace(watch, policy=replace(watch.policy, text_cap_per_h=0))
    await declared(shut)
    await level(shut, Level.SURGE)
    shop = caller(NOOK)
    shop.web = Web(doors(replace(desk, watch=shut)))
    await says_yes(shop)
    assert "We cannot send you a text right now, because so many are on their way." in shop.heard.said
    assert "called back" in shop.heard.said


@pytest.mark.parametrize("name", ["untextable", "called_again", "failed_for"])
async def test_a_store_that_is_away_leads_into_the_line(caller, surge, desk, monkeypatch, name):  # noqa: F811
    async def away(*_args):
        raise Unavailable("away")

    shop = caller(BAKERY)
    await shop.ring()
    monkeypatch.setattr(deflection, name, away)
    assert (await shop.press("1")).has("Enqueue")


async def test_a_text_that_cannot_be_written_down_is_not_spoken_of(caller, surge, desk, monkeypatch):  # noqa: F811
    async def away(*_args):
        raise Unavailable("away")

    shop = caller(BAKERY)
    await says_yes(shop)
    monkeypatch.setattr(deflection, "deflect", away)
    heard = await shop.press("1")
    assert heard.said.startswith("I am sorry, we could not set up the texts.")
    assert heard.has("Enqueue")


async def test_a_number_that_becomes_untextable_meanwhile_hears_the_rest(caller, surge, desk):  # noqa: F811
    shop = caller(BAKERY)
    await says_yes(shop)
    await opts_out(desk, BAKERY)
    assert (await shop.press("1")).has("Enqueue")
    assert await deflections(desk) == []


# --- closed to new ----------------------------------------------------------------------------------------

SHUT = (
    "We are not taking calls about this now. Press 1, and we text you the status, tell you when it is fixed, "
    "and call you if it still does not work for you then. By pressing 1 you agree to these texts. Message "
    "and data rates may apply. To leave us a message instead, press 2. If your call is about something "
    "else, press 3."
)


async def test_closed_a_text_and_a_follow_up(caller, closed, desk):  # noqa: F811
    shop = caller(BAKERY)
    await says_yes(shop)
    assert shop.heard.said == SHUT
    heard = await shop.press("1")
    assert heard.said.startswith("Thank you. We are texting you the status now.")
    assert heard.has("Hangup")
    await written_down(desk)
    assert await outcome(desk, shop.sid) == "deflected"
    assert (await follow_up(desk, shop.sid)).why == "closed"


async def test_closed_a_message(caller, closed, desk, clock):  # noqa: F811
    shop = caller(BAKERY)
    await says_yes(shop)
    heard = await shop.press("2")
    assert heard.has("Record")
    await alike(shop)
    clock.advance(s=30)
    done = heard.one("Record").get("action").removeprefix("https://voice.example.com")
    recording = {"RecordingUrl": f"https://api.twilio.com/RE{'0' * 32}", "RecordingDuration": "7"}
    heard = await shop.post(done, **recording)
    assert heard.said == "Thank you. We have your message, and we follow it up. Goodbye."
    await written_down(desk)
    assert await outcome(desk, shop.sid) == "message"
    assert (await follow_up(desk, shop.sid)).why == "message"


async def test_closed_and_no_message_is_a_call_that_was_given_up(caller, closed, desk, clock):  # noqa: F811
    shop = caller(BAKERY)
    await says_yes(shop)
    clock.advance(s=30)
    await shop.press("2")
    await shop.post("/voice/status", CallStatus="completed")
    await written_down(desk)
    assert await outcome(desk, shop.sid) == "abandoned"
    assert (await follow_up(desk, shop.sid)).why == "abandoned"


async def test_closed_silence_is_asked_once_more_then_a_message(caller, closed):
    shop = caller(BAKERY)
    await says_yes(shop)
    assert (await shop.say_nothing()).said == SHUT
    assert (await shop.say_nothing()).has("Record")


async def test_closed_something_else_joins(caller, closed, desk):  # noqa: F811
    shop = caller(BAKERY)
    await says_yes(shop)
    heard = await shop.press("3")
    assert heard.said.startswith("All right, something else. How can we help?")
    assert (await shop.press("1")).has("Enqueue")
    assert (await desk.line.contact(shop.sid)).queue == "payments"


async def test_closed_a_person_is_to_be_had(caller, closed, desk):  # noqa: F811
    shop = caller(BAKERY)
    await says_yes(shop)
    assert (await shop.press("0")).has("Enqueue")


async def test_closed_who_is_not_known_to_match_may_hold(caller, watch, desk):  # noqa: F811
    await declared(watch, scope={"products": ["Till 9"]})
    await level(watch, Level.CLOSED_TO_NEW)
    shop = caller(BAKERY)
    assert STATUS not in (await shop.ring()).said
    assert (await shop.press("1")).has("Enqueue")


# --- a dry run --------------------------------------------------------------------------------------------


async def test_a_dry_run_turns_nobody_away_and_counts(caller, watch, desk, clock):  # noqa: F811
    from surge import switch

    await declared(watch)
    await switch.set_mode(watch, "dry_run", "ann", clock.now_ms())
    await switch.suggest(watch, Level.SURGE, "the wait is long", clock.now_ms())
    for number in (BAKERY, LUNA):
        shop = caller(number)
        await shop.ring()
        assert "press 1. For something else" not in shop.heard.said
        await alike(shop)
    withheld = caller("anonymous")
    await withheld.ring()
    spared = [event for event in await journalled(desk) if event.kind == "spared"]
    assert len({event.contact for event in spared}) == 2
    await written_down(desk)
    told = await board.publish(watch, clock.now_ms())
    assert (told.dry_run, told.would) == (True, 2)


async def test_all_of_it_in_spanish(caller, surge, desk):  # noqa: F811
    shop = caller(LUNA)
    await says_yes(shop)
    assert shop.heard.said.startswith(
        "Muchas personas están llamando por este problema. Para recibir un mensaje"
    )
    heard = await shop.press("1")
    assert heard.said.startswith("Gracias. Le estamos enviando un mensaje con lo que sabemos")
    assert heard.languages == ["es-US"]
    (text,) = await texts(desk)
    assert "Los pagos con tarjeta no funcionan" in text.body
