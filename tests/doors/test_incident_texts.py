"""1, 2, STATUS and KEEP about an incident: what is answered, and what becomes of follow-up and callback."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from callbacks import promises
from callbacks.making import NewPromise, make
from callbacks.tables import Promise, PromiseEvent
from carrier import texts
from processes import tagged
from queueing.records import Card
from surge import deflection, incidents
from surge.deflection import Turned
from surge.directive import Told
from surge.states import FollowUpState, IncidentState, Level
from surge.tables import FollowUp, Subscription
from tests.doors.called_back import SHOP, promise_for, with_office
from tests.doors.test_callback import AwaySql
from tests.doors.test_texting_commands import NOTHING, Phone
from tests.doors.watched import DOWN, declare, with_watch

SPANISH = "+14155550002"
GOOD = (
    "Corner Pay: good, and thank you for telling us. "
    "If it stops working again, reply 2 or call +1 415-555-0100."
)
KEPT = "Corner Pay: all right, we will call you. Your place in line is kept."
FIRST = (
    "Corner Pay: sorry that it is still down. "
    "You are back in line as of your first call, at number 1. We will call you."
)
NO_CALL = (
    "Corner Pay: sorry that it is still down. We cannot promise a call right now. "
    "Please call us at +1 415-555-0100."
)


@pytest.fixture
def desk(desk, tmp_path):
    return with_office(with_watch(desk, tmp_path))


@pytest.fixture
def shop(desk):
    return Phone(desk)


@pytest.fixture
async def incident(desk):
    return await declare(desk)


async def turned(desk, incident, number=SHOP, call="CA1", language="en"):
    """Turned to a text a minute ago."""
    now_ms = desk.clock.now_ms()
    told = Told(
        incident.id, incident.severity, incident.state, "merchants", incident.scope, 1, now_ms, DOWN,
        title=incident.title,
    )  # fmt: skip
    turned = Turned(call, number, told, Level.SURGE, language=language, queue="support", band="p2")
    await deflection.deflect(desk.watch, turned, now_ms)
    desk.clock.advance(minutes=1)


async def row(desk, name="CA1") -> FollowUp:
    async with desk.sql.reading() as session:
        found = await session.get(FollowUp, name)
    assert found is not None
    return found


async def rows(desk, table):
    async with desk.sql.reading() as session:
        return list(await session.exec(select(table)))


async def subscribes(desk, incident, number=SHOP):
    async with desk.sql.session() as session:
        session.add(Subscription(incident=incident.id, number=number, consent="code", made_ms=1))


# --- 1: it works ----------------------------------------------------------------------------------------


async def test_it_works_ends_the_follow_up(desk, shop, incident):
    await turned(desk, incident)
    for sid in ("SM1", "SM1", "SM2"):
        assert await shop.writes("1", sid) == GOOD
    assert (await row(desk)).state == FollowUpState.WORKS


async def test_it_works_ends_a_callback_about_the_incident_and_its_follow_up_says_so(desk, shop, incident):
    promise = await promise_for(desk, incident=incident.id)
    assert await shop.writes("it works!") == GOOD
    now = await promises.get(desk.office, promise.id)
    assert (now.state, now.ended_by) == ("resolved", "merchant")
    await tagged.follow(desk.watch, desk.clock.now_ms())
    made = await row(desk, promise.id)
    assert (made.why, made.state, made.incident) == ("resolved", FollowUpState.WORKS, incident.id)


async def test_it_works_leaves_a_callback_about_something_else(desk, shop, incident):
    await turned(desk, incident)
    promise = await promise_for(desk)
    assert await shop.writes("1") == GOOD
    assert (await promises.get(desk.office, promise.id)).state == "in_line"


# --- 2: still down --------------------------------------------------------------------------------------


async def test_still_down_is_back_in_line_as_of_the_first_call(desk, shop, incident):
    arrival_us = desk.clock.now_ms() * 1000
    await turned(desk, incident)
    await desk.line.enter(
        "CA9", queue="support", band="p2", card=Card(), now_ms=desk.clock.now_ms()
    )  # rang later
    for sid in ("SM1", "SM1", "SM2"):
        assert await shop.writes("2", sid) == FIRST
    (promise,) = await rows(desk, Promise)
    assert (promise.arrival_us, promise.incident, promise.texts) == (arrival_us, incident.id, True)
    follow_up = await row(desk)
    assert (follow_up.promise, follow_up.state) == (promise.id, FollowUpState.OPEN)


async def test_it_works_after_still_down_takes_the_call_back(desk, shop, incident):
    await turned(desk, incident)
    await shop.writes("2")
    assert await shop.writes("1") == GOOD
    (promise,) = await rows(desk, Promise)
    assert promise.state == "resolved"
    assert (await row(desk)).state == FollowUpState.WORKS


async def test_who_subscribed_and_never_rang_is_called_as_of_now(desk, shop, incident):
    await subscribes(desk, incident)
    for sid in ("SM1", "SM1", "SM2"):
        assert await shop.writes("still down", sid) == FIRST
    (promise,) = await rows(desk, Promise)
    assert promise.arrival_us == desk.clock.now_ms() * 1000
    (made,) = await rows(desk, FollowUp)
    assert (made.id, made.why, made.merchant, made.incident) == ("SM1", "asked", "Book Nook", incident.id)


async def test_in_quiet_hours_it_says_when_the_call_comes(desk, incident):
    quiet = replace(desk.office.policy, quiet_from="00:00", quiet_to="23:59")
    shop = Phone(replace(desk, office=replace(desk.office, policy=quiet)))
    await turned(desk, incident)
    assert await shop.writes("2") == (
        "Corner Pay: sorry that it is still down. Your place in line counts from your first call. "
        "We will call you today at 11:59 at night."
    )


async def test_when_no_call_can_be_promised_it_says_so_and_a_person_sees_it(desk, incident):
    abroad = replace(desk.office.policy, regions=frozenset({"GB"}))
    shop = Phone(replace(desk, office=replace(desk.office, policy=abroad)))
    await turned(desk, incident)
    with capture_logs():
        assert await shop.writes("2") == NO_CALL
    follow_up = await row(desk)
    assert (follow_up.state, follow_up.promise) == (FollowUpState.OPEN, "-")
    assert "cannot be called" in follow_up.note


async def test_another_phone_of_the_merchant_is_the_one_that_is_called(desk, incident):
    async with desk.sql.session() as session:
        for index, number in enumerate((SHOP, "+14155550188")):
            state = FollowUpState.DUPLICATE if index else FollowUpState.OPEN
            session.add(
                FollowUp(
                    id=f"CA{index}", why="full", state=state, number=number, merchant_id=7,
                    arrival_us=1_000_000, made_ms=index, incident=incident.id,
                )
            )  # fmt: skip
    assert await Phone(desk, "+14155550188").writes("2") == FIRST
    (promise,) = await rows(desk, Promise)
    assert (promise.number, promise.arrival_us) == ("+14155550188", 1_000_000)


# --- KEEP -----------------------------------------------------------------------------------------------


async def test_keep_holds_for_good_and_is_on_record_once(desk, shop, incident):
    promise = await promise_for(desk, incident=incident.id)
    for sid in ("SM1", "SM2"):
        assert await shop.writes("Keep", sid) == KEPT
    said = [event.kind for event in await rows(desk, PromiseEvent) if event.promise == promise.id]
    assert said.count("keep") == 1


async def test_keep_too_late_gives_the_place_back(desk, shop, incident):
    promise = await promise_for(desk, incident=incident.id)
    await promises.resolve(desk.office, [promise.id], "line", "no answer", desk.clock.now_ms())
    await tagged.follow(desk.watch, desk.clock.now_ms())
    assert (await row(desk, promise.id)).state == FollowUpState.TOLD
    desk.clock.advance(minutes=5)
    assert await shop.writes("KEEP") == KEPT
    (again,) = [each for each in await rows(desk, Promise) if each.id != promise.id]
    assert (again.state, again.arrival_us) == ("in_line", promise.arrival_us)


# --- STATUS ---------------------------------------------------------------------------------------------


async def test_status_tells_the_incident_with_its_time(desk, shop, incident):
    await turned(desk, incident)
    said = await shop.writes("STATUS")
    assert said.startswith("Corner Pay: Card payments are down everywhere. (Update of today at ")


async def test_status_tells_the_callback_first(desk, shop, incident):
    await turned(desk, incident)
    await promise_for(desk)
    assert (await shop.writes("STATUS")).startswith("Corner Pay: you are number 1 in line.")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (IncidentState.VERIFIED, "Corner Pay: fixed on our side: Payments. Is it working for you?"),
        (IncidentState.RESOLVED, "Corner Pay: this is over: Payments. If it is still down for you, reply 2"),
    ],
)
async def test_status_says_that_it_is_over(desk, shop, incident, state, said):
    await turned(desk, incident)
    for version, there in enumerate((IncidentState.VERIFIED, state), 1):
        await incidents.move(desk.watch, incident.id, there, version, "ann", desk.clock.now_ms())
    assert (await shop.writes("STATUS")).startswith(said)


async def test_status_of_a_subscriber_tells_the_one_that_still_goes_on(desk, shop, incident):
    await subscribes(desk, incident)
    for version, there in enumerate((IncidentState.VERIFIED, IncidentState.RESOLVED), 1):
        await incidents.move(desk.watch, incident.id, there, version, "ann", desk.clock.now_ms())
    other = await declare(
        desk, title="Printers", words={"en": "Printers do not print.", "es": "No imprimen."}
    )
    await subscribes(desk, other)
    assert (await shop.writes("STATUS")).startswith("Corner Pay: Printers do not print.")


# --- nobody's, in Spanish, after STOP, without stores ---------------------------------------------------


@pytest.mark.parametrize("word", ["1", "2", "KEEP", "STATUS"])
async def test_who_is_not_followed_up_is_told_how_to_call(desk, shop, incident, word):
    await turned(desk, incident, "+14155550001")
    assert await shop.writes(word) == NOTHING
    assert len(await rows(desk, Promise)) == 0


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("1", "Corner Pay: nos alegra, y gracias por avisar."),
        ("funciona", "Corner Pay: nos alegra, y gracias por avisar."),
        ("2", "Corner Pay: lamentamos que no le funcione. Vuelve a la fila con su primera llamada"),
        ("sigue igual", "Corner Pay: lamentamos que no le funcione."),
        ("mantener", "Corner Pay: de acuerdo, le llamaremos."),
        ("estado", "Corner Pay: Los pagos con tarjeta no funcionan. (De hoy a "),
    ],
)
async def test_in_spanish(desk, incident, word, said):
    await turned(desk, incident, SPANISH, language="es")
    assert (await Phone(desk, SPANISH).writes(word)).startswith(said)


async def test_after_stop_it_is_obeyed_and_not_answered(desk, shop, incident):
    await turned(desk, incident)
    async with desk.sql.session() as session:
        await texts.opt_out(session, SHOP, "STOP", desk.clock.now_ms())
    assert await shop.writes("1") == ""
    assert (await row(desk)).state == FollowUpState.WORKS


@pytest.mark.parametrize("word", ["1", "2", "KEEP"])
async def test_without_sql_nothing_changes_and_a_repeat_is_carried_out(desk, shop, incident, word):
    await turned(desk, incident)
    before = await row(desk)
    with capture_logs():
        lost = replace(desk, watch=replace(desk.watch, sql=AwaySql()))
        assert await Phone(lost).writes(word, "SM1") == ""
    assert await row(desk) == before
    assert await shop.writes(word, "SM1") != ""


async def test_a_centre_without_callbacks_says_that_it_cannot_call(desk, incident):
    await turned(desk, incident)
    assert await Phone(replace(desk, office=None)).writes("2") == NO_CALL
    assert (await row(desk)).wants_call_ms is not None


async def test_a_promise_made_anew_does_not_forget_whom_it_is_about(desk, incident):
    made = await make(
        desk.office, NewPromise(SHOP, "support", "p2", Card(), incident=incident.id), desk.clock.now_ms()
    )
    assert (await promises.get(desk.office, made.promise.id)).incident == incident.id


# --- anything else --------------------------------------------------------------------------------------


async def test_who_is_told_of_an_incident_and_not_understood_hears_of_1_and_2(desk, shop, incident):
    await turned(desk, incident)
    assert await shop.writes("my till is dead") == (
        "Corner Pay: reply 1 if it works again, 2 if it is still down and you want a call, STATUS for the "
        "latest news, STOP for no more texts. Or call +1 415-555-0100."
    )
    assert (await Phone(desk, "+14155550004").writes("my till is dead")).startswith(
        "Corner Pay: reply STATUS for your place in line"
    )
