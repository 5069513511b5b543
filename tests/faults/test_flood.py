"""Ten times as many callers at once as the line takes: everybody is answered, and the outcomes add up."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.faults.house import Rig, measured, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

PLACES = 20
CALLERS = 10 * PLACES
HOUSE = {"max_waiting": PLACES, "speed": 5}


async def test_the_line_fills_and_the_rest_are_told_so(rig: Rig) -> None:
    gives_up_on_hearing = {"hang_up": {"when": "our line is full right now", "after_s": 1}}
    sids = await asyncio.gather(*(rig.rings(**gives_up_on_hearing) for _ in range(CALLERS)))

    async def turned_away() -> bool:
        return len(await rig.calls()) == PLACES

    await until(turned_away, "all but those in line have been turned away", 150)
    inside = set(await rig.waiting())
    assert len(inside) == PLACES
    for sid in sids:
        call = await rig.call(sid)
        told_full = any("our line is full right now" in line["text"] for line in call["transcript"])
        assert told_full is (sid not in inside), call["transcript"]
    await rig.hangs_up(*inside)
    await rig.ended()
    assert await rig.outcomes(sids) == Counter(full=CALLERS - PLACES, abandoned=PLACES)
    stats = (await rig.network.get("/_double/stats")).json()
    slowest = max(door["longest_ms"] for door in stats["webhooks"].values())
    asked = sum(door["count"] for door in stats["webhooks"].values())
    measured(f"{CALLERS} callers for {PLACES} places: {asked} webhooks, the slowest {slowest:.0f} ms")
    assert sum(door["bad"] for door in stats["webhooks"].values()) == 0
    assert slowest < 2_000
    assert await rig.violations() == []
    assert rig.house.complaints() == []
