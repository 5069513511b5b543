"""The stage with an office of callbacks on it: promises are made at the doors, written down, kept in their
place and rung, all by HTTP and by the rounds that do it in earnest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from sqlmodel import select

from callbacks import jobs, keeping, merchant_first, notice, promises, reaping, telling, upkeep
from callbacks.jobs import Bench
from callbacks.office import Office
from callbacks.policy import CallbackPolicy
from callbacks.states import PromiseState
from callbacks.tables import Attempt, Promise
from callbacks.turns import turn_name
from carrier import texts
from drill.network.legs import Leg
from ivr.desk import Desk
from queueing import journal, ledger
from queueing.pulse import Pulse
from queueing.pulse import publish as publish_pulse
from queueing.records import ContactNow
from surge import followups
from tests.waits import queue_pulse
from tests.wire.stage import ACCOUNT, HOOK, OURS, Stage, opened

__all__ = ["POLICY", "SHOP", "House", "open_house"]

POLICY = CallbackPolicy(
    calls_per_s=1000, offer_after_ms=15_000, rehearsal=True, quiet_from="00:00", quiet_to="00:00"
)
SHOP = "+14155550003"


class House(Stage):
    """A stage whose merchants can be called back."""

    office: Office
    read = "-"

    async def passes(self, s: float) -> None:
        for _ in range(round(s)):
            await super().passes(1)
            await self.keeps()

    async def settles(self) -> None:
        """Webhooks, effects, and the journal written down, until nothing follows any more."""
        await super().settles()
        while await self.writes_down():
            await super().settles()

    async def writes_down(self) -> int:
        """The scribe's step: events and promises in one transaction."""
        entries = await self.desk.redis.xrange(self.desk.keys.journal, self.read)
        if not entries:
            return 0
        self.read = f"({entries[-1][0]}"
        events = [journal.unpacked(entry_id, entry) for entry_id, entry in entries]
        async with self.desk.sql.session(statement_s=5) as session:
            fresh = await ledger.record(session, events)
            await keeping.follow(session, fresh, self.office)
            if self.desk.watch is not None:
                await followups.follow(session, fresh, self.desk.watch)
        return len(entries)

    async def keeps(self) -> None:
        """One of every round of the keeper."""
        cb, carrier, now_ms = self.office, self.tools.carrier, self.clock.now_ms()
        await upkeep.refill(cb, now_ms)
        await upkeep.bring_due(cb, now_ms)
        await upkeep.put_right(cb, now_ms)
        await reaping.reap(cb, carrier, now_ms)
        await reaping.stop_unwanted(cb, carrier, now_ms)
        await reaping.expire(cb, now_ms)
        await reaping.tidy(cb, now_ms)
        for chosen in await merchant_first.to_dial(cb, now_ms):
            await jobs.ring_first(chosen.promise)
        await telling.tell_news(cb, now_ms)
        async with cb.sql.reading() as session:
            due = await texts.due(session, now_ms, 20)
        for text_id in due:
            await jobs.text(text_id)
        await self.tells_doors()
        await self.settles()

    async def tells_doors(self) -> None:
        """Figures that promise no wait, and the notice of callbacks."""
        cb, now_ms = self.office, self.clock.now_ms()
        queues = {queue.name: queue_pulse(0, 0) for queue in self.desk.policy.queues}
        await publish_pulse(cb.redis, cb.keys, Pulse(at_ms=now_ms, queues=queues))
        await notice.publish(cb, now_ms)

    # --- people -------------------------------------------------------------------------------------

    async def waiting(self, number: str = SHOP) -> Leg:
        """In the line, and a callback is offered."""
        shop = await self.rings(number)
        await self.passes(4)
        await self.presses(shop, "1")
        await self.passes(40)
        assert "be called back, press 1." in " ".join(self.said(shop)), self.said(shop)
        return shop

    async def promised(self, number: str = SHOP) -> Promise:
        """Waits, is offered, takes it up, and hangs up when it is promised."""
        shop = await self.waiting(number)
        await self.presses(shop, "1")
        await self.passes(6)
        await self.presses(shop, "1")
        await self.passes(9)
        await self.presses(shop, "1")
        await self.passes(9)
        assert any("We will call you back at" in words for words in self.said(shop)), self.said(shop)
        await self.hangs_up(shop)
        await self.passes(1)
        return await self.the_promise()

    async def calls(self, promise: Promise, login: str = "ann") -> Leg:
        """The agent who is asked presses Call, by softphone."""
        turn = turn_name(promise.id, promise.turn)
        now = await self.turn(promise)
        assert now.agent == login, now
        self.clock.advance(ms=1)
        await self.desk.line.accept(turn, login, now.fence, self.clock.now_ms(), self.office.policy.dial_ms)
        leg = self.network.switchboard.connect_client(
            login, ACCOUNT.app_sid, {"contact": turn, "fence": str(now.fence)}
        )
        await self.settles()
        return leg

    def rung(self, number: str = SHOP) -> list[Leg]:
        """Every call that we made to this number."""
        return [leg for leg in self.network.exchange.legs.values() if leg.to == number]

    @staticmethod
    def said(leg: Leg) -> list[str]:
        return [line.text for line in leg.heard if line.kind == "say"]

    # --- the record ---------------------------------------------------------------------------------

    async def the_promise(self) -> Promise:
        async with self.desk.sql.reading() as session:
            found = list(await session.exec(select(Promise)))
        assert len(found) == 1, found
        return found[0]

    async def turn(self, promise: Promise) -> ContactNow:
        now = await self.desk.line.contact(turn_name(promise.id, promise.turn))
        assert now is not None
        return now

    async def state(self) -> PromiseState:
        return PromiseState((await self.the_promise()).state)

    async def attempts(self) -> list[Attempt]:
        return await promises.attempts(self.office, (await self.the_promise()).id)

    async def results(self) -> list[str]:
        return [attempt.result or attempt.state for attempt in await self.attempts()]


AnyHouse = TypeVar("AnyHouse", bound=House)


@asynccontextmanager
async def open_house(
    clock: Any, desk: Desk, policy: CallbackPolicy = POLICY, house: type[AnyHouse] = House
) -> AsyncIterator[AnyHouse]:
    office = Office(
        sql=desk.sql,
        redis=desk.redis,
        line=desk.line,
        keys=desk.keys,
        clock=clock,
        policy=policy,
        hours=None,
        time_zone="America/Los_Angeles",
        ours=(OURS,),
        public_url=HOOK,
        centre_name=desk.centre.name,
        secret=desk.secret,
    )
    desk = replace(desk, office=office)
    async with opened(clock, desk) as stage:
        bench = Bench(office, stage.tools.carrier)
        tools = replace(stage.tools, callbacks=bench, rehearsal=True)
        opened_house = house(clock, desk, stage.network, tools)
        opened_house.office = office
        jobs.equip(bench)
        await opened_house.tells_doors()
        yield opened_house
