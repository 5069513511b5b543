"""The same calls on a bad day: webhooks doubled, late, out of order or lost; Twilio's API busy or broken."""

from __future__ import annotations

import pytest

from processes.joins import Joins
from queueing.presence import Presence
from queueing.states import ContactState, Disposition
from tests.wire.stage import heard
from tests.wire.test_call_flow import ended, recorded, talking, waiting

BAD_DAYS = {
    "doubled": {"on": "webhook", "kind": "duplicate"},
    "late": {"on": "webhook", "kind": "delay", "ms": [0, 1500], "match": "status|conference|left"},
    "out of order": {"on": "webhook", "kind": "reorder", "match": "status|conference|left"},
}


async def drained(stage) -> None:
    board = await stage.desk.line.look(stage.clock.now_ms())
    assert [queue.waiting for queue in board.queues.values()] == [0, 0]
    assert (board.reserved, board.connected) == (0, 0)
    assert all(leg.ended for leg in stage.network.exchange.legs.values())


@pytest.mark.parametrize("day", BAD_DAYS)
@pytest.mark.parametrize("seed", range(2))
async def test_a_talk_is_the_same_talk(stage, day, seed):
    stage.faults(BAD_DAYS[day], seed=seed)
    shop, _ = await talking(stage)
    await stage.passes(20)
    await stage.hangs_up(shop)
    await stage.passes(5)
    await ended(stage, shop, Disposition.ANSWERED)
    row = (await recorded(stage))[shop.sid]
    assert (row.disposition, row.agent) == (Disposition.ANSWERED, "ann")
    assert (await stage.agent()).presence is Presence.WRAP_UP
    await drained(stage)


@pytest.mark.parametrize("day", BAD_DAYS)
async def test_giving_up_is_the_same_giving_up(stage, day):
    stage.faults(BAD_DAYS[day])
    shop = await waiting(stage)
    await stage.passes(20)
    await stage.hangs_up(shop)
    await stage.passes(5)
    assert (await recorded(stage))[shop.sid].disposition == Disposition.ABANDONED
    await drained(stage)


@pytest.mark.parametrize(
    "lost", ["/voice/left", "/voice/status", "/voice/after", "/voice/agent/", "conference"]
)
async def test_one_kind_of_last_word_is_always_lost_and_the_others_do(stage, lost):
    shop, _ = await talking(stage)
    stage.faults({"on": "webhook", "kind": "drop", "match": lost})
    await stage.hangs_up(shop)
    await stage.passes(5)
    assert (await stage.contact(shop)).state is ContactState.ENDED
    assert (await stage.agent()).presence is Presence.WRAP_UP

    caller = await waiting(stage)
    await stage.hangs_up(caller)
    await stage.passes(5)
    assert (await stage.contact(caller)).state is ContactState.ENDED
    await drained(stage)


async def test_word_of_the_conferences_start_is_lost_and_they_are_not_torn_apart(stage):
    stage.faults({"on": "webhook", "kind": "drop", "match": "conference", "times": 1})
    shop, ann = await talking(stage)
    await stage.passes(45)
    assert shop.stage == ann.stage == "talking"


async def test_every_word_of_the_conference_is_lost_and_they_are_not_torn_apart(stage):
    """Twilio's own list of who is in there decides, before the deadline to meet would part them."""
    stage.faults({"on": "webhook", "kind": "drop", "match": "conference"})
    shop = await waiting(stage)
    await stage.works("ann")
    ann = await stage.accepts("ann")
    joins = Joins(stage.tools.carrier, stage.desk.roster, stage.desk.line, stage.clock)
    unnoticed = []
    for _ in range(15):
        await stage.passes(3)
        unnoticed += await joins.look()
    assert unnoticed == [shop.sid]
    assert shop.stage == ann.stage == "talking"
    assert (await stage.contact(shop)).state is ContactState.CONNECTED


async def test_one_who_is_alone_in_the_conference_has_not_met_anybody(stage):
    stage.faults(
        {"on": "webhook", "kind": "drop", "match": "conference"},
        {"on": "rest", "kind": "fail_before", "match": "Members"},
    )
    shop = await waiting(stage)
    await stage.works("ann")
    await stage.accepts("ann")
    joins = Joins(stage.tools.carrier, stage.desk.roster, stage.desk.line, stage.clock)
    for _ in range(15):
        assert await joins.look() == []
        await stage.passes(3)
    assert (await stage.contact(shop)).state is not ContactState.CONNECTED


@pytest.mark.parametrize("door", ["incoming", "menu", "wait", "left", "connect"])
async def test_a_door_cannot_be_reached_once_and_the_fallback_keeps_the_caller(stage, door):
    stage.faults({"on": "webhook", "kind": "drop", "match": f"/voice/{door}$", "times": 1})
    shop = await stage.rings("+14155550001")
    await stage.passes(12)
    if door != "incoming":
        await stage.presses(shop, "0")
    await stage.passes(30)
    assert not shop.ended
    assert (await stage.contact(shop)).state is ContactState.WAITING
    await stage.works("ann")
    await stage.accepts("ann")
    await stage.passes(20)
    if door == "connect":  # the fallback sees an agent waiting, and goes on to the conference
        assert "We are having trouble on our side." not in heard(shop)[-1]
    assert (await stage.contact(shop)).state is ContactState.CONNECTED


@pytest.mark.parametrize("kind", ["busy", "fail_before", "fail_after"])
async def test_a_fetch_that_twilio_does_not_answer_is_put_right(stage, kind):
    shop = await waiting(stage)
    await stage.works("ann")
    stage.faults({"on": "rest", "kind": kind, "match": "Members", "times": 1})
    await stage.accepts("ann")
    await stage.passes(3)
    now = await stage.contact(shop)
    assert not shop.ended
    if kind == "fail_after":  # it was done, though it was not said
        assert now.state is ContactState.CONNECTED
        return
    await stage.passes(40)
    await stage.desk.roster.away("ann", "", stage.clock.now_ms())
    await stage.works("bob")
    await stage.accepts("bob")
    await stage.passes(3)
    assert (await stage.contact(shop)).state is ContactState.CONNECTED
