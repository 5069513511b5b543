"""One contact centre as its owner writes it down (a TOML file) and as the parts want it.

Every key has a default; an unknown key is an error, so that a slip of the pen does not pass for a default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from announcements.book import LANGUAGES
from announcements.pacing import Pacing
from callbacks.policy import CallbackPolicy
from foundation.errors import Mendable
from ivr import menus
from processes.callbacks_table import QUIET, REGION, WrittenCallbacks
from processes.surge_table import WrittenSurge
from queueing.bands import DEFAULT_BANDS, Band
from queueing.hours import Holiday, Hours
from queueing.hours import Span as HoursSpan
from queueing.policy import LinePolicy, Queue
from queueing.priors import Priors
from surge.policy import SurgePolicy

MINUTE_MS = 60_000
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

SLUG = r"^[a-z0-9][a-z0-9_-]{0,31}$"
SPAN = r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$"
KEY = r"^[1-9]$"
PATTERNS = {
    SLUG: "a name of 1 to 32 of a-z, 0-9, - and _",
    SPAN: 'a span of time as "09:00-17:00"',
    KEY: 'one key of the phone, "1" to "9"',
    QUIET: 'a span of time as "21:00-08:00"',
    REGION: 'a country as two capital letters, "US"',
}

Slug = Annotated[str, Field(pattern=SLUG)]
Span = Annotated[str, Field(pattern=SPAN)]
Seconds = Annotated[int, Field(ge=1, le=3600)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WrittenQueue(_Written):
    """``[[queue]]``"""

    name: Slug
    max_waiting: int = Field(default=1000, ge=1, le=100_000)
    max_wait_minutes: int = Field(default=90, ge=1, le=1440)


class WrittenBand(_Written):
    """``[[band]]``"""

    name: Slug
    head_start_minutes: int = Field(ge=0, le=1440)


class WrittenTopic(_Written):
    """``[[topic]]``"""

    id: Slug
    key: str = Field(pattern=KEY)
    queue: Slug
    names: dict[str, str]
    keywords: dict[str, tuple[str, ...]] = {}
    band: str = ""


class WrittenHoliday(_Written):
    """A holiday with shorter hours."""

    name: str
    open: tuple[Span, ...] = ()


class WrittenAgents(_Written):
    """``[agents]``"""

    ring_seconds: Seconds = 20
    connect_seconds: Seconds = 30
    wrap_up_seconds: Seconds = 60
    resume_seconds: Seconds = 90
    max_misses: int = Field(default=2, ge=1, le=10)


class WrittenAnnouncements(_Written):
    """``[announcements]``"""

    first_seconds: Seconds = 20
    repeat_seconds: Seconds = 90
    quiet_seconds: Seconds = 45
    more_than: int = Field(default=10, ge=1, le=100)


class WrittenServiceLevel(_Written):
    """``[service_level]``"""

    within_seconds: Seconds = 30
    target_pct: int = Field(default=80, ge=1, le=100)


class WrittenEstimates(_Written):
    """``[estimates]``: ``priors`` is a file of ``estimates replay --save``, beside this one."""

    priors: str = ""


class Written(_Written):
    """The whole file."""

    name: str = Field(default="Support", min_length=1, max_length=80)
    id: Slug = "main"
    languages: tuple[str, ...] = Field(default=("en", "es"), min_length=1)
    time_zone: str = "UTC"
    language_key: str = Field(default="9", pattern=KEY)
    message_seconds: int = Field(default=120, ge=10, le=600)
    hours: dict[str, tuple[Span, ...]] = {}
    holidays: dict[date, str | WrittenHoliday] = {}
    queue: tuple[WrittenQueue, ...] = (WrittenQueue(name="support"),)
    band: tuple[WrittenBand, ...] = tuple(
        WrittenBand(name=band.name, head_start_minutes=band.head_start_ms // MINUTE_MS)
        for band in DEFAULT_BANDS
    )
    default_band: str = "p2"
    tiers: dict[str, str] = {}
    topic: tuple[WrittenTopic, ...] = ()
    agents: WrittenAgents = WrittenAgents()
    announcements: WrittenAnnouncements = WrittenAnnouncements()
    service_level: WrittenServiceLevel = WrittenServiceLevel()
    callbacks: WrittenCallbacks = WrittenCallbacks()
    surge: WrittenSurge = WrittenSurge()
    estimates: WrittenEstimates = WrittenEstimates()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        faults = [*self._unknown_names(), *self._twice(), *self._bad_words()]
        faults += self.callbacks.faults({queue.name for queue in self.queue})
        faults += self.surge.faults({band.name for band in self.band})
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _unknown_names(self) -> list[str]:
        queues, bands = {queue.name for queue in self.queue}, {band.name for band in self.band}
        faults = [
            f"topic {topic.id}: there is no queue {topic.queue}"
            for topic in self.topic
            if topic.queue not in queues
        ]
        faults += [
            f"topic {topic.id}: there is no band {topic.band}"
            for topic in self.topic
            if topic.band and topic.band not in bands
        ]
        faults += [
            f"tier {tier}: there is no band {band}" for tier, band in self.tiers.items() if band not in bands
        ]
        if self.default_band not in bands:
            faults.append(f"default_band: there is no band {self.default_band}")
        return faults

    def _twice(self) -> list[str]:
        faults = []
        for what, names in (
            ("queue", [queue.name for queue in self.queue]),
            ("band", [band.name for band in self.band]),
        ):
            faults += [
                f"{what} {name} is written twice" for name in sorted({n for n in names if names.count(n) > 1})
            ]
        return faults if self.queue else [*faults, "there is no queue"]

    def _bad_words(self) -> list[str]:
        faults = [f"hours: {day} is no weekday" for day in self.hours if day not in WEEKDAYS]
        faults += [
            f"languages: {language} is not spoken yet, only {', '.join(LANGUAGES)}"
            for language in self.languages
            if language not in LANGUAGES
        ]
        if self.time_zone not in available_timezones():
            faults.append(f"time_zone: {self.time_zone} is unknown; write it as America/New_York")
        return faults


@dataclass(frozen=True, slots=True)
class Plan:
    """A centre as the parts take it. ``within_s`` and ``target_pct`` are the service level aimed at."""

    written: Written
    centre: menus.Centre
    policy: LinePolicy
    pacing: Pacing
    within_s: int
    target_pct: int
    callbacks: CallbackPolicy
    surge: SurgePolicy
    priors: Priors = field(default_factory=Priors)


def read_centre(path: Path | None) -> Plan:
    """The plan in ``path``; without one, a single queue that is always open.

    Raises Mendable naming every fault of the file, each with the place it stands at.
    """
    if path is None:
        return arrange(Written())
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Mendable(f"SURGELINE_CENTRE: {path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Mendable(f"{path} is not TOML: {error}.") from None
    try:
        written = Written.model_validate(told)
        return replace(arrange(written), priors=_priors(path.parent, written.estimates))
    except ValidationError as error:
        raise Mendable(
            f"{path} has faults:\n" + "\n".join(f"  {_placed(dict(e))}" for e in error.errors())
        ) from None
    except (ValueError, Mendable) as error:
        raise Mendable(f"{path}: {error}") from None


def _priors(folder: Path, written: WrittenEstimates) -> Priors:
    if not written.priors:
        return Priors()
    file = folder / written.priors
    try:
        return Priors.unpacked(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Mendable(f"estimates.priors: {file} cannot be read ({error}).") from None


def arrange(written: Written) -> Plan:
    """The written file as the parts take it. Raises ValueError or Mendable where the parts refuse it."""
    topics = tuple(
        menus.Topic(
            id=topic.id,
            key=topic.key,
            queue=topic.queue,
            names=topic.names,
            keywords=topic.keywords,
            band=topic.band,
        )
        for topic in written.topic
    )
    centre = menus.Centre(
        name=written.name,
        default_queue=written.queue[0].name,
        topics=topics,
        languages=written.languages,
        tiers=written.tiers,
        default_band=written.default_band,
        hours=_hours(written),
        language_key=written.language_key,
        message_max_s=written.message_seconds,
    )
    spoken, aim = written.announcements, written.service_level
    pacing = Pacing(
        first_ms=spoken.first_seconds * 1000,
        repeat_ms=spoken.repeat_seconds * 1000,
        quiet_ms=spoken.quiet_seconds * 1000,
        more_than=spoken.more_than,
    )
    policy, promised = _policy(written), written.callbacks.policy()
    surge = written.surge.policy(promised.regions, promised.text_rate_per_s)
    return Plan(written, centre, policy, pacing, aim.within_seconds, aim.target_pct, promised, surge)


def _policy(written: Written) -> LinePolicy:
    agents = written.agents
    return LinePolicy(
        centre=written.id,
        queues=tuple(Queue(q.name, q.max_waiting, q.max_wait_minutes * MINUTE_MS) for q in written.queue),
        bands=tuple(Band(band.name, band.head_start_minutes * MINUTE_MS) for band in written.band),
        ring_ms=agents.ring_seconds * 1000,
        connect_ms=agents.connect_seconds * 1000,
        wrap_up_ms=agents.wrap_up_seconds * 1000,
        resume_ms=agents.resume_seconds * 1000,
        max_misses=agents.max_misses,
    )


def _hours(written: Written) -> Hours | None:
    if not written.hours:
        return None
    weekly = {WEEKDAYS.index(day): _spans(spans) for day, spans in written.hours.items()}
    holidays = {
        day: Holiday(told) if isinstance(told, str) else Holiday(told.name, _spans(told.open))
        for day, told in written.holidays.items()
    }
    return Hours(written.time_zone, weekly, holidays)


def _spans(written: tuple[str, ...]) -> tuple[HoursSpan, ...]:
    pairs = (span.partition("-") for span in written)
    return tuple((opens, closes) for opens, _, closes in pairs)


def _placed(fault: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in fault["loc"]) or "the file as a whole"
    if fault["type"] == "extra_forbidden":
        return f"{place}: there is no such key"
    if fault["type"] == "string_pattern_mismatch":
        return (
            f"{place}: {fault['input']!r} is not {PATTERNS.get(fault['ctx']['pattern'], 'as it should be')}"
        )
    return f"{place}: {str(fault['msg']).removeprefix('Value error, ')}"
