"""SQLite without its thread: a statement is carried out where it is asked for.

The product asks SQLite through a thread, so that a slow disk does not stop the loop. A drill has one loop, a
file in memory, and nobody else to wait; handing each statement over and back costs more than most statements.
"""

from __future__ import annotations

import sqlite3
from types import ModuleType
from typing import Any

from sqlalchemy import URL
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, Pool
from sqlalchemy.util import await_only

DRIVER = "straight"


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
    changes = 0
    """How many transactions have changed anything; one that was rolled back counts with the next."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self._totals: dict[sqlite3.Connection, int] = {}

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        return sqlite3

    @classmethod
    def get_pool_class(cls, url: URL) -> type[Pool]:
        return AsyncAdaptedQueuePool

    def create_connect_args(self, url: URL) -> Any:
        args, named = super().create_connect_args(url)
        return args, {**named, "factory": _Connection}

    def do_commit(self, dbapi_connection: Any) -> None:
        total = dbapi_connection.driver_connection.total_changes
        self.changes += total != self._totals.get(dbapi_connection.driver_connection, 0)
        self._totals[dbapi_connection.driver_connection] = total
        dbapi_connection.commit()

    def do_execute(self, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        await_only(_nothing())
        cursor.execute(statement, parameters)

    def do_executemany(self, cursor: Any, statement: Any, parameters: Any, context: Any = None) -> None:
        await_only(_nothing())
        cursor.executemany(statement, parameters)

    def get_driver_connection(self, connection: Any) -> Any:
        return connection


def changes_of(engine: AsyncEngine) -> int:
    """See ``Straight.changes``."""
    assert isinstance(engine.dialect, Straight)
    return engine.dialect.changes


registry.register(f"sqlite.{DRIVER}", __name__, Straight.__name__)
