"""Work done again and again, by the clock, whatever goes wrong with one round."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

from carrier.answers import Busy
from foundation.clock import Clock
from foundation.errors import Unavailable

FIRST_BACKOFF_MS = 200
LONGEST_BACKOFF_MS = 15_000

log = structlog.get_logger(__name__)


def backoff_ms(failures: int, draw: float) -> float:
    """How long to wait after so many failures in a row: doubling, with full jitter (``draw`` in [0, 1))."""
    ceiling = min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2.0 ** min(failures, 10))
    return FIRST_BACKOFF_MS + draw * (ceiling - FIRST_BACKOFF_MS)


async def rounds(
    clock: Clock,
    name: str,
    work: Callable[[], Awaitable[float]],
    counts: Counter[str],
    draw: Callable[[], float] = random.random,
) -> None:
    """Call ``work`` for ever; each call says in how many milliseconds to call it again.

    A store that does not answer is waited for, ever longer, and so is a carrier that has too much to do; an
    error of ours is logged and waited for alike. ``counts`` gets ``<name>_away`` and ``<name>_errors``.
    """
    failures = 0
    while True:
        try:
            wait_ms = await work()
            if failures:
                log.info("answering again", work=name, failures=failures)
            failures = 0
        except (Unavailable, Busy) as away:
            failures += 1
            counts[f"{name}_away"] += 1
            if failures == 1:
                log.warning("waiting for an answer", work=name, why=str(away))
            wait_ms = backoff_ms(failures, draw())
        except Exception:
            failures += 1
            counts[f"{name}_errors"] += 1
            log.exception("a round failed", work=name, failures=failures)
            wait_ms = backoff_ms(failures, draw())
        await clock.sleep(wait_ms)
