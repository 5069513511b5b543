"""The line's Lua scripts, bound to one centre's keys and rules: the one way to Redis for its verbs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from redis.asyncio import Redis

from foundation.breaker import Breaker
from foundation.connections import answering
from foundation.lua import load
from queueing.keys import Keys, standing
from queueing.policy import LinePolicy


class Scripts:
    """``await scripts("enter", contact=…)``: keys and rules are given already."""

    def __init__(
        self, redis: Redis, policy: LinePolicy, breaker: Breaker | None, names: Iterable[str]
    ) -> None:
        self.redis = redis
        self.keys = Keys.of(policy)
        self._breaker = breaker
        self._bound = {name: self._bind(name, policy) for name in names}

    def _bind(self, name: str, policy: LinePolicy) -> partial[Any]:
        script = load("queueing", name)
        return partial(script, self.redis, **standing(script, policy, self.keys))

    async def __call__(self, script: str, /, **given: Any) -> Any:
        """The script's answer. Raises Unavailable when Redis does not answer."""
        async with answering(self._breaker):
            return await self._bound[script](**given)

    async def page(self, field: str) -> str | None:
        """One page of the book, read as it stands. Raises Unavailable."""
        async with answering(self._breaker):
            page = await self.redis.hget(self.keys.book, field)
        return None if page is None else str(page)

    async def pages(self, fields: Sequence[str]) -> dict[str, str]:
        """Several pages of the book by field, those that are there. Raises Unavailable."""
        async with answering(self._breaker):
            told: Any = await self.redis.hmget(self.keys.book, list(fields)) if fields else []
        return {field: str(page) for field, page in zip(fields, told, strict=True) if page is not None}

    async def waiting(self, key: str) -> int:
        """How many stand in one queue. Raises Unavailable."""
        async with answering(self._breaker):
            return int(await self.redis.zcard(key))
