"""Changing what SQL says of promises and attempts: one way, which keeps the law, the version and the history.

A row is locked before it is read to be changed (PostgreSQL by ``FOR UPDATE``, SQLite by having one writer),
and is changed by a compare-and-set besides. Promises are locked before their attempts, several in the order
of their ids; so nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import CursorResult, Table, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import states
from callbacks.office import Conflict
from callbacks.states import ATTEMPT_OPEN, OPEN, AttemptState, PromiseState
from callbacks.tables import Attempt, Promise, PromiseEvent
from foundation.errors import Mendable

PROMISES: Table = Promise.__table__  # type: ignore[attr-defined]  # SQLModel makes it at class creation
ATTEMPTS: Table = Attempt.__table__  # type: ignore[attr-defined]  # the same
OPEN_WORDS = tuple(state.value for state in OPEN)
ATTEMPT_OPEN_WORDS = tuple(state.value for state in ATTEMPT_OPEN)


async def locked(session: AsyncSession, promise_id: str) -> Promise:
    """The promise, held until the transaction is over. Raises Mendable when there is none of that name."""
    promise = await locked_if_any(session, promise_id)
    if promise is None:
        raise Mendable("There is no such callback; it may have been removed.")
    return promise


async def locked_if_any(session: AsyncSession, promise_id: str) -> Promise | None:
    """The promise, held until the transaction is over; None when there is none of that name."""
    return (await locked_all(session, [promise_id])).get(promise_id)


async def locked_all(session: AsyncSession, ids: Collection[str]) -> dict[str, Promise]:
    """Those of these promises that there are, held until the transaction is over."""
    found = await session.exec(
        select(Promise)
        .where(col(Promise.id).in_(sorted(ids)))
        .order_by(col(Promise.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {promise.id: promise for promise in found}


async def attempt_with_promise(session: AsyncSession, attempt_id: str) -> tuple[Attempt, Promise] | None:
    """An attempt and its promise, both held until the transaction is over; None when there is no such."""
    promise = await locked_if_any(session, attempt_id.rpartition("-")[0])
    attempt = await session.get(Attempt, attempt_id, populate_existing=True)
    return (attempt, promise) if attempt and promise else None


async def open_attempt(session: AsyncSession, promise_id: str) -> Attempt | None:
    """The attempt of this promise that is under way."""
    found = await session.exec(
        select(Attempt)
        .where(Attempt.promise == promise_id, col(Attempt.state).in_(ATTEMPT_OPEN_WORDS))
        .order_by(col(Attempt.number).desc())
    )
    return found.first()


def is_open(promise: Promise) -> bool:
    return promise.state in OPEN_WORDS


async def change(
    session: AsyncSession,
    promise: Promise,
    there: PromiseState | None,
    kind: str,
    *,
    by: str,
    now_ms: int,
    words: str = "",
    **fields: Any,
) -> None:
    """Move a locked promise ``there`` (None: it stays where it is), set ``fields``, write it down.

    Ending it sets free its number. Raises IllegalMove when the law does not allow it, Conflict when
    the row has changed since it was read.
    """
    if there is not None:
        states.check(PromiseState(promise.state), there)
        fields["state"] = there.value
        if there not in OPEN:
            fields |= {"open_number": None, "ended_ms": now_ms, "ended_by": by}
            fields.setdefault("reason", words)
    fields["version"] = promise.version + 1
    statement = update(PROMISES).where(
        PROMISES.c.id == promise.id,
        PROMISES.c.version == promise.version,
        PROMISES.c.state == promise.state,
    )
    if not await _changed(session, statement.values(**fields)):
        raise Conflict("This callback has just been changed by somebody else: look again.")
    _show(promise, fields)
    session.add(PromiseEvent(promise=promise.id, at_ms=now_ms, kind=kind, by=by, words=words))


async def change_attempt(
    session: AsyncSession, attempt: Attempt, there: AttemptState | None, **fields: Any
) -> bool:
    """Move an attempt ``there`` (None: it stays) and set ``fields``; False when it has moved on since.

    Raises IllegalMove when the law does not allow it.
    """
    if there is not None:
        states.check_attempt(AttemptState(attempt.state), there)
        fields["state"] = there.value
    statement = update(ATTEMPTS).where(ATTEMPTS.c.id == attempt.id, ATTEMPTS.c.state == attempt.state)
    if not await _changed(session, statement.values(**fields)):
        return False
    _show(attempt, fields)
    return True


async def _changed(session: AsyncSession, statement: Any) -> bool:
    connection = await session.connection()
    answer = cast("CursorResult[Any]", await connection.execute(statement))
    return answer.rowcount == 1


def _show(row: SQLModel, fields: dict[str, Any]) -> None:
    """The object says what the row now says, without being written once more."""
    for name, value in fields.items():
        set_committed_value(row, name, value)
