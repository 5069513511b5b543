"""What keeps promises in their place: due ones come into the line, and the line is put right by SQL.

Each verb is one round; any number may run at once, at any time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import structlog
from sqlalchemy import Executable, Table, bindparam, func, literal
from sqlalchemy import select as sql_select
from sqlmodel import select

from callbacks import record
from callbacks.changing import into_line
from callbacks.making import rejoin
from callbacks.moments import bounds, may_ring
from callbacks.office import Office
from callbacks.promises import switches
from callbacks.record import EVENTS, PROMISES
from callbacks.states import Mode, PromiseState
from callbacks.tables import Promise
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

CONTACTS: Table = Contact.__table__  # type: ignore[attr-defined]  # SQLModel makes it at class creation

# Rounds ask these every few seconds, and of a promise that is right they need no more than a few columns.
_DUE_SOON = (
    sql_select(PROMISES.c.id, PROMISES.c.due_ms)
    .where(PROMISES.c.state == PromiseState.DUE_LATER, PROMISES.c.due_ms <= bindparam("until_ms"))
    .order_by(PROMISES.c.due_ms)
    .limit(REFILL_AT_ONCE)
)
_last_kept = (
    sql_select(func.max(EVENTS.c.at_ms))
    .where(EVENTS.c.promise == PROMISES.c.id, EVENTS.c.kind.in_([literal(kind) for kind in KEPT_SINCE]))
    .scalar_subquery()
)
_KEPT_LONG_ENOUGH = (
    sql_select(PROMISES.c.id, PROMISES.c.turn)
    .where(
        PROMISES.c.state == PromiseState.IN_LINE,
        PROMISES.c.agent != "",
        record.NO_CALL_HOLDS_IT,
        _last_kept <= bindparam("until_ms"),
    )
    .limit(PAGE)
)
_OF_TURNS = sql_select(
    PROMISES.c.id,
    PROMISES.c.state,
    PROMISES.c.turn,
    PROMISES.c.live_contact,
    PROMISES.c.mode,
    PROMISES.c.time_zone,
).where(PROMISES.c.id.in_(bindparam("ids", expanding=True)))
_IN_LINE_AFTER = (
    sql_select(PROMISES.c.arrival_us, PROMISES.c.id, PROMISES.c.turn)
    .where(
        PROMISES.c.state == PromiseState.IN_LINE,
        record.NO_CALL_HOLDS_IT,
        PROMISES.c.mode != Mode.MERCHANT_FIRST,
        (PROMISES.c.arrival_us > bindparam("arrival_us"))
        | ((PROMISES.c.arrival_us == bindparam("arrival_us")) & (PROMISES.c.id > bindparam("id"))),
    )
    .order_by(PROMISES.c.arrival_us, PROMISES.c.id)
    .limit(PAGE)
)
_WHOLE = select(Promise).where(PROMISES.c.id.in_(bindparam("ids", expanding=True)))
_ENDED = sql_select(CONTACTS.c.contact).where(
    CONTACTS.c.contact.in_(bindparam("turns", expanding=True)), CONTACTS.c.disposition != ""
)
_HELD_BY_A_CALL = (
    sql_select(PROMISES.c.id, PROMISES.c.live_contact)
    .where(record.IS_OPEN, PROMISES.c.live_contact != "")
    .limit(PAGE)
)
_LAST_HEARD = sql_select(
    sql_select(CONTACTS.c.contact)
    .where(CONTACTS.c.contact == bindparam("call"), CONTACTS.c.disposition != "")
    .exists(),
    sql_select(func.max(EVENTS.c.at_ms)).where(EVENTS.c.promise == bindparam("id")).scalar_subquery(),
)

log = structlog.get_logger(__name__)


def due_key(cb: Office) -> str:
    """A sorted set: promise by when it is due (ms)."""
    return f"surgeline:{{{cb.centre}}}:promises:due"


# --- falling due ----------------------------------------------------------------------------------------


async def refill(cb: Office, now_ms: int) -> int:
    """Take what falls due soon from SQL into the sorted set; how many. Raises Unavailable."""
    soon = await _asked(cb, _DUE_SOON, until_ms=now_ms + AHEAD_MS)
    found = {promise_id: due_ms for promise_id, due_ms in soon}
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
    for promise_id, turn in await _asked(cb, _KEPT_LONG_ENOUGH, until_ms=now_ms - cb.policy.assigned_ms):
        await cb.line.keep_for(turn_name(promise_id, turn), "", now_ms)


async def _set_aside(cb: Office, now_ms: int, keeping: bool) -> int:
    """Turns leave that wait in vain. The line is read first: SQL is ahead of it."""
    waiting = [now async for now in _turns(cb)]
    known = await _by_id(cb, {promise_of(now.contact) for now in waiting})
    count = 0
    for now in waiting:
        promise = known.get(promise_of(now.contact))
        if promise is not None and _may_wait(promise, now.contact):
            if keeping and _at_this_time(cb, promise.time_zone, now_ms):
                continue
            if not await _put_off(cb, promise, now_ms, keeping):
                continue
        await cb.line.leave(now.contact, Disposition.SET_ASIDE, now_ms)
        count += 1
    return count


def _may_wait(promise: Any, turn: str) -> bool:
    """A turn being dialled or talked with is dealt with where its attempt is."""
    if promise.state in (PromiseState.DIALING, PromiseState.CONNECTED):
        return True
    here = promise.state == PromiseState.IN_LINE and not promise.live_contact
    return here and promise.turn == turn_of(turn) and promise.mode != Mode.MERCHANT_FIRST


def _at_this_time(cb: Office, time_zone: str, now_ms: int) -> bool:
    return may_ring(bounds(cb.policy, cb.hours, time_zone or cb.time_zone), now_ms)


async def _put_off(cb: Office, promise: Any, now_ms: int, keeping: bool) -> bool:
    """Whether its turn leaves the line: nobody is rung at this time, or ringing is switched off."""
    if not keeping:
        return bool(promise.state == PromiseState.IN_LINE)
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
    while page := await _asked(cb, _IN_LINE_AFTER, arrival_us=after[0], id=after[1]):
        after = (page[-1].arrival_us, page[-1].id)
        async with answering():
            names = [turn_name(promise.id, promise.turn) for promise in page]
            books: Any = await cb.redis.hmget(cb.keys.book, names)
        forgotten = [name for name, book in zip(names, books, strict=True) if book is None]
        lost = set(forgotten) - await _written_as_over(cb, forgotten)
        found = await _whole(cb, [promise for promise, name in zip(page, names, strict=True) if name in lost])
        for promise, name, book in zip(page, names, books, strict=True):
            if book is not None and not book.startswith(ContactState.ENDED.value):
                continue
            came = found.get(promise.id) if name in lost else await _next_turn(cb, promise, now_ms)
            if came is not None and _at_this_time(cb, came.time_zone, now_ms):
                await rejoin(cb, came, now_ms)
                count += 1
        if len(page) < PAGE:
            break
    return count


async def _written_as_over(cb: Office, turns: Sequence[str]) -> set[str]:
    """Those of these turns that have ended by SQL: the line has forgotten them, and a turn ends once."""
    if not turns:
        return set()
    return {turn for (turn,) in await _asked(cb, _ENDED, turns=turns)}


async def _whole(cb: Office, page: Sequence[Any]) -> dict[str, Promise]:
    """Those of these promises that have not moved on meanwhile."""
    if not page:
        return {}
    turns = {promise.id: promise.turn for promise in page}
    async with cb.sql.reading() as session:
        found = await session.exec(_WHOLE, params={"ids": list(turns)})
        return {promise.id: promise for promise in found if _is_in_line(promise, turns[promise.id])}


async def _next_turn(cb: Office, promise: Any, now_ms: int) -> Promise | None:
    """Its turn has ended and it is in line all the same: it gets the next. None when it has moved on."""
    async with cb.sql.session() as session:
        fresh = await record.locked(session, promise.id)
        if not _is_in_line(fresh, promise.turn):
            return None
        turn = fresh.turn + 1
        await record.change(session, fresh, None, "in_line", by="line", now_ms=now_ms, turn=turn)
        return fresh


def _is_in_line(promise: Promise, turn: int) -> bool:
    """In this turn, and no call holds its place."""
    return promise.state == PromiseState.IN_LINE and promise.turn == turn and not promise.live_contact


async def _lost_calls(cb: Office, now_ms: int) -> int:
    """Calls that held a promise's place and ended unnoticed: the promise has it again."""
    count = 0
    for promise in await _asked(cb, _HELD_BY_A_CALL):
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


async def _is_over(cb: Office, promise: Any, now_ms: int) -> bool:
    """Whether the call that holds the place is over. Of an answered one the journal has yet to tell."""
    now = await cb.line.contact(promise.live_contact)
    if now is not None:
        return now.state is ContactState.ENDED and now.disposition != Disposition.ANSWERED
    ((ended, last_ms),) = await _asked(cb, _LAST_HEARD, call=promise.live_contact, id=promise.id)
    return ended or now_ms - (last_ms or 0) > UNSEEN_MS


async def _turns(cb: Office) -> AsyncIterator[ContactNow]:
    for queue in cb.line.policy.queues:
        start = 0
        while page := await cb.line.waiting(queue.name, start, PAGE):
            start += len(page)
            for now in page:
                if promise_of(now.contact):
                    yield now


async def _by_id(cb: Office, ids: set[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), PAGE):
        page = await _asked(cb, _OF_TURNS, ids=wanted[start : start + PAGE])
        found |= {promise.id: promise for promise in page}
    return found


async def _asked(cb: Office, question: Executable, **given: Any) -> Sequence[Any]:
    async with cb.sql.reading() as session:
        connection = await session.connection()
        return (await connection.execute(question, given)).all()
