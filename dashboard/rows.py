"""Rows of the record as people read them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dashboard.views import END_WORDS, LANGUAGE_WORDS


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A contact of the record. ``outcome`` and ``note`` are the agent's, "" where there are none."""

    contact: str
    queue: str
    band: str
    merchant_id: int | None
    merchant: str
    location: str
    tier: str
    product: str
    topic: str
    language: str
    caller: str
    entered_ms: int
    answered_ms: int | None
    ended_ms: int | None
    disposition: str
    agent: str
    outcome: str
    note: str


@dataclass(frozen=True, slots=True)
class ListedRow:
    """A contact in a list and on its own page. ``waited_ms`` and ``talked_ms`` are None while they last."""

    contact: str
    merchant: str
    caller: str
    queue: str
    topic: str
    agent: str
    end: str
    entered_ms: int
    waited_ms: int | None
    talked_ms: int | None
    note: str
    facts: list[tuple[str, str]]


def listed(row: RecordRow, number: Callable[[str], str], outcomes: Mapping[str, str]) -> ListedRow:
    """``number`` hides what the reader need not see of a phone number; ``outcomes`` is code to word."""
    caller = number(row.caller) if row.caller else "withheld"
    until_ms = row.answered_ms if row.answered_ms is not None else row.ended_ms
    talked_ms = (
        row.ended_ms - row.answered_ms if row.ended_ms is not None and row.answered_ms is not None else None
    )
    facts = [
        ("Number", caller),
        ("Location", row.location),
        ("Tier", row.tier.capitalize()),
        ("Product", row.product),
        ("Language", LANGUAGE_WORDS.get(row.language, row.language)),
        ("Topic", row.topic),
        ("Queue", row.queue),
        ("Band", row.band),
        ("Agent", row.agent),
        ("Outcome", outcomes.get(row.outcome, row.outcome)),
    ]
    return ListedRow(
        contact=row.contact,
        merchant=row.merchant or "Unknown caller",
        caller=caller,
        queue=row.queue,
        topic=row.topic,
        agent=row.agent,
        end=END_WORDS.get(row.disposition, row.disposition),
        entered_ms=row.entered_ms,
        waited_ms=until_ms - row.entered_ms if until_ms is not None else None,
        talked_ms=talked_ms,
        note=row.note,
        facts=[(term, value) for term, value in facts if value],
    )


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of a contact's journal."""

    at_ms: int
    kind: str
    details: str


_DETAILS = (
    ("agent", "agent {}"),
    ("queue", "queue {}"),
    ("disposition", "{}"),
    ("position", "place {}"),
    ("outcome", "{}"),
    ("text", "“{}”"),
    ("why", "{}"),
    ("reason", "{}"),
)


def details(agent: str, queue: str, fields: Mapping[str, object], kind: str) -> str:
    """What is worth saying of an event beside its kind."""
    told = {**{name: str(value) for name, value in fields.items()}, "agent": agent, "queue": queue}
    if kind not in ("entered", "transferred", "full"):
        told.pop("queue")
    words = [form.format(told[name]) for name, form in _DETAILS if told.get(name)]
    if told.get("low_min") and told.get("high_min"):
        words.append(f"a wait of {told['low_min']} to {told['high_min']} min")
    return ", ".join(words)


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A recorded message."""

    id: str
    at_ms: int
    merchant: str
    caller: str
    length_ms: int | None
    recording: str
    done: bool
    done_by: str
