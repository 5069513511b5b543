"""One agent's desk as it stands: what its page is made from, read from Redis and from the record."""

from __future__ import annotations

from dataclasses import dataclass

from callbacks import lists
from callbacks.turns import promise_of
from carrier.numbers import masked
from dashboard.auth import Who
from dashboard.band import MatchView, match_view
from dashboard.desk_view import DeskFacts, DeskView, PastContact, desk_view
from dashboard.live import Look
from dashboard.owing import owed_for
from dashboard.past import history_of
from dashboard.promise_views import OwedView, PromiseFacts
from dashboard.rooms import Rooms
from dashboard.views import QueueRow, Said, queue_rows
from foundation.connections import answering
from foundation.errors import Unavailable
from queueing.presence import Presence
from queueing.records import AgentNow, ContactNow
from surge.directive import Directive

HELD_S = 4 * 3_600

TROUBLE = {
    "redis": Said(
        "near",
        "The line's memory does not answer",
        "What you see is from before. A call you are in goes on; callers in line keep hearing music.",
    ),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything the desk's page is rendered from; ``seen_ms`` tells an older scene from a newer one."""

    desk: DeskView
    queues: list[QueueRow]
    trouble: Said | None
    seen_ms: int
    owed: OwedView
    match: MatchView | None = None
    """Whether the contact in hand is about an incident."""


class Case:
    """What is remembered of one contact while an agent has it, so that it is not read each second."""

    def __init__(self) -> None:
        self.key: tuple[str, int, bool, Presence, int] = ("", 0, False, Presence.OFF, 0)
        self.contact: ContactNow | None = None
        self.history: list[PastContact] = []
        self.promise: PromiseFacts | None = None

    async def read(self, rooms: Rooms, agent: AgentNow, version: int) -> None:
        """The contact of ``agent``, read again when the reservation, its joining or the promise changed."""
        key = (agent.contact, agent.fence, agent.deadline_ms == 0, agent.presence, version)
        if key == self.key:
            return
        same = key[0] == self.key[0]
        self.contact = await rooms.line.contact(agent.contact) if agent.contact else None
        if not same:
            self.history = await self._history(rooms)
        if self.contact is None or not promise_of(self.contact.contact):
            self.promise = None
        else:
            self.promise = await promise_facts(rooms, self.contact) or self.promise
        self.key = key

    async def _history(self, rooms: Rooms) -> list[PastContact]:
        if self.contact is None:
            return []
        try:
            return await history_of(rooms, self.contact)
        except Unavailable:
            return []  # the card is good without it


async def promise_facts(rooms: Rooms, contact: ContactNow) -> PromiseFacts | None:
    """The promise that a turn stands for; None while SQL is away."""
    try:
        row = await lists.one(rooms.sql, promise_of(contact.contact))
        if row is None:
            return None
        tried = await lists.last_try(rooms.sql, contact.contact)
    except Unavailable:
        return None
    return PromiseFacts(
        id=row.id,
        version=row.version,
        number=row.number,
        made_ms=row.made_ms,
        by_ms=row.by_ms,
        windowed=row.windowed,
        tries=row.tries,
        most_tries=rooms.office.policy.tries,
        time_zone=row.time_zone or rooms.time_zone,
        texts=row.texts,
        result=tried.result if tried else "",
        dialed=tried is not None,
    )


async def look_at_desk(
    rooms: Rooms,
    who: Who,
    look: Look,
    case: Case,
    agent: AgentNow | None,
    seen_ms: int,
    start: int = 0,
    directive: Directive | None = None,
) -> Scene:
    """The desk of ``who``, whose record ``agent`` was read at ``seen_ms``; without Redis, as remembered.

    ``start``: from which on the callbacks owed are listed. ``directive``: the incidents of now.
    """
    trouble = look.trouble
    held = False
    if agent is not None:
        try:
            await case.read(rooms, agent, look.version(promise_of(agent.contact)))
            held = agent.presence is Presence.TALKING and await is_held(rooms, agent)
        except Unavailable:
            trouble = "redis"
    facts = DeskFacts(
        policy=rooms.policy,
        agent=agent,
        contact=case.contact if agent and agent.contact else None,
        held=held,
        phone=who.account.phone,
        softphone=rooms.softphone.kind != "none",
        skills=[queue.name for queue in rooms.policy.queues if queue.name in who.account.skills],
        reasons=rooms.reasons,
        outcomes=rooms.outcomes,
        history=case.history if agent and agent.contact else [],
        promise=case.promise if agent and agent.contact else None,
        now_ms=rooms.clock.now_ms(),
        quiet=(rooms.office.policy.quiet_from, rooms.office.policy.quiet_to),
    )
    queues = queue_rows(look.board, rooms.targets.longest_wait_ms) if look.board else []
    owed = owed_for(rooms, look, skills=list(who.account.skills), start=start, agent=who.agent)
    match = match_view(directive or Directive(), facts.contact.card if facts.contact else None)
    return Scene(desk_view(facts, masked), queues, TROUBLE.get(trouble), seen_ms, owed, match)


async def is_held(rooms: Rooms, agent: AgentNow) -> bool:
    """Whether the agent put the caller on hold in this reservation."""
    async with answering(rooms.breaker):
        return bool(await rooms.redis.get(_held_key(rooms, agent.contact)) == str(agent.fence))


async def mark_held(rooms: Rooms, contact: str, fence: int, on: bool) -> None:
    """Remember for the desk that the caller hears music, or does so no more."""
    async with answering(rooms.breaker):
        if on:
            await rooms.redis.set(_held_key(rooms, contact), str(fence), ex=HELD_S)
        else:
            await rooms.redis.delete(_held_key(rooms, contact))


def _held_key(rooms: Rooms, contact: str) -> str:
    return f"{rooms.tag}:web:held:{contact}"
