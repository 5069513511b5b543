"""The agents of a drill: each at a desk of the product's own API, told of news by the journal."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from dashboard.sessions import sign_in_link
from drill.shifts import Duty
from drill.staff import Agent, Identity
from drill.stage.house import PRODUCT, House
from drill.temper import Manner, Temper
from foundation.passwords import hashed
from queueing.journal import Event
from queueing.tables import AgentAccount

LEADS = ("lead", "lead2")
HOME_MS = 15_000
NEWS = frozenset(
    {
        "reserved",
        "released",
        "missed",
        "connected",
        "unjoined",
        "transferred",
        "wrap_up",
        "agent_away",
        "agent_off",
    }
)
"""Events after which an agent has something else to do. The others tell what they did themselves."""
PASSWORD = "a rehearsed password"  # noqa: S105 of accounts that are forgotten with the drill


@dataclass
class Bells:
    """Rings at the desk of whom an event concerns."""

    _rung: defaultdict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    def ring(self, agent: str) -> None:
        self._rung[agent].set()

    def tell(self, event: Event) -> None:
        """Ring where it is news."""
        if event.agent and event.kind in NEWS:
            self.ring(event.agent)

    async def wait(self, agent: str, ms: float) -> None:
        """Until it rings, no longer than ``ms``."""
        bell = self._rung[agent]
        try:
            async with asyncio.timeout(ms / 1000):
                await bell.wait()
        except TimeoutError:
            pass
        bell.clear()


async def hired(house: House, duties: Sequence[Duty]) -> None:
    """Accounts for everybody who works, and for two leads."""
    queues = [queue.name for queue in house.stores.plan.policy.queues]
    password = await hashed(PASSWORD)
    rows = [
        AgentAccount(agent=each.agent, name=each.agent.capitalize(), role="agent", password_hash=password,
                     skills=dict.fromkeys(each.queues or queues, 0), active=True)
        for each in duties
    ]  # fmt: skip
    rows += [
        AgentAccount(agent=lead, name=lead.capitalize(), role="lead", password_hash=password, skills={},
                     active=True)
        for lead in LEADS
    ]  # fmt: skip
    async with house.loop.turn.held(), house.stores.sql.session(statement_s=5) as session:
        session.add_all(rows)


@dataclass
class Desks:
    """Everybody at work. ``bells`` is rung by whoever reads the journal."""

    house: House
    duties: Sequence[Duty]
    manner: Manner
    bells: Bells = field(default_factory=Bells)

    async def work(self) -> None:
        """All days, each from its beginning to its end."""
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as together:
            network = await stack.enter_async_context(self.house.telephone())
            for number, duty in enumerate(self.duties):
                desk = await stack.enter_async_context(self.house.client())
                temper = Temper(self.house.seed * 1000 + number, self.manner)

                async def news(ms: float, agent: str = duty.agent) -> None:
                    await self.bells.wait(agent, ms)

                agent = Agent(
                    Identity(duty.agent, "", PASSWORD), desk, network, self.house.clock, temper,
                    self.house.counts, news=news,
                )  # fmt: skip
                together.create_task(self._day(agent, duty))

    async def _day(self, agent: Agent, duty: Duty) -> None:
        clock, begun_ms = self.house.clock, self.house.now_ms
        await clock.sleep(duty.start_s * 1000)
        agent.who = Identity(duty.agent, self._link(duty.agent), PASSWORD)
        working = asyncio.create_task(agent.work())

        async def until(at_s: float) -> None:
            await clock.sleep(begun_ms + at_s * 1000 - clock.now_ms())

        for at_s, length_s in duty.breaks:
            if at_s > duty.start_s and at_s + length_s < duty.end_s:
                await until(at_s)
                await agent.rest("/api/v1/me/away", reason="Break")
                await until(at_s + length_s)
                agent.resting = False
                self.bells.ring(duty.agent)
        await until(duty.end_s)
        await agent.rest("/api/v1/me/off")
        while await agent.presence() not in ("off", ""):  # after the talk in hand
            await self.bells.wait(duty.agent, HOME_MS)
        working.cancel()

    def _link(self, agent: str) -> str:
        secret = self.house.stores.settings.secret_key
        return sign_in_link(secret, PRODUCT, agent, self.house.now_ms)
