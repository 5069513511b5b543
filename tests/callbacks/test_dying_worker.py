"""The worker dies at each point of an attempt; nobody but the reaper looks after what it had in hand.

Whatever the merchant's phone then does: no promise is lost, no phone rings twice for one attempt, and what is
not known is known within a minute.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from callbacks import dialing
from callbacks.states import PromiseState
from callbacks.tables import Attempt, Promise
from tests.callbacks.office import Staff


class Died(BaseException):
    """SIGKILL, as far as a coroutine can tell."""


class Undertaker:
    """The carrier as the dying worker had it."""

    def __init__(self, carrier: Any, *, placed: bool) -> None:
        self.carrier, self.placed = carrier, placed

    async def dial(self, *given: Any, **named: Any) -> str:
        if self.placed:
            await self.carrier.dial(*given, **named)
        raise Died

    def __getattr__(self, name: str) -> Any:
        return getattr(self.carrier, name)


async def die(*_given: Any, **_named: Any) -> Any:
    raise Died


async def before_the_intent(staff: Staff, promise: Promise, patch: pytest.MonkeyPatch) -> None:
    await staff.presses_call(promise)


async def after_the_intent(staff: Staff, promise: Promise, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(dialing, "wait_for_slot", die)
    await staff.dials(promise)


async def before_the_carrier_is_asked(staff: Staff, promise: Promise, patch: pytest.MonkeyPatch) -> None:
    carrier = staff.carrier
    staff.carrier = Undertaker(carrier, placed=False)
    try:
        await staff.dials(promise)
    finally:
        staff.carrier = carrier


async def before_the_answer_is_noted(staff: Staff, promise: Promise, patch: pytest.MonkeyPatch) -> None:
    carrier = staff.carrier
    staff.carrier = Undertaker(carrier, placed=True)
    try:
        await staff.dials(promise)
    finally:
        staff.carrier = carrier


async def while_an_unknown_answer_is_noted(staff: Staff, promise: Promise, patch: pytest.MonkeyPatch) -> None:
    staff.faults({"on": "rest", "kind": "lose_answer", "match": "/Calls.json", "method": "POST", "times": 1})
    patch.setattr(dialing, "note_unknown", die)
    await staff.dials(promise)


async def after_all_is_noted(staff: Staff, promise: Promise, patch: pytest.MonkeyPatch) -> None:
    await staff.dials(promise)
    raise Died


POINTS: list[Callable[..., Any]] = [
    before_the_intent,
    after_the_intent,
    before_the_carrier_is_asked,
    before_the_answer_is_noted,
    while_an_unknown_answer_is_noted,
    after_all_is_noted,
]
PLACED = {before_the_answer_is_noted, while_an_unknown_answer_is_noted, after_all_is_noted}
PHONES = ("human", "no-answer", "busy", "failed")


async def dies_at(point: Callable[..., Any], staff: Staff, promise: Promise) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if point is before_the_intent:
            await point(staff, promise, patch)
            return
        with pytest.raises(Died):
            await point(staff, promise, patch)
    staff.faults()


def unsettled(attempts: list[Attempt]) -> list[str]:
    return [a.id for a in attempts if a.state in ("intent", "unknown")]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.__name__)
async def test_a_worker_that_dies_loses_and_doubles_nothing(
    ringing: Staff, point: Callable[..., Any], seed: int
) -> None:
    dice = random.Random(f"{point.__name__} {seed}")
    promise = await ringing.owed()
    await ringing.at_work("ann")
    phone = PHONES[(seed + dice.randrange(2)) % len(PHONES)]
    ringing.phone(answers=phone, after_ms=dice.choice((0, 3_000, 12_000, 19_000)))
    await dies_at(point, ringing, promise)
    for _ in range(60):
        await ringing.passes(1)
        assert len(ringing.legs()) <= 1, "it rang twice"
        if not unsettled(await ringing.attempts(promise)) and len(ringing.talking) == 1:
            break
    assert unsettled(await ringing.attempts(promise)) == []
    assert (len(ringing.legs()) == 1) == (point in PLACED)
    there = await ringing.promise(promise.id)
    if point in PLACED and phone == "human":
        assert there.state == PromiseState.CONNECTED
        assert ringing.talking == [ringing.legs()[0].sid]
    elif point in PLACED:
        assert (there.state, there.tries) == (PromiseState.DUE_LATER, 1)
    else:
        await ringing.passes(30)  # the line's own deadline lets the agent go where there was no attempt
        there = await ringing.promise(promise.id)
        assert (there.state, there.tries) == (PromiseState.IN_LINE, 0)
        assert (await ringing.contact(f"{promise.id}.{there.turn}")).state in ("waiting", "reserved")
    assert there.open_number == promise.number


@pytest.mark.parametrize("point", POINTS[1:], ids=lambda point: point.__name__)
async def test_it_is_rung_again_by_the_next_agent_and_kept(ringing: Staff, point: Callable[..., Any]) -> None:
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone(answers="busy")
    await dies_at(point, ringing, promise)
    await ringing.passes(40)
    ringing.phone(answers="human")
    ringing.clock.advance(minutes=11)
    await ringing.roster.ready("ann", ringing.now_ms)
    await ringing.passes(3)
    promise = await ringing.promise(promise.id)
    await ringing.dials(promise)
    await ringing.passes(4)
    assert await ringing.state(promise) == PromiseState.CONNECTED
    assert len(ringing.talking) == 1


async def test_a_worker_that_wakes_after_its_attempt_was_settled_rings_nobody(ringing: Staff) -> None:
    """Stopped between the intent and the carrier for a minute, then woken: the intent is not its any more."""
    promise = await ringing.owed()
    await ringing.at_work("ann")
    ringing.phone()
    turn, fence = await ringing.presses_call(promise)
    intent = await dialing.write_intent(ringing.cb, promise.id, turn, fence, "ann", ringing.now_ms)
    assert intent.attempt is not None
    await ringing.passes(20)
    assert await ringing.attempt_states(promise) == ["withdrawn"]
    await dialing.send(ringing.cb, ringing.carrier, intent.attempt, intent.number)
    await ringing.passes(5)
    assert ringing.legs() == []
    assert await ringing.state(promise) == PromiseState.IN_LINE


async def test_a_leg_that_the_carrier_listed_too_late_is_told_to_hang_up(ringing: Staff) -> None:
    """Settled as never placed, and picked up all the same: nobody talks twice, the promise stands."""
    promise = await ringing.owed()
    await ringing.at_work("ann")
    turn, fence = await ringing.presses_call(promise)
    intent = await dialing.write_intent(ringing.cb, promise.id, turn, fence, "ann", ringing.now_ms)
    assert intent.attempt is not None
    await ringing.passes(20)
    assert not await dialing.answered(ringing.cb, intent.attempt.id, "CAlate", ringing.now_ms)
    assert await ringing.state(promise) == PromiseState.IN_LINE
