"""The live figures behind every announced wait."""

from __future__ import annotations

import pytest

from queueing import journal, pulse
from queueing.states import Disposition
from tests.queueing.conftest import Centre


async def take(centre: Centre) -> pulse.Pulse | None:
    return await pulse.take(centre.redis, centre.keys, centre.policy, now_ms=centre.now_ms)


async def handled(centre: Centre, contact: str, seconds: float) -> None:
    """One contact of so many seconds, talk and wrap-up together."""
    await centre.ring(contact)
    await centre.meet(contact)
    centre.clock.advance(s=seconds / 2)
    await centre.line.finish(contact, centre.now_ms)
    centre.clock.advance(s=seconds / 2)
    await centre.roster.ready("ann", centre.now_ms)


async def test_before_anything_happened_the_prior_speaks(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.at_work("bob", ready=False)
    taken = await take(centre)
    assert taken is not None
    support = taken.queues["support"]
    assert (support.waiting, support.agents, support.handling_s) == (0, 1, 240.0)
    assert support.hangup_per_s == pytest.approx(1 / 600, rel=1e-3)
    assert await pulse.read(centre.redis, centre.keys) == taken


async def test_handling_time_is_learned_with_the_wrap_up(centre: Centre) -> None:
    await centre.at_work("ann")
    for number in range(60):
        await handled(centre, f"CA{number}", 100)
    taken = await take(centre)
    assert taken is not None
    assert 120 < taken.queues["support"].handling_s < 160
    assert taken.queues["billing"].handling_s == 240


async def test_hang_ups_are_learned_and_those_still_waiting_count(centre: Centre) -> None:
    for number in range(30):
        await centre.ring(f"CA{number}")
        centre.clock.advance(s=60)
        await centre.line.leave(f"CA{number}", Disposition.ABANDONED, centre.now_ms)
    taken = await take(centre)
    assert taken is not None
    impatient = taken.queues["support"].hangup_per_s
    assert impatient > 1 / 200
    for number in range(20):
        await centre.ring(f"patient{number}")
    centre.clock.advance(minutes=20)
    taken = await take(centre)
    assert taken is not None
    assert taken.queues["support"].hangup_per_s < impatient / 2


async def test_what_was_learned_outlives_the_process(centre: Centre) -> None:
    await centre.at_work("ann")
    await handled(centre, "CA1", 1000)
    first = await take(centre)
    centre.clock.advance(s=1)
    second = await take(centre)
    assert first is not None
    assert second is not None
    assert second.queues["support"].handling_s == first.queues["support"].handling_s > 240


async def test_a_second_sweeper_does_not_learn_the_same_twice(centre: Centre) -> None:
    await centre.at_work("ann")
    assert await take(centre) is not None
    assert await take(centre) is None


async def test_what_a_dying_sweeper_read_is_learned_by_the_next_and_not_kept_for_ever(centre: Centre) -> None:
    await centre.at_work("ann")
    await handled(centre, "CA1", 1000)
    await journal.ensure_group(centre.redis, centre.keys, pulse.GROUP)
    assert await journal.read(centre.redis, centre.keys, pulse.GROUP, pulse.GROUP)
    taken = await take(centre)
    assert taken is not None
    assert taken.queues["support"].handling_s > 240
    assert await journal.trim(centre.redis, centre.keys) > 0
