"""Where histories are played: an event loop of their own, an office on Valkey and SQLite."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel

from callbacks.policy import CallbackPolicy
from callbacks.states import Mode
from foundation.clock import ManualClock
from foundation.connections import open_redis, open_sql
from tests.callbacks.dialing_world import DialingWorld
from tests.callbacks.histories import Pools, Step, drawn, play
from tests.callbacks.office import POLICY, Staff

MORNING_MS = 1_700_000_000_000


@dataclass
class Stage:
    """``world`` makes one for an office; each history gets a fresh one."""

    loop: asyncio.AbstractEventLoop
    staff: Staff
    world: Callable[[Staff, int], Any]
    played: int = field(default=0)

    def wait(self, asked: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(asked)

    def plays(self, history: Sequence[Step]) -> None:
        """Raises AssertionError at the first law that is broken."""
        self.played += 1
        self.wait(self._plays(history))

    async def _plays(self, history: Sequence[Step]) -> None:
        world = self.world(self.staff, self.played)
        await world.opens()
        await play(world, history)

    def wanders(self, rules: Any, steps: int, seeds: Sequence[int], pools: Pools | None = None) -> None:
        """Histories by their seeds. Raises AssertionError at the first law that is broken."""
        for seed in seeds:
            try:
                self.plays(drawn(rules, steps, seed, pools))
            except AssertionError as error:
                raise AssertionError(f"seed {seed}: {error}") from error


@contextmanager
def staged(
    world: Callable[[Staff, int], Any], redis_url: str, where: Path, policy: CallbackPolicy = POLICY
) -> Iterator[Stage]:
    """An office to play ``world`` in, its books in a file at ``where``."""
    loop = asyncio.new_event_loop()
    sql, redis = (
        open_sql(f"sqlite:///{where}/books.sqlite3"),
        open_redis(redis_url, timeout_s=5.0, connect_timeout_s=5.0),
    )

    async def opens() -> None:
        async with sql.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)

    async def closes() -> None:
        await redis.flushall()
        await redis.aclose()
        await sql.close()

    loop.run_until_complete(opens())
    try:
        yield Stage(loop, Staff(redis, sql, ManualClock(MORNING_MS), policy=policy), world)
    finally:
        loop.run_until_complete(closes())
        loop.close()


def dialing_stage(redis_url: str, where: Path) -> Any:
    """Merchants are dialled first: no promise needs a place in the line."""
    return staged(DialingWorld, redis_url, where, replace(POLICY, modes={"support": Mode.MERCHANT_FIRST}))
