"""Numbers, durations, clock times and opening hours in words; and names made fit to be spoken.

Pure. The small words come from the ``[spoken]`` part of the phrase files. ``language`` is one of
``book.LANGUAGES``; anything else is spoken to in the first of them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache

from babel.dates import get_day_names, get_month_names, get_timezone, get_timezone_name

from announcements.book import known, page, plural, wording

LONGEST_NAME = 80
"""Characters of an interpolated value that are spoken; a longer one is cut at a word."""

_UNIVERSAL = {"UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu"}


def plain(text: str, longest: int = LONGEST_NAME) -> str:
    """``text`` fit to be spoken inside a sentence: one line, no control characters, at most ``longest`` long.

    Control and format characters, lone surrogates, unassigned ones and pictures become a space; so do the
    marks that a speech synthesiser may take for markup. A full stop at the end is dropped: the sentence has
    its own. Escaping for XML is the renderer's work.
    """
    kept = "".join(" " if _unspeakable(character) else character for character in text[: longest * 4])
    line = " ".join(kept.split())
    if len(line) > longest:
        line = line[: longest + 1].rsplit(" ", 1)[0][:longest]
    return line.strip(" .,;:-")


def word(language: str, number: int) -> str:
    """A small number as a word ("ten"); in digits where we have no word for it."""
    return str(page(known(language)).spoken["words"].get(str(number), number))


def digits(number: str) -> str:
    """A telephone number or code, digit by digit, in pairs, an odd one first: "1, 4 1, 5 5"."""
    figures = [character for character in number if character.isascii() and character.isdigit()]
    odd = len(figures) % 2
    pairs = [figures[:odd], *(figures[i : i + 2] for i in range(odd, len(figures), 2))]
    return ", ".join(" ".join(pair) for pair in pairs if pair)


def duration(language: str, minutes: int) -> str:
    """A length of time, to the minute: "1 hour and 20 minutes". Below a minute it is "1 minute"."""
    language = known(language)
    spoken = page(language).spoken
    hours, rest = divmod(max(1, minutes), 60)
    parts = [wording(language, spoken["hours"], {"count": hours})] if hours else []
    if rest:
        parts.append(wording(language, spoken["minutes"], {"count": rest}))
    return listed(language, parts)


def listed(language: str, parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {page(known(language)).spoken['and']} {parts[-1]}"


def clock(language: str, hour: int, minute: int = 0) -> str:
    """A time of day, 0:00 to 24:00: "9 in the morning", "las 9 y media de la mañana"."""
    language = known(language)
    spoken = page(language).spoken
    if minute == 0 and hour in (0, 12, 24):
        return str(spoken["noon" if hour == 12 else "midnight"])
    part = [words for start, words in spoken["parts"] if start <= hour % 24][-1]
    kind = {0: "clock", 15: "clock_quarter", 30: "clock_half"}.get(minute, "clock_minutes")
    values = {"hour": (hour + 11) % 12 + 1, "minute": minute, "part": part}
    return _by_hour(language, spoken[kind], values)


def moment(language: str, at: datetime, now: datetime) -> str:
    """When something is, seen from ``now``: "tomorrow at 9 in the morning". Both in the same time zone."""
    language = known(language)
    spoken = page(language).spoken
    days = (at.date() - now.date()).days
    kind = (
        "today_at" if days == 0 else "tomorrow_at" if days == 1 else "weekday_at" if days < 7 else "date_at"
    )
    return str(spoken[kind]).format(
        clock=clock(language, at.hour, at.minute),
        day=_days(language)[at.weekday()],
        date=at.day,
        month=_months(language)[at.month - 1],
    )


def opening(language: str, weekly: Mapping[int, Sequence[tuple[str, str]]], time_zone: str = "") -> str:
    """The opening hours as one sentence.

    ``weekly`` is weekday (0 is Monday) to spans of local time ("09:00", "17:00"); ``time_zone`` an IANA
    name, or nothing to leave it unsaid. Days with the same hours are told together, three in a row as a span.
    """
    language = known(language)
    spoken = page(language).spoken
    by_hours: dict[tuple[tuple[str, str], ...], list[int]] = {}
    for day in range(7):
        if spans := tuple(weekly.get(day, ())):
            by_hours.setdefault(spans, []).append(day)
    if not by_hours:
        return str(spoken["never_open"])
    times = [
        str(spoken["open_on"]).format(days=_which(language, days), hours=_spans(language, spans))
        for spans, days in by_hours.items()
    ]
    if not time_zone:
        return str(spoken["opening_without_zone"]).format(times=listed(language, times))
    return str(spoken["opening"]).format(times=listed(language, times), zone=zone_name(language, time_zone))


@cache
def zone_name(language: str, time_zone: str) -> str:
    """A time zone as people call it: "Central Time"."""
    language = known(language)
    if time_zone in _UNIVERSAL:
        return str(page(language).spoken["universal_time"])
    zone = get_timezone(time_zone)
    return get_timezone_name(zone, width="long", zone_variant="generic", locale=language)


def _spans(language: str, spans: Sequence[tuple[str, str]]) -> str:
    spoken = page(language).spoken
    if any(opens == closes or (opens, closes) == ("00:00", "24:00") for opens, closes in spans):
        return str(spoken["all_day"])
    return listed(
        language,
        [
            str(spoken["hours_span"]).format(opens=_at(language, opens), closes=_at(language, closes))
            for opens, closes in spans
        ],
    )


def _at(language: str, time: str) -> str:
    hour, minute = time.split(":")
    return clock(language, int(hour), int(minute))


def _which(language: str, days: Sequence[int]) -> str:
    """The days by name, in runs."""
    names = _days(language)
    spoken = page(language).spoken
    if len(days) == 7:
        return str(spoken["every_day"])
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    parts: list[str] = []
    for run in runs:
        if len(run) > 2:
            parts.append(str(spoken["day_span"]).format(first=names[run[0]], last=names[run[-1]]))
        else:
            parts += [names[day] for day in run]
    return listed(language, parts)


def _by_hour(language: str, entry: Mapping[str, str], values: Mapping[str, int | str]) -> str:
    """A clock phrase: its form goes by the hour, which is no count of anything and stays in digits."""
    return entry[plural(language, int(values["hour"]))].format_map(values)


@cache
def _days(language: str) -> tuple[str, ...]:
    names = get_day_names("wide", locale=language)
    return tuple(names[day] for day in range(7))


@cache
def _months(language: str) -> tuple[str, ...]:
    names = get_month_names("wide", locale=language)
    return tuple(names[month] for month in range(1, 13))


def _unspeakable(character: str) -> bool:
    return character in "<>{}[]|\\^~`" or unicodedata.category(character) in (
        "Cc",
        "Cf",
        "Cs",
        "Co",
        "Cn",
        "So",
    )
