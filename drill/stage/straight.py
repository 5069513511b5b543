"""SQLite without its thread: a statement is carried out where it is asked for.

The product asks SQLite through a thread, so that a slow disk does not stop the loop. A drill has one loop, a
file in memory, and nobody else to wait; handing each statement over and back, by a greenlet and by a thread,
costs more than most statements.
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

from sqlalchemy import URL, Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import Pool, QueuePool
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.sql import Sql, open_sql

DRIVER = "straight"

_READ = re.compile(r'(?:\bFROM|\bJOIN|,)\s+"?(\w+)"?(?=[\s,)]|$)')
_WRITTEN = re.compile(r'\s*(?:INSERT(?: OR \w+)? INTO|UPDATE|DELETE FROM)\s+"?(\w+)"?')
_LOOKING: ContextVar[set[str] | None] = ContextVar("looking", default=None)


class _Queue(QueuePool):
    _is_asyncio = True
    """So the engine takes it. Nothing waits in it: a drill has more connections than open transactions."""


class Straight(SQLiteDialect_pysqlite):
    """SQLAlchemy takes it for one that has to be awaited; ``StraightSession`` never awaits it."""

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
        return _Queue

    def do_execute(self, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        cursor.execute(statement, parameters)
        self._note(statement, cursor)

    def do_executemany(self, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        cursor.executemany(statement, parameters)
        self._note(statement, cursor)

    def _note(self, statement: str, cursor: Any) -> None:
        read, written = _tables(statement)
        if written and cursor.rowcount:
            self.changes[written] += 1
        if (looking := _LOOKING.get()) is not None:
            looking |= read


class StraightConnection:
    """As much of an asynchronous connection as the product uses."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        return self._connection.execute(statement, parameters)


class StraightSession(AsyncSession):
    """An asynchronous session that does at once what it is asked. Most are asked by their connection alone:
    the machinery for objects is made when it is wanted."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.sync_engine
        self._opened: Connection | None = None
        self._objects: Session | None = None

    def _connected(self) -> Connection:
        if self._opened is None:
            self._opened = self._engine.connect()
            self._opened.begin()
        return self._opened

    @property
    def _proxied(self) -> Session:  # type: ignore[override]  # SQLAlchemy sets it once for all
        if self._objects is None:
            self._objects = Session(
                self._connected(), expire_on_commit=False, join_transaction_mode="control_fully"
            )
        return self._objects

    def get_bind(self, *_given: Any, **_named: Any) -> Any:
        return self._engine

    async def exec(self, statement: Any, *, params: Any = None, **named: Any) -> Any:
        return self._proxied.exec(statement, params=params, **named)

    async def get(self, entity: Any, ident: Any, **named: Any) -> Any:
        return self._proxied.get(entity, ident, **named)

    async def refresh(self, instance: object, *given: Any, **named: Any) -> None:
        self._proxied.refresh(instance, *given, **named)

    async def flush(self, objects: Any = None) -> None:
        self._proxied.flush(objects)

    async def connection(self, *_given: Any, **_named: Any) -> Any:
        return StraightConnection(self._connected())

    async def commit(self) -> None:
        if self._objects is not None:
            self._objects.commit()
        elif self._opened is not None:
            self._opened.commit()

    async def close(self) -> None:
        if self._objects is not None:
            self._objects.close()
        if self._opened is not None:
            self._opened.close()

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class StraightSql(Sql):
    """The door to one SQLite file, without hand-overs."""

    def __init__(self, url: str) -> None:
        opened = open_sql(url, sqlite_driver=DRIVER)
        super().__init__(opened.engine, opened.reader)

    async def met(self) -> StraightSql:
        """Itself, with its first connections made: those SQLAlchemy makes by a greenlet, or not at all."""
        async with self.engine.connect(), self.reader.connect():
            return self

    def begun(self, engine: AsyncEngine) -> AsyncSession:
        return StraightSession(engine)


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
