"""What whoever picked up may do: be connected, put the call off, need it no more; or be a machine.

The pick-up (``dialing.answered``) says only which leg is the one that rang. The conversation belongs to
whoever takes the promise (``Promise.held_by``): this leg at the press of 1, or a call by which the merchant
reached us meanwhile, when an agent is brought to it. So a machine that picks up keeps nobody waiting.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam
from sqlalchemy import select as sql_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import record
from callbacks.moments import bounds
from callbacks.office import Office
from callbacks.record import ATTEMPTS
from callbacks.settling import Settled, free_line, over
from callbacks.states import OPEN, AttemptState, PromiseState, Result
from callbacks.tables import Attempt, Promise
from callbacks.windows import expires_at, later_due

BY = "merchant"

_WITH_PROMISE = (
    select(Attempt, Promise)
    .join(Promise, col(Promise.id) == col(Attempt.promise))
    .where(Attempt.id == bindparam("id"))
)
_MESSAGE_BEFORE = sql_select(ATTEMPTS.c.id).where(
    ATTEMPTS.c.promise == bindparam("promise"),
    ATTEMPTS.c.number < bindparam("number"),
    ATTEMPTS.c.message_left,
)


async def look_up(cb: Office, attempt_id: str) -> tuple[Attempt, Promise] | None:
    """An attempt and its promise, as a leg's webhooks name it. Raises Unavailable."""
    async with cb.sql.reading() as session:
        return (await session.exec(_WITH_PROMISE, params={"id": attempt_id})).first()


async def take(cb: Office, attempt_id: str, call_sid: str, now_ms: int) -> bool:
    """1 was pressed on this leg. True, also a second time: it has the conversation. Raises Unavailable."""
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None:
            return False
        attempt, promise = found
        if promise.held_by == call_sid:
            return True
        mine = attempt.state == AttemptState.ANSWERED and attempt.call_sid == call_sid
        if not mine or promise.held_by or promise.state != PromiseState.DIALING:
            return False
        await record.change(session, promise, None, "taken", by=BY, now_ms=now_ms, held_by=call_sid)
    return True


async def put_off(cb: Office, attempt_id: str, minutes: int, now_ms: int) -> int:
    """The merchant was reached and asks to be called later: no try is counted. When it is due then (ms); 0
    when it is too late for that. A repeat is told the same. Raises Unavailable.
    """
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None:
            return 0
        attempt, promise = found
        if _done_before(attempt, promise, PromiseState.DUE_LATER):
            return promise.due_ms
        if not _in_hand(attempt, promise):
            return 0
        zone = promise.time_zone or cb.time_zone
        due_ms = later_due(bounds(cb.policy, cb.hours, zone), minutes, now_ms) or now_ms + minutes * 60_000
        times: dict[str, Any] = {"due_ms": due_ms, "expires_ms": expires_at(cb.policy, due_ms, promise.by_ms)}
        settled = await _end(session, attempt, promise, PromiseState.DUE_LATER, "later", now_ms, **times)
    await free_line(cb, settled, now_ms)
    return due_ms


async def call_no_more(cb: Office, attempt_id: str, now_ms: int) -> bool:
    """The merchant was reached and needs no call any more. False when it is too late for that; a repeat is
    told the same. Raises Unavailable."""
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None:
            return False
        attempt, promise = found
        if _done_before(attempt, promise, PromiseState.CANCELLED):
            return True
        if not _in_hand(attempt, promise):
            return False
        words = {"words": "the merchant pressed 3"}
        settled = await _end(session, attempt, promise, PromiseState.CANCELLED, "cancelled", now_ms, **words)
    await free_line(cb, settled, now_ms)
    return True


async def unattended(cb: Office, attempt_id: str, now_ms: int) -> str:
    """Nobody pressed a key: not reached. Which message is to be left, ``called_message`` or, after the last
    try, ``called_message_last``; "" when one was left before, or the merchant is on the line or needs no call
    any more. Raises Unavailable.
    """
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None:
            return ""
        attempt, promise = found
        if attempt.message_left:  # a repeat of the same question
            return _message(PromiseState(promise.state))
        if promise.live_contact or not record.is_open(promise):
            return ""
        first = attempt.number == 1 or not await _left_before(session, attempt)
        if first:
            await record.change_attempt(session, attempt, None, message_left=True)
    settled = await over(cb, attempt_id, Result.MACHINE, now_ms)
    if not first:
        return ""
    return _message(settled.state if settled else PromiseState.DUE_LATER)


def _message(state: PromiseState) -> str:
    if state is PromiseState.UNREACHABLE:
        return "called_message_last"
    return "called_message" if state in OPEN else ""


def _done_before(attempt: Attempt, promise: Promise, there: PromiseState) -> bool:
    """The merchant's key has ended this attempt and brought the promise there."""
    given_up = attempt.state == AttemptState.WITHDRAWN and attempt.answered_ms is not None
    return given_up and promise.state == there


def _in_hand(attempt: Attempt, promise: Promise) -> bool:
    """The merchant has picked up and is nobody's yet."""
    open_yet = attempt.state == AttemptState.ANSWERED and promise.state == PromiseState.DIALING
    return open_yet and not promise.held_by


async def _left_before(session: AsyncSession, attempt: Attempt) -> bool:
    connection = await session.connection()
    earlier = {"promise": attempt.promise, "number": attempt.number}
    return (await connection.execute(_MESSAGE_BEFORE, earlier)).first() is not None


async def _end(
    session: AsyncSession,
    attempt: Attempt,
    promise: Promise,
    there: PromiseState,
    kind: str,
    now_ms: int,
    **fields: Any,
) -> Settled:
    """The attempt counts for nothing, and the promise goes where the merchant wished."""
    await record.change_attempt(session, attempt, AttemptState.WITHDRAWN, ended_ms=now_ms)
    await record.change(session, promise, there, kind, by=BY, now_ms=now_ms, **fields)
    return Settled(attempt, promise.id, there)
