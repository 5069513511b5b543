"""Redis asked where the question is put, as ``straight`` asks SQLite.

The product shares its connections among requests that go on at the same time. A drill has one of them at a
time, and its clock stands while that one waits: so the loop may wait with it, and nothing is handed over.
"""

from __future__ import annotations

from typing import Any, cast

from hiredis import pack_command
from redis import ConnectionPool
from redis.asyncio import Redis

from foundation.connections import open_redis

ANSWER_S = 30.0
"""Redis is the drill's own: only a machine that stands still makes it so slow."""


class StraightRedis(Redis):
    """For commands that do not block. Pipelines and subscriptions go the usual way."""

    wire: Any = None
    """One connection of redis-py's blocking client."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        self.wire.send_packed_command([pack_command((*args[0].split(), *args[1:]))], check_health=False)
        if options:
            heard: Any = _Heard(self.wire)
            return await self.parse_response(heard, args[0], **options)
        told = self.wire.read_response()
        read = self.response_callbacks.get(args[0])
        return read(told) if read else told

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        self.wire.disconnect()
        await super().aclose(close_connection_pool)


class _Heard:
    """What redis-py's reader of replies asks for one."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire

    async def read_response(self, **_named: Any) -> Any:
        return self._wire.read_response()


def straight(url: str) -> StraightRedis:
    """A client of the server at ``url``; connects at once. Raises redis-py's ConnectionError."""
    client: Any = StraightRedis.from_pool(open_redis(url).connection_pool)
    client.wire = ConnectionPool.from_url(
        url, decode_responses=True, protocol=2, socket_timeout=ANSWER_S
    ).get_connection()
    return cast(StraightRedis, client)
