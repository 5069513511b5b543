"""The ledger of whom we did not serve, as its page shows it. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.views import LANGUAGE_WORDS
from surge.states import FOLLOW_UP_ENDS, FollowUpState

STATE_WORDS = {
    FollowUpState.OPEN: ("Open", "near"),
    FollowUpState.TOLD: ("Told, no answer yet", "queued"),
    FollowUpState.CLAIMED: ("Claimed", "busy"),
    FollowUpState.WORKS: ("Works for them", "quiet"),
    FollowUpState.SERVED: ("Served since", "quiet"),
    FollowUpState.REACHED: ("Reached", "quiet"),
    FollowUpState.UNREACHABLE: ("Unreachable", "quiet"),
    FollowUpState.NOT_WANTED: ("Not wanted", "quiet"),
    FollowUpState.DUPLICATE: ("Duplicate", "quiet"),
}
WHY_WORDS = {
    "deflected": "Turned to a text",
    "abandoned": "Hung up",
    "full": "Line was full",
    "closed": "Line was closed",
    "message": "Left a message",
    "unreachable": "Callback not reached",
    "expired": "Callback expired",
    "resolved": "Callback not needed",
    "asked": "Asked by text",
}
VERBS = (
    ("claim", "Claim"),
    ("reached", "Reached"),
    ("unreachable", "Unreachable"),
    ("not_wanted", "Not wanted"),
    ("release", "Give back"),
)
"""What is done with many at once: code and word."""

TO_SAY = {
    "merchants": (
        "You rang us about “{title}”, and we could not take your call. It is repaired. Does yours work?",
        "If it does not: we put you through now, at the place you had. Which shop, which device?",
    ),
    "customers": (
        "You asked about a payment or an order while “{title}” went on. It is over.",
        "Check your order or your card once more. If something is still missing, your shop can see it too.",
    ),
}
"""What to say, by whom it is said to: a row is of one of the two."""


@dataclass(frozen=True, slots=True)
class FollowUpView:
    id: str
    merchant: str
    number: str
    tier: str
    language: str
    why: str
    incident: str
    audience: str
    state: str
    word: str
    mark: str
    who: str
    made_ms: int
    told_ms: int | None
    ended_ms: int | None
    note: str
    open: bool


def follow_up_view(
    row: Any, masked: Callable[[str], str], names: Mapping[str, str], titles: Mapping[str, str]
) -> FollowUpView:
    state = FollowUpState(row.state)
    word, mark = STATE_WORDS[state]
    who = row.claimed_by if state is FollowUpState.CLAIMED else row.ended_by
    number = masked(row.number) if row.number else "withheld"
    return FollowUpView(
        id=row.id,
        merchant=row.merchant or f"Caller {number}",
        number=number,
        tier=row.tier.capitalize(),
        language="" if row.language == "en" else LANGUAGE_WORDS.get(row.language, row.language),
        why=WHY_WORDS.get(row.why, row.why),
        incident=titles.get(row.incident, ""),
        audience=row.audience,
        state=state.value,
        word=word,
        mark=mark,
        who=names.get(who, who),
        made_ms=row.made_ms,
        told_ms=row.told_ms,
        ended_ms=row.ended_ms,
        note=row.note,
        open=state not in FOLLOW_UP_ENDS,
    )


@dataclass(frozen=True, slots=True)
class Completion:
    """How far the ledger is. ``share`` is None while it is empty; ``states`` are those that occur."""

    every: int
    open: int
    share: float | None
    states: Sequence[tuple[str, str, int, str]]
    """Code, word, count, mark: the open ones first."""


def completion(counts: Mapping[str, int]) -> Completion:
    every = sum(counts.values())
    left = sum(count for state, count in counts.items() if state not in FOLLOW_UP_ENDS)
    states = [
        (state.value, word, counts[state.value], mark)
        for state, (word, mark) in STATE_WORDS.items()
        if counts.get(state.value)
    ]
    return Completion(every, left, (every - left) / every if every else None, states)


def close_word(left: int) -> str:
    """The button that closes the incident's list says how many are left."""
    if not left:
        return "Close the list"
    return f"{left:,} {'is' if left == 1 else 'are'} left: the list cannot be closed yet"
