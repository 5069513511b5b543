"""The format of a scenario: one TOML file, every key checked, every fault named with its place.

Times are "21:15" on the centre's clock; the hours go on after midnight ("24:30"). Shares are percent.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from foundation.errors import Mendable
from surge.states import IncidentState

FOLDER = Path(__file__).parent
_TIME = re.compile(r"([0-3]\d):([0-5]\d)")
MOST_MERCHANTS = 6_000


def minutes(told: object) -> float:
    """ "21:15" as minutes since midnight. Raises ValueError for anything else."""
    found = _TIME.fullmatch(str(told)) if isinstance(told, str) else None
    if found is None:
        raise ValueError(f'{told!r} is not a time; write it as "21:15" (after midnight "24:30")')
    return int(found[1]) * 60 + int(found[2])


Time = Annotated[float, BeforeValidator(minutes)]
"""Minutes since the midnight before the drill's day."""
Pct = Annotated[float, Field(ge=0, le=100)]
Span = tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]]
Weights = dict[str, Annotated[float, Field(ge=0)]]
Words = dict[str, str]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Merchants(_Written):
    """``[merchants]``: who may ring. The tables are weights: ``rails = { native = 3, external = 1 }``."""

    count: int = Field(default=600, ge=1, le=MOST_MERCHANTS)
    spanish_pct: Pct = 15
    landline_pct: Pct = 12
    """Their numbers take calls, and no texts."""
    tiers: Weights = {"gold": 1, "standard": 9}
    regions: Weights = {"east": 1, "west": 1}
    rails: Weights = {"native": 1}
    devices: Weights = {"Register tablet": 1}
    products: Weights = {"Register": 1}


class Manners(_Written):
    """``[callers]``: how they behave. Any key may be given anew under an ``[[arrivals]]``."""

    patience_minutes: float = Field(default=10, gt=0)
    """Mean, if nobody answered; Weibull with ``patience_shape`` (below 1: who has waited stays)."""
    patience_shape: float = Field(default=0.75, gt=0.2, le=5)
    redial_pct: Pct = 30
    """Of those who hang up while they wait: ring again after ``redial_minutes``."""
    redial_minutes: Span = (1, 20)
    hangs_up_told_pct: Pct = 10
    """Of those who hear the status of their incident: it is all they wanted."""
    takes_text_pct: Pct = 60
    """Of those who are offered a text instead of the line."""
    returns_pct: Pct = 20
    """Of those who were turned to a text: ring again after ``returns_minutes``."""
    returns_minutes: Span = (3, 30)
    takes_callback_pct: Pct = 50
    replies_pct: Pct = 40
    """Of those who are texted that it is fixed: answer it, within ``replies_minutes``."""
    replies_minutes: Span = (1, 30)
    still_down_pct: Pct = 5
    """Of the answers: it does not work."""
    unknown_pct: Pct = 8
    withheld_pct: Pct = 3
    speaks_pct: Pct = 25
    silent_pct: Pct = 5
    quits_pct: Pct = 4
    """Hang up in the menu."""


class Arrivals(_Written):
    """``[[arrivals]]``: one stream of callers. ``per_minute`` are points (time, calls a minute) with straight
    lines between; nobody rings before the first and after the last."""

    name: str = Field(pattern=r"^[a-z][a-z0-9 -]{0,31}$")
    per_minute: list[tuple[Time, Annotated[float, Field(ge=0, le=600)]]] = Field(min_length=2)
    about: bool = False
    """Their call is about the incident: they say so when asked."""
    strangers: bool = False
    """They ring from numbers that nobody knows: the merchants' own customers."""
    where: dict[Literal["tier", "region", "rail", "device", "product", "language"], list[str]] = {}
    """Which merchants: all that have one of the values of each key."""
    topics: Weights = {}
    """What they choose in the menu; nothing: any."""
    callers: dict[str, Any] = {}
    """``Manners`` that differ from the scenario's."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        times = [at for at, _ in self.per_minute]
        if times != sorted(set(times)):
            raise ValueError("per_minute: each time must be later than the one before")
        return self

    def rate(self, at: float) -> float:
        """Calls a minute at ``at`` (minutes since midnight)."""
        times = [time for time, _ in self.per_minute]
        place = bisect_right(times, at)
        if place == 0 or at > times[-1]:
            return 0.0
        if place == len(times):
            return self.per_minute[-1][1]
        (t0, r0), (t1, r1) = self.per_minute[place - 1], self.per_minute[place]
        return r0 + (r1 - r0) * (at - t0) / (t1 - t0)

    @property
    def expected(self) -> float:
        """How many calls on average."""
        pairs = zip(self.per_minute, self.per_minute[1:], strict=False)
        return sum((r0 + r1) / 2 * (t1 - t0) for (t0, r0), (t1, r1) in pairs)


class Shift(_Written):
    """``[[shift]]``: so many agents from one time to another. ``late_minutes``: how late they come, on
    average (most a little, one a lot). ``queues``: which they serve; nothing: all."""

    agents: int = Field(ge=1, le=500)
    start: Time
    end: Time
    late_minutes: float = Field(default=0, ge=0, le=120)
    breaks: list[tuple[Time, Annotated[float, Field(gt=0, le=240)]]] = []
    """(when, minutes); the agents go one after the other, not all at once."""
    queues: list[str] = []

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end: must be later than start")
        return self


class Work(_Written):
    """``[work]``: how agents work. Talks are lognormal; ``talk_spread`` is sigma of the logarithm."""

    talk_seconds: float = Field(default=270, ge=10, le=7_200)
    talk_spread: float = Field(default=0.7, ge=0, le=2)
    surge_talk: float = Field(default=1.0, ge=0.2, le=5)
    """A call about the incident takes so many times as long."""
    wrap_up_seconds: Span = (10, 40)
    accept_seconds: Span = (1, 4)
    declines_pct: Pct = 2
    misses_pct: Pct = 2
    holds_pct: Pct = 10
    transfers_pct: Pct = 2


class _Step(_Written):
    at: Time
    who: str = Field(default="lead", pattern=r"^(lead|lead2)$")
    incident: str = "it"
    """The scenario's own name for it."""


class Declare(_Step):
    do: Literal["declare"]
    title: str = Field(max_length=120)
    words: Words
    severity: str = "major"
    audience: str = "merchants"
    scope: dict[str, Any] = {"all": True}
    advice: str = ""
    avoid: str = ""
    topic: str = ""
    next_update_minutes: int | None = Field(default=None, ge=1, le=1440)


class Update(_Step):
    do: Literal["update"]
    words: Words
    state: IncidentState | None = None
    advice: str | None = None
    """None leaves it as it is."""
    avoid: str | None = None
    no_news: bool = False
    next_update_minutes: int | None = Field(default=None, ge=1, le=1440)


class SetLevel(_Step):
    """The level; it is renewed by setting it again. For 3 ``lead2`` agrees at once."""

    do: Literal["level"]
    level: int = Field(ge=0, le=3)
    reason: str = Field(default="", max_length=160)


class WorkLedger(_Step):
    """So many people work off the follow-ups that are open, from then to the drill's end."""

    do: Literal["follow-up"]
    people: int = Field(default=2, ge=1, le=50)
    minutes_each: float = Field(default=3, gt=0, le=60)


Step = Annotated[Declare | Update | SetLevel | WorkLedger, Field(discriminator="do")]


class Scenario(_Written):
    """The whole file. ``centre`` are keys of a centre's file; what is not given is the example's."""

    title: str = Field(min_length=1, max_length=120)
    story: str = ""
    """What happened, in a few sentences, and what of it is known."""
    day: date
    begins: Time
    ends: Time
    """Nobody rings after this."""
    after_minutes: float = Field(default=30, ge=0, le=720)
    """So long the line goes on to be worked off."""
    follow_up_hours: float = Field(default=26, ge=0, le=72)
    """So long, after that, only texts and follow-ups go on, to see which come to their end."""
    centre: dict[str, Any] = {}
    merchants: Merchants = Merchants()
    callers: Manners = Manners()
    arrivals: list[Arrivals] = Field(min_length=1)
    shift: list[Shift] = Field(min_length=1)
    work: Work = Work()
    script: list[Step] = []

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        faults = []
        if self.ends <= self.begins:
            faults.append("ends: must be later than begins")
        names = [stream.name for stream in self.arrivals]
        faults += [f"arrivals: {name} is written twice" for name in {n for n in names if names.count(n) > 1}]
        for stream in self.arrivals:
            strange = sorted(set(stream.callers) - set(Manners.model_fields))
            faults += [f"arrivals {stream.name}.callers: there is no {key}" for key in strange]
        known: set[str] = set()
        for step in sorted(self.script, key=lambda step: step.at):
            if isinstance(step, Declare):
                known.add(step.incident)
            elif isinstance(step, Update) and step.incident not in known:
                faults.append(f"script: {step.incident!r} is updated before it is declared")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def manners(self, stream: Arrivals) -> Manners:
        """Raises ValidationError for what the stream gives anew and is out of range."""
        return Manners.model_validate({**self.callers.model_dump(), **stream.callers})

    def ms(self, at: float, time_zone: str) -> int:
        """A time of the scenario as milliseconds since the epoch."""
        midnight = datetime(self.day.year, self.day.month, self.day.day, tzinfo=ZoneInfo(time_zone))
        return round((midnight.astimezone(UTC) + timedelta(minutes=at)).timestamp() * 1000)


def names() -> list[str]:
    """The scenarios that come with the drill."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def find(told: str) -> Path:
    """A scenario's file by its name, or by its path. Raises Mendable naming those there are."""
    beside, given = FOLDER / f"{told}.toml", Path(told)
    if beside.is_file() and told in names():
        return beside
    if given.is_file():
        return given
    raise Mendable(f"There is no scenario {told!r}: name a TOML file, or one of {', '.join(names())}.")


def read(path: Path) -> Scenario:
    """Raises Mendable naming every fault of the file, each with its place and what to mend."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Mendable(f"{path} cannot be read ({error.strerror}).") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Mendable(f"{path} is not TOML: {error}.") from None
    return understood(told, str(path))


def understood(told: Mapping[str, Any], named: str) -> Scenario:
    """The scenario that ``told`` means. Raises Mendable; ``named`` is where it stands."""
    try:
        scenario = Scenario.model_validate(told)
        for stream in scenario.arrivals:
            scenario.manners(stream)
    except ValidationError as error:
        lines = [f"  {_place(fault['loc'])}: {_said(dict(fault))}" for fault in error.errors()]
        raise Mendable(f"{named} has faults:\n" + "\n".join(dict.fromkeys(lines))) from None
    return scenario


def _place(steps: Sequence[object]) -> str:
    place = ""
    for step in steps:
        place += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if place else str(step)
    return place or "the file as a whole"


def _said(fault: Mapping[str, Any]) -> str:
    match fault["type"]:
        case "extra_forbidden":
            return "there is no such key"
        case "missing":
            return "this is needed"
        case _:
            return str(fault["msg"]).removeprefix("Value error, ")
