"""The times of a promise in words, on the merchant's own clock. Pure; the words are in ``announcements``."""

from __future__ import annotations

from announcements.spoken import Worded, moment, window
from callbacks.moments import local


def when(
    language: str, zone: str, start_ms: int, end_ms: int, now_ms: int, *, name_zone: bool = False
) -> Worded:
    """A window ("tomorrow between 2 and 4 in the afternoon"), with the zone's name after it if asked for: say
    it where the merchant's zone is guessed, or is not the centre's."""
    start, end, now = (local(zone, at_ms) for at_ms in (start_ms, end_ms, now_ms))
    return window(language, start, end, now, zone if name_zone else "")


def at(language: str, zone: str, at_ms: int, now_ms: int) -> Worded:
    """A moment ("today at 2:10 in the afternoon"), to the minute it is in."""
    return Worded(moment(language, local(zone, at_ms), local(zone, now_ms)))
