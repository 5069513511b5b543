"""STATUS, LATER and NOCALL by text: what is answered, whatever becomes of the callback meanwhile."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from callbacks import dialing, promises
from carrier import texts
from ivr.app import doors
from ivr.desk import Desk
from tests.doors.called_back import SHOP, AwayLine, promise_for, ring, with_office
from tests.doors.handset import ACCOUNT, NUMBER, Web
from tests.doors.test_callback import AwaySql

NOTHING = "Corner Pay: you have no callback with us at present. To ask for one, call +1 415-555-0100."
CANCELLED = "Corner Pay: your callback is cancelled. We will not call you."
CALLING = "Corner Pay: an agent is calling you right now."
HALF_AN_HOUR_MS = 30 * 60_000
_sids = itertools.count(1)


@dataclass
class Phone:
    """A merchant's, that writes to us."""

    desk: Desk
    number: str = SHOP

    async def writes(self, body: str, sid: str = "") -> str:
        """What is answered; "" for nothing."""
        form = {
            "MessageSid": sid or f"SM{next(_sids):032x}",
            "AccountSid": ACCOUNT,
            "From": self.number,
            "To": NUMBER,
            "Body": body,
            "NumMedia": "0",
        }
        reply = await Web(doors(self.desk)).twilio("/sms/incoming", form)
        return " ".join(each.text for each in reply.document.verbs)

    def stores(self, **changed: Any) -> Phone:
        """The same phone, with our doors on these stores."""
        return Phone(with_office(self.desk, **changed), self.number)


@pytest.fixture
def desk(desk):
    return with_office(desk)


@pytest.fixture
def shop(desk):
    return Phone(desk)


@pytest.fixture
async def owed(desk):
    return await promise_for(desk)


async def state(desk, promise) -> str:
    return (await promises.get(desk.office, promise.id)).state


# --- none owed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["STATUS", "later", "NoCall", "no call."])
async def test_nothing_is_owed(shop, word):
    assert await shop.writes(word) == NOTHING


async def test_nothing_is_owed_to_another_number(desk, owed):
    assert await Phone(desk, "+14155550001").writes("NOCALL") == NOTHING
    assert await state(desk, owed) == "in_line"


async def test_nothing_is_owed_any_more(shop, owed):
    assert await shop.writes("NOCALL") == CANCELLED
    assert await shop.writes("NOCALL") == NOTHING
    assert await shop.writes("STATUS") == NOTHING


async def test_a_centre_that_does_not_call_back_owes_nothing(desk):
    shop = Phone(replace(desk, office=None))
    assert (await shop.writes("STATUS")).startswith("Corner Pay: you have no callback with us at present.")


# --- STATUS ---------------------------------------------------------------------------------------------


async def test_status_says_the_place_and_where_to_change_it(desk, shop):
    await promise_for(desk, "+14155550001")
    desk.clock.advance(s=1)
    promise = await promise_for(desk)
    told = await shop.writes("STATUS")
    assert told.startswith("Corner Pay: you are number 2 in line. We will call you when your turn comes.")
    assert told.rpartition("/c/")[2].startswith(promise.id.removeprefix("PR"))


async def test_the_place_is_not_told_while_the_line_does_not_say(desk, shop, owed):
    told = await shop.stores(line=AwayLine(desk.line)).writes("STATUS")
    assert told.startswith("Corner Pay: your place in line is kept. We will call you when your turn comes.")


async def test_nobody_who_is_about_to_be_called_is_told_a_place(desk, shop, owed, agent):
    await agent("ann")
    assert (await shop.writes("STATUS")).startswith("Corner Pay: your place in line is kept.")


async def test_status_while_being_called(desk, shop, owed, agent):
    await agent("ann")
    leg = await ring(desk, owed)
    assert await shop.writes("STATUS") == CALLING
    await leg.picks_up()
    await leg.press("1")
    assert await shop.writes("STATUS") == CALLING


async def test_status_while_on_the_line(desk, shop, owed, caller):
    back = caller(SHOP)
    await back.ring()
    await back.say_nothing()
    assert await shop.writes("STATUS") == (
        "Corner Pay: you are on the line with us now, and your place is kept."
    )


async def test_status_of_a_window(desk, shop, clock):
    start_ms = clock.now_ms() + 3_600_000
    await promise_for(desk, window=(start_ms, start_ms + 7_200_000))
    told = await shop.writes("STATUS")
    assert told.startswith("Corner Pay: we will call you today between ")


# --- LATER ----------------------------------------------------------------------------------------------


async def test_later_is_half_an_hour_and_counts_no_try(desk, shop, owed, clock):
    told = await shop.writes("LATER")
    assert told.startswith("Corner Pay: all right, we will call you today at ")
    now = await promises.get(desk.office, owed.id)
    assert (now.state, now.tries, now.due_ms) == ("due_later", 0, clock.now_ms() + HALF_AN_HOUR_MS)
    assert (await shop.writes("STATUS")).startswith("Corner Pay: we will call you today at ")


async def test_later_twice_is_half_an_hour_from_the_second(desk, shop, owed, clock):
    await shop.writes("LATER", "SM1")
    clock.advance(minutes=10)
    await shop.writes("LATER", "SM2")
    assert (await promises.get(desk.office, owed.id)).due_ms == clock.now_ms() + HALF_AN_HOUR_MS


@pytest.mark.parametrize("word", ["LATER", "NOCALL"])
async def test_a_repeat_of_the_same_text_does_nothing_more(desk, shop, owed, clock, word):
    told = await shop.writes(word, "SM1")
    before = await promises.get(desk.office, owed.id)
    clock.advance(minutes=10)
    assert await shop.writes(word, "SM1") == told
    assert (await promises.get(desk.office, owed.id)).due_ms == before.due_ms


async def test_it_is_too_late_for_later_while_being_called(desk, shop, owed, agent):
    await agent("ann")
    await ring(desk, owed)
    assert await shop.writes("LATER") == CALLING
    assert await state(desk, owed) == "dialing"


# --- NOCALL ---------------------------------------------------------------------------------------------


async def test_no_call_while_it_rings_is_obeyed(desk, shop, owed, agent):
    await agent("ann")
    leg = await ring(desk, owed)
    assert await shop.writes("NOCALL") == CANCELLED
    assert await state(desk, owed) == "cancelled"
    assert (await leg.picks_up()).said == "This callback is no longer needed. Goodbye."


async def test_no_call_while_they_talk_leaves_them_talking(desk, shop, owed, agent, clock):
    await agent("ann")
    leg = await ring(desk, owed)
    await leg.picks_up()
    await leg.press("1")
    await desk.line.connect(leg.turn, clock.now_ms())
    await dialing.talked(desk.office, leg.attempt.id, clock.now_ms())
    assert await shop.writes("NOCALL") == CALLING
    assert await state(desk, owed) == "connected"


# --- in Spanish, after STOP, without stores -------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("ESTADO", "Corner Pay: su lugar en la fila es el 1. Le llamaremos cuando llegue su turno."),
        ("luego", "Corner Pay: de acuerdo, le llamaremos hoy a la"),
        ("No llamar", "Corner Pay: su llamada queda cancelada. No le llamaremos."),
    ],
)
async def test_in_spanish(desk, word, said):
    number = "+14155550002"
    await promise_for(desk, number, language="es")
    assert (await Phone(desk, number).writes(word)).startswith(said)


@pytest.mark.parametrize("word", ["ESTADO", "LUEGO", "NOLLAMAR"])
async def test_none_owed_in_the_language_of_the_word(shop, word):
    assert (await shop.writes(word)).startswith("Corner Pay: por ahora no tiene ninguna llamada pendiente.")


async def test_who_has_opted_out_is_obeyed_and_not_answered(desk, shop, owed):
    async with desk.sql.session() as session:
        await texts.opt_out(session, SHOP, "STOP", desk.clock.now_ms())
    assert await shop.writes("STATUS") == ""
    assert await shop.writes("NOCALL") == ""
    assert await state(desk, owed) == "cancelled"


@pytest.mark.parametrize("word", ["STATUS", "LATER", "NOCALL"])
async def test_without_sql_nothing_changes_and_a_repeat_is_carried_out(desk, shop, owed, word):
    with capture_logs():
        assert await shop.stores(sql=AwaySql()).writes(word, "SM1") == ""
    assert await state(desk, owed) == "in_line"
    assert await shop.writes(word, "SM1") != ""


@pytest.mark.parametrize(("word", "there"), [("LATER", "due_later"), ("NOCALL", "cancelled")])
async def test_without_the_line_they_are_obeyed(desk, shop, owed, word, there):
    assert await shop.stores(line=AwayLine(desk.line)).writes(word) != ""
    assert await state(desk, owed) == there
