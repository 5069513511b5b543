"""The product's other programs, in this process: sweeper, scribe, keeper, watcher and worker.

Their rounds are the product's own; only how often they come round is the drill's (``LEAST_MS``), because
most of them find nothing to do and a rehearsed second is short. Jobs are carried out where RQ would hand them
over.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from callbacks import jobs as callback_jobs
from callbacks.states import Mode
from drill.stage.desks import Bells
from drill.stage.house import House
from drill.stage.straight import changes_of, looking
from ivr import bridging
from ivr.jobs import has_effect
from processes.joins import Joins
from processes.keeper import RING_FIRST, SEND_TEXT, SETTLE_TEXT, Keeper
from processes.reconcile import Reconciler
from processes.rounds import rounds
from processes.scribe import Scribe
from processes.sweeper import RECONCILE_MS, expire_due
from processes.unrecorded import Unrecorded
from processes.watcher import Watcher
from queueing import journal
from queueing.journal import Event
from queueing.reckoner import Reckoner

EFFECTS, SCRIBE = "effects", "scribe"
NAME = "drill"
"""Among the readers of the journal."""
AT_ONCE = 200
DEFAULT_LEAST_MS = 5_000
LEAST_MS = {
    "expire": 1_000,
    "pulse": 10_000,
    "promises due": 2_000,
    "promises notice": 10_000,
    "promises news": 15_000,
    "surge updates": 15_000,
    "surge tags": 15_000,
    "surge notices": 15_000,
    "surge promises": 30_000,
    "surge board": 30_000,
    "surge nag": 30_000,
    "texts unsettled": 60_000,
    "attempts": 60_000,
    "promises put right": 60_000,
    "promises refill": 60_000,
    "promises end": 60_000,
    "reconcile": 120_000,
    "unrecorded": 120_000,
    "surge commitments": 600_000,
    "trim": 600_000,
    "surge page": 3_600_000,
}
"""So long at least between two rounds of one kind, in rehearsed time."""
SENDING_MS, SENT_LATELY_MS = 1_000, 10_000
"""While texts go out, at their pace: one that has no slot yet has one soon."""
LOST_AND_FOUND = frozenset({"reconcile", "unrecorded"})
LOST_AND_FOUND_MS = 900_000
STILL = frozenset(
    {
        "promises notice", "promises news", "surge board", "surge sense", "surge updates", "surge tags",
        "surge notices", "surge nag", "surge page", "texts", "pulse", "trim",
    }
)  # fmt: skip
"""Rounds after which the line stands as it stood."""
COUNTED = frozenset({"expire", "promises due", "joins"})
"""Rounds that count whatever they do."""
OF_SQL = frozenset(
    {
        "attempts", "promises end", "promises news", "promises notice", "promises put right",
        "promises refill", "surge board", "surge follow-ups", "surge nag", "surge notices", "surge promises",
        "surge tags", "surge updates", "texts", "texts unsettled",
    }
)  # fmt: skip
"""Rounds that look at what SQL says, and at the time. What one of them found it will find again, while
none of the tables it read was written and little time has passed ..."""
RESTS_MS, RESTS_AT_NIGHT_MS = 60_000, 300_000
"""... so much, at most."""
NIGHT_MS, LATE_MS = 30_000, 1_800_000
"""... and when all calls are over, and only texts and follow-ups go on; and late in that night."""
JOBS = {
    RING_FIRST: callback_jobs.ring_first,
    SEND_TEXT: callback_jobs.text,
    SETTLE_TEXT: callback_jobs.settle_text,
}

Round = Callable[[], Awaitable[float]]


class Hands(Keeper):
    """The keeper, whose jobs are done at once instead of being handed to RQ."""

    async def hand_over(self, door: str, given: str, name: str) -> bool:
        await JOBS[door](given)
        return True  # the same job is not handed over twice: it has changed what the round looks for


@dataclass
class Backstage:
    house: House
    bells: Bells
    lossless: bool = False
    """The network loses nothing: who looks for what was lost looks seldom."""
    counts: Counter[str] = field(default_factory=Counter)
    night: bool = False
    """Nothing is left but texts and follow-ups: rounds that find nothing to do come seldom."""
    late: bool = False

    async def run(self) -> None:
        """All of it, until cancelled."""
        house = self.house
        async with house.loop.turn.held():
            for group in (EFFECTS, SCRIBE):
                await journal.ensure_group(house.stores.redis, house.stores.keys, group)
        async with asyncio.TaskGroup() as together:
            together.create_task(self._carry_out())
            for name, work in self.work().items():
                dice = random.Random(f"{house.seed} {name}")  # the same seed: the same waits after a failure
                paced = self._paced(name, work)
                together.create_task(rounds(house.clock, name, paced, self.counts, dice.random))

    def work(self) -> dict[str, Round]:
        """Every round by name."""
        house, stores = self.house, self.house.stores
        keeper = Hands(stores.office, house.carrier, None, self.counts)
        watcher = Watcher(stores.watch, stores.office, self.counts)
        reckoner = Reckoner(
            stores.redis, stores.line, stores.keys, NAME, stores.sql, stores.plan.priors, stores.time_zone
        )

        async def expire() -> float:
            return await expire_due(stores.line, house.clock, self.counts)

        async def take_pulse() -> float:
            await reckoner.take(house.now_ms)
            return 1_000

        async def trim() -> float:
            await journal.trim(stores.redis, stores.keys)
            return 30_000

        kept = keeper.rounds()
        if Mode.MERCHANT_FIRST not in stores.plan.callbacks.modes.values():
            del kept["merchants first"]  # there are none
        return {
            "expire": expire,
            "pulse": take_pulse,
            "trim": trim,
            "scribe": self.scribe(),
            **self.looks(),
            **kept,
            **watcher.rounds(),
        }

    def looks(self) -> dict[str, Round]:
        """The rounds that ask the network what it knows."""
        house, stores = self.house, self.house.stores
        joins = Joins(house.carrier, stores.roster, stores.line, house.clock)
        unrecorded = Unrecorded(
            house.carrier, stores.line, stores.sql, house.clock, stores.settings.twilio_number,
            stores.watch.policy.toggle_numbers,
        )  # fmt: skip
        reconciler = Reconciler(
            house.carrier, stores.line, house.clock, stores.plan.policy, stores.settings.surgeline_public_url
        )

        async def look_at_joins() -> float:
            self.counts["joins_unnoticed"] += len(await joins.look())
            return 3_000

        async def look_back() -> float:
            self.counts["calls_unrecorded"] += len(await unrecorded.look())
            return RECONCILE_MS

        async def reconcile() -> float:
            drift = await reconciler.look()
            self.counts["calls_adopted"] += len(drift.strangers)
            self.counts["calls_missed"] += len(drift.missing)
            return RECONCILE_MS

        return {"joins": look_at_joins, "reconcile": reconcile, "unrecorded": look_back}

    def scribe(self) -> Round:
        stores = self.house.stores
        scribe = Scribe(
            stores.redis,
            stores.sql,
            stores.keys,
            "drill",
            self.counts,
            stores.office,
            stores.watch,
            block_ms=0,
        )

        async def write() -> float:
            before = -1
            while self.counts["events_written"] != before:
                before = self.counts["events_written"]
                await scribe.look()
            return 1_000

        return write

    def _paced(self, name: str, work: Round) -> Round:
        """One round, holding the turn; and how long until the next."""

        changes = changes_of(self.house.stores.sql.engine)
        tables: set[str] = set()
        seen: Counter[str] = Counter()
        looked_ms = did_ms = -math.inf

        async def paced() -> float:
            nonlocal tables, seen, looked_ms, did_ms
            sending = name == "texts" and self.house.now_ms - did_ms < SENT_LATELY_MS
            rests_ms = RESTS_AT_NIGHT_MS if self.night else RESTS_MS
            resting = name in OF_SQL and self.house.now_ms - looked_ms < rests_ms
            if resting and not sending and all(changes[table] == seen[table] for table in tables):
                return self._least(name)
            seen, looked_ms = Counter(changes), self.house.now_ms
            before = sum(self.counts.values())
            async with self.house.loop.turn.held():
                with looking() as tables:
                    wait_ms = await work()
            did = before != sum(self.counts.values())
            did_ms = looked_ms if did else did_ms
            if name not in STILL and (did or name not in COUNTED):
                self.house.stirred.set()
            if name == "texts" and (did or sending):
                return SENDING_MS
            return max(wait_ms, self._least(name))

        return paced

    def _least(self, name: str) -> float:
        if self.lossless and name in LOST_AND_FOUND:
            return LOST_AND_FOUND_MS
        night_ms = (LATE_MS if self.late else NIGHT_MS) if self.night else 0
        return max(night_ms, LEAST_MS.get(name, DEFAULT_LEAST_MS))

    # -- the worker ----------------------------------------------------------------------------------------

    async def _carry_out(self) -> None:
        """Whenever the line may have moved: what the journal asks for, and whose desk it concerns."""
        house = self.house
        while True:
            await house.stirred.wait()
            house.stirred.clear()
            async with house.loop.turn.held():
                for event in await self._read():
                    await self._effect(event)

    async def _read(self) -> list[Event]:
        stores = self.house.stores
        events = await journal.read(stores.redis, stores.keys, EFFECTS, NAME, count=AT_ONCE)
        if len(events) == AT_ONCE:
            self.house.stirred.set()
        await journal.ack(stores.redis, stores.keys, EFFECTS, [event.id for event in events])
        for event in events:
            self.bells.tell(event)
        return events

    async def _effect(self, event: Event) -> None:
        if has_effect(event):
            self.counts["effects"] += 1
            self.house.stirred.set()
            await bridging.carry_out(event, self.house.tools)
