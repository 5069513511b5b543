"""What a merchant's own page of a callback shows. Pure: values in, words out, in the merchant's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_name

from announcements.written import written
from callbacks.states import OPEN, PromiseState

FARTHEST_DAYS = 7
CHANGEABLE = frozenset({PromiseState.IN_LINE, PromiseState.DUE_LATER})


@dataclass(frozen=True, slots=True)
class Shown:
    """A promise and where it stands. ``position`` 0: it has no place in line now; ``seen``: the line told."""

    state: PromiseState
    language: str
    zone: str
    due_ms: int
    by_ms: int
    windowed: bool
    asked: bool
    rang_in: bool
    position: int
    waiting: int
    seen: bool


@dataclass(frozen=True, slots=True)
class Spot:
    """A time to choose: ``value`` is ``start-end`` in epoch ms, or ``+minutes``."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class MerchantView:
    """The page in words. ``headline`` is the one sentence the merchant came for."""

    headline: str
    lines: Sequence[str]
    place: str
    late: bool
    changeable: bool
    can_be_turn: bool
    spots: Sequence[Spot]
    zone_words: str
    days: Sequence[tuple[str, str]]


def merchant_view(shown: Shown, windows: Sequence[tuple[int, int]], now_ms: int) -> MerchantView:
    """``windows``: those that may be chosen, start and end."""
    is_open = shown.state in OPEN
    late = is_open and 0 < shown.by_ms < now_ms and not shown.asked
    changeable = shown.state in CHANGEABLE and not shown.asked and not shown.rang_in
    today = _local(now_ms, shown.zone).date()
    return MerchantView(
        headline=_headline(shown, now_ms),
        lines=_lines(shown, late),
        place=_place(shown) if changeable else "",
        late=late,
        changeable=changeable,
        can_be_turn=changeable and shown.state is PromiseState.DUE_LATER,
        spots=_spots(shown, windows, now_ms) if changeable else (),
        zone_words=_zone(shown.zone, shown.language),
        days=[
            ((today + timedelta(days=ahead)).isoformat(), _day(today + timedelta(days=ahead), shown.language))
            for ahead in range(FARTHEST_DAYS + 1)
        ],
    )


def _headline(shown: Shown, now_ms: int) -> str:
    say = shown.language
    if shown.rang_in and shown.state in OPEN:
        return written(say, "rang_in")
    if shown.asked or shown.state in (PromiseState.DIALING, PromiseState.CONNECTED):
        return written(say, "asked")
    if shown.state not in OPEN:
        return written(say, shown.state.value)
    if shown.windowed:
        times = {"start": _time(shown.due_ms, now_ms, shown), "end": _clock(shown.by_ms, shown.zone)}
        return written(say, "window", **times)
    if shown.state is PromiseState.DUE_LATER and shown.due_ms > now_ms:
        return written(say, "not_before", time=_time(shown.due_ms, now_ms, shown))
    if shown.by_ms > now_ms:
        return written(say, "by_time", time=_time(shown.by_ms, now_ms, shown))
    return written(say, "at_turn")


def _lines(shown: Shown, late: bool) -> list[str]:
    if shown.state not in CHANGEABLE or shown.asked or shown.rang_in:
        return []
    told = [written(shown.language, "late")] if late else []
    told.append(written(shown.language, "keeps_place"))
    if not shown.seen:
        told.append(written(shown.language, "offline"))
    return told


def _place(shown: Shown) -> str:
    if not shown.position:
        return ""
    if shown.position == 1:
        return written(shown.language, "place_next")
    waiting = max(shown.waiting, shown.position)
    return written(shown.language, "place_of", position=shown.position, waiting=waiting)


def _spots(shown: Shown, windows: Sequence[tuple[int, int]], now_ms: int) -> list[Spot]:
    say = shown.language
    spots = [
        Spot("+30", written(say, "in_minutes", minutes=30)),
        Spot("+60", written(say, "in_hour")),
    ]
    today = _local(now_ms, shown.zone).date()
    for start_ms, end_ms in windows:
        day = _local(start_ms, shown.zone).date()
        times = {"start": _clock(start_ms, shown.zone), "end": _clock(end_ms, shown.zone)}
        words = (
            written(say, "today_window", **times)
            if day == today
            else written(say, "day_window", day=_day(day, say), **times)
        )
        spots.append(Spot(f"{start_ms}-{end_ms}", words))
    return spots


def _time(ms: int, now_ms: int, shown: Shown) -> str:
    """The time of day, with the day before it when it is another."""
    day, today = _local(ms, shown.zone).date(), _local(now_ms, shown.zone).date()
    clock = _clock(ms, shown.zone)
    return clock if day == today else f"{_day(day, shown.language)}, {clock}"


def _day(day: date, language: str) -> str:
    words = format_date(day, "EEEE d 'de' MMMM" if language == "es" else "EEEE, d MMMM", locale=language)
    return words[:1].upper() + words[1:]


def _zone(zone: str, language: str) -> str:
    return zone if zone == "UTC" else get_timezone_name(zone, locale=language)


def _clock(ms: int, zone: str) -> str:
    return _local(ms, zone).strftime("%H:%M")


def _local(ms: int, zone: str) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone))
