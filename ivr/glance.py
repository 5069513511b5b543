"""The line's live figures, as the doors see them: read once a second at most, whoever asks.

A wait is told from the figures that a question was first asked with: they are kept beside the question
(``Line.hold``), so its repeat is answered alike. ``facts`` is their packed form.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callbacks import notice as notices
from callbacks.notice import Notice
from foundation.connections import answering
from foundation.errors import Unavailable
from queueing import pulse
from queueing.estimates import Estimate
from queueing.pulse import Pulse
from queueing.rungs import Ladder
from queueing.staffing import Plan, packed, unpacked

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from foundation.connections import Breaker
    from queueing.keys import Keys

CALLBACKS = "+callbacks"
"""The name, that no queue can have, under which the notice of callbacks stands among the figures."""
FRESH_MS = 1_000
STALE_MS = 15_000
"""Figures older than this tell nothing of the present: no wait is announced from them."""
FIGURES = (4, 5)
"""So many are told of a queue, without and with a plan."""


@dataclass(frozen=True, slots=True)
class Owing:
    """A queue's agents, its handling time (s; None: not known), the work (s) of callbacks in line, and its
    agents to come, by the roster."""

    agents: int = 0
    handling_s: float | None = None
    owed_s: float = 0.0
    plan: Plan = ()


class Glance:
    def __init__(self, redis: Redis, keys: Keys, breaker: Breaker | None = None, centre: str = "") -> None:
        """``centre``: the one whose callbacks are told of, too; "" when none are offered."""
        self._redis, self._keys, self._breaker, self._centre = redis, keys, breaker, centre
        self._looked_ms = -FRESH_MS
        self._taken_ms = 0
        self._pulse: Pulse | None = None
        self._facts: dict[str, str] = {}

    async def facts(self, now_ms: int, queue: str = "") -> str:
        """The figures of ``queue``, or of every one; "" when there are none that are honest now.

        A Redis that does not tell them is no error: a caller's place is asked for, and made good, without.
        """
        if not 0 <= now_ms - self._looked_ms < FRESH_MS:
            self._looked_ms = now_ms
            with suppress(Unavailable):
                async with answering(self._breaker, enrichment=True):
                    seen = await pulse.read(self._redis, self._keys)
                self._taken_ms, self._pulse = seen.at_ms if seen else 0, seen
                self._facts = pack(seen) if seen else {}
                if seen and self._centre:
                    notice = await notices.read(self._redis, self._centre, now_ms, self._breaker)
                    self._facts[CALLBACKS] = f"{CALLBACKS} {notice.packed()}"
        if now_ms - self._taken_ms >= STALE_MS:
            return ""
        return ";".join(told for name, told in self._facts.items() if not queue or name in (queue, CALLBACKS))

    async def pulse(self, now_ms: int) -> Pulse | None:
        """The figures themselves, as ``facts`` has them; None when there are none that are honest now."""
        return self._pulse if await self.facts(now_ms) else None


def pack(seen: Pulse) -> dict[str, str]:
    """``support 3 240.0 <ladder> 1200 <plan>``, by queue: agents, handling time (s), the waits by position,
    work (s) in callbacks; where there is a roster, the agents over the coming hours."""
    told = {}
    for name, queue in seen.queues.items():
        figures = (queue.agents, f"{queue.handling_s:.1f}", queue.ladder.packed(), f"{queue.owed_s:.0f}")
        told[name] = " ".join(str(word) for word in (name, *figures, packed(queue.plan)) if word != "")
    return told


def callbacks(facts: str, queue: str) -> tuple[Notice, Owing]:
    """What packed facts tell of callbacks: the notice, and how the queue stands to keep them."""
    told = _told(facts)
    notice = Notice.unpacked("".join(told.get(CALLBACKS, [])))
    figures = told.get(queue, [])
    if len(figures) not in FIGURES:
        return notice, Owing()
    agents, handling_s, _, owed_s, *plan = figures
    return notice, Owing(int(agents), float(handling_s), float(owed_s), unpacked("".join(plan)))


def wait(facts: str, queue: str, band: str, position: int) -> Estimate | None:
    """The remaining wait at ``position`` (1 is next) by packed facts; None when they do not tell."""
    figures = _told(facts).get(queue, [])
    return Ladder.unpacked(figures[2]).at(position, band) if len(figures) in FIGURES else None


def _told(facts: str) -> dict[str, list[str]]:
    named = (part.split(" ") for part in facts.split(";"))
    return {name: figures for name, *figures in named}
