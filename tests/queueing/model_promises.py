"""The pencil line, with the places of those who are rung back."""

from __future__ import annotations

from queueing.records import EntryOutcome, Outcome
from tests.queueing.model import PencilLine
from tests.queueing.people import Caller

Entered = tuple[EntryOutcome, int | None]
"""The outcome, and the position when it waits."""


class PencilLineWithPromises(PencilLine):
    """The verbs of promises, as in ``Line``."""

    def _come(self, c: Caller, now_ms: int) -> EntryOutcome:
        self._tell("entered", c.id)
        self.callers[c.id] = c
        self.clock_us = max(self.clock_us, c.arrival_us)
        self._line_up(c, now_ms)
        return EntryOutcome.ENTERED if c.state == "waiting" else EntryOutcome.RESERVED

    def promise(self, contact: str, turn: str, now_ms: int) -> Entered:
        if turn in self.callers:
            return EntryOutcome.ALREADY, self.position(turn)
        c = self.callers.get(contact)
        if c is None:
            return EntryOutcome.GONE, None
        if c.state != "waiting":
            return (EntryOutcome.ENDED if c.state == "ended" else EntryOutcome.RESERVED), None
        self._close(c, "promised", now_ms)
        place = (c.queue, c.band, c.head_start_us, c.arrival_us, c.entered_ms)
        self._come(Caller(turn, "waiting", *place, ""), now_ms)
        return EntryOutcome.ENTERED, self.position(turn)

    def rejoin(
        self, contact: str, *, queue: str, band: str, arrival_us: int, entered_ms: int, now_ms: int
    ) -> Entered:
        known = self.callers.get(contact)
        if known:
            ended = known.state == "ended"
            return (EntryOutcome.ENDED if ended else EntryOutcome.ALREADY), self.position(contact)
        arrival_us = arrival_us or max(self.clock_us + 1, now_ms * 1000)
        head_start_us = self.policy.band(band).head_start_ms * 1000
        c = Caller(contact, "waiting", queue, band, head_start_us, arrival_us, entered_ms, "")
        return self._come(c, now_ms), self.position(contact)

    def take_up(
        self, contact: str, turn: str, *, queue: str, band: str, caller_key: str, now_ms: int
    ) -> tuple[EntryOutcome, int | None, bool]:
        """The outcome, the position when it waits, and whether it has an older place."""
        known = self.callers.get(contact)
        if known:
            ended = known.state == "ended"
            return (EntryOutcome.ENDED if ended else EntryOutcome.ALREADY), self.position(contact), False
        t, place = self.callers.get(turn), self.places.get(caller_key)
        if place and now_ms - place.dropped_ms > self.policy.resume_ms:
            place = None
        full = len(self.waiting(queue)) >= self.policy.queue(queue).max_waiting
        if full and not place and (t is None or t.state == "ended") and not self.idle(queue):
            self._tell("full", contact)
            return EntryOutcome.FULL, None, False
        head_start_us = self.policy.band(band).head_start_ms * 1000
        c = Caller(contact, "waiting", queue, band, head_start_us, 0, now_ms, caller_key)
        c.arrival_us = max(self.clock_us + 1, now_ms * 1000)
        if place:
            c.arrival_us, c.entered_ms = place.arrival_us, place.entered_ms
            del self.places[caller_key], self.due[f"~{caller_key}"]
        older = t is not None and t.score <= c.score
        if t and older:
            c.band, c.head_start_us, c.arrival_us = t.band, t.head_start_us, t.arrival_us
        asked = self._set_aside(t, now_ms) if t else ""
        outcome = self._come(c, now_ms)
        if asked:
            self._rest(self.workers[asked], now_ms)
        if c.state == "reserved":  # by the very agent who was asked for the turn, perhaps
            outcome = EntryOutcome.RESERVED
        return outcome, self.position(contact), older or place is not None

    def _set_aside(self, t: Caller, now_ms: int) -> str:
        """Whoever was asked for it."""
        if t.state != "waiting" and (t.state != "reserved" or t.accepted):
            return ""
        agent, t.agent = t.agent, ""
        self._close(t, "set_aside", now_ms)
        if agent:
            self._tell("released", t.id, agent)
        return agent

    def claim(self, turn: str, agent: str, now_ms: int, lease_ms: int) -> tuple[Outcome, str]:
        t, w = self.callers.get(turn), self.workers.get(agent)
        if t is None:
            return Outcome.GONE, ""
        if t.state == "ended":
            return Outcome.STALE, ""
        if t.state != "waiting":
            return (Outcome.ALREADY if t.agent == agent else Outcome.STALE), t.agent
        if w is None or w.presence in ("off", "reserved", "talking"):
            return Outcome.REFUSED, ""
        if w.presence == "wrap_up":
            self._turn(w, "ready")
        if w.presence != "ready":
            w.idle_ms = now_ms
        self._reserve(t, w, now_ms)
        t.deadline_ms = w.deadline_ms = now_ms + lease_ms
        return Outcome.DONE, agent

    def keep_for(self, turn: str, agent: str, now_ms: int) -> Outcome:
        t = self.callers.get(turn)
        if t is None:
            return Outcome.GONE
        if t.state != "waiting":
            return Outcome.STALE
        if t.kept_for == agent:
            return Outcome.ALREADY
        t.ask_all()
        t.kept_for = agent
        self._line_up(t, now_ms)
        return Outcome.DONE

    def not_reached(self, turn: str, fence: int, now_ms: int) -> Outcome:
        t = self.callers.get(turn)
        if t is None:
            return Outcome.GONE
        if t.state == "ended":
            return Outcome.ALREADY
        if t.state != "reserved" or not t.accepted or t.fence != fence:
            return Outcome.STALE
        self._close(t, "not_reached", now_ms)
        self._wrap_up(self.workers[t.agent], now_ms)
        return Outcome.DONE
