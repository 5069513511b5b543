"""A promise's name in the line: ``PR…`` for the promise, ``PR….3`` for its third turn there.

Each time a promise comes into the line it is a contact of its own, which ends once like any other; so a late
word about an earlier turn cannot touch this one. The ticket is the promise's and the same in every turn.
"""

from __future__ import annotations

import secrets

from queueing.names import TURN


def new_promise_id() -> str:
    """A name nobody can guess: it stands in links."""
    return f"PR{secrets.token_hex(8)}"


def turn_name(promise: str, turn: int) -> str:
    """The contact that stands in the line for this promise."""
    return f"{promise}.{turn}"


def promise_of(contact: str) -> str:
    """The promise that this contact of the line stands for; "" for a live call."""
    found = TURN.fullmatch(contact)
    return found[1] if found else ""


def turn_of(contact: str) -> int:
    """Which turn of its promise this contact is; 0 for a live call."""
    found = TURN.fullmatch(contact)
    return int(found[2]) if found else 0
