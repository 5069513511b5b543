"""RQ's doors for callbacks. Each is given an id and nothing else; SQL knows the rest, and is the record.

A job may be carried out twice, late, or beside another: what it does is decided by the row it is about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from callbacks import dialing
from callbacks.office import Office
from callbacks.settling import LIVE
from callbacks.tables import Attempt
from carrier import texts
from carrier.twilio_rest import Busy, Carrier, Refused
from foundation.errors import Unavailable
from queueing import journal
from queueing.journal import Event

PATIENCE_MS, LOOK_MS = 20_000, 1_000
"""How long a merchant is given to hear the promise out and hang up, and how often that is looked at."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bench:
    """What the worker lays out for these jobs."""

    cb: Office
    carrier: Carrier
    beside: bool = False
    """Wait for a slot and ask the carrier beside the other jobs: with the intent written, nothing is lost."""
    going: set[asyncio.Task[None]] = field(default_factory=set)

    async def do(self, work: Coroutine[Any, Any, None]) -> None:
        if not self.beside:
            await work
            return
        task = asyncio.create_task(work)
        self.going.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.going.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("a dial was left to the reaper", why=f"{type(error).__name__}: {error}")


_bench: list[Bench] = []


def equip(bench: Bench) -> None:
    """Called once by the worker, before its first job."""
    _bench[:] = [bench]


def bench() -> Bench:
    """Raises RuntimeError when the worker has not been equipped."""
    if not _bench:
        raise RuntimeError("the worker has not been equipped: call callbacks.jobs.equip first")
    return _bench[0]


async def dial(event_id: str) -> None:
    """An agent pressed Call: the journal's ``accepted`` of a turn. Raises Unavailable."""
    cb = bench().cb
    event = await journal.event(cb.redis, cb.keys, event_id)
    if event is None:
        log.warning("event_gone", id=event_id)
        return
    await dial_for(event, bench())


async def dial_for(event: Event, at: Bench) -> None:
    """Write the intent, then have it sent. Raises Unavailable when SQL is away: the agent has been let go.

    A merchant who is still hearing the promise would be busy: the call in which it was made is let end first.
    """
    making = await dialing.making_call(at.cb, event.contact, at.cb.clock.now_ms())
    if making and at.beside:
        await at.do(_dial_after(making, event, at))
    else:
        await _dial(event, at)


async def _dial_after(making: str, event: Event, at: Bench) -> None:
    """Once the call is over, or patience is. A worker that dies here has begun nothing."""
    until_ms = at.cb.clock.now_ms() + PATIENCE_MS
    while at.cb.clock.now_ms() < until_ms:
        try:
            call = await at.carrier.call(making)
        except (Refused, Busy, Unavailable):
            break
        if call is None or call.status not in LIVE:
            break
        await at.cb.clock.sleep(LOOK_MS)
    await _dial(event, at)


async def _dial(event: Event, at: Bench) -> None:
    now_ms, fence = at.cb.clock.now_ms(), int(event.fields.get("fence", 0))
    intent = await dialing.intend(at.cb, event.contact, fence, event.agent, now_ms)
    if intent.attempt is not None:
        await at.do(dialing.send(at.cb, at.carrier, intent.attempt, intent.number))


async def ring_first(promise_id: str) -> None:
    """Merchant first: an agent is about to be free for this promise. Raises Unavailable."""
    at = bench()
    intent = await dialing.write_intent(at.cb, promise_id, "", 0, "", at.cb.clock.now_ms())
    if intent.attempt is not None:
        await at.do(dialing.send(at.cb, at.carrier, intent.attempt, intent.number))


async def text(text_id: str) -> None:
    """Send a text that is written down, once. Raises Unavailable."""
    cb = bench().cb
    await texts.send(
        cb.sql,
        bench().carrier,
        text_id,
        from_=cb.ours[0],
        callback=f"{cb.public_url}/sms/status",
        clock=cb.clock,
        notes=texts.Notes(cb.redis, cb.centre),
    )


async def settle_text(text_id: str) -> None:
    """Find out at the carrier what became of a text. Raises Unavailable."""
    cb = bench().cb
    try:
        await texts.settle(cb.sql, bench().carrier, text_id, from_=cb.ours[0], now_ms=cb.clock.now_ms())
    except (Refused, Busy) as silent:
        log.warning("a text could not be looked up", text=text_id, why=str(silent))


async def settle(attempt_id: str) -> None:
    """Look an attempt up whose time is over. Raises Unavailable."""
    at = bench()
    async with at.cb.sql.reading() as session:
        attempt = await session.get(Attempt, attempt_id)
    if attempt is not None:
        await dialing.settle(at.cb, at.carrier, attempt, at.cb.clock.now_ms())
