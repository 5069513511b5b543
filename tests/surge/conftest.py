"""Houses on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from foundation.clock import ManualClock
    from foundation.connections import Sql
    from tests.surge.house import House


@pytest.fixture(params=["sqlite", "postgres"])
async def books(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sql]:
    """A database of either kind, empty."""
    from sqlmodel import SQLModel

    from foundation.connections import open_sql
    from processes.migrating import learn_tables

    learn_tables()
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/books.sqlite3" if sqlite else request.getfixturevalue("postgres_url")
    opened = open_sql(url)
    async with opened.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.drop_all)
        await connection.run_sync(SQLModel.metadata.create_all)
    yield opened
    await opened.close()


@pytest.fixture
def house(redis: Redis, books: Sql, clock: ManualClock, tmp_path: Path) -> House:
    from tests.surge.house import House

    return House(redis, books, clock, tmp_path / "data")
