"""A caller in a surge, over the wire: what the phone network plays, and what becomes of the call."""

from __future__ import annotations

import pytest

from queueing.states import ContactState
from surge.states import Level
from tests.doors.incidents import (
    QUESTION,
    STATUS,
    declared,
    deflections,
    follow_up,
    level,
    outcome,
    said,
    texts,
    written_down,
)
from tests.wire.stage import heard

SHOP = "+14155550001"


@pytest.fixture
async def surge(stage):
    row = await declared(stage.desk.watch, topic="outage")
    await level(stage.desk.watch, Level.SURGE)
    return row


async def test_told_asked_texted_and_followed_up(stage, surge):
    shop = await stage.rings(SHOP)
    answered_ms = stage.clock.now_ms()
    while STATUS not in heard(shop):
        await stage.passes(1)
        assert stage.clock.now_ms() - answered_ms < 15_000, "the status has not begun"
    await stage.passes(8)
    assert heard(shop)[-1] == QUESTION
    await stage.presses(shop, "1")
    await stage.passes(4)
    await stage.presses(shop, "1")
    await stage.passes(20)
    assert heard(shop)[-1] == "Thank you for calling Corner Pay. Goodbye."
    assert shop.ended
    (text,), (row,) = await texts(stage.desk), await deflections(stage.desk)
    assert (text.number, row.id) == (SHOP, shop.sid)
    await written_down(stage.desk)
    assert await outcome(stage.desk, shop.sid) == "deflected"
    assert (await follow_up(stage.desk, shop.sid)).incident == surge.id


async def test_something_else_waits_and_hears_no_more_of_it(stage, surge):
    shop = await stage.rings(SHOP)
    await stage.passes(3)
    await stage.presses(shop, "2")
    await stage.passes(3)
    await stage.presses(shop, "1")
    await stage.passes(30)
    assert (await stage.contact(shop)).state is ContactState.WAITING
    await said(stage.desk.watch, surge, "The bank has found it")
    await stage.passes(60)
    assert not [words for words in heard(shop) if "The bank" in words]


async def test_who_holds_hears_each_update_once(stage, surge):
    shop = await stage.rings(SHOP)
    await stage.passes(3)
    await stage.presses(shop, "0")
    await stage.passes(30)
    await said(stage.desk.watch, surge, "The bank has found it")
    await stage.passes(120)
    told = [words for words in heard(shop) if "The bank has found it" in words]
    assert len(told) == 1
    assert heard(shop).count("Here is an update while you hold.") == 1


async def test_who_hangs_up_at_the_question_is_in_the_ledger(stage, surge):
    shop = await stage.rings(SHOP)
    await stage.passes(12)
    await stage.hangs_up(shop)
    await stage.passes(3)
    await written_down(stage.desk)
    assert await outcome(stage.desk, shop.sid) == "abandoned"
    row = await follow_up(stage.desk, shop.sid)
    assert (row.incident, row.merchant) == (surge.id, "Corner Bakery")
