"""The time windows a merchant may choose, by key or on the page, and the times a promise then has.

Pure. Windows are inside our hours and outside the merchant's quiet hours from end to end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from callbacks.moments import (
    DAY_MS,
    HOUR_MS,
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
    zone_info,
)
from callbacks.policy import MINUTE_MS, CallbackPolicy
from foundation.errors import Mendable

__all__ = [
    "BadWindow", "Bounds", "Terms", "Window", "at_its_turn", "bounds", "choices", "expires_at", "later_due",
    "may_ring", "next_moment", "parse_window", "retry_due", "terms", "until",
]  # fmt: skip

LONG_MS, SHORT_MS = 2 * HOUR_MS, HOUR_MS
LEAD_MS = HOUR_MS
"""A window offered by key starts at least so long after now: before that, it is simply one's turn."""
FARTHEST_DAYS = 7
SHORTEST_MS = 30 * MINUTE_MS
TOLD_MS = 5 * MINUTE_MS
"""Times are told in steps of this."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


class BadWindow(Mendable):
    """A window nobody can be called in. ``why``: form, past, order, short, far, gap or closed."""

    def __init__(self, why: str, message: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True)
class Window:
    """A time to be called in, ``start_ms`` to ``end_ms``; ``day`` as in ``moments.day_of``."""

    start_ms: int
    end_ms: int
    day: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The times of a promise: not rung before ``due_ms``, told by ``by_ms``, given up at ``expires_ms``."""

    due_ms: int
    by_ms: int
    expires_ms: int


def choices(within: Bounds, now_ms: int, each: int = 2) -> list[Window]:
    """Windows to offer by key, soonest first: up to ``each`` later today, as many on the next business day.

    They start on a whole hour of the merchant's, at least an hour from now, and are two hours long (one,
    where two do not fit). The next business day is the first one, within six, that has any.
    """
    today = local(within.zone, now_ms).date()
    found = _spread(_blocks(within, today, now_ms), each)
    for ahead in range(1, 7):
        if later := _blocks(within, today + timedelta(days=ahead), now_ms):
            return found + _spread(later, each)
    return found


def parse_window(within: Bounds, day: str, start: str, end: str, now_ms: int) -> Window:
    """The window a merchant wrote: ``day`` "2024-03-19", ``start`` and ``end`` "14:00", on its own clock.

    A time that is read twice is the first reading. Raises BadWindow naming what to mend.
    """
    on = _date(day)
    for text in (start, end):
        if not _TIME.fullmatch(text):
            raise BadWindow("form", "Write each time as hours and minutes, for example 14:30.")
    today = local(within.zone, now_ms).date()
    if on < today:
        raise BadWindow("past", "This day is over. Choose today or a later day.")
    if (on - today).days > FARTHEST_DAYS:
        last = (today + timedelta(days=FARTHEST_DAYS)).isoformat()
        raise BadWindow("far", f"This is too far ahead. Choose a day up to {last}.")
    if end <= start:
        raise BadWindow("order", "The window must end after it starts, on the same day. Choose a later end.")
    start_ms, end_ms = _reading(within.zone, on, start), _reading(within.zone, on, end)
    if start_ms <= now_ms:
        raise BadWindow("past", "This time is over. Choose a start that is still to come.")
    if end_ms - start_ms < SHORTEST_MS:
        minutes = SHORTEST_MS // MINUTE_MS
        raise BadWindow("short", f"The window is too short. Make it {minutes} minutes or longer.")
    if not fits(within, start_ms, end_ms):
        raise BadWindow("closed", _when_instead(within, on))
    return Window(start_ms, end_ms, day_of(within.zone, start_ms, now_ms))


def at_its_turn(within: Bounds, low_s: float | None, high_s: float | None, now_ms: int) -> Window | None:
    """Between what times a promise without a window is told to be kept, of the announced wait in seconds.

    Rounded outwards to five minutes; both ends are pushed to when the merchant may be rung. None when there
    is no honest wait, or no such moment.
    """
    if low_s is None or high_s is None:
        return None
    early = next_moment(within, now_ms + round(low_s * 1000))
    late = next_moment(within, now_ms + round(high_s * 1000))
    if early is None or late is None:
        return None
    start_ms, end_ms = early // TOLD_MS * TOLD_MS, -(-late // TOLD_MS) * TOLD_MS
    if end_ms <= start_ms:
        end_ms = start_ms + TOLD_MS
    return Window(start_ms, end_ms, day_of(within.zone, start_ms, now_ms))


def terms(
    policy: CallbackPolicy, window: tuple[int, int] | None, told_by_ms: int | None, now_ms: int
) -> Terms:
    """The times of a new promise: of its ``window`` (start and end), else due now and by what was told.

    A promise made with no time told is given ``expires_ms`` from now, and ``by_ms`` 0: it cannot be late.
    """
    due_ms = window[0] if window else now_ms
    by_ms = window[1] if window else told_by_ms or 0
    return Terms(due_ms, by_ms, expires_at(policy, due_ms, by_ms))


def expires_at(policy: CallbackPolicy, due_ms: int, by_ms: int) -> int:
    """When a promise is given up on. The time runs from the later of what was promised and its next try, so
    that a try put off over a week-end is still made."""
    return max(due_ms, by_ms) + policy.expires_ms


def retry_due(policy: CallbackPolicy, within: Bounds, tries: int, now_ms: int) -> int | None:
    """When the next try is due after the ``tries``-th in vain (from 1): the policy's pause, then the first
    moment at which the merchant may be rung. None when every try was made, or no such moment comes."""
    if tries >= policy.tries:
        return None
    return next_moment(within, now_ms + policy.retry_after_ms(tries))


def later_due(within: Bounds, minutes: int, now_ms: int) -> int | None:
    """When a promise put off by ``minutes`` is due: the first moment from then on at which the merchant may
    be rung. Raises Mendable for less than a minute, or more than a week."""
    if not 0 < minutes * MINUTE_MS <= FARTHEST_DAYS * DAY_MS:
        raise Mendable(f"put it off by 1 to {FARTHEST_DAYS * DAY_MS // MINUTE_MS} minutes")
    return next_moment(within, now_ms + minutes * MINUTE_MS)


def _blocks(within: Bounds, day: date, now_ms: int) -> list[Window]:
    """Windows of ``day`` one after the other, as many as fit."""
    zone = zone_info(within.zone)
    found: list[Window] = []
    for hour in range(24):
        wall = datetime.combine(day, time(hour))
        start_ms = next(iter(readings(zone, wall)), None)
        if start_ms is None or start_ms < now_ms + LEAD_MS or (found and start_ms < found[-1].end_ms):
            continue
        for length_ms in (LONG_MS, SHORT_MS):
            # No window over a change of the clocks: its times would say another length.
            even = readings(zone, wall + timedelta(milliseconds=length_ms))[:1] == [start_ms + length_ms]
            if even and fits(within, start_ms, start_ms + length_ms):
                found.append(Window(start_ms, start_ms + length_ms, day_of(within.zone, start_ms, now_ms)))
                break
    return found


def _spread(windows: list[Window], most: int) -> list[Window]:
    """At most so many, over the whole day: of the morning and of the afternoon."""
    if len(windows) <= most:
        return windows
    return [windows[index * len(windows) // most] for index in range(most)]


def _date(text: str) -> date:
    try:
        if _DATE.fullmatch(text) and text.isascii():
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise BadWindow("form", "Write the day as year, month and day, for example 2030-06-28.")


def _reading(zone: str, day: date, clock: str) -> int:
    wall = datetime.combine(day, time.fromisoformat(clock))
    found = readings(zone_info(zone), wall)
    if not found:
        message = f"There is no {clock} on this day: the clocks are put forward over it. Choose another time."
        raise BadWindow("gap", message)
    return found[0]


def _when_instead(within: Bounds, day: date) -> str:
    """When that day it would be possible, on the merchant's clock."""
    spans = [
        f"{local(within.zone, start_ms):%H:%M} to {_end_clock(within.zone, start_ms, end_ms)}"
        for start_ms, end_ms in stretches(within, day)
    ]
    if not spans:
        return "We cannot call you on this day. Choose another day."
    return f"We cannot call you in all of this window. On this day we can from {' and '.join(spans)}."


def _end_clock(zone: str, start_ms: int, end_ms: int) -> str:
    start, end = local(zone, start_ms), local(zone, end_ms)
    return "24:00" if end.date() > start.date() else f"{end:%H:%M}"
