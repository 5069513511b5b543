"""The times of a promise, as the merchant hears them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from announcements import catalog
from callbacks.wording import at, when


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York")).timestamp() * 1000)


NOW, START, END = ms("2024-03-05T10:00"), ms("2024-03-05T14:00"), ms("2024-03-05T16:00")


def test_a_window_is_told_on_the_merchant_s_clock():
    assert when("en", "America/New_York", START, END, NOW) == "today between 2 and 4 in the afternoon"
    assert when("es", "America/Los_Angeles", START, END, NOW) == (
        "hoy entre las 11 de la mañana y la 1 de la tarde"
    )
    assert when("en", "America/Phoenix", START, END, NOW, name_zone=True) == (
        "today between noon and 2 in the afternoon, Mountain Standard Time"
    )


def test_the_day_is_the_merchant_s_too():
    late = ms("2024-03-05T23:30")
    assert when("en", "Europe/London", ms("2024-03-06T05:00"), ms("2024-03-06T06:00"), late).startswith(
        "today"
    )
    assert when("en", "America/New_York", ms("2024-03-06T05:00"), ms("2024-03-06T06:00"), late).startswith(
        "tomorrow"
    )


def test_a_moment_in_a_sentence():
    tried = at("en", "America/New_York", START + 59_999, NOW)
    text = catalog.sms("en", "last_try", centre="Corner", tried=tried, ours="+1 415-555-0100")
    assert text == (
        "Corner: we called you today at 2 in the afternoon and did not reach you. "
        "We will not try again. Please call us at +1 415-555-0100."
    )
