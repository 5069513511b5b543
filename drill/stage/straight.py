"""SQLite without its thread: a statement is carried out where it is asked for.

The product asks SQLite through a thread, so that a slow disk does not stop the loop. A drill has one loop, a
file in memory, and nobody else to wait; handing each statement over and back costs more than most statements.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import aiosqlite


class _AtOnce:
    """The thread's queue: SQLAlchemy puts into it itself when it sets the isolation level."""

    def put_nowait(self, asked: tuple[asyncio.Future[Any], Callable[[], Any]]) -> None:
        future, function = asked
        future.set_result(function())


class Straight(aiosqlite.Connection):
    """What of aiosqlite's connection SQLAlchemy uses."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._tx: Any = _AtOnce()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)

    async def _connect(self) -> Straight:
        if self._connection is None:
            self._connection = self._connector()
        return self

    def __await__(self) -> Generator[Any, None, Straight]:
        return self._connect().__await__()

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def stop(self) -> None:
        """Nothing runs beside."""


def connect(database: str, **given: Any) -> Straight:
    """For SQLAlchemy's ``async_creator_fn``."""
    return Straight(partial(sqlite3.connect, database, **given))
