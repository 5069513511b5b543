"""Time in a drill: it jumps when nobody works, and stands while somebody does."""

from __future__ import annotations

import asyncio

import pytest

from drill.stage import virtual
from drill.stage.virtual import LendingClock, Stuck, VirtualClock, run

HOUR_MS = 3_600_000


def test_hours_pass_at_once_and_in_order():
    async def day(loop):
        clock, woke = VirtualClock(loop, 1_000), []

        async def sleeper(ms):
            await clock.sleep(ms)
            woke.append((ms, clock.now_ms()))

        await asyncio.gather(*(sleeper(ms) for ms in (9 * HOUR_MS, 10, HOUR_MS)))
        return woke

    assert run(day) == [(10, 1_010), (HOUR_MS, HOUR_MS + 1_000), (9 * HOUR_MS, 9 * HOUR_MS + 1_000)]


def test_time_stands_while_somebody_waits_for_the_world():
    async def day(loop):
        clock, seen = VirtualClock(loop, 0), []

        async def ticking():
            while True:
                await clock.sleep(1)
                seen.append(clock.now_ms())

        ticks = asyncio.create_task(ticking())
        async with loop.turn.held():
            before = clock.now_ms()
            await asyncio.to_thread(sum, range(2_000_000))  # real work elsewhere
            stood = clock.now_ms() == before
        await clock.sleep(5)
        ticks.cancel()
        return stood, seen[-1]

    stood, last = run(day)
    assert stood
    assert last >= 4


def test_one_at_a_time_works_first_come_first_served():
    async def day(loop):
        told = []

        async def work(name):
            async with loop.turn.held():
                told.append(f"{name} begins")
                await asyncio.to_thread(lambda: None)
                told.append(f"{name} ends")

        await asyncio.gather(*(work(name) for name in "abc"))
        return told

    assert run(day) == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


def test_who_sleeps_at_work_lends_the_turn():
    async def day(loop):
        clock, told = LendingClock(loop, 0), []

        async def patient():
            async with loop.turn.held():
                await clock.sleep(1_000)
                told.append(("patient", clock.now_ms()))

        async def quick():
            await asyncio.sleep(0)
            async with loop.turn.held():
                told.append(("quick", clock.now_ms()))

        await asyncio.gather(patient(), quick())
        return told, loop.turn.taken

    assert run(day) == ([("quick", 0), ("patient", 1_000)], False)


def test_several_of_one_holders_tasks_may_lend_it():
    async def day(loop):
        clock = LendingClock(loop, 0)
        async with loop.turn.held():
            await asyncio.gather(*(clock.sleep(ms) for ms in (30, 10, 20)))
            held = loop.turn.taken
        return held, loop.turn.taken, clock.now_ms()

    assert run(day) == (True, False, 30)


def test_who_is_cancelled_while_the_turn_is_lent_leaves_it_free():
    async def day(loop):
        clock = LendingClock(loop, 0)

        async def long():
            async with loop.turn.held():
                await clock.sleep(HOUR_MS)

        async def other():
            async with loop.turn.held():
                await asyncio.to_thread(lambda: None)

        task = asyncio.create_task(long())
        await clock.sleep(5)
        task.cancel()
        await asyncio.gather(task, other(), return_exceptions=True)
        await clock.sleep(1)
        return loop.turn.taken

    assert run(day) is False


def test_a_task_that_outlives_its_holder_takes_nobodys_turn():
    async def day(loop):
        clock, tasks = LendingClock(loop, 0), []
        async with loop.turn.held():
            tasks.append(asyncio.create_task(clock.sleep(10)))
        async with loop.turn.held():
            taken = loop.turn.taken
            await asyncio.to_thread(lambda: None)
        await asyncio.gather(*tasks)
        return taken, loop.turn.taken

    assert run(day) == (True, False)


def test_who_waits_for_a_time_that_cannot_come_is_told(monkeypatch):
    monkeypatch.setattr(virtual, "STUCK_S", 0.05)

    async def day(loop):
        async with loop.turn.held():
            await asyncio.wait_for(loop.create_future(), 1)

    with pytest.raises(Stuck):
        run(day)
