"""RQ's door: one job for each line of the journal that has an effect. It is given an id and nothing else.

A job is carried out once or, after a crash, twice; ``bridging`` makes the second time harmless.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from redis.asyncio import Redis

from ivr import bridging
from ivr.bridging import Tools
from queueing import journal
from queueing.journal import Event
from queueing.keys import Keys
from queueing.states import Disposition


@dataclass(frozen=True, slots=True)
class Bench:
    """What the worker lays out for its jobs."""

    tools: Tools
    redis: Redis
    keys: Keys


_bench: list[Bench] = []


def equip(bench: Bench) -> None:
    """Called once by the worker, before its first job."""
    _bench[:] = [bench]


async def carry_out(event_id: str) -> None:
    """Read the event and carry its effect out. An event trimmed away meanwhile was dealt with long ago."""
    if not _bench:
        raise RuntimeError("the worker has not been equipped: call ivr.jobs.equip first")
    bench = _bench[0]
    event = await journal.event(bench.redis, bench.keys, event_id)
    if event is None:
        structlog.get_logger().warning("event_gone", id=event_id)
        return
    await bridging.carry_out(event, bench.tools)


def has_effect(event: Event) -> bool:
    """Whether this line asks anything of the carrier: the others need no job."""
    if event.kind == "ended":  # nobody was reached: the agent waits for a merchant who will not come
        return event.fields.get("disposition") == Disposition.NOT_REACHED
    return event.kind in bridging.EFFECTS
