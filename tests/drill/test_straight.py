"""SQLite asked directly: the same as by the product's driver, and it tells when anything was changed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter

import pytest
from sqlmodel import SQLModel, select, update

from callbacks.tables import Promise
from drill.stage.straight import StraightSql, changes_of, looking
from foundation.errors import Unavailable
from merchants.tables import Merchant
from queueing.tables import AgentAccount, Contact
from surge.tables import FollowUp


@pytest.fixture
async def sql(tmp_path):
    opened = await StraightSql(f"sqlite:///{tmp_path}/drill.db").met()
    SQLModel.metadata.create_all(opened.engine.sync_engine)
    yield opened
    await opened.close()


def agent(name):
    return AgentAccount(agent=name, name=name, role="agent", password_hash="", skills={"support": 0})


async def test_what_was_written_is_read_and_changes_are_counted(sql):
    async with sql.session() as session:
        session.add_all([agent("ann"), agent("ben")])
    before = Counter(changes_of(sql.engine))
    async with sql.reading() as session:
        with looking() as tables:
            found = await session.exec(select(AgentAccount).order_by(AgentAccount.agent))
        assert tables == {"agent_account"}
        assert [(row.agent, row.skills) for row in found] == [
            ("ann", {"support": 0}),
            ("ben", {"support": 0}),
        ]
    async with sql.session() as session:
        assert await session.get(AgentAccount, "cleo") is None
        await session.exec(update(AgentAccount).where(AgentAccount.agent == "cleo").values(name="Cleo"))
    assert changes_of(sql.engine) == before
    async with sql.session() as session:
        session.add(agent("cleo"))
    assert changes_of(sql.engine) - before == {"agent_account": 1}


async def test_which_tables_are_read_is_gathered_from_every_kind_of_question(sql):
    theirs = select(FollowUp.id).where(FollowUp.number == Promise.number)
    join = select(Contact, Merchant).join(Merchant, Merchant.id == Contact.merchant_id, isouter=True)
    async with sql.reading() as session:
        with looking() as tables:
            await session.exec(select(Promise).where(theirs.exists()))
            await asyncio.create_task(_ask(session, join))
        await session.exec(select(AgentAccount))
    assert tables == {"promise", "follow_up", "contact", "merchant"}


async def _ask(session, question):
    await session.exec(question)


async def test_a_file_that_somebody_else_writes_is_away(sql, tmp_path):
    other = sqlite3.connect(tmp_path / "drill.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable):
        async with sql.session() as session:
            session.add(agent("ann"))
    other.close()
