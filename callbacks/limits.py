"""How many callbacks may be asked for: limits against toll fraud and the pumping of calls and texts. Pure.

An open promise a number is the first of them (a unique index); here are those over time. Whoever works at the
desk has spoken with the merchant, and is not limited.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from callbacks.policy import CallbackPolicy
from foundation.errors import Mendable

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
BLOCK_DIGITS = 4
"""A block is 10,000 numbers: those that differ in their last four digits alone."""
EXEMPT = frozenset({"desk"})
"""Ways of making a promise that are not limited."""


class Limit(StrEnum):
    """The code of a refusal."""

    NUMBER = "limit_number"
    MERCHANT = "limit_merchant"
    BLOCK = "limit_block"


class TooMany(Mendable):
    """No further callback now. ``code`` says which limit; the text is shown as it stands."""

    def __init__(self, limit: Limit) -> None:
        super().__init__(_WORDS[limit])
        self.code = limit


_WORDS = {
    Limit.NUMBER: "This number has asked for several callbacks today. It can ask again tomorrow.",
    Limit.MERCHANT: "This merchant has asked for many callbacks today. They can ask again tomorrow.",
    Limit.BLOCK: "Too many numbers next to this one have asked for a callback. Try again in an hour.",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was promised lately, open or over; the desk's own promises are not in it."""

    number_day: int = 0
    """To this number, in 24 hours."""
    merchant_day: int = 0
    """To this merchant, in 24 hours; 0 for a stranger."""
    block_hour: int = 0
    """Other strangers' numbers of this block, in an hour, that had never asked before."""
    known: bool = False
    """It is a merchant's number, or has been promised a call before: it is no stranger's."""


def reached(policy: CallbackPolicy, asked: Asked, made_by: str) -> Limit | None:
    """The limit that stands in the way of one more promise; None when none does."""
    if made_by in EXEMPT:
        return None
    if asked.number_day >= policy.number_a_day:
        return Limit.NUMBER
    if asked.merchant_day >= policy.merchant_a_day:
        return Limit.MERCHANT
    if not asked.known and asked.block_hour >= policy.block_an_hour:
        return Limit.BLOCK
    return None


def block(number: str) -> str:
    """The block of a number (E.164): all of it but its last digits."""
    return number[:-BLOCK_DIGITS]
