"""The real application and the phone network, opened in this process on one virtual clock.

What ``serve`` runs as four programs is here: the front doors as they are, and the verbs behind the rounds and
jobs. Redis is an embedded server, SQL a file; both are empty at the beginning and forgotten at the end.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx2

from callbacks import jobs as callback_jobs
from carrier.twilio_rest import Carrier
from drill.network import exchange as naming
from drill.network.app import Network, network
from drill.network.exchange import Account
from drill.stage.inside import Asking, InsideWire, Lending, Ringing, TakingTurns
from drill.stage.straight import StraightSql
from drill.stage.straight_redis import straight
from drill.stage.virtual import LendingClock, Turn, VirtualClock, VirtualLoop
from foundation.breaker import BreakerRules
from foundation.clock import Clock, SystemClock
from foundation.connections import Breaker
from foundation.embedded import EmbeddedServer, find_server
from ivr.bridging import Tools
from processes import migrating
from processes.centre import Plan
from processes.opening import Stores, close_stores, open_stores
from processes.settings import Settings
from processes.web import build
from processes.worker import bench_of
from queueing.keys import Keys
from queueing.line import Line
from queueing.roster import Roster

PRODUCT = "http://127.0.0.1:8080"
DOUBLE = "http://127.0.0.1:8081"
NUMBER = "+14155550100"
ACCOUNT = Account(
    sid="AC" + "0" * 31 + "d",
    token="the token that signs the rehearsed webhooks",  # noqa: S106 of a network without telephones
    key_sid="SK" + "0" * 31 + "d",
    key_secret="the key that signs the rehearsed softphones",  # noqa: S106 the same
    app_sid="AP" + "0" * 31 + "d",
)
NEVER_OPEN = BreakerRules(failures_in_a_row=10**9, window_least=10**9, slow_s=math.inf)
"""A breaker measures real time, and that is this machine's, not the rehearsed one."""


@dataclass
class House:
    """All that a drill reaches for. ``stirred`` is set when the line may have moved."""

    loop: VirtualLoop
    clock: Clock
    stores: Stores
    network: Network
    product: TakingTurns
    carrier: Carrier
    tools: Tools
    seed: int
    stirred: asyncio.Event
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    def client(self) -> httpx2.AsyncClient:
        """Somebody's browser at the product; with cookies of its own."""
        return httpx2.AsyncClient(transport=Asking(self.product), base_url=PRODUCT, follow_redirects=True)

    def telephone(self) -> httpx2.AsyncClient:
        """A softphone's way to the network."""
        return httpx2.AsyncClient(transport=Asking(self.network), base_url=DOUBLE)


def settings_in(folder: Path) -> Settings:
    """As for the demo, and nothing of a real set-up."""
    return Settings(
        twilio_account_sid=ACCOUNT.sid,
        twilio_auth_token=ACCOUNT.token,
        twilio_api_key_sid=ACCOUNT.key_sid,
        twilio_api_key_secret=ACCOUNT.key_secret,
        twilio_twiml_app_sid=ACCOUNT.app_sid,
        twilio_number=NUMBER,
        twilio_api_base_url=DOUBLE,
        redis_url="",
        database_url=f"sqlite:///{folder}/surgeline.db",
        surgeline_public_url=PRODUCT,
        surgeline_secret_key="a rehearsal keeps no secrets from anybody",  # noqa: S106
        surgeline_data_dir=folder,
    )


@asynccontextmanager
async def opened(
    loop: VirtualLoop, folder: Path, redis_url: str, plan: Plan, begins_ms: int, seed: int
) -> AsyncIterator[House]:
    """Everything, empty and running, at ``begins_ms``."""
    settings = settings_in(folder).model_copy(update={"redis_url": redis_url})
    naming.draw_names(random.Random(seed))
    clock = VirtualClock(loop, begins_ms)
    async with AsyncExitStack() as stack:
        stores = await _stores(settings, plan, LendingClock(loop, begins_ms))
        stack.push_async_callback(close_stores, stores)
        product = TakingTurns(build(stores), loop.turn)
        double = network(
            clock, PRODUCT, ACCOUNT, client=Ringing(product), base_url=DOUBLE, wall=SystemClock(),
            calls_per_second=plan.callbacks.calls_per_s,
        )  # fmt: skip
        stack.push_async_callback(double.close)
        lent = Lending(double, loop.turn)
        carrier = Carrier(ACCOUNT.sid, ACCOUNT.token, api_base_url=DOUBLE, wire=lambda: InsideWire(lent))
        beside = _Beside(stores.office, carrier, beside=True, turn=loop.turn)
        callback_jobs.equip(beside)
        tools = replace(bench_of(stores, carrier).tools, callbacks=beside)
        yield House(loop, clock, stores, double, product, carrier, tools, seed, product.stirred)


@dataclass(frozen=True, slots=True)
class _Beside(callback_jobs.Bench):
    """What the worker does beside its other jobs takes its own turns."""

    turn: Turn = field(kw_only=True)

    async def do(self, work: Coroutine[Any, Any, None]) -> None:
        await callback_jobs.Bench.do(self, self._in_turn(work))

    async def _in_turn(self, work: Coroutine[Any, Any, None]) -> None:
        async with self.turn.held():
            await work


async def _stores(settings: Settings, plan: Plan, clock: Clock) -> Stores:
    stores = open_stores(settings)
    redis, sql = Breaker("redis", NEVER_OPEN), Breaker("sql", NEVER_OPEN)
    client = straight(settings.redis_url)
    return replace(
        stores,
        plan=plan,
        clock=clock,
        redis=client,
        sql=await StraightSql(settings.database).met(),
        redis_breaker=redis,
        sql_breaker=sql,
        line=Line(client, plan.policy, redis),
        roster=Roster(client, plan.policy, redis),
        keys=Keys.of(plan.policy),
    )


def served(folder: Path) -> EmbeddedServer:
    """An empty Redis of the drill's own; the caller starts and stops it. It writes nothing to disk."""
    return EmbeddedServer(folder / "redis", find_server())


def made(settings: Settings) -> None:
    """The tables. Outside of any event loop."""
    migrating.upgrade(settings.database)
