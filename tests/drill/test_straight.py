"""SQLite asked directly: the same as by the product's driver, and it tells when anything was changed."""

from __future__ import annotations

import sqlite3

import pytest
from sqlmodel import SQLModel, select

from drill.stage.straight import DRIVER, changes_of
from foundation.connections import open_sql
from foundation.errors import Unavailable
from queueing.tables import AgentAccount


@pytest.fixture
async def sql(tmp_path):
    opened = open_sql(f"sqlite:///{tmp_path}/drill.db", sqlite_driver=DRIVER)
    async with opened.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield opened
    await opened.close()


def agent(name):
    return AgentAccount(agent=name, name=name, role="agent", password_hash="", skills={"support": 0})


async def test_what_was_written_is_read_and_changes_are_counted(sql):
    async with sql.session() as session:
        session.add_all([agent("ann"), agent("ben")])
    before = changes_of(sql.engine)
    async with sql.reading() as session:
        found = await session.exec(select(AgentAccount).order_by(AgentAccount.agent))
        assert [(row.agent, row.skills) for row in found] == [
            ("ann", {"support": 0}),
            ("ben", {"support": 0}),
        ]
    async with sql.session() as session:
        assert await session.get(AgentAccount, "cleo") is None
    assert changes_of(sql.engine) == before
    async with sql.session() as session:
        session.add(agent("cleo"))
    assert changes_of(sql.engine) == before + 1


async def test_a_file_that_somebody_else_writes_is_away(sql, tmp_path):
    other = sqlite3.connect(tmp_path / "drill.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        async with sql.session() as session:
            session.add(agent("ann"))
    other.close()
