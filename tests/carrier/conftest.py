"""The carrier on the wire: Twilio's own client, over a loopback port, to the double."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlmodel import SQLModel

from carrier.tables import InboundText, OptOut, Text
from carrier.twilio_rest import Carrier
from foundation.clock import ManualClock
from foundation.connections import Sql, open_sql
from tests.carrier.house import House, Patient
from tests.drill.loopback import listening
from tests.drill.product import ACCOUNT, TOKEN, Rehearsal


@pytest.fixture
async def rehearsal(clock: ManualClock) -> AsyncIterator[Rehearsal]:
    rehearsal = Rehearsal(clock)
    yield rehearsal
    await rehearsal.close()


@pytest.fixture
async def carrier(rehearsal: Rehearsal) -> AsyncIterator[Carrier]:
    async with listening(rehearsal.network) as url:
        carrier = Carrier(ACCOUNT.sid, TOKEN, api_base_url=url)
        yield carrier
        await carrier.close()


TABLES = [model.__table__ for model in (Text, OptOut, InboundText)]  # type: ignore[attr-defined]


@pytest.fixture(params=["sqlite", "postgres"])
async def books(
    request: pytest.FixtureRequest, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Sql]:
    """An empty database of each kind."""
    url = f"sqlite:///{tmp_path}/books.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    monkeypatch.setattr("foundation.sql.SQLITE_BUSY_S", 10.0)
    monkeypatch.setattr("foundation.sql.STATEMENT_S", 10.0)
    opened = open_sql(url)
    sql = Patient(opened.engine, opened.reader)
    async with sql.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.drop_all, tables=TABLES)
        await connection.run_sync(SQLModel.metadata.create_all, tables=TABLES)
    yield sql
    await sql.close()


@pytest.fixture
def house(books: Sql, carrier: Carrier, clock: ManualClock) -> House:
    return House(books, carrier, clock)
