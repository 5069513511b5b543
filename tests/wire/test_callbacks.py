"""Callbacks the whole way: offered, promised, rung, talked, kept; and everything that may go wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks.states import Mode, PromiseState
from queueing import journal
from queueing.presence import Presence
from queueing.states import ContactState, Disposition
from queueing.tables import Contact
from tests.wire.office import POLICY, SHOP, open_house
from tests.wire.stage import heard


@pytest.fixture
async def house(clock, wired_desk):
    async with open_house(clock, wired_desk) as house:
        yield house
        assert house.violations == []


@pytest.fixture
async def merchant_first(clock, wired_desk):
    policy = replace(POLICY, modes={"payments": Mode.MERCHANT_FIRST})
    async with open_house(clock, wired_desk, policy) as house:
        yield house
        assert house.violations == []


def picks_up(house, number: str = SHOP, **script) -> None:
    house.phone(number, "human", 2000, **script)


async def ringing(house):
    """Promised; ann presses Call; the merchant's phone rings."""
    promise = await house.promised()
    await house.works("ann")
    ann = await house.calls(promise)
    return promise, ann


async def screened(house):
    """The merchant picks up and is asked for a key."""
    picks_up(house)
    promise, ann = await ringing(house)
    await house.passes(6)
    (leg,) = house.rung()
    assert "Press 1 to be connected." in heard(leg)
    return promise, ann, leg


async def talking(house):
    promise, ann, leg = await screened(house)
    await house.presses(leg, "1")
    await house.passes(4)
    assert (await house.turn(promise)).state is ContactState.CONNECTED
    assert await house.state() is PromiseState.CONNECTED
    return promise, ann, leg


async def wraps_up(house, word: str = "solved", login: str = "ann") -> None:
    agent = await house.agent(login)
    assert agent.presence is Presence.WRAP_UP, agent
    await house.desk.roster.ready(login, house.clock.now_ms())
    await house.settles()


async def all_quiet(house) -> None:
    """Nobody is lost: no leg is on, no contact waits, no agent waits for anybody."""
    board = await house.desk.line.look(house.clock.now_ms())
    assert (board.reserved, board.connected) == (0, 0)
    assert all(leg.ended for leg in house.network.exchange.legs.values())


async def test_offered_promised_rung_and_kept(house):
    promise, ann, leg = await talking(house)
    async with house.desk.sql.reading() as session:
        row = await session.get(Contact, promise.contact)
    assert row.disposition == Disposition.PROMISED
    await house.passes(30)
    await house.hangs_up(ann)
    await house.passes(6)
    assert heard(leg)[-1] == "Thank you for calling Corner Pay. Goodbye."
    await wraps_up(house)
    assert await house.state() is PromiseState.KEPT
    assert len(house.rung()) == 1
    await all_quiet(house)


async def test_the_merchant_hangs_up_after_the_talk(house):
    _, ann, leg = await talking(house)
    await house.passes(10)
    await house.hangs_up(leg)
    await house.passes(3)
    assert ann.ended
    await wraps_up(house)
    assert await house.state() is PromiseState.KEPT
    await all_quiet(house)


async def test_an_agent_on_the_telephone(house):
    house.phone("+14155550150")
    picks_up(house)
    promise = await house.promised()
    await house.works("bob", line="+14155550150")
    await house.passes(8)
    (bob,) = house.rung("+14155550150")
    assert heard(bob) == [
        "A callback to Book Nook.",
        "It is about payments and card readers.",
        "To call now, press 1.",
    ]
    await house.presses(bob, "1")
    await house.passes(7)
    (leg,) = house.rung()
    await house.presses(leg, "1")
    await house.passes(4)
    assert (await house.turn(promise)).state is ContactState.CONNECTED
    await house.hangs_up(bob)
    await house.passes(6)
    await wraps_up(house, login="bob")
    assert await house.state() is PromiseState.KEPT


@pytest.mark.parametrize(("answers", "result"), [("no-answer", "no_answer"), ("busy", "busy")])
async def test_not_reached_is_tried_again(house, answers, result):
    house.phone(SHOP, answers)
    _, ann = await ringing(house)
    await house.passes(35)
    assert await house.results() == [result]
    assert await house.state() is PromiseState.DUE_LATER
    assert (await house.agent("ann")).presence is Presence.WRAP_UP
    assert ann.ended
    await all_quiet(house)


async def test_a_machine_is_left_one_message_and_three_tries_are_all(house):
    house.phone(SHOP, "machine")
    promise, _ann = await ringing(house)
    for number in (1, 2, 3):
        await house.passes(65)
        leg = house.rung()[-1]
        assert leg.ended
        assert any("Nobody pressed 1, so we will try again" in words for words in heard(leg)) == (number == 1)
        assert len(house.rung()) == number
        if number < 3:
            assert await house.state() is PromiseState.DUE_LATER
            due_ms = (await house.the_promise()).due_ms
            house.clock.advance(ms=due_ms - house.clock.now_ms())
            await house.passes(1)
            await house.desk.roster.ready("ann", house.clock.now_ms())
            await house.passes(1)
            promise = await house.the_promise()
            await house.calls(promise)
    assert await house.state() is PromiseState.UNREACHABLE
    assert await house.results() == ["machine"] * 3
    await all_quiet(house)


@pytest.mark.parametrize("when_s", [0, 3, 6])
async def test_the_merchant_hangs_up_before_pressing_a_key(house, when_s):
    picks_up(house)
    await ringing(house)
    await house.passes(3 + when_s)
    (leg,) = house.rung()
    await house.hangs_up(leg)
    await house.passes(3)
    assert await house.results() == ["hung_up"]
    assert await house.state() is PromiseState.DUE_LATER
    await all_quiet(house)


@pytest.mark.parametrize(("key", "state"), [("2", PromiseState.DUE_LATER), ("3", PromiseState.CANCELLED)])
async def test_later_and_no_more_by_key(house, key, state):
    _, ann, leg = await screened(house)
    await house.presses(leg, key)
    await house.passes(6)
    assert await house.state() is state
    assert (await house.the_promise()).tries == 0
    await house.passes(6)
    assert ann.ended
    await all_quiet(house)


async def test_the_agent_hangs_up_while_it_rings(house):
    house.phone(SHOP, "human", 15_000)
    _, ann = await ringing(house)
    await house.passes(3)
    await house.hangs_up(ann)
    await house.passes(3)
    (leg,) = house.rung()
    assert leg.ended
    promise = await house.the_promise()
    assert (promise.state, promise.tries) == (PromiseState.IN_LINE, 0)
    assert (await house.turn(promise)).state in (ContactState.WAITING, ContactState.RESERVED)


async def test_the_agent_hangs_up_while_the_merchant_is_asked_for_a_key(house):
    promise, ann, leg = await screened(house)
    await loses(house, ann)
    await house.passes(2)
    assert not leg.ended
    await house.presses(leg, "1")
    await house.passes(6)
    assert "I am sorry, the agent is no longer there. Please stay on the line." in heard(leg)
    await comes_and_talks(house, promise, leg)


async def loses(house, agent, login: str = "ann") -> None:
    """The agent's leg is lost, and the agent goes home."""
    await house.hangs_up(agent)
    await house.desk.roster.away(login, "", house.clock.now_ms())
    await house.settles()


async def comes_and_talks(house, promise, leg, login: str = "bob") -> None:
    """Another agent takes the turn and talks with the very merchant who waits on the line."""
    await house.works(login)
    await house.passes(1)
    other = await house.calls(promise, login)
    await house.passes(6)
    assert (await house.turn(promise)).state is ContactState.CONNECTED
    assert len(house.rung()) == 1
    assert not leg.ended
    await house.hangs_up(other)
    await house.passes(8)
    await wraps_up(house, login=login)
    assert await house.state() is PromiseState.KEPT
    await all_quiet(house)


async def test_the_agent_is_lost_after_one_was_pressed_and_the_merchant_waits_first(house):
    promise, ann, leg = await screened(house)
    house.faults({"on": "webhook", "kind": "drop", "match": "conference"})
    await house.presses(leg, "1")
    await house.passes(1)
    assert (await house.turn(promise)).state is ContactState.RESERVED
    house.faults()
    await loses(house, ann)
    await house.passes(6)
    assert not leg.ended
    assert (await house.turn(promise)).state is ContactState.WAITING
    assert heard(leg)[-2:] == [
        "I am sorry, the agent is no longer there. Please stay on the line.", "You are first in line.",
    ]  # fmt: skip
    await comes_and_talks(house, promise, leg)


async def test_who_waits_on_the_line_and_hangs_up_is_rung_again_and_nothing_is_counted(house):
    promise, ann, leg = await screened(house)
    await loses(house, ann)
    await house.presses(leg, "1")
    await house.passes(4)
    await house.hangs_up(leg)
    await house.passes(4)
    promise = await house.the_promise()
    assert (promise.state, promise.tries) == (PromiseState.IN_LINE, 0)
    await house.works("bob")
    await house.passes(1)
    await house.calls(await house.the_promise(), "bob")
    await house.passes(6)
    assert len(house.rung()) == 2


async def test_a_called_back_merchant_is_transferred(house):
    promise, _ann, leg = await talking(house)
    now = await house.turn(promise)
    await house.desk.line.transfer(now.contact, "support", None, house.clock.now_ms(), now.fence)
    await house.passes(8)
    assert heard(leg)[-1].startswith("You are being transferred to the support team.")
    await house.works("bob", support=0)
    await house.passes(1)
    bob = await house.calls(promise, "bob")
    await house.passes(6)
    assert (await house.turn(promise)).state is ContactState.CONNECTED
    await house.hangs_up(bob)
    await house.passes(8)
    await wraps_up(house, login="bob")
    assert await house.state() is PromiseState.KEPT
    assert len(house.rung()) == 1
    await all_quiet(house)


async def test_who_hangs_up_in_a_transfer_was_talked_with(house):
    promise, _, leg = await talking(house)
    now = await house.turn(promise)
    await house.desk.line.transfer(now.contact, "support", None, house.clock.now_ms(), now.fence)
    await house.passes(4)
    await house.hangs_up(leg)
    await house.passes(3)
    assert await house.state() is PromiseState.KEPT
    await house.desk.roster.ready("ann", house.clock.now_ms())
    await house.passes(3)
    await all_quiet(house)


async def parted(house):
    """They talk, the merchant is put on hold, and the line parts them."""
    promise, ann, leg = await talking(house)
    keys = house.desk.keys
    now = await house.turn(promise)
    said = {"contact": now.contact, "agent": "ann", "fence": str(now.fence)}
    await journal.write(house.desk.redis, keys, "held", at_ms=house.clock.now_ms(), **said)
    await house.passes(2)
    await house.desk.line.fail_join(now.contact, house.clock.now_ms())
    await house.desk.roster.away("ann", "", house.clock.now_ms())
    await house.passes(8)
    assert ann.ended
    assert not leg.ended
    assert await house.state() is PromiseState.CONNECTED
    assert "I am sorry, the agent is no longer there. Please stay on the line." in heard(leg)
    return promise, leg


async def test_the_agent_is_lost_in_the_talk_and_the_merchant_waits_for_the_next(house):
    promise, leg = await parted(house)
    await comes_and_talks(house, promise, leg)


async def test_who_hangs_up_unheard_of_after_the_agent_was_lost_is_rung_again(house):
    promise, leg = await parted(house)
    house.faults({"on": "webhook", "kind": "drop", "match": "/voice/called"})
    await house.hangs_up(leg)
    await house.passes(4)
    house.faults()
    await house.works("bob")
    await house.passes(1)
    await house.calls(promise, "bob")
    await house.passes(8)
    promise = await house.the_promise()
    assert (promise.turn, promise.tries) == (2, 0)
    assert len(house.rung()) == 1
    await house.calls(promise, "bob")
    await house.passes(6)
    assert len(house.rung()) == 2


async def returns(house):
    back = await house.rings(SHOP)
    await house.passes(30)
    return back


async def test_ringing_in_while_promised_takes_the_better_place(house):
    promise = await house.promised()
    other = await house.rings("+14155550002")
    await house.passes(2)
    await house.presses(other, "1")
    await house.passes(20)
    back = await returns(house)
    assert any("You already have a callback with us" in words for words in heard(back))
    assert not any("be called back" in words for words in heard(back))
    now = await house.contact(back)
    assert (now.state, now.position, now.arrival_us) == (ContactState.WAITING, 1, promise.arrival_us)
    await house.works("ann")
    await house.accepts("ann")
    await house.passes(4)
    assert (await house.contact(back)).state is ContactState.CONNECTED
    assert await house.state() is PromiseState.SUPERSEDED
    assert house.rung() == []


async def test_ringing_in_and_hanging_up_gives_the_place_back(house):
    await house.promised()
    back = await returns(house)
    await house.hangs_up(back)
    await house.passes(3)
    promise = await house.the_promise()
    assert (promise.state, promise.live_contact) == (PromiseState.IN_LINE, "")
    assert (await house.turn(promise)).position == 1


async def test_ringing_in_while_a_machine_has_picked_up(house):
    house.phone(SHOP, "machine")
    await ringing(house)
    await house.passes(8)
    back = await house.rings(SHOP)
    assert heard(back)[0] == "An agent is calling you right now. Please hang up to take that call."
    await house.passes(16)
    assert (await house.contact(back)).state is ContactState.WAITING
    await house.works("bob")
    await house.accepts("bob")
    await house.passes(4)
    assert (await house.contact(back)).state is ContactState.CONNECTED
    assert await house.state() is PromiseState.SUPERSEDED
    await house.passes(40)
    assert house.rung()[0].ended
    assert not any("we will try again" in words for words in heard(house.rung()[0]))


async def test_one_is_pressed_on_both_phones_and_there_is_one_conversation(house):
    _promise, ann, leg = await screened(house)
    back = await house.rings(SHOP)
    await house.passes(17)
    await house.works("bob")
    await house.accepts("bob")
    await house.passes(5)
    assert (await house.contact(back)).state is ContactState.CONNECTED
    if not leg.ended:
        await house.presses(leg, "1")
        await house.passes(4)
    assert heard(leg)[-1] in (
        "You are already being helped on another call. Goodbye.",
        "This callback is no longer needed. Goodbye.",
    )
    assert leg.ended
    assert await house.state() is PromiseState.SUPERSEDED
    await house.hangs_up(back)
    await house.passes(6)
    assert ann.ended
    await all_quiet(house)


async def test_the_merchant_is_asked_first(merchant_first):
    house = merchant_first
    picks_up(house)
    await house.promised()
    await house.works("ann")
    await house.passes(8)
    (leg,) = house.rung()
    await house.presses(leg, "1")
    await house.passes(2)
    ann = await house.accepts("ann")
    await house.passes(4)
    assert (await house.contact(leg)).state is ContactState.CONNECTED
    assert await house.state() is PromiseState.CONNECTED
    await house.hangs_up(ann)
    await house.passes(8)
    await wraps_up(house)
    assert await house.state() is PromiseState.KEPT
    await all_quiet(house)
