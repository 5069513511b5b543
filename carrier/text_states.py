"""The life of a text, in one table. Pure.

Rule 1: every change of a text's state is a row of ``MOVES``.
Rule 2: nothing leaves a terminal state: a late or repeated word of the carrier changes nothing.
"""

from __future__ import annotations

from enum import StrEnum


class TextState(StrEnum):
    """How far a text has come."""

    QUEUED = "queued"
    """Written down; nobody has been asked to send it."""

    SENDING = "sending"
    """A worker has claimed it and asks the carrier, until ``send_by_ms``."""

    SENT = "sent"
    """The carrier has it; whether it arrives is not known yet."""

    UNKNOWN = "unknown"
    """The carrier did not answer: sent or not, nobody can tell. It is looked up, never sent again."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    """It left the carrier and did not arrive: a landline, a filter, a number out of use."""

    FAILED = "failed"
    """The carrier would not send it: ``error`` has its code."""

    SKIPPED = "skipped"
    """Not sent: the number has opted out."""


_WORDS_OF_THE_CARRIER = frozenset(
    {TextState.SENT, TextState.DELIVERED, TextState.UNDELIVERED, TextState.FAILED}
)

MOVES: dict[TextState, frozenset[TextState]] = {
    # queued -> the carrier's words: it had been sent after all, and the carrier's own report says so.
    TextState.QUEUED: _WORDS_OF_THE_CARRIER | {TextState.SENDING, TextState.SKIPPED},
    # sending -> queued: surely not sent (not processed, or its time was over before the carrier was asked).
    TextState.SENDING: _WORDS_OF_THE_CARRIER | {TextState.QUEUED, TextState.UNKNOWN, TextState.SKIPPED},
    # unknown -> queued: looked up, and not there.
    TextState.UNKNOWN: _WORDS_OF_THE_CARRIER | {TextState.QUEUED},
    TextState.SENT: _WORDS_OF_THE_CARRIER - {TextState.SENT},
    TextState.DELIVERED: frozenset(),
    TextState.UNDELIVERED: frozenset(),
    TextState.FAILED: frozenset(),
    TextState.SKIPPED: frozenset(),
}

TERMINAL = frozenset(state for state, onward in MOVES.items() if not onward)

_TWILIO: dict[str, TextState] = {
    "accepted": TextState.SENT,
    "scheduled": TextState.SENT,
    "queued": TextState.SENT,
    "sending": TextState.SENT,
    "sent": TextState.SENT,
    "delivered": TextState.DELIVERED,
    "read": TextState.DELIVERED,
    "partially_delivered": TextState.UNDELIVERED,
    "undelivered": TextState.UNDELIVERED,
    "failed": TextState.FAILED,
    "canceled": TextState.FAILED,
}


def told(status: str) -> TextState | None:
    """What Twilio's word for a message's status means; None for a word that means nothing here."""
    return _TWILIO.get(status)


def before(state: TextState) -> frozenset[TextState]:
    """The states from which a text may come to ``state``."""
    return frozenset(here for here, onward in MOVES.items() if state in onward)
