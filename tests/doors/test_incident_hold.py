"""What callers on hold hear of incidents: once each version, before their place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carrier import tables as carrier_tables  # noqa: F401  (made by the fixture sql)
from ivr import callers
from ivr.app import doors
from surge import incidents
from surge.states import IncidentState
from tests.doors.handset import Web
from tests.doors.incidents import MAYBE, STATUS, alike, declared, said

BAKERY, LUNA, NOOK = "+14155550001", "+14155550002", "+14155550003"
HERE_IS = "Here is an update while you hold."


@pytest.fixture
async def holds(caller, clock):
    """A caller on hold, and the next question of the loop some seconds later."""

    async def in_line(number: str = BAKERY, key: str = "1"):
        shop = caller(number)
        await shop.to_the_line(key)
        if shop.enqueued is None:  # which of the shops was asked first
            await shop.press(key)
        await shop.wait()
        return shop

    return in_line


async def later(shop, clock, seconds: int = 20):
    clock.advance(s=seconds)
    return await shop.listen(seconds)


async def test_an_incident_declared_meanwhile_is_told_once_before_the_place(holds, watch, clock):
    shop = await holds()
    await declared(watch, do="Switch offline mode on")
    heard = await later(shop, clock)
    assert heard.said == (
        f"{HERE_IS} {STATUS} Meanwhile: Switch offline mode on. You are next in line. To leave the line and "
        "record a message for us instead, press star."
    )
    await alike(shop)
    assert HERE_IS not in (await later(shop, clock)).said
    assert HERE_IS not in (await later(shop, clock, 90)).said


async def test_each_update_is_told_and_its_age(holds, watch, clock):
    row = await declared(watch)
    shop = await holds()
    row = await said(watch, row, "The bank has found it")
    clock.advance(s=240)
    assert f"{HERE_IS} As of 5 minutes ago: The bank has found it." in (await later(shop, clock, 50)).said
    await said(watch, row, "A fix is on its way")
    assert "A fix is on its way." in (await later(shop, clock)).said
    assert HERE_IS not in (await later(shop, clock)).said


async def test_in_spanish(holds, watch, clock):
    shop = await holds(LUNA)
    await declared(watch)
    heard = await later(shop, clock)
    assert "Tenemos información nueva mientras espera. Información de hace" in heard.said
    assert heard.languages == ["es-US"]


async def test_who_is_not_touched_hears_music(holds, watch, clock):
    shop = await holds()
    await declared(watch, scope={"products": ["Till 2"]})
    assert "update" not in (await later(shop, clock)).said
    assert HERE_IS not in (await later(shop, clock)).said


async def test_another_scope_is_matched_again_with_everybody_who_waits(holds, watch, clock):
    shop, other = await holds(BAKERY), await holds(NOOK)
    row = await declared(watch, scope={"products": ["Till 3"]})
    assert HERE_IS in (await later(shop, clock)).said
    assert HERE_IS not in (await later(other, clock, 0)).said
    await incidents.edit_scope(
        watch, row.id, {"products": ["Till 3", "Till 1"]}, row.version, "ann", clock.now_ms()
    )
    assert STATUS in (await later(other, clock)).said
    assert HERE_IS not in (await later(shop, clock, 0)).said, "the same words again are no update"


async def test_who_may_be_touched_hears_that_it_may_be(holds, watch, clock):
    shop = await holds("+14155559999")
    await declared(watch, scope={"products": ["Till 2"]})
    assert f"{HERE_IS} {MAYBE} {STATUS}" in (await later(shop, clock)).said


async def test_something_else_hears_no_more_of_it(caller, watch, clock):
    from surge.states import Level
    from tests.doors.incidents import level

    row = await declared(watch)
    await level(watch, Level.SURGE)
    shop = caller(BAKERY)
    await shop.ring()
    await shop.press("2")
    await shop.press("1")
    await shop.wait()
    await said(watch, row, "The bank has found it")
    assert "The bank" not in (await later(shop, clock)).said


async def test_that_it_is_fixed_is_told_once(holds, watch, clock):
    row = await declared(watch)
    shop = await holds()
    row = await incidents.move(watch, row.id, IncidentState.VERIFIED, row.version, "ann", clock.now_ms())
    fixed = (
        "This problem is fixed, as far as we can tell: Card payments down. If it works for you again, you "
        "may hang up. If not, please stay on the line."
    )
    assert f"{HERE_IS} {fixed}" in (await later(shop, clock)).said
    await incidents.resolve(watch, row.id, row.version, "ann", clock.now_ms())
    assert "fixed" not in (await later(shop, clock)).said


async def test_who_was_told_hears_of_an_end_that_came_at_once(holds, watch, clock):
    row = await declared(watch)
    shop, luna = await holds(), await holds(LUNA)
    row = await incidents.move(watch, row.id, IncidentState.VERIFIED, row.version, "ann", clock.now_ms())
    await incidents.resolve(watch, row.id, row.version, "ann", clock.now_ms())
    assert "This problem is fixed" in (await later(shop, clock)).said
    assert "el problema de nuestro lado está resuelto" in (await later(luna, clock, 0)).said
    late = await holds(NOOK)
    assert "fixed" not in (await later(late, clock)).said


async def test_a_relapse_is_told(holds, watch, clock):
    row = await declared(watch)
    shop = await holds()
    row = await incidents.move(watch, row.id, IncidentState.VERIFIED, row.version, "ann", clock.now_ms())
    await later(shop, clock)
    await incidents.reopen(watch, row.id, row.version, "ann", clock.now_ms())
    heard = await later(shop, clock)
    assert f"{HERE_IS} As of 1 minute ago: Card payments are down everywhere." in heard.said


async def test_nothing_is_looked_up_while_nothing_is_new(holds, watch, clock, monkeypatch):
    await declared(watch)
    shop = await holds()
    asked = []

    async def looked_up(*given):
        asked.append(given)

    monkeypatch.setattr(callers, "recognise", looked_up)
    for _ in range(3):
        await later(shop, clock)
    assert asked == []


async def test_without_the_directory_only_who_surely_is_touched_is_told(holds, watch, desk, clock):
    shop, stranger = await holds(), await holds(NOOK)
    dark = Web(doors(replace(desk, sql=None)))
    await declared(watch, scope={"products": ["Till 1"]})
    stranger.web = shop.web = dark
    assert HERE_IS not in (await later(stranger, clock)).said
    stranger.web = Web(doors(desk))
    assert STATUS in (await later(stranger, clock)).said, "looked at again when the directory is back"
    await declared(watch, words={"en": "All is down", "es": "Todo"}, scope={"all": True})
    stranger.web = dark
    assert "All is down" in (await later(stranger, clock)).said


async def test_without_redis_the_callers_are_told_from_the_copy(
    holds, watch, desk, clock, redis, monkeypatch
):
    from foundation.errors import Unavailable
    from surge import board

    shop = await holds()
    await declared(watch)

    async def away(*_args, **_more):
        raise Unavailable("away")

    monkeypatch.setattr(board, "read", away)
    monkeypatch.setattr(desk.line, "hold", away)
    heard = await later(shop, clock)
    assert f"{HERE_IS} {STATUS}" in heard.said
    assert heard.clips
