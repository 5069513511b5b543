"""A watch on a real line and real stores, and the people around it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from sqlmodel import col, select

from callbacks.office import Office
from callbacks.policy import CallbackPolicy
from carrier.tables import Text
from foundation.clock import ManualClock
from foundation.connections import Sql
from processes.watcher import Watcher
from queueing import journal, ledger
from queueing.line import Card, Line, LinePolicy, Queue
from queueing.roster import Roster
from queueing.states import Disposition
from surge import deflection, followups, incidents
from surge.directive import Told
from surge.incidents import NewIncident, Post
from surge.office import Watch
from surge.policy import SurgePolicy
from surge.states import Level
from surge.tables import FollowUp, Incident, SurgeEvent

LINE = LinePolicy(queues=(Queue("support", max_waiting=1000),))
OURS = "+14155550100"
NUMBER = "+14155550123"
POLICY = SurgePolicy()
DOWN = {"en": "Card payments are down everywhere."}


@dataclass
class House:
    redis: Redis
    sql: Sql
    clock: ManualClock
    data_dir: Path
    policy: SurgePolicy = POLICY
    read: str = "-"

    def __post_init__(self) -> None:
        self.line = Line(self.redis, LINE)
        self.roster = Roster(self.redis, LINE)
        given: dict[str, Any] = {
            "sql": self.sql, "redis": self.redis, "line": self.line, "keys": self.line.keys,
            "clock": self.clock, "hours": None, "time_zone": "America/Los_Angeles", "ours": (OURS,),
            "public_url": "https://line.example.com", "centre_name": "Corner Support",
        }  # fmt: skip
        self.watch = Watch(policy=self.policy, data_dir=self.data_dir, **given)
        self.cb = Office(policy=CallbackPolicy(), **given)
        self.watcher = Watcher(self.watch, self.cb, Counter())

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    def with_policy(self, **changes: Any) -> House:
        return House(self.redis, self.sql, self.clock, self.data_dir, replace(self.policy, **changes))

    # --- incidents ----------------------------------------------------------------------------------

    async def declares(self, by: str = "ann", **more: Any) -> Incident:
        given = {"title": "Payments", "words": DOWN, "scope": {"all": True}} | more
        return await incidents.declare(self.watch, NewIncident(**given), by, self.now_ms)

    async def says(self, row: Incident, words: str, by: str = "ann", **more: Any) -> Incident:
        version = more.pop("version", row.version)
        post = Post({"en": words}, **more)
        return await incidents.post_update(self.watch, row.id, post, version, by, self.now_ms)

    # --- callers ------------------------------------------------------------------------------------

    async def rings(self, call: str, number: str = NUMBER, merchant: int | None = None) -> None:
        card = Card(caller=number, merchant_id=merchant, merchant="Corner Bakery" if merchant else "")
        await self.line.enter(call, queue="support", band="p2", card=card, now_ms=self.now_ms)

    async def hangs_up(self, call: str, how: Disposition = Disposition.ABANDONED) -> None:
        await self.line.leave(call, how, self.now_ms)

    async def turned_away(self, call: str, how: Disposition, number: str = NUMBER) -> None:
        card = Card(caller=number).packed()
        await journal.write(
            self.redis, self.line.keys, "turned_away", at_ms=self.now_ms, contact=call,
            disposition=how.value, card=card,
        )  # fmt: skip

    async def deflects(self, call: str, incident: Incident, number: str = NUMBER, **more: Any) -> Any:
        told = Told(
            incident.id, incident.severity, incident.state, incident.audience, incident.scope,
            incident.version, incident.updated_ms, DOWN,
        )  # fmt: skip
        given: dict[str, Any] = {"level": Level.SURGE, "queue": "support", "band": "p2"} | more
        turned = deflection.Turned(call, number, told, **given)
        return await deflection.deflect(self.watch, turned, self.now_ms)

    async def meets(self, call: str, agent: str = "bob") -> None:
        """An agent takes this very call."""
        await self.roster.sign_in(
            agent, name=agent, skills={"support": 0}, line="softphone", now_ms=self.now_ms
        )
        await self.roster.ready(agent, self.now_ms)
        now = await self.line.contact(call)
        assert now is not None
        assert now.agent == agent
        await self.line.accept(call, agent, now.fence, self.now_ms)
        await self.line.connect(call, self.now_ms)

    async def writes_down(self) -> None:
        """The scribe's work on all that is new in the journal."""
        entries: Any = await self.redis.xrange(self.line.keys.journal, self.read)
        if entries:
            self.read = f"({entries[-1][0]}"
            await self.records([journal.unpacked(entry_id, entry) for entry_id, entry in entries])

    async def records(self, events: list[journal.Event]) -> None:
        async with self.sql.session(statement_s=5) as session:
            fresh = await ledger.record(session, events)
            await followups.follow(session, fresh, self.watch)

    # --- the record ---------------------------------------------------------------------------------

    async def ledger(self) -> dict[str, FollowUp]:
        async with self.sql.reading() as session:
            return {row.id: row for row in await session.exec(select(FollowUp))}

    async def states(self) -> dict[str, str]:
        return {name: row.state for name, row in (await self.ledger()).items()}

    async def texts(self) -> list[Text]:
        async with self.sql.reading() as session:
            return list(await session.exec(select(Text).order_by(col(Text.made_ms), col(Text.id))))

    async def lines(self, *kinds: str) -> list[SurgeEvent]:
        async with self.sql.reading() as session:
            wanted = select(SurgeEvent).where(col(SurgeEvent.kind).in_(kinds)).order_by(col(SurgeEvent.id))
            return list(await session.exec(wanted))

    async def tally(self) -> followups.Tally:
        async with self.sql.reading() as session:
            return await followups.tally(session, 0, self.now_ms + 1)
