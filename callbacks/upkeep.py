"""What keeps promises in their place: due ones come into the line, and the line is put right by SQL.

Each verb is one round; any number may run at once, at any time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog
from sqlmodel import col, func, select

from callbacks import record
from callbacks.changing import into_line
from callbacks.making import rejoin
from callbacks.moments import bounds, may_ring
from callbacks.office import Office
from callbacks.promises import switches
from callbacks.states import Mode, PromiseState
from callbacks.tables import Promise, PromiseEvent
from callbacks.turns import promise_of, turn_name, turn_of
from foundation.connections import answering
from foundation.errors import Mendable
from queueing.records import ContactNow
from queueing.states import ContactState, Disposition
from queueing.tables import Contact

AHEAD_MS = 60_000
"""So long ahead are promises taken from SQL into the sorted set of what falls due."""
REFILL_AT_ONCE = 500
DUE_AT_ONCE = 50
PAGE = 500
KEPT_SINCE = ("reassigned", "in_line", "rescheduled", "back")
"""From the last of these on a promise is kept for its agent."""
UNSEEN_MS = 90_000
"""A call that the line does not know after so long is over: were it alive, it would have been adopted."""

log = structlog.get_logger(__name__)


def due_key(cb: Office) -> str:
    """A sorted set: promise by when it is due (ms)."""
    return f"surgeline:{{{cb.centre}}}:promises:due"


# --- falling due ----------------------------------------------------------------------------------------


async def refill(cb: Office, now_ms: int) -> int:
    """Take what falls due soon from SQL into the sorted set; how many. Raises Unavailable."""
    async with cb.sql.reading() as session:
        soon = (
            select(Promise.id, Promise.due_ms)
            .where(Promise.state == PromiseState.DUE_LATER, Promise.due_ms <= now_ms + AHEAD_MS)
            .order_by(col(Promise.due_ms))
            .limit(REFILL_AT_ONCE)
        )
        found = {promise_id: due_ms for promise_id, due_ms in await session.exec(soon)}
    if found:
        async with answering():
            await cb.redis.zadd(due_key(cb), found)
    return len(found)


async def bring_due(cb: Office, now_ms: int) -> int:
    """Bring into the line what is due; how many promises came. Raises Unavailable."""
    async with answering():
        due: Any = await cb.redis.zrangebyscore(due_key(cb), "-inf", now_ms, start=0, num=DUE_AT_ONCE)
    if not due or not (await switches(cb)).keeping:
        return 0
    brought = 0
    for promise in await _begun(cb, due, now_ms):
        if promise.mode != Mode.MERCHANT_FIRST:
            await rejoin(cb, promise, now_ms)
        brought += 1
    async with answering():
        await cb.redis.zrem(due_key(cb), *due)
    return brought


async def _begun(cb: Office, ids: Sequence[str], now_ms: int) -> list[Promise]:
    """Those of these promises that are due, IN_LINE now, in the order of their tickets."""
    begun = []
    async with cb.sql.session() as session:
        for promise in (await record.locked_all(session, ids)).values():
            if promise.state != PromiseState.DUE_LATER or promise.due_ms > now_ms or promise.live_contact:
                continue
            try:
                await into_line(cb, session, promise, now_ms, by="line")
            except Mendable:
                continue  # never open again: it expires
            if promise.state == PromiseState.IN_LINE:
                begun.append(promise)
    return sorted(begun, key=lambda promise: promise.arrival_us)


# --- the line, by SQL's word ----------------------------------------------------------------------------


async def put_right(cb: Office, now_ms: int) -> int:
    """Make line and promises agree; how many differed. After Redis was lost, all come back in order.

    Raises Unavailable.
    """
    keeping = (await switches(cb)).keeping
    count = await _set_aside(cb, now_ms, keeping)
    if keeping:
        count += await _bring_back(cb, now_ms)
    await _give_to_all(cb, now_ms)
    return count + await _lost_calls(cb, now_ms)


async def _give_to_all(cb: Office, now_ms: int) -> None:
    """What was kept for its agent long enough is offered to all who serve its queue."""
    since = (PromiseEvent.promise == Promise.id, col(PromiseEvent.kind).in_(KEPT_SINCE))
    last = select(func.max(PromiseEvent.at_ms)).where(*since).scalar_subquery()
    statement = select(Promise.id, Promise.turn).where(
        Promise.state == PromiseState.IN_LINE,
        Promise.agent != "",
        Promise.live_contact == "",
        last <= now_ms - cb.policy.assigned_ms,
    )
    async with cb.sql.reading() as session:
        over = list(await session.exec(statement.limit(PAGE)))
    for promise_id, turn in over:
        await cb.line.keep_for(turn_name(promise_id, turn), "", now_ms)


async def _set_aside(cb: Office, now_ms: int, keeping: bool) -> int:
    """Turns leave that wait in vain. The line is read first: SQL is ahead of it."""
    waiting = [now async for now in _turns(cb)]
    known = await _by_id(cb, {promise_of(now.contact) for now in waiting})
    count = 0
    for now in waiting:
        promise = known.get(promise_of(now.contact))
        if promise is not None and _may_wait(promise, now.contact):
            if keeping and _at_this_time(cb, promise, now_ms):
                continue
            if not await _put_off(cb, promise, now_ms, keeping):
                continue
        await cb.line.leave(now.contact, Disposition.SET_ASIDE, now_ms)
        count += 1
    return count


def _may_wait(promise: Promise, turn: str) -> bool:
    """A turn being dialled or talked with is dealt with where its attempt is."""
    if promise.state in (PromiseState.DIALING, PromiseState.CONNECTED):
        return True
    here = promise.state == PromiseState.IN_LINE and not promise.live_contact
    return here and promise.turn == turn_of(turn) and promise.mode != Mode.MERCHANT_FIRST


def _at_this_time(cb: Office, promise: Promise, now_ms: int) -> bool:
    return may_ring(bounds(cb.policy, cb.hours, promise.time_zone or cb.time_zone), now_ms)


async def _put_off(cb: Office, promise: Promise, now_ms: int, keeping: bool) -> bool:
    """Whether its turn leaves the line: nobody is rung at this time, or ringing is switched off."""
    if not keeping:
        return promise.state == PromiseState.IN_LINE
    try:
        async with cb.sql.session() as session:
            fresh = await record.locked(session, promise.id)
            if fresh.state == PromiseState.IN_LINE:
                await into_line(cb, session, fresh, now_ms, by="line")
            return fresh.state == PromiseState.DUE_LATER
    except Mendable:
        return False


async def _bring_back(cb: Office, now_ms: int) -> int:
    """Promises that are in line by SQL and not in Redis come back, in the order of their tickets."""
    count, after = 0, (-1, "")
    while page := await _page(cb, after):
        after = (page[-1].arrival_us, page[-1].id)
        async with answering():
            names = [turn_name(promise.id, promise.turn) for promise in page]
            books: Any = await cb.redis.hmget(cb.keys.book, names)
        forgotten = [name for name, book in zip(names, books, strict=True) if book is None]
        ended = await _written_as_over(cb, forgotten)
        for promise, name, book in zip(page, names, books, strict=True):
            if book is not None and not book.startswith(ContactState.ENDED.value):
                continue
            fresh = book is None and name not in ended
            came = promise if fresh else await _next_turn(cb, promise, now_ms)
            if came is not None and _at_this_time(cb, came, now_ms):
                await rejoin(cb, came, now_ms)
                count += 1
    return count


async def _written_as_over(cb: Office, turns: Sequence[str]) -> set[str]:
    """Those of these turns that have ended by SQL: the line has forgotten them, and a turn ends once."""
    if not turns:
        return set()
    over = select(Contact.contact).where(col(Contact.contact).in_(turns), Contact.disposition != "")
    async with cb.sql.reading() as session:
        return set(await session.exec(over))


async def _page(cb: Office, after: tuple[int, str]) -> list[Promise]:
    arrival_us, name = after
    async with cb.sql.reading() as session:
        found = await session.exec(
            select(Promise)
            .where(
                Promise.state == PromiseState.IN_LINE,
                Promise.live_contact == "",
                Promise.mode != Mode.MERCHANT_FIRST,
                (col(Promise.arrival_us) > arrival_us)
                | ((col(Promise.arrival_us) == arrival_us) & (col(Promise.id) > name)),
            )
            .order_by(col(Promise.arrival_us), col(Promise.id))
            .limit(PAGE)
        )
        return list(found)


async def _next_turn(cb: Office, promise: Promise, now_ms: int) -> Promise | None:
    """Its turn has ended and it is in line all the same: it gets the next. None when it has moved on."""
    async with cb.sql.session() as session:
        fresh = await record.locked(session, promise.id)
        same = fresh.state == PromiseState.IN_LINE and fresh.turn == promise.turn and not fresh.live_contact
        if not same:
            return None
        turn = fresh.turn + 1
        await record.change(session, fresh, None, "in_line", by="line", now_ms=now_ms, turn=turn)
        return fresh


async def _lost_calls(cb: Office, now_ms: int) -> int:
    """Calls that held a promise's place and ended unnoticed: the promise has it again."""
    async with cb.sql.reading() as session:
        held = (
            await session.exec(
                select(Promise)
                .where(col(Promise.open_number).is_not(None), Promise.live_contact != "")
                .limit(PAGE)
            )
        ).all()
    count = 0
    for promise in held:
        if not await _is_over(cb, promise, now_ms):
            continue
        async with cb.sql.session() as session:
            fresh = await record.locked(session, promise.id)
            if fresh.live_contact != promise.live_contact or not record.is_open(fresh):
                continue
            held_by = "" if fresh.held_by == fresh.live_contact else fresh.held_by
            await record.change(
                session, fresh, None, "back", by="line", now_ms=now_ms, live_contact="", held_by=held_by
            )
        count += 1
    return count


async def _is_over(cb: Office, promise: Promise, now_ms: int) -> bool:
    """Whether the call that holds the place is over. Of an answered one the journal has yet to tell."""
    now = await cb.line.contact(promise.live_contact)
    if now is not None:
        return now.state is ContactState.ENDED and now.disposition != Disposition.ANSWERED
    async with cb.sql.reading() as session:
        written = await session.get(Contact, promise.live_contact)
        if written is not None and written.disposition:
            return True
        last = select(func.max(PromiseEvent.at_ms)).where(PromiseEvent.promise == promise.id)
        return now_ms - ((await session.exec(last)).one() or 0) > UNSEEN_MS


async def _turns(cb: Office) -> AsyncIterator[ContactNow]:
    for queue in cb.line.policy.queues:
        start = 0
        while page := await cb.line.waiting(queue.name, start, PAGE):
            start += len(page)
            for now in page:
                if promise_of(now.contact):
                    yield now


async def _by_id(cb: Office, ids: set[str]) -> dict[str, Promise]:
    found: dict[str, Promise] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), PAGE):
        async with cb.sql.reading() as session:
            page = select(Promise).where(col(Promise.id).in_(wanted[start : start + PAGE]))
            found |= {promise.id: promise for promise in await session.exec(page)}
    return found
