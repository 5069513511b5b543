"""The level switched by phone: who may, how often a PIN may be wrong, what is heard and what is on record."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from pwdlib import PasswordHash
from sqlmodel import select
from structlog.testing import capture_logs

from foundation.connections import open_redis, open_sql
from ivr import toggling
from ivr.app import doors
from queueing.journal import Event
from queueing.tables import AgentAccount
from surge import aside, board, switch
from surge.states import Level
from surge.tables import SurgeEvent
from tests.doors.handset import Handset, Web, journalled
from tests.doors.watched import with_watch

LEAD, OTHER = "+14155550123", "+14155550001"
ANN = "+14155550177"
RIGHT, WRONG = "482913", "111111"
ASKS = "Please key in your PIN, then press the pound key."
LOCKED = "There were too many wrong PINs, so this is locked for now. Please use the console. Goodbye."
GREETING = "Thank you for calling Corner Pay."
AWAY_SQL = "postgresql://nobody@127.0.0.1:9/none"
CALM_MENU = "The level is calm. For watch, press 2. For surge, press 3. To leave it as it is, hang up."


@pytest.fixture(scope="module")
def pin_hash():
    return PasswordHash.recommended().hash(RIGHT)


@pytest.fixture
def watched(desk, pin_hash, tmp_path):
    desk = with_watch(desk, tmp_path, toggle_numbers=frozenset({LEAD, ANN}))
    return replace(desk, toggle_pin_hash=pin_hash)


@pytest.fixture
async def ann(watched):
    async with watched.sql.session() as session:
        session.add(AgentAccount(agent="ann", name="Ann", role="lead", phone=ANN))
    return Handset(Web(doors(watched)), ANN)


@pytest.fixture
def lead(watched):
    return Handset(Web(doors(watched)), LEAD)


async def level(desk) -> Level:
    row = await switch.state(desk.watch)
    return switch.in_force(row, desk.clock.now_ms())


async def timeline(desk) -> list[tuple[str, str]]:
    async with desk.sql.reading() as session:
        return [(row.kind, row.by) for row in await session.exec(select(SurgeEvent))]


async def in_the_menu(phone: Handset) -> Handset:
    await phone.ring()
    await phone.press(RIGHT)
    return phone


async def again(phone: Handset):
    """The last webhook once more, as Twilio repeats it."""
    path, form, _ = phone.web.asked[-1]
    return await phone.web.twilio(path, form)


# --- who may --------------------------------------------------------------------------------------------


async def test_a_lead_is_asked_for_the_pin_before_the_greeting(lead):
    assert (await lead.ring()).said == ASKS
    assert (await lead.press(RIGHT)).said == CALM_MENU


async def test_anybody_else_is_greeted(watched):
    heard = await Handset(Web(doors(watched)), OTHER).ring()
    assert heard.said.startswith(GREETING)
    assert ASKS not in heard.said


async def test_a_lead_who_keys_in_nothing_is_a_caller(lead):
    await lead.ring()
    assert (await lead.say_nothing()).said.startswith(GREETING)


async def test_without_a_pin_nobody_is_asked_for_one(watched):
    phone = Handset(Web(doors(replace(watched, toggle_pin_hash=""))), LEAD)
    assert (await phone.ring()).said.startswith(GREETING)


@pytest.mark.parametrize("door", ["level?from=0", "confirm?from=0&to=3"])
async def test_no_other_number_comes_in_behind_the_pin(watched, door):
    phone = Handset(Web(doors(watched)), OTHER)
    heard = await phone.post(f"/voice/toggle/{door}", Digits="1")
    assert heard.said.startswith("Nothing has changed.")
    assert await level(watched) is Level.CALM


# --- the PIN --------------------------------------------------------------------------------------------


async def test_three_wrong_pins_lock_the_number_for_a_while(watched, lead, clock):
    await lead.ring()
    with capture_logs() as logs:
        assert (await lead.press(WRONG)).said == f"That is not the right PIN. {ASKS}"
        assert (await lead.press(WRONG)).said == f"That is not the right PIN. {ASKS}"
        assert (await lead.press(WRONG)).said == LOCKED
    assert [line["tries"] for line in logs if line["event"] == "toggle_pin_wrong"] == [1, 2, 3]
    assert LEAD not in str(logs)
    assert (await Handset(lead.web, LEAD).ring()).said == LOCKED
    assert (await Handset(lead.web, ANN).ring()).said == ASKS
    clock.advance(minutes=15, ms=1)
    assert (await (await in_the_menu(Handset(lead.web, LEAD))).say_nothing()).said == CALM_MENU


async def test_tries_are_counted_over_calls_and_a_repeat_once(watched, lead):
    await lead.ring()
    for _ in range(2):
        first = await lead.press(WRONG)
        assert (await again(lead)).said == first.said
    second = Handset(lead.web, LEAD)
    assert (await second.ring()).said == ASKS
    assert (await second.press(WRONG)).said == LOCKED


async def test_a_slow_hash_costs_no_count(watched, monkeypatch):
    """The stores' time is over when the PIN has been hashed: the loop's clock goes ahead by it."""

    async def slow(pin, _hash):
        loop = asyncio.get_running_loop()
        before, late_s = loop.time, watched.budget.enrich_s + 1
        monkeypatch.setattr(loop, "time", lambda: before() + late_s)
        return pin == RIGHT

    monkeypatch.setattr(toggling, "fits", slow)
    phone = Handset(Web(doors(watched)), LEAD)
    await phone.ring()
    for _ in range(2):
        await phone.press(WRONG)
    (name,) = [key async for key in watched.redis.scan_iter("*:toggle:*")]
    assert await watched.redis.zcard(name) == 2
    assert (await phone.press(RIGHT)).said == CALM_MENU
    assert await watched.redis.zcard(name) == 0


async def test_guesses_side_by_side_are_three_at_most(watched, monkeypatch):
    looked_at = []

    async def counting(pin, _hash):
        looked_at.append(pin)
        return False

    monkeypatch.setattr(toggling, "fits", counting)
    phones = [Handset(Web(doors(watched)), LEAD) for _ in range(8)]
    for phone in phones:
        await phone.ring()
    with capture_logs():
        heard = await asyncio.gather(*(phone.press(WRONG) for phone in phones))
    assert len(looked_at) <= 3
    assert [each.said for each in heard].count(LOCKED) >= 6


async def test_the_right_pin_begins_the_count_anew(lead):
    await lead.ring()
    await lead.press(WRONG)
    await lead.press(WRONG)
    assert (await lead.press(RIGHT)).said == CALM_MENU
    second = Handset(lead.web, LEAD)
    await second.ring()
    assert (await second.press(WRONG)).said == f"That is not the right PIN. {ASKS}"


async def test_with_redis_away_three_wrong_pins_end_the_call(watched):
    away = open_redis("redis://127.0.0.1:9/0")
    phone = Handset(Web(doors(replace(watched, redis=away))), LEAD)
    with capture_logs():
        await phone.ring()
        heard = [(await phone.press(WRONG)).said for _ in range(3)]
    await away.aclose()
    assert heard[-1] == LOCKED


# --- the level ------------------------------------------------------------------------------------------


async def test_a_level_is_confirmed_set_and_on_record_with_who(watched, ann):
    await in_the_menu(ann)
    assert (await ann.press("3")).said == ("You chose surge. To confirm, press 1. To choose again, press 2.")
    assert await level(watched) is Level.CALM
    heard = await ann.press("1")
    assert heard.said.startswith("Done. The level is now surge. It ends ")
    assert heard.has("Hangup")
    assert await level(watched) is Level.SURGE
    assert await timeline(watched) == [("level", "ann")]
    watched.clock.advance(s=2)
    assert (await again(ann)).said == heard.said
    assert await timeline(watched) == [("level", "ann")]


async def test_a_number_without_an_account_is_on_record_masked(watched, lead):
    await in_the_menu(lead)
    await lead.press("2")
    await lead.press("1")
    assert await timeline(watched) == [("level", "phone +1 415 ••• 0123")]


async def test_another_choice_and_silence_change_nothing(watched, lead):
    await in_the_menu(lead)
    await lead.press("3")
    assert (await lead.press("2")).said == CALM_MENU
    assert (await lead.press("7")).said == CALM_MENU
    assert (await lead.say_nothing()).said == CALM_MENU
    assert (await lead.say_nothing()).said.startswith("Nothing has changed.")
    assert await level(watched) is Level.CALM


async def test_who_was_overtaken_hears_it_and_chooses_again(watched, lead):
    await in_the_menu(lead)
    await lead.press("2")
    await switch.set_level(watched.watch, Level.SURGE, "bob", watched.clock.now_ms())
    watched.clock.advance(s=2)
    heard = await lead.press("1")
    assert heard.said.startswith("Somebody else has changed the level since. The level is surge.")
    assert await level(watched) is Level.SURGE


async def test_closing_is_asked_for_and_takes_another_person(watched, ann, lead):
    await switch.set_level(watched.watch, Level.SURGE, "bob", watched.clock.now_ms())
    await in_the_menu(lead)
    assert "closed to new callers" not in lead.heard.said  # nobody could tell the two apart
    await in_the_menu(ann)
    assert "For closed to new callers, press 4." in ann.heard.said
    await ann.press("4")
    assert (await ann.press("1")).said.startswith("This takes two people. We have asked for it")
    row = await switch.state(watched.watch)
    assert (row.level, row.asked_level, row.asked_by) == (Level.SURGE, Level.CLOSED_TO_NEW, "ann")
    await switch.confirm_second(watched.watch, "bob", watched.clock.now_ms())
    assert await level(watched) is Level.CLOSED_TO_NEW


async def test_with_sql_away_the_doors_follow_and_sql_learns_of_it_later(watched, tmp_path):
    lost = open_sql(AWAY_SQL)
    alone = with_watch(watched, tmp_path, lost, toggle_numbers=frozenset({LEAD}))
    phone = Handset(Web(doors(alone)), LEAD)
    with capture_logs():
        await in_the_menu(phone)
        await phone.press("3")
        assert (await phone.press("1")).said.startswith("Done. The level is now surge.")
    await lost.close()
    told = await board.read(watched.redis, watched.policy.centre)
    assert told is not None
    assert told.level is Level.SURGE
    watched.clock.advance(s=5)
    assert await aside.bring_in(watched.watch, watched.clock.now_ms()) == 1
    assert await level(watched) is Level.SURGE
    assert await timeline(watched) == [("level", "phone +1 415 ••• 0123")]


async def test_in_the_centres_language(watched, pin_hash):
    spanish = replace(watched, centre=replace(watched.centre, languages=("es", "en")))
    phone = Handset(Web(doors(spanish)), LEAD)
    await phone.ring()
    heard = await phone.press(RIGHT)
    assert heard.said.startswith("El nivel es ")
    assert heard.languages == ["es-US"]


async def test_a_leads_call_is_no_call_that_hung_up(watched, lead):
    await in_the_menu(lead)
    await lead.hang_up()
    events: list[Event] = await journalled(watched)
    assert [event.kind for event in events if event.contact == lead.sid] == []
