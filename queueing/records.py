"""What the line tells its askers, and how the packed pages of the book are read.

A page is one line of fields parted by ``|``, written by ``lua/include/pages.lua``: keep the two in step.
Pure: text in, values out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from queueing.presence import Presence
from queueing.states import ContactState


@dataclass(frozen=True, slots=True)
class Card:
    """Who rings and why: what the desk shows. The line carries it and never reads it."""

    caller: str = ""
    """E.164, or "" when withheld."""
    merchant_id: int | None = None
    merchant: str = ""
    location: str = ""
    tier: str = ""
    product: str = ""
    language: str = "en"
    topic: str = ""
    note: str = ""
    promise: str = ""
    """The callback that this contact is owed or stands for."""
    tries: int = 0
    """How often that callback was tried in vain."""
    region: str = ""
    rail: str = ""
    devices: tuple[str, ...] = ()
    """What an incident's scope asks of a merchant."""
    incident: str = ""
    """The incident that touches them, or may; "" for none."""
    match: str = ""
    """How: "match" or "maybe"."""
    reason: str = ""
    """Why we think so: a clause."""

    def packed(self) -> str:
        """JSON with only what differs from an empty card."""
        told = {name: value for name, value in asdict(self).items() if value != getattr(_EMPTY, name)}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def unpacked(cls, text: str) -> Card:
        """The card of a page; fields this version does not know are left out."""
        told = json.loads(text) if text else {}
        if "devices" in told:
            told["devices"] = tuple(told["devices"])
        return cls(**{name: told[name] for name in _CARD_FIELDS if name in told})


_CARD_FIELDS = frozenset(field.name for field in fields(Card))
_EMPTY = Card()


class EntryOutcome(StrEnum):
    """What came of entering the line. Where the contact stands is its state, not this."""

    ENTERED = "entered"
    """It waits."""

    RESERVED = "reserved"
    """An agent was idle and is being asked."""

    ALREADY = "already"
    """It had entered before; nothing changed."""

    FULL = "full"
    """As many wait as may; it did not enter."""

    ENDED = "ended"
    """It has ended already: a late repeat."""

    GONE = "gone"
    """Nobody of that name is known; nothing changed. Of ``promise`` only."""


class Outcome(StrEnum):
    """What came of a verb."""

    DONE = "done"
    """It was carried out."""

    ALREADY = "already"
    """It had been carried out before; nothing changed."""

    GONE = "gone"
    """Nobody of that name is known."""

    STALE = "stale"
    """The contact has moved on since, or another agent holds it; nothing changed."""

    REFUSED = "refused"
    """The law does not allow it from where it stands; nothing changed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A contact after it came into the line. ``position`` counts from 1; 0 when it does not wait."""

    outcome: EntryOutcome
    state: ContactState
    position: int
    waiting: int
    queue: str
    band: str
    resumed: bool = False
    """It has an older place: kept for the caller, or of the merchant's turn."""
    arrival_us: int = 0
    """Its ticket; 0 when not told (``enter``)."""

    @classmethod
    def read(cls, reply: Sequence[Any]) -> Entry:
        """A script's answer, in this order."""
        outcome, state, position, waiting, queue, band, resumed, *arrival = reply
        late = outcome == "already" and state == "ended"
        return cls(
            outcome=EntryOutcome.ENDED if late else EntryOutcome(outcome),
            state=ContactState(state),
            position=position,
            waiting=waiting,
            queue=queue,
            band=band,
            resumed=resumed == 1,
            arrival_us=int(arrival[0]) if arrival else 0,
        )


@dataclass(frozen=True, slots=True)
class Hold:
    """What one question of the hold loop is answered from.

    On a ``repeat`` of the last question all of it is as it was then, so the answer is the same.
    """

    state: ContactState
    queue: str
    band: str
    position: int
    waiting: int
    entered_ms: int
    arrival_us: int
    asked_ms: int
    facts: str
    repeat: bool
    over_max_wait: bool
    agent: str


@dataclass(frozen=True, slots=True)
class KeptPlace:
    """The place of a caller who dropped out of the line."""

    queue: str
    band: str
    entered_ms: int
    dropped_ms: int
    contact: str
    card: Card


@dataclass(frozen=True, slots=True)
class ContactNow:
    """A contact as it stands. ``position`` counts from 1, None when it does not wait."""

    contact: str
    state: ContactState
    queue: str
    band: str
    agent: str
    fence: int
    """How many reservations it has had: the number of the present one."""
    deadline_ms: int
    accepted: bool
    passed: tuple[str, ...]
    """Agents who declined or missed it, or could not be joined to it."""
    score: int
    arrival_us: int
    entered_ms: int
    answered_ms: int
    disposition: str
    caller_key: str
    card: Card
    position: int | None = None

    @classmethod
    def read(cls, contact: str, page: str, position: int | None = None) -> ContactNow:
        state, queue, passed, band, fence, agent, deadline, accepted, *rest = page.split("|", 14)
        head_start, arrival, entered, answered, disposition, caller_key, card = rest
        return cls(
            contact=contact,
            state=ContactState(state),
            queue=queue,
            band=band,
            agent=agent,
            fence=int(fence),
            deadline_ms=int(deadline),
            accepted=accepted == "1",
            passed=tuple(passed.strip(",").split(",")) if passed else (),
            score=int(arrival) - int(head_start),
            arrival_us=int(arrival),
            entered_ms=int(entered),
            answered_ms=int(answered),
            disposition=disposition,
            caller_key=caller_key,
            card=Card.unpacked(card),
            position=position,
        )


@dataclass(frozen=True, slots=True)
class AgentNow:
    """An agent as it stands."""

    agent: str
    name: str
    presence: Presence
    since_ms: int
    contact: str
    """Whom it is asked for, talks with, or wraps up."""
    queue: str
    """The queue of that contact."""
    fence: int
    deadline_ms: int
    """When the ringing, the joining or the wrap-up ends; 0 when nothing does."""
    misses: int
    after: str
    """Asked for while talking: "away" or "off", else ""."""
    reason: str
    """Why away."""
    line: str
    """Where it is rung: "softphone", or a phone number (E.164)."""
    idle_ms: int
    """Idle since: the longest idle is asked first."""
    skills: dict[str, int]
    """Queue to handicap in ms: how much longer others must wait, or have idled, to go first."""

    @classmethod
    def read(cls, agent: str, page: str) -> AgentNow:
        presence, until, skills, name, line, misses, _busy, since, *rest = page.split("|", 13)
        contact, queue, fence, after, idle, reason = rest
        return cls(
            agent=agent,
            name=name,
            presence=Presence(presence),
            since_ms=int(since),
            contact=contact,
            queue=queue,
            fence=int(fence),
            deadline_ms=int(until),
            misses=int(misses),
            after=after,
            reason=reason,
            line=line,
            idle_ms=int(idle),
            skills=read_skills(skills),
        )


def pack_skills(skills: dict[str, int]) -> str:
    """``{"support": 0, "billing": 30000}`` as ``support=0,billing=30000``."""
    return ",".join(f"{queue}={handicap}" for queue, handicap in skills.items())


def read_skills(packed: str) -> dict[str, int]:
    pairs = (pair.split("=") for pair in packed.split(",") if pair)
    return {queue: int(handicap) for queue, handicap in pairs}


@dataclass(frozen=True, slots=True)
class Expired:
    """One thing that fell due: ``missed``, ``unjoined``, ``reopened``, ``wrapped``, ``lapsed`` (a kept
    place) or ``forgotten``. For ``lapsed``, ``contact`` is the caller key."""

    kind: str
    contact: str
    agent: str


@dataclass(frozen=True, slots=True)
class QueueNow:
    """One queue at a glance. ``agents`` are at work (neither off nor away) and serve it.

    The oldest and the longest wait are of callers: who is owed a callback does not hold on.
    """

    queue: str
    waiting: int
    """Callers and callbacks."""
    oldest_entered_ms: int | None
    longest_wait_ms: int
    agents: int
    ready: int
    promises: int = 0
    """The callbacks among the waiting."""


@dataclass(frozen=True, slots=True)
class Board:
    """The whole line at a glance. ``reserved`` counts contacts being asked for or being joined."""

    at_ms: int
    queues: dict[str, QueueNow]
    presences: dict[Presence, int]
    reserved: int
    connected: int
    agents: tuple[AgentNow, ...]

    @classmethod
    def of(
        cls, in_line: Mapping[str, tuple[int, int | None, int]], agents: Iterable[AgentNow], now_ms: int
    ) -> Board:
        """From each queue's waiting, its oldest caller's entry and its callbacks; and everybody's page."""
        everybody = tuple(sorted(agents, key=lambda agent: agent.agent))
        at_work = [a for a in everybody if a.presence not in (Presence.OFF, Presence.AWAY)]
        queues = {}
        for queue, (waiting, oldest_ms, promises) in in_line.items():
            serving = [agent for agent in at_work if queue in agent.skills]
            queues[queue] = QueueNow(
                queue=queue,
                waiting=waiting,
                oldest_entered_ms=oldest_ms,
                longest_wait_ms=max(0, now_ms - oldest_ms) if oldest_ms is not None else 0,
                agents=len(serving),
                ready=sum(agent.presence is Presence.READY for agent in serving),
                promises=promises,
            )
        presences = {p: sum(agent.presence is p for agent in everybody) for p in Presence}
        connected = sum(a.presence is Presence.TALKING and not a.deadline_ms for a in everybody)
        reserved = presences[Presence.RESERVED] + presences[Presence.TALKING] - connected
        return cls(now_ms, queues, presences, reserved, connected, everybody)
