"""The windows a merchant may choose, and the times a promise has."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callbacks.moments import DAY_MS, HOUR_MS, fits, local
from callbacks.policy import MINUTE_MS, CallbackPolicy
from callbacks.windows import (
    BadWindow,
    Bounds,
    Window,
    at_its_turn,
    choices,
    expires_at,
    later_due,
    parse_window,
    retry_due,
    terms,
)
from foundation.errors import Mendable
from queueing.hours import Holiday, Hours

ZONES = ("America/New_York", "America/Santiago", "Europe/London", "America/Phoenix")
NEW_YORK = "America/New_York"
OFFICE = {day: (("09:00", "17:00"),) for day in range(5)}
POLICY = CallbackPolicy()
HERE = Bounds(Hours(NEW_YORK, OFFICE), NEW_YORK)
TUESDAY = "2024-03-05"


def ms(text: str, zone: str = NEW_YORK, fold: int = 0) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def told(windows: list[Window], zone: str = NEW_YORK) -> list[str]:
    return [f"{w.day} {local(zone, w.start_ms):%H:%M}-{local(zone, w.end_ms):%H:%M}" for w in windows]


def test_a_few_windows_later_today_and_tomorrow():
    assert told(choices(HERE, ms("2024-03-05T10:10"))) == [
        "today 12:00-14:00",
        "today 14:00-16:00",
        "tomorrow 09:00-11:00",
        "tomorrow 13:00-15:00",
    ]


def test_late_in_the_day_an_hour_is_left_or_nothing():
    assert told(choices(HERE, ms("2024-03-05T14:30")))[0] == "today 16:00-17:00"
    assert told(choices(HERE, ms("2024-03-05T15:30")))[0] == "tomorrow 09:00-11:00"
    assert told(choices(HERE, ms("2024-03-05T20:00")), NEW_YORK)[0] == "tomorrow 09:00-11:00"


def test_before_the_week_end_the_next_business_day_is_named():
    assert told(choices(HERE, ms("2024-03-08T16:00"))) == ["monday 09:00-11:00", "monday 13:00-15:00"]


def test_a_holiday_is_no_business_day():
    holidays = {
        date(2024, 3, 6): Holiday("Founders' Day"),
        date(2024, 3, 7): Holiday("", (("10:00", "11:00"),)),
    }
    closed = Bounds(Hours(NEW_YORK, OFFICE, holidays), NEW_YORK)
    assert told(choices(closed, ms("2024-03-05T16:00"))) == ["thursday 10:00-11:00"]


def test_a_centre_that_is_closed_for_a_week_offers_nothing():
    assert choices(Bounds(Hours(NEW_YORK, {}), NEW_YORK), ms("2024-03-05T10:00")) == []


def test_windows_are_whole_hours_of_the_merchant_s_clock():
    kolkata = Bounds(None, "Asia/Kolkata")
    found = choices(kolkata, ms("2024-03-05T10:05", "Asia/Kolkata"))
    assert told(found, "Asia/Kolkata")[:2] == ["today 12:00-14:00", "today 16:00-18:00"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from([None, *ZONES]),
    st.integers(0, 366 * 24 * 60),
    st.integers(1, 4),
    st.sampled_from([("09:00", "17:00"), ("00:00", "24:00"), ("20:00", "03:30"), ("08:15", "09:45")]),
)
def test_whatever_is_offered_can_be_kept(zone: str, centre: str | None, minute: int, each: int, span):
    hours = Hours(centre, {day: (span,) for day in range(6)}) if centre else None
    within = Bounds(hours, zone)
    now_ms = ms("2024-01-01T00:00") + minute * MINUTE_MS
    found = choices(within, now_ms, each)
    assert len(found) <= 2 * each
    for window in found:
        assert window.start_ms >= now_ms + HOUR_MS
        assert window.end_ms - window.start_ms in (HOUR_MS, 2 * HOUR_MS)
        assert fits(within, window.start_ms, window.end_ms)
        assert local(zone, window.start_ms).minute == 0
        days = (local(zone, window.start_ms).date() - local(zone, now_ms).date()).days
        assert days < 7
    for before, after in pairwise(found):
        assert before.end_ms <= after.start_ms


def parse(day: str, start: str, end: str, now: str = "2024-03-05T10:00", within: Bounds = HERE) -> Window:
    return parse_window(within, day, start, end, ms(now, within.zone))


def test_a_window_written_down():
    assert parse(TUESDAY, "14:00", "15:30") == Window(ms("2024-03-05T14:00"), ms("2024-03-05T15:30"), "today")
    assert parse("2024-03-12", "09:00", "17:00").day == "2024-03-12"


@pytest.mark.parametrize(
    ("day", "start", "end", "why", "words"),
    [
        ("2024-03-04", "14:00", "15:00", "past", "today or a later day"),
        (TUESDAY, "09:30", "11:00", "past", "still to come"),
        (TUESDAY, "10:00", "11:00", "past", "still to come"),
        (TUESDAY, "14:00", "14:00", "order", "later end"),
        (TUESDAY, "15:00", "14:00", "order", "later end"),
        (TUESDAY, "14:00", "14:29", "short", "30 minutes"),
        ("2024-03-13", "14:00", "15:00", "far", "up to 2024-03-12"),
        (TUESDAY, "16:00", "18:00", "closed", "from 09:00 to 17:00"),
        ("2024-03-09", "12:00", "13:00", "closed", "another day"),
        ("9999-12-31", "12:00", "13:00", "far", "up to"),
        ("0001-01-01", "12:00", "13:00", "past", "today"),
        ("2024-02-30", "12:00", "13:00", "form", "2030-06-28"),
        ("20240305", "12:00", "13:00", "form", "2030-06-28"),
        ("٢٠٢٤-٠٣-٠٥", "12:00", "13:00", "form", "2030-06-28"),
        ("", "12:00", "13:00", "form", "2030-06-28"),
        (TUESDAY, "2pm", "15:00", "form", "14:30"),
        (TUESDAY, "14:00", "24:00", "form", "14:30"),
        (TUESDAY, "14:00\n", "15:00", "form", "14:30"),
    ],
)
def test_a_window_nobody_can_be_called_in_says_what_to_mend(
    day: str, start: str, end: str, why: str, words: str
):
    with pytest.raises(BadWindow, match=words) as bad:
        parse(day, start, end)
    assert bad.value.why == why
    assert isinstance(bad.value, Mendable)


def test_a_time_in_the_gap_does_not_exist():
    early = Bounds(None, NEW_YORK, "00:00", "00:00")
    for start, end in (("02:30", "04:00"), ("01:00", "02:30")):
        with pytest.raises(BadWindow, match="no 02:30 on this day") as bad:
            parse("2024-03-10", start, end, within=early)
        assert bad.value.why == "gap"
    assert parse("2024-03-10", "01:30", "03:30", within=early).end_ms == ms("2024-03-10T03:30")


def test_a_time_that_is_read_twice_is_the_first_reading():
    early = Bounds(None, NEW_YORK, "00:00", "00:00")
    window = parse("2024-11-03", "01:00", "01:45", now="2024-11-02T10:00", within=early)
    assert (window.start_ms, window.end_ms) == (ms("2024-11-03T01:00"), ms("2024-11-03T01:45"))
    assert window.start_ms != ms("2024-11-03T01:00", fold=1)


def test_over_a_gap_the_real_length_counts():
    early = Bounds(None, NEW_YORK, "00:00", "00:00")
    with pytest.raises(BadWindow, match="too short"):
        parse("2024-03-10", "01:45", "03:10", within=early)


@given(st.text(max_size=12), st.text(max_size=6), st.text(max_size=6))
def test_whatever_is_written_is_a_window_or_named_bad(day: str, start: str, end: str):
    with pytest.raises(BadWindow):
        parse(day, start, end)


def test_an_open_window_in_two_stretches_names_both():
    split = Bounds(Hours(NEW_YORK, {1: (("09:00", "12:00"), ("13:00", "24:00"))}), NEW_YORK, "00:00", "00:00")
    with pytest.raises(BadWindow, match="from 09:00 to 12:00 and 13:00 to 24:00"):
        parse(TUESDAY, "11:00", "14:00", within=split)


def test_what_is_told_of_one_s_turn_is_rounded_outwards():
    window = at_its_turn(HERE, 12 * 60, 21 * 60, ms("2024-03-05T10:01"))
    assert window is not None
    assert told([window]) == ["today 10:10-10:25"]
    assert at_its_turn(HERE, None, None, ms("2024-03-05T10:00")) is None
    at_once = at_its_turn(HERE, 0, 0, ms("2024-03-05T10:00"))
    assert at_once is not None
    assert told([at_once]) == ["today 10:00-10:05"]


def test_what_is_told_of_one_s_turn_is_never_after_closing():
    window = at_its_turn(HERE, 30 * 60, 90 * 60, ms("2024-03-05T16:00"))
    assert window is not None
    assert told([window]) == ["today 16:30-09:00"]
    assert local(NEW_YORK, window.end_ms).day == 6


def test_the_times_of_a_promise():
    now = ms("2024-03-05T10:00")
    assert terms(POLICY, (now + HOUR_MS, now + 2 * HOUR_MS), now + 1, now) == (
        terms(POLICY, (now + HOUR_MS, now + 2 * HOUR_MS), None, now)
    )
    windowed = terms(POLICY, (now + HOUR_MS, now + 2 * HOUR_MS), None, now)
    assert (windowed.due_ms, windowed.by_ms) == (now + HOUR_MS, now + 2 * HOUR_MS)
    assert windowed.expires_ms == now + 2 * HOUR_MS + DAY_MS
    turn = terms(POLICY, None, now + HOUR_MS, now)
    assert (turn.due_ms, turn.by_ms, turn.expires_ms) == (now, now + HOUR_MS, now + HOUR_MS + DAY_MS)
    nothing_told = terms(POLICY, None, None, now)
    assert (nothing_told.by_ms, nothing_told.expires_ms) == (0, now + DAY_MS)


def test_tries_come_after_ten_minutes_then_an_hour_then_no_more():
    now = ms("2024-03-05T10:00")
    assert retry_due(POLICY, HERE, 1, now) == now + 10 * MINUTE_MS
    assert retry_due(POLICY, HERE, 2, now) == now + HOUR_MS
    assert retry_due(POLICY, HERE, 3, now) is None


def test_a_try_that_falls_into_the_night_waits_for_the_morning_and_does_not_expire_in_it():
    due = retry_due(POLICY, HERE, 2, ms("2024-03-08T16:30"))
    assert due == ms("2024-03-11T09:00")
    assert expires_at(POLICY, due, ms("2024-03-08T16:00")) == due + DAY_MS


def test_putting_off_ends_in_allowed_time():
    assert later_due(HERE, 30, ms("2024-03-05T16:45")) == ms("2024-03-06T09:00")
    assert later_due(HERE, 15, ms("2024-03-05T10:00")) == ms("2024-03-05T10:15")
    for minutes in (0, -5, 7 * 24 * 60 + 1):
        with pytest.raises(Mendable, match="minutes"):
            later_due(HERE, minutes, ms("2024-03-05T10:00"))


def test_no_window_lies_over_a_change_of_the_clocks():
    always = Bounds(None, NEW_YORK, "00:00", "00:00")
    spring = told(choices(always, ms("2024-03-09T23:30"), each=24))
    assert spring[:2] == ["tomorrow 03:00-05:00", "tomorrow 05:00-07:00"]
    autumn = told(choices(always, ms("2024-11-02T22:30"), each=24))
    assert autumn[:2] == ["tomorrow 00:00-01:00", "tomorrow 02:00-04:00"]


def test_half_an_hour_is_long_enough():
    assert parse(TUESDAY, "14:00", "14:30").end_ms == ms("2024-03-05T14:30")
