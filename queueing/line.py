"""The line: verbs over Lua. Each is one script, one atomic move, one or more lines of the journal.

A repeat of any verb is harmless and says so. Every verb raises Unavailable when Redis does not answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from redis.asyncio import Redis

from foundation.breaker import Breaker
from queueing.bands import Band
from queueing.keys import entering
from queueing.names import must_be_names, nameable
from queueing.policy import LinePolicy, Queue
from queueing.records import (
    AgentNow,
    Board,
    Card,
    ContactNow,
    Entry,
    EntryOutcome,
    Expired,
    Hold,
    KeptPlace,
    Outcome,
    QueueNow,
)
from queueing.scripts import Scripts
from queueing.states import ContactState, Disposition

__all__ = [
    "Band",
    "Board",
    "Card",
    "ContactNow",
    "Entry",
    "EntryOutcome",
    "Expired",
    "Hold",
    "KeptPlace",
    "Line",
    "LinePolicy",
    "Outcome",
    "Queue",
    "QueueNow",
]


class Line:
    """The line of one centre."""

    def __init__(self, redis: Redis, policy: LinePolicy, breaker: Breaker | None = None) -> None:
        self.policy = policy
        self._run = Scripts(redis, policy, breaker, _SCRIPTS)
        self.keys = self._run.keys
        self._here = {q.name: key for q, key in zip(policy.queues, self.keys.waiting, strict=True)}
        self._entering = {q.name: entering(self.keys, policy, q) for q in policy.queues}

    async def _move(self, name: str, contact: str, **given: Any) -> Outcome:
        if not nameable(contact):
            return Outcome.GONE
        return Outcome(await self._run(name, contact=contact, **given))

    # --- arriving and waiting -----------------------------------------------------------------------

    async def enter(
        self,
        contact: str,
        *,
        queue: str,
        band: str,
        card: Card,
        caller_key: str = "",
        now_ms: int,
        arrived_ms: int | None = None,
        after_us: int = 0,
    ) -> Entry:
        """Join the line; an idle agent is asked at once. A second time it is ALREADY, and changes nothing.

        With the ``caller_key`` of somebody who dropped out less than ``resume_ms`` ago, the old place is
        taken up, even when the line is full. ``arrived_ms``: the caller has waited since then, unknown to
        the line (Redis was away), and gets the place of that time, even when it is full; ``after_us``, 0 to
        999,999, is the place among those of that millisecond. Who waits already and came earlier than the
        line knew is moved up to that place. Raises Mendable for an unknown queue or band, or for a name
        that is none.
        """
        self.policy.queue(queue)
        head_start = self.policy.band(band).head_start_ms
        must_be_names(contact, caller_key=caller_key)
        reply = await self._run(
            "enter",
            contact=contact,
            **self._entering[queue],
            band=band,
            head_start_us=head_start * 1000,
            caller_key=caller_key,
            card=card.packed(),
            now_ms=now_ms,
            arrived_ms=now_ms if arrived_ms is None else min(arrived_ms, now_ms),
            after_us=after_us,
        )
        if len(reply) == 2:
            position, waiting = reply
            return Entry(EntryOutcome.ENTERED, ContactState.WAITING, position, waiting, queue, band)
        entry = Entry.read(reply)
        if (
            entry.outcome is EntryOutcome.ALREADY
            and entry.state is ContactState.WAITING
            and not entry.position
        ):
            position = await self.position(contact) or 0  # it has gone to another queue
            waiting = await self._run.waiting(self._here[entry.queue])
            return replace(entry, position=position, waiting=waiting)
        return entry

    async def kept_place(self, caller_key: str, now_ms: int) -> KeptPlace | None:
        """The place this caller dropped out of less than ``resume_ms`` ago, to skip the menu."""
        if not nameable(caller_key):
            return None
        page = await self._run.page(f"~{caller_key}")
        if page is None:
            return None
        queue, band, _arrival, entered, dropped, contact, card = page.split("|", 6)
        if now_ms - int(dropped) > self.policy.resume_ms or queue not in self._here:
            return None
        return KeptPlace(queue, band, int(entered), int(dropped), contact, Card.unpacked(card))

    async def hold(self, contact: str, *, ask: str, facts: str, now_ms: int) -> Hold | None:
        """Where a contact stands, for its hold loop; None when unknown.

        ``ask`` is the fingerprint of the request, ``facts`` whatever else the answer is made from. The
        same ``ask`` as last time gives what the first was answered from, so the answer is the same.
        """
        if not nameable(contact):
            return None
        reply = await self._run(
            "hold", contact=contact, ask=ask.replace("|", "_"), facts=facts, now_ms=now_ms
        )
        if reply is None:
            return None
        repeat, answer = reply
        _, asked, state, queue, band, agent, entered, arrival, position, waiting, its_facts = answer.split(
            "|", 10
        )
        return Hold(
            state=ContactState(state),
            queue=queue,
            band=band,
            position=int(position),
            waiting=int(waiting),
            entered_ms=int(entered),
            arrival_us=int(arrival),
            asked_ms=int(asked),
            facts=its_facts,
            repeat=repeat == 1,
            over_max_wait=bool(queue) and int(asked) - int(entered) >= self.policy.queue(queue).max_wait_ms,
            agent=agent,
        )

    async def position(self, contact: str) -> int | None:
        """Where it stands in its queue, from 1; None when it does not wait."""
        if not nameable(contact):
            return None
        position: int | None = await self._run("position", contact=contact)
        return position

    async def set_band(self, contact: str, band: str, now_ms: int) -> Outcome:
        """Another head start for a contact that waits or is reserved; the arrival stays.

        DONE, ALREADY, REFUSED (connected), STALE (ended) or GONE. Raises Mendable for an unknown band.
        """
        head_start_us = self.policy.band(band).head_start_ms * 1000
        return await self._move("set_band", contact, band=band, head_start_us=head_start_us, now_ms=now_ms)

    async def leave(
        self, contact: str, disposition: Disposition, now_ms: int, caller_key: str = ""
    ) -> Outcome:
        """The caller has gone, from wherever the contact stood; its agent is freed, once.

        Connected, this is ``finish``: it was answered. An abandoned contact's place is kept ``resume_ms``
        for the caller key given here or at ``enter``. DONE, ALREADY (ended) or GONE.
        """
        key = caller_key if nameable(caller_key) else ""
        return await self._move(
            "leave", contact, disposition=disposition.value, caller_key=key, now_ms=now_ms
        )

    async def turn_away(
        self, contact: str, why: Disposition, card: Card, now_ms: int, *, over: bool, since_ms: int = 0
    ) -> Outcome:
        """A call that never came into the line has its outcome, once. Is the call ``over``, it cannot come in
        any more: to enter it is ENDED. ``since_ms``: when it began, 0 when that is not known.

        DONE, ALREADY (its outcome is on record) or REFUSED (it is in the line now: that is ``leave``).
        """
        return await self._move(
            "turn_away", contact, away=self.keys.away(contact), disposition=why.value, over=int(over),
            since_ms=since_ms, card=card.packed(), now_ms=now_ms,
        )  # fmt: skip

    async def transfer(
        self, contact: str, queue: str, band: str | None, now_ms: int, fence: int = 0
    ) -> Outcome:
        """From waiting or connected into the line of a queue, as old as it is; its agent wraps up.

        With ``fence``, only while that reservation of the contact is the present one. The agent who
        transfers it is not offered it again while another could be. DONE, ALREADY, REFUSED (reserved),
        STALE or GONE. Raises Mendable for an unknown queue or band.
        """
        self.policy.queue(queue)
        head_start_us = self.policy.band(band).head_start_ms * 1000 if band else 0
        return await self._move(
            "transfer",
            contact,
            queue=queue,
            band=band or "",
            head_start_us=head_start_us,
            fence=fence,
            now_ms=now_ms,
        )

    # --- promises -----------------------------------------------------------------------------------

    async def promise(self, contact: str, turn: str, *, card: Card, now_ms: int) -> Entry:
        """The caller will be rung back: the contact ends, and ``turn`` takes exactly its place.

        ENTERED (the turn, also when an agent is asked for it at once), ALREADY (the turn is known, whatever
        its state); with nothing changed, of the contact: RESERVED (an agent is asked for it or talks with
        it), ENDED, GONE. Raises Mendable for a name that is none.
        """
        must_be_names(contact, turn)
        reply = await self._run("promise", contact=contact, turn=turn, card=card.packed(), now_ms=now_ms)
        return replace(Entry.read(reply), outcome=EntryOutcome(reply[0]))

    async def rejoin(
        self,
        contact: str,
        *,
        queue: str,
        band: str,
        arrival_us: int,
        entered_ms: int,
        card: Card,
        now_ms: int,
    ) -> Entry:
        """Into the line at the ticket ``arrival_us`` (0: a new one), however many wait.

        ``entered_ms``: since when it waits; for a live call, when it rang. ENTERED, RESERVED (an agent is
        asked at once), ALREADY or ENDED. Raises Mendable for an unknown queue or band, or no name.
        """
        self.policy.queue(queue)
        must_be_names(contact)
        reply = await self._run(
            "rejoin",
            contact=contact,
            queue=queue,
            band=band,
            head_start_us=self.policy.band(band).head_start_ms * 1000,
            arrival_us=arrival_us,
            entered_ms=entered_ms,
            card=card.packed(),
            now_ms=now_ms,
        )
        return Entry.read(reply)

    async def take_up(
        self, contact: str, turn: str, *, queue: str, band: str, card: Card, caller_key: str = "", now_ms: int
    ) -> Entry:
        """Whom we owe a callback rings in: enters at the earlier of its own place and the turn's.

        A turn that waits, or whose agent has not said yes, is set aside, and its agent is free. Once more it
        is ALREADY or ENDED, and changes nothing. FULL only when the turn is unknown or over. ``resumed``: it
        has an older place; then the band may be the turn's. Raises Mendable as ``enter`` does.
        """
        must_be_names(contact, turn, caller_key=caller_key)
        reply = await self._run(
            "take_up",
            contact=contact,
            turn=turn,
            **entering(self.keys, self.policy, self.policy.queue(queue)),
            band=band,
            head_start_us=self.policy.band(band).head_start_ms * 1000,
            caller_key=caller_key,
            card=card.packed(),
            now_ms=now_ms,
        )
        return Entry.read(reply)

    # --- reservations -------------------------------------------------------------------------------

    async def claim(self, turn: str, agent: str, *, now_ms: int, lease_ms: int) -> tuple[Outcome, str]:
        """An agent who is ready, away or wraps up takes a waiting turn, to be accepted within ``lease_ms``.

        DONE, ALREADY (this agent's), STALE (with whose it is, "" when it is over), REFUSED (the agent is off,
        asked for another or talking) or GONE. Afterwards the agent is ready, as after any contact.
        """
        if not nameable(turn) or not nameable(agent):
            return Outcome.GONE, ""
        outcome, who = await self._run("claim", turn=turn, agent=agent, ring_ms=lease_ms, now_ms=now_ms)
        return Outcome(outcome), who

    async def accept(
        self, contact: str, agent: str, fence: int, now_ms: int, within_ms: int | None = None
    ) -> Outcome:
        """The agent says yes: DONE, ALREADY, STALE (another's, or over) or GONE.

        The two must meet within the policy's ``connect_ms``, or ``within_ms``.
        """
        if not nameable(agent):
            return Outcome.STALE
        within = {} if within_ms is None else {"connect_ms": within_ms}
        return await self._move("accept", contact, agent=agent, fence=fence, now_ms=now_ms, **within)

    async def not_reached(self, turn: str, fence: int, now_ms: int) -> Outcome:
        """The merchant was dialled in vain: the turn ends, its agent wraps up.

        DONE, ALREADY (ended), STALE (its agent has not said yes, another reservation, they talk) or GONE.
        """
        if not nameable(turn):
            return Outcome.GONE
        return Outcome(await self._run("not_reached", turn=turn, fence=fence, now_ms=now_ms))

    async def keep_for(self, turn: str, agent: str, now_ms: int) -> Outcome:
        """A waiting turn is for ``agent`` only, "" for all: DONE, ALREADY, STALE (it does not wait), GONE."""
        if not nameable(turn) or (agent and not nameable(agent)):
            return Outcome.GONE
        return Outcome(await self._run("keep_for", turn=turn, agent=agent, now_ms=now_ms))

    async def decline(self, contact: str, agent: str, fence: int, now_ms: int, away: bool = False) -> Outcome:
        """The agent says no, and is ready for another (or ``away``). The contact keeps its place.

        DONE, ALREADY, REFUSED (had accepted: that is ``fail_join``), STALE or GONE.
        """
        if not nameable(agent):
            return Outcome.STALE
        return await self._move("decline", contact, agent=agent, fence=fence, away=int(away), now_ms=now_ms)

    async def connect(self, contact: str, now_ms: int, agent: str = "") -> Outcome:
        """Caller and agent have met: DONE, ALREADY, REFUSED (nobody accepted), STALE or GONE."""
        return await self._move("connect", contact, agent=agent, now_ms=now_ms)

    async def fail_join(self, contact: str, now_ms: int) -> Outcome:
        """The agent who accepted could not be joined, or was lost: the contact is back in its place.

        DONE, ALREADY (it waits), REFUSED (nobody accepted: that is ``decline``), STALE (ended) or GONE.
        """
        return await self._move("fail_join", contact, now_ms=now_ms)

    async def finish(self, contact: str, now_ms: int) -> Outcome:
        """The talk is over: DONE, ALREADY (ended), REFUSED (not connected: that is ``leave``) or GONE."""
        return await self._move("finish", contact, now_ms=now_ms)

    async def expire(self, now_ms: int, limit: int = 100) -> list[Expired]:
        """What has fallen due, the oldest first, at most ``limit`` things: see ``lua/expire.lua``.

        Call it again at once when it returns ``limit`` things.
        """
        told = await self._run("expire", now_ms=now_ms, limit=limit)
        return [Expired(*told[i : i + 3]) for i in range(0, len(told), 3)]

    # --- looking ------------------------------------------------------------------------------------

    async def contact(self, contact: str) -> ContactNow | None:
        """One contact as it stands, with its position when it waits."""
        if not nameable(contact):
            return None
        reply = await self._run("contact", contact=contact)
        return ContactNow.read(contact, reply[0], reply[1] or None) if reply else None

    async def waiting(self, queue: str, start: int = 0, count: int = 100) -> list[ContactNow]:
        """Those waiting in one queue, in order, from position ``start + 1`` on; 1,000 at most."""
        here = self._here[self.policy.queue(queue).name]
        told = await self._run("page", here=here, start=start, count=count)
        return [ContactNow.read(told[i], told[i + 1], start + i // 2 + 1) for i in range(0, len(told), 2)]

    async def look(self, now_ms: int) -> Board:
        """The whole line at a glance. Costs a step per agent and callback: once a second, not once a call."""
        *seen, told = await self._run("look")
        agents = [AgentNow.read(told[i], told[i + 1]) for i in range(0, len(told), 2)]
        in_line = {
            queue.name: (waiting, int(oldest) if oldest else None, turns)
            for queue, (waiting, oldest, turns) in zip(self.policy.queues, seen, strict=True)
        }
        return Board.of(in_line, agents, now_ms)


_SCRIPTS = (
    *("enter", "position", "hold", "set_band", "leave", "turn_away", "transfer"),
    *("promise", "rejoin", "take_up", "claim", "keep_for", "not_reached"),
    *("accept", "decline", "connect", "fail_join", "finish", "expire"),
    *("contact", "page", "look"),
)
