"""A thousand promises in three minutes, while others ring and agents work: the line keeps its word to all.

Whoever is next by ticket is next; nobody is forgotten; no more phones ring than agents wait for them, and no
faster than the account may call.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlmodel import select

from callbacks import dialing, merchant_first, promises, reaping, upkeep
from callbacks.jobs import Bench
from callbacks.making import NewPromise
from callbacks.policy import CallbackPolicy
from callbacks.states import Mode, PromiseState
from callbacks.tables import Attempt, Promise
from callbacks.turns import promise_of, turn_of
from foundation.clock import ManualClock
from foundation.connections import Sql
from foundation.errors import Unavailable
from queueing import journal
from queueing.line import LinePolicy, Queue
from queueing.presence import Presence
from queueing.records import Card
from queueing.states import ContactState
from tests.callbacks.office import Staff, with_network

WHOLE = bool(os.environ.get("SURGELINE_FAULTS"))
"""All of it takes minutes on a small machine: ``make faults``. The suite has a tenth of it."""
MODES = {
    Mode.AGENT_FIRST: (1000, 60) if WHOLE else (100, 24),
    Mode.MERCHANT_FIRST: (1000, 60) if WHOLE else (100, 24),
}
"""How many promises and agents."""
CALLS_PER_S = 10
QUEUES, BANDS = ("support", "billing"), ("p0", "p1", "p2")
PHONES = ("human",) * 9 + ("busy",)
TALK_S = 8
WAIT_S = 15
"""So long at most does a merchant who was dialled first and pressed 1 wait for an agent."""
ENDS = {PromiseState.KEPT, PromiseState.UNREACHABLE, PromiseState.SUPERSEDED}
"""Superseded: an agent was asked for the call itself before the promise was made, and they talked."""


@dataclass
class Burst:
    """Everybody in it, on one clock."""

    staff: Staff
    dice: random.Random
    mode: Mode
    made: int
    agents: int
    talk_ends: dict[str, int] = field(default_factory=dict)
    """Contact to when the talk is over (ms)."""
    rung_at_most: int = 0
    """Of the moments looked at: how many phones rang or talked beyond the agents who had asked for them."""

    def __post_init__(self) -> None:
        self.bench = Bench(self.staff.cb, self.staff.carrier, beside=True)
        self.live = self.made * 15 // 100
        """Callers who wait on the line instead."""
        self.lasts_s = self.made * 18 // 100

    async def asks(self, number: int) -> None:
        """A merchant rings in and takes the offer."""
        queue, band = self.dice.choice(QUEUES), self.dice.choice(BANDS)
        caller, contact = f"+1201555{2000 + number}", f"CA{number:032x}"
        self.staff.phone(caller, self.dice.choice(PHONES), after_ms=self.dice.choice((500, 2000, 9000)))
        card, now_ms = Card(caller=caller), self.staff.now_ms
        await self.staff.line.enter(contact, queue=queue, band=band, card=card, now_ms=now_ms)
        request = NewPromise(caller, queue, band, card, contact=contact)
        assert (await promises.make(self.staff.cb, request, now_ms)).fresh

    async def rings(self, number: int) -> None:
        """Somebody rings in and stays on the line."""
        queue, band = self.dice.choice(QUEUES), self.dice.choice(BANDS)
        contact = f"CA{self.made + number:032x}"
        await self.staff.line.enter(contact, queue=queue, band=band, card=Card(), now_ms=self.staff.now_ms)

    async def agents_act(self) -> None:
        """Whoever is asked says yes at once; talks end in their time; nobody dawdles over the wrap-up."""
        staff = self.staff
        board = await staff.line.look(staff.now_ms)
        for agent in board.agents:
            if agent.presence is Presence.RESERVED:
                await self._accept(agent.agent, agent.contact, agent.fence)
            elif agent.presence is Presence.TALKING:
                await self._talk(agent.contact)
            elif agent.presence is Presence.WRAP_UP:
                await staff.roster.ready(agent.agent, staff.now_ms)

    async def _accept(self, agent: str, contact: str, fence: int) -> None:
        staff = self.staff
        now = await staff.contact(contact)
        if now.state is not ContactState.RESERVED or now.accepted:
            return
        if not promise_of(contact):
            await staff.line.accept(contact, agent, fence, staff.now_ms)
            await staff.line.connect(contact, staff.now_ms)
            return
        await staff.line.accept(contact, agent, fence, staff.now_ms, within_ms=staff.policy.dial_ms)
        try:
            intent = await dialing.intend(staff.cb, contact, fence, agent, staff.now_ms)
        except Unavailable:  # SQLite was busy: the agent was let go, and the turn is in its place
            return
        if intent.attempt is not None:
            await self.bench.do(dialing.send(staff.cb, staff.carrier, intent.attempt, intent.number))

    async def _talk(self, contact: str) -> None:
        """An agent who pressed Call counts as talking, too: until they have met, nothing ends."""
        if (await self.staff.contact(contact)).state is not ContactState.CONNECTED:
            return
        ends_ms = self.talk_ends.setdefault(contact, self.staff.now_ms + TALK_S * 1000)
        if self.staff.now_ms >= ends_ms:
            await self._end(contact)

    async def _end(self, contact: str) -> None:
        assert self.staff.rehearsal is not None
        leg = await dialing.leg_of(self.staff.cb, contact) if promise_of(contact) else contact
        found = self.staff.rehearsal.exchange.legs.get(leg)
        if found is None or found.ended:  # a caller; or SQLite was busy when the leg's end was told
            await self.staff.line.finish(contact, self.staff.now_ms)
        else:
            self.staff.hangs_up(found)

    async def dial_merchants(self) -> None:
        """The keeper's choice, and the jobs that it hands over."""
        staff = self.staff
        for chosen in await merchant_first.to_dial(staff.cb, staff.now_ms):
            try:
                intent = await dialing.write_intent(staff.cb, chosen.promise, "", 0, "", staff.now_ms)
            except Unavailable:  # SQLite was busy
                return
            if intent.attempt is not None:
                await self.bench.do(dialing.send(staff.cb, staff.carrier, intent.attempt, intent.number))

    async def second(self, number: int) -> None:
        """One second, with what the product's processes do in it."""
        staff = self.staff
        await self.agents_act()
        await self.dial_merchants()
        assert staff.rehearsal is not None
        await staff.rehearsal.passes(1)
        await staff.writes_down()
        await staff.line.expire(staff.now_ms)
        await upkeep.bring_due(staff.cb, staff.now_ms)
        if number % 5 == 0:
            await upkeep.refill(staff.cb, staff.now_ms)
            await upkeep.put_right(staff.cb, staff.now_ms)
            await reaping.reap(staff.cb, staff.carrier, staff.now_ms)
            await reaping.stop_unwanted(staff.cb, staff.carrier, staff.now_ms)
        await self.no_phone_without_an_agent()

    async def no_phone_without_an_agent(self) -> None:
        live = [leg for leg in self.staff.legs_all() if not leg.ended]
        assert len(live) <= self.agents
        board = await self.staff.line.look(self.staff.now_ms)
        asked = {promise_of(agent.contact) for agent in board.agents} - {""}
        assert len({leg.to for leg in live}) == len(live), "two phones ring for one merchant"
        self.rung_at_most = max(self.rung_at_most, len(live) - len(asked))

    async def open_now(self) -> int:
        return await promises.count_open(self.staff.cb)


async def lines_of(staff: Staff) -> list[journal.Event]:
    entries = await staff.redis.xrange(staff.line.keys.journal)
    return [journal.unpacked(entry_id, entry) for entry_id, entry in entries]


def in_order(events: list[journal.Event], policy: LinePolicy) -> int:
    """Replay the journal: whoever is reserved is the first of that queue by ticket less head start, live call
    or promise, of all who wait there at that moment and whom this agent has not passed on or lost. How many
    reservations there were.
    """
    score: dict[str, int] = {}
    waiting: dict[str, dict[str, int]] = defaultdict(dict)
    passed: dict[str, set[str]] = defaultdict(set)
    count = 0
    for event in events:
        match event.kind:
            case "entered":
                head_start_us = policy.band(event.band).head_start_ms * 1000
                score[event.contact] = int(event.fields["arrival"]) - head_start_us
                waiting[event.queue][event.contact] = score[event.contact]
            case "reserved":
                there = waiting[event.queue]
                mine = (each for each in there if event.agent not in passed[each])
                first = min(mine, key=lambda each: (there[each], each))
                assert event.contact == first, (event, there[event.contact], there[first], passed[first])
                del waiting[event.queue][event.contact]
                count += 1
            case "missed" | "declined" | "unjoined":
                waiting[event.queue][event.contact] = score[event.contact]
                passed[event.contact].add(event.agent)
            case "reopened":
                passed[event.contact].clear()
            case "ended":
                waiting[event.queue].pop(event.contact, None)
    assert not any(waiting.values())
    return count


def first_turns_by_ticket(events: list[journal.Event], made: list[Promise]) -> None:
    """In one queue and band, promises come to an agent for the first time in the order of their tickets."""
    known = {promise.id: promise for promise in made}
    order: dict[tuple[str, str], list[int]] = defaultdict(list)
    seen: set[str] = set()
    for event in events:
        promise = known.get(promise_of(event.contact))
        if event.kind != "reserved" or promise is None or promise.id in seen:
            continue
        seen.add(promise.id)
        assert turn_of(event.contact) == 1
        order[promise.queue, promise.band].append(promise.arrival_us)
    assert {p.id for p in made if p.state != PromiseState.SUPERSEDED} <= seen
    assert len(order) == len(QUEUES) * len(BANDS)
    for tickets in order.values():
        assert tickets == sorted(tickets)


def first_calls_by_ticket(made: list[Promise], attempts: list[Attempt]) -> None:
    """In one queue and band, merchants are dialled for the first time in the order of their tickets."""
    known = {promise.id: promise for promise in made}
    order: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for attempt in attempts:
        promise = known[attempt.promise]
        if attempt.number == 1:
            order[promise.queue, promise.band].append((attempt.made_ms, promise.arrival_us))
    assert len(order) == len(QUEUES) * len(BANDS)
    for calls in order.values():
        tickets = [ticket for _, ticket in sorted(calls)]
        assert tickets == sorted(tickets)


def waited_for_agent_s(events: list[journal.Event], legs: set[str]) -> list[float]:
    """How long each merchant who had pressed 1 waited for an agent."""
    came = {event.contact: event.at_ms for event in events if event.kind == "entered"}
    met = [event for event in events if event.kind == "connected" and event.contact in legs]
    return sorted((event.at_ms - came[event.contact]) / 1000 for event in met)


def never_too_fast(created_ms: list[int]) -> None:
    """No second, wherever it begins, holds more calls than the account may place in one."""
    for first_ms, too_soon_ms in zip(created_ms, created_ms[CALLS_PER_S:], strict=False):
        assert too_soon_ms - first_ms >= 1000


def most_at_once(legs: list[Any]) -> int:
    steps = sorted([(leg.created_ms, 1) for leg in legs] + [(leg.ended_ms, -1) for leg in legs])
    return max(itertools.accumulate(step for _, step in steps))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mode", MODES)
async def test_a_thousand_promises_are_kept_in_their_order(
    redis: Redis, sql: Sql, clock: ManualClock, mode: Mode
) -> None:
    made_in_all, agents = MODES[mode]
    queues = tuple(Queue(name, max_waiting=2 * made_in_all) for name in QUEUES)
    policy = CallbackPolicy(
        calls_per_s=CALLS_PER_S,
        tries=2,
        retry_ms=(60_000,),
        max_open=made_in_all,
        number_a_day=1000,
        merchant_a_day=1000,
        block_an_hour=10_000,
        modes=dict.fromkeys(QUEUES, mode),
    )
    office = Staff(redis, sql, clock, policy=policy, line_policy=LinePolicy(queues=queues))
    async with with_network(office, calls_per_second=CALLS_PER_S) as staff:
        burst = Burst(staff, random.Random(7), mode, made_in_all, agents)
        for n in range(agents):
            skills = {name: 0 for name in (QUEUES if n % 3 == 0 else QUEUES[n % 3 - 1 :][:1])}
            login = f"agent{n}"
            await staff.roster.sign_in(
                login, name=login, skills=skills, line="softphone", now_ms=staff.now_ms
            )
            await staff.roster.ready(login, staff.now_ms)
        made = called = 0
        for number in range(1500):
            while made < made_in_all * min(number + 1, burst.lasts_s) // burst.lasts_s:
                await burst.asks(made)
                made += 1
            while called < burst.live * min(number + 1, burst.lasts_s) // burst.lasts_s:
                await burst.rings(called)
                called += 1
            await burst.second(number)
            if made == made_in_all and not await burst.open_now():
                break
        await asyncio.gather(*burst.bench.going)
        async with sql.reading(statement_s=10) as session:
            all_made = list(await session.exec(select(Promise)))
            attempts = list(await session.exec(select(Attempt)))
        states = Counter(promise.state for promise in all_made)
        assert sum(states.values()) == made_in_all
        assert set(states) <= ENDS, states
        assert states[PromiseState.KEPT] > made_in_all * 2 // 3
        events = await lines_of(staff)
        legs = sorted(staff.legs_all(), key=lambda leg: leg.created_ms)
        never_too_fast([leg.created_ms for leg in legs])
        assert most_at_once(legs) <= agents
        kept_or_live = states[PromiseState.KEPT] + burst.live
        waits = waited_for_agent_s(events, {leg.sid for leg in legs})
        if mode is Mode.AGENT_FIRST:
            assert in_order(events, staff.line_policy) >= made_in_all + burst.live
            first_turns_by_ticket(events, all_made)
            assert burst.rung_at_most <= 0
        else:
            assert in_order(events, staff.line_policy) >= kept_or_live
            first_calls_by_ticket(all_made, attempts)
            assert waits[-1] <= WAIT_S, waits
        met = Counter(event.contact for event in events if event.kind == "connected")
        leg_of = {attempt.call_sid: attempt.promise for attempt in attempts if not attempt.contact}
        talks = Counter({name: 0 for name in met})
        for contact, times in met.items():
            talks[promise_of(contact) or leg_of.get(contact, contact)] += times
        for promise in all_made:
            there = promise.state in (PromiseState.KEPT, PromiseState.SUPERSEDED)
            assert talks[promise.id] + talks[promise.contact] == there, promise
        assert sum(met[f"CA{made_in_all + number:032x}"] for number in range(burst.live)) == burst.live
        sys.stdout.write(
            f"\n{mode}: {dict(states)} in {number} s, {len(legs)} calls, {most_at_once(legs)} at once; "
            f"waited after 1: {waits[len(waits) // 2] if waits else 0} s, longest {max(waits, default=0)} s\n"
        )
