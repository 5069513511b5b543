"""When a merchant may be rung: our hours, the merchant's quiet hours, and the days the clocks are changed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from callbacks.moments import (
    DAY_MS,
    Bounds,
    bounds,
    day_of,
    fits,
    local,
    may_ring,
    next_moment,
    readings,
    stretches,
    until,
)
from callbacks.policy import MINUTE_MS, CallbackPolicy
from foundation.errors import Mendable
from queueing.hours import Holiday, Hours, around_the_clock

ZONES = ("America/New_York", "America/Santiago", "Europe/London", "America/Phoenix")
CHANGES = {
    "America/New_York": ("2024-03-10", "2024-11-03"),
    "America/Santiago": ("2024-04-07", "2024-09-08"),
    "Europe/London": ("2024-03-31", "2024-10-27"),
    "America/Phoenix": ("2024-03-10", "2024-11-03"),
}
OFFICE = {day: (("09:00", "17:00"),) for day in range(5)}
NEW_YORK = "America/New_York"


def ms(text: str, zone: str = NEW_YORK, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def office(zone: str = NEW_YORK, **changed: Holiday) -> Bounds:
    holidays = {date.fromisoformat(f"2024-{k[1:3]}-{k[3:]}"): day for k, day in changed.items()}
    return Bounds(Hours(NEW_YORK, OFFICE, holidays), zone)


def wall(at_ms: int | None, zone: str = NEW_YORK) -> str:
    return "never" if at_ms is None else local(zone, at_ms).isoformat(timespec="minutes")[:16]


def test_a_merchant_is_rung_in_our_hours():
    here = office()
    assert may_ring(here, ms("2024-03-05T09:00"))
    assert may_ring(here, ms("2024-03-05T16:59:59.999"))
    assert not may_ring(here, ms("2024-03-05T08:59:59.999"))
    assert not may_ring(here, ms("2024-03-05T17:00"))
    assert not may_ring(here, ms("2024-03-09T12:00"))


def test_quiet_hours_go_by_the_merchant_s_clock_not_ours():
    los_angeles = Bounds(around_the_clock(), "America/Los_Angeles")
    assert not may_ring(los_angeles, ms("2024-03-05T10:00"))  # seven there
    assert may_ring(los_angeles, ms("2024-03-05T11:00"))
    assert may_ring(los_angeles, ms("2024-03-05T23:59"))
    assert not may_ring(los_angeles, ms("2024-03-06T00:00"))
    assert wall(next_moment(office("America/Los_Angeles"), ms("2024-03-05T09:00"))) == "2024-03-05T11:00"


def test_the_next_moment_skips_nights_week_ends_and_holidays():
    closed = Holiday("Presidents' Day")
    assert wall(next_moment(office(), ms("2024-03-05T12:34"))) == "2024-03-05T12:34"
    assert wall(next_moment(office(), ms("2024-03-05T17:00"))) == "2024-03-06T09:00"
    assert wall(next_moment(office(), ms("2024-02-16T18:00"))) == "2024-02-19T09:00"
    assert wall(next_moment(office(d0219=closed), ms("2024-02-16T18:00"))) == "2024-02-20T09:00"


def test_when_hours_and_quiet_never_agree_there_is_no_moment():
    night = Bounds(Hours(NEW_YORK, {day: (("22:00", "07:00"),) for day in range(7)}), NEW_YORK)
    assert next_moment(night, ms("2024-03-05T12:00")) is None
    assert next_moment(Bounds(Hours(NEW_YORK, {}), NEW_YORK), ms("2024-03-05T12:00")) is None


def test_no_quiet_hours_and_no_hours_is_always():
    always = Bounds(None, NEW_YORK, "00:00", "00:00")
    assert may_ring(always, ms("2024-03-05T03:00"))
    assert next_moment(always, ms("2024-03-05T03:00")) == ms("2024-03-05T03:00")
    assert until(always, ms("2024-03-05T03:00")) == ms("2024-03-05T03:00") + 7 * DAY_MS


def test_quiet_hours_within_one_day():
    lunch = Bounds(None, NEW_YORK, "12:00", "13:30")
    assert wall(next_moment(lunch, ms("2024-03-05T12:10"))) == "2024-03-05T13:30"
    assert wall(until(lunch, ms("2024-03-05T09:00"))) == "2024-03-05T12:00"


def test_the_quiet_night_is_an_hour_shorter_and_longer_when_the_clocks_are_changed():
    here = Bounds(None, NEW_YORK)
    spring = next_moment(here, ms("2024-03-09T21:00"))
    autumn = next_moment(here, ms("2024-11-02T21:00"))
    assert spring == ms("2024-03-10T08:00")
    assert autumn == ms("2024-11-03T08:00")
    assert spring - ms("2024-03-09T21:00") == 10 * 60 * MINUTE_MS
    assert autumn - ms("2024-11-02T21:00") == 12 * 60 * MINUTE_MS


def test_an_hour_read_twice_is_quiet_twice():
    """In Santiago midnight is put back to eleven: the night begins, is broken off, and begins again."""
    here = Bounds(None, "America/Santiago", "23:30", "08:00")
    zone = "America/Santiago"
    first, again = ms("2024-04-06T23:30", zone), ms("2024-04-06T23:30", zone, fold=1)
    assert not may_ring(here, first)
    back = ms("2024-04-06T23:00", zone, fold=1)
    assert next_moment(here, first) == back
    assert until(here, back) == again


def test_a_quiet_end_that_is_skipped_is_the_change_itself():
    here = Bounds(None, NEW_YORK, "21:00", "02:30")
    assert wall(next_moment(here, ms("2024-03-10T01:00"))) == "2024-03-10T03:00"


def test_a_time_is_read_once_never_or_twice():
    zone = ZoneInfo(NEW_YORK)
    assert readings(zone, datetime.fromisoformat("2024-03-10T02:30")) == []
    first, second = readings(zone, datetime.fromisoformat("2024-11-03T01:30"))
    assert second - first == 60 * MINUTE_MS
    assert readings(zone, datetime.fromisoformat("2024-03-10T03:00")) == [ms("2024-03-10T03:00")]


def test_a_day_without_midnight_starts_at_the_change():
    zone = "America/Santiago"
    here = Bounds(None, zone, "05:00", "06:00")
    assert stretches(here, date(2024, 9, 8))[0] == (
        ms("2024-09-08T01:00", zone),
        ms("2024-09-08T05:00", zone),
    )


def test_the_stretches_of_a_day():
    split = Hours(NEW_YORK, {1: (("07:00", "12:00"), ("13:00", "22:00"))})
    here = Bounds(split, NEW_YORK)
    spans = [(wall(a)[11:], wall(b)[11:]) for a, b in stretches(here, date(2024, 3, 5))]
    assert spans == [("08:00", "12:00"), ("13:00", "21:00")]
    assert stretches(here, date(2024, 3, 6)) == []


def test_days_as_the_merchant_calls_them():
    now = ms("2024-03-05T12:00")
    assert day_of(NEW_YORK, ms("2024-03-05T23:59"), now) == "today"
    assert day_of(NEW_YORK, ms("2024-03-06T00:00"), now) == "tomorrow"
    assert day_of("Asia/Tokyo", ms("2024-03-06T00:00"), now) == "today"
    assert day_of(NEW_YORK, ms("2024-03-08T09:00"), now) == "friday"
    assert day_of(NEW_YORK, ms("2024-03-12T09:00"), now) == "2024-03-12"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "a\x00b"])
def test_an_unknown_time_zone_is_named(zone: str):
    with pytest.raises(Mendable, match="no time zone"):
        Bounds(None, zone)


@pytest.mark.parametrize("text", ["24:00", "9:00", "", "21.00", "21:00\n"])
def test_a_bad_quiet_time_is_named(text: str):
    with pytest.raises(Mendable, match="no time of day"):
        bounds(CallbackPolicy(quiet_to=text), None, NEW_YORK)


def clocks() -> st.SearchStrategy[str]:
    return st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))


@st.composite
def near_a_change(draw: st.DrawFn) -> tuple[Bounds, int]:
    """Bounds, and a moment within two days of a change of the clocks there (Phoenix has none)."""
    zone = draw(st.sampled_from(ZONES))
    noon = datetime.fromisoformat(draw(st.sampled_from(CHANGES[zone]))).replace(
        hour=12, tzinfo=ZoneInfo(zone)
    )
    minute = draw(st.integers(-2 * 24 * 60, 24 * 60))
    centre = draw(st.sampled_from([None, *ZONES]))
    opens, closes = draw(clocks()), draw(clocks())
    days = {day: ((opens, closes),) for day in range(7)}
    hours = Hours(centre, days) if centre else None
    at_ms = round((noon + timedelta(0)).timestamp() * 1000) + minute * MINUTE_MS
    return Bounds(hours, zone, draw(clocks()), draw(clocks())), at_ms


@settings(max_examples=120, deadline=None)
@given(near_a_change())
@example((Bounds(None, "America/Santiago", "23:30", "08:00"), ms("2024-04-06T23:30", "America/Santiago")))
@example((Bounds(None, NEW_YORK, "21:00", "01:30"), ms("2024-11-03T01:10", NEW_YORK, 1)))
@example((Bounds(None, "Europe/London", "21:00", "01:30"), ms("2024-03-31T00:59", "Europe/London")))
def test_the_next_moment_is_allowed_and_nothing_before_it_is(case: tuple[Bounds, int]):
    within, now_ms = case
    found = next_moment(within, now_ms)
    far_ms = now_ms + 2 * DAY_MS
    minutes = range(now_ms, far_ms if found is None else min(found, far_ms), MINUTE_MS)
    assert not any(may_ring(within, at) for at in minutes)
    if found is not None:
        assert found >= now_ms
        assert may_ring(within, found)
        assert found == now_ms or not may_ring(within, found - 1)


@settings(max_examples=80, deadline=None)
@given(near_a_change())
def test_what_may_be_rung_may_be_rung_until_its_end(case: tuple[Bounds, int]):
    within, now_ms = case
    end_ms = until(within, now_ms)
    if not may_ring(within, now_ms):
        assert end_ms == now_ms
        return
    assert end_ms > now_ms
    assert all(may_ring(within, at) for at in range(now_ms, min(end_ms, now_ms + 2 * DAY_MS), MINUTE_MS))
    assert fits(within, now_ms, end_ms)
    assert end_ms == now_ms + 7 * DAY_MS or not may_ring(within, end_ms)
