"""The pencil line: what the line does, in plain Python, by brute force and without an index.

The Lua scripts are held to it (``test_line_against_pencil``). It is slow, obvious, and shares no code with
them; a rule is written here as one would explain it.
"""

from __future__ import annotations

from queueing.policy import LinePolicy
from queueing.records import EntryOutcome, Outcome
from tests.queueing.people import Caller, Place, Worker


class PencilLine:
    """The line and its roster. Verbs as in ``Line`` and ``Roster``; ``told`` is the journal."""

    def __init__(self, policy: LinePolicy) -> None:
        self.policy = policy
        self.callers: dict[str, Caller] = {}
        self.workers: dict[str, Worker] = {}
        self.places: dict[str, Place] = {}
        self.asks: dict[str, tuple[str, tuple[object, ...]]] = {}
        self.due: dict[str, int] = {}
        self.away: set[str] = set()
        self.clock_us = 0
        self.told: list[tuple[str, str, str]] = []

    def waiting(self, queue: str) -> list[Caller]:
        """In the order in which they are served."""
        here = [c for c in self.callers.values() if c.state == "waiting" and c.queue == queue]
        return sorted(here, key=lambda c: (c.score, c.id))

    def position(self, contact: str) -> int | None:
        c = self.callers.get(contact)
        if c is None or c.state != "waiting":
            return None
        return self.waiting(c.queue).index(c) + 1

    def idle(self, queue: str) -> list[Worker]:
        """In the order in which they are asked."""
        here = [w for w in self.workers.values() if w.presence == "ready" and queue in w.skills]
        return sorted(here, key=lambda w: (w.idle_ms + w.skills[queue], w.id))

    # --- bringing together --------------------------------------------------------------------------

    def _tell(self, kind: str, contact: str = "", agent: str = "") -> None:
        self.told.append((kind, contact, agent))

    def _reserve(self, c: Caller, w: Worker, now_ms: int) -> None:
        c.fence += 1
        c.state, c.agent, c.accepted = "reserved", w.id, False
        w.presence, w.since_ms, w.contact, w.queue, w.fence = "reserved", now_ms, c.id, c.queue, c.fence
        w.after = w.reason = ""
        c.deadline_ms = w.deadline_ms = now_ms + self.policy.ring_ms
        self._tell("reserved", c.id, w.id)

    def _line_up(self, c: Caller, now_ms: int) -> None:
        """Somebody idle takes it, or it waits."""
        c.state, c.agent, c.accepted, c.deadline_ms = "waiting", "", False, 0
        for w in self.idle(c.queue):
            if not c.has_passed(w.id):
                self._reserve(c, w, now_ms)
                return
        self.due.pop(c.id, None)
        if c.passed or c.kept_for:
            c.deadline_ms = self.due[c.id] = now_ms + self.policy.ask_again_ms

    def _free(self, w: Worker, now_ms: int) -> None:
        """It takes the first of those it may take, or idles."""
        best: tuple[int, Caller] | None = None
        for queue, handicap in w.skills.items():
            for c in self.waiting(queue):
                if not c.has_passed(w.id):
                    if best is None or c.score + handicap * 1000 < best[0]:
                        best = (c.score + handicap * 1000, c)
                    break
        if best:
            self._reserve(best[1], w, now_ms)
            return
        if w.presence != "ready":
            w.presence, w.since_ms = "ready", now_ms
        w.contact = w.queue = w.after = w.reason = ""
        w.fence = w.deadline_ms = 0

    def _turn(self, w: Worker, presence: str) -> None:
        self._tell(f"agent_{presence}", w.contact if w.presence == "wrap_up" else "", w.id)

    def _stand_down(self, w: Worker, presence: str, reason: str, now_ms: int) -> None:
        self._turn(w, presence)
        w.presence, w.since_ms, w.contact, w.queue = presence, now_ms, "", ""
        w.fence = w.deadline_ms = w.misses = 0
        w.after, w.reason = "", reason

    def _rest(self, w: Worker, now_ms: int) -> None:
        if w.after:
            self._stand_down(w, w.after, w.reason, now_ms)
        else:
            self._free(w, now_ms)

    def _pass(self, c: Caller, w: Worker) -> None:
        if not c.has_passed(w.id):
            c.passed.append(w.id)

    def _unjoin(self, c: Caller, now_ms: int) -> None:
        w = self.workers[c.agent]
        self._tell("unjoined", c.id, w.id)
        self._pass(c, w)
        w.idle_ms = now_ms
        self._line_up(c, now_ms)
        self._rest(w, now_ms)

    def _close(self, c: Caller, disposition: str, now_ms: int) -> None:
        c.state, c.disposition = "ended", disposition
        c.ask_all()
        c.deadline_ms = self.due[c.id] = now_ms + self.policy.forget_ms
        self._tell("ended", c.id, c.agent)

    def _wrap_up(self, w: Worker, now_ms: int) -> None:
        w.presence, w.since_ms, w.deadline_ms = "wrap_up", now_ms, now_ms + self.policy.wrap_up_ms
        self._tell("wrap_up", w.contact, w.id)

    def enter(
        self,
        contact: str,
        *,
        queue: str,
        band: str,
        caller_key: str,
        now_ms: int,
        arrived_ms: int,
        after_us: int = 0,
    ) -> tuple[EntryOutcome, int | None, bool]:
        """The outcome, the position when it waits, and whether a kept place was taken up."""
        known = self.callers.get(contact)
        if known:
            ended = known.state == "ended"
            place_us = arrived_ms * 1000 + after_us
            waits = known.state == "waiting" and known.queue == queue
            if waits and arrived_ms < now_ms and place_us < known.arrival_us:
                known.arrival_us, known.entered_ms = place_us, arrived_ms
                known.caller_key = caller_key or known.caller_key
                self._tell("backdated", contact)
            return (EntryOutcome.ENDED if ended else EntryOutcome.ALREADY), self.position(contact), False
        place = self.places.get(caller_key)
        if place and now_ms - place.dropped_ms > self.policy.resume_ms:
            place = None
        full = len(self.waiting(queue)) >= self.policy.queue(queue).max_waiting
        if full and not place and arrived_ms == now_ms and not self.idle(queue):
            self._tell("full", contact)
            return EntryOutcome.FULL, None, False
        if place:
            del self.places[caller_key], self.due[f"~{caller_key}"]
            arrival_us, entered_ms = place.arrival_us, place.entered_ms
        elif arrived_ms < now_ms:
            arrival_us, entered_ms = arrived_ms * 1000 + after_us, arrived_ms
            self.clock_us = max(self.clock_us, arrival_us)
        else:
            self.clock_us = arrival_us = max(self.clock_us + 1, now_ms * 1000)
            entered_ms = now_ms
        head_start_us = self.policy.band(band).head_start_ms * 1000
        c = Caller(contact, "waiting", queue, band, head_start_us, arrival_us, entered_ms, caller_key)
        self._tell("entered", contact)
        self.callers[contact] = c
        self._line_up(c, now_ms)
        outcome = EntryOutcome.ENTERED if c.state == "waiting" else EntryOutcome.RESERVED
        return outcome, self.position(contact), place is not None

    def hold(self, contact: str, ask: str, facts: str, now_ms: int) -> tuple[object, ...] | None:
        c = self.callers.get(contact)
        if c is None:
            return None
        last = self.asks.get(contact)
        if last and last[0] == ask:
            return (*last[1], True)
        waiting = len(self.waiting(c.queue))
        answer = (c.state, c.queue, self.position(contact) or 0, waiting, now_ms, facts, c.agent)
        if c.state != "ended":
            self.asks[contact] = (ask, answer)
        return (*answer, False)

    def accept(self, contact: str, agent: str, fence: int, now_ms: int, within_ms: int = 0) -> Outcome:
        c = self.callers.get(contact)
        if c is None:
            return Outcome.GONE
        if c.state not in ("reserved", "connected") or (c.agent, c.fence) != (agent, fence):
            return Outcome.STALE
        if c.accepted:
            return Outcome.ALREADY
        w = self.workers[agent]
        c.accepted, w.misses = True, 0
        w.presence, w.since_ms = "talking", now_ms
        c.deadline_ms = w.deadline_ms = now_ms + (within_ms or self.policy.connect_ms)
        self._tell("accepted", contact, agent)
        return Outcome.DONE

    def decline(self, contact: str, agent: str, fence: int, now_ms: int, away: bool) -> Outcome:
        c = self.callers.get(contact)
        if c is None:
            return Outcome.GONE
        if c.state != "reserved" or (c.agent, c.fence) != (agent, fence):
            return Outcome.ALREADY if c.has_passed(agent) else Outcome.STALE
        if c.accepted:
            return Outcome.REFUSED
        w = self.workers[agent]
        self._tell("declined", contact, agent)
        self._pass(c, w)
        self._line_up(c, now_ms)
        if away:
            self._stand_down(w, "away", "declined", now_ms)
        else:
            w.idle_ms = now_ms
            self._free(w, now_ms)
        return Outcome.DONE

    def connect(self, contact: str, agent: str, now_ms: int) -> Outcome:
        c = self.callers.get(contact)
        if c is None:
            return Outcome.GONE
        if c.state in ("waiting", "ended") or agent not in ("", c.agent):
            return Outcome.STALE
        if c.state == "connected":
            return Outcome.ALREADY
        if not c.accepted:
            return Outcome.REFUSED
        c.state, c.answered_ms, c.deadline_ms = "connected", now_ms, 0
        c.ask_all()
        self.workers[c.agent].deadline_ms = 0
        self._tell("connected", contact, c.agent)
        return Outcome.DONE

    def fail_join(self, contact: str, now_ms: int) -> Outcome:
        c = self.callers.get(contact)
        if c is None:
            return Outcome.GONE
        if c.state == "ended":
            return Outcome.STALE
        if c.state == "waiting":
            return Outcome.ALREADY
        if not c.accepted:
            return Outcome.REFUSED
        self._unjoin(c, now_ms)
        return Outcome.DONE

    def finish(self, contact: str, now_ms: int) -> Outcome:
        c = self.callers.get(contact)
        if c is None:
            return Outcome.GONE
        if c.state == "ended":
            return Outcome.ALREADY
        if c.state != "connected":
            return Outcome.REFUSED
        self._close(c, "answered", now_ms)
        self._wrap_up(self.workers[c.agent], now_ms)
        return Outcome.DONE

    def leave(self, contact: str, disposition: str, caller_key: str, now_ms: int) -> Outcome:
        c = self.callers.get(contact)
        if c is None:
            return Outcome.GONE
        if c.state == "ended":
            return Outcome.ALREADY
        if c.state == "connected":
            return self.finish(contact, now_ms)
        key = caller_key or c.caller_key
        if disposition == "abandoned" and key:
            self.places[key] = Place(c.arrival_us, c.entered_ms, now_ms)
            self.due[f"~{key}"] = now_ms + self.policy.resume_ms
        agent, c.agent = c.agent, ""
        self._close(c, disposition, now_ms)
        if agent:
            self._tell("released", contact, agent)
            self._rest(self.workers[agent], now_ms)
        return Outcome.DONE

    def turn_away(self, contact: str, disposition: str, over: bool, now_ms: int) -> Outcome:
        c = self.callers.get(contact)
        if c:
            return Outcome.ALREADY if c.state == "ended" else Outcome.REFUSED
        if over:
            c = Caller(contact, "ended", "", "", 0, now_ms * 1000, now_ms, "", disposition=disposition)
            c.deadline_ms = self.due[contact] = now_ms + self.policy.forget_ms
            self.callers[contact] = c
        if contact in self.away:
            return Outcome.ALREADY
        self.away.add(contact)
        if disposition != "full":
            self._tell("turned_away", contact)
        return Outcome.DONE

    def transfer(self, contact: str, queue: str, band: str | None, fence: int, now_ms: int) -> Outcome:
        c = self.callers.get(contact)
        if c is None:
            return Outcome.GONE
        if c.state == "ended" or (fence and c.state == "connected" and fence != c.fence):
            return Outcome.STALE
        if c.state != "connected" and c.queue == queue and band in (None, c.band):
            return Outcome.ALREADY
        if c.state == "reserved":
            return Outcome.REFUSED
        self._tell("transferred", contact, c.agent)
        c.queue = queue
        c.ask_all()
        if band:
            c.band, c.head_start_us = band, self.policy.band(band).head_start_ms * 1000
        if c.state == "connected":
            self._pass(c, self.workers[c.agent])
            self._wrap_up(self.workers[c.agent], now_ms)
        self._line_up(c, now_ms)
        return Outcome.DONE

    def set_band(self, contact: str, band: str) -> Outcome:
        c = self.callers.get(contact)
        if c is None:
            return Outcome.GONE
        if c.state == "ended":
            return Outcome.STALE
        if c.band == band:
            return Outcome.ALREADY
        if c.state == "connected":
            return Outcome.REFUSED
        c.band, c.head_start_us = band, self.policy.band(band).head_start_ms * 1000
        self._tell("band_changed", contact, c.agent)
        return Outcome.DONE

    def sign_in(self, agent: str, skills: dict[str, int], now_ms: int) -> None:
        w = self.workers.setdefault(agent, Worker(agent, {}))
        if w.presence != "off" and list(w.skills.items()) == list(skills.items()):
            return
        w.skills = dict(skills)
        self._tell("agent_in", "", agent)
        if w.presence == "off":
            w.presence, w.since_ms, w.reason, w.misses = "away", now_ms, "signed in", 0
        elif w.presence == "ready":
            self._free(w, now_ms)

    def ready(self, agent: str, now_ms: int) -> Outcome:
        w = self.workers.get(agent)
        if w is None:
            return Outcome.GONE
        if w.presence == "talking" and w.after:
            w.after = w.reason = ""
            self._tell("agent_wish", w.contact, agent)
            return Outcome.DONE
        if w.presence in ("ready", "reserved", "talking"):
            return Outcome.ALREADY
        w.idle_ms = now_ms
        if w.presence == "wrap_up":
            self._turn(w, "ready")
            self._free(w, now_ms)
        else:
            self._free(w, now_ms)
            if w.presence == "ready":  # straight from a break to a contact is told by "reserved" alone
                self._tell("agent_ready", "", agent)
        return Outcome.DONE

    def stand_down(self, agent: str, wish: str, reason: str, now_ms: int) -> Outcome:
        w = self.workers.get(agent)
        if w is None:
            return Outcome.GONE
        if w.presence == wish or (w.presence == "talking" and w.after == wish):
            return Outcome.ALREADY
        if w.presence == "off":
            return Outcome.REFUSED
        if w.presence == "talking":
            w.after, w.reason = wish, reason
            self._tell("agent_wish", w.contact, agent)
            return Outcome.DONE
        if w.presence == "reserved":
            self._tell("released", w.contact, agent)
            self._line_up(self.callers[w.contact], now_ms)
        self._stand_down(w, wish, reason, now_ms)
        return Outcome.DONE

    # --- what time brings ---------------------------------------------------------------------------

    def expire(self, now_ms: int, limit: int) -> list[tuple[str, str, str]]:
        kept = sorted((at, name) for name, at in self.due.items() if at <= now_ms)[:limit]
        agents = [(w.deadline_ms, f"@{w.id}") for w in self.workers.values() if 0 < w.deadline_ms <= now_ms]
        happened: list[tuple[str, str, str]] = []
        for _at, name in sorted(kept + agents)[:limit]:
            if name.startswith("@"):
                self._agent_due(self.workers[name[1:]], now_ms, happened)
            elif name.startswith("~"):
                del self.places[name[1:]], self.due[name]
                happened.append(("lapsed", name[1:], ""))
            else:
                self._caller_due(self.callers[name], now_ms, happened)
        return happened

    def _agent_due(self, w: Worker, now_ms: int, happened: list[tuple[str, str, str]]) -> None:
        if not 0 < w.deadline_ms <= now_ms:
            return
        if w.presence == "wrap_up":
            happened.append(("wrapped", w.contact, w.id))
            if not w.after:
                self._turn(w, "ready")
                w.idle_ms = now_ms
            self._rest(w, now_ms)
            return
        c = self.callers[w.contact]
        if w.presence == "talking":
            happened.append(("unjoined", c.id, w.id))
            self._unjoin(c, now_ms)
            return
        happened.append(("missed", c.id, w.id))
        w.misses += 1
        self._tell("missed", c.id, w.id)
        self._pass(c, w)
        self._line_up(c, now_ms)
        if w.misses >= self.policy.max_misses:
            self._stand_down(w, "away", "missed", now_ms)
        else:
            w.idle_ms = now_ms
            self._free(w, now_ms)

    def _caller_due(self, c: Caller, now_ms: int, happened: list[tuple[str, str, str]]) -> None:
        if c.state in ("waiting", "ended") and c.deadline_ms > now_ms:
            return
        if c.state == "waiting" and (c.passed or c.kept_for):
            at_work = [w for w in self.workers.values() if w.presence not in ("off", "away")]
            serving = [w for w in at_work if c.queue in w.skills]
            if serving and all(c.has_passed(w.id) for w in serving):
                c.ask_all()
                self._tell("reopened", c.id)
                happened.append(("reopened", c.id, ""))
                self._line_up(c, now_ms)
            else:
                c.deadline_ms = self.due[c.id] = now_ms + self.policy.ask_again_ms
            return
        del self.due[c.id]
        if c.state == "ended":
            del self.callers[c.id]
            self.asks.pop(c.id, None)
            happened.append(("forgotten", c.id, ""))
