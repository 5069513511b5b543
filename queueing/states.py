"""The life of a contact: the whole law, in one table.

Rule 1: every change of a contact's state is a row of ``MOVES``. The Lua scripts carry the moves out and
name them in their headers; the tests hold the two to each other, and ``docs/states.md`` is drawn from here.

Rule 2: this file knows nothing of Redis, Twilio or the time of day.
"""

from __future__ import annotations

from enum import StrEnum

from foundation.errors import SurgelineError


class ContactState(StrEnum):
    """Where a contact stands. It stands in exactly one place."""

    WAITING = "waiting"
    """In the line, hearing music and announcements."""

    RESERVED = "reserved"
    """Held for one agent, until a deadline: the agent is being asked, or the two are being joined."""

    CONNECTED = "connected"
    """Talking with an agent."""

    ENDED = "ended"
    """Gone. *Why* is a ``Disposition``, never one more state."""


class Disposition(StrEnum):
    """Why a contact ended: the one recorded outcome of a call."""

    ANSWERED = "answered"
    """Talked with an agent."""

    ABANDONED = "abandoned"
    """The caller hung up while waiting."""

    PROMISED = "promised"
    """Left the line for a callback that keeps the place."""

    DEFLECTED = "deflected"
    """Told the status and texted instead of waiting."""

    MESSAGE = "message"
    """Left a recorded message."""

    CLOSED = "closed"
    """Rang outside opening hours and left nothing."""

    FULL = "full"
    """The line was full, and the caller left nothing."""

    NOT_REACHED = "not_reached"
    """A promise's turn: the merchant was dialled and not reached."""

    SET_ASIDE = "set_aside"
    """A promise's turn: it left the line for another time, another way, or for good."""


MOVES: dict[ContactState, frozenset[ContactState]] = {
    # waiting -> waiting is a transfer to another queue, or another band: the age is kept.
    ContactState.WAITING: frozenset({ContactState.WAITING, ContactState.RESERVED, ContactState.ENDED}),
    # reserved -> waiting is decline, ring no answer, or a failed join: the ticket is kept.
    ContactState.RESERVED: frozenset({ContactState.CONNECTED, ContactState.WAITING, ContactState.ENDED}),
    # connected -> waiting is the agent's transfer to another queue: the age is kept.
    ContactState.CONNECTED: frozenset({ContactState.WAITING, ContactState.ENDED}),
    ContactState.ENDED: frozenset(),
}


class IllegalMove(SurgelineError):
    """A contact was asked to go where the law does not let it go."""


def check(here: ContactState, there: ContactState) -> None:
    """Raise IllegalMove unless ``here -> there`` is a row of ``MOVES``."""
    if there not in MOVES[here]:
        raise IllegalMove(f"a contact does not go from {here} to {there}")
