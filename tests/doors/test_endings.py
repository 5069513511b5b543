"""Every call has one recorded outcome."""

from __future__ import annotations

import pytest

from carrier import tables as carrier_tables  # noqa: F401  (made by the fixture sql)
from queueing.records import Card
from queueing.states import Disposition
from tests.doors.handset import journalled
from tests.doors.incidents import follow_up, written_down

OVER = {"CallStatus": "completed"}


async def outcomes(desk, contact: str) -> list[tuple[str, str]]:
    """What the journal says of how a call ended; and nothing of it waits."""
    assert await desk.line.waiting("support") == []
    told = [event for event in await journalled(desk) if event.contact == contact]
    kinds = ("ended", "turned_away", "full")
    return [(each.kind, each.fields.get("disposition", "")) for each in told if each.kind in kinds]


async def test_a_caller_who_gives_up_in_the_menu(caller, desk):
    shop = caller("+14155550001")
    await shop.ring()
    for _ in range(3):
        await shop.post("/voice/status", CallStatus="completed")
    (event,) = await journalled(desk)
    assert (event.kind, event.contact, event.fields["disposition"]) == ("turned_away", shop.sid, "abandoned")


async def test_who_gives_up_in_the_menu_has_called_for_as_long_as_the_call_lasted(caller, desk, clock):
    shop, soon = caller("+14155550001"), caller("+14155550003")
    await shop.ring()
    await soon.ring()
    clock.advance(s=25)
    await shop.post("/voice/status", CallStatus="completed", CallDuration="25")
    await soon.post("/voice/status", CallStatus="completed", CallDuration="3")
    await written_down(desk)
    row = await follow_up(desk, shop.sid)
    assert (row.why, row.number, row.state) == ("abandoned", "+14155550001", "open")
    assert await follow_up(desk, soon.sid) is None


async def test_a_caller_who_found_the_line_full(caller, desk):
    for _ in range(4):
        await caller().to_the_line()
    late = caller()
    await late.to_the_line()
    await late.post("/voice/status", CallStatus="completed")
    assert [event.kind for event in await journalled(desk) if event.contact == late.sid] == ["full"]


async def test_a_caller_who_hangs_up_in_the_line(caller, desk):
    shop = caller()
    await shop.to_the_line()
    await shop.hang_up()
    assert [event.kind for event in await journalled(desk)] == ["entered", "ended"]


async def test_an_agents_leg_is_no_caller(caller, desk):
    for number, direction in [("client:ann", "inbound"), ("+14155550100", "outbound-api")]:
        await caller(number).post("/voice/status", CallStatus="completed", Direction=direction)
    assert await journalled(desk) == []


async def test_a_call_that_goes_on_has_not_ended(caller, desk):
    shop = caller()
    await shop.to_the_line()
    await shop.post("/voice/status", CallStatus="in-progress")
    assert [event.kind for event in await journalled(desk)] == ["entered"]


async def after_redis_was_lost(desk, shop):
    """The caller hangs up while Twilio asks on for the hold loop, and the line knows nothing of the call."""
    await shop.to_the_line()
    await desk.redis.flushall()


async def test_the_hold_loop_comes_after_the_end_of_a_call_the_line_has_lost(caller, desk):
    shop = caller()
    await after_redis_was_lost(desk, shop)
    await shop.post("/voice/status", **OVER)
    assert (await shop.wait()).document is not None
    assert (await shop.wait()).has("Hangup")
    await shop.post("/voice/status", **OVER)
    assert await outcomes(desk, shop.sid) == [("turned_away", "abandoned")]


async def test_the_hold_loop_comes_before_the_end_of_a_call_the_line_has_lost(caller, desk):
    shop = caller()
    await after_redis_was_lost(desk, shop)
    await shop.wait()
    await shop.post("/voice/status", **OVER)
    assert await outcomes(desk, shop.sid) == [("ended", "abandoned")]


async def test_the_hold_loop_comes_in_the_midst_of_the_end(caller, desk, monkeypatch):
    """Between the question whether the call is in the line and the word that it never was."""
    shop = caller()
    await after_redis_was_lost(desk, shop)
    line = type(desk.line)
    turn_away = line.turn_away

    async def first_the_loop(self, *given, **more):
        monkeypatch.setattr(line, "turn_away", turn_away)
        await shop.wait()
        return await turn_away(self, *given, **more)

    monkeypatch.setattr(line, "turn_away", first_the_loop)
    await shop.post("/voice/status", **OVER)
    assert await outcomes(desk, shop.sid) == [("ended", "abandoned")]


async def test_a_menu_that_comes_after_the_end_brings_nobody_into_the_line(caller, desk):
    shop = caller()
    menu = await shop.ring()
    await shop.post("/voice/status", **OVER)
    shop.heard = menu
    assert (await shop.press("0")).has("Hangup")
    assert await outcomes(desk, shop.sid) == [("turned_away", "abandoned")]


@pytest.mark.parametrize("first", [Disposition.CLOSED, Disposition.FULL])
async def test_who_is_told_something_and_then_hangs_up_has_one_outcome(caller, desk, clock, first):
    shop = caller()
    await desk.line.turn_away(shop.sid, first, Card(), clock.now_ms(), over=False)
    told = await outcomes(desk, shop.sid)
    await shop.post("/voice/status", **OVER)
    assert await outcomes(desk, shop.sid) == told
