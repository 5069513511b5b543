"""What Twilio says to us: refusals, silence, and the things it shows. No wire here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from foundation.errors import SurgelineError


class Refused(SurgelineError):
    """Twilio refused."""

    def __init__(self, code: int, status: int, message: str) -> None:
        super().__init__(f"Twilio refused ({status}, code {code}): {message}")
        self.code = code
        self.status = status


class Busy(SurgelineError):
    """Twilio has too many requests at once; this one was not processed."""


class Ambiguous(SurgelineError):
    """Twilio did not answer: it may have been done, or not."""


class Dequeued(StrEnum):
    """What became of taking a call out of its queue."""

    TOOK = "took"
    LOST = "lost"
    """The call has left the queue or ended: take the next."""


@dataclass(frozen=True)
class Member:
    """A call waiting in one of Twilio's queues."""

    call_sid: str
    queue_sid: str
    position: int
    entered_ms: int
    wait_s: int


@dataclass(frozen=True)
class TwilioQueue:
    """One of Twilio's queues."""

    sid: str
    name: str
    size: int
    max_size: int


@dataclass(frozen=True)
class Call:
    """A call as Twilio knows it. ``status`` is one of Twilio's words."""

    sid: str
    to: str
    from_: str
    status: str
    direction: str
    started_ms: int | None


@dataclass(frozen=True)
class OwnedNumber:
    """A number of the account and where it points."""

    sid: str
    number: str
    voice_url: str
    fallback_url: str
    status_url: str
    sms_url: str = ""
    sms_fallback_url: str = ""


@dataclass(frozen=True)
class Message:
    """A text as Twilio knows it. ``status`` and ``direction`` are Twilio's words; "" is no error."""

    sid: str
    to: str
    from_: str
    body: str
    status: str
    direction: str
    created_ms: int
    error: str
