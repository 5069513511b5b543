"""The line's live figures, as the doors see them: read once a second at most, whoever asks.

A wait is estimated from the figures that a question was first asked with: they are kept beside the question
(``Line.hold``), so its repeat is answered alike. ``facts`` is their packed form.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from callbacks import notice as notices
from callbacks.notice import Notice
from foundation.connections import answering
from foundation.errors import Unavailable
from queueing import pulse
from queueing.estimates import Estimate, plain_wait

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from foundation.connections import Breaker
    from queueing.keys import Keys

CALLBACKS = "+callbacks"
"""The name, that no queue can have, under which the notice of callbacks stands among the figures."""
FRESH_MS = 1_000
STALE_MS = 15_000
"""Figures older than this tell nothing of the present: no wait is announced from them."""


class Glance:
    def __init__(self, redis: Redis, keys: Keys, breaker: Breaker | None = None, centre: str = "") -> None:
        """``centre``: the one whose callbacks are told of, too; "" when none are offered."""
        self._redis, self._keys, self._breaker, self._centre = redis, keys, breaker, centre
        self._looked_ms = -FRESH_MS
        self._taken_ms = 0
        self._facts = ""

    async def facts(self, now_ms: int) -> str:
        """The figures of every queue; "" when there are none that are honest now.

        A Redis that does not tell them is no error: a caller's place is asked for, and made good, without.
        """
        if not 0 <= now_ms - self._looked_ms < FRESH_MS:
            self._looked_ms = now_ms
            with suppress(Unavailable):
                async with answering(self._breaker, enrichment=True):
                    seen = await pulse.read(self._redis, self._keys)
                self._taken_ms = seen.at_ms if seen else 0
                self._facts = pack(seen) if seen else ""
                if seen and self._centre:
                    notice = await notices.read(self._redis, self._centre, now_ms, self._breaker)
                    self._facts += f";{CALLBACKS}:{notice.packed()}"
        return self._facts if now_ms - self._taken_ms < STALE_MS else ""


def pack(seen: pulse.Pulse) -> str:
    """``support:3,240.0,0.00166,0.25;billing:…``: agents, handling time (s), hang-ups per second of waiting,
    and which share of the waiting is owed a callback.
    """
    return ";".join(
        f"{name}:{queue.agents},{queue.handling_s:.1f},{queue.hangup_per_s:.6f},{queue.promised:.2f}"
        for name, queue in seen.queues.items()
    )


def callbacks(facts: str, queue: str) -> tuple[Notice, int, float | None]:
    """What packed facts tell of callbacks: the notice, and the queue's agents and handling time (s)."""
    told = dict(part.partition(":")[::2] for part in facts.split(";"))
    figures = told.get(queue, "").split(",")
    if len(figures) != 4:
        return Notice.unpacked(told.get(CALLBACKS, "")), 0, None
    return Notice.unpacked(told.get(CALLBACKS, "")), int(figures[0]), float(figures[1])


def wait(facts: str, queue: str, position: int) -> Estimate | None:
    """The remaining wait at ``position`` (1 is next) by packed facts; None when they do not tell."""
    if position < 1:
        return None
    for part in facts.split(";"):
        name, _, figures = part.partition(":")
        if name == queue and figures.count(",") == 3:
            agents, handling_s, hangup_per_s, promised = figures.split(",")
            return plain_wait(
                position - 1,
                int(agents),
                float(handling_s),
                float(hangup_per_s),
                promised=float(promised),
            )
    return None
