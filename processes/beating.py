"""A process's heartbeat, beside its work."""

from __future__ import annotations

import asyncio
from collections import Counter

from redis.exceptions import RedisError

from processes.heartbeat import BEAT_MS, beat, end
from processes.logs import COUNTED
from processes.opening import Stores


async def keep_beating(stores: Stores, kind: str, counts: Counter[str]) -> None:
    """Beat until cancelled; the last word is that the process ends. A Redis away is not waited for."""
    try:
        while True:
            counts.update({f"log_{level}": told - counts[f"log_{level}"] for level, told in COUNTED.items()})
            try:
                await beat(stores.redis, stores.centre, kind, stores.clock.now_ms(), counts)
            except (RedisError, OSError):
                counts["beats_missed"] += 1
            await stores.clock.sleep(BEAT_MS)
    except asyncio.CancelledError:
        try:
            await end(stores.redis, stores.centre, kind)
        except (RedisError, OSError):
            counts["beats_missed"] += 1
        raise
