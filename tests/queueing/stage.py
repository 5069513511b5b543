"""Both lines on the stage: calls, agents and promises in one line, by single steps or long histories."""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis.stateful import rule
from redis import Redis as SyncRedis

from foundation.connections import open_redis
from queueing.line import Card, Entry
from queueing.records import EntryOutcome
from tests.queueing.machine import AGENTS, CONTACTS, POOLS, SKILLS, TURNS, TwoLines, drawn


class BothLines(TwoLines):
    """The rules of promises beside those of calls."""

    def came(self, entry: Entry) -> tuple[EntryOutcome, int | None]:
        return entry.outcome, entry.position or None

    def a_turn(self, n: int) -> str:
        """Mostly one that is under way, or at least known."""
        known = [c for turn in TURNS if (c := self.pencil.callers.get(turn))]
        known = [c for c in known if c.state in ("waiting", "reserved")] or known
        return known[n % len(known)].id if known and n < 9 else TURNS[n % len(TURNS)]

    @rule(**drawn("n", "m"))
    def promise(self, n: int, m: int) -> None:
        contact, turn = self.pick(n, "waiting"), self.newcomer(m, TURNS)
        entry = self.wait(self.line.promise(contact, turn, card=Card(), now_ms=self.now_ms))
        self.agree(self.came(entry), self.pencil.promise(contact, turn, self.now_ms))
        self.lives["entered"] += entry.outcome is EntryOutcome.ENTERED

    @rule(**drawn("n", "queue", "band", "ticket_age_ms"))
    def rejoin(self, n: int, queue: str, band: str, ticket_age_ms: int | None) -> None:
        contact = self.newcomer(n, TURNS if n % 4 else CONTACTS)
        ticket_us = 0 if ticket_age_ms is None else (self.now_ms - ticket_age_ms) * 1000 + 7
        given: dict[str, Any] = {"queue": queue, "band": band, "arrival_us": ticket_us, "now_ms": self.now_ms}
        given["entered_ms"] = self.now_ms - (ticket_age_ms or 0)
        entry = self.wait(self.line.rejoin(contact, card=Card(), **given))
        self.agree(self.came(entry), self.pencil.rejoin(contact, **given))
        self.lives["entered"] += entry.outcome in (EntryOutcome.ENTERED, EntryOutcome.RESERVED)

    @rule(**drawn("n", "m", "queue", "band", "key"))
    def take_up(self, n: int, m: int, queue: str, band: str, key: str) -> None:
        self.ring_in(self.newcomer(n, CONTACTS), self.a_turn(m), queue, band, key)

    @rule(**drawn("n", "m", "agent", "band"))
    def ring_in_while_dialled(self, n: int, m: int, agent: str, band: str) -> None:
        """The agent has taken the turn and said yes."""
        turn = self.a_turn(m)
        lua = self.wait(self.line.claim(turn, agent, now_ms=self.now_ms, lease_ms=120_000))
        self.agree(lua, self.pencil.claim(turn, agent, self.now_ms, 120_000))
        holder, fence = self.reservation(turn, True)
        lua = self.wait(self.line.accept(turn, holder, fence, self.now_ms))
        self.agree(lua, self.pencil.accept(turn, holder, fence, self.now_ms))
        self.ring_in(self.newcomer(n, CONTACTS), turn, "support", band, "")

    def ring_in(self, contact: str, turn: str, queue: str, band: str, key: str) -> None:
        given: dict[str, Any] = {"queue": queue, "band": band, "caller_key": key, "now_ms": self.now_ms}
        entry = self.wait(self.line.take_up(contact, turn, card=Card(), **given))
        self.agree((*self.came(entry), entry.resumed), self.pencil.take_up(contact, turn, **given))
        self.lives["entered"] += entry.outcome in (EntryOutcome.ENTERED, EntryOutcome.RESERVED)

    @rule(**drawn("n", "agent", "lease_ms"))
    def claim(self, n: int, agent: str, lease_ms: int) -> None:
        turn = self.pick(n, "waiting") if n % 3 else self.pick(n, "waiting", "reserved")
        lua = self.wait(self.line.claim(turn, agent, now_ms=self.now_ms, lease_ms=lease_ms))
        self.agree(lua, self.pencil.claim(turn, agent, self.now_ms, lease_ms))

    @rule(**drawn("n", "kept_for"))
    def keep_for(self, n: int, kept_for: str) -> None:
        turn = self.pick(n, "waiting") if n % 4 else self.a_turn(n)
        lua = self.wait(self.line.keep_for(turn, kept_for, self.now_ms))
        self.agree(lua, self.pencil.keep_for(turn, kept_for, self.now_ms))

    @rule(**drawn("n", "right"))
    def not_reached(self, n: int, right: bool) -> None:
        turn = self.pick(n, "reserved", "connected")
        _agent, fence = self.reservation(turn, right)
        lua = self.wait(self.line.not_reached(turn, fence, self.now_ms))
        self.agree(lua, self.pencil.not_reached(turn, fence, self.now_ms))

    @rule(**drawn("n"))
    def dial_in_vain(self, n: int) -> None:
        """The common case in one step: accept, then nobody answers."""
        turn = self.pick(n, "reserved")
        agent, fence = self.reservation(turn, True)
        lua = self.wait(self.line.accept(turn, agent, fence, self.now_ms, 90_000))
        self.agree(lua, self.pencil.accept(turn, agent, fence, self.now_ms, 90_000))
        lua = self.wait(self.line.not_reached(turn, fence, self.now_ms))
        self.agree(lua, self.pencil.not_reached(turn, fence, self.now_ms))


@contextmanager
def staged(redis_url: str) -> Iterator[type[BothLines]]:
    """The machine on an empty store, with an event loop of its own."""
    loop = asyncio.new_event_loop()
    redis = open_redis(redis_url, timeout_s=5.0, connect_timeout_s=5.0)
    watch = SyncRedis.from_url(redis_url, decode_responses=True)

    class Staged(BothLines):
        stage = (loop, redis, watch)

    try:
        yield Staged
    finally:
        watch.flushall()
        watch.close()
        loop.run_until_complete(redis.aclose())
        loop.close()


RULES = (
    *("enter", "enter", "enter", "enter", "leave", "leave", "turn_away", "transfer", "set_band", "hold"),
    *("accept", "decline", "connect", "meet", "meet", "fail_join", "finish"),
    *("sign_in", "ready", "ready", "ready", "stand_down", "time_passes", "time_passes"),
    "drop_out_and_return",
    *(
        "promise",
        "promise",
        "rejoin",
        "take_up",
        "take_up",
        "claim",
        "keep_for",
        "not_reached",
        "dial_in_vain",
    ),
    "ring_in_while_dialled",
)


def wander(machine: type[BothLines], steps: int, *seeds: int) -> None:
    """Long histories, each drawn by its seed alone. Raises AssertionError at the first difference."""
    for seed in seeds:
        _wander(machine, steps, seed)


def _wander(machine: type[BothLines], steps: int, seed: int) -> None:
    dice = random.Random(seed)
    both = machine()
    both.open_up([dice.choice(SKILLS) for _ in AGENTS], dice.randrange(4))
    done = []
    for _ in range(steps):
        verb = getattr(both, dice.choice(RULES))
        given = {name: dice.choice(POOLS[name]) for name in inspect.signature(verb).parameters}
        done.append((verb.__name__, given))
        try:
            verb(**given)
            both.both_lines_agree()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {len(done)}: {done[-8:]}: {error}") from None
    both.teardown()
