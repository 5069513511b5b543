"""Which processes are alive, and what each has done: one line per process, renewed every few seconds."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

BEAT_MS = 5_000
STALE_MS = 20_000
FORGOTTEN_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Beat:
    """A process's last word. ``counts`` are totals since it started, by name."""

    kind: str
    place: str
    at_ms: int
    counts: Mapping[str, int]

    def fresh(self, now_ms: int) -> bool:
        return now_ms - self.at_ms < STALE_MS


def _key(centre: str) -> str:
    return f"surgeline:{{{centre}}}:processes"


async def beat(redis: Redis, centre: str, kind: str, now_ms: int, counts: Mapping[str, int]) -> None:
    """Say that this process lives. Raises Redis's own errors: the caller goes on without."""
    place = f"{kind} {socket.gethostname()}:{os.getpid()}"
    await redis.hset(_key(centre), place, json.dumps({"at_ms": now_ms, "counts": dict(counts)}))


async def end(redis: Redis, centre: str, kind: str) -> None:
    """Say that this process stops as it should."""
    await redis.hdel(_key(centre), f"{kind} {socket.gethostname()}:{os.getpid()}")


async def heard(redis: Redis, centre: str, now_ms: int) -> list[Beat]:
    """Every process heard of within the last hour; lines older than that are dropped."""
    beats, old = [], []
    for name, text in (await redis.hgetall(_key(centre))).items():
        place, told = str(name), json.loads(text)
        if now_ms - told["at_ms"] > FORGOTTEN_MS:
            old.append(place)
        else:
            beats.append(Beat(place.partition(" ")[0], place, told["at_ms"], told["counts"]))
    if old:
        await redis.hdel(_key(centre), *old)
    return sorted(beats, key=lambda heard_of: heard_of.place)
