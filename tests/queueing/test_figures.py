from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queueing.figures import ContactRow, Figures, PresenceRow, by_day, by_hour, figures, occupancy

T = 1_700_000_000_000
NOW = T + 3_600_000
S = 1000
NEW_YORK = ZoneInfo("America/New_York")


def answered(wait_s: float, handling_s: float | None = 200, at_ms: int = T) -> ContactRow:
    handling_ms = None if handling_s is None else round(handling_s * S)
    return ContactRow("support", at_ms, "answered", at_ms + round(wait_s * S), None, handling_ms)


def hung_up(after_s: float, at_ms: int = T) -> ContactRow:
    return ContactRow("support", at_ms, "abandoned", None, at_ms + round(after_s * S))


def left_message(after_s: float) -> ContactRow:
    return ContactRow("support", T, "message", None, T + round(after_s * S))


def still_waiting(since_s: float) -> ContactRow:
    return ContactRow("support", NOW - round(since_s * S))


def test_a_callback_is_no_offered_call_but_its_talk_takes_time():
    turns = [
        ContactRow("support", T, "answered", T + 900 * S, None, 400 * S, turn=True),
        ContactRow("support", T, "not_reached", None, T + 900 * S, 30 * S, turn=True),
        ContactRow("support", T, "set_aside", None, T + 900 * S, turn=True),
        ContactRow("support", T, turn=True),
    ]
    calls = [answered(10, 200), hung_up(40), ContactRow("support", T, "promised", None, T + 20 * S)]
    without, told = figures(calls, now_ms=NOW), figures([*calls, *turns], now_ms=NOW)
    assert told.aht_ms == 300_000
    assert replace(told, aht_ms=without.aht_ms) == without
    assert without.other == 1


def test_a_morning_worked_out_by_hand():
    rows = [
        answered(10, 180),
        answered(30, 220),
        answered(65, None),
        hung_up(3),
        hung_up(40),
        left_message(50),
    ]
    told = figures(rows, now_ms=NOW)
    assert told == Figures(
        offered=6,
        answered=3,
        abandoned=1,
        short_abandoned=1,
        other=1,
        waiting=0,
        in_time=2,
        service_level=2 / 6,
        service_level_without_short=2 / 5,
        abandonment=1 / 5,
        asa_ms=35_000,
        aht_ms=200_000,
        longest_wait_ms=65_000,
    )


def test_nothing_offered_is_no_figure_rather_than_a_perfect_one():
    assert figures([], now_ms=NOW) == Figures()


def test_who_waits_too_long_already_is_a_miss_and_who_does_not_is_not_counted_yet():
    told = figures([answered(10), still_waiting(20), still_waiting(31)], now_ms=NOW)
    assert (told.offered, told.waiting) == (3, 2)
    assert told.service_level == 1 / 2
    assert told.longest_wait_ms == 31_000


def test_the_targets_are_the_centre_s():
    told = figures([answered(10), hung_up(8)], now_ms=NOW, within_ms=5_000, short_ms=10_000)
    assert (told.in_time, told.short_abandoned, told.abandoned) == (0, 1, 0)


def test_occupancy_is_work_over_work_and_readiness():
    shift = [
        PresenceRow("a", "talking", T, T + 50 * S),
        PresenceRow("a", "wrap_up", T + 50 * S, T + 60 * S),
        PresenceRow("a", "reserved", T + 60 * S, T + 70 * S),
        PresenceRow("a", "ready", T + 70 * S, T + 100 * S),
        PresenceRow("a", "away", T + 100 * S, T + 900 * S),
    ]
    assert occupancy(shift) == 0.6
    assert occupancy(shift[-1:]) is None


contacts = st.lists(
    st.builds(answered, st.floats(0, 900), st.floats(0, 900) | st.none(), st.integers(T, NOW))
    | st.builds(hung_up, st.floats(0, 900), st.integers(T, NOW))
    | st.builds(still_waiting, st.floats(0, 900)),
    max_size=40,
)


@given(contacts)
def test_every_contact_offered_is_counted_exactly_once(rows: list[ContactRow]):
    told = figures(rows, now_ms=NOW)
    assert told.offered == len(rows)
    assert told.offered == (told.answered + told.abandoned + told.short_abandoned + told.other + told.waiting)
    for share in (told.service_level, told.service_level_without_short, told.abandonment):
        assert share is None or 0 <= share <= 1


@given(contacts)
def test_the_hours_of_a_day_add_up_to_the_day(rows: list[ContactRow]):
    day = date(2023, 11, 14)
    [whole] = by_day(rows, zone=NEW_YORK, first=day, last=day, now_ms=NOW)
    parts = by_hour(rows, zone=NEW_YORK, day=day, now_ms=NOW)
    for name in ("offered", "answered", "abandoned", "short_abandoned", "other", "waiting", "in_time"):
        assert sum(getattr(part.figures, name) for part in parts) == getattr(whole.figures, name)


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp() * 1000)


def test_contacts_count_in_the_hour_they_entered_on_the_centre_s_clock():
    rows = [answered(5, at_ms=ms("2024-03-05T09:59:59")), answered(5, at_ms=ms("2024-03-05T10:00"))]
    hours = by_hour(rows, zone=NEW_YORK, day=date(2024, 3, 5), now_ms=NOW)
    assert len(hours) == 24
    assert [stretch.figures.offered for stretch in hours[9:11]] == [1, 1]
    assert hours[9].starts.isoformat() == "2024-03-05T09:00:00-05:00"


def test_agents_time_is_cut_at_the_hour():
    shift = [
        PresenceRow("a", "talking", ms("2024-03-05T09:30"), ms("2024-03-05T10:15")),
        PresenceRow("a", "ready", ms("2024-03-05T10:15"), ms("2024-03-05T12:00")),
    ]
    hours = by_hour([], shift, zone=NEW_YORK, day=date(2024, 3, 5), now_ms=NOW)
    assert [stretch.figures.occupancy for stretch in hours[8:13]] == [None, 1.0, 0.25, 0.0, None]


@pytest.mark.parametrize(("day", "length"), [("2024-03-10", 23), ("2024-11-03", 25), ("2024-06-01", 24)])
def test_a_day_has_the_hours_its_clock_gives_it(day: str, length: int):
    hours = by_hour([], zone=NEW_YORK, day=date.fromisoformat(day), now_ms=NOW)
    assert len(hours) == length
    assert all(later.from_ms == earlier.to_ms for earlier, later in pairwise(hours))
    assert len({stretch.from_ms for stretch in hours}) == length


def test_a_shift_across_the_first_and_last_day_is_cut_to_them():
    shift = [PresenceRow("a", "ready", 0, 10**14)]
    days = by_day([], shift, zone=NEW_YORK, first=date(2024, 3, 9), last=date(2024, 3, 11), now_ms=NOW)
    assert [stretch.figures.occupancy for stretch in days] == [0.0, 0.0, 0.0]
    assert days[1].to_ms - days[1].from_ms == 23 * 3600 * 1000
    assert days[0].starts.astimezone(UTC).isoformat() == "2024-03-09T05:00:00+00:00"
