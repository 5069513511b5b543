"""A Redis client whose commands travel together.

Under load a Python client costs more than Redis does, and most of that is spent per round trip: taking a
connection, writing, waiting, reading. Commands that are asked for in the same turn of the event loop are
therefore sent as one pipeline, without any delay, and answered one by one. Alone, a command goes alone.
"""

from __future__ import annotations

import asyncio
from copy import copy
from typing import Any

from redis.asyncio import Redis

AT_ONCE = 64
"""Commands in one pipeline at most: more would wait for each other's answers."""


Asked = tuple[tuple[Any, ...], dict[str, Any], asyncio.Future[Any]]
"""A command, its options, and who waits for its answer."""


class Together(Redis):
    """``Redis``, batching within a turn of the event loop. Not for commands that block."""

    _waiting: list[Asked] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        if self._waiting is None:
            self._waiting = []
            loop.call_soon(self._send)
        self._waiting.append((args, options, answer))
        return await answer

    def _send(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        for start in range(0, len(waiting), AT_ONCE):
            task = asyncio.ensure_future(self._exchange(waiting[start : start + AT_ONCE]))
            sending = self.__dict__.setdefault("_sending", set())
            sending.add(task)
            task.add_done_callback(sending.discard)

    async def _exchange(self, batch: list[Asked]) -> None:
        asked = [each for each in batch if not each[2].done()]  # who gave up meanwhile is not asked for
        try:
            if len(asked) == 1:
                args, options, _ = asked[0]
                alone: Any = super().execute_command
                told = [await alone(*args, **options)]
            else:
                pipeline: Any = self.pipeline(transaction=False)
                for args, options, _ in asked:
                    pipeline.execute_command(*args, **options)
                told = await pipeline.execute(raise_on_error=False)
        except Exception as error:
            # Each asker its own: one exception raised in many tasks would grow a traceback without end.
            told = [copy(error) for _ in asked]
        for (_, _, answer), one in zip(asked, told, strict=True):
            if answer.done():
                continue
            if isinstance(one, Exception):
                answer.set_exception(one)
            else:
                answer.set_result(one)
