"""Who has met unnoticed, by Twilio's word: shortly before the line would part them."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from carrier.twilio_rest import Busy, Carrier, Refused
from foundation.clock import ManualClock
from foundation.errors import Unavailable
from processes.joins import AT_ONCE, LEFT_MS, Joins
from queueing.line import Card, Line
from queueing.policy import LinePolicy
from queueing.roster import Roster
from queueing.states import ContactState

POLICY = LinePolicy(connect_ms=30_000)
BOTH = frozenset({"caller", "agent"})


class Twilio(Carrier):
    """Twilio as a list of who is in which conference, or why it does not say."""

    def __init__(self) -> None:
        super().__init__("AC" + "0" * 32, "token")
        self.there: dict[str, frozenset[str] | Exception] = {}
        self.asked: list[str] = []
        self.now_asked = 0
        self.most_asked = 0

    async def participants(self, conference: str) -> frozenset[str]:
        self.asked.append(conference)
        self.now_asked += 1
        self.most_asked = max(self.most_asked, self.now_asked)
        for _ in range(3):
            await asyncio.sleep(0)  # others have their turn
        self.now_asked -= 1
        told = self.there.get(conference, frozenset())
        if isinstance(told, Exception):
            raise told
        return told


class Floor:
    def __init__(self, redis: Redis, clock: ManualClock) -> None:
        self.line, self.roster, self.clock, self.twilio = (
            Line(redis, POLICY),
            Roster(redis, POLICY),
            clock,
            Twilio(),
        )
        self.joins = Joins(self.twilio, self.roster, self.line, clock)

    async def joining(self, number: int, there: frozenset[str] | Exception) -> str:
        """A contact whose agent has said yes; the name of the contact."""
        contact, agent, now_ms = f"CA{number}", f"agent{number}", self.clock.now_ms()
        await self.roster.sign_in(agent, name=agent, skills={"support": 0}, line="softphone", now_ms=now_ms)
        await self.roster.ready(agent, now_ms)
        await self.line.enter(contact, queue="support", band="p2", card=Card(), now_ms=now_ms)
        await self.line.accept(contact, agent, 1, now_ms)
        self.twilio.there[f"{contact}-1"] = there
        return contact

    async def state(self, contact: str) -> ContactState:
        now = await self.line.contact(contact)
        assert now is not None
        return now.state

    def nearly_over(self) -> None:
        self.clock.advance(ms=POLICY.connect_ms - LEFT_MS)


@pytest.fixture
def floor(redis: Redis, clock: ManualClock) -> Floor:
    return Floor(redis, clock)


async def test_those_who_have_met_are_connected(floor: Floor) -> None:
    met, alone = await floor.joining(1, BOTH), await floor.joining(2, frozenset({"agent"}))
    floor.nearly_over()
    assert await floor.joins.look() == [met]
    assert await floor.state(met) is ContactState.CONNECTED
    assert await floor.state(alone) is ContactState.RESERVED
    assert await floor.joins.look() == []


async def test_nobody_is_asked_about_while_there_is_time(floor: Floor) -> None:
    await floor.joining(1, BOTH)
    floor.clock.advance(ms=POLICY.connect_ms - LEFT_MS - 1)
    assert await floor.joins.look() == []
    assert floor.twilio.asked == []


@pytest.mark.parametrize("failure", [Unavailable("no answer"), Busy(), Refused(20003, 401, "no")])
async def test_one_that_cannot_be_looked_up_keeps_no_other_from_it(floor: Floor, failure: Exception) -> None:
    lost, met = await floor.joining(1, failure), await floor.joining(2, BOTH)
    floor.nearly_over()
    assert await floor.joins.look() == [met]
    assert await floor.state(lost) is ContactState.RESERVED


async def test_many_are_looked_up_side_by_side_and_not_all_at_once(floor: Floor) -> None:
    """One after the other they would outlast the deadline; all at once Twilio would refuse."""
    all_of_them = [await floor.joining(number, BOTH) for number in range(2 * AT_ONCE)]
    floor.nearly_over()
    assert sorted(await floor.joins.look()) == sorted(all_of_them)
    assert floor.twilio.most_asked == AT_ONCE


async def test_who_was_noticed_meanwhile_is_not_counted(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = await floor.joining(1, BOTH)
    floor.nearly_over()
    ask = floor.twilio.participants

    async def slowly(conference: str) -> frozenset[str]:
        await floor.line.connect(met, floor.clock.now_ms())
        return await ask(conference)

    monkeypatch.setattr(floor.twilio, "participants", slowly)
    assert await floor.joins.look() == []
    assert await floor.state(met) is ContactState.CONNECTED
