"""A burst over a bad network: webhooks doubled, late, out of order, lost. Afterwards the books are right."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import httpx2
import pytest

from dashboard.sessions import sign_in_link
from drill.staff import Agent, Identity
from drill.temper import Manner, Temper
from processes.cast import engage
from tests.faults.house import Rig, measured

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

CALLERS, AGENTS = 60, 6
BAD = (
    {"on": "webhook", "kind": "duplicate", "share": 0.25, "match": "/voice/"},
    {"on": "webhook", "kind": "delay", "share": 0.25, "ms": [0, 3000], "match": "/voice/"},
    {"on": "webhook", "kind": "reorder", "share": 0.25, "match": "/voice/"},
    {"on": "webhook", "kind": "drop", "share": 0.25, "match": "/voice/"},
)
BRISK = Manner(
    accept_s=(1, 3), talk_mean_s=15, wrap_up_s=(1, 2), declines=0.05, misses=0, transfers=0, breaks=0
)
NOBODY = b"name,tier,numbers,locations,product,language\nCorner Bakery,gold,+12015550177,,Till 3,en\n"


async def staff(rig: Rig, stack: AsyncExitStack, counts: Counter[str]) -> None:
    """Simulated agents sign in and work until the stack closes."""
    cast = await engage(rig.house.settings, AGENTS, ["support"], NOBODY)
    key, now_ms = rig.house.settings.secret_key, rig.clock.now_ms()
    for number, name in enumerate(cast.agents, 1):
        who = Identity(name, sign_in_link(key, rig.house.product, name, now_ms), cast.password)
        desk = await stack.enter_async_context(
            httpx2.AsyncClient(base_url=rig.house.product, timeout=20, follow_redirects=True, trust_env=False)
        )
        agent = Agent(who, desk, rig.network, rig.clock, Temper(number, BRISK), counts)
        work = asyncio.create_task(agent.work())
        stack.callback(work.cancel)


@pytest.mark.parametrize("seed", [7])
async def test_every_call_has_one_outcome_and_nobody_talks_to_two_agents(rig: Rig, seed: int) -> None:
    counts: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        await staff(rig, stack, counts)
        await rig.faults(*BAD, seed=seed)
        sids = [await rig.rings(f"+1201555{1000 + n}", patience_s=60 + 4 * n) for n in range(CALLERS)]
        await rig.ended(120)
    told = await rig.outcomes(sids, within_s=60)
    stats = (await rig.network.get("/_double/stats")).json()
    mischief = {name: count for name, count in stats["counts"].items() if "webhooks" in name}
    measured(f"{dict(told)}; {mischief}; agents {dict(counts)}")
    assert told.total() == CALLERS
    for sid in sids:
        assert len(set(await rig.met(sid))) <= 1, sid
    assert await rig.violations() == []
    assert sum(door["bad"] for door in stats["webhooks"].values()) == 0
    assert counts["errors"] == 0
