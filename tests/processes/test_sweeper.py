"""The deadlines are watched on the clock, and more than one may watch."""

from __future__ import annotations

import asyncio
from collections import Counter

from redis.asyncio import Redis

from foundation.clock import ManualClock
from processes.sweeper import EXPIRE_AT_ONCE, EXPIRE_MS, expire_due
from queueing.line import Card, Line
from queueing.policy import LinePolicy
from queueing.presence import Presence
from queueing.roster import Roster
from queueing.states import ContactState, Disposition

POLICY = LinePolicy()


async def test_a_missed_reservation_goes_back_to_its_place(redis: Redis, clock: ManualClock) -> None:
    line, roster, counts = Line(redis, POLICY), Roster(redis, POLICY), Counter[str]()
    await roster.sign_in("ann", name="Ann", skills={"support": 0}, line="softphone", now_ms=clock.now_ms())
    await roster.ready("ann", clock.now_ms())
    await line.enter("CA1", queue="support", band="p2", card=Card(), now_ms=clock.now_ms())
    assert await expire_due(line, clock, counts) == EXPIRE_MS
    assert counts == {}
    clock.advance(ms=POLICY.ring_ms)
    await expire_due(line, clock, counts)
    assert counts["missed"] == 1
    contact, agent = await line.contact("CA1"), await roster.agent("ann")
    assert contact is not None
    assert agent is not None
    assert contact.state in (ContactState.WAITING, ContactState.RESERVED)
    assert agent.presence in (Presence.READY, Presence.RESERVED)


async def test_a_heap_of_deadlines_is_worked_off_at_once(redis: Redis, clock: ManualClock) -> None:
    line, counts = Line(redis, POLICY), Counter[str]()
    for number in range(EXPIRE_AT_ONCE + 20):
        contact = f"CA{number}"
        await line.enter(contact, queue="support", band="p2", card=Card(), now_ms=clock.now_ms())
        await line.leave(contact, Disposition.ABANDONED, clock.now_ms())
    clock.advance(ms=POLICY.forget_ms + 1)
    assert await expire_due(line, clock, counts) == 0
    assert await expire_due(line, clock, counts) == EXPIRE_MS
    assert counts["forgotten"] == EXPIRE_AT_ONCE + 20


async def test_two_sweepers_do_nothing_twice(redis: Redis, clock: ManualClock) -> None:
    line, counts = Line(redis, POLICY), Counter[str]()
    for number in range(30):
        contact = f"CA{number}"
        await line.enter(contact, queue="support", band="p2", card=Card(), now_ms=clock.now_ms())
        await line.leave(contact, Disposition.ABANDONED, clock.now_ms())
    clock.advance(ms=POLICY.forget_ms + 1)
    await asyncio.gather(*(expire_due(line, clock, counts) for _ in range(4)))
    assert counts["forgotten"] == 30
