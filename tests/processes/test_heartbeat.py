"""Which processes are alive."""

from __future__ import annotations

import asyncio
from collections import Counter

from redis.asyncio import Redis

from processes.heartbeat import FORGOTTEN_MS, STALE_MS, beat, end, heard

NOW_MS = 1_700_000_000_000


async def test_a_process_that_beats_is_heard_with_what_it_did(redis: Redis) -> None:
    await beat(redis, "main", "scribe", NOW_MS, Counter(events_written=7))
    (heard_of,) = await heard(redis, "main", NOW_MS)
    assert (heard_of.kind, heard_of.counts) == ("scribe", {"events_written": 7})
    assert heard_of.fresh(NOW_MS + STALE_MS - 1)


async def test_one_that_fell_silent_is_stale_and_later_forgotten(redis: Redis) -> None:
    await beat(redis, "main", "worker", NOW_MS, {})
    (heard_of,) = await heard(redis, "main", NOW_MS + STALE_MS)
    assert not heard_of.fresh(NOW_MS + STALE_MS)
    assert await heard(redis, "main", NOW_MS + FORGOTTEN_MS + 1) == []
    assert not await redis.keys("*processes*")


async def test_one_that_ends_as_it_should_is_gone_at_once(redis: Redis) -> None:
    await asyncio.gather(*(beat(redis, "main", kind, NOW_MS, {}) for kind in ("worker", "scribe")))
    await end(redis, "main", "worker")
    assert [one.kind for one in await heard(redis, "main", NOW_MS)] == ["scribe"]


async def test_centres_do_not_hear_each_other(redis: Redis) -> None:
    await beat(redis, "north", "worker", NOW_MS, {})
    assert await heard(redis, "south", NOW_MS) == []
