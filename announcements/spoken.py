"""Numbers, durations, clock times and opening hours in words; and names made fit to be spoken.

Pure. The small words come from the ``[spoken]`` part of the phrase files. ``language`` is one of
``book.LANGUAGES``; anything else is spoken to in the first of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

import phonenumbers
from babel.dates import get_day_names, get_month_names, get_timezone, get_timezone_name

from announcements.book import known, page, plural, wording

LONGEST_NAME = 80
"""Characters of an interpolated value that are spoken; a longer one is cut at a word."""


class Worded(str):
    """Words of our own making, which are set into a sentence as they are."""

    __slots__ = ()


_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
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


def in_pairs(e164: str, language: str) -> Worded:
    """A number to be read back, in words and pairs: "four one, five five, five five, four four, seven one".

    North American ones without their country code; of others it is said first ("plus four four"), and an odd
    digit leads the rest. What is not in international form is "".
    """
    language = known(language)
    if not _E164.fullmatch(e164):
        return Worded("")
    if e164.startswith("+1"):
        code, rest = "", e164[2:]
    else:
        code = _country_code(e164)
        rest = e164[1 + len(code) :]
    odd = len(rest) % 2
    pairs = [code, rest[:odd], *(rest[i : i + 2] for i in range(odd, len(rest), 2))]
    parts = [" ".join(word(language, int(digit)) for digit in pair) for pair in pairs]
    if code:
        parts[0] = f"{page(language).spoken['plus']} {parts[0]}"
    return Worded(", ".join(part for part in parts if part))


def written(e164: str) -> Worded:
    """A number to be read in a text: "+1 415-555-4471". What is not in international form is ""."""
    if not _E164.fullmatch(e164):
        return Worded("")
    try:
        parsed = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return Worded(e164)
    return Worded(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


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
    part = _part(language, hour)
    kind = {0: "clock", 15: "clock_quarter", 30: "clock_half"}.get(minute, "clock_minutes")
    values: dict[str, int | str] = {"hour": (hour + 11) % 12 + 1, "minute": minute, "part": part}
    return _by_hour(language, spoken[kind], values)


def moment(language: str, at: datetime, now: datetime) -> str:
    """When something is, seen from ``now``: "tomorrow at 9 in the morning". Both in the same time zone."""
    language = known(language)
    kind = ("today_at", "tomorrow_at", "weekday_at", "date_at")[_distance(at, now)]
    return _dated(language, kind, at, clock=clock(language, at.hour, at.minute))


def window(language: str, start: datetime, end: datetime, now: datetime, time_zone: str = "") -> Worded:
    """A time window, seen from ``now``: "tomorrow between 2 and 4 in the afternoon".

    All three on the same clock. ``time_zone``: an IANA name that is said after it, or nothing to leave it
    unsaid. The part of the day is said once where both ends share it, the day once where both are on it.
    """
    language = known(language)
    spoken = page(language).spoken
    at_midnight = end.hour == end.minute == 0 and (end.date() - start.date()).days == 1
    if end.date() != start.date() and not at_midnight:
        opens, closes = moment(language, start, now), moment(language, end, now)
        said = str(spoken["from_to"]).format(opens=opens, closes=closes)
    else:
        opens, closes = _ends(language, (start.hour, start.minute), (end.hour, end.minute))
        day = _dated(language, ("today", "tomorrow", "on_day", "on_date")[_distance(start, now)], start)
        said = str(spoken["between"]).format(day=day, opens=opens, closes=closes)
    if time_zone:
        said = str(spoken["in_zone"]).format(when=said, zone=zone_name(language, time_zone))
    return Worded(said)


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
    """A time zone as people call it: "Central Time".

    One that never changes its clocks is named by its standard time ("Mountain Standard Time" in Phoenix): for
    half the year its neighbours' clocks read something else.
    """
    language = known(language)
    if time_zone in _UNIVERSAL:
        return str(page(language).spoken["universal_time"])
    zone = get_timezone(time_zone)
    winter, summer = (datetime(2024, month, 1, tzinfo=ZoneInfo(time_zone)).utcoffset() for month in (1, 7))
    variant: Literal["generic", "standard"] = "standard" if winter == summer else "generic"
    return get_timezone_name(zone, width="long", zone_variant=variant, locale=language)


def _distance(at: datetime, now: datetime) -> int:
    """How a day is called: 0 today, 1 tomorrow, 2 by its weekday, 3 by its date."""
    days = (at.date() - now.date()).days
    return days if days in (0, 1) else 2 if 1 < days < 7 else 3


def _dated(language: str, kind: str, at: datetime, **values: str) -> str:
    day, month = _days(language)[at.weekday()], _months(language)[at.month - 1]
    return str(page(language).spoken[kind]).format(day=day, date=at.day, month=month, **values)


def _ends(language: str, start: tuple[int, int], end: tuple[int, int]) -> tuple[str, str]:
    """Two times of one day; the first without its part of the day where the second has the same."""
    opens, closes = clock(language, *start), clock(language, *end)
    part = _part(language, start[0])
    shared = part == _part(language, end[0]) and opens.endswith(part) and closes.endswith(part)
    return (opens.removesuffix(part).rstrip() if shared else opens), closes


def _part(language: str, hour: int) -> str:
    return str([words for start, words in page(language).spoken["parts"] if start <= hour % 24][-1])


@lru_cache(maxsize=4096)
def _country_code(e164: str) -> str:
    """The digits of the country code; none when there is no such country."""
    try:
        return str(phonenumbers.parse(e164).country_code)
    except phonenumbers.NumberParseException:
        return ""


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
