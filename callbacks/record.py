"""Changing what SQL says of promises and attempts: one way, which keeps the law, the version and the history.

A row is locked before it is read to be changed (PostgreSQL by ``FOR UPDATE``, SQLite by having one writer),
and is changed by a compare-and-set besides. Promises are locked before their attempts, several in the order
of their ids; so nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Table, Update, bindparam, func, insert, literal, update
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
EVENTS: Table = PromiseEvent.__table__  # type: ignore[attr-defined]  # the same
OPEN_WORDS = tuple(state.value for state in OPEN)
ATTEMPT_OPEN_WORDS = tuple(state.value for state in ATTEMPT_OPEN)

# Of literals: a list of plain values is written into the statement anew each time it is asked.
IS_OPEN = PROMISES.c.state.in_([literal(word) for word in OPEN_WORDS])
"""In a question: the promise is open. By its state, for which SQLite takes an index; for "open_number is not
null" it reads every promise there ever was."""
NO_CALL_HOLDS_IT = func.length(PROMISES.c.live_contact) == 0
"""In a question: the merchant is not on the line. By the length: ``== ""`` makes SQLite take that column's
index, and there nearly all promises are alike."""
IS_UNDER_WAY = ATTEMPTS.c.state.in_([literal(word) for word in ATTEMPT_OPEN_WORDS])
"""In a question: the attempt is not over."""

# Made once; what is asked for is given with them.
_PROMISE = select(Promise).where(Promise.id == bindparam("id"))
_PROMISE_HELD = _PROMISE.with_for_update().execution_options(populate_existing=True)
_PROMISES_HELD = (
    select(Promise)
    .where(col(Promise.id).in_(bindparam("ids", expanding=True)))
    .order_by(col(Promise.id))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_ATTEMPT = select(Attempt).where(Attempt.id == bindparam("id"))
_ATTEMPT_ANEW = _ATTEMPT.execution_options(populate_existing=True)
_ATTEMPT_UNDER_WAY = (
    select(Attempt)
    .where(Attempt.promise == bindparam("promise"), IS_UNDER_WAY)
    .order_by(col(Attempt.number).desc())
)
# The columns to set are those that are given besides.
_CHANGE = update(PROMISES).where(
    PROMISES.c.id == bindparam("its_id"),
    PROMISES.c.version == bindparam("read_version"),
    PROMISES.c.state == bindparam("read_state"),
)
_CHANGE_ATTEMPT = update(ATTEMPTS).where(
    ATTEMPTS.c.id == bindparam("its_id"), ATTEMPTS.c.state == bindparam("read_state")
)
_NOTE = insert(EVENTS)


async def promise(session: AsyncSession, promise_id: str) -> Promise | None:
    """The promise as it now is, to be looked at only; None when there is none of that name."""
    return (await session.exec(_PROMISE, params={"id": promise_id})).first()


async def attempt(session: AsyncSession, attempt_id: str) -> Attempt | None:
    """The attempt as it now is; None when there is none of that name."""
    return (await session.exec(_ATTEMPT, params={"id": attempt_id})).first()


async def locked(session: AsyncSession, promise_id: str) -> Promise:
    """The promise, held until the transaction is over. Raises Mendable when there is none of that name."""
    promise = await locked_if_any(session, promise_id)
    if promise is None:
        raise Mendable("There is no such callback; it may have been removed.")
    return promise


async def locked_if_any(session: AsyncSession, promise_id: str) -> Promise | None:
    """The promise, held until the transaction is over; None when there is none of that name."""
    return (await session.exec(_PROMISE_HELD, params={"id": promise_id})).first()


async def locked_all(session: AsyncSession, ids: Collection[str]) -> dict[str, Promise]:
    """Those of these promises that there are, held until the transaction is over."""
    if not ids:
        return {}
    found = await session.exec(_PROMISES_HELD, params={"ids": sorted(ids)})
    return {promise.id: promise for promise in found}


async def attempt_with_promise(session: AsyncSession, attempt_id: str) -> tuple[Attempt, Promise] | None:
    """An attempt and its promise, both held until the transaction is over; None when there is no such."""
    promise = await locked_if_any(session, attempt_id.rpartition("-")[0])
    attempt = (await session.exec(_ATTEMPT_ANEW, params={"id": attempt_id})).first()
    return (attempt, promise) if attempt and promise else None


async def open_attempt(session: AsyncSession, promise_id: str) -> Attempt | None:
    """The attempt of this promise that is under way."""
    return (await session.exec(_ATTEMPT_UNDER_WAY, params={"promise": promise_id})).first()


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
    read = {"its_id": promise.id, "read_version": promise.version, "read_state": promise.state}
    if not await _changed(session, _CHANGE, read | fields):
        raise Conflict("This callback has just been changed by somebody else: look again.")
    _show(promise, fields)
    await note(session, promise.id, kind, by=by, now_ms=now_ms, words=words)


async def note(
    session: AsyncSession, promise_id: str, kind: str, *, by: str, now_ms: int, words: str = ""
) -> None:
    """A line of a promise's history, in the transaction of what it tells of."""
    connection = await session.connection()
    told = {"promise": promise_id, "at_ms": now_ms, "kind": kind, "by": by, "words": words}
    await connection.execute(_NOTE, told)


async def change_attempt(
    session: AsyncSession, attempt: Attempt, there: AttemptState | None, **fields: Any
) -> bool:
    """Move an attempt ``there`` (None: it stays) and set ``fields``; False when it has moved on since.

    Raises IllegalMove when the law does not allow it.
    """
    if there is not None:
        states.check_attempt(AttemptState(attempt.state), there)
        fields["state"] = there.value
    read = {"its_id": attempt.id, "read_state": attempt.state}
    if not await _changed(session, _CHANGE_ATTEMPT, read | fields):
        return False
    _show(attempt, fields)
    return True


async def _changed(session: AsyncSession, statement: Update, given: dict[str, Any]) -> bool:
    connection = await session.connection()
    return (await connection.execute(statement, given)).rowcount == 1


def _show(row: SQLModel, fields: dict[str, Any]) -> None:
    """The object says what the row now says, without being written once more."""
    for name, value in fields.items():
        set_committed_value(row, name, value)
