"""The life of an agent's presence: the whole law, in one table.

Rule 1: every change of an agent's presence is a row of ``MOVES``; the Lua scripts carry them out.
Rule 2: this file knows nothing of Redis, Twilio or the time of day.
"""

from __future__ import annotations

from enum import StrEnum


class Presence(StrEnum):
    """What an agent is doing. An agent does one thing at a time."""

    OFF = "off"
    """Not signed in to the line."""

    AWAY = "away"
    """Signed in and not taking contacts: a break, or two reservations missed."""

    READY = "ready"
    """Idle, and served the next contact."""

    RESERVED = "reserved"
    """Being asked to take one contact."""

    TALKING = "talking"
    """With a contact, or being joined to it."""

    WRAP_UP = "wrap_up"
    """Writing down what was said, until a deadline."""


MOVES: dict[Presence, frozenset[Presence]] = {
    Presence.OFF: frozenset({Presence.AWAY, Presence.READY}),
    Presence.AWAY: frozenset({Presence.READY, Presence.OFF}),
    Presence.READY: frozenset({Presence.RESERVED, Presence.AWAY, Presence.OFF}),
    # reserved -> ready: the caller left, or the agent declined or missed it once.
    # reserved -> away: missed twice in a row, or a break was asked for.
    Presence.RESERVED: frozenset({Presence.TALKING, Presence.READY, Presence.AWAY, Presence.OFF}),
    # talking -> ready: the two could not be joined, there is nothing to wrap up.
    Presence.TALKING: frozenset({Presence.WRAP_UP, Presence.READY, Presence.AWAY, Presence.OFF}),
    Presence.WRAP_UP: frozenset({Presence.READY, Presence.AWAY, Presence.OFF}),
}
