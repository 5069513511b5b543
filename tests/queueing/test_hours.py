from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import Mendable
from queueing.hours import Holiday, Hours, around_the_clock, closes_at, holiday_on, is_open, next_open

OFFICE = {day: (("09:00", "17:00"),) for day in range(5)}
NEW_YORK = ZoneInfo("America/New_York")


def ms(text: str, zone: ZoneInfo = NEW_YORK, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp() * 1000)


def utc_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def opens(hours: Hours, text: str) -> str:
    found = next_open(hours, ms(text))
    return found.isoformat(timespec="minutes")[:16] if found else "never"


def hours(**holidays: Holiday) -> Hours:
    return Hours(
        "America/New_York",
        OFFICE,
        {date.fromisoformat(f"2024-{k[1:3]}-{k[3:]}"): v for k, v in holidays.items()},
    )


def test_open_in_office_hours_on_the_centre_s_clock():
    centre = hours()
    assert not is_open(centre, ms("2024-03-05T08:59:59.999"))
    assert is_open(centre, ms("2024-03-05T09:00"))
    assert is_open(centre, ms("2024-03-05T16:59:59.999"))
    assert not is_open(centre, ms("2024-03-05T17:00"))
    assert not is_open(centre, ms("2024-03-09T12:00"))  # a Saturday
    assert is_open(centre, utc_ms("2024-03-05T14:00"))  # nine in New York


def test_it_opens_again_the_next_working_day():
    centre = hours()
    assert opens(centre, "2024-03-05T03:00") == "2024-03-05T09:00"
    assert opens(centre, "2024-03-05T17:00") == "2024-03-06T09:00"
    assert opens(centre, "2024-03-08T18:00") == "2024-03-11T09:00"
    assert opens(centre, "2024-03-05T12:34") == "2024-03-05T12:34"  # it is open


def test_holidays_are_skipped_and_short_days_kept():
    christmas = hours(
        d1224=Holiday("Christmas Eve", (("09:00", "12:00"),)),
        d1225=Holiday("Christmas Day"),
        d1226=Holiday("the day after Christmas"),
    )
    assert is_open(christmas, ms("2024-12-24T11:59"))
    assert not is_open(christmas, ms("2024-12-24T12:00"))
    assert opens(christmas, "2024-12-24T12:00") == "2024-12-27T09:00"
    found = holiday_on(christmas, ms("2024-12-25T23:59"))
    assert found is not None
    assert found.name == "Christmas Day"
    assert holiday_on(christmas, ms("2024-12-27T00:00")) is None


def test_a_holiday_may_open_a_day_that_is_closed_otherwise():
    sale = hours(d0309=Holiday("the spring sale", (("10:00", "14:00"),)))
    assert is_open(sale, ms("2024-03-09T10:00"))


def test_a_night_shift_runs_past_midnight():
    night = Hours("America/New_York", {4: (("18:00", "02:00"),)})  # Friday evening
    assert is_open(night, ms("2024-03-08T23:00"))
    assert is_open(night, ms("2024-03-09T01:59"))
    assert not is_open(night, ms("2024-03-09T02:00"))
    assert not is_open(night, ms("2024-03-08T01:00"))
    holiday = Hours("America/New_York", night.weekly, {date(2024, 3, 9): Holiday("a holiday")})
    assert is_open(holiday, ms("2024-03-09T01:00"))  # the night began the day before


def test_around_the_clock_never_closes():
    always = around_the_clock("America/New_York")
    assert is_open(always, ms("2024-03-10T02:30"))
    end = closes_at(always, ms("2024-03-05T12:00"))
    assert end is not None
    assert end - datetime(2024, 3, 5, 12, tzinfo=NEW_YORK) > timedelta(days=6)


def test_when_it_closes():
    lunch = Hours("America/New_York", {1: (("09:00", "12:00"), ("12:00", "17:00"), ("18:00", "20:00"))})
    end = closes_at(lunch, ms("2024-03-05T10:00"))
    assert end is not None
    assert end.isoformat() == "2024-03-05T17:00:00-05:00"
    assert closes_at(lunch, ms("2024-03-05T17:30")) is None


def test_never_open_is_none():
    assert next_open(Hours("UTC", {}), 0) is None
    assert not is_open(Hours("UTC", {}), 0)


def test_the_hour_that_is_skipped_in_spring():
    """New York, 10 March 2024: at 02:00 the clock jumps to 03:00 (07:00 UTC)."""
    early = Hours("America/New_York", {6: (("02:30", "04:00"),)})
    assert next_open(early, ms("2024-03-10T00:00")) == datetime(2024, 3, 10, 7, tzinfo=UTC)
    late = Hours("America/New_York", {6: (("00:00", "02:30"),)})
    assert is_open(late, utc_ms("2024-03-10T06:59"))
    assert not is_open(late, utc_ms("2024-03-10T07:00"))
    inside = Hours("America/New_York", {6: (("02:10", "02:50"),)})
    assert not any(is_open(inside, utc_ms("2024-03-10T06:00") + m * 60_000) for m in range(180))


def test_the_hour_that_comes_twice_in_autumn():
    """New York, 3 November 2024: 01:00 to 02:00 is read at 05:00 and again at 06:00 UTC."""
    early = Hours("America/New_York", {6: (("01:30", "04:00"),)})
    found = next_open(early, ms("2024-11-03T00:00"))
    assert found is not None
    assert found.astimezone(UTC) == datetime(2024, 11, 3, 5, 30, tzinfo=UTC)
    late = Hours("America/New_York", {6: (("00:00", "01:30"),)})
    assert is_open(late, ms("2024-11-03T01:29", fold=1))
    assert not is_open(late, ms("2024-11-03T01:30", fold=1))


def test_the_opening_hour_stays_the_same_across_the_change():
    centre = Hours("America/New_York", {day: (("09:00", "17:00"),) for day in range(7)})
    assert next_open(centre, ms("2024-03-09T20:00")) == datetime(2024, 3, 10, 13, tzinfo=UTC)
    assert next_open(centre, ms("2024-11-02T20:00")) == datetime(2024, 11, 3, 14, tzinfo=UTC)


minutes = st.integers(0, 366 * 24 * 60).map(lambda m: utc_ms("2024-01-01T00:00") + m * 60_000)
times = st.integers(0, 95).map(lambda q: f"{q // 4:02}:{q % 4 * 15:02}")
weeks = st.dictionaries(st.integers(0, 6), st.tuples(st.tuples(times, times)))
zones = st.sampled_from(["America/New_York", "Europe/Madrid", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"])


@given(minutes, weeks, zones)
def test_the_next_opening_is_open_and_nothing_before_it_is(now_ms: int, weekly, zone: str):
    centre = Hours(zone, weekly)
    found = next_open(centre, now_ms)
    if found is None:
        assert not weekly
        return
    found_ms = round(found.timestamp() * 1000)
    assert found_ms >= now_ms
    assert is_open(centre, found_ms)
    assert is_open(centre, now_ms) == (found_ms == now_ms)
    if found_ms > now_ms:
        assert not is_open(centre, found_ms - 1000)
        assert not is_open(centre, (now_ms + found_ms) // 2)


@pytest.mark.parametrize(
    ("zone", "weekly", "said"),
    [
        ("Mars/Olympus", {}, "no time zone 'Mars/Olympus'"),
        ("", {}, "no time zone ''"),
        ("../etc/passwd", {}, "no time zone"),
        ("UTC", {7: ()}, "7 is no weekday"),
        ("UTC", {0: (("9:00", "17:00"),)}, "'9:00' is no time of day"),
        ("UTC", {0: (("09:00", "25:00"),)}, "'25:00' is no time of day"),
        ("UTC", {0: (("24:00", "02:00"),)}, "cannot open at 24:00"),
        ("UTC", {0: (("09:00", "12:00"), ("11:00", "17:00"))}, "overlap"),
    ],
)
def test_hours_that_make_no_sense_are_refused(zone: str, weekly, said: str):
    with pytest.raises(Mendable, match=said):
        Hours(zone, weekly)


def test_a_holiday_s_hours_are_checked_too():
    with pytest.raises(Mendable, match="'noon' is no time of day"):
        Hours("UTC", {}, {date(2024, 1, 1): Holiday("New Year's Day", (("09:00", "noon"),))})
