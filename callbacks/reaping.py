"""What was left behind comes to its end: attempts whose worker died, phones that nobody wants any more, talks
whose end nobody heard of, promises that cannot be kept in their time or stand between two states.

Each verb is one round; any number may run at once, at any time. All raise Unavailable.
"""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import bindparam, literal
from sqlalchemy import select as sql_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import record
from callbacks.dialing import settle, stop_ringing, withdraw
from callbacks.office import Office
from callbacks.record import ATTEMPTS, PROMISES
from callbacks.settling import LIVE
from callbacks.states import AttemptState, PromiseState
from callbacks.tables import Attempt, Promise
from callbacks.turns import turn_name
from carrier.twilio_rest import Busy, Carrier, Refused
from foundation.errors import Unavailable
from queueing.states import Disposition

LOST_TALK_MS = 4 * 3_600_000
"""The longest talk at Twilio: a promise that is connected for longer has lost its word."""
UNKNOWN_TALK_MS = 900_000
"""A talk that the line knows nothing of any more was a talk all the same: its promise is kept after this."""
STUCK_MS = 120_000
"""So long after its last change a promise that is dialled without an attempt is not under way."""
TALK_LOOK_MS = 60_000
LOOK_AGAIN_MS = 5_000
"""An attempt that could not be settled is looked at again after this, the others first."""

_OVERDUE = (
    select(Attempt)
    .where(record.IS_UNDER_WAY, Attempt.lease_ms <= bindparam("now_ms"))
    .order_by(col(Attempt.lease_ms))
    .limit(bindparam("most"))
)
_UNWANTED = (
    select(Attempt)
    .join(Promise, col(Promise.id) == col(Attempt.promise))
    .where(Attempt.state == AttemptState.SENT, Promise.state != PromiseState.DIALING)
    .limit(bindparam("most"))
)
# Of the attempt nothing is asked for here that has an index: SQLite would read every talk there ever was.
_TALKS = (
    sql_select(ATTEMPTS.c.id, ATTEMPTS.c.state, ATTEMPTS.c.lease_ms)
    .join(PROMISES, (ATTEMPTS.c.promise == PROMISES.c.id) & (ATTEMPTS.c.call_sid == PROMISES.c.held_by))
    .where(PROMISES.c.state == PromiseState.CONNECTED)
)
_IN_TIME = (PromiseState.DUE_LATER, PromiseState.IN_LINE)
_EXPIRED = (
    sql_select(PROMISES.c.id)
    .where(
        PROMISES.c.state.in_([literal(state.value) for state in _IN_TIME]),
        PROMISES.c.expires_ms <= bindparam("now_ms"),
        record.NO_CALL_HOLDS_IT,
    )
    .limit(bindparam("most"))
)
_attempt_live = sql_select(ATTEMPTS.c.id).where(
    ATTEMPTS.c.promise == PROMISES.c.id,
    record.IS_UNDER_WAY | (ATTEMPTS.c.ended_ms > bindparam("stuck_ms")),
)
_BETWEEN = (
    select(Promise)
    .where(
        ((col(Promise.state) == PromiseState.CONNECTED) & (col(Promise.met_ms) < bindparam("unknown_ms")))
        | ((col(Promise.state) == PromiseState.DIALING) & ~_attempt_live.exists())
    )
    .limit(bindparam("most"))
)

log = structlog.get_logger(__name__)


async def reap(cb: Office, carrier: Carrier, now_ms: int, limit: int = 20) -> int:
    """Settle attempts that nobody looks after any more; how many came to an end. Raises Unavailable."""
    async with cb.sql.reading() as session:
        overdue = (await session.exec(_OVERDUE, params={"now_ms": now_ms, "most": limit})).all()
    count = 0
    for attempt in overdue:
        if await settle(cb, carrier, attempt, now_ms) is not None:
            count += 1
        else:
            await _put_back(cb, attempt, now_ms)
    return count


async def _put_back(cb: Office, attempt: Attempt, now_ms: int) -> None:
    async with cb.sql.session() as session:
        fresh = await record.attempt(session, attempt.id)
        if fresh is not None and fresh.lease_ms <= now_ms and fresh.state in record.ATTEMPT_OPEN_WORDS:
            await record.change_attempt(session, fresh, None, lease_ms=now_ms + LOOK_AGAIN_MS)


async def stop_unwanted(cb: Office, carrier: Carrier, now_ms: int, limit: int = 20) -> int:
    """Phones that ring for a promise which is over, or talks already, ring no more. Raises Unavailable."""
    async with cb.sql.reading() as session:
        unwanted = (await session.exec(_UNWANTED, params={"most": limit})).all()
    for attempt in unwanted:
        await stop_ringing(carrier, attempt)
        await withdraw(cb, attempt.id, "it is not wanted any more", now_ms)
    return len(unwanted)


async def end_talks(cb: Office, carrier: Carrier, now_ms: int, limit: int = 20) -> int:
    """A talk is over in the line when the merchant's leg is over at the carrier; how many were.

    Twilio tells of a leg's end once: is that word lost, the agent would be talking for ever. Each talk is
    looked up once in ``TALK_LOOK_MS``. Raises Unavailable.
    """
    count = 0
    for attempt_id in await _talks(cb, now_ms, limit):
        async with cb.sql.session() as session:
            attempt = await record.attempt(session, attempt_id)
            if attempt is None or not _is_to_look_at(attempt, now_ms):
                continue
            if not await record.change_attempt(session, attempt, None, lease_ms=now_ms + TALK_LOOK_MS):
                continue
        try:
            call = await carrier.call(attempt.call_sid)
        except (Refused, Busy, Unavailable) as silent:
            log.warning("a talk could not be looked up", contact=attempt.contact, why=str(silent))
            continue
        if call is None or call.status not in LIVE:
            log.warning("a talk's end had gone unnoticed", contact=attempt.contact)
            # The merchant was dialled first, and the call stands in the line itself; or its promise's turn
            # does, which nobody abandons. Of a talk that still goes on, either is answered.
            how = Disposition.SET_ASIDE if attempt.contact else Disposition.ABANDONED
            await cb.line.leave(attempt.contact or attempt.call_sid, how, now_ms)
            count += 1
    return count


async def _talks(cb: Office, now_ms: int, limit: int) -> list[str]:
    """The attempts whose talk is to be looked up, the one that waits longest first."""
    async with cb.sql.reading() as session:
        connection = await session.connection()
        talks = (await connection.execute(_TALKS)).all()
    due = [talk for talk in talks if _is_to_look_at(talk, now_ms)]
    return [talk.id for talk in sorted(due, key=lambda talk: talk.lease_ms)[:limit]]


def _is_to_look_at(talk: Any, now_ms: int) -> bool:
    return bool(talk.state == AttemptState.TALKED and talk.lease_ms <= now_ms)


async def expire(cb: Office, now_ms: int, limit: int = 50) -> int:
    """Promises that could not be kept in their time are given to a person; how many. Raises Unavailable."""
    async with cb.sql.reading() as session:
        connection = await session.connection()
        late = (await connection.execute(_EXPIRED, {"now_ms": now_ms, "most": limit})).all()
    count = 0
    for (promise_id,) in late:
        async with cb.sql.session() as session:
            promise = await record.locked(session, promise_id)
            if promise.state not in _IN_TIME or promise.expires_ms > now_ms or promise.live_contact:
                continue
            there, words = PromiseState.EXPIRED, "not kept in its time"
            await record.change(session, promise, there, "expired", by="line", now_ms=now_ms, words=words)
        await cb.line.leave(turn_name(promise.id, promise.turn), Disposition.SET_ASIDE, now_ms)
        count += 1
    return count


async def tidy(cb: Office, now_ms: int, limit: int = 100) -> int:
    """Promises left between two states, by a word that never came; how many.

    Connected for longer than a talk can last, or of a talk that the line has lost: kept. Dialled without an
    attempt: in the line again.
    """
    count = 0
    for promise in await _between(cb, now_ms, limit):
        if promise.state == PromiseState.CONNECTED and now_ms - (promise.met_ms or 0) < LOST_TALK_MS:
            name = turn_name(promise.id, promise.turn) if promise.turn else promise.held_by
            if await cb.line.contact(name) is not None:
                continue
        async with cb.sql.session() as session:
            count += await _unstuck(session, promise, now_ms)
    return count


async def _between(cb: Office, now_ms: int, limit: int) -> list[Promise]:
    """Connected for some time already, or dialled without an attempt under way or just over."""
    since = {"unknown_ms": now_ms - UNKNOWN_TALK_MS, "stuck_ms": now_ms - STUCK_MS}
    async with cb.sql.reading() as session:
        return list(await session.exec(_BETWEEN, params={**since, "most": limit}))


async def _unstuck(session: AsyncSession, seen: Promise, now_ms: int) -> bool:
    promise = await record.locked(session, seen.id)
    if promise.version != seen.version:
        return False
    if promise.state == PromiseState.CONNECTED:
        await record.change(session, promise, PromiseState.KEPT, "kept", by="line", now_ms=now_ms)
        return True
    if await record.open_attempt(session, promise.id) is not None:
        return False
    there, lost = PromiseState.IN_LINE, "its attempt was lost"
    await record.change(session, promise, there, "in_line", by="line", now_ms=now_ms, words=lost, held_by="")
    return True
