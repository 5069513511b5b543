"""Changing a promise: by its merchant, an agent or a supervisor. SQL first; the line follows, then or later.

Each returns the promise as it now is. All raise Mendable when there is none of that name, Conflict when it
cannot be changed from where it stands, and Unavailable when SQL is away: then nothing has changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import record
from callbacks.making import check_window, rejoin
from callbacks.moments import bounds, next_moment
from callbacks.office import Conflict, Office
from callbacks.states import OPEN, PromiseState
from callbacks.tables import Promise
from callbacks.turns import turn_name
from callbacks.windows import expires_at, later_due
from foundation.errors import Mendable, Unavailable
from queueing.states import ContactState, Disposition

MOVABLE = frozenset({PromiseState.DUE_LATER, PromiseState.IN_LINE})
MOST_WORDS = 200

log = structlog.get_logger(__name__)


async def reschedule(
    cb: Office, promise_id: str, window: tuple[int, int] | None, by: str, now_ms: int
) -> Promise:
    """Another time window; None: as soon as it is its turn. The ticket stays."""
    if window is not None:
        check_window(window, now_ms)
    async with _changing(cb, promise_id, MOVABLE) as (session, promise):
        turn = promise.turn
        if window is None:
            await into_line(cb, session, promise, now_ms, by=by, kind="rescheduled")
        else:
            start_ms, end_ms = window
            due_ms = await _due(cb, promise, max(now_ms, start_ms))
            there = PromiseState.DUE_LATER if promise.state == PromiseState.IN_LINE else None
            await record.change(
                session,
                promise,
                there,
                "rescheduled",
                by=by,
                now_ms=now_ms,
                due_ms=due_ms,
                by_ms=end_ms,
                windowed=True,
                expires_ms=expires_at(cb.policy, due_ms, end_ms),
            )
    await line_follows(cb, promise, turn, now_ms)
    return promise


async def later(cb: Office, promise_id: str, minutes: int, by: str, now_ms: int) -> Promise:
    """Due again in so many minutes, or when the merchant may then be rung first. No try is counted."""
    async with _changing(cb, promise_id, MOVABLE | {PromiseState.CONNECTED}) as (session, promise):
        turn = promise.turn
        if promise.state == PromiseState.CONNECTED and await _talks(cb, promise):
            raise Conflict(_WORDS[PromiseState.CONNECTED])
        zone = promise.time_zone or cb.time_zone
        due_ms = later_due(bounds(cb.policy, cb.hours, zone), minutes, now_ms)
        if due_ms is None:
            raise Mendable("There is no time at which this number may be called.")
        there = None if promise.state == PromiseState.DUE_LATER else PromiseState.DUE_LATER
        await record.change(
            session,
            promise,
            there,
            "later",
            by=by,
            now_ms=now_ms,
            due_ms=due_ms,
            expires_ms=expires_at(cb.policy, due_ms, promise.by_ms),
            held_by="",
        )
    await line_follows(cb, promise, turn, now_ms)
    return promise


async def cancel(cb: Office, promise_id: str, reason: str, by: str, now_ms: int) -> Promise:
    """Withdrawn, from wherever it stands. Cancelled already, it is told as it is."""
    return await _end(cb, promise_id, PromiseState.CANCELLED, "cancelled", reason, by, now_ms)


async def resolve(cb: Office, ids: Collection[str], by: str, reason: str, now_ms: int) -> int:
    """The incident is over and these merchants need no call; how many were still open."""
    count = 0
    for promise_id in sorted(ids):
        try:
            await _end(cb, promise_id, PromiseState.RESOLVED, "resolved", reason, by, now_ms, again=False)
        except (Conflict, Mendable):
            continue
        count += 1
    return count


async def skip(cb: Office, promise_id: str, agent: str, fence: int, reason: str, now_ms: int) -> Promise:
    """The agent who is asked for it does not take it, and says why: it keeps its place for another.

    Raises Conflict when it is not this agent's any more.
    """
    async with cb.sql.session() as session:
        promise = await record.locked(session, promise_id)
        turn = turn_name(promise.id, promise.turn)
        now = await cb.line.contact(turn)
        if now is None or (now.agent, now.fence) != (agent, fence):
            raise Conflict("This callback is not yours any more.", now.agent if now else "")
        words = reason[:MOST_WORDS]
        await record.change(session, promise, None, "skipped", by=agent, now_ms=now_ms, words=words)
    await cb.line.decline(turn, agent, fence, now_ms)
    return promise


async def assign(cb: Office, promise_id: str, agent: str, by: str, now_ms: int) -> Promise:
    """Given to one agent by a supervisor; "" to nobody in particular.

    The agent sees it first on the desk and may claim it. While it waits, the line offers it to that agent
    only, as if all others had passed on it, for ``assigned_ms`` from here (or from its coming into the line:
    then somebody who idles at that moment may be asked first). It is offered to all again when the agent
    declines it, is found not at work, or the time is over. Redis away, it is as if it were not kept.
    """
    async with _changing(cb, promise_id, OPEN) as (session, promise):
        words = agent or "nobody"
        await record.change(
            session, promise, None, "reassigned", by=by, now_ms=now_ms, words=words, agent=agent
        )
    if promise.state == PromiseState.IN_LINE and promise.turn and not promise.live_contact:
        try:
            await cb.line.keep_for(turn_name(promise.id, promise.turn), agent, now_ms)
        except Unavailable as away:
            log.warning("the line was not told", promise=promise.id, why=str(away))
    return promise


async def move(cb: Office, ids: Collection[str], queue: str, by: str, now_ms: int) -> int:
    """Into another queue, ticket and band kept; how many were moved. Those being rung stay where they are."""
    cb.line.policy.queue(queue)
    count = 0
    for promise_id in sorted(ids):
        try:
            async with _changing(cb, promise_id, MOVABLE) as (session, promise):
                fields: dict[str, Any] = {"queue": queue, "mode": cb.policy.mode(queue).value}
                await record.change(
                    session,
                    promise,
                    None,
                    "reassigned",
                    by=by,
                    now_ms=now_ms,
                    words=f"queue {queue}",
                    **fields,
                )
        except (Conflict, Mendable):
            continue
        count += 1
        await _transfer(cb, promise, queue, now_ms)
    return count


async def into_line(
    cb: Office, session: AsyncSession, promise: Promise, now_ms: int, *, by: str, kind: str = "in_line"
) -> None:
    """In the session's transaction: a locked promise gets its next turn, unless it is not the time for it.

    A promise that is in the line stays there, with the turn it has.
    """
    due_ms = await _due(cb, promise, now_ms)
    expires_ms = expires_at(cb.policy, due_ms, promise.by_ms)
    times: dict[str, Any] = {"due_ms": due_ms, "expires_ms": expires_ms, "windowed": promise.windowed}
    if kind == "rescheduled":
        times["windowed"] = False
    given: dict[str, Any] = {"by": by, "now_ms": now_ms, **times}
    if due_ms > now_ms:
        there = PromiseState.DUE_LATER if promise.state != PromiseState.DUE_LATER else None
        await record.change(session, promise, there, "later", **given)
    elif promise.state == PromiseState.IN_LINE:
        await record.change(session, promise, None, kind, **given)
    else:
        await record.change(session, promise, PromiseState.IN_LINE, kind, turn=promise.turn + 1, **given)


@asynccontextmanager
async def _changing(
    cb: Office, promise_id: str, froms: frozenset[PromiseState]
) -> AsyncIterator[tuple[AsyncSession, Promise]]:
    """A transaction on a promise that stands in one of ``froms``."""
    async with cb.sql.session() as session:
        promise = await record.locked(session, promise_id)
        if promise.state not in froms:
            raise Conflict(
                _WORDS.get(PromiseState(promise.state), "This callback is over."), promise.ended_by
            )
        yield session, promise


_WORDS = {
    PromiseState.DIALING: "This callback is being called just now.",
    PromiseState.CONNECTED: "This callback is being kept just now.",
}


async def _end(
    cb: Office,
    promise_id: str,
    there: PromiseState,
    kind: str,
    reason: str,
    by: str,
    now_ms: int,
    *,
    again: bool = True,
) -> Promise:
    async with cb.sql.session() as session:
        promise = await record.locked(session, promise_id)
        if again and promise.state == there:
            return promise
        if not record.is_open(promise):
            raise Conflict("This callback is over.", promise.ended_by)
        await record.change(session, promise, there, kind, by=by, now_ms=now_ms, words=reason[:MOST_WORDS])
    await line_follows(cb, promise, promise.turn, now_ms)
    return promise


async def _due(cb: Office, promise: Promise, at_ms: int) -> int:
    zone = promise.time_zone or cb.time_zone
    due_ms = next_moment(bounds(cb.policy, cb.hours, zone), at_ms)
    if due_ms is None:
        raise Mendable("There is no time at which this number may be called.")
    return due_ms


async def line_follows(cb: Office, promise: Promise, turn: int, now_ms: int) -> None:
    """The turn leaves the line, or comes into it, as SQL says; Redis away, the keeper does it."""
    try:
        if promise.state == PromiseState.IN_LINE:
            if not promise.live_contact and promise.mode != "merchant_first":
                await rejoin(cb, promise, now_ms)
        elif turn:
            name = turn_name(promise.id, turn)
            now = await cb.line.contact(name)
            if now is not None and now.state in (ContactState.WAITING, ContactState.RESERVED):
                await cb.line.leave(name, Disposition.SET_ASIDE, now_ms)
    except Unavailable as away:
        log.warning("the line was not told", promise=promise.id, why=str(away))


async def _talks(cb: Office, promise: Promise) -> bool:
    """Whether the talk goes on, by the line."""
    now = await cb.line.contact(turn_name(promise.id, promise.turn) if promise.turn else promise.held_by)
    return now is not None and now.state is not ContactState.ENDED


async def _transfer(cb: Office, promise: Promise, queue: str, now_ms: int) -> None:
    if promise.state != PromiseState.IN_LINE or promise.live_contact:
        return
    try:
        await cb.line.transfer(turn_name(promise.id, promise.turn), queue, None, now_ms)
    except Unavailable as away:
        log.warning("the line was not told", promise=promise.id, why=str(away))
