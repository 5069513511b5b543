"""A call from the first ring to the last word, over the wire."""

from __future__ import annotations

import pytest

from queueing import ledger
from queueing.presence import Presence
from queueing.states import ContactState, Disposition
from queueing.tables import Contact, VoiceMessage
from tests.doors.handset import journalled
from tests.wire.stage import heard

PHONE = "+14155550150"


@pytest.fixture
def real_numbers(monkeypatch):
    """Numbers of the tests are fictitious; for once they may be rung."""
    monkeypatch.setattr("ivr.bridging.dialable", lambda *_, **__: None)


async def waiting(stage, number: str = "+14155550003", **script):
    shop = await stage.rings(number, **script)
    await stage.passes(4)
    await stage.presses(shop, "1")
    await stage.passes(8)
    assert (await stage.contact(shop)).state in (ContactState.WAITING, ContactState.RESERVED)
    return shop


async def talking(stage, number: str = "+14155550003"):
    shop = await waiting(stage, number)
    await stage.works("ann")
    ann = await stage.accepts("ann")
    await stage.passes(3)
    assert (await stage.contact(shop)).state is ContactState.CONNECTED
    return shop, ann


async def ended(stage, shop, disposition: Disposition) -> None:
    now = await stage.contact(shop)
    assert (now.state, now.disposition) == (ContactState.ENDED, disposition)
    assert shop.ended


async def recorded(stage) -> dict[str, Contact]:
    """The journal, written to SQL as the scribe does."""
    events = await journalled(stage.desk)
    async with stage.desk.sql.session() as session:
        await ledger.record(session, events)
    async with stage.desk.sql.reading() as session:
        return {event.contact: await session.get(Contact, event.contact) for event in events if event.contact}


async def test_a_merchant_rings_waits_is_told_the_truth_and_is_answered(stage):
    shop = await stage.rings("+14155550001")
    await stage.passes(5)
    assert heard(shop)[0] == "Thank you for calling Corner Pay."
    await stage.presses(shop, "1")
    await stage.passes(40)
    assert "You are next in line." in " ".join(heard(shop))
    assert (await stage.contact(shop)).state is ContactState.WAITING

    await stage.works("ann")
    assert (await stage.contact(shop)).state is ContactState.RESERVED
    ann = await stage.accepts("ann")
    await stage.passes(3)
    now = await stage.contact(shop)
    assert (now.state, now.agent) == (ContactState.CONNECTED, "ann")

    await stage.passes(60)
    await stage.hangs_up(shop)
    await stage.passes(2)
    await ended(stage, shop, Disposition.ANSWERED)
    assert (await stage.agent()).presence is Presence.WRAP_UP
    assert ann.ended


async def test_in_spanish_by_word_of_mouth(stage):
    shop = await stage.rings("anonymous")
    await stage.passes(4)
    await stage.speaks(shop, "español")
    await stage.passes(4)
    await stage.speaks(shop, "la terminal no funciona")
    await stage.passes(30)
    assert (await stage.contact(shop)).queue == "payments"
    assert [line.language for line in shop.heard if line.kind == "say"][-3:] == ["es-US"] * 3


async def test_the_agent_hangs_up_and_the_caller_hears_goodbye(stage):
    shop, ann = await talking(stage)
    await stage.passes(20)
    await stage.hangs_up(ann)
    await stage.passes(5)
    assert heard(shop)[-1] == "Thank you for calling Corner Pay. Goodbye."
    await ended(stage, shop, Disposition.ANSWERED)


async def test_a_caller_gives_up_and_rings_back_into_the_old_place(stage):
    shop = await waiting(stage)
    entered = (await stage.contact(shop)).entered_ms
    await stage.hangs_up(shop)
    await ended(stage, shop, Disposition.ABANDONED)
    await stage.passes(30)
    again = await stage.rings("+14155550003")
    await stage.passes(5)
    assert heard(again)[0].startswith("Welcome back to Corner Pay.")
    assert (await stage.contact(again)).entered_ms == entered


async def test_star_and_a_message_that_somebody_finds(stage):
    shop = await waiting(stage)
    await stage.presses(shop, "*")
    await stage.passes(14)
    assert shop.verb == "Record"
    await stage.speaks(shop, "My card reader does not find the network. Please ring me back.")
    await stage.passes(6)
    await stage.presses(shop, "#")
    await stage.passes(8)
    assert heard(shop)[-2:] == ["Thank you. We have your message.", "Goodbye."]
    rows = await recorded(stage)
    assert rows[shop.sid].disposition == Disposition.MESSAGE
    async with stage.desk.sql.reading() as session:
        recordings = list(stage.network.exchange.recordings)
        message = await session.get(VoiceMessage, recordings[0])
    assert (message.contact, message.caller, message.merchant) == (shop.sid, "+14155550003", "Book Nook")


async def test_star_and_nothing_said_is_asked_once_more(stage):
    shop = await waiting(stage)
    await stage.presses(shop, "*")
    await stage.passes(45)
    assert heard(shop).count("We did not hear a message.") == 2
    assert heard(shop)[-1] == "Goodbye."
    assert (await recorded(stage))[shop.sid].disposition == Disposition.ABANDONED


async def test_nobody_says_yes_and_another_is_asked(stage):
    shop = await waiting(stage)
    await stage.works("ann")
    await stage.passes(10)
    await stage.works("bob")
    await stage.passes(11)
    assert (await stage.contact(shop)).agent == "bob"
    await stage.accepts("bob")
    await stage.passes(3)
    assert (await stage.contact(shop)).state is ContactState.CONNECTED
    assert (await stage.agent("ann")).misses == 1


async def test_a_softphone_that_never_dials_in_gives_the_caller_back(stage):
    shop = await waiting(stage)
    await stage.works("ann")
    agent = await stage.agent("ann")
    await stage.desk.line.accept(agent.contact, "ann", agent.fence, stage.clock.now_ms())
    await stage.passes(20)
    assert "We are connecting you with an agent now." in " ".join(heard(shop))
    await stage.passes(12)
    assert "I am sorry, we could not connect you with that agent." in " ".join(heard(shop))
    assert (await stage.contact(shop)).passed == ("ann",)
    await stage.works("bob")
    await stage.accepts("bob")
    await stage.passes(3)
    now = await stage.contact(shop)
    assert (now.state, now.agent) == (ContactState.CONNECTED, "bob")


async def test_a_softphone_lost_on_the_way_gives_the_caller_back(stage):
    shop = await waiting(stage)
    await stage.works("ann")
    ann = await stage.accepts("ann", carry_out=False)
    await stage.hangs_up(ann)
    await stage.passes(2)
    now = await stage.contact(shop)
    assert (now.state, now.passed) == (ContactState.WAITING, ("ann",))
    await stage.works("bob")
    await stage.accepts("bob")
    await stage.passes(3)
    assert (await stage.contact(shop)).state is ContactState.CONNECTED


async def test_an_agent_on_the_telephone_presses_one(stage, real_numbers):
    stage.phone(PHONE, presses=[{"when": "press 1", "digits": "1"}])
    shop = await waiting(stage, "+14155550001")
    await stage.works("ann", PHONE)
    await stage.passes(15)
    assert (await stage.contact(shop)).state is ContactState.CONNECTED
    await stage.hangs_up(shop)
    await stage.passes(3)
    await ended(stage, shop, Disposition.ANSWERED)
    assert all(leg.ended for leg in stage.network.exchange.legs.values())


@pytest.mark.parametrize(("answers", "presence"), [("busy", Presence.AWAY), ("failed", Presence.AWAY)])
async def test_a_telephone_that_cannot_be_reached(stage, real_numbers, answers, presence):
    stage.phone(PHONE, answers)
    shop = await waiting(stage)
    await stage.works("ann", PHONE)
    await stage.passes(10)
    assert (await stage.agent("ann")).presence is presence
    assert (await stage.contact(shop)).state is ContactState.WAITING


async def test_a_telephone_nobody_answers_is_a_miss_and_rings_no_more(stage, real_numbers):
    stage.phone(PHONE, "no-answer")
    shop = await waiting(stage)
    await stage.works("ann", PHONE)
    await stage.passes(22)
    assert (await stage.agent("ann")).misses == 1
    assert (await stage.contact(shop)).state in (ContactState.WAITING, ContactState.RESERVED)
    await stage.passes(30)
    assert (await stage.agent("ann")).presence is Presence.AWAY


async def test_a_caller_who_hangs_up_stops_the_agents_telephone(stage, real_numbers):
    stage.phone(PHONE, after_ms=15_000)
    shop = await waiting(stage)
    await stage.works("ann", PHONE)
    await stage.passes(4)
    await stage.hangs_up(shop)
    await stage.passes(2)
    rung = [leg for leg in stage.network.exchange.legs.values() if leg.to == PHONE]
    assert [leg.status for leg in rung] == ["canceled"]
    assert (await stage.agent("ann")).presence is Presence.READY


async def test_a_transfer_to_another_queue_with_the_age_kept(stage):
    shop, ann = await talking(stage)
    entered = (await stage.contact(shop)).entered_ms
    await stage.passes(10)
    await stage.desk.line.transfer(shop.sid, "support", None, stage.clock.now_ms())
    await stage.passes(12)
    assert "You are being transferred to the support team." in " ".join(heard(shop))
    assert ann.ended
    now = await stage.contact(shop)
    assert (now.queue, now.entered_ms, now.state) == ("support", entered, ContactState.WAITING)
    await stage.works("bob")
    await stage.accepts("bob")
    await stage.passes(3)
    now = await stage.contact(shop)
    assert (now.state, now.agent) == (ContactState.CONNECTED, "bob")
    await stage.hangs_up(shop)
    await stage.passes(2)
    await ended(stage, shop, Disposition.ANSWERED)


async def test_hold_and_back(stage):
    shop, _ = await talking(stage)
    await asks(stage, shop, "held")
    await stage.passes(4)
    assert heard(shop)[-1] == "Your agent has placed you on hold. Please stay on the line."
    assert shop.stage == "conference"
    await asks(stage, shop, "unheld")
    await stage.passes(1)
    assert shop.stage == "talking"


async def test_the_agent_ends_the_talk_on_the_desk(stage):
    shop, ann = await talking(stage)
    await asks(stage, shop, "hang_up_asked")
    await stage.passes(6)
    assert heard(shop)[-1] == "Thank you for calling Corner Pay. Goodbye."
    await ended(stage, shop, Disposition.ANSWERED)
    assert ann.ended


async def asks(stage, shop, kind: str) -> None:
    from queueing import journal

    now = await stage.contact(shop)
    desk = stage.desk
    await journal.write(
        desk.redis,
        desk.keys,
        kind,
        at_ms=stage.clock.now_ms(),
        contact=shop.sid,
        agent=now.agent,
        fence=now.fence,
    )
    await stage.settles()


MOMENTS = {
    "greeting": lambda stage, shop: stage.passes(1),
    "menu": lambda stage, shop: stage.passes(12),
    "line": lambda stage, shop: enter(stage, shop),
    "announced": lambda stage, shop: announced(stage, shop),
    "asked": lambda stage, shop: asked(stage, shop),
    "joining": lambda stage, shop: joining(stage, shop),
    "talking": lambda stage, shop: met(stage, shop),
    "held": lambda stage, shop: held(stage, shop),
    "message": lambda stage, shop: message(stage, shop),
}


async def enter(stage, shop):
    await stage.passes(4)
    await stage.presses(shop, "1")
    await stage.passes(8)


async def announced(stage, shop):
    await enter(stage, shop)
    await stage.passes(25)


async def asked(stage, shop):
    await enter(stage, shop)
    await stage.works("ann")


async def joining(stage, shop):
    await asked(stage, shop)
    agent = await stage.agent("ann")
    await stage.desk.line.accept(agent.contact, "ann", agent.fence, stage.clock.now_ms())
    await stage.passes(2)


async def met(stage, shop):
    await asked(stage, shop)
    await stage.accepts("ann")
    await stage.passes(2)


async def held(stage, shop):
    await met(stage, shop)
    await asks(stage, shop, "held")


async def message(stage, shop):
    await enter(stage, shop)
    await stage.presses(shop, "*")
    await stage.passes(5)


@pytest.mark.parametrize("moment", MOMENTS)
async def test_hanging_up_at_any_moment_leaves_one_outcome_and_nobody_waiting(stage, moment):
    shop = await stage.rings("+14155550003")
    await MOMENTS[moment](stage, shop)
    await stage.hangs_up(shop)
    await stage.passes(3)
    row = (await recorded(stage))[shop.sid]
    wanted = Disposition.ANSWERED if moment in ("talking", "held") else Disposition.ABANDONED
    assert row.disposition == wanted
    board = await stage.desk.line.look(stage.clock.now_ms())
    assert [queue.waiting for queue in board.queues.values()] == [0, 0]
    assert (board.reserved, board.connected) == (0, 0)
    assert all(leg.ended for leg in stage.network.exchange.legs.values())


async def test_callers_in_several_of_twilios_queues_are_one_line(stage, monkeypatch):
    """As when more may wait than one of them holds."""
    monkeypatch.setattr("ivr.holding.AIMED_AT", 500)
    shops = [await waiting(stage, f"+1415555{number}") for number in range(1001, 1009)]
    held_in = {shop.queue.name for shop in shops}
    while len(held_in) < 2:
        shops.append(await waiting(stage, f"+1415555{1001 + len(shops)}"))
        held_in = {shop.queue.name for shop in shops}
    assert held_in == {"payments.p2.1", "payments.p2.2"}
    assert [now.contact for now in await stage.desk.line.waiting("payments")] == [shop.sid for shop in shops]
    await stage.works("ann")
    for shop in shops:
        ann = await stage.accepts("ann")
        await stage.passes(3)
        assert (await stage.contact(shop)).state is ContactState.CONNECTED
        await stage.hangs_up(ann)
        await stage.passes(2)
        await stage.desk.roster.ready("ann", stage.clock.now_ms())
        await stage.settles()


async def test_twilio_can_hold_no_more_and_the_caller_may_leave_a_message(stage):
    stage.network.exchange.queue_named("payments.p2", max_size=1)
    first = await waiting(stage, "+14155551001")
    second = await stage.rings("+14155551002")
    await stage.passes(4)
    await stage.presses(second, "1")
    await stage.passes(8)
    assert any(words.startswith("I am sorry, our line is full right now") for words in heard(second))
    assert (await stage.contact(second)).disposition == Disposition.FULL
    assert first.queue.name == "payments.p2"
    assert [now.contact for now in await stage.desk.line.waiting("payments")] == [first.sid]
