"""SQL sessions with deadlines: SQLite for one box, PostgreSQL for more.

A session is one transaction. It is committed when its block ends, rolled back when the block raises,
and given up when its time is over.
"""

from __future__ import annotations

import asyncio
import select
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import cache
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Table, event
from sqlalchemy import exc as sql_errors
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.errors import Mendable, Unavailable

STATEMENT_S = 0.5
"""How long one statement may take."""

SESSION_STATEMENTS = 4
"""A session as a whole may take so many times a statement's time."""

SQLITE_BUSY_S = 0.5
"""How long a writer waits for another process that writes the SQLite file."""

SQLITE_STATEMENTS = 1_000
"""So many prepared statements a connection keeps: more than we have. With Python's 128 most are prepared anew
each time they are asked, which costs more than most answers."""

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

# Not SQLITE_READONLY: that is a reading session that writes, a fault of ours.
_SQLITE_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_FULL")


def normalised(url: str, sqlite_driver: str = "aiosqlite") -> URL:
    """The URL with the driver we use: ``sqlite:///file`` or ``postgresql://user@host/name`` is enough.

    Raises Mendable for any other database.
    """
    try:
        parsed = make_url(url)
    except sql_errors.ArgumentError:
        raise Mendable("DATABASE_URL is not a URL: write sqlite:///file or postgresql://…") from None
    kind = parsed.drivername.partition("+")[0]
    drivers = {
        "sqlite": f"sqlite+{sqlite_driver}",
        "postgresql": "postgresql+psycopg",
        "postgres": "postgresql+psycopg",
    }
    if kind not in drivers:
        raise Mendable(f"DATABASE_URL names {kind}: only sqlite and postgresql are supported.")
    return parsed.set(drivername=drivers[kind])


def open_sql(url: str, *, pool: int = 10, sqlite_driver: str = "aiosqlite") -> Sql:
    """Sessions on the database of ``url`` (see ``normalised``). It connects when first used.

    ``sqlite_driver`` is SQLAlchemy's name of what reaches SQLite.
    """
    parsed = normalised(url, sqlite_driver)
    if parsed.get_backend_name() == "sqlite":
        return Sql(_sqlite(parsed, "BEGIN IMMEDIATE"), _sqlite(parsed, "BEGIN", "query_only = ON"))
    engine = create_async_engine(
        parsed,
        connect_args={"async_creator_fn": _ImpatientConnection.connect},
        pool_size=pool,
        max_overflow=0,
        pool_timeout=STATEMENT_S,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _prepare_postgres)
    event.listen(engine.sync_engine, "checkout", _refuse_stale)
    return Sql(engine, engine.execution_options(postgresql_readonly=True))


def _sqlite(url: URL, begin: str, *pragmas: str) -> AsyncEngine:
    """Its transactions begin by ``begin``: one that begins by reading cannot wait for its turn to write, it
    fails at once. ``pragmas``: besides those of every connection."""

    def prepare(connection: DBAPIConnection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", *pragmas):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begins(connection: Connection) -> None:
        cursor = connection.connection.cursor()  # the driver's own: SQLAlchemy's costs as much as a query
        cursor.execute(begin)
        cursor.close()

    engine = create_async_engine(
        url,
        connect_args={"timeout": SQLITE_BUSY_S, "cached_statements": SQLITE_STATEMENTS},
        pool_timeout=STATEMENT_S,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", begins)
    return engine


async def insert_once(session: AsyncSession, row: SQLModel, *key: str) -> bool:
    """Write ``row``. False when one of this ``key`` (the columns of a unique index) is there already."""
    values = row.model_dump()
    if values.get("id", "") is None:
        del values["id"]
    connection = await session.connection()
    table = type(row).__table__  # type: ignore[attr-defined]  # SQLModel makes it at class creation
    return (await connection.execute(insert_new(session, table, *key), values)).first() is not None


def insert_new(session: AsyncSession, table: Table, *key: str) -> Any:
    """An INSERT that passes over a row whose ``key`` is there, and returns the first column of the key of
    one that was not. The rows are given apart from it: it is made and compiled once."""
    return _new(session.get_bind().dialect.name, table, key)


@cache
def _new(dialect: str, table: Table, key: tuple[str, ...]) -> Any:
    wanted = _INSERT[dialect](table).on_conflict_do_nothing(index_elements=list(key))
    return wanted.returning(table.c[key[0]])


class Sql:
    """The door to one database: ``engine`` is for what may write, ``reader`` for what only reads.

    SQLite has connections of their own for the two: one that is switched between them forgets each time all
    the statements it has prepared.
    """

    def __init__(self, engine: AsyncEngine, reader: AsyncEngine) -> None:
        self.engine = engine
        self.reader = reader
        # SQLite has one writer. Ours take turns here, in the order in which they came: in SQLite they would
        # poll, and a busy minute would starve one of them.
        single = engine.dialect.name == "sqlite"
        self._turn: AbstractAsyncContextManager[Any] = asyncio.Lock() if single else nullcontext()

    def session(self, *, statement_s: float = STATEMENT_S) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction that may write. Raises Unavailable when the database does not answer in time.

        Unavailable at the commit does not say whether it was carried out: write so that a repeat is
        harmless. Objects may be read after the block.
        """
        return self._open(self.engine, statement_s, self._turn, writes=True)

    def reading(self, *, statement_s: float = STATEMENT_S) -> AbstractAsyncContextManager[AsyncSession]:
        """One transaction that only reads, on one unchanging picture of the data in SQLite's case.

        Reports ask for more time by ``statement_s``.
        """
        return self._open(self.reader, statement_s, nullcontext(), writes=False)

    def begun(self, engine: AsyncEngine) -> AsyncSession:
        """A session on ``engine``, ours or one of its kind."""
        return AsyncSession(engine, expire_on_commit=False)

    async def close(self) -> None:
        await self.engine.dispose()
        await self.reader.dispose()

    @asynccontextmanager
    async def _open(
        self,
        engine: AsyncEngine,
        statement_s: float,
        turn: AbstractAsyncContextManager[Any],
        *,
        writes: bool,
    ) -> AsyncIterator[AsyncSession]:
        try:
            async with (
                asyncio.timeout(statement_s * SESSION_STATEMENTS),
                turn,
                self.begun(engine) as session,
            ):
                if statement_s != STATEMENT_S and engine.dialect.name == "postgresql":
                    connection = await session.connection()
                    await connection.exec_driver_sql(
                        f"SET LOCAL statement_timeout = {round(statement_s * 1000)}"
                    )
                yield session
                if writes:
                    await session.commit()
        except Exception as error:
            if not not_answering(error):
                raise
            raise Unavailable(f"SQL gave no answer: {named(error)}") from error


def not_answering(error: BaseException) -> bool:
    """Whether this means that the database does not answer now, not that the question was wrong."""
    if isinstance(error, (TimeoutError, ConnectionError, sql_errors.TimeoutError)):
        return True
    if isinstance(error, sqlite3.Error):
        return str(getattr(error, "sqlite_errorname", "")).startswith(_SQLITE_AWAY)
    if not isinstance(error, sql_errors.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if not isinstance(error, (sql_errors.OperationalError, sql_errors.InterfaceError)):
        return False
    if isinstance(error.orig, psycopg.Error):
        return True
    # SQLite says "no such table" by the same class.
    return str(getattr(error.orig, "sqlite_errorname", "")).startswith(_SQLITE_AWAY)


def named(error: BaseException) -> str:
    """What went wrong, without statement or parameters: those hold people's numbers."""
    return type(getattr(error, "orig", None) or error).__name__


class _ImpatientConnection(psycopg.AsyncConnection[Any]):
    """A connection that is dropped when its query is given up.

    psycopg would ask the server to cancel the query and wait for it, ten seconds when the server is frozen.
    The server stops the query by its own statement timeout.
    """

    async def cancel_safe(self, *, timeout: float = 0.0) -> None:  # noqa: ASYNC109 psycopg's signature
        self.pgconn.finish()


def _prepare_postgres(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET statement_timeout = {round(STATEMENT_S * 1000)}")
    # A frozen process of ours must not hold locks for ever.
    cursor.execute("SET idle_in_transaction_session_timeout = 10000")
    cursor.close()
    connection.commit()


def _refuse_stale(connection: Any, _record: object, _proxy: object) -> None:
    """An idle connection with something to read has been closed by the server: take another one."""
    poll = select.poll()
    poll.register(connection.driver_connection.fileno(), select.POLLIN | select.POLLHUP)
    if poll.poll(0):
        raise sql_errors.DisconnectionError
