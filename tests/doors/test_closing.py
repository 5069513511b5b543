"""Out of hours. The tests' clock stands at a Tuesday, 22:13 UTC."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from ivr.app import doors
from queueing.hours import Holiday, Hours
from tests.doors.handset import Handset, Web, journalled

WEEKDAYS = {day: (("09:00", "17:00"),) for day in range(5)}


@pytest.fixture
def closed(desk):
    """``closed(number, **hours)``: a caller of a centre that keeps hours, in Chicago."""

    def pick_up(number: str = "+14155559999", **more) -> Handset:
        hours = Hours("America/Chicago", WEEKDAYS, **more)
        return Handset(Web(doors(replace(desk, centre=replace(desk.centre, hours=hours)))), number)

    return pick_up


async def test_open_at_a_quarter_past_four_in_chicago(closed):
    assert "How can we help?" in (await closed().ring()).said


async def test_a_stranger_hears_it_in_both_languages_and_may_leave_a_message(closed, clock):
    clock.advance(minutes=60)
    heard = await closed().ring()
    assert heard.said.startswith(
        "You have reached Corner Pay. We are closed right now. We open again tomorrow at 9 in the morning."
    )
    assert "mañana a las 9 de la mañana" in heard.said
    assert heard.languages == ["en-US", "es-US"]
    assert heard.has("Record")


async def test_a_known_merchant_hears_it_in_its_own(closed, clock):
    clock.advance(minutes=60)
    heard = await closed("+14155550002").ring()
    assert heard.languages == ["es-US"]
    assert heard.has("Record")


async def test_a_holiday_is_named(closed):
    heard = await closed(holidays={date(2023, 11, 14): Holiday("Founders' Day")}).ring()
    assert "We are closed today for Founders' Day." in heard.said


async def test_shorter_hours_are_told(closed):
    heard = await closed(
        holidays={date(2023, 11, 14): Holiday("Founders' Day", (("09:00", "12:00"),))}
    ).ring()
    assert "Today is Founders' Day, and our hours are different." in heard.said


async def test_it_is_on_record_once_whatever_follows(closed, clock, desk):
    clock.advance(minutes=60)
    shop = closed("+14155550001")
    await shop.ring()
    await shop.ring()
    await shop.post("/voice/status", CallStatus="completed")
    (event,) = await journalled(desk)
    assert (event.kind, event.contact, event.fields["disposition"]) == ("turned_away", shop.sid, "closed")
    assert '"merchant":"Corner Bakery"' in event.fields["card"]


async def test_a_dropped_caller_comes_back_even_after_closing(closed, clock):
    shop = closed()
    await shop.to_the_line()
    clock.advance(minutes=46)
    await shop.hang_up()
    clock.advance(s=60)
    again = closed()
    assert (await again.ring()).said.startswith("Welcome back to Corner Pay.")
