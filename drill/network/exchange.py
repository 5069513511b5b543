"""The network's switching office: every call, queue, conference, number, message and recording there is.

It holds the state and makes the moves that are not a caller's own (a call ends, is diverted, is told of).
What a caller goes through is the interpreter's; it is handed in as ``perform`` by the switchboard.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from drill.network.geography import places
from drill.network.hands import Hands
from drill.network.ledger import Ledger, Violation
from drill.network.legs import Callback, CallStatus, Course, Heard, Leg, Stage, Target
from drill.network.queues import CallQueue
from drill.network.webhooks import Courier, Webhook
from foundation.clock import Clock

API_VERSION = "2010-04-01"
KEPT_ENDED = 20_000
"""So many ended calls can still be asked for; the oldest are forgotten first."""


@dataclass(frozen=True)
class Account:
    """Whose network this is. The API key signs softphones' tokens and may sign in to REST."""

    sid: str
    token: str
    key_sid: str = ""
    key_secret: str = ""
    app_sid: str = ""


@dataclass
class OurNumber:
    """A telephone number of ours and where its calls go."""

    sid: str
    number: str
    created_ms: int
    voice: Target | None = None
    fallback: Target | None = None
    status: Target | None = None
    sms: Target | None = None
    sms_fallback: Target | None = None
    name: str = ""
    updated_ms: int = 0


@dataclass
class Recording:
    """What a caller left. The text stands for the sound."""

    sid: str
    call_sid: str
    created_ms: int
    duration_s: int
    text: str


@dataclass
class Phone:
    """How a telephone that is called behaves."""

    answers: str = "human"
    """human, machine, busy, no-answer or failed."""
    after_ms: int = 4_000
    script: dict[str, Any] = field(default_factory=dict)
    text_error: int | None = None
    """Texts to it come to nothing, for this reason (30006: a landline)."""
    then: list[str] = field(default_factory=list)
    """How it answers when it is rung again, one after the other; the last of them for good."""


class Exchange:
    """The state of the whole network on one clock."""

    def __init__(self, clock: Clock, account: Account, courier: Courier, ledger: Ledger) -> None:
        self.clock = clock
        self.account = account
        self.courier = courier
        self.ledger = ledger
        self.strict = True
        self.legs: dict[str, Leg] = {}
        self.queues: dict[str, CallQueue] = {}
        self.rooms: dict[str, Any] = {}
        self.open_rooms: dict[str, Any] = {}
        """By name; a name can be used again when its conference is over."""
        self.numbers: dict[str, OurNumber] = {}
        self.messages: dict[str, Any] = {}
        self.opted_out: set[tuple[str, str]] = set()
        """(our number, theirs): it said STOP to this number of ours."""
        self.recordings: dict[str, Recording] = {}
        self.phones: dict[str, Phone] = {}
        self.hands = Hands()
        self.clips: dict[str, asyncio.Future[int]] = {}
        self.directory: list[dict[str, str]] = []
        self.base_url = ""
        self._ended: list[str] = []

    def now_ms(self) -> int:
        return self.clock.now_ms()

    def new_leg(self, from_: str, to: str, direction: str, **more: Any) -> Leg:
        now_ms = self.now_ms()
        leg = Leg(new_sid("CA"), from_, to, direction, now_ms, updated_ms=now_ms, **more)
        self.legs[leg.sid] = leg
        self.ledger.counts[f"calls {direction}"] += 1
        return leg

    def active(self) -> int:
        return len(self.legs) - len(self._ended)

    # -- what happens to a call --------------------------------------------------------------------

    def answered(self, leg: Leg) -> None:
        """The call is picked up; its time begins to count."""
        if leg.status is CallStatus.IN_PROGRESS or leg.ended:
            return
        leg.status = CallStatus.IN_PROGRESS
        leg.dialed_ms = leg.dialed_ms or self.now_ms()
        leg.started_ms = leg.updated_ms = self.now_ms()

    def divert(self, leg: Leg, course: Course) -> None:
        """Whatever the call is doing stops, and it follows ``course``."""
        leg.diverted = course
        leg.updated_ms = self.now_ms()
        if leg.queue is not None:
            leg.queue.remove(leg)
        if leg.run is not None:
            leg.run.cancel()

    def end(self, leg: Leg, status: CallStatus = CallStatus.COMPLETED, *, silent: bool = False) -> None:
        """The call is over. Everything it was part of lets go of it, and the product is told (unless
        ``silent``: a call cancelled while still queued is not reported).
        """
        if leg.ended:
            return
        leg.status = status
        leg.ended_ms = leg.updated_ms = self.now_ms()
        leg.diverted = None
        leg.hear(Heard(leg.ended_ms, "note", f"the call is over: {status.value}"))
        if leg.queue is not None:
            leg.queue.remove(leg)
        if leg.bridge is not None:
            leg.bridge.part()
        if leg.participant is not None:
            leg.participant.room.leave(leg.participant, "participant_hung_up")
        leg.keypad.listen()
        leg.stand(Stage.ENDED)
        if leg.run is not None and leg.run is not _current_task():
            leg.run.cancel()
        if not silent:
            self.progress(leg, "completed")
        self._forget(leg)

    def _forget(self, leg: Leg) -> None:
        self.ledger.counts[f"calls ended {leg.status.value}"] += 1
        self._ended.append(leg.sid)
        if len(self._ended) > KEPT_ENDED:
            for sid in self._ended[: KEPT_ENDED // 10]:
                self.legs.pop(sid, None)
            del self._ended[: KEPT_ENDED // 10]

    # -- what the product is told ------------------------------------------------------------------

    def fields(self, leg: Leg, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The parameters on every webhook of a call."""
        fields = {
            "CallSid": leg.sid,
            "AccountSid": self.account.sid,
            "From": leg.from_,
            "To": leg.to,
            "Caller": leg.from_,
            "Called": leg.to,
            "CallStatus": leg.status.value,
            "ApiVersion": API_VERSION,
            "Direction": leg.direction,
        }
        for prefix, number in (
            ("From", leg.from_),
            ("To", leg.to),
            ("Caller", leg.from_),
            ("Called", leg.to),
        ):
            fields.update({f"{prefix}{name}": value for name, value in places(number).items()})
        if leg.parent_sid:
            fields["ParentCallSid"] = leg.parent_sid
        if leg.answered_by:
            fields["AnsweredBy"] = leg.answered_by
        fields.update(leg.extra)
        fields.update(extra or {})
        return fields

    def progress(self, leg: Leg, event: str) -> None:
        """Tell the call's status callback of ``event``: initiated, ringing, answered or completed."""
        if leg.callback is None:
            return
        number = leg.sequence
        leg.sequence += 1
        if event not in leg.callback.events:
            return
        extra = {
            "Timestamp": rfc2822(self.now_ms()),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(number),
        }
        if event == "initiated":
            extra["CallStatus"] = "initiated"
        if event == "completed":
            seconds = duration_s(leg)
            extra["CallDuration"] = str(seconds)
            extra["Duration"] = str(-(-seconds // 60))
        self.tell(leg, leg.callback.url, leg.callback.method, extra)

    def tell(self, leg: Leg, url: str, method: str, extra: Mapping[str, str]) -> None:
        """Send a call's webhook whose answer is of no use."""
        self.courier.tell(Webhook(url, method, self.fields(leg, extra), leg.sid, leg.cookies))

    def breach(self, kind: str, code: int, message: str, url: str = "", leg: Leg | None = None) -> None:
        """The product broke the contract: into the ledger, and into the call's transcript."""
        sid = leg.sid if leg is not None else ""
        self.ledger.breach(Violation(self.now_ms(), kind, code, message, url, sid))
        if leg is not None:
            place = urlsplit(url).path
            leg.hear(Heard(self.now_ms(), "note", f"⚠ {code} {message}" + (f" ({place})" if place else "")))

    # -- queues ------------------------------------------------------------------------------------

    def queue_named(self, name: str, max_size: int = 1000) -> CallQueue:
        """The queue of that name, made on demand."""
        for queue in self.queues.values():
            if queue.name == name:
                return queue
        queue = CallQueue(new_sid("QU"), name, max_size, self.now_ms())
        self.queues[queue.sid] = queue
        return queue


def callback(url: str | None, method: str, events: frozenset[str] | set[str]) -> Callback | None:
    return Callback(url, method, frozenset(events)) if url else None


def duration_s(leg: Leg) -> int:
    """Whole seconds since the call was answered, rounded as Twilio bills: up."""
    if leg.started_ms is None or leg.ended_ms is None:
        return 0
    return -(-(leg.ended_ms - leg.started_ms) // 1000)


_names: list[random.Random] = [random.SystemRandom()]


def draw_names(source: random.Random) -> None:
    """From now on SIDs are drawn from ``source``: a seeded one gives the same names each time."""
    _names[:] = [source]


def new_sid(prefix: str) -> str:
    return f"{prefix}{_names[0].getrandbits(128):032x}"


def rfc2822(ms: int) -> str:
    """``Tue, 31 Aug 2010 20:36:28 +0000``."""
    return formatdate(ms / 1000, localtime=False).replace("-0000", "+0000")


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
