"""Promises to ring back into what pages show. Pure: values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from callbacks.owed import Owed
from callbacks.states import Mode, PromiseState, Result
from callbacks.turns import promise_of, turn_name
from dashboard.views import LANGUAGE_WORDS, sentence
from queueing.presence import Presence
from queueing.records import AgentNow

Masked = Callable[[str], str]

CALLBACK_OUTCOMES = (
    ("reached", "Reached"),
    ("no_answer", "No answer"),
    ("machine", "Machine"),
    ("wrong_number", "Wrong number"),
    ("again", "Call again"),
)
"""How a callback went, in the agent's words: code and what the desk shows."""

LATER_MINUTES = (10, 30, 60)
SKIP_REASONS = (
    "Another agent knows them",
    "Needs another language",
    "Spoke to them just now",
    "Another reason",
)

_GUESSES = {
    Result.NO_ANSWER: "no_answer",
    Result.BUSY: "no_answer",
    Result.HUNG_UP: "no_answer",
    Result.FAILED: "no_answer",
    Result.REFUSED: "wrong_number",
    Result.MACHINE: "machine",
    Result.WRONG_NUMBER: "wrong_number",
    Result.AGENT_GONE: "again",
    Result.TROUBLE: "again",
}

_RESULT_WORDS = {
    Result.NO_ANSWER: "Nobody picked up.",
    Result.BUSY: "The line was busy.",
    Result.HUNG_UP: "They picked up and hung up again.",
    Result.FAILED: "The network could not ring it.",
    Result.REFUSED: "The network will never ring this number.",
    Result.MACHINE: "A machine picked up, or nobody pressed 1.",
    Result.WRONG_NUMBER: "It is the wrong number.",
    Result.AGENT_GONE: "You were not on the line.",
    Result.TROUBLE: "The call could not be connected; it is made again and not counted.",
}

STATE_WORDS: Mapping[str, str] = {
    PromiseState.IN_LINE: "in line",
    PromiseState.DUE_LATER: "later",
    PromiseState.RESERVED: "asked",
    PromiseState.DIALING: "calling",
    PromiseState.CONNECTED: "talking",
    PromiseState.KEPT: "kept",
    PromiseState.UNREACHABLE: "unreachable",
    PromiseState.CANCELLED: "cancelled",
    PromiseState.SUPERSEDED: "they rang us first",
    PromiseState.RESOLVED: "resolved",
    PromiseState.EXPIRED: "expired",
}


def guess(result: str, talked: bool) -> tuple[str, str]:
    """Which outcome the system already knows, and in words what it saw; ("", "") when it knows nothing."""
    if talked:
        return "reached", ""
    if result not in list(Result):
        return "", ""
    return _GUESSES[Result(result)], _RESULT_WORDS[Result(result)]


# -- the card --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PromiseFacts:
    """What the desk is told of the promise in hand. ``result`` is of the newest attempt, "" without one."""

    id: str
    version: int
    number: str
    made_ms: int
    by_ms: int
    windowed: bool
    tries: int
    most_tries: int
    time_zone: str
    texts: bool
    result: str = ""
    dialed: bool = False


@dataclass(frozen=True, slots=True)
class CallbackCard:
    """A promise in hand. ``there`` is the merchant's own time of day; ``night`` when nobody is rung then."""

    id: str
    version: int
    number: str
    made_ms: int
    by_ms: int
    windowed: bool
    tries: str
    there: str
    night: bool
    texts: bool
    guess: str
    guess_words: str


def callback_card(
    facts: PromiseFacts, masked: Masked, *, now_ms: int, talked: bool, quiet: tuple[str, str]
) -> CallbackCard:
    """``quiet``: from and to, as "21:00" and "08:00", when nobody is rung."""
    there = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(facts.time_zone)).strftime("%H:%M")
    guessed, words = guess(facts.result, talked)
    return CallbackCard(
        id=facts.id,
        version=facts.version,
        number=masked(facts.number),
        made_ms=facts.made_ms,
        by_ms=facts.by_ms,
        windowed=facts.windowed,
        tries=f"try {min(facts.tries + 1, facts.most_tries)} of {facts.most_tries}",
        there=there,
        night=within(there, *quiet),
        texts=facts.texts,
        guess=guessed,
        guess_words=words,
    )


def within(clock: str, begins: str, ends: str) -> bool:
    """Whether a time of day lies in a stretch that may go over midnight."""
    return begins <= clock < ends if begins <= ends else clock >= begins or clock < ends


# -- the list --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a promise now: asked, calling or talking."""

    agent: str
    name: str
    presence: Presence
    joining: bool


def holders(agents: Iterable[AgentNow]) -> dict[str, Holder]:
    """Promise to who has it, read off the agents' pages."""
    busy = (Presence.RESERVED, Presence.TALKING)
    return {
        promise_of(now.contact): Holder(now.agent, now.name or now.agent, now.presence, now.deadline_ms != 0)
        for now in agents
        if now.presence in busy and promise_of(now.contact)
    }


@dataclass(frozen=True, slots=True)
class OwedRow:
    """A promise in a list. ``waits``: it is not due before ``due_ms``."""

    id: str
    turn: str
    version: int
    late: bool
    by_ms: int
    made_ms: int
    due_ms: int
    waits: bool
    number: str
    merchant: str
    location: str
    tier: str
    topic: str
    language: str
    queue: str
    tries: str
    mark: str
    word: str
    who: str
    for_agent: str
    can_claim: bool
    can_change: bool
    texts: bool


def owed_row(
    row: Owed, held: Mapping[str, Holder], masked: Masked, *, now_ms: int, most_tries: int
) -> OwedRow:
    holder = held.get(row.id)
    mark, word, who = _standing(row, holder)
    waits = row.state in (PromiseState.IN_LINE, PromiseState.DUE_LATER) and holder is None
    return OwedRow(
        id=row.id,
        turn=turn_name(row.id, max(row.turn, 1)),
        version=row.version,
        late=row.late(now_ms),
        by_ms=row.until_ms,
        made_ms=row.made_ms,
        due_ms=row.due_ms,
        waits=row.state == PromiseState.DUE_LATER,
        number=masked(row.number),
        merchant=row.merchant or "Unknown caller",
        location=row.location,
        tier=row.tier.capitalize(),
        topic=sentence(row.topic),
        language=LANGUAGE_WORDS.get(row.language, row.language) if row.language != "en" else "",
        queue=row.queue,
        tries=f"{row.tries} / {most_tries}",
        mark=mark,
        word=word,
        who=who,
        for_agent=row.agent,
        can_claim=waits
        and row.state == PromiseState.IN_LINE
        and row.mode != Mode.MERCHANT_FIRST
        and not row.rang_in,
        can_change=waits,
        texts=row.texts,
    )


def _standing(row: Owed, holder: Holder | None) -> tuple[str, str, str]:
    """The mark, the word and who has it."""
    if holder and holder.presence is Presence.RESERVED:
        return "busy", "asked", holder.name
    if holder and (holder.joining or row.state == PromiseState.DIALING):
        return "ring", "calling", holder.name
    if holder or row.state == PromiseState.CONNECTED:
        return "live-mark", "talking", holder.name if holder else ""
    if row.state == PromiseState.DIALING:
        return "ring", "calling", ""
    if row.rang_in:
        return "busy", "rang in, on hold", ""
    if row.state == PromiseState.DUE_LATER:
        return "quiet", "later", ""
    return "queued", "in line", ""


@dataclass(frozen=True, slots=True)
class OwedView:
    """The list under the desk. ``next`` is the promise that is due soonest, of all that are not in hand."""

    rows: Sequence[OwedRow]
    next: OwedRow | None
    total: int
    late: int
    start: int
    size: int
    known: bool = True


def owed_view(
    rows: Sequence[Owed],
    held: Mapping[str, Holder],
    masked: Masked,
    *,
    now_ms: int,
    most_tries: int,
    start: int,
    size: int,
) -> OwedView:
    """A page of ``rows``, which are in their order already."""
    start = start if start < len(rows) else 0
    told = [
        owed_row(row, held, masked, now_ms=now_ms, most_tries=most_tries)
        for row in rows[start : start + size]
    ]
    first = next(
        (
            row
            for row in rows
            if row.id not in held and row.state in (PromiseState.IN_LINE, PromiseState.DUE_LATER)
        ),
        None,
    )
    return OwedView(
        rows=told,
        next=owed_row(first, held, masked, now_ms=now_ms, most_tries=most_tries) if first else None,
        total=len(rows),
        late=sum(row.late(now_ms) for row in rows),
        start=start,
        size=size,
    )


def by_words(ms: int, now_ms: int, zone: str) -> str:
    """A moment as people say it: "14:05", with the day when it is another."""
    there = ZoneInfo(zone)
    at, now = (datetime.fromtimestamp(t / 1000, UTC).astimezone(there) for t in (ms, now_ms))
    return at.strftime("%H:%M" if at.date() == now.date() else "%-d %b, %H:%M")


def span(ms: float) -> str:
    """A stretch of time in few words: "4:05" below ten minutes, "24 min", "1 h 44 min", "2 days"."""
    s = max(0, int(ms // 1000))
    if s < 600:
        return f"{s // 60}:{s % 60:02}"
    minutes = s // 60
    if minutes < 60:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{hours // 24} days"


def left(by_ms: int, now_ms: int) -> str:
    """How a promise stands: "4:05 left" or "late by 24 min"."""
    return f"{span(by_ms - now_ms)} left" if now_ms <= by_ms else f"late by {span(now_ms - by_ms)}"


def left_level(by_ms: int, made_ms: int, now_ms: int) -> str:
    """ "past" when late, "near" when less than a fifth of the time is left, else ""."""
    if not by_ms:
        return ""
    if now_ms > by_ms:
        return "past"
    return "near" if by_ms - now_ms < 0.2 * (by_ms - made_ms) else ""
