"""One run of a scenario: everything opened, everybody let in, time let go, and the record judged."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from carrier.numbers import normalise
from drill import arrivals, shifts
from drill.arrivals import Menu
from drill.policies import Rules, plan
from drill.scenarios.written import Scenario
from drill.stage.backstage import Backstage
from drill.stage.callers import Callers
from drill.stage.desks import Desks, hired
from drill.stage.house import House, made, opened, served, settings_in
from drill.stage.lead import Leads
from drill.stage.virtual import VirtualLoop, run
from foundation.clock import monotonic_s
from merchants.directory import import_csv
from processes.centre import Plan

T = TypeVar("T")
IMPORT_S = 60.0
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 a folder of our own in it
"""A drill's stores are forgotten with it: no disk has to keep them."""
TELL_MS = 60_000
HOUR_MS = 3_600_000
LATEST_MS = 4 * HOUR_MS
"""After the end of the day the last caller has hung up by then."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: ``done`` of 1, the time on its clock, how many rang and how many wait now."""

    done: float
    at_ms: int
    rang: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Played:
    """What a run leaves to be judged, while its house still stands. ``over_ms``: no call went on after it."""

    scenario: Scenario
    rules: Rules
    centre: Plan
    seed: int
    house: House
    callers: Callers
    leads: Leads
    backstage: Backstage
    begins_ms: int
    over_ms: int
    day_s: float
    """Of real time, until the last of the day's calls rang in; ``real_s`` until everything was worked off."""
    real_s: float
    cpu_s: float


Tell = Callable[[Progress], None]
Judge = Callable[[Played], Awaitable[T]]
Mischief = Mapping[str, Any]


def play(
    scenario: Scenario, rules: Rules, seed: int, tell: Tell, judge: Judge[T], mischief: Mischief | None = None
) -> T:
    """Play it and have it judged. ``mischief``: the network's faults (``drill.network.faults``).

    Raises Mendable, Refused, Stuck, and whatever goes wrong in the product.
    """
    centre = plan(scenario, rules)
    with tempfile.TemporaryDirectory(prefix="surgeline-drill-", dir=IN_MEMORY) as name:
        folder = Path(name)
        made(settings_in(folder))
        server = served(folder)
        url = server.start()
        try:
            return run(
                lambda loop: _Run(loop, scenario, rules, centre, seed, folder, url, tell, mischief).play(
                    judge
                )
            )
        finally:
            server.stop()


@dataclass(slots=True)
class _Run:
    loop: VirtualLoop
    scenario: Scenario
    rules: Rules
    centre: Plan
    seed: int
    folder: Path
    redis_url: str
    tell: Tell
    mischief: Mischief | None

    async def play(self, judge: Judge[T]) -> T:
        began_s, cpu_s = monotonic_s(), time.process_time()
        begins_ms = self._ms(self.scenario.begins)
        async with (
            opened(self.loop, self.folder, self.redis_url, self.centre, begins_ms, self.seed) as house,
            self._peopled(house) as (callers, leads, backstage),
        ):
            await house.clock.sleep(self._ms(self.scenario.ends) - house.now_ms)
            day_s = monotonic_s() - began_s
            over_ms = await self._until_over(house, callers, backstage)
            await self._follow_up(house, backstage)
            async with house.loop.turn.held():
                await backstage.scribe()()
            return await judge(
                Played(
                    self.scenario, self.rules, self.centre, self.seed, house, callers, leads, backstage,
                    begins_ms, over_ms, day_s, monotonic_s() - began_s, time.process_time() - cpu_s,
                )
            )  # fmt: skip

    @asynccontextmanager
    async def _peopled(self, house: House) -> AsyncIterator[tuple[Callers, Leads, Backstage]]:
        """Everybody at their place. What goes wrong with one of them ends the run."""
        people = arrivals.merchants(self.scenario, self.seed)
        centre = self.centre.centre
        menu = Menu({topic.id: topic.key for topic in centre.topics}, centre.language_key)
        crowd = arrivals.callers(self.scenario, people, menu, self.seed)
        duties = shifts.duties(self.scenario, self.seed)
        async with house.loop.turn.held(), house.stores.sql.session(statement_s=IMPORT_S) as session:
            await import_csv(
                session, arrivals.sheet(people), normalise=normalise,
                tiers={*self.scenario.merchants.tiers, *centre.tiers}, languages=centre.languages,
            )  # fmt: skip
        await hired(house, duties)
        if self.mischief is not None:
            house.network.exchange.courier.faults.replace(self.mischief)
        callers = Callers(house, crowd, self._ms(self.scenario.ends))
        desks = Desks(house, duties, shifts.manner(self.scenario))
        leads = Leads(house, self.scenario)
        backstage = Backstage(house, desks.bells, lossless=self.mischief is None)
        script = self.scenario.script if self.rules.surge else []
        works: list[Coroutine[Any, Any, None]] = [
            backstage.run(), desks.work(), callers.ring_in(), callers.read_texts(), leads.play(script),
            self._tell(house, callers),
        ]  # fmt: skip
        try:
            async with asyncio.TaskGroup() as together:
                tasks = [together.create_task(work) for work in works]
                yield callers, leads, backstage
                for task in tasks:
                    task.cancel()
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            callers.close()

    async def _until_over(self, house: House, callers: Callers, backstage: Backstage) -> int:
        """The day, and what is still on the line when it is over."""
        ends_ms = self._ms(self.scenario.ends + self.scenario.after_minutes)
        await house.clock.sleep(ends_ms - house.now_ms)
        while house.now_ms < ends_ms + LATEST_MS and any(not rang.leg.ended for rang in callers.rang):
            await house.clock.sleep(TELL_MS)
        backstage.night = True
        return house.now_ms

    async def _follow_up(self, house: House, backstage: Backstage) -> None:
        """Texts and follow-ups, for as long as the scenario says: at first every minute, then seldom."""
        hours = self.scenario.follow_up_hours
        await house.clock.sleep(min(hours, 4) * HOUR_MS)
        backstage.late = True
        await house.clock.sleep(max(0.0, hours - 4) * HOUR_MS)

    async def _tell(self, house: House, callers: Callers) -> None:
        ends_ms, begins_ms = self._ms(self.scenario.ends), self._ms(self.scenario.begins)
        while True:
            waiting = sum(len(queue) for queue in house.network.exchange.queues.values())
            done = min(1.0, (house.now_ms - begins_ms) / (ends_ms - begins_ms))
            self.tell(Progress(done, house.now_ms, len(callers.rang), waiting))
            await house.clock.sleep(TELL_MS)

    def _ms(self, at: float) -> int:
        return self.scenario.ms(at, self.centre.written.time_zone)
