"""Both lines side by side: every verb on the Lua line and on the pencil line, then all that can be seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from queueing.journal import unpacked
from queueing.line import Band, Card, Line, LinePolicy, Queue
from queueing.records import AgentNow, ContactNow, EntryOutcome
from queueing.roster import Roster
from queueing.states import Disposition
from tests.queueing.model_promises import PencilLineWithPromises

POLICY = LinePolicy(
    queues=(Queue("support", max_waiting=3), Queue("billing", max_waiting=2)),
    bands=(Band("p1", 600_000), Band("p2", 0), Band("p3", 3)),
)
START_MS = 1_700_000_000_000
SKILLS = (
    {"support": 0, "billing": 0},
    {"support": 30_000},
    {"support": 2_000, "billing": 0},
    {"billing": 5_000},
)
CONTACTS = [f"CA{n}" for n in range(1, 9)]
TURNS = [f"PR00000000000000aa.{n}" for n in range(1, 5)]
AGENTS = ["ann", "bob", "cid"]
POOLS: dict[str, Sequence[Any]] = {
    "n": range(12),
    "m": range(12),
    "agent": AGENTS,
    "queue": ("support", "support", "billing"),
    "band": ("p1", "p2", "p2", "p3"),
    "other_band": (None, "p1", "p2"),
    "key": ("", "", "k1", "k2"),
    "skew_ms": (0, 0, -3),
    "unseen_ms": (0, 0, 0, 0, 0, 7, 40_000),
    "disposition": (Disposition.ABANDONED, Disposition.ABANDONED, Disposition.MESSAGE),
    "turned": (Disposition.ABANDONED, Disposition.CLOSED, Disposition.FULL),
    "over": (True, False),
    "kept_for": ("ann", "bob", "cid", ""),
    "fence": (0, 0, 0, 1),
    "ask": ("a", "b"),
    "facts": ("1", "2|3"),
    "right": (True, True, True, False),
    "within_ms": (None, None, 90_000),
    "ticket_age_ms": (None, -3, 0, 700, 20_000, 90_000),
    "lease_ms": (15_000, 120_000),
    "away": (False, False, True),
    "joined_by": ("", "", "", "bob"),
    "skills": SKILLS,
    "wish": ("away", "away", "off"),
    "step_ms": (0, 1, 2, 700, 5_000, 5_000, 20_000, 20_000, 30_000, 60_000, 90_000, 100_000, 3_600_000),
    "limit": (1, 2, 100, 100),
    "swept": (True, True, True, False),
}
"""What the rules draw from, by parameter."""


def drawn(*names: str) -> dict[str, Any]:
    return {name: st.sampled_from(POOLS[name]) for name in names}


@dataclass
class Sight:
    """All that is in Redis, read at once."""

    contacts: dict[str, ContactNow]
    agents: dict[str, AgentNow]
    waiting: dict[str, list[tuple[str, float]]]
    idle: dict[str, list[tuple[str, float]]]
    due: dict[str, float]
    places: set[str]
    asks: set[str]
    clock_us: int
    names: set[str]
    told: list[tuple[str, str, str]] = field(default_factory=list)


def idling(names: list[str], queue: str) -> list[tuple[str, float]]:
    """Who idles for a queue, by when, in order."""
    parts = [name.split(" ") for name in names]
    return [(agent, float(at)) for its_queue, at, agent in parts if its_queue == queue]


def look(redis: SyncRedis, line: Line, after: str) -> tuple[Sight, str]:
    """What is there, with the journal's lines since ``after``; and the last line's id."""
    keys, queues = line.keys, [queue.name for queue in line.policy.queues]
    with redis.pipeline(transaction=False) as pipe:
        pipe.hgetall(keys.book)
        pipe.smembers(keys.agents)
        pipe.zrange(keys.due, 0, -1, withscores=True)
        pipe.xrange(keys.journal, f"({after}" if after else "-")
        pipe.zrange(keys.idle, 0, -1)
        for key in keys.waiting:
            pipe.zrange(key, 0, -1, withscores=True)
        book, names, due, entries, idle, *zsets = pipe.execute()
    told = [unpacked(entry_id, entry) for entry_id, entry in entries]
    pages = {name: page for name, page in book.items() if name[0] not in "@?~#"}
    sight = Sight(
        contacts={name: ContactNow.read(name, page) for name, page in pages.items()},
        agents={name[1:]: AgentNow.read(name[1:], page) for name, page in book.items() if name[0] == "@"},
        waiting=dict(zip(queues, [[tuple(pair) for pair in z] for z in zsets], strict=True)),
        idle={queue: idling(idle, queue) for queue in queues},
        due={name: at for name, at in due},
        places={name[1:] for name in book if name[0] == "~"},
        asks={name[1:] for name in book if name[0] == "?"},
        clock_us=int(book.get("#", 0)),
        names=set(names),
        told=[(event.kind, event.contact, event.agent) for event in told],
    )
    return sight, entries[-1][0] if entries else after


class TwoLines(RuleBasedStateMachine):
    """``stage`` is set by the test: an event loop, a client for the line, and one to watch with."""

    stage: ClassVar[tuple[asyncio.AbstractEventLoop, Redis, SyncRedis]]

    def __init__(self) -> None:
        super().__init__()
        self.loop, self.redis, self.watch = self.stage
        self.watch.flushall()
        self.line, self.roster = Line(self.redis, POLICY), Roster(self.redis, POLICY)
        self.pencil = PencilLineWithPromises(POLICY)
        self.now_ms = START_MS
        self.last = ""
        self.lives = {"entered": 0, "forgotten": 0}

    def wait(self, asked: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(asked)

    def agree(self, lua: object, pencil: object) -> None:
        assert lua == pencil, f"Lua says {lua}, pencil says {pencil}"

    def pick(self, n: int, *states: str) -> str:
        """Mostly a contact in one of the states; sometimes, or when there is none, any."""
        fitting = sorted(c.id for c in self.pencil.callers.values() if c.state in states)
        return fitting[n % len(fitting)] if fitting and n < 9 else CONTACTS[n % len(CONTACTS)]

    def newcomer(self, n: int, names: list[str]) -> str:
        """Mostly a name nobody has; sometimes, or when there is none, any of them."""
        new = [name for name in names if name not in self.pencil.callers]
        return new[n % len(new)] if new and n < 9 else names[n % len(names)]

    def reservation(self, contact: str, right: bool) -> tuple[str, int]:
        """Who holds it by which fence; or something stale."""
        c = self.pencil.callers.get(contact)
        if c is None:
            return "ann", 1
        return (c.agent or "ann", c.fence) if right else (c.agent or "bob", max(0, c.fence - 1))

    # --- what people do -----------------------------------------------------------------------------

    @initialize(skills=st.lists(st.sampled_from(SKILLS), min_size=3, max_size=3), ready=st.integers(0, 3))
    def open_up(self, skills: list[dict[str, int]], ready: int) -> None:
        for place, agent in enumerate(AGENTS):
            self.sign_in(agent, skills[place])
            if place < ready:
                self.ready(agent)

    @rule(**drawn("n", "queue", "band", "key", "skew_ms", "unseen_ms"))
    def enter(self, n: int, queue: str, band: str, key: str, skew_ms: int, unseen_ms: int) -> None:
        contact, now_ms = self.newcomer(n, CONTACTS), self.now_ms + skew_ms
        given: dict[str, Any] = {"queue": queue, "band": band, "caller_key": key, "now_ms": now_ms}
        given |= {"arrived_ms": now_ms - unseen_ms, "after_us": n}
        entry = self.wait(self.line.enter(contact, card=Card(), **given))
        pencil = self.pencil.enter(contact, **given)
        self.agree((entry.outcome, entry.position or None, entry.resumed), pencil)
        self.lives["entered"] += entry.outcome in (EntryOutcome.ENTERED, EntryOutcome.RESERVED)

    @rule(**drawn("n", "disposition", "key"))
    def leave(self, n: int, disposition: Disposition, key: str) -> None:
        contact = self.pick(n, "waiting", "reserved")
        lua = self.wait(self.line.leave(contact, disposition, self.now_ms, caller_key=key))
        self.agree(lua, self.pencil.leave(contact, disposition.value, key, self.now_ms))

    @rule(**drawn("n", "turned", "over"))
    def turn_away(self, n: int, turned: Disposition, over: bool) -> None:
        contact = self.newcomer(n, CONTACTS)
        self.lives["entered"] += over and contact not in self.pencil.callers
        lua = self.wait(self.line.turn_away(contact, turned, Card(), self.now_ms, over=over))
        self.agree(lua, self.pencil.turn_away(contact, turned.value, over, self.now_ms))

    @rule(**drawn("n", "queue", "other_band", "fence"))
    def transfer(self, n: int, queue: str, other_band: str | None, fence: int) -> None:
        contact = self.pick(n, "connected", "waiting") if n % 2 else self.pick(n, "connected")
        lua = self.wait(self.line.transfer(contact, queue, other_band, self.now_ms, fence))
        self.agree(lua, self.pencil.transfer(contact, queue, other_band, fence, self.now_ms))

    @rule(**drawn("n", "band"))
    def set_band(self, n: int, band: str) -> None:
        contact = self.pick(n, "waiting", "reserved")
        lua = self.wait(self.line.set_band(contact, band, self.now_ms))
        self.agree(lua, self.pencil.set_band(contact, band))

    @rule(**drawn("n", "ask", "facts"))
    def hold(self, n: int, ask: str, facts: str) -> None:
        contact = self.pick(n, "waiting")
        h = self.wait(self.line.hold(contact, ask=ask, facts=facts, now_ms=self.now_ms))
        lua = h and (h.state, h.queue, h.position, h.waiting, h.asked_ms, h.facts, h.agent, h.repeat)
        self.agree(lua, self.pencil.hold(contact, ask, facts, self.now_ms))

    @rule(**drawn("n", "right", "within_ms"))
    def accept(self, n: int, right: bool, within_ms: int | None = None) -> None:
        contact = self.pick(n, "reserved")
        agent, fence = self.reservation(contact, right)
        lua = self.wait(self.line.accept(contact, agent, fence, self.now_ms, within_ms))
        self.agree(lua, self.pencil.accept(contact, agent, fence, self.now_ms, within_ms or 0))

    @rule(**drawn("n", "right", "away"))
    def decline(self, n: int, right: bool, away: bool) -> None:
        contact = self.pick(n, "reserved")
        agent, fence = self.reservation(contact, right)
        lua = self.wait(self.line.decline(contact, agent, fence, self.now_ms, away))
        self.agree(lua, self.pencil.decline(contact, agent, fence, self.now_ms, away))

    @rule(**drawn("n", "joined_by"))
    def connect(self, n: int, joined_by: str) -> None:
        contact = self.pick(n, "reserved")
        lua = self.wait(self.line.connect(contact, self.now_ms, joined_by))
        self.agree(lua, self.pencil.connect(contact, joined_by, self.now_ms))

    @rule(**drawn("n"))
    def meet(self, n: int) -> None:
        """The common case in one step, so that talks are not rare: accept, then connect."""
        self.accept(n, True)
        self.connect(n, "")

    @rule(**drawn("n"))
    def fail_join(self, n: int) -> None:
        contact = self.pick(n, "reserved", "connected")
        lua = self.wait(self.line.fail_join(contact, self.now_ms))
        self.agree(lua, self.pencil.fail_join(contact, self.now_ms))

    @rule(**drawn("n"))
    def finish(self, n: int) -> None:
        contact = self.pick(n, "connected")
        lua = self.wait(self.line.finish(contact, self.now_ms))
        self.agree(lua, self.pencil.finish(contact, self.now_ms))

    @rule(**drawn("agent", "skills"))
    def sign_in(self, agent: str, skills: dict[str, int]) -> None:
        self.wait(self.roster.sign_in(agent, name=agent, skills=skills, line="softphone", now_ms=self.now_ms))
        self.pencil.sign_in(agent, skills, self.now_ms)

    @rule(**drawn("agent"))
    def ready(self, agent: str) -> None:
        lua = self.wait(self.roster.ready(agent, self.now_ms))
        self.agree(lua, self.pencil.ready(agent, self.now_ms))

    @rule(**drawn("agent", "wish"))
    def stand_down(self, agent: str, wish: str) -> None:
        if wish == "off":
            lua = self.wait(self.roster.off(agent, self.now_ms))
        else:
            lua = self.wait(self.roster.away(agent, "tea", self.now_ms))
        self.agree(lua, self.pencil.stand_down(agent, wish, "tea" if wish == "away" else "", self.now_ms))

    @rule(**drawn("step_ms", "limit", "swept"))
    def time_passes(self, step_ms: int, limit: int, swept: bool) -> None:
        self.now_ms += step_ms
        if not swept:
            return
        expired = self.wait(self.line.expire(self.now_ms, limit))
        happened = [(e.kind, e.contact, e.agent) for e in expired]
        self.agree(happened, self.pencil.expire(self.now_ms, limit))
        self.lives["forgotten"] += sum(kind == "forgotten" for kind, *_ in happened)

    @rule(**drawn("n", "m", "step_ms"))
    def drop_out_and_return(self, n: int, m: int, step_ms: int) -> None:
        """Before anybody has swept up: in time for the old place, or too late."""
        self.leave(n, Disposition.ABANDONED, "k1")
        self.time_passes(step_ms, 1, False)
        self.enter(m, "support", "p2", "k1", 0, 0)

    # --- what must hold -----------------------------------------------------------------------------

    @invariant()
    def both_lines_agree(self) -> None:
        sight, self.last = look(self.watch, self.line, self.last)
        self.compare_contacts(sight)
        self.compare_agents(sight)
        pencil = self.pencil
        self.agree(sight.told, pencil.told)
        pencil.told = []
        for queue in sight.waiting:
            self.agree(sight.waiting[queue], [(c.id, c.score) for c in pencil.waiting(queue)])
            self.agree(sight.idle[queue], [(w.id, w.idle_ms + w.skills[queue]) for w in pencil.idle(queue)])
        self.agree(sight.due, pencil.due)
        self.agree(sight.places, set(pencil.places))
        self.agree(sight.asks, set(pencil.asks))
        self.agree(sight.clock_us, pencil.clock_us)
        self.agree(sight.names, set(pencil.workers))
        self.check_laws(sight)

    def compare_contacts(self, sight: Sight) -> None:
        def seen(c: Any, contact: str) -> tuple[object, ...]:
            kept_for = getattr(c, "kept_for", "")
            passed = sorted([*c.passed, f"!{kept_for}"] if kept_for else c.passed)
            return (
                *(contact, c.state, c.queue, c.band, c.score, c.arrival_us, c.entered_ms, c.agent, c.fence),
                *(c.deadline_ms, c.accepted, passed, c.answered_ms, c.disposition),
            )

        lua = [seen(c, name) for name, c in sorted(sight.contacts.items())]
        self.agree(lua, [seen(c, name) for name, c in sorted(self.pencil.callers.items())])

    def compare_agents(self, sight: Sight) -> None:
        def seen(a: Any, agent: str) -> tuple[object, ...]:
            return (
                *(agent, a.presence, a.since_ms, a.contact, a.queue, a.fence, a.deadline_ms, a.misses),
                *(a.after, a.reason, a.idle_ms, list(a.skills.items())),
            )

        lua = [seen(a, name) for name, a in sorted(sight.agents.items())]
        self.agree(lua, [seen(w, name) for name, w in sorted(self.pencil.workers.items())])

    def check_laws(self, sight: Sight) -> None:
        """What must hold whatever the pencil says."""
        standing = [name for queue in sight.waiting.values() for name, _ in queue]
        assert sorted(standing) == sorted(n for n, c in sight.contacts.items() if c.state == "waiting")
        held = {name: c.agent for name, c in sight.contacts.items() if c.state in ("reserved", "connected")}
        busy = {a.contact: name for name, a in sight.agents.items() if a.presence in ("reserved", "talking")}
        assert held == busy, "contact and agent do not hold each other"
        for queue, idle in sight.idle.items():
            for name, _ in sight.waiting[queue]:
                passed = sight.contacts[name].passed
                kept = {name[1:] for name in passed if name[0] == "!"}
                free = [agent for agent, _ in idle if not kept or agent in kept]
                assert all(agent in passed for agent in free), "idle while a contact waits"
            arrivals: dict[str, list[int]] = {}
            for name, _ in sight.waiting[queue]:
                c = sight.contacts[name]
                arrivals.setdefault(c.band, []).append(c.arrival_us)
            assert all(a == sorted(a) for a in arrivals.values()), "not first come, first served"
        assert self.lives["entered"] == len(sight.contacts) + self.lives["forgotten"], "a contact was lost"

    def teardown(self) -> None:
        """Everybody goes home: nothing may be left but what stays for ever."""
        for agent in AGENTS:
            self.wait(self.roster.off(agent, self.now_ms))
        for contact in [*CONTACTS, *TURNS]:
            self.wait(self.line.leave(contact, Disposition.ABANDONED, self.now_ms))
        self.now_ms += 100 * POLICY.forget_ms
        while self.wait(self.line.expire(self.now_ms)):
            pass
        left = set(self.watch.keys("*"))
        left = {key for key in left if ":away:" not in key}  # these forget themselves
        assert left <= {self.line.keys.book, self.line.keys.agents, self.line.keys.journal}, left
        fields = self.watch.hkeys(self.line.keys.book)
        assert {name[0] for name in fields} <= {"@", "#"}, fields
