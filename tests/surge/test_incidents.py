"""Incidents: said once, by one at a time, along the law, and never lost between two leads."""

from __future__ import annotations

import asyncio
import json

import pytest

from foundation.errors import Mendable
from surge import board, commitments, incidents, notices, record, status_page
from surge.incidents import NewIncident
from surge.office import Conflict
from surge.states import IllegalMove, IncidentState
from tests.surge.house import DOWN, House


async def test_what_is_declared_is_told_at_once_and_written_on_the_page(house: House) -> None:
    row = await house.declares(do="Switch offline mode on.")
    told = await board.read(house.redis, house.watch.centre)
    assert told is not None
    assert [(each.id, each.words, each.do) for each in told.incidents] == [
        (row.id, DOWN, "Switch offline mode on.")
    ]
    folder = house.data_dir / status_page.FOLDER
    assert "Card payments are down everywhere." in (folder / status_page.HTML).read_text()
    assert json.loads((folder / status_page.JSON).read_text())["ok"] is False
    assert f"{row.id}.1</guid>" in (folder / status_page.RSS).read_text()


async def test_declared_twice_under_one_name_it_is_one(house: House) -> None:
    name, new = record.new_id(), NewIncident("Payments", DOWN)
    first = await incidents.declare(house.watch, new, "ann", house.now_ms, id=name)
    again = await incidents.declare(house.watch, new, "ann", house.now_ms, id=name)
    assert first.id == again.id
    assert len(await incidents.updates(house.watch, name)) == 1
    assert len(await house.lines("declared")) == 1


async def test_of_two_leads_who_post_at_once_the_second_sees_the_firsts_words(house: House) -> None:
    row = await house.declares()
    results = await asyncio.gather(
        house.says(row, "Card readers fail in every shop.", "ann", version=1),
        house.says(row, "We found the cause of it.", "bob", version=1),
        return_exceptions=True,
    )
    conflicts = [each for each in results if isinstance(each, Conflict)]
    assert len(conflicts) == 1
    said = (await incidents.updates(house.watch, row.id))[-1]
    assert (conflicts[0].who, conflicts[0].what) == (said.by, said.words["en"])


async def test_the_same_post_once_more_is_the_one_that_was_made(house: House) -> None:
    row = await house.declares()
    first = await house.says(row, "Card readers fail in every shop.", version=1)
    again = await house.says(row, "Card readers fail in every shop.", version=1)
    assert (first.version, again.version) == (2, 2)
    assert len(await incidents.updates(house.watch, row.id)) == 2


@pytest.mark.parametrize("words", ["", "Down <b>now</b>", "x" * 10_000, "Down \u0007 now", DOWN["en"]])
async def test_words_that_must_not_be_heard_are_not_posted(house: House, words: str) -> None:
    row = await house.declares()
    with pytest.raises(Mendable):
        await house.says(row, words)
    assert len(await incidents.updates(house.watch, row.id)) == 1


async def test_it_is_resolved_only_from_verified_and_can_be_reopened(house: House) -> None:
    row = await house.declares()
    with pytest.raises(IllegalMove):
        await incidents.resolve(house.watch, row.id, 1, "ann", house.now_ms)
    row = await incidents.move(house.watch, row.id, IncidentState.VERIFIED, 1, "ann", house.now_ms)
    row = await incidents.resolve(house.watch, row.id, row.version, "ann", house.now_ms)
    assert await incidents.list_live(house.watch) == []
    row = await incidents.reopen(house.watch, row.id, row.version, "ann", house.now_ms)
    assert (row.verified_ms, row.resolved_ms) == (None, None)
    assert [each.id for each in await incidents.list_live(house.watch)] == [row.id]


async def test_an_edited_scope_is_told_and_an_unseen_one_is_a_conflict(house: House) -> None:
    row = await house.declares()
    await incidents.edit_scope(house.watch, row.id, {"products": ["Register 4"]}, 1, "ann", house.now_ms)
    told = await board.read(house.redis, house.watch.centre)
    assert told is not None
    assert told.incidents[0].scope == {"products": ["Register 4"]}
    with pytest.raises(Conflict) as seen:
        await incidents.edit_scope(house.watch, row.id, {"all": True}, 1, "bob", house.now_ms)
    assert seen.value.who == "ann"


async def test_a_time_that_slipped_twice_is_counted(house: House) -> None:
    row = await house.declares(eta_ms=house.now_ms + 1000)
    for number in (2, 3):
        row = await house.says(row, f"Step {number} is under way.", eta_ms=house.now_ms + number * 1000)
    assert row.eta_slips == 2


async def test_subscribers_are_texted_the_news_once(house: House) -> None:
    row = await house.declares()
    await house.deflects("CA1", row)
    house.clock.advance(minutes=1)
    row = await house.says(row, "The cause is found.")
    for _ in range(2):
        await notices.tell_updates(house.watch, house.now_ms)
    bodies = [text.body for text in await house.texts()]
    assert len(bodies) == 2
    assert "The cause is found." in bodies[1]


async def test_a_stale_incident_nags_but_not_at_every_look(house: House) -> None:
    row = await house.declares()
    house.clock.advance(ms=house.policy.stale_ms + 1)
    await house.watcher.nag()
    await house.watcher.nag()
    assert [line.incident for line in await house.lines("nag")] == [row.id]
    house.clock.advance(ms=house.policy.nag_ms)
    await house.watcher.nag()
    assert len(await house.lines("nag")) == 2


async def test_commitments_are_recalled_a_day_before_when_due_and_each_day_after(house: House) -> None:
    row, day = await house.declares(), commitments.DAY_MS
    due_ms = house.now_ms + 2 * day
    made = await commitments.make(house.watch, row.id, "Post-mortem", "ann", due_ms, "bob", house.now_ms)
    told = []
    for _ in range(8):
        told.append(await commitments.remind(house.watch, house.now_ms))
        house.clock.advance(ms=day // 2)
    assert told == [0, 0, 1, 0, 1, 0, 1, 0]
    assert made.id is not None
    await commitments.done(house.watch, made.id, "ann", house.now_ms)
    assert await commitments.remind(house.watch, house.now_ms) == 0


async def test_once_it_is_not_over_the_words_that_said_so_are_told_no_more(house: House) -> None:
    row = await house.declares()
    row = await house.says(row, "Card payments work again.", state=IncidentState.VERIFIED)
    assert (await board.publish(house.watch, house.now_ms)).incidents[0].words == {
        "en": "Card payments work again."
    }
    row = await incidents.reopen(house.watch, row.id, row.version, "ann", house.now_ms)
    assert (await board.publish(house.watch, house.now_ms)).incidents[0].words == {}
    await house.says(row, "They fail again.")
    assert (await board.publish(house.watch, house.now_ms)).incidents[0].words == {"en": "They fail again."}


@pytest.mark.parametrize("title", ["<b>Payments</b>", "Payments 💳", "Pay\u202ements", "P" * 121, " "])
async def test_a_title_that_cannot_be_heard_is_not_taken(house: House, title: str) -> None:
    with pytest.raises(Mendable):
        await house.declares(title=title)
    assert await incidents.list_live(house.watch) == []
