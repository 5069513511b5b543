"""A merchant who is still hearing the promise is not rung yet: their telephone would be busy."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from callbacks import jobs
from callbacks.tables import Promise
from carrier.twilio_rest import Call, Carrier
from foundation.clock import ManualClock
from queueing.journal import Event
from tests.callbacks.office import NUMBER, Staff


@dataclass
class OneCall(Carrier):
    """The call in which the promise was made lasts so many looks; whom we dial is written down."""

    looks: int = 0
    dialled: list[str] = field(default_factory=list)

    async def call(self, call_sid: str) -> Call | None:
        self.looks -= 1
        status = "in-progress" if self.looks >= 0 else "completed"
        return Call(call_sid, "+14155550100", NUMBER, status, "inbound", None)

    async def dial(self, to: str, *given: object, **named: object) -> str:
        self.dialled.append(to)
        return "CAleg"


async def called(staff: Staff, promise: Promise) -> Event:
    """The agent has pressed Call."""
    turn, fence = await staff.presses_call(promise)
    return Event("1-1", "accepted", staff.now_ms, turn, "ann", "support", "p2", {"fence": str(fence)})


async def passes(clock: ManualClock, seconds: int) -> None:
    for _ in range(seconds):
        clock.advance(s=1)
        for _ in range(50):
            await asyncio.sleep(0)


async def finished(at: jobs.Bench) -> None:
    while at.going:
        await asyncio.gather(*at.going)


@pytest.fixture
async def promise(staff: Staff) -> Promise:
    owed = await staff.owed()
    await staff.at_work("ann")
    return owed


async def test_the_call_in_which_it_was_promised_is_let_end_first(staff: Staff, promise: Promise) -> None:
    carrier = OneCall(looks=3)
    at = jobs.Bench(staff.cb, carrier, beside=True)
    await jobs.dial_for(await called(staff, promise), at)
    await passes(staff.clock, 2)
    assert carrier.dialled == []
    await passes(staff.clock, 2)
    await finished(at)
    assert carrier.dialled == [NUMBER]


async def test_a_call_that_does_not_end_is_not_waited_for_for_ever(staff: Staff, promise: Promise) -> None:
    carrier = OneCall(looks=10_000)
    at = jobs.Bench(staff.cb, carrier, beside=True)
    await jobs.dial_for(await called(staff, promise), at)
    await passes(staff.clock, jobs.PATIENCE_MS // 1000 + 1)
    await finished(at)
    assert carrier.dialled == [NUMBER]


async def test_a_promise_of_earlier_is_rung_at_once(staff: Staff, promise: Promise) -> None:
    staff.clock.advance(s=120)
    carrier = OneCall(looks=10_000)
    at = jobs.Bench(staff.cb, carrier, beside=True)
    await jobs.dial_for(await called(staff, promise), at)
    await finished(at)
    assert carrier.dialled == [NUMBER]
