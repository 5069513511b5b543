"""Letting time pass on a clock that only moves when told to, and everybody act at the right moment."""

from __future__ import annotations

import asyncio

from drill.network.exchange import Exchange
from foundation.clock import ManualClock

QUIET_ROUNDS = 60
"""So many turns of the event loop without a webhook under way: whatever needed no time has happened."""


async def settle(exchange: Exchange) -> None:
    """Let everything happen that needs no time to pass. Waits for the product's answers, however long
    they take in real time; a product that waits for this clock must not be settled for.
    """
    quiet = 0
    while quiet < QUIET_ROUNDS:
        if exchange.courier.in_flight:
            quiet = 0
            await exchange.courier.idle.wait()
        quiet += 1
        await asyncio.sleep(0)


async def pass_time(exchange: Exchange, clock: ManualClock, ms: float) -> None:
    """Advance from wake to wake, so that nothing happens later than its time."""
    await settle(exchange)
    until_ms = clock.now_ms() + round(ms)
    while True:
        wake_ms = clock.next_wake_ms()
        if wake_ms is None or wake_ms > until_ms:
            break
        clock.advance(ms=max(0, wake_ms - clock.now_ms()))
        await settle(exchange)
    clock.advance(ms=until_ms - clock.now_ms())
    await settle(exchange)
