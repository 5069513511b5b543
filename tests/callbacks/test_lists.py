"""Promises as pages read them, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from callbacks import lists
from callbacks.states import AttemptState
from callbacks.tables import Attempt, Promise, PromiseEvent
from carrier.tables import Text
from foundation.connections import Sql
from queueing.tables import Contact

NOW = 1_700_000_000_000
NUMBER = "+14155550123"


def promise(name: str, **given: Any) -> Promise:
    told: dict[str, Any] = {"state": "in_line", "number": NUMBER, "queue": "support", "band": "p2"}
    return Promise(id=name, **(told | given))


async def write(books: Sql, *rows: Any) -> None:
    async with books.session() as session:
        session.add_all(rows)


async def test_only_what_is_open_is_owed(books: Sql) -> None:
    await write(books, promise("PRa", open_number=NUMBER, topic="payout"), promise("PRb", state="kept"))
    assert [(row.id, row.topic, row.number) for row in await lists.owed(books)] == [("PRa", "payout", NUMBER)]
    assert await lists.one(books, "PRb") is not None
    assert await lists.one(books, "PRc") is None


async def test_the_stamp_changes_with_everything_that_lists_show(books: Sql) -> None:
    stamps = [await lists.stamp(books)]
    await write(books, promise("PRa", open_number=NUMBER))
    stamps.append(await lists.stamp(books))
    async with books.session() as session:
        row = await session.get(Promise, "PRa")
        assert row is not None
        row.version += 1
        session.add(row)
    stamps.append(await lists.stamp(books))
    await write(books, PromiseEvent(promise="PRa", at_ms=NOW, kind="later"))
    stamps.append(await lists.stamp(books))
    assert len(set(stamps)) == 4


async def test_one_list_for_another_of_the_same_size_and_versions_is_told_apart(books: Sql) -> None:
    await write(
        books, promise("PRa", open_number=NUMBER), PromiseEvent(promise="PRa", at_ms=NOW, kind="made")
    )
    before = await lists.stamp(books)
    async with books.session() as session:
        row = await session.get(Promise, "PRa")
        assert row is not None
        row.open_number, row.state = None, "kept"
        session.add(row)
        session.add(promise("PRb", number="+14155550124", open_number="+14155550124"))
        session.add(PromiseEvent(promise="PRb", at_ms=NOW, kind="made"))
    assert await lists.stamp(books) != before


async def test_a_merchants_past_is_theirs_alone_and_the_newest_first(books: Sql) -> None:
    await write(
        books,
        Contact(contact="CA1", merchant_id=7, caller=NUMBER, entered_ms=NOW - 3, disposition="answered"),
        Contact(contact="PRx.1", merchant_id=7, caller=NUMBER, entered_ms=NOW - 2),
        Contact(contact="CA2", merchant_id=8, caller="+14155550199", entered_ms=NOW - 2),
        promise("PRx", merchant_id=7, state="cancelled", reason="the merchant's own page", made_ms=NOW - 2),
        promise("PRhand", merchant_id=7, open_number=NUMBER, made_ms=NOW),
        Text(id="t1", number=NUMBER, kind="status", promise="PRx", body="We call you.", made_ms=NOW - 1),
        Text(id="t2", number="+14155550199", kind="status", body="Not theirs.", made_ms=NOW - 1),
    )
    known = await lists.history(books, merchant_id=7, number=NUMBER, but=("PRhand.1", "PRhand"))
    assert [(past.kind, past.end) for past in known] == [
        ("text", "queued"),
        ("promise", "cancelled"),
        ("call", "answered"),
    ]
    unknown = await lists.history(books, merchant_id=None, number=NUMBER, but=("CA1", ""))
    assert [past.kind for past in unknown] == ["promise", "text", "promise"]
    assert await lists.history(books, merchant_id=None, number="") == ()


async def test_the_newest_attempt_of_a_turn(books: Sql) -> None:
    assert await lists.last_try(books, "PRa.1") is None
    for number, result in ((1, "busy"), (2, "machine")):
        await write(
            books,
            Attempt(
                id=f"PRa-{number}",
                promise="PRa",
                number=number,
                contact="PRa.1",
                state="not_reached",
                result=result,
                made_ms=NOW + number,
            ),
        )
    told = await lists.last_try(books, "PRa.1")
    assert told == lists.LastTry(AttemptState.NOT_REACHED, "machine")


@pytest.mark.parametrize("kinds", [("made", "later", "cancelled")])
async def test_a_story_in_order(books: Sql, kinds: tuple[str, ...]) -> None:
    for at, kind in enumerate(kinds):
        await write(books, PromiseEvent(promise="PRa", at_ms=NOW + at, kind=kind, by="ann"))
    assert tuple(one.kind for one in await lists.story(books, "PRa")) == kinds
