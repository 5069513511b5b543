"""What the call is about, and into the line."""

from __future__ import annotations

import pytest

from queueing.states import ContactState


async def test_a_key_leads_into_the_topics_queue(caller, desk):
    shop = caller("+14155550003")
    await shop.ring()
    heard = await shop.press("1")
    assert heard.said == (
        "I am placing you in line for the payments team. "
        "Please stay on the line. You will hear music while you wait."
    )
    assert heard.one("Enqueue").text == "payments.p2"
    now = await desk.line.contact(shop.sid)
    assert (now.state, now.queue, now.band, now.position) == (ContactState.WAITING, "payments", "p2", 1)
    assert (now.card.merchant, now.card.topic, now.card.caller) == ("Book Nook", "payments", "+14155550003")


async def test_words_lead_there_too(caller):
    shop = caller()
    await shop.ring()
    assert (await shop.speak("My card reader is broken")).one("Enqueue").text == "payments.p2"


async def test_a_gold_merchant_has_a_head_start(caller):
    assert (await caller("+14155550001").to_the_line("1")).one("Enqueue").text == "payments.p1"


async def test_an_emergency_has_the_greatest(caller):
    assert (await caller("+14155550001").to_the_line("3")).one("Enqueue").text == "support.p0"


async def test_nine_continues_in_spanish(caller):
    shop = caller()
    await shop.ring()
    heard = await shop.press("9")
    assert heard.said.startswith("Continuamos en español. ¿En qué le podemos ayudar?")
    assert heard.languages == ["es-US"]
    assert heard.one("Gather").get("language") == "es-US"
    heard = await shop.speak("no funciona la terminal")
    assert heard.said.startswith("Le pongo en la fila")
    assert heard.one("Enqueue").text == "payments.p2"


async def test_spanish_may_be_asked_for_by_word(caller):
    shop = caller()
    await shop.ring()
    assert (await shop.speak("español")).said.startswith("Continuamos en español.")


async def test_zero_is_a_person_at_any_time(caller):
    assert (await caller().to_the_line("0")).one("Enqueue").text == "support.p2"


async def test_silence_is_asked_twice_more_and_then_sent_to_anybody(caller):
    shop = caller()
    await shop.ring()
    assert (await shop.say_nothing()).said.startswith("I did not hear anything. How can we help?")
    assert (await shop.say_nothing()).said.startswith("I did not hear anything.")
    heard = await shop.say_nothing()
    assert heard.said.startswith("That is all right, you do not have to choose. I am placing you in line")
    assert heard.one("Enqueue").text == "support.p2"


@pytest.mark.parametrize("odd", ["8", "#", "*", "x", "99999999999999999999", "☎"])
async def test_a_key_that_means_nothing_is_asked_again(caller, odd):
    shop = caller()
    await shop.ring()
    assert (await shop.press(odd)).said.startswith(
        "I am sorry, I did not understand that." if odd[0] != "9" else "Continuamos"
    )


async def test_an_empty_key_is_silence(caller):
    shop = caller()
    await shop.ring()
    assert (await shop.press("")).said.startswith("I did not hear anything.")


@pytest.mark.parametrize(
    "speech", ["bla " * 2500, "\x00\x07\x1b[31m", "<Hangup/>", "☎☎☎", "'; DROP TABLE contact;--"]
)
async def test_odd_words_are_asked_again(caller, speech):
    shop = caller()
    await shop.ring()
    assert (await shop.speak(speech)).said.startswith("I am sorry, I did not understand that.")


async def test_a_call_of_an_unfit_name_is_still_held(caller):
    shop = caller()
    shop.sid = "no such call | @ann"
    await shop.ring()
    assert (await shop.press("1")).one("Enqueue").text == "payments.p2"
    assert (await shop.wait()).clips


async def test_the_line_is_full_and_a_message_is_taken_instead(caller, desk):
    for _ in range(4):
        await caller().to_the_line()
    late = caller()
    heard = await late.to_the_line()
    assert heard.said.startswith("I am sorry, our line is full right now")
    assert heard.has("Record")
    assert await desk.line.contact(late.sid) is None


async def test_an_idle_agent_is_asked_at_once_and_the_caller_hears_the_same(caller, desk, agent):
    await agent("ann")
    shop = caller()
    assert (await shop.to_the_line()).said.startswith("I am placing you in line for the support team.")
    assert (await desk.line.contact(shop.sid)).state is ContactState.RESERVED
