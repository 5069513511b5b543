"""One leg of a call: who it is, where it stands, what it hears, and what is keyed and said on it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from foundation.clock import Clock

if TYPE_CHECKING:
    from drill.network.people import Person

KEPT_HEARD = 600
"""So many lines of a call's transcript are kept; older ones fall away."""


class CallStatus(StrEnum):
    """Twilio's own words for where a call stands."""

    QUEUED = "queued"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"


FINAL = frozenset(
    {
        CallStatus.COMPLETED,
        CallStatus.BUSY,
        CallStatus.FAILED,
        CallStatus.NO_ANSWER,
        CallStatus.CANCELED,
    }
)


class Stage(StrEnum):
    """Where a person on the line would say they are."""

    RINGING = "ringing"
    MENU = "menu"
    QUEUE = "queue"
    CONFERENCE = "conference"
    TALKING = "talking"
    RECORDING = "recording"
    ENDED = "ended"


@dataclass(frozen=True)
class Heard:
    """One line of a transcript. ``kind``: say, play, pause, gather, dial, enqueue, press, speak, note."""

    at_ms: int
    kind: str
    text: str = ""
    language: str = ""
    duration_ms: int = 0

    def shown(self) -> dict[str, Any]:
        return {
            "at_ms": self.at_ms,
            "kind": self.kind,
            "text": self.text,
            "language": self.language,
            "duration_ms": self.duration_ms,
        }


@dataclass(frozen=True)
class Target:
    """A webhook's address."""

    url: str
    method: str = "POST"


@dataclass(frozen=True)
class Callback:
    """Who is told of a call's or a conference's progress, and of which events."""

    url: str
    method: str
    events: frozenset[str]


@dataclass(frozen=True)
class Course:
    """The document a call follows next: fetched from ``url``, or given as ``twiml``."""

    url: str
    method: str = "POST"
    params: dict[str, str] = field(default_factory=dict)
    context: str = "voice.answer"
    twiml: str | None = None
    is_fallback: bool = False


class Keypad:
    """The keys and words that come from the person while somebody listens for them."""

    def __init__(self) -> None:
        self.listens_for: frozenset[str] = frozenset()
        self.keys: deque[str] = deque()
        self.words: deque[str] = deque()
        self._arrived: asyncio.Future[None] | None = None

    def listen(self, *kinds: str) -> None:
        """From now on these kinds of input (dtmf, speech) count; what came before is forgotten."""
        self.listens_for = frozenset(kinds)
        self.keys.clear()
        self.words.clear()

    def press(self, digits: str) -> bool:
        """False when nobody listens for keys."""
        if "dtmf" not in self.listens_for:
            return False
        self.keys.extend(digits)
        self._ring()
        return True

    def speak(self, text: str) -> bool:
        """False when nobody listens for words."""
        if "speech" not in self.listens_for:
            return False
        self.words.append(text)
        self._ring()
        return True

    async def within(self, clock: Clock, ms: float) -> bool:
        """Wait ``ms`` for input. True as soon as there is some (or was some already)."""
        if self.keys or self.words:
            return True
        self._arrived = asyncio.get_running_loop().create_future()
        try:
            await first_of(clock, ms, self._arrived)
        finally:
            self._arrived = None
        return bool(self.keys or self.words)

    def _ring(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)


@dataclass(eq=False)
class Leg:
    """A call as Twilio sees it: one party, one SID."""

    sid: str
    from_: str
    to: str
    direction: str
    created_ms: int
    status: CallStatus = CallStatus.RINGING
    number_sid: str | None = None
    parent_sid: str | None = None
    label: str = ""
    extra: dict[str, str] = field(default_factory=dict)
    """More parameters that ride on each of this call's webhooks (ApplicationSid, ForwardedFrom …)."""
    fallback: Target | None = None
    callback: Callback | None = None
    updated_ms: int = 0
    dialed_ms: int | None = None
    """When it began to ring (Twilio's start_time)."""
    started_ms: int | None = None
    """When it was answered."""
    ended_ms: int | None = None
    queue_ms: int = 0
    answered_by: str | None = None
    machine: bool = False
    """A machine picked up."""
    stage: Stage = Stage.RINGING
    verb: str = ""
    said: int = 0
    """How many lines of transcript there have been, kept or not."""
    heard: deque[Heard] = field(default_factory=lambda: deque(maxlen=KEPT_HEARD))
    watchers: set[asyncio.Event] = field(default_factory=set)
    keypad: Keypad = field(default_factory=Keypad)
    cookies: dict[str, str] = field(default_factory=dict)
    sequence: int = 0
    person: Person | None = None
    run: asyncio.Task[Any] | None = None
    diverted: Course | None = None
    queue: Any = None
    bridge: Any = None
    participant: Any = None

    @property
    def ended(self) -> bool:
        return self.status in FINAL

    def hear(self, line: Heard) -> None:
        """Something is heard on the line (or done on it): note it, and let those who watch know."""
        self.heard.append(line)
        self.said += 1
        for watcher in self.watchers:
            watcher.set()
        if self.person is not None:
            self.person.hears(line)

    def stand(self, stage: Stage) -> None:
        """The call has come to another stage."""
        if stage is self.stage:
            return
        self.stage = stage
        for watcher in self.watchers:
            watcher.set()
        if self.person is not None:
            self.person.comes_to(stage)

    def shown(self) -> dict[str, Any]:
        """For the control routes: what a person on the line would know, and the transcript."""
        return {
            "sid": self.sid,
            "from": self.from_,
            "to": self.to,
            "direction": self.direction,
            "label": self.label,
            "status": self.status.value,
            "stage": self.stage.value,
            "verb": self.verb,
            "listens_for": sorted(self.keypad.listens_for),
            "created_ms": self.created_ms,
            "started_ms": self.started_ms,
            "ended_ms": self.ended_ms,
            "transcript": [line.shown() for line in self.heard],
        }


async def first_of(clock: Clock, ms: float, happening: asyncio.Future[Any]) -> bool:
    """Wait for ``happening``, but no longer than ``ms``. True when it came first."""
    speed = getattr(clock, "speed", None)
    if speed is not None:
        return await _first_of_loop(max(0.0, ms) / 1000 / speed, happening)
    timer = asyncio.ensure_future(clock.sleep(ms))
    try:
        await asyncio.wait({timer, happening}, return_when=asyncio.FIRST_COMPLETED)
        return happening.done()
    finally:
        timer.cancel()


async def _first_of_loop(s: float, happening: asyncio.Future[Any]) -> bool:
    """The same on the loop's own time: ``asyncio.wait`` does it too, for twice the price."""
    if happening.done():
        return True
    loop = asyncio.get_running_loop()
    either = loop.create_future()

    def come(_: object = None) -> None:
        if not either.done():
            either.set_result(None)

    timer = loop.call_later(s, come)
    happening.add_done_callback(come)
    try:
        await either
        return happening.done()
    finally:
        timer.cancel()
        happening.remove_done_callback(come)
