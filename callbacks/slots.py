"""Slots for outgoing calls, at the account's calls per second."""

from __future__ import annotations

from callbacks.office import Office
from foundation.connections import answering
from foundation.lua import load


async def wait_for_slot(cb: Office, patience_ms: float) -> bool:
    """Return when the next slot is ours; False at once when none comes in time. Raises Unavailable."""
    async with answering():
        wait_ms = int(
            await load("callbacks", "pace")(
                cb.redis,
                slots=f"surgeline:{{{cb.centre}}}:promises:slots",
                now_ms=cb.clock.now_ms(),
                every_ms=1000 / cb.policy.calls_per_s,
                patience_ms=patience_ms,
            )
        )
    if wait_ms < 0:
        return False
    if wait_ms:
        await cb.clock.sleep(wait_ms)
    return True
