"""The life of an incident, of the surge level, and of a follow-up: the whole law, in three tables.

Rule 1: every change is a row of a table here. Rule 2: an incident may move backwards and be reopened:
"resolved" has been wrong before. Rule 3: this file knows nothing of Redis, SQL, Twilio or the time of day.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from foundation.errors import SurgelineError


class IncidentState(StrEnum):
    """Where an incident stands, in the words that status pages use."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    """A fix is in; we watch."""
    VERIFIED = "verified"
    """The fix holds by our own look; merchants are asked whether theirs works."""
    RESOLVED = "resolved"


LIVE = frozenset(
    {
        IncidentState.INVESTIGATING,
        IncidentState.IDENTIFIED,
        IncidentState.MONITORING,
        IncidentState.VERIFIED,
    }
)
"""Incidents that callers are told of."""

OVER = frozenset({IncidentState.VERIFIED, IncidentState.RESOLVED})
"""It works again, as far as we can tell."""

INCIDENT_MOVES: dict[IncidentState, frozenset[IncidentState]] = {
    IncidentState.INVESTIGATING: frozenset(
        {IncidentState.IDENTIFIED, IncidentState.MONITORING, IncidentState.VERIFIED}
    ),
    IncidentState.IDENTIFIED: frozenset(
        {IncidentState.INVESTIGATING, IncidentState.MONITORING, IncidentState.VERIFIED}
    ),
    IncidentState.MONITORING: frozenset(
        {IncidentState.INVESTIGATING, IncidentState.IDENTIFIED, IncidentState.VERIFIED}
    ),
    # Resolved only by way of verified: a soak comes before it.
    IncidentState.VERIFIED: frozenset(
        {
            IncidentState.INVESTIGATING,
            IncidentState.IDENTIFIED,
            IncidentState.MONITORING,
            IncidentState.RESOLVED,
        }
    ),
    IncidentState.RESOLVED: frozenset({IncidentState.INVESTIGATING, IncidentState.IDENTIFIED}),
}
"""An update may also leave the state as it is."""


class Level(IntEnum):
    """How far the line protects itself."""

    CALM = 0
    WATCH = 1
    """It may come to a surge: callers are told of incidents, nobody is turned away."""
    SURGE = 2
    """Matched callers are offered a text or a callback before the line."""
    CLOSED_TO_NEW = 3
    """Matched callers do not join the line: told, texted, followed up. Two people decide it."""


LEVEL_MOVES: dict[Level, frozenset[Level]] = {
    Level.CALM: frozenset({Level.WATCH, Level.SURGE}),
    Level.WATCH: frozenset({Level.CALM, Level.SURGE}),
    Level.SURGE: frozenset({Level.CALM, Level.WATCH, Level.CLOSED_TO_NEW}),
    Level.CLOSED_TO_NEW: frozenset({Level.SURGE, Level.WATCH, Level.CALM}),
}
"""Up to closed_to_new only from surge, and only by two people; down at once, by one."""


class FollowUpState(StrEnum):
    """What has become of a caller whom we did not serve."""

    OPEN = "open"
    TOLD = "told"
    """Texted that it is over, and asked whether it works; no answer yet."""
    CLAIMED = "claimed"
    """Somebody deals with it now."""
    WORKS = "works"
    """They say it works, or did not answer within the time given after being told it does."""
    SERVED = "served"
    """They were answered since, by call or callback."""
    REACHED = "reached"
    """Somebody of ours reached them."""
    UNREACHABLE = "unreachable"
    """Nobody could be reached, by any way we have."""
    NOT_WANTED = "not_wanted"
    """They asked to be left alone, or withheld their number."""
    DUPLICATE = "duplicate"
    """The same merchant has another follow-up, which stays."""


FOLLOW_UP_ENDS = frozenset(
    {
        FollowUpState.WORKS,
        FollowUpState.SERVED,
        FollowUpState.REACHED,
        FollowUpState.UNREACHABLE,
        FollowUpState.NOT_WANTED,
        FollowUpState.DUPLICATE,
    }
)


FOLLOW_UP_MOVES: dict[FollowUpState, frozenset[FollowUpState]] = {
    FollowUpState.OPEN: FOLLOW_UP_ENDS | {FollowUpState.TOLD, FollowUpState.CLAIMED},
    FollowUpState.TOLD: FOLLOW_UP_ENDS | {FollowUpState.CLAIMED, FollowUpState.OPEN},
    FollowUpState.CLAIMED: FOLLOW_UP_ENDS | {FollowUpState.OPEN, FollowUpState.TOLD},
    # "2, still down" after "works": back to work.
    FollowUpState.WORKS: frozenset({FollowUpState.OPEN}),
    **dict.fromkeys(FOLLOW_UP_ENDS - {FollowUpState.WORKS}, frozenset[FollowUpState]()),
}


class Match(StrEnum):
    """Whether a caller is touched by an incident, as far as we can tell."""

    MATCH = "match"
    MAYBE = "maybe"
    """Not known enough of the caller to say no."""
    NONE = "none"


class IllegalMove(SurgelineError):
    """An incident, a level or a follow-up was asked to go where the law does not let it go."""


def check_incident(here: IncidentState, there: IncidentState) -> None:
    """Raise IllegalMove unless it stays, or ``here -> there`` is a row of ``INCIDENT_MOVES``."""
    if there != here and there not in INCIDENT_MOVES[here]:
        raise IllegalMove(f"an incident does not go from {here} to {there}")


def check_level(here: Level, there: Level, people: int) -> None:
    """Raise IllegalMove unless the table allows it, with two ``people`` for closed_to_new."""
    if there != here and there not in LEVEL_MOVES[here]:
        raise IllegalMove(f"the level does not go from {here.name.lower()} to {there.name.lower()}")
    if there is Level.CLOSED_TO_NEW and here is not there and people < 2:
        raise IllegalMove("closing the line to new callers takes two people")


def check_follow_up(here: FollowUpState, there: FollowUpState) -> None:
    """Raise IllegalMove unless ``here -> there`` is a row of ``FOLLOW_UP_MOVES``."""
    if there not in FOLLOW_UP_MOVES[here]:
        raise IllegalMove(f"a follow-up does not go from {here} to {there}")
