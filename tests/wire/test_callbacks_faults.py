"""The same callbacks on a bad day: webhooks doubled, late, out of order or lost; and the texts about them."""

from __future__ import annotations

import pytest
from sqlmodel import select

from callbacks.states import PromiseState
from carrier.tables import Text
from drill.network import handsets
from queueing.states import ContactState
from tests.wire.office import SHOP, open_house
from tests.wire.stage import OURS, heard
from tests.wire.test_callbacks import all_quiet, comes_and_talks, loses, picks_up, ringing, screened, wraps_up

BAD_DAYS = {
    "doubled": {"on": "webhook", "kind": "duplicate"},
    "late": {"on": "webhook", "kind": "delay", "ms": [0, 1500], "match": "status|conference|left|sms"},
    "out of order": {"on": "webhook", "kind": "reorder", "match": "status|conference|left|sms"},
}


@pytest.fixture
async def house(clock, wired_desk):
    async with open_house(clock, wired_desk) as house:
        yield house
        assert house.violations == []


async def talking(house):
    """Offered, promised, hung up, rung, 1, and they talk; on a bad day it may take a little longer."""
    promise, ann, leg = await screened(house)
    await house.presses(leg, "1")
    await house.passes(6)
    assert (await house.turn(promise)).state is ContactState.CONNECTED
    return promise, ann, leg


async def kept(house) -> None:
    await wraps_up(house)
    promise = await house.the_promise()
    assert (promise.state, promise.tries) == (PromiseState.KEPT, 0)
    assert await house.results() == ["talked"]
    assert len(house.rung()) == 1
    await all_quiet(house)


@pytest.mark.parametrize("day", BAD_DAYS)
@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("who", ["agent", "merchant"])
async def test_a_promise_is_kept_all_the_same(house, day, seed, who):
    house.faults(BAD_DAYS[day], seed=seed)
    _, ann, leg = await talking(house)
    await house.passes(20)
    await house.hangs_up(ann if who == "agent" else leg)
    await house.passes(8)
    assert ann.ended
    assert leg.ended
    await kept(house)


@pytest.mark.parametrize("day", BAD_DAYS)
@pytest.mark.parametrize(("answers", "result"), [("no-answer", "no_answer"), ("busy", "busy")])
async def test_not_reached_counts_once(house, day, answers, result):
    house.faults(BAD_DAYS[day])
    house.phone(SHOP, answers)
    await ringing(house)
    await house.passes(40)
    promise = await house.the_promise()
    assert (promise.state, promise.tries) == (PromiseState.DUE_LATER, 1)
    assert await house.results() == [result]
    await all_quiet(house)


@pytest.mark.parametrize("day", BAD_DAYS)
@pytest.mark.parametrize(("key", "state"), [("2", PromiseState.DUE_LATER), ("3", PromiseState.CANCELLED)])
async def test_a_key_is_carried_out_once(house, day, key, state):
    house.faults(BAD_DAYS[day])
    _, ann, leg = await screened(house)
    await house.presses(leg, key)
    await house.passes(12)
    promise = await house.the_promise()
    assert (promise.state, promise.tries) == (state, 0)
    assert await house.results() == ["withdrawn"]
    assert ann.ended
    await all_quiet(house)


@pytest.mark.parametrize("day", BAD_DAYS)
async def test_a_lost_agent_s_merchant_is_kept_on_the_line(house, day):
    house.faults(BAD_DAYS[day])
    promise, ann, leg = await screened(house)
    await loses(house, ann)
    await house.presses(leg, "1")
    await house.passes(6)
    assert not leg.ended
    await comes_and_talks(house, promise, leg)


# --- lost words -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["/voice/called/status", "/voice/after|called/after", "conference"])
async def test_one_kind_of_last_word_is_lost_and_the_promise_is_kept(house, lost):
    _, ann, leg = await talking(house)
    house.faults({"on": "webhook", "kind": "drop", "match": lost})
    await house.passes(10)
    await house.hangs_up(leg)
    await house.passes(8)
    assert ann.ended
    await kept(house)


@pytest.mark.parametrize(("answers", "result"), [("no-answer", "no_answer"), ("busy", "busy")])
async def test_an_attempt_whose_end_nobody_told_is_looked_up(house, answers, result):
    house.phone(SHOP, answers)
    house.faults({"on": "webhook", "kind": "drop", "match": "/voice/called/status"})
    await ringing(house)
    await house.passes(100)
    assert await house.results() == [result]
    assert await house.state() is PromiseState.DUE_LATER
    assert (await house.the_promise()).tries == 1
    assert len(house.rung()) == 1
    await all_quiet(house)


async def test_who_hung_up_before_a_key_and_nobody_told_is_looked_up(house):
    house.faults({"on": "webhook", "kind": "drop", "match": "/voice/called/status"})
    _, ann, leg = await screened(house)
    await house.hangs_up(leg)
    await house.passes(120)
    assert await house.results() == ["hung_up"]
    assert await house.state() is PromiseState.DUE_LATER
    assert ann.ended
    await all_quiet(house)


@pytest.mark.parametrize("door", ["called", "called/key"])
async def test_a_door_cannot_be_reached_once_and_the_merchant_is_asked_again(house, door):
    picks_up(house)
    house.faults({"on": "webhook", "kind": "drop", "match": f"/voice/{door}$", "times": 1})
    promise, _ = await ringing(house)
    await house.passes(6)
    (leg,) = house.rung()
    await house.presses(leg, "1")
    await house.passes(6)
    if door == "called/key":
        await house.presses(leg, "1")
        await house.passes(6)
    assert (await house.turn(promise)).state is ContactState.CONNECTED
    assert await house.state() is PromiseState.CONNECTED
    assert len(house.rung()) == 1


# --- texts ----------------------------------------------------------------------------------------------


async def consents(house):
    """Promised, and texts are welcome."""
    shop = await house.waiting()
    for key, s in (("1", 6), ("1", 9), ("1", 9), ("1", 6)):
        await house.presses(shop, key)
        await house.passes(s)
    if not shop.ended:
        await house.hangs_up(shop)
    await house.passes(3)
    promise = await house.the_promise()
    assert promise.texts, heard(shop)
    return promise


def got(house, number: str = SHOP) -> list[str]:
    """What has arrived on this phone."""
    return [
        text.body for text in handsets.shown(house.network.exchange, number) if text.direction != "inbound"
    ]


async def comes_in(house, body: str, number: str = SHOP) -> None:
    exchange, switchboard = house.network.exchange, house.network.switchboard
    handsets.write(exchange, switchboard.outbox, number, OURS, body)
    await house.passes(6)


@pytest.mark.parametrize("day", [None, *BAD_DAYS])
async def test_a_consenting_merchant_is_told_what_is_promised_and_each_try_once(house, day):
    if day:
        house.faults(BAD_DAYS[day])
    await consents(house)
    await house.passes(6)
    (promised,) = got(house)
    assert promised.startswith("Corner Pay: your place in line is kept, you are number 1.")
    house.phone(SHOP, "no-answer")
    await house.works("ann")
    await house.calls(await house.the_promise())
    await house.passes(45)
    assert await house.state() is PromiseState.DUE_LATER
    _, tried = got(house)
    assert tried.startswith("Corner Pay: we called you today at ")


@pytest.mark.parametrize("day", [None, *BAD_DAYS])
async def test_after_stop_no_text_comes_and_the_call_does(house, day):
    if day:
        house.faults(BAD_DAYS[day])
    await consents(house)
    await house.passes(6)
    await comes_in(house, "STOP")
    before = got(house)
    house.phone(SHOP, "no-answer")
    await house.works("ann")
    await house.calls(await house.the_promise())
    await house.passes(45)
    assert await house.results() == ["no_answer"]
    assert got(house) == before
    async with house.desk.sql.reading() as session:
        states = [text.state for text in await session.exec(select(Text).order_by(Text.made_ms))]
    assert states == ["delivered", "skipped"]


async def test_later_and_no_call_by_text(house):
    await consents(house)
    await house.passes(6)
    await comes_in(house, "LATER")
    assert got(house)[-1].startswith("Corner Pay: all right, we will call you today at ")
    assert await house.state() is PromiseState.DUE_LATER
    await comes_in(house, "NOCALL")
    assert got(house)[-1] == "Corner Pay: your callback is cancelled. We will not call you."
    assert await house.state() is PromiseState.CANCELLED
    assert len(got(house)) == 3
