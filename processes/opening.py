"""Opening what a program works with: Redis, SQL, the line and its roster, the carrier."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

from redis.asyncio import Redis

from callbacks.office import Office
from foundation.clock import Clock
from foundation.connections import Breaker, Sql, open_blocking_redis, open_redis, open_sql
from processes.centre import Plan, read_centre
from processes.settings import Settings
from processes.starting import redis_url
from queueing.keys import Keys
from queueing.line import Line
from queueing.roster import Roster
from surge.office import Watch

CLOSING_S = 1.0
CLOSES = ("_terminate_graceful_close", "AsyncSession.close")


@dataclass(frozen=True, slots=True, eq=False)
class Stores:
    """The stores of one centre, opened. They connect when first used: any may be away."""

    settings: Settings
    plan: Plan
    clock: Clock
    redis: Redis
    blocking: Redis
    """For reads that block."""
    redis_breaker: Breaker
    sql: Sql
    sql_breaker: Breaker
    line: Line
    roster: Roster
    keys: Keys

    @property
    def centre(self) -> str:
        return self.plan.policy.centre

    @property
    def time_zone(self) -> str:
        return self.plan.written.time_zone

    @property
    def office(self) -> Office:
        """What the verbs of callbacks reach for."""
        settings, plan = self.settings, self.plan
        return Office(
            sql=self.sql,
            redis=self.redis,
            line=self.line,
            keys=self.keys,
            clock=self.clock,
            policy=replace(plan.callbacks, rehearsal=settings.api_is_loopback),
            hours=plan.centre.hours,
            time_zone=self.time_zone,
            ours=(settings.twilio_number,) if settings.twilio_number else (),
            public_url=settings.surgeline_public_url,
            centre_name=plan.centre.name,
            secret=settings.secret_key,
        )

    @property
    def watch(self) -> Watch:
        """What the verbs of incidents and surges reach for."""
        settings, plan = self.settings, self.plan
        return Watch(
            sql=self.sql,
            redis=self.redis,
            line=self.line,
            keys=self.keys,
            clock=self.clock,
            policy=replace(plan.surge, rehearsal=settings.api_is_loopback),
            hours=plan.centre.hours,
            time_zone=self.time_zone,
            languages=plan.centre.languages,
            centre_name=plan.centre.name,
            public_url=settings.surgeline_public_url,
            ours=(settings.twilio_number,) if settings.twilio_number else (),
            data_dir=settings.surgeline_data_dir,
            secret=settings.secret_key,
        )


def open_stores(settings: Settings) -> Stores:
    """Raises Mendable when Redis's place, the database's URL or the centre's file is not usable."""
    plan = read_centre(settings.surgeline_centre)
    url = redis_url(settings)
    redis, redis_breaker = open_redis(url), Breaker("redis")
    return Stores(
        settings=settings,
        plan=plan,
        clock=settings.clock,
        redis=redis,
        blocking=open_blocking_redis(url),
        redis_breaker=redis_breaker,
        sql=open_sql(settings.database),
        sql_breaker=Breaker("sql"),
        line=Line(redis, plan.policy, redis_breaker),
        roster=Roster(redis, plan.policy, redis_breaker),
        keys=Keys.of(plan.policy),
    )


async def close_stores(stores: Stores) -> None:
    """Close every connection, whatever the others say."""
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_given_up_connections)
        stack.push_async_callback(stores.redis.aclose)
        stack.push_async_callback(stores.blocking.aclose)
        stack.push_async_callback(stores.sql.close)


async def _given_up_connections() -> None:
    """SQLAlchemy closes what was cancelled in a task of its own: let it finish."""
    closing = [
        task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__qualname__", "").endswith(CLOSES)
    ]
    if closing:
        await asyncio.wait(closing, timeout=CLOSING_S)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Stores]:
    """The stores, closed when the block ends."""
    stores = open_stores(settings)
    try:
        yield stores
    finally:
        await close_stores(stores)
