"""The books in SQL as the command line opens them: accounts, merchants, the roster."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from carrier.numbers import normalise
from dashboard.accounts import Accounts
from foundation.connections import Sql, open_sql
from foundation.errors import Mendable
from merchants.directory import ImportReport, import_csv
from merchants.sheet import TIERS
from processes import migrating
from processes.centre import read_centre
from processes.settings import Settings
from queueing import rostered, shifts
from queueing.shifts import Shift

IMPORT_S = 20.0
"""A merchants file of a hundred thousand lines takes its time."""


@asynccontextmanager
async def books(settings: Settings) -> AsyncIterator[Sql]:
    """The database, its tables up to date. Raises Mendable when somebody has to migrate it first."""
    if settings.is_sqlite:
        migrating.upgrade(settings.database)
    elif migrating.current(settings.database) != migrating.head():
        raise Mendable("The database's tables are not up to date: run `surgeline migrate`.")
    sql = open_sql(settings.database)
    try:
        yield sql
    finally:
        await sql.close()


@asynccontextmanager
async def accounts_of(settings: Settings) -> AsyncIterator[Accounts]:
    async with books(settings) as sql:
        yield Accounts(sql)


async def import_merchants(settings: Settings, content: bytes) -> ImportReport:
    """All of the file, or, when a line is bad, nothing (BadSheet, a Mendable, with every bad line)."""
    plan = read_centre(settings.surgeline_centre)
    tiers = {*TIERS, *plan.centre.tiers}
    async with books(settings) as sql, sql.session(statement_s=IMPORT_S) as session:
        return await import_csv(
            session, content, normalise=normalise, tiers=tiers, languages=plan.centre.languages
        )


async def import_roster(settings: Settings, content: bytes) -> tuple[list[Shift], int]:
    """The file's shifts in place of those there were, and how many these were; or, when a line is bad,
    nothing (BadSheet, a Mendable, with every bad line)."""
    queues = [queue.name for queue in read_centre(settings.surgeline_centre).policy.queues]
    found = shifts.read(content, queues)
    async with books(settings) as sql, sql.session() as session:
        return found, await rostered.replace(session, found)


async def clear_roster(settings: Settings) -> int:
    """How many shifts there were."""
    async with books(settings) as sql, sql.session() as session:
        return await rostered.replace(session, [])


async def roster_of(settings: Settings) -> list[Shift]:
    async with books(settings) as sql, sql.reading() as session:
        return await rostered.shifts(session)
