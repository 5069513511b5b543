"""How often somebody may try to sign in: per address and per login.

Counted in Redis, so that every process knows. While Redis is away each process counts for itself; it never
lets people through uncounted.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from redis.asyncio import Redis
from redis.exceptions import RedisError

from foundation.connections import Breaker, answering
from foundation.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Limit:
    """``most`` attempts in ``window_s`` seconds, from the first one on."""

    most: int
    window_s: int


PER_ADDRESS = Limit(60, 300)
PER_LOGIN = Limit(8, 300)


class Attempts:
    """Counts attempts under names like ``login:ana``. Names are hashed before they are kept."""

    def __init__(self, redis: Redis, tag: str, breaker: Breaker | None = None) -> None:
        self.redis = redis
        self.tag = tag
        self.breaker = breaker
        self._here: dict[str, tuple[int, int]] = {}

    async def admit(self, name: str, limit: Limit, now_ms: int) -> int:
        """Count one attempt. 0 when it may go on, else the seconds until the next may."""
        try:
            return await self._count(name, limit)
        except (Unavailable, RedisError):
            return self._count_here(name, limit, now_ms)

    async def forget(self, name: str) -> None:
        """It was the right person after all."""
        self._here.pop(name, None)
        try:
            async with answering(self.breaker):
                await self.redis.delete(self._key(name))
        except (Unavailable, RedisError):
            return  # it lapses by itself

    async def once(self, name: str, window_s: int) -> bool:
        """Whether this is the first time within the window. Raises Unavailable when nobody can tell."""
        async with answering(self.breaker):
            return bool(await self.redis.set(self._key(name), "1", nx=True, ex=window_s))

    async def known(self, name: str) -> bool:
        """Whether ``once`` was asked under this name, as far as anybody can tell now."""
        try:
            async with answering(self.breaker):
                return bool(await self.redis.exists(self._key(name)))
        except (Unavailable, RedisError):
            return False

    async def _count(self, name: str, limit: Limit) -> int:
        key = self._key(name)
        async with answering(self.breaker):
            pipe = self.redis.pipeline(transaction=True)
            pipe.set(key, 0, nx=True, ex=limit.window_s)
            pipe.incr(key)
            pipe.ttl(key)
            _, tried, left_s = await pipe.execute()
        return max(1, int(left_s)) if int(tried) > limit.most else 0

    def _count_here(self, name: str, limit: Limit, now_ms: int) -> int:
        tried, until_ms = self._here.get(name, (0, 0))
        if now_ms >= until_ms:
            tried, until_ms = 0, now_ms + limit.window_s * 1000
        if len(self._here) > 10_000:
            self._here.clear()
        self._here[name] = (tried + 1, until_ms)
        return max(1, (until_ms - now_ms) // 1000) if tried + 1 > limit.most else 0

    def _key(self, name: str) -> str:
        return f"{self.tag}:web:{sha256(name.encode()).hexdigest()[:32]}"
