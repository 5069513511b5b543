"""Slots for what goes out at a limited rate: calls at the account's, texts at the sending number's."""

from __future__ import annotations

from callbacks.office import Office
from foundation.connections import answering
from foundation.lua import load


async def wait_for_slot(cb: Office, patience_ms: float) -> bool:
    """Return when the next call's slot is ours; False at once when none comes in time. Raises Unavailable."""
    wait_ms = await _take(cb, "calls", 1000 / cb.policy.calls_per_s, patience_ms)
    if wait_ms > 0:
        await cb.clock.sleep(wait_ms)
    return wait_ms >= 0


async def text_slot(cb: Office, segments: int) -> bool:
    """Whether a text of so many segments may go now; if so, the next goes after them. Raises Unavailable."""
    return await _take(cb, "texts", 1000 * segments / cb.policy.text_rate_per_s, 0) == 0


async def _take(cb: Office, what: str, every_ms: float, patience_ms: float) -> int:
    async with answering():
        return int(
            await load("callbacks", "pace")(
                cb.redis,
                slots=f"surgeline:{{{cb.centre}}}:promises:slots:{what}",
                now_ms=cb.clock.now_ms(),
                every_ms=every_ms,
                patience_ms=patience_ms,
            )
        )
