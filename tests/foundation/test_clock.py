"""Time is an argument, and moves as it is told."""

import asyncio
import time

import pytest

from foundation.clock import FastClock, ManualClock, SystemClock


async def test_sleepers_wake_in_the_order_of_their_time():
    clock, woken = ManualClock(1000), []

    async def nap(ms):
        await clock.sleep(ms)
        woken.append(ms)

    naps = [asyncio.create_task(nap(ms)) for ms in (300, 100, 200)]
    await asyncio.wait(naps, timeout=0)
    assert clock.next_wake_ms() == 1100
    clock.advance(ms=99)
    await asyncio.wait(naps, timeout=0)
    assert woken == []
    clock.advance(ms=101)
    await asyncio.wait(naps, timeout=0.01)
    assert woken == [100, 200]
    assert clock.next_wake_ms() == 1300
    clock.advance(s=1)
    await asyncio.gather(*naps)
    assert (woken, clock.now_ms(), clock.next_wake_ms()) == ([100, 200, 300], 2200, None)


async def test_a_sleep_of_nothing_returns_at_once():
    clock = ManualClock()
    await clock.sleep(0)
    await clock.sleep(-5)


async def test_a_cancelled_sleeper_is_forgotten():
    clock = ManualClock()
    napping = asyncio.create_task(clock.sleep(100))
    await asyncio.wait([napping], timeout=0)
    napping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await napping
    assert clock.next_wake_ms() is None
    clock.advance(s=1)


async def test_a_fast_clock_shows_an_hour_in_a_moment():
    origin_ms = SystemClock().now_ms()
    clock, twin = FastClock(36_000, origin_ms), FastClock(36_000, origin_ms)
    begun = time.monotonic()
    await clock.sleep(3_600_000)
    assert time.monotonic() - begun < 1
    assert clock.now_ms() - origin_ms >= 3_600_000
    assert abs(twin.now_ms() - clock.now_ms()) < 36_000
    with pytest.raises(ValueError, match="above 0"):
        FastClock(0, 0)


def test_the_system_clock_is_the_wall_s():
    assert abs(SystemClock().now_ms() - time.time() * 1000) < 1000
