"""Texts about an incident, and the level switched by phone, the whole way: by HTTP, through the double."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from pwdlib import PasswordHash
from sqlmodel import col, select

from callbacks.making import NewPromise, make
from callbacks.states import PromiseState
from callbacks.tables import Promise
from carrier.tables import Text
from drill.network import handsets
from drill.network.exchange import Phone
from processes.watcher import Watcher
from queueing.records import Card
from surge import deflection, incidents, switch
from surge.deflection import Turned
from surge.directive import Told
from surge.states import FollowUpState, IncidentState, Level
from surge.tables import FollowUp, SurgeEvent
from tests.doors.watched import DOWN, declare, with_watch
from tests.wire.office import SHOP, open_house
from tests.wire.stage import OURS

LEAD, PIN = "+14155550123", "482913"


@pytest.fixture
async def house(clock, wired_desk, tmp_path):
    desk = with_watch(wired_desk, tmp_path, soak_ms=1, keep_ms=15_000, toggle_numbers=frozenset({LEAD}))
    desk = replace(desk, toggle_pin_hash=PasswordHash.recommended().hash(PIN))
    async with open_house(clock, desk) as house:
        house.watcher = Watcher(desk.watch, house.office, Counter())
        yield house
        assert house.violations == []


async def promised(house) -> Promise:
    """To a merchant who agreed to texts."""
    request = NewPromise(SHOP, "support", "p2", Card(caller=SHOP), texts=True)
    return (await make(house.office, request, house.clock.now_ms())).promise


async def watches(house, s=8) -> None:
    """Rounds of the watch; what they write is sent."""
    for _ in range(s):
        await house.watcher.tag()
        await house.watcher.notify()
        await house.watcher.promises()
        await house.watcher.tidy()
        await house.passes(1)


async def writes(house, body: str) -> str:
    """What the merchant's phone shows in answer."""
    before = len(got(house))
    handsets.write(house.network.exchange, house.network.switchboard.outbox, SHOP, OURS, body)
    await house.passes(6)
    (answer,) = got(house)[before:]
    return answer


def got(house) -> list[str]:
    found = handsets.shown(house.network.exchange, SHOP)
    return [text.body for text in found if text.direction != "inbound"]


async def row(house, name: str) -> FollowUp:
    async with house.desk.sql.reading() as session:
        found = await session.get(FollowUp, name)
    assert found is not None
    return found


async def verify(house, incident) -> None:
    await incidents.move(
        house.desk.watch, incident.id, IncidentState.VERIFIED, 1, "ann", house.clock.now_ms()
    )


async def test_turned_to_a_text_still_down_and_called_at_the_first_place(house):
    incident, now_ms = await declare(house.desk), house.clock.now_ms()
    told = Told(incident.id, "major", incident.state, "merchants", incident.scope, 1, now_ms, DOWN)
    await deflection.deflect(house.desk.watch, Turned("CA1", SHOP, told, Level.SURGE, band="p2"), now_ms)
    await house.passes(8)
    assert got(house)[0].startswith("Corner Pay: Card payments are down everywhere.")
    later = await house.rings("+14155559999")
    await house.passes(4)
    await house.presses(later, "0")
    assert "at number 1. We will call you." in await writes(house, "2")
    promise = await house.the_promise()
    assert promise.arrival_us == now_ms * 1000
    await house.works("ann")
    assert (await house.turn(promise)).agent == "ann"
    assert "good, and thank you" in await writes(house, "1")
    assert (await house.state(), (await row(house, "CA1")).state) == (
        PromiseState.RESOLVED, FollowUpState.WORKS,
    )  # fmt: skip
    await house.hangs_up(later)


async def test_fixed_a_delivered_question_unanswered_lets_go_and_two_brings_back(house):
    incident, promise = await declare(house.desk), await promised(house)
    await watches(house, 1)
    await verify(house, incident)
    await watches(house)
    assert "Reply KEEP to be called anyway" in got(house)[-1]
    await watches(house, 22)
    assert await house.state() is PromiseState.RESOLVED
    assert (await row(house, promise.id)).state == FollowUpState.TOLD
    assert "at number 1. We will call you." in await writes(house, "2")
    async with house.desk.sql.reading() as session:
        open_ones = select(Promise).where(col(Promise.open_number).is_not(None))
        (again,) = list(await session.exec(open_ones))
    assert (again.arrival_us, again.incident) == (promise.arrival_us, incident.id)


async def test_fixed_keep_is_answered_and_kept(house):
    incident, _ = await declare(house.desk), await promised(house)
    await watches(house, 1)
    await verify(house, incident)
    await watches(house)
    assert "all right, we will call you. Your place in line is kept." in await writes(house, "KEEP")
    await watches(house, 22)
    assert await house.state() is PromiseState.IN_LINE


async def test_fixed_and_the_question_never_arrives_they_are_called(house):
    incident, promise = await declare(house.desk), await promised(house)
    house.network.exchange.phones[SHOP] = Phone(text_error=30006)
    await watches(house, 1)
    await verify(house, incident)
    await watches(house, 22)
    async with house.desk.sql.reading() as session:
        (asked,) = list(await session.exec(select(Text).where(Text.kind == "keep")))
    assert asked.state == "undelivered"
    assert await house.state() is PromiseState.IN_LINE
    await house.works("ann")
    assert (await house.turn(promise)).agent == "ann"


async def test_a_lead_switches_the_level_by_phone(house):
    phone = await house.rings(LEAD)
    await house.passes(6)
    assert house.said(phone)[-1].startswith("Please key in your PIN")
    await house.presses(phone, f"{PIN}#")
    await house.passes(10)
    assert "The level is calm." in " ".join(house.said(phone))
    await house.presses(phone, "3")
    await house.passes(5)
    await house.presses(phone, "1")
    await house.passes(10)
    assert "Done. The level is now surge." in " ".join(house.said(phone))
    assert phone.ended
    row = await switch.state(house.desk.watch)
    assert switch.in_force(row, house.clock.now_ms()) is Level.SURGE
    async with house.desk.sql.reading() as session:
        lines = [(line.kind, line.by) for line in await session.exec(select(SurgeEvent))]
    assert lines == [("level", "phone +1 415 ••• 0123")]
