"""A line of two queues, and people who ring it and serve it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from redis.asyncio import Redis

from foundation.clock import ManualClock
from queueing import journal
from queueing.line import Card, Entry, Line, LinePolicy, Queue
from queueing.records import AgentNow, ContactNow, Expired
from queueing.roster import Roster

POLICY = LinePolicy(queues=(Queue("support", max_waiting=100), Queue("billing", max_waiting=100)))


@dataclass
class Centre:
    """The line and its roster, on one clock. Verbs take the time from it."""

    redis: Redis
    clock: ManualClock
    policy: LinePolicy = POLICY

    def __post_init__(self) -> None:
        self.line = Line(self.redis, self.policy)
        self.roster = Roster(self.redis, self.policy)
        self.keys = self.line.keys

    def but(self, **rules: object) -> Centre:
        """The same centre by other rules."""
        return Centre(self.redis, self.clock, replace(self.policy, **rules))

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    async def ring(self, contact: str, queue: str = "support", band: str = "p2", **card: str) -> Entry:
        """Somebody rings and enters the line."""
        return await self.line.enter(contact, queue=queue, band=band, card=Card(**card), now_ms=self.now_ms)

    async def at_work(self, agent: str, *, ready: bool = True, **skills: int) -> None:
        """Somebody signs in (for support, when nothing else is said) and is ready."""
        await self.roster.sign_in(
            agent, name=agent.title(), skills=skills or {"support": 0}, line="softphone", now_ms=self.now_ms
        )
        if ready:
            await self.roster.ready(agent, self.now_ms)

    async def meet(self, contact: str) -> ContactNow:
        """Whoever is asked says yes, and the two meet."""
        asked = await self.contact(contact)
        await self.line.accept(contact, asked.agent, asked.fence, self.now_ms)
        await self.line.connect(contact, self.now_ms)
        return await self.contact(contact)

    async def contact(self, contact: str) -> ContactNow:
        there = await self.line.contact(contact)
        assert there is not None
        return there

    async def agent(self, agent: str) -> AgentNow:
        there = await self.roster.agent(agent)
        assert there is not None
        return there

    async def expire(self) -> list[Expired]:
        return await self.line.expire(self.now_ms)

    async def order(self, queue: str = "support") -> list[str]:
        return [contact.contact for contact in await self.line.waiting(queue)]

    async def told(self) -> list[journal.Event]:
        """The whole journal."""
        entries = await self.redis.xrange(self.keys.journal)
        return [journal.unpacked(entry_id, entry) for entry_id, entry in entries]

    async def kinds(self) -> list[str]:
        return [event.kind for event in await self.told()]


@pytest.fixture
async def centre(redis: Redis, clock: ManualClock) -> Centre:
    return Centre(redis, clock)
