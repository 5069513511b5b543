"""Texts the whole way: out with what is reported of them, and in with what is answered."""

from __future__ import annotations

import pytest

from carrier import texts
from carrier.optouts import Notes
from carrier.tables import InboundText, Text
from carrier.text_states import TextState
from drill.network import handsets
from drill.network.exchange import Phone
from tests.wire.stage import HOOK, OURS

SHOP = "+14155550003"


class Texts:
    """What is written, sent and read on this stage."""

    def __init__(self, stage):
        self.stage = stage

    async def owes(self, text_id="PR1.kept", number=SHOP, body="It is your turn."):
        async with self.stage.desk.sql.session() as session:
            row = Text(id=text_id, number=number, kind="kept", body=body, made_ms=self.stage.clock.now_ms())
            return await texts.write(session, row)

    async def sends(self, text_id="PR1.kept"):
        desk = self.stage.desk
        return await texts.send(
            desk.sql,
            self.stage.tools.carrier,
            text_id,
            from_=OURS,
            callback=f"{HOOK}/sms/status",
            clock=self.stage.clock,
            notes=Notes(desk.redis, desk.policy.centre),
        )

    async def settles(self, text_id="PR1.kept"):
        return await texts.settle(
            self.stage.desk.sql,
            self.stage.tools.carrier,
            text_id,
            from_=OURS,
            now_ms=self.stage.clock.now_ms(),
        )

    async def state(self, text_id="PR1.kept"):
        async with self.stage.desk.sql.reading() as session:
            return (await session.get(Text, text_id)).state

    async def comes_in(self, body, number=SHOP):
        exchange, switchboard = self.stage.network.exchange, self.stage.network.switchboard
        text = handsets.write(exchange, switchboard.outbox, number, OURS, body)
        await self.stage.passes(6)
        return text.sid

    def got(self, number=SHOP):
        found = handsets.shown(self.stage.network.exchange, number)
        return [text.body for text in found if text.direction != "inbound"]


@pytest.fixture
def sms(stage):
    return Texts(stage)


async def test_a_text_goes_out_and_is_known_to_have_arrived(stage, sms):
    await sms.owes()
    assert await sms.sends() is TextState.SENT
    await stage.passes(5)
    assert await sms.state() == "delivered"
    assert sms.got() == ["It is your turn."]


async def test_a_landline_is_known_for_one(stage, sms):
    stage.network.exchange.phones[SHOP] = Phone(text_error=30006)
    await sms.owes()
    await sms.sends()
    await stage.passes(5)
    assert await sms.state() == "undelivered"


@pytest.mark.parametrize("seed", range(5))
async def test_a_text_whose_answer_is_lost_arrives_once(stage, sms, seed):
    """Its report, late, doubled and out of order, says what the answer would have."""
    stage.faults(
        {"on": "rest", "kind": "lose_answer", "match": "/Messages", "method": "POST", "times": 1},
        {"on": "webhook", "kind": "duplicate", "match": "/sms/", "share": 0.5},
        {"on": "webhook", "kind": "reorder", "match": "/sms/", "share": 0.5},
        {"on": "webhook", "kind": "delay", "match": "/sms/", "share": 0.3, "ms": [1000, 9000]},
        seed=seed,
    )
    await sms.owes()
    assert await sms.sends() is TextState.UNKNOWN
    await stage.passes(20)
    assert await sms.state() == "delivered"
    assert await sms.sends() is None
    assert sms.got() == ["It is your turn."]


async def test_with_all_reports_lost_it_is_looked_up(stage, sms):
    stage.faults(
        {"on": "rest", "kind": "lose_answer", "match": "/Messages", "method": "POST", "times": 1},
        {"on": "webhook", "kind": "drop", "match": "/sms/status"},
    )
    await sms.owes()
    await sms.sends()
    await stage.passes(15)
    assert await sms.settles() is TextState.DELIVERED
    assert sms.got() == ["It is your turn."]


async def test_stop_is_obeyed_on_both_sides(stage, sms):
    await sms.owes()
    await sms.comes_in("Stop")
    assert await sms.state() == "skipped"
    assert await sms.sends() is None
    assert sms.got() == [handsets.ANSWERS["STOP"]]
    await sms.comes_in("are you there?")
    await sms.comes_in("START")
    await sms.owes("PR2.kept")
    assert await sms.sends("PR2.kept") is TextState.SENT
    await stage.passes(5)
    assert sms.got() == [handsets.ANSWERS["STOP"], handsets.ANSWERS["START"], "It is your turn."]


async def test_a_stop_that_never_reached_us_is_learnt_from_the_refusal(stage, sms):
    stage.faults({"on": "webhook", "kind": "drop", "match": "/sms/incoming"})
    await sms.comes_in("STOP")
    await sms.owes()
    assert await sms.sends() is TextState.FAILED
    await sms.owes("PR2.kept")
    assert await sms.state("PR2.kept") == "skipped"


async def test_what_is_not_understood_is_answered_once_however_often_it_comes(stage, sms):
    stage.faults({"on": "webhook", "kind": "duplicate", "match": "/sms/incoming"})
    sid = await sms.comes_in("my till is dead")
    await sms.comes_in("HELLO???")
    (answer,) = sms.got()
    assert answer.startswith("Corner Pay: ")
    async with stage.desk.sql.reading() as session:
        row = await session.get(InboundText, sid)
    assert (row.body, row.meant, row.answer) == ("my till is dead", "", answer)


async def test_a_flood_of_stops_and_texts(stage, sms):
    """Everybody who wrote STOP gets nothing more; everybody else gets theirs once."""
    shops = [f"+1415555{number:04}" for number in range(20, 32)]
    for number in shops:
        await sms.owes(f"{number[-4:]}.kept", number)
    for number in shops[::2]:
        handsets.write(stage.network.exchange, stage.network.switchboard.outbox, number, OURS, "STOP")
    for number in shops:
        await sms.sends(f"{number[-4:]}.kept")
    await stage.passes(40)
    for place, number in enumerate(shops):
        assert sms.got(number).count("It is your turn.") == place % 2
