"""The worker is killed, or Twilio does not answer, in the middle of bringing caller and agent together.

They meet all the same, or the caller is back in the old place; nobody is rung or met twice for it.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from foundation.clock import monotonic_s
from queueing.states import ContactState
from tests.faults.house import Rig, measured, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

ANN, BOB = "+12015550101", "+12015550102"
FETCH, RING = "Members/CA", "/Calls.json$"
STALL_MS = 40_000
"""Of the fast clock: long enough to be killed in, shorter than the time two have to meet."""


def fault(kind: str, match: str, ms: int = 0) -> dict[str, Any]:
    return {"on": "rest", "kind": kind, "match": match, "method": "POST", "times": 1, "ms": ms}


async def has_struck(rig: Rig) -> bool:
    return sum(await rig.struck()) > 0


async def agents_there(rig: Rig, caller: str) -> int:
    """How many agents are on the telephone for this caller now, out of those who are past ringing."""
    return sum(call["to"] in (ANN, BOB) and call["stage"] == "talking" for call in await rig.calls())


async def met_at_last(rig: Rig, caller: str, *, place: int) -> float:
    """They meet, be it at the second go; until then the caller keeps the place. How long it took."""
    begun_s = monotonic_s()

    async def talking() -> bool:
        now = await rig.contact(caller)
        assert now.state is not ContactState.ENDED
        assert now.arrival_us == place
        assert await agents_there(rig, caller) <= 1
        return now.state is ContactState.CONNECTED and (await rig.call(caller))["stage"] == "talking"

    await until(talking, "caller and agent talk", 60)
    return monotonic_s() - begun_s


async def one_talk(rig: Rig, caller: str, rung: int) -> None:
    """The end of a story: one talk, each telephone rung at most once a reservation, one outcome."""
    reservations = [event for event in await rig.written("reserved") if event.contact == caller]
    assert rung <= max(1, len(reservations))
    await rig.hangs_up(caller)
    await rig.goes_home("ann", "bob")
    await rig.ended()
    assert await rig.outcomes([caller]) == {"answered": 1}
    assert len(await rig.met(caller)) == 1
    assert await rig.violations() == []


@pytest.mark.parametrize("point", ["before the call", "asked, not yet done", "done, not yet answered"])
@pytest.mark.parametrize("effect", ["fetching the caller", "ringing the agent"])
async def test_the_worker_is_killed(rig: Rig, effect: str, point: str) -> None:
    caller = await rig.rings()
    await rig.wait_in_line([caller])
    place = (await rig.contact(caller)).arrival_us
    rung = await rig.rung(ANN)
    worker = await rig.pid("worker")
    match = FETCH if effect == "fetching the caller" else RING
    if point == "before the call":
        os.kill(worker, signal.SIGSTOP)
    else:
        await rig.faults(fault("stall_before" if "not yet done" in point else "stall_after", match, STALL_MS))
    await rig.works("ann", ANN)
    if point != "before the call":
        await until(lambda: has_struck(rig), "the worker is in the middle of it")
    os.kill(worker, signal.SIGKILL)

    took_s = await met_at_last(rig, caller, place=place)
    measured(f"{effect}, {point}: talking {took_s:.1f} s after the kill, rung {await rig.rung(ANN) - rung}")
    await rig.back("worker", worker)
    await one_talk(rig, caller, await rig.rung(ANN) - rung)


@pytest.mark.parametrize("kind", ["busy", "fail_before", "fail_after", "lose_answer"])
@pytest.mark.parametrize("match", [FETCH, RING], ids=["on fetching", "on ringing"])
async def test_twilio_does_not_answer_as_it_should(rig: Rig, match: str, kind: str) -> None:
    caller = await rig.rings()
    await rig.wait_in_line([caller])
    place = (await rig.contact(caller)).arrival_us
    rung = await rig.rung(ANN)
    await rig.faults(fault(kind, match))
    await rig.works("ann", ANN)
    await until(lambda: has_struck(rig), "the fault has struck")
    took_s = await met_at_last(rig, caller, place=place)
    measured(f"{kind} at {match}: talking after {took_s:.1f} s, rung {await rig.rung(ANN) - rung}")
    await one_talk(rig, caller, await rig.rung(ANN) - rung)


async def test_nothing_of_all_this_was_an_error_of_ours(rig: Rig) -> None:
    ended = [
        told for told in rig.house.complaints() if told.get("event") == "program ended, starting it again"
    ]
    assert rig.house.complaints() == ended
