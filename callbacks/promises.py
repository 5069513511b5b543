"""The verbs of promises: make, find, tell the place, come back, change, switch. SQL first, then the line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy import select as sql_select
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import record
from callbacks.cards import card_of
from callbacks.changing import assign, cancel, later, move, reschedule, resolve, skip
from callbacks.making import Made, NewPromise, make
from callbacks.office import Office
from callbacks.states import PromiseState
from callbacks.tables import Attempt, CallbackSwitch, Promise, PromiseEvent
from callbacks.turns import turn_name
from foundation.connections import answering
from foundation.errors import Mendable, Unavailable
from queueing.records import Card, Entry
from queueing.states import ContactState

__all__ = [
    "Made",
    "NewPromise",
    "Place",
    "assign",
    "attempts",
    "came_back",
    "cancel",
    "card_of",
    "count_open",
    "find",
    "get",
    "history",
    "later",
    "make",
    "move",
    "place",
    "reschedule",
    "resolve",
    "skip",
    "switch",
    "switches",
]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a promise stands: ``position`` counts from 1, 0 when it does not wait in the line (or the line
    does not say); ``waiting``: how many do in its queue. RESERVED is a state that only the line knows."""

    position: int
    waiting: int
    state: PromiseState
    due_ms: int
    by_ms: int
    agent: str = ""
    """Who is asked for it, or talks with the merchant."""


# --- looking ------------------------------------------------------------------------------------------

_OPEN_OF_NUMBER = select(Promise).where(Promise.open_number == bindparam("number"))
_ATTEMPTS_OF = select(Attempt).where(Attempt.promise == bindparam("id")).order_by(col(Attempt.number))
_OPEN_ONES = sql_select(func.count()).where(record.PROMISES.c.open_number.is_not(None))


async def find(cb: Office, number: str) -> Promise | None:
    """The open promise of a number (E.164). Raises Unavailable."""
    async with cb.sql.reading() as session:
        return (await session.exec(_OPEN_OF_NUMBER, params={"number": number})).first()


async def get(cb: Office, promise_id: str) -> Promise | None:
    """The promise of that name, open or over. Raises Unavailable."""
    async with cb.sql.reading() as session:
        return await record.promise(session, promise_id)


async def history(cb: Office, promise_id: str) -> list[PromiseEvent]:
    """What happened to it, oldest first. Raises Unavailable."""
    async with cb.sql.reading() as session:
        told = select(PromiseEvent).where(PromiseEvent.promise == promise_id)
        return list(await session.exec(told.order_by(col(PromiseEvent.at_ms), col(PromiseEvent.id))))


async def attempts(cb: Office, promise_id: str) -> list[Attempt]:
    """Every attempt to keep it, the first one first. Raises Unavailable."""
    async with cb.sql.reading() as session:
        return list(await session.exec(_ATTEMPTS_OF, params={"id": promise_id}))


async def count_open(cb: Office) -> int:
    """How many promises are open. Raises Unavailable."""
    async with cb.sql.reading() as session:
        return await count_open_in(session)


async def count_open_in(session: AsyncSession) -> int:
    connection = await session.connection()
    return int((await connection.execute(_OPEN_ONES)).scalar_one())


async def place(cb: Office, promise: Promise) -> Place:
    """Where it stands in the line. Redis away, position and waiting are 0."""
    state = PromiseState(promise.state)
    times: dict[str, Any] = {"due_ms": promise.due_ms, "by_ms": promise.by_ms}
    if state is not PromiseState.IN_LINE:
        return Place(0, 0, state, agent=promise.agent, **times)
    name = promise.live_contact or turn_name(promise.id, promise.turn)
    try:
        now = await cb.line.contact(name)
        if now is not None and promise.live_contact and now.state is ContactState.ENDED:
            now = await cb.line.contact(turn_name(promise.id, promise.turn))
        waiting = await _waiting(cb, promise.queue)
    except Unavailable:
        return Place(0, 0, state, **times)
    if now is None or now.state is ContactState.ENDED:
        return Place(0, waiting, state, **times)
    if now.state is ContactState.RESERVED:
        return Place(0, waiting, PromiseState.RESERVED, agent=now.agent, **times)
    return Place(now.position or 0, waiting, state, agent=now.agent, **times)


async def _waiting(cb: Office, queue: str) -> int:
    names = [each.name for each in cb.line.policy.queues]
    if queue not in names:
        return 0
    async with answering():
        return int(await cb.redis.zcard(cb.keys.waiting[names.index(queue)]))


# --- the merchant rings in ----------------------------------------------------------------------------


async def came_back(
    cb: Office,
    promise: Promise,
    contact: str,
    *,
    queue: str,
    band: str,
    card: Card,
    caller_key: str = "",
    now_ms: int,
) -> Entry:
    """Somebody who has a promise rings in: the call takes the better place, and holds it for the promise.

    ``card`` is given promise and tries. The promise is superseded when the call is answered, and gets its
    place back when it is abandoned. Raises Unavailable when Redis is away; SQL may be.
    """
    card = _with_promise(card, promise)
    held = True
    try:
        async with cb.sql.session() as session:
            fresh = await record.locked_if_any(session, promise.id)
            held = fresh is not None and record.is_open(fresh) and fresh.state != PromiseState.CONNECTED
            if held and fresh is not None and fresh.live_contact != contact:
                given: dict[str, Any] = {"by": "merchant", "now_ms": now_ms, "live_contact": contact}
                await record.change(session, fresh, None, "returned", **given)
            promise = fresh or promise
    except Unavailable:
        pass  # the place is worth more than the note of it
    joining: dict[str, Any] = {"queue": queue, "band": band, "card": card, "now_ms": now_ms}
    if not held:
        return await cb.line.enter(contact, caller_key=caller_key, **joining)
    if promise.turn:
        turn = turn_name(promise.id, promise.turn)
        if await cb.line.contact(turn) is not None:
            return await cb.line.take_up(contact, turn, caller_key=caller_key, **joining)
    ticket: dict[str, Any] = {"arrival_us": promise.arrival_us, "entered_ms": promise.entered_ms}
    return await cb.line.rejoin(contact, **ticket, **joining)


def _with_promise(card: Card, promise: Promise) -> Card:
    return replace(card, promise=promise.id, tries=promise.tries)


# --- the switches of the day ----------------------------------------------------------------------------

_SWITCHES_OF = select(CallbackSwitch).where(CallbackSwitch.centre == bindparam("centre"))


async def switches(cb: Office) -> CallbackSwitch:
    """What supervisors have switched. Raises Unavailable."""
    async with cb.sql.reading() as session:
        return await switches_in(session, cb.centre)


async def switches_in(session: AsyncSession, centre: str) -> CallbackSwitch:
    known = (await session.exec(_SWITCHES_OF, params={"centre": centre})).first()
    return known or CallbackSwitch(centre=centre)


async def switch(
    cb: Office,
    by: str,
    now_ms: int,
    offering: bool | None = None,
    keeping: bool | None = None,
    max_open: int | None = None,
) -> CallbackSwitch:
    """Switch offering and keeping on or off, each by itself; ``max_open`` -1 is the centre's own cap again.

    None leaves as it is. Raises Mendable for a cap that is none, Unavailable when SQL is away.
    """
    if max_open is not None and max_open < -1:
        raise Mendable("The cap on open callbacks is 0 or more.")
    async with cb.sql.session() as session:
        row = await switches_in(session, cb.centre)
        row.offering = row.offering if offering is None else offering
        row.keeping = row.keeping if keeping is None else keeping
        if max_open is not None:
            row.max_open = None if max_open == -1 else max_open
        row.changed_ms, row.changed_by = now_ms, by
        session.add(row)
    return row
