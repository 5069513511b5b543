"""When a merchant may be rung: in our opening hours and outside the merchant's own quiet hours.

Pure. All moments are milliseconds since the epoch, UTC. Quiet hours go by what the merchant's clock reads: an
hour that is read twice is quiet twice, one that is skipped is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from callbacks.policy import MINUTE_MS, CallbackPolicy
from foundation.errors import Mendable
from queueing.hours import Hours, closes_at, next_open

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LOOK_AHEAD_MS = 60 * DAY_MS
"""A centre that could not ring within this cannot ring at all, as far as we say."""

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAY_S = 24 * 3600
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Within what a merchant may be rung.

    ``hours``: the centre's, None is always. ``zone``: the merchant's IANA time zone. Equal ends of the quiet
    hours are none. Raises Mendable for an unknown zone or time of day.
    """

    hours: Hours | None
    zone: str
    quiet_from: str = "21:00"
    quiet_to: str = "08:00"

    def __post_init__(self) -> None:
        zone_info(self.zone)
        for text in (self.quiet_from, self.quiet_to):
            if not _TIME.fullmatch(text):
                raise Mendable(f'callbacks: quiet hours: {text!r} is no time of day; write it as "21:00"')


def bounds(policy: CallbackPolicy, hours: Hours | None, zone: str) -> Bounds:
    """The bounds for a merchant in ``zone``, by the centre's rules."""
    return Bounds(hours, zone, policy.quiet_from, policy.quiet_to)


def zone_info(name: str) -> ZoneInfo:
    """The IANA time zone. Raises Mendable when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        message = f'there is no time zone {name!r}; write one like "America/Chicago"'
        raise Mendable(message) from unknown


def local(zone: str, at_ms: int) -> datetime:
    """``at_ms`` on the clock of ``zone``."""
    return datetime.fromtimestamp(at_ms / 1000, zone_info(zone))


def may_ring(within: Bounds, now_ms: int) -> bool:
    """Whether the merchant may be rung at ``now_ms``: we are open and it is not quiet there."""
    if _is_quiet(within, now_ms):
        return False
    return within.hours is None or closes_at(within.hours, now_ms) is not None


def next_moment(within: Bounds, now_ms: int) -> int | None:
    """The first moment from ``now_ms`` on at which the merchant may be rung; None when none comes in
    sixty days."""
    at_ms = now_ms
    while at_ms <= now_ms + LOOK_AHEAD_MS:
        if within.hours is not None:
            opening = next_open(within.hours, at_ms)
            if opening is None:
                return None
            at_ms = max(at_ms, _ms(opening))
        if not _is_quiet(within, at_ms):
            return at_ms
        at_ms = _first_change(within, at_ms, within.quiet_to)
    return None


def until(within: Bounds, now_ms: int) -> int:
    """When the time in which the merchant may be rung ends; ``now_ms`` when it may not be rung now. What
    does not end within a week ends, as far as we say, in a week."""
    if not may_ring(within, now_ms):
        return now_ms
    ends_ms = now_ms + 7 * DAY_MS
    if within.hours is not None and (closing := closes_at(within.hours, now_ms)) is not None:
        ends_ms = min(ends_ms, _ms(closing))
    if within.quiet_from != within.quiet_to:
        ends_ms = min(ends_ms, _first_change(within, now_ms, within.quiet_from))
    return ends_ms


def fits(within: Bounds, start_ms: int, end_ms: int) -> bool:
    """Whether the merchant may be rung at every moment from ``start_ms`` to before ``end_ms``."""
    return may_ring(within, start_ms) and until(within, start_ms) >= end_ms


def stretches(within: Bounds, day: date) -> list[tuple[int, int]]:
    """On which stretches of ``day``, by the merchant's calendar, the merchant may be rung."""
    zone = zone_info(within.zone)
    at_ms, midnight_ms = _day_starts(zone, day), _day_starts(zone, day + timedelta(days=1))
    found: list[tuple[int, int]] = []
    while True:
        start_ms = next_moment(within, at_ms)
        if start_ms is None or start_ms >= midnight_ms:
            return found
        at_ms = until(within, start_ms)
        found.append((start_ms, min(at_ms, midnight_ms)))


def day_of(zone: str, at_ms: int, now_ms: int) -> str:
    """The day of ``at_ms`` as the merchant calls it at ``now_ms``: today, tomorrow, a weekday ("monday"), or
    from a week on the date ("2024-03-19")."""
    day, today = local(zone, at_ms).date(), local(zone, now_ms).date()
    ahead = (day - today).days
    if ahead in (0, 1):
        return ("today", "tomorrow")[ahead]
    return WEEKDAYS[day.weekday()] if 1 < ahead < 7 else day.isoformat()


def readings(zone: ZoneInfo, wall: datetime) -> list[int]:
    """At which moments the clock of ``zone`` reads ``wall`` (naive): none where the clocks are put forward
    over it, two where they are put back over it, in order."""
    moments = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(_ms(at) for at in moments if at.astimezone(zone).replace(tzinfo=None) == wall)


def _is_quiet(within: Bounds, now_ms: int) -> bool:
    start, end = _second(within.quiet_from), _second(within.quiet_to)
    clock = local(within.zone, now_ms)
    second = clock.hour * 3600 + clock.minute * 60 + clock.second
    return start <= second < end if start <= end else second >= start or second < end


def _first_change(within: Bounds, now_ms: int, clock: str) -> int:
    """The first moment after ``now_ms`` at which it is no longer as quiet, or loud, as now. ``clock`` is the
    time of day at which that comes; a change of the clocks may bring it, too."""
    zone = zone_info(within.zone)
    quiet = _is_quiet(within, now_ms)
    today = local(within.zone, now_ms).date()
    wall = [
        datetime.combine(today, time()) + timedelta(days=offset, seconds=_second(clock))
        for offset in range(-1, 4)
    ]
    candidates = {at for each in wall for at in readings(zone, each)} | set(_changes(zone, now_ms))
    return min(at for at in candidates if at > now_ms and _is_quiet(within, at) != quiet)


def _changes(zone: ZoneInfo, now_ms: int) -> Iterator[int]:
    """The moments within three days at which the clocks are put forward or back."""
    for start in range(now_ms // 1000, now_ms // 1000 + 3 * _DAY_S, _DAY_S):
        early, late = start, start + _DAY_S
        if _offset(zone, early) == _offset(zone, late):
            continue
        while late - early > 1:
            middle = (early + late) // 2
            if _offset(zone, middle) == _offset(zone, early):
                early = middle
            else:
                late = middle
        yield late * 1000


def _offset(zone: ZoneInfo, second: int) -> timedelta | None:
    return datetime.fromtimestamp(second, zone).utcoffset()


def _day_starts(zone: ZoneInfo, day: date) -> int:
    """The first moment of ``day``: where midnight is skipped, the moment of the change."""
    midnight = datetime.combine(day, time())
    if found := readings(zone, midnight):
        return found[0]
    noon_before = _ms(datetime.combine(day - timedelta(days=1), time(12), zone))
    return min(at for at in _changes(zone, noon_before) if at > noon_before)


def _second(clock: str) -> int:
    return int(clock[:2]) * 3600 + int(clock[3:]) * 60


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
