"""What a text says of an incident: the words that were posted, their time, and what to do."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from announcements import catalog, spoken
from announcements.spoken import Worded
from surge.checking import is_stale
from surge.directive import Told
from surge.office import Watch


def status(watch: Watch, told: Told, language: str, now_ms: int) -> str:
    """How it stands: to whoever chose a text instead of the line."""
    return _of_words(watch, "incident_status", told, language, now_ms)


def update(watch: Watch, told: Told, language: str, now_ms: int) -> str:
    """What is new, to subscribers."""
    return _of_words(watch, "incident_update", told, language, now_ms)


def over(watch: Watch, language: str) -> str:
    """It is fixed as far as we see: does it work for them?"""
    return catalog.sms(language, "incident_over", centre=watch.centre_name, link=page(watch))


def ended(watch: Watch, language: str) -> str:
    """The last text about it."""
    return catalog.sms(language, "incident_ended", centre=watch.centre_name, link=page(watch))


def page(watch: Watch) -> str:
    """Where the public status page is."""
    return f"{watch.public_url}/status"


def _of_words(watch: Watch, key: str, told: Told, language: str, now_ms: int) -> str:
    """The words as they were posted; without any in this language, or with old ones, neutral ones."""
    given = {"centre": watch.centre_name, "link": page(watch)}
    said = told.words.get(language, "")
    if not said or is_stale(told.updated_ms, watch.policy.stale_ms, now_ms):
        return catalog.sms(language, "incident_neutral", **given)
    lines = " ".join(_sentence(each) for each in (said, told.do, told.dont) if each)
    clock = Worded(_clock(watch, language, told.updated_ms, now_ms))
    return catalog.sms(language, key, words=Worded(lines), clock=clock, **given)


def _sentence(words: str) -> str:
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _clock(watch: Watch, language: str, at_ms: int, now_ms: int) -> str:
    zone = ZoneInfo(watch.time_zone)
    at, now = (datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone) for ms in (at_ms, now_ms))
    return spoken.moment(language, at, now)
