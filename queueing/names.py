"""What may be a name in the line, and which names stand for a promise's turn. Pure."""

from __future__ import annotations

import re

from foundation.errors import Mendable

TURN = re.compile(r"(PR[0-9a-f]{16})\.([1-9][0-9]{0,5})")
"""A promise and which turn of it. Each time a promise comes into the line it is a contact of its own."""

TURN_PREFIX = "PR"
"""How the name of a turn begins, and of no call: for queries."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,63}")


def nameable(name: str) -> bool:
    """Whether a contact, an agent or a caller key may be called so: it must not break a packed page."""
    return _NAME.fullmatch(name) is not None


def must_be_names(*contacts: str, caller_key: str = "") -> None:
    """Raises Mendable unless all of these can be names; the caller key may be empty."""
    if not all(map(nameable, contacts)) or (caller_key and not nameable(caller_key)):
        raise Mendable("A contact's name and a caller key are letters, digits and ._:+- only.")


def is_turn(contact: str) -> bool:
    """Whether this contact is a promise's turn, which nobody rang for and nobody can hang up."""
    return contact.startswith(TURN_PREFIX)
