"""Every call has one recorded outcome."""

from __future__ import annotations

from carrier import tables as carrier_tables  # noqa: F401  (made by the fixture sql)
from tests.doors.handset import journalled
from tests.doors.incidents import follow_up, written_down


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
