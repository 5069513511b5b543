"""How many parts a text is sent in: what is paid for, and what a sender's pace is counted in. Pure."""

from __future__ import annotations

from functools import cache
from typing import Any

from gsm0338 import Codec

LONGEST = 1600
"""Characters of one text at Twilio."""
_GSM7 = (160, 153)
"""Septets of a single part, and of each of several."""
_ANY = (70, 67)
"""UTF-16 units of the same, as soon as one character is not in the GSM alphabet."""


def segments(body: str) -> int:
    """At least 1. The alphabet's second table ({ } [ ] ^ ~ | \\ and €) takes two septets a character."""
    try:
        size, (one, part) = len(_codec().encode(body)[0]), _GSM7
    except UnicodeEncodeError:
        size, (one, part) = len(body.encode("utf-16-le", "surrogatepass")) // 2, _ANY
    return 1 if size <= one else -(-size // part)


def is_gsm7(body: str) -> bool:
    """Whether the cheap alphabet is enough."""
    try:
        _codec().encode(body)
    except UnicodeEncodeError:
        return False
    return True


@cache
def _codec() -> Any:
    return Codec()
