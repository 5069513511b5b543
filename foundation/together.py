"""A Redis client whose commands travel together.

Under load a Python client costs more than Redis does, and most of that is spent per round trip: taking a
connection, writing, waiting, reading. Commands that are asked for in the same turn of the event loop are
therefore written at once to one connection, without any delay, and answered one by one.
"""

from __future__ import annotations

import asyncio
import math
from copy import copy
from typing import Any, NamedTuple

from hiredis import pack_command
from redis.asyncio import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

AT_ONCE = 64
"""Commands in one exchange at most: more would wait for each other's answers."""


class Asked(NamedTuple):
    """A command, as redis-py reads its reply, and who waits for it."""

    name: str
    packed: bytes
    options: dict[str, Any]
    answer: asyncio.Future[Any]


class Together(Redis):
    """``Redis``, batching within a turn of the event loop. Not for commands that block."""

    _waiting: list[Asked] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        # What redis-py's blocking client packs with; its asynchronous one takes ten times as long over it.
        packed = pack_command((*args[0].split(), *args[1:]))
        if self._waiting is None:
            self._waiting = []
            loop.call_soon(self._send)
        self._waiting.append(Asked(args[0], packed, options, answer))
        return await answer

    def _send(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        for start in range(0, len(waiting), AT_ONCE):
            task = asyncio.ensure_future(self._exchange(waiting[start : start + AT_ONCE]))
            sending = self.__dict__.setdefault("_sending", set())
            sending.add(task)
            task.add_done_callback(sending.discard)

    async def _exchange(self, batch: list[Asked]) -> None:
        asked = [each for each in batch if not each.answer.done()]  # who gave up meanwhile is not asked for
        if not asked:
            return
        connections: Any = self.connection_pool
        try:
            connection = await connections.get_connection()
            try:
                await connection.send_packed_command(b"".join([each.packed for each in asked]))
                async with asyncio.timeout(connection.socket_timeout):  # one deadline for all the answers
                    for each in asked:
                        await self._hear(connection, each)
            finally:
                await connections.release(connection)
        except Exception as error:
            if isinstance(error, TimeoutError):
                error = RedisTimeoutError("Timeout reading from Redis")
            for each in asked:
                if not each.answer.done():
                    # Each its own: one exception raised in many tasks would grow a traceback without end.
                    each.answer.set_exception(copy(error))

    async def _hear(self, connection: Any, asked: Asked) -> None:
        """One reply to its asker. Raises what leaves the connection without further replies."""
        try:
            if asked.options:
                told = await self.parse_response(connection, asked.name, **asked.options)
            else:
                told = await connection.read_response(timeout=math.inf)  # the caller keeps the time
                if read := self.response_callbacks.get(asked.name):
                    told = read(told)
        except Exception as error:
            if not connection.is_connected:
                raise
            if not asked.answer.done():
                asked.answer.set_exception(error)
        else:
            if not asked.answer.done():
                asked.answer.set_result(told)
