"""When the centre is open, in its own time zone.

A span belongs to the day on which it opens and may run past midnight ("18:00" to "02:00"); equal ends are
the whole day round. A holiday replaces the spans that open on its date. Where the clocks are put forward, a
time that is skipped is the moment of the change; where they are put back, we open at the first of the two
readings and close at the second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from foundation.errors import Mendable

Span = tuple[str, str]
"""Opening and closing time of day, "09:00" and "17:00"; closing may be "24:00"."""

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_DAY_MIN = 24 * 60
_LOOK_AHEAD_DAYS = 400


@dataclass(frozen=True, slots=True)
class Holiday:
    """A date with hours of its own: none (closed all day) or shorter ones."""

    name: str
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Hours:
    """The opening hours: weekday (0 is Monday) to spans, and the holidays that differ.

    Raises Mendable for an unknown time zone, weekday or time, and for spans of one day that overlap.
    """

    time_zone: str
    weekly: Mapping[int, tuple[Span, ...]]
    holidays: Mapping[date, Holiday] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _zone(self.time_zone)
        for day, spans in self.weekly.items():
            if day not in range(7):
                raise Mendable(f"opening hours: {day!r} is no weekday; Monday is 0 and Sunday is 6")
            _check(spans)
        for holiday in self.holidays.values():
            _check(holiday.spans)


def around_the_clock(time_zone: str = "UTC") -> Hours:
    """Open always."""
    return Hours(time_zone, {day: (("00:00", "24:00"),) for day in range(7)})


def local(hours: Hours, now_ms: int) -> datetime:
    """``now_ms`` on the centre's clock."""
    return datetime.fromtimestamp(now_ms / 1000, _zone(hours.time_zone))


def is_open(hours: Hours, now_ms: int) -> bool:
    """Whether the centre is open."""
    return closes_at(hours, now_ms) is not None


def closes_at(hours: Hours, now_ms: int) -> datetime | None:
    """When it closes, in the centre's time; None when it is closed now. Spans that touch are one.

    A centre that does not close within a week closes, as far as we say, in a week.
    """
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    at = now
    for opens, closes in _spans_from(hours, now, days=8):
        if opens > at:
            break
        at = max(at, closes)
    return None if at == now else at.astimezone(_zone(hours.time_zone))


def next_open(hours: Hours, now_ms: int) -> datetime | None:
    """When it is open next, in the centre's time: ``now`` if it is open; None if not for over a year."""
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    for opens, closes in _spans_from(hours, now, days=_LOOK_AHEAD_DAYS):
        if now < closes:
            return max(now, opens).astimezone(_zone(hours.time_zone))
    return None


def holiday_on(hours: Hours, now_ms: int) -> Holiday | None:
    """Today's holiday, on the centre's calendar."""
    return hours.holidays.get(local(hours, now_ms).date())


def _spans_from(hours: Hours, now: datetime, days: int) -> Iterator[tuple[datetime, datetime]]:
    """The spans from yesterday's (one may run past midnight) on, as moments in UTC."""
    zone = _zone(hours.time_zone)
    yesterday = now.astimezone(zone).date() - timedelta(days=1)
    for offset in range(days + 1):
        day = yesterday + timedelta(days=offset)
        holiday = hours.holidays.get(day)
        for opens, closes in sorted(holiday.spans if holiday else hours.weekly.get(day.weekday(), ())):
            start_min, length_min = _minutes(opens, closes)
            start = moment(zone, day, start_min, first=True)
            end = moment(zone, day, start_min + length_min, first=False)
            if start < end:
                yield start, end


def moment(zone: ZoneInfo, day: date, minute: int, *, first: bool) -> datetime:
    """When the wall clock reads ``minute`` minutes after midnight of ``day``, in UTC."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    early, late = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early == late:
        return early
    if early.astimezone(zone).replace(tzinfo=None) == wall:  # read twice: the clocks are put back
        return early if first else late
    while late - early > timedelta(seconds=1):  # never read: find the moment of the change between the two
        middle = early + (late - early) // 2
        if middle.astimezone(zone).replace(tzinfo=None) < wall:
            early = middle
        else:
            late = middle
    return late.replace(microsecond=0)


def _minutes(opens: str, closes: str) -> tuple[int, int]:
    """Minutes after midnight at which a span opens, and how many it is long."""
    start, end = (int(text[:2]) * 60 + int(text[3:]) for text in (opens, closes))
    return start, end - start if end > start else end - start + _DAY_MIN


def _check(spans: tuple[Span, ...]) -> None:
    for span in spans:
        for text in span:
            if not _TIME.fullmatch(text):
                raise Mendable(f'opening hours: {text!r} is no time of day; write it as "09:00"')
        if span[0] == "24:00":
            raise Mendable("opening hours: a span cannot open at 24:00; write 00:00 on the next day")
    lengths = sorted(_minutes(*span) for span in spans)
    for (start, length), (following, _) in pairwise(lengths):
        if start + length > following:
            raise Mendable(f"opening hours: the spans {sorted(spans)} of one day overlap")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        message = f'opening hours: there is no time zone {name!r}; write one like "America/Chicago"'
        raise Mendable(message) from unknown
