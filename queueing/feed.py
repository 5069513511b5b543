"""The estimator at work: the line's journal and its present, told to it in its own verbs. Pure.

The same events make the same estimator, so any process can make it anew from the record. A contact counts as
served from when an agent is asked for it; asked in vain, it is back. The times of events are the hosts'.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from operator import itemgetter

from queueing.estimator import Estimator
from queueing.journal import Event
from queueing.names import is_turn
from queueing.policy import LinePolicy
from queueing.presence import Presence
from queueing.pulse import Pulse, QueuePulse
from queueing.records import AgentNow, Board, ContactNow, read_skills
from queueing.rungs import Ladder, Rung, chosen, shifted
from queueing.staffing import Plan, together
from queueing.states import Disposition

_IDLE = (Presence.OFF, Presence.AWAY, Presence.READY)
_TALKED = (Disposition.ANSWERED.value, Disposition.NOT_REACHED.value)
"""After these the agent wraps up; any other end finds the contact in the line, or its agent asked in vain."""

JOIN_FADE = 0.95
FIRST_JOIN_S = 8.0


class Feed:
    """One centre's estimator, and who is who in it."""

    def __init__(self, policy: LinePolicy, estimator: Estimator) -> None:
        self.policy = policy
        self.estimator = estimator
        self._bands = {band.name: (at, band.head_start_ms / 1000) for at, band in enumerate(policy.bands)}
        self._tickets: dict[str, float] = {}
        """By contact in the line or being served: its arrival on the line's clock, in seconds."""
        self._names: dict[str, str] = {}
        """What the estimator knows a contact by, where not by its own name."""
        self._promised: dict[float, str] = {}
        """By ticket: who left for a callback a moment ago, and waits for its turn to take the place."""
        self._busy: dict[str, str] = {}
        """By agent: whom the estimator thinks them busy with."""
        self._skills: dict[str, frozenset[str]] = {}
        self._at_work: set[str] = set()
        self._asked_at: dict[str, float] = {}
        self._renamed = 0
        self.join_s = FIRST_JOIN_S
        """From when an agent is asked until the two have met, on average."""

    # --- what happened --------------------------------------------------------------------------------

    def take(self, events: Iterable[Event]) -> None:
        """In the journal's order."""
        for event in events:
            verb = _VERBS.get(event.kind)
            if verb is not None:
                verb(self, event, event.at_ms / 1000)

    def _entered(self, event: Event, t: float) -> None:
        ticket = _ticket(event)
        before = self._promised.pop(ticket, None)
        if before is not None and is_turn(event.contact):  # the estimator has it: it was converted
            self._names[event.contact] = before
            self._tickets[event.contact] = ticket
            return
        since = event.fields.get("since", "")
        since_s = int(since) / 1000 if since.isdigit() else None
        self._arrive(t, event.contact, event.queue, event.band, ticket, since_s)

    def _arrive(
        self, t: float, contact: str, queue: str, band: str, ticket: float, since: float | None = None
    ) -> None:
        at, head_start_s = self._bands.get(band, (len(self._bands), 0.0))
        self._tickets[contact] = ticket
        kind = "promise" if is_turn(contact) else "live"
        self.estimator.on_arrival(t, self._name(contact), at, ticket - head_start_s, kind, queue, since)

    def _band_changed(self, event: Event, t: float) -> None:
        if self._name(event.contact) in self.estimator.waiting:
            self._arrive(t, event.contact, event.queue, event.band, self._tickets.get(event.contact, t))

    def _reserved(self, event: Event, t: float) -> None:
        self._is_at_work(event.agent, event.queue, t)
        self._asked_at[event.contact] = t
        name = self._name(event.contact)
        if self._busy.get(event.agent) != name:  # else the line's own word has come before the journal's
            self._finish(event.agent, t)
            self._busy[event.agent] = name
            self.estimator.on_start(t, name)

    def _connected(self, event: Event, t: float) -> None:
        asked_at = self._asked_at.pop(event.contact, None)
        if asked_at is not None:
            self.join_s = JOIN_FADE * self.join_s + (1 - JOIN_FADE) * min(120.0, max(0.0, t - asked_at))

    def _in_vain(self, event: Event, t: float) -> None:
        if self._busy.get(event.agent) == self._name(event.contact):
            del self._busy[event.agent]
            self.estimator.on_return(t, self._name(event.contact))

    def _transferred(self, event: Event, t: float) -> None:
        """Into another line, as old as it is; the agent it talked with wraps up."""
        ticket = self._tickets.get(event.contact, t)
        if event.fields.get("from") == "waiting":
            self.estimator.on_leave(t, self._name(event.contact))
        self._rename(event.contact)
        self._arrive(t, event.contact, event.queue, event.band, ticket)

    def _ended(self, event: Event, t: float) -> None:
        name, how = self._name(event.contact), event.fields.get("disposition", "")
        ticket = self._tickets.pop(event.contact, None)
        self._names.pop(event.contact, None)
        self._asked_at.pop(event.contact, None)
        if how in _TALKED and name not in self.estimator.waiting:
            return
        if name in self.estimator.serving:  # its agent was asked, and is free again
            self._busy = {agent: whom for agent, whom in self._busy.items() if whom != name}
            self.estimator.on_return(t, name)
        if how == Disposition.PROMISED and ticket is not None:
            self.estimator.on_convert(t, name)
            self._promised = {ticket: name}
        elif how == Disposition.ABANDONED:
            self.estimator.on_abandon(t, name)
        else:
            self.estimator.on_leave(t, name)

    def _signed_in(self, event: Event, t: float) -> None:
        self._skills[event.agent] = frozenset(read_skills(event.fields.get("skills", "")))
        self._count(t)

    def _ready(self, event: Event, t: float) -> None:
        self._finish(event.agent, t)
        self._is_at_work(event.agent, event.queue, t)

    def _gone(self, event: Event, t: float) -> None:
        self._finish(event.agent, t)
        self._at_work.discard(event.agent)
        self._count(t)

    def _finish(self, agent: str, t: float) -> None:
        name = self._busy.pop(agent, None)
        if name is not None:
            self.estimator.on_end(t, name)

    def _is_at_work(self, agent: str, queue: str, t: float) -> None:
        if agent not in self._skills:  # signed in before the record that we have
            self._skills[agent] = frozenset([queue] if queue else self._queues)
        if agent not in self._at_work:
            self._at_work.add(agent)
            self._count(t)

    def _name(self, contact: str) -> str:
        return self._names.get(contact, contact)

    def _rename(self, contact: str) -> None:
        """It is in the line a second time, and may be with an agent from the first."""
        self._renamed += 1
        self._names[contact] = f"{contact} {self._renamed}"

    @property
    def _queues(self) -> list[str]:
        return [queue.name for queue in self.policy.queues]

    def _count(self, t: float) -> None:
        """How many serve each queue, and how far the queues share them."""
        skills = [self._skills[agent] for agent in self._at_work]
        serving = {queue: sum(queue in each for each in skills) for queue in self._queues}
        for queue, count in {"": len(skills), **serving}.items():
            if self.estimator.staff.counts.get(queue) != count:
                self.estimator.on_agents(t, count, queue)
        shares = {
            mine: {
                theirs: sum(mine in each and theirs in each for each in skills) / count
                for theirs, count in serving.items()
                if count
            }
            for mine in self._queues
        }
        if self.estimator.staff.shares != shares:
            self.estimator.on_shares(t, shares)

    def planned(self, steps: Mapping[str, list[tuple[float, float]]], t: float) -> None:
        """The roster: from when (epoch s) how many agents, by queue, "" for all; empty: there is none."""
        for queue in ("", *self._queues):
            self.estimator.on_roster(t, steps.get(queue), queue)

    # --- what stands ----------------------------------------------------------------------------------

    def look(self, board: Board) -> bool:
        """Take the agents as they stand; whether the contacts agree too, by their numbers."""
        t = board.at_ms / 1000
        self._skills = {agent.agent: frozenset(agent.skills) for agent in board.agents}
        self._at_work = {a.agent for a in board.agents if a.presence not in (Presence.OFF, Presence.AWAY)}
        self._count(t)
        waiting = Counter(place.queue for place in self.estimator.places)
        busy = {agent.agent for agent in board.agents if agent.presence not in _IDLE}
        same_line = all(waiting[queue] == now.waiting for queue, now in board.queues.items())
        return same_line and busy == self._busy.keys() and len(busy) == len(self.estimator.serving)

    def put_right(self, board: Board, waiting: Iterable[ContactNow]) -> None:
        """By the line itself, where the journal did not tell (it was lost, or the record begins later)."""
        t = board.at_ms / 1000
        there = sorted(waiting, key=lambda contact: contact.entered_ms)
        for name in self.estimator.waiting.keys() - {self._name(contact.contact) for contact in there}:
            self.estimator.on_leave(t, name)
        self._put_right_busy([a for a in board.agents if a.presence not in _IDLE], t)
        for contact in there:
            name = self._name(contact.contact)
            known = self.estimator.waiting.get(name)
            elsewhere = known is not None and known.queue != contact.queue
            if elsewhere:
                self.estimator.on_leave(t, name)
            if elsewhere or name in self.estimator.serving:
                self._rename(contact.contact)
            ticket, since = contact.arrival_us / 1e6, contact.entered_ms / 1000
            self._arrive(t, contact.contact, contact.queue, contact.band, ticket, since)
        kept = {contact.contact for contact in there} | {agent.contact for agent in board.agents}
        self._tickets = {contact: at for contact, at in self._tickets.items() if contact in kept}
        self._names = {contact: name for contact, name in self._names.items() if contact in kept}

    def _put_right_busy(self, agents: list[AgentNow], t: float) -> None:
        there = {agent.agent for agent in agents}
        self._busy = {agent: name for agent, name in self._busy.items() if agent in there}
        for name in self.estimator.serving.keys() - set(self._busy.values()):
            self.estimator.on_return(t, name)
            self.estimator.on_leave(t, name)
        for agent in agents:
            if agent.agent not in self._busy:
                name = self._name(agent.contact)
                # In wrap-up after a transfer, the contact itself is in the line again.
                self._busy[agent.agent] = (
                    f"{name} of {agent.agent}" if name in self.estimator.waiting else name
                )
                self.estimator.on_start(t, self._busy[agent.agent])

    # --- what is told ---------------------------------------------------------------------------------

    def pulse(self, board: Board, by: str) -> Pulse:
        """The figures of the line as it stands."""
        t = board.at_ms / 1000
        lines, hangup_per_s = self._lines(), self.estimator.patience.pooled
        owed_s = {
            queue: now.promises * self.estimator.handlings.mean_s(queue, "promise")
            for queue, now in board.queues.items()
        }
        return Pulse(
            board.at_ms,
            {
                queue: QueuePulse(
                    now.waiting,
                    now.agents,
                    self.estimator.handlings.mean_s(queue, "live"),
                    hangup_per_s,
                    now.promises,
                    self._ladder(t, queue, lines.get(queue, [])),
                    self._plan(t, queue),
                    sum(work * self.estimator.staff.share(queue, theirs) for theirs, work in owed_s.items()),
                )
                for queue, now in board.queues.items()
            },
            by,
            self._plan(t, ""),
        )

    def _plan(self, t: float, queue: str) -> Plan:
        """Empty without a roster. Where queues are planned apart, that of all is made of theirs."""
        staff = self.estimator.staff
        if staff.rostered(queue):
            return staff.plan(t, queue)
        if queue:
            return ()
        return together([staff.plan(t, q) for q in self._queues if staff.rostered(q)], len(self._at_work))

    def _lines(self) -> dict[str, list[tuple[float, Hashable]]]:
        """By queue, in order: key and name of everyone who waits."""
        found: dict[str, list[tuple[float, Hashable]]] = {}
        for place in self.estimator.places:
            found.setdefault(place.queue, []).append((place.key, place.contact))
        return found

    def _ladder(self, t: float, queue: str, line: list[tuple[float, Hashable]]) -> Ladder:
        silence = self.estimator.silence(queue)
        if silence not in ("", "missed"):
            return Ladder(silence=silence)
        newcomers: dict[str, Rung] = {}
        rungs = () if silence else self._rungs(t, line)
        if not silence and line and (not rungs or rungs[-1][0] < len(line)):
            return Ladder(rungs, silence="endless")
        for band, (_, head_start_s) in self._bands.items():
            key = t - head_start_s
            wait = self.estimator.newcomer(t, queue, key, unsure=True)
            if wait is None:
                return Ladder(rungs, silence="endless")
            position = 1 + bisect_right(line, key, key=itemgetter(0))
            newcomers[band] = (position, shifted(wait, self.join_s))
        return Ladder(rungs, newcomers, silence)

    def _rungs(self, t: float, line: list[tuple[float, Hashable]]) -> tuple[Rung, ...]:
        """Up to the last of those chosen whom the agents reach before they leave."""
        rungs: list[Rung] = []
        for position in chosen(len(line)):
            wait = self.estimator.estimate(t, line[position - 1][1])
            if wait is None:
                break
            rungs.append((position, shifted(wait, self.join_s)))
        return tuple(rungs)


def _ticket(event: Event) -> float:
    arrival = event.fields.get("arrival", "")
    return int(arrival) / 1e6 if arrival.isdigit() else event.at_ms / 1000


_VERBS: Mapping[str, Callable[[Feed, Event, float], None]] = {
    "entered": Feed._entered,
    "backdated": Feed._entered,
    "band_changed": Feed._band_changed,
    "reserved": Feed._reserved,
    "connected": Feed._connected,
    "declined": Feed._in_vain,
    "missed": Feed._in_vain,
    "released": Feed._in_vain,
    "unjoined": Feed._in_vain,
    "transferred": Feed._transferred,
    "ended": Feed._ended,
    "agent_in": Feed._signed_in,
    "agent_ready": Feed._ready,
    "agent_away": Feed._gone,
    "agent_off": Feed._gone,
}
