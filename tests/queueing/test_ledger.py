"""From the journal to SQL, once: whatever comes twice, late, or from two scribes at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlmodel import SQLModel, col, func, select

from foundation.connections import Sql, open_sql
from foundation.errors import Unavailable
from queueing import journal, ledger
from queueing.journal import Event
from queueing.records import Card
from queueing.states import Disposition
from queueing.tables import Contact, ContactEvent, VoiceMessage
from tests.queueing.conftest import Centre

TABLES = [model.__table__ for model in (Contact, ContactEvent, VoiceMessage)]  # type: ignore[attr-defined]
CARD = Card(caller="+14155550123", merchant_id=7, merchant="Corner Bakery", tier="gold", language="es")


@pytest.fixture(params=["sqlite", "postgres"])
async def books(request: pytest.FixtureRequest, tmp_path: object) -> AsyncIterator[Sql]:
    """An empty database of each kind."""
    url = f"sqlite:///{tmp_path}/books.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    sql = open_sql(url)
    async with sql.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.drop_all, tables=TABLES)
        await connection.run_sync(SQLModel.metadata.create_all, tables=TABLES)
    yield sql
    await sql.close()


async def busy_hour(centre: Centre) -> list[Event]:
    """One contact that lives through everything, one that gives up, one turned away; as the line told it."""
    line, roster, clock = centre.line, centre.roster, centre.clock
    await line.enter("CA1", queue="support", band="p2", card=CARD, now_ms=centre.now_ms)
    clock.advance(s=20)
    await journal.write(
        centre.redis,
        centre.keys,
        "told",
        at_ms=centre.now_ms,
        contact="CA1",
        position=1,
        low_min=2,
        high_min=5,
    )
    await centre.at_work("ann", support=0, billing=0)
    clock.advance(s=20)
    await centre.expire()
    await centre.at_work("bob")
    clock.advance(s=5)
    talk = await centre.meet("CA1")
    clock.advance(s=60)
    await line.transfer("CA1", "billing", "p1", centre.now_ms, talk.fence)
    clock.advance(s=30)
    await roster.ready("bob", centre.now_ms)
    await centre.meet("CA1")
    clock.advance(s=100)
    await line.finish("CA1", centre.now_ms)
    await journal.write(
        centre.redis, centre.keys, "note", at_ms=centre.now_ms, contact="CA1", outcome="solved", text="a | b"
    )
    clock.advance(s=15)
    await roster.away("ann", "lunch", centre.now_ms)
    await centre.ring("CA2", caller="+14155550124")
    clock.advance(s=3)
    await line.leave("CA2", Disposition.ABANDONED, centre.now_ms)
    await journal.write(
        centre.redis, centre.keys, "turned_away", at_ms=centre.now_ms, contact="CA3", queue="support",
        disposition="closed", card=CARD.packed(),
    )  # fmt: skip
    return await centre.told()


async def rows(sql: Sql) -> dict[str, dict[str, object]]:
    async with sql.reading() as session:
        found = await session.exec(select(Contact).order_by(col(Contact.contact)))
        return {row.contact: row.model_dump() for row in found}


async def count(sql: Sql) -> int:
    async with sql.reading() as session:
        return (await session.exec(select(func.count()).select_from(ContactEvent))).one()


async def test_a_contact_row_tells_the_whole_story(centre: Centre, books: Sql) -> None:
    started_ms = centre.now_ms
    events = await busy_hour(centre)
    async with books.session() as session:
        assert len(await ledger.record(session, events)) == len(events)
    told = await rows(books)
    row = told["CA1"]
    assert (row["caller"], row["merchant_id"], row["merchant"]) == ("+14155550123", 7, "Corner Bakery")
    assert (row["queue"], row["last_queue"], row["band"]) == ("support", "billing", "p1")
    assert (row["entered_ms"], row["answered_ms"]) == (started_ms, started_ms + 45_000)
    assert (row["wait_ms"], row["talk_ms"], row["disposition"]) == (45_000, 160_000, "answered")
    assert (row["agent"], row["missed"], row["transfers"]) == ("ann", 1, 1)
    assert (row["told_position"], row["told_low_min"], row["told_high_min"]) == (1, 2, 5)
    assert (row["outcome"], row["note"]) == ("solved", "a | b")
    assert (row["wrap_ms"], row["handling_ms"]) == (45_000, 205_000)
    assert (told["CA2"]["disposition"], told["CA2"]["wait_ms"]) == ("abandoned", 3_000)
    assert (told["CA3"]["disposition"], told["CA3"]["merchant"]) == ("closed", "Corner Bakery")


async def test_calls_and_turns_are_written_down_with_their_promise(centre: Centre, books: Sql) -> None:
    promise, turn = "PR00000000000000aa", "PR00000000000000aa.1"
    card = replace(CARD, promise=promise)
    await centre.line.enter("CA1", queue="support", band="p2", card=CARD, now_ms=centre.now_ms)
    centre.clock.advance(s=30)
    await centre.line.promise("CA1", turn, card=card, now_ms=centre.now_ms)
    centre.clock.advance(s=30)
    await centre.line.take_up("CA2", turn, queue="support", band="p2", card=card, now_ms=centre.now_ms)
    async with books.session() as session:
        await ledger.record(session, await centre.told())
    told = await rows(books)
    seen = {name: (row["promise"], row["disposition"], row["resumed"]) for name, row in told.items()}
    assert seen == {
        "CA1": ("", "promised", False),
        turn: (promise, "set_aside", False),
        "CA2": (promise, "", True),
    }
    assert told[turn]["merchant"] == "Corner Bakery"
    assert (told["CA1"]["wait_ms"], told[turn]["wait_ms"]) == (30_000, 60_000)
    assert told[turn]["entered_ms"] == centre.now_ms - 30_000


@pytest.mark.parametrize("seed", range(3))
async def test_the_record_is_the_same_however_the_events_come(centre: Centre, books: Sql, seed: int) -> None:
    events = await busy_hour(centre)
    async with books.session() as session:
        await ledger.record(session, events)
    in_order = await rows(books)
    async with books.engine.begin() as connection:
        for table in TABLES:
            await connection.execute(table.delete())
    dice = random.Random(seed)
    coming = events * 2
    dice.shuffle(coming)
    while coming:
        size = dice.randrange(1, 6)
        batch, coming = coming[:size], coming[size:]
        async with books.session() as session:
            await ledger.record(session, batch)
    assert await rows(books) == in_order
    assert await count(books) == len(events)


async def test_two_scribes_at_a_time_write_each_event_once(centre: Centre, books: Sql) -> None:
    events = await busy_hour(centre)

    async def scribe(batches: list[list[Event]]) -> int:
        new = 0
        while batches:
            try:
                async with books.session(statement_s=5.0) as session:
                    more = await ledger.record(session, batches[0])
            except Unavailable:  # SQLite's other writer was at it too long: the scribe reads it again
                continue
            new, batches = new + len(more), batches[1:]
        return new

    ones = [[event] for event in events]
    new = await asyncio.gather(scribe(ones), scribe(ones[::-1]), scribe([events]))
    assert sum(new) == await count(books) == len(events)
    assert (await rows(books))["CA1"]["talk_ms"] == 160_000


async def test_a_batch_that_fails_leaves_nothing_behind(centre: Centre, books: Sql) -> None:
    events = await busy_hour(centre)
    bad = replace(events[-1], id="9-9", kind=None)  # type: ignore[arg-type]  # what SQL refuses
    with pytest.raises(Exception, match=r"(?i)null"):
        async with books.session() as session:
            await ledger.record(session, [*events, bad])
    assert await count(books) == 0
    assert await rows(books) == {}


async def test_a_message_is_kept_with_who_left_it(centre: Centre, books: Sql) -> None:
    await centre.line.enter("CA1", queue="support", band="p2", card=CARD, now_ms=centre.now_ms)
    await centre.line.leave("CA1", Disposition.MESSAGE, centre.now_ms)
    for _ in range(2):
        await journal.write(
            centre.redis, centre.keys, "message", at_ms=centre.now_ms, contact="CA1", recording="RE1",
            length_s=12, url="https://example.test/RE1",
        )  # fmt: skip
    async with books.session() as session:
        await ledger.record(session, await centre.told())
    async with books.reading() as session:
        message = (await session.exec(select(VoiceMessage))).one()
    assert (message.id, message.length_s, message.caller) == ("RE1", 12, "+14155550123")


async def test_a_webhook_later_than_the_lines_memory_does_not_undo_the_record(
    centre: Centre, books: Sql
) -> None:
    await centre.ring("CA1")
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    await journal.write(
        centre.redis, centre.keys, "turned_away", at_ms=centre.now_ms, contact="CA1", disposition="closed",
        card=CARD.packed(),
    )  # fmt: skip
    async with books.session() as session:
        await ledger.record(session, await centre.told())
    row = (await rows(books))["CA1"]
    assert (row["disposition"], row["merchant"]) == ("abandoned", "")


async def test_nothing_to_write_is_no_fault(books: Sql) -> None:
    async with books.session() as session:
        assert await ledger.record(session, []) == []
