"""The life of a promise to ring back, and of one attempt to keep it: the whole law, in two tables.

Rule 1: every change of a promise's state is a row of ``MOVES``, of an attempt's a row of ``ATTEMPT_MOVES``.
Rule 2: a promise ends in exactly one terminal state, with a word on why and by whom.
Rule 3: this file knows nothing of Redis, SQL, Twilio or the time of day.
"""

from __future__ import annotations

from enum import StrEnum

from foundation.errors import SurgelineError


class PromiseState(StrEnum):
    """Where a promise stands. SQL is its record; ``reserved`` is read off the line, which alone knows it."""

    DUE_LATER = "due_later"
    """Not before ``due_ms``: a time window, or a next try. It holds its ticket and no place in the line."""

    IN_LINE = "in_line"
    """In the line with the live calls, at its ticket; or its caller rang in again (``live_contact``)."""

    RESERVED = "reserved"
    """An agent sees its card, or has claimed it."""

    DIALING = "dialing"
    """An attempt is under way: from the intent row on until the merchant is reached or not."""

    CONNECTED = "connected"
    """Merchant and agent talk; how it went is not yet written down."""

    KEPT = "kept"
    """They talked."""

    UNREACHABLE = "unreachable"
    """Every try was made, in vain."""

    CANCELLED = "cancelled"
    """Withdrawn by the merchant, an agent or a supervisor: ``reason`` and ``ended_by`` say which."""

    SUPERSEDED = "superseded"
    """The merchant reached us first."""

    RESOLVED = "resolved"
    """The incident is over and the merchant needs no call."""

    EXPIRED = "expired"
    """It could not be kept in its time; somebody has to follow it up."""


OPEN = frozenset(
    {
        PromiseState.DUE_LATER,
        PromiseState.IN_LINE,
        PromiseState.RESERVED,
        PromiseState.DIALING,
        PromiseState.CONNECTED,
    }
)
"""A number has at most one promise in these."""

_ENDS = frozenset(
    {PromiseState.CANCELLED, PromiseState.SUPERSEDED, PromiseState.RESOLVED, PromiseState.EXPIRED}
)
"""Where every open promise may end."""

MOVES: dict[PromiseState, frozenset[PromiseState]] = {
    PromiseState.DUE_LATER: _ENDS | {PromiseState.IN_LINE, PromiseState.DIALING},
    # in_line -> dialing: merchant first, or an agent's reservation that SQL was never told of.
    PromiseState.IN_LINE: _ENDS | {PromiseState.RESERVED, PromiseState.DIALING, PromiseState.DUE_LATER},
    PromiseState.RESERVED: _ENDS | {PromiseState.DIALING, PromiseState.IN_LINE, PromiseState.DUE_LATER},
    # back to in_line: the attempt was withdrawn unsent, or the carrier did not process it.
    PromiseState.DIALING: _ENDS
    | {PromiseState.CONNECTED, PromiseState.IN_LINE, PromiseState.DUE_LATER, PromiseState.UNREACHABLE},
    # an agent's word after the talk: a machine, a wrong number, "again".
    PromiseState.CONNECTED: _ENDS | {PromiseState.KEPT, PromiseState.DUE_LATER, PromiseState.UNREACHABLE},
    PromiseState.KEPT: frozenset(),
    PromiseState.UNREACHABLE: frozenset(),
    PromiseState.CANCELLED: frozenset(),
    PromiseState.SUPERSEDED: frozenset(),
    PromiseState.RESOLVED: frozenset(),
    PromiseState.EXPIRED: frozenset(),
}


class AttemptState(StrEnum):
    """How far one attempt has come. Each is a point from which a dead worker's attempt is recovered."""

    INTENT = "intent"
    """Written down; not sent after ``send_by_ms``, whoever wakes up."""

    SENT = "sent"
    """The carrier has it: ``call_sid`` is known, the merchant's phone rings."""

    UNKNOWN = "unknown"
    """Sent or not, nobody can tell: it is looked up at the carrier, never sent again."""

    ANSWERED = "answered"
    """Picked up, and this leg won the promise."""

    TALKED = "talked"
    """The merchant pressed 1 and met an agent."""

    NOT_REACHED = "not_reached"
    """Over, in vain: ``result`` says how. It counts as a try."""

    WITHDRAWN = "withdrawn"
    """Never rang: not sent in time, not processed, or overtaken. It does not count as a try."""


ATTEMPT_MOVES: dict[AttemptState, frozenset[AttemptState]] = {
    AttemptState.INTENT: frozenset(
        {
            AttemptState.SENT,
            AttemptState.UNKNOWN,
            AttemptState.ANSWERED,
            AttemptState.NOT_REACHED,
            AttemptState.WITHDRAWN,
        }
    ),
    AttemptState.SENT: frozenset({AttemptState.ANSWERED, AttemptState.NOT_REACHED, AttemptState.WITHDRAWN}),
    AttemptState.UNKNOWN: frozenset(
        {AttemptState.SENT, AttemptState.ANSWERED, AttemptState.NOT_REACHED, AttemptState.WITHDRAWN}
    ),
    AttemptState.ANSWERED: frozenset({AttemptState.TALKED, AttemptState.NOT_REACHED, AttemptState.WITHDRAWN}),
    AttemptState.TALKED: frozenset(),
    AttemptState.NOT_REACHED: frozenset(),
    AttemptState.WITHDRAWN: frozenset(),
}

ATTEMPT_OPEN = frozenset(
    {AttemptState.INTENT, AttemptState.SENT, AttemptState.UNKNOWN, AttemptState.ANSWERED}
)


class Result(StrEnum):
    """Why an attempt reached nobody."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    MACHINE = "machine"
    """A machine, or nobody who pressed a key: a message was left, once."""
    HUNG_UP = "hung_up"
    """Picked up and put down again, or the merchant hung up before an agent was there."""
    FAILED = "failed"
    """The carrier could not ring it."""
    REFUSED = "refused"
    """The carrier will never ring it: no further try."""
    WRONG_NUMBER = "wrong_number"
    AGENT_GONE = "agent_gone"
    """We were not there: it does not count as the merchant's try."""
    TROUBLE = "trouble"
    """Picked up, and no door of ours could say who rings: it does not count either."""


class Mode(StrEnum):
    """Who is asked first."""

    AGENT_FIRST = "agent_first"
    """The agent sees the card and presses Call; then the merchant is dialled."""

    MERCHANT_FIRST = "merchant_first"
    """The merchant is dialled when an agent is about to be free."""


class IllegalMove(SurgelineError):
    """A promise or an attempt was asked to go where the law does not let it go."""


def check(here: PromiseState, there: PromiseState) -> None:
    """Raise IllegalMove unless ``here -> there`` is a row of ``MOVES``."""
    if there not in MOVES[here]:
        raise IllegalMove(f"a promise does not go from {here} to {there}")


def check_attempt(here: AttemptState, there: AttemptState) -> None:
    """Raise IllegalMove unless ``here -> there`` is a row of ``ATTEMPT_MOVES``."""
    if there not in ATTEMPT_MOVES[here]:
        raise IllegalMove(f"an attempt does not go from {here} to {there}")
