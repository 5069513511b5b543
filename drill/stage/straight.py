"""SQLite without its thread: a statement is carried out where it is asked for.

The product asks SQLite through a thread, so that a slow disk does not stop the loop. A drill has one loop, a
file in memory, and nobody else to wait; handing each statement over and back costs more than most statements.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import ModuleType
from typing import Any

from sqlalchemy import URL
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool
from sqlalchemy.util import await_only

DRIVER = "straight"

_READ = re.compile(r'(?:\bFROM|\bJOIN|,)\s+"?(\w+)"?(?=[\s,)]|$)')
_WRITTEN = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?')
_LOOKING: ContextVar[set[str] | None] = ContextVar("looking", default=None)


async def _nothing() -> None:
    """SQLAlchemy refuses a statement for which nothing was awaited."""


class _Cursor(sqlite3.Cursor):
    async def _async_soft_close(self) -> None:
        """All rows were fetched by then."""


class _Connection(sqlite3.Connection):
    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)


class Straight(SQLiteDialect_pysqlite):
    """SQLAlchemy takes it for one that has to be awaited, and never has to wait."""

    driver = DRIVER
    is_async = True
    supports_statement_cache = True

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.changes: Counter[str] = Counter()
        """By table, how many statements have changed anything; rolled back or not."""

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        return sqlite3

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def create_connect_args(self, url: URL) -> Any:
        args, named = super().create_connect_args(url)
        return args, {**named, "factory": _Connection}

    def do_execute(self, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        await_only(_nothing())
        cursor.execute(statement, parameters)
        self._note(statement, cursor)

    def do_executemany(self, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        await_only(_nothing())
        cursor.executemany(statement, parameters)
        self._note(statement, cursor)

    def _note(self, statement: str, cursor: Any) -> None:
        read, written = _tables(statement)
        if written and cursor.rowcount:
            self.changes[written] += 1
        if (looking := _LOOKING.get()) is not None:
            looking |= read

    def get_driver_connection(self, connection: Any) -> Any:
        return connection


@cache
def _tables(statement: str) -> tuple[frozenset[str], str]:
    """What may be a table that it reads, and the one it writes or ""."""
    written = _WRITTEN.match(statement)
    return frozenset(_READ.findall(statement)), written[1] if written else ""


@contextmanager
def looking() -> Iterator[set[str]]:
    """Gathers the names of the tables that are read in the block, and in the tasks it begins."""
    tables: set[str] = set()
    before = _LOOKING.set(tables)
    try:
        yield tables
    finally:
        _LOOKING.reset(before)


def changes_of(engine: AsyncEngine) -> Counter[str]:
    """See ``Straight.changes``; it goes on counting."""
    assert isinstance(engine.dialect, Straight)
    return engine.dialect.changes


registry.register(f"sqlite.{DRIVER}", __name__, Straight.__name__)
