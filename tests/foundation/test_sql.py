"""One transaction a session, a deadline on each, the same manners on SQLite and PostgreSQL."""

import asyncio
import contextlib
import os
import signal
import time

import psycopg
import pytest
from sqlalchemy import exc
from sqlmodel import Field, SQLModel, col, select, text

from foundation.connections import Breaker, BreakerState, answering
from foundation.errors import Mendable, Unavailable
from foundation.sql import normalised, open_sql


class Note(SQLModel, table=True):
    __tablename__ = "foundation_test_note"
    id: int | None = Field(default=None, primary_key=True)
    words: str = Field(unique=True)


@pytest.fixture(autouse=True)
def patient_sql():
    """Not here: the deadlines are what is tested."""


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request, tmp_path):
    """An open database of each kind with one empty table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/notes.sqlite3"
    else:
        url = request.getfixturevalue("postgres_url")
    opened = open_sql(url)
    async with opened.engine.begin() as connection:
        await connection.run_sync(Note.metadata.drop_all, tables=[Note.__table__])
        await connection.run_sync(Note.metadata.create_all, tables=[Note.__table__])
    yield opened
    await opened.close()


async def words(database):
    async with database.reading() as session:
        return list(await session.exec(select(Note.words).order_by(col(Note.id))))


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:////data/s.sqlite3", "sqlite+aiosqlite:////data/s.sqlite3"),
        ("sqlite+aiosqlite:///s.sqlite3", "sqlite+aiosqlite:///s.sqlite3"),
        ("postgres://u:p@h:5433/d?sslmode=require", "postgresql+psycopg://u:p@h:5433/d?sslmode=require"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg2://u@h/d", "postgresql+psycopg://u@h/d"),
    ],
)
def test_the_url_people_have_becomes_the_url_we_need(given, used):
    assert normalised(given).render_as_string(hide_password=False) == used


@pytest.mark.parametrize("given", ["mysql://u:secret@h/d", "not a url secret", ""])
def test_another_database_is_named_and_its_password_is_not(given):
    with pytest.raises(Mendable) as refusal:
        normalised(given)
    assert "DATABASE_URL" in str(refusal.value)
    assert "secret" not in str(refusal.value)


async def test_what_a_session_wrote_is_there_after_it(database):
    async with database.session() as session:
        note = Note(words="till frozen")
        session.add(note)
    assert note.words == "till frozen"
    assert await words(database) == ["till frozen"]


async def test_a_session_that_raises_leaves_nothing(database):
    async def fail_half_way():
        async with database.session() as session:
            session.add(Note(words="half"))
            await session.flush()
            raise LookupError

    with pytest.raises(LookupError):
        await fail_half_way()
    assert await words(database) == []


async def test_a_session_that_is_cancelled_leaves_nothing_and_the_next_one_works(database):
    written = asyncio.Event()

    async def write():
        async with database.session() as session:
            session.add(Note(words="half"))
            await session.flush()
            written.set()
            await asyncio.Event().wait()

    writing = asyncio.create_task(write())
    await written.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with database.session() as session:
        session.add(Note(words="whole"))
    assert await words(database) == ["whole"]


async def test_a_reading_session_cannot_write(database):
    async def write():
        async with database.reading() as session:
            session.add(Note(words="sly"))
            await session.flush()

    with pytest.raises(exc.DBAPIError, match=r"read-?only"):
        await write()
    async with database.session() as session:
        session.add(Note(words="open"))
    assert await words(database) == ["open"]


async def test_a_broken_rule_is_not_unavailable_and_does_not_quote_what_was_written(database):
    async with database.session() as session:
        session.add(Note(words="+14155550123"))
    with pytest.raises(exc.IntegrityError) as refusal:
        async with database.session() as session:
            session.add(Note(words="+14155550123"))
    assert "[SQL parameters hidden" in str(refusal.value)


async def test_a_missing_table_is_not_unavailable(database):
    with pytest.raises(exc.DBAPIError, match="missing_table"):
        async with database.reading() as session:
            await session.exec(text("SELECT * FROM missing_table"))


async def test_a_session_that_dawdles_is_given_up(database):
    async def dawdle():
        async with database.session(statement_s=0.05) as session:
            session.add(Note(words="late"))
            await session.flush()
            await asyncio.Event().wait()

    begun = time.monotonic()
    with pytest.raises(Unavailable, match="no answer"):
        await dawdle()
    assert time.monotonic() - begun < 1.0
    assert await words(database) == []


async def test_many_writers_take_turns(database):
    async def write(n):
        async with database.session() as session:
            await session.exec(select(Note))
            session.add(Note(words=f"note {n}"))

    await asyncio.gather(*(write(n) for n in range(8)))
    assert len(await words(database)) == 8


async def test_writers_that_are_slow_are_waited_for_in_the_order_in_which_they_came(tmp_path):
    opened = open_sql(f"sqlite:///{tmp_path}/s.sqlite3")
    async with opened.engine.begin() as connection:
        await connection.run_sync(Note.metadata.create_all, tables=[Note.__table__])

    async def write(n):
        async with opened.session() as session:
            session.add(Note(words=f"note {n}"))
            await session.flush()
            for _ in range(30):  # work of its own, while it holds the file
                await session.exec(text("SELECT 1"))

    await asyncio.gather(*(write(n) for n in range(30)))
    assert await words(opened) == [f"note {n}" for n in range(30)]
    await opened.close()


# --- SQLite ------------------------------------------------------------------------------------------


async def test_a_locked_file_is_unavailable_within_its_deadline(tmp_path):
    first, second = (open_sql(f"sqlite:///{tmp_path}/s.sqlite3") for _ in range(2))
    async with first.session() as holding:
        await holding.exec(text("SELECT 1"))
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            async with second.session() as session:
                await session.exec(text("SELECT 1"))
        assert 0.25 < time.monotonic() - begun < 1.0
        async with second.reading() as session:
            assert (await session.exec(text("SELECT 1"))).scalar_one() == 1
    await first.close()
    await second.close()


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path):
    opened = open_sql(f"sqlite:///{tmp_path}/no/such/folder/s.sqlite3")
    with pytest.raises(Unavailable):
        async with opened.session() as session:
            await session.exec(text("SELECT 1"))
    await opened.close()


async def test_commits_survive_a_power_cut(tmp_path):
    opened = open_sql(f"sqlite:///{tmp_path}/s.sqlite3")
    async with opened.reading() as session:
        assert (await session.exec(text("PRAGMA journal_mode"))).scalar_one() == "wal"
        assert (
            await session.exec(text("PRAGMA synchronous"))
        ).scalar_one() == 2  # FULL: fsync at every commit
        assert (await session.exec(text("PRAGMA foreign_keys"))).scalar_one() == 1
    await opened.close()


# --- PostgreSQL --------------------------------------------------------------------------------------


@pytest.fixture
async def postgres(postgres_url):
    opened = open_sql(postgres_url, pool=2)
    yield opened
    await opened.close()


async def test_a_slow_statement_is_stopped_by_the_server(postgres):
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="QueryCanceled"):
        async with postgres.session() as session:
            await session.exec(text("SELECT pg_sleep(30)"))
    assert 0.4 < time.monotonic() - begun < 1.5


async def test_a_report_may_take_longer(postgres):
    async with postgres.reading(statement_s=5) as session:
        assert (await session.exec(text("SHOW statement_timeout"))).scalar_one() == "5s"
    async with postgres.reading() as session:
        assert (await session.exec(text("SHOW statement_timeout"))).scalar_one() == "500ms"


async def test_connections_the_server_closed_are_not_used_again(postgres):
    async with postgres.reading() as session:
        mine = (await session.exec(text("SELECT pg_backend_pid()"))).scalar_one()
    other = open_sql(postgres.engine.url.render_as_string(hide_password=False))
    async with other.session() as session:
        # Answers once that backend has gone.
        await session.exec(text(f"SELECT pg_terminate_backend({mine}, 5000)"))
    await other.close()
    async with postgres.reading() as session:
        assert (await session.exec(text("SELECT pg_backend_pid()"))).scalar_one() != mine


async def test_a_taken_pool_is_unavailable_soon(postgres):
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            session = await stack.enter_async_context(postgres.reading())
            await session.exec(text("SELECT 1"))
        with pytest.raises(Unavailable):
            async with postgres.reading() as session:
                await session.exec(text("SELECT 1"))


async def test_a_server_that_is_not_there_is_unavailable(tmp_path):
    opened = open_sql(f"postgresql://surgeline@/postgres?host={tmp_path}")
    breaker = Breaker("SQL")
    for _ in range(5):
        with pytest.raises(Unavailable):
            async with answering(breaker), opened.session() as session:
                await session.exec(text("SELECT 1"))
    assert breaker.state is BreakerState.OPEN
    await opened.close()


async def frozen_backends(postgres_url):
    """The process numbers of all connections' backends and of the server itself."""
    async with await psycopg.AsyncConnection.connect(
        postgres_url.replace("+psycopg", ""), autocommit=True
    ) as direct:
        rows = await direct.execute("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
        return [row[0] for row in await rows.fetchall() if row[0] != direct.info.backend_pid]


@pytest.mark.faults
@pytest.mark.parametrize("given_up_by", ["our deadline", "the caller"])
async def test_a_frozen_server_costs_no_more_than_the_deadline(postgres, postgres_url, given_up_by):
    async with postgres.reading() as session:
        await session.exec(text("SELECT 1"))
    frozen = await frozen_backends(postgres_url)
    assert frozen
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)

    async def ask():
        caller_s, statement_s = (0.4, 5) if given_up_by == "the caller" else (30, 0.1)
        async with asyncio.timeout(caller_s), postgres.session(statement_s=statement_s) as session:
            await session.exec(text("SELECT 1"))

    try:
        begun = time.monotonic()
        with pytest.raises((Unavailable, TimeoutError)):
            await ask()
        assert time.monotonic() - begun < 1.0
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
    async with postgres.reading() as session:
        assert (await session.exec(text("SELECT 1"))).scalar_one() == 1
