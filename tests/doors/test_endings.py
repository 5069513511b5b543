"""Every call has one recorded outcome."""

from __future__ import annotations

from tests.doors.handset import journalled


async def test_a_caller_who_gives_up_in_the_menu(caller, desk):
    shop = caller("+14155550001")
    await shop.ring()
    for _ in range(3):
        await shop.post("/voice/status", CallStatus="completed")
    (event,) = await journalled(desk)
    assert (event.kind, event.contact, event.fields["disposition"]) == ("turned_away", shop.sid, "abandoned")


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
