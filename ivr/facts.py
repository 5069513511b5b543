"""What the playbook asks of one call: read when the caller says that it is about the incident, not before."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from foundation.connections import answering
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import AWAY, Away, Visit
from queueing.pulse import QueuePulse
from surge import deflection
from surge.directive import Directive
from surge.office import Watch
from surge.playbook import Facts
from surge.states import Match


@dataclass(frozen=True, slots=True)
class Found:
    """``shut``: no text at present, to nobody. ``queue``: the figures of the queue they would join."""

    known: Facts
    shut: bool
    queue: QueuePulse | None


async def gather(desk: Desk, visit: Visit, slip: Slip, caller: Caller) -> Found | Away:
    """All of it, within the webhook's budget; AWAY when a store does not tell its part. ``slip``: with the
    queue and band that the caller would have."""
    watch = desk.watch
    if watch is None:
        return AWAY
    told, agents = await asyncio.gather(
        visit.enrich(_from_sql(desk, watch, visit, caller)), visit.enrich(_agents(desk, slip.queue))
    )
    pulse = await visit.enrich(desk.glance.pulse(visit.now_ms))
    if isinstance(told, Away) or isinstance(agents, Away) or isinstance(pulse, Away):
        return AWAY
    queue = pulse.queues.get(slip.queue) if pulse else None
    shut = told.untextable == deflection.SHUT
    known = replace(
        told,
        about=True,
        band=slip.band,
        untextable="" if shut else told.untextable,
        wait_s=_wait_s(queue) if queue else None,
        agents=agents[0],
        with_matched=agents[1],
    )
    return Found(known, shut, queue)


def narrowed(now: Directive, found: Found) -> Directive:
    """The directive, without texts when there is no room for more by now."""
    return replace(now, texts_open=now.texts_open and not found.shut)


async def _from_sql(desk: Desk, watch: Watch, visit: Visit, caller: Caller) -> Facts:
    async with answering(desk.sql_breaker):
        before = await deflection.called_again(watch, caller.number, visit.contact, visit.now_ms)
        return Facts(
            untextable=await deflection.untextable(watch, caller.number, visit.now_ms),
            deflected_ms=before.at_ms if before else None,
            workaround_failed=await deflection.failed_for(watch, caller.number),
        )


async def _agents(desk: Desk, queue: str) -> tuple[int, int]:
    """Agents who serve the queue, and how many of them have a caller of an incident in hand."""
    serving = await desk.roster.with_cards(queue)
    return len(serving), sum(card is not None and card.match == Match.MATCH for _, card in serving)


def _wait_s(queue: QueuePulse) -> float | None:
    """A newcomer's predicted wait (p50)."""
    if not queue.waiting:
        return 0.0 if queue.agents else float("inf")
    wait = queue.foreseen_wait()
    return wait.p50 if wait else float("inf")
