"""Offices on SQLite and on PostgreSQL, with and without a network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlmodel import SQLModel

from callbacks import tables  # noqa: F401  (its tables are made by the fixture sql)
from foundation.clock import ManualClock
from foundation.connections import Sql, open_sql
from queueing import tables as queueing_tables  # noqa: F401
from tests.callbacks.office import Staff, with_network


@pytest.fixture(params=["sqlite", "postgres"])
def books_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/books.sqlite3"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def books(books_url: str) -> AsyncIterator[Sql]:
    """A database of either kind, empty."""
    opened = open_sql(books_url)
    async with opened.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.drop_all)
        await connection.run_sync(SQLModel.metadata.create_all)
    yield opened
    await opened.close()


@pytest.fixture
def staff(redis: Redis, sql: Sql, clock: ManualClock) -> Staff:
    return Staff(redis, sql, clock)


@pytest.fixture
async def ringing(staff: Staff) -> AsyncIterator[Staff]:
    """An office that can ring."""
    async with with_network(staff, timeout_s=1.0):
        yield staff
