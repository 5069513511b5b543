"""The whole way of a call, in one process: the phone-network double on the one side, our doors, line, journal
and effects on the other, and between them nothing but HTTP. Time passes when the test says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from carrier.twilio_rest import Carrier
from drill.network import people
from drill.network.app import Network, network
from drill.network.exchange import Phone
from drill.network.legs import Leg
from drill.network.timekeeping import pass_time, settle
from foundation.clock import ManualClock
from ivr.app import doors
from ivr.bridging import Tools, carry_out
from ivr.desk import Desk
from queueing import journal
from queueing.records import AgentNow, ContactNow
from tests.drill.loopback import listening
from tests.drill.product import ACCOUNT, HOOK, OURS

__all__ = ["ACCOUNT", "HOOK", "OURS", "Stage", "opened"]


@dataclass
class Stage:
    clock: ManualClock
    desk: Desk
    network: Network
    tools: Tools

    async def rings(self, from_: str = "+14155550003", **script: object) -> Leg:
        leg = self.network.switchboard.ring_in(from_, OURS, script=script or None)
        await self.settles()
        return leg

    async def passes(self, s: float) -> None:
        """Second by second; after each, what fell due and what the journal asks for is carried out."""
        for _ in range(round(s)):
            await pass_time(self.network.exchange, self.clock, 1000)
            await self.desk.line.expire(self.clock.now_ms())
            await self.settles()

    async def settles(self) -> None:
        """Let everything happen that needs no time to pass: webhooks, effects, and what follows from both."""
        await settle(self.network.exchange)
        while events := await journal.read(self.desk.redis, self.desk.keys, "effects", "stage"):
            for event in events:
                await carry_out(event, self.tools)
                await journal.ack(self.desk.redis, self.desk.keys, "effects", [event.id])
            await settle(self.network.exchange)

    async def presses(self, leg: Leg, digits: str) -> None:
        assert people.press(self.network.exchange, leg, digits), f"nobody listens: {leg.verb}"
        await self.settles()

    async def speaks(self, leg: Leg, text: str) -> None:
        assert people.speak(self.network.exchange, leg, text), f"nobody listens: {leg.verb}"
        await self.settles()

    async def hangs_up(self, leg: Leg) -> None:
        people.hang_up(self.network.exchange, leg)
        await self.settles()

    async def works(self, login: str = "ann", line: str = "softphone", **skills: int) -> None:
        now_ms, served = self.clock.now_ms(), skills or {"support": 0, "payments": 0}
        await self.desk.roster.sign_in(login, name=login, skills=served, line=line, now_ms=now_ms)
        await self.desk.roster.ready(login, now_ms)
        await self.settles()

    async def accepts(self, login: str = "ann", *, carry_out: bool = True) -> Leg:
        """By softphone: yes on the desk, and the softphone dials in; the caller is fetched, or not yet."""
        agent = await self.agent(login)
        await self.desk.line.accept(agent.contact, login, agent.fence, self.clock.now_ms())
        params = {"contact": agent.contact, "fence": str(agent.fence)}
        leg = self.network.switchboard.connect_client(login, ACCOUNT.app_sid, params)
        await (self.settles() if carry_out else settle(self.network.exchange))
        return leg

    def phone(self, number: str, answers: str = "human", after_ms: int = 2000, **script: object) -> None:
        """How a telephone that we ring behaves."""
        self.network.exchange.phones[number] = Phone(answers, after_ms, dict(script))

    async def contact(self, leg: Leg) -> ContactNow:
        now = await self.desk.line.contact(leg.sid)
        assert now is not None
        return now

    async def agent(self, login: str = "ann") -> AgentNow:
        now = await self.desk.roster.agent(login)
        assert now is not None
        return now

    @property
    def violations(self) -> list[str]:
        """Everything the double had to find fault with."""
        return [f"{each.code} {each.message}" for each in self.network.exchange.ledger.violations]

    def faults(self, *rules: dict[str, object], seed: int = 0) -> None:
        self.network.exchange.courier.faults.replace({"seed": seed, "rules": list(rules)})


@asynccontextmanager
async def opened(clock: ManualClock, desk: Desk) -> AsyncIterator[Stage]:
    double = network(
        clock,
        HOOK,
        ACCOUNT,
        transport=httpx2.ASGITransport(app=doors(desk)),
        base_url="http://127.0.0.1:8081",
    )
    await journal.ensure_group(desk.redis, desk.keys, "effects")
    async with listening(double) as url:
        carrier = Carrier(ACCOUNT.sid, ACCOUNT.token, api_base_url=url)
        tools = Tools(carrier, desk.line, desk.legs, clock, HOOK, OURS)
        try:
            yield Stage(clock, desk, double, tools)
        finally:
            await carrier.close()
            await double.close()


def heard(leg: Leg) -> list[str]:
    """What was said to that person, in order."""
    return [line.text for line in leg.heard if line.kind == "say"]
