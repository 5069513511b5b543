"""Out of the queue, for each reason there is."""

from __future__ import annotations

import pytest

from queueing.states import ContactState, Disposition


async def test_hanging_up_keeps_the_place_for_a_while(caller, desk, clock):
    shop = caller()
    await shop.to_the_line("1")
    await shop.hang_up()
    now = await desk.line.contact(shop.sid)
    assert (now.state, now.disposition) == (ContactState.ENDED, Disposition.ABANDONED)
    clock.advance(s=60)
    again = caller()
    heard = await again.ring()
    assert heard.said == "Welcome back to Corner Pay. Your call was cut off, and we kept your place in line."
    assert heard.one("Enqueue").text == "payments.p2"
    assert (await desk.line.contact(again.sid)).entered_ms == now.entered_ms


async def test_the_welcome_back_is_in_the_callers_language_and_the_same_when_repeated(caller, clock, web):
    shop = caller("+14155550002")
    await shop.ring()
    await shop.press("1")
    await shop.press("1")
    await shop.hang_up()
    clock.advance(s=30)
    heard = await caller("+14155550002").ring()
    assert heard.said.startswith("Gracias por volver a llamar a Corner Pay.")
    path, form, _ = web.asked[-1]
    assert (await web.twilio(path, form)).body == heard.body


async def test_after_ninety_seconds_the_place_is_gone(caller, clock):
    shop = caller()
    await shop.to_the_line("1")
    await shop.hang_up()
    clock.advance(s=91)
    assert "How can we help?" in (await caller().ring()).said


async def test_anonymous_callers_are_not_one_person(caller, clock):
    shop = caller("anonymous")
    await shop.to_the_line("1")
    await shop.hang_up()
    assert "How can we help?" in (await caller("anonymous").ring()).said


async def test_twilios_queue_is_full(caller, desk):
    shop = caller()
    await shop.to_the_line("1")
    heard = await shop.left("queue-full")
    assert heard.said.startswith("I am sorry, our line is full right now")
    assert heard.has("Record")
    assert (await desk.line.contact(shop.sid)).disposition == Disposition.FULL


@pytest.mark.parametrize("result", ["error", "system-error"])
async def test_twilio_could_not_hold_the_call_so_it_is_held_again_and_in_the_end_a_message_taken(
    caller, desk, result
):
    shop = caller()
    await shop.to_the_line("1")
    for _ in range(3):
        heard = await shop.left(result)
        assert heard.said == "We are having trouble on our side. Please stay on the line."
        assert heard.one("Enqueue").text == "payments.p2"
    assert (await desk.line.contact(shop.sid)).state is ContactState.WAITING
    assert (await shop.left(result)).has("Record")


@pytest.mark.parametrize(
    "result", ["redirected", "bridged", "bridging-in-process", "redirected-from-bridged", "?", ""]
)
async def test_taken_out_by_us_nothing_moves(caller, desk, result):
    shop = caller()
    await shop.to_the_line("1")
    before = await desk.line.contact(shop.sid)
    await shop.left(result)
    assert await desk.line.contact(shop.sid) == before


async def test_the_contact_of_an_unknown_call_is_answered_with_nothing(caller):
    shop = caller()
    assert (await shop.post("/voice/left?lang=en", QueueResult="redirected")).verbs == []
