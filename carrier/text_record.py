"""What is kept of each text in SQL, and how it changes: every move is a compare-and-set along the law."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, case, func, or_, select, text, update
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier import text_states
from carrier.optouts import is_opted_out, opted_out
from carrier.segments import LONGEST, segments
from carrier.tables import Text
from carrier.text_states import MOVES, TERMINAL, TextState
from foundation.errors import Mendable
from foundation.sql import insert_once

WORD_WITHIN_MS = 15 * 60_000
"""No report on a sent text for so long: it is asked for, once."""
AT_THE_CARRIER_MS = 3_600_000
"""A handed-over text counts as still in the carrier's queue for so long, when nothing is heard of it."""
_TEXT = SQLModel.metadata.tables["text"]
_HANDED = ("queued", "sending", "accepted", "scheduled")


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is still to be sent. ``ends_ms``: when the last of it will have left, at the sender's pace."""

    count: int
    segments: int
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A text that somebody has claimed, until ``send_by_ms``."""

    id: str
    number: str
    body: str
    made_ms: int
    send_by_ms: int


async def write(session: AsyncSession, row: Text, pause_ms: int = 0) -> bool:
    """Write a text down, to be sent from ``row.not_before_ms`` on. False: it was written before.

    A number that has opted out gets a row in state ``skipped``, and so does one that was written a text of
    the same kind within ``pause_ms``. ``state`` and ``segments`` are set here.
    Raises Mendable for a body that is empty or longer than Twilio takes.
    """
    if not row.body.strip() or len(row.body) > LONGEST:
        raise Mendable(f"a text has 1 to {LONGEST} characters")
    row.segments, row.state, row.error = segments(row.body), TextState.QUEUED, ""
    if await is_opted_out(session, row.number):
        row.state, row.error, row.done_ms = TextState.SKIPPED, "opted out", row.made_ms
    elif pause_ms and await _just_written(session, row, pause_ms):
        row.state, row.error, row.done_ms = TextState.SKIPPED, "too soon", row.made_ms
    return await insert_once(session, row, "id")


async def _just_written(session: AsyncSession, row: Text, pause_ms: int) -> bool:
    """Whether another text of this kind was written to this number just now, and not skipped."""
    connection = await session.connection()
    given = {"text": row.id, "to": row.number, "of": row.kind, "since_ms": row.made_ms - pause_ms}
    return (await connection.execute(_SAME_SINCE, given)).first() is not None


_SAME_SINCE = (
    select(_TEXT.c.id)
    .where(
        _TEXT.c.number == bindparam("to"),
        _TEXT.c.kind == bindparam("of"),
        _TEXT.c.id != bindparam("text"),
        _TEXT.c.made_ms > bindparam("since_ms"),
        _TEXT.c.state != TextState.SKIPPED,
    )
    .limit(1)
)


async def due(session: AsyncSession, now_ms: int, limit: int = 100) -> dict[str, int]:
    """The texts whose time has come, the oldest first: each one's segments by its id."""
    connection = await session.connection()
    found = await connection.execute(_DUE, {"now_ms": now_ms, "most": limit})
    return {text_id: parts for text_id, parts in found}


_DUE = (
    select(_TEXT.c.id, _TEXT.c.segments)
    .where(_TEXT.c.state == TextState.QUEUED, _TEXT.c.not_before_ms <= bindparam("now_ms"))
    .order_by(_TEXT.c.not_before_ms, _TEXT.c.id)
    .limit(bindparam("most"))
)


async def unsettled(session: AsyncSession, now_ms: int, limit: int = 100) -> list[str]:
    """The ids of texts to be looked up: unknown, left by their worker, or never reported on."""
    connection = await session.connection()
    return list((await connection.execute(_UNSETTLED, {"now_ms": now_ms, "most": limit})).scalars())


_UNSETTLED = (
    select(_TEXT.c.id)
    .where(
        _TEXT.c.state.in_([TextState.SENDING, TextState.UNKNOWN, TextState.SENT]),
        _TEXT.c.lease_ms <= bindparam("now_ms"),
    )
    .order_by(_TEXT.c.lease_ms, _TEXT.c.id)
    .limit(bindparam("most"))
)


async def delivered(
    session: AsyncSession, sid: str, status: str, error: str, now_ms: int, *, text_id: str = ""
) -> bool:
    """The carrier's report on a text: late, twice, in any order. True when it changed something.

    ``text_id`` is what our callback URL brings along: the report may be here before the answer that has the
    SID, or instead of it. A terminal state stands.
    """
    state = text_states.told(status)
    row = await _reported(session, sid, text_id)
    if state is None or row is None:
        return False
    values: dict[str, Any] = {"message_sid": sid, "error": error[:80]}
    if state in TERMINAL:
        values["done_ms"] = now_ms
    else:
        values["lease_ms"] = now_ms + WORD_WITHIN_MS
    if status not in _HANDED and row.sent_ms is None:
        values["sent_ms"] = now_ms
    if state == row.state == TextState.SENT:  # it has left, or this is a repeat
        return "sent_ms" in values and await change(session, row.id, (state,), sent_ms=now_ms)
    return await move(session, row.id, state, text_states.before(state), **values)


async def _reported(session: AsyncSession, sid: str, text_id: str) -> Any:
    """The row that a report is about, as far as ``delivered`` looks at it; or None."""
    connection = await session.connection()
    found = (await connection.execute(_OF_SID, {"sid": sid})).first() if sid else None
    if found is None and text_id:
        found = (await connection.execute(_OF_ID, {"text": text_id})).first()
        if found is not None and found.message_sid:
            return None  # it was sent under another name; this one is not the row's
    return found


_STANDING = select(_TEXT.c.id, _TEXT.c.state, _TEXT.c.sent_ms, _TEXT.c.message_sid)
_OF_SID = _STANDING.where(_TEXT.c.message_sid == bindparam("sid"))
_OF_ID = _STANDING.where(_TEXT.c.id == bindparam("text"))


async def backlog(session: AsyncSession, now_ms: int, per_second: float = 1.0) -> Backlog:
    """What waits, here and in the carrier's queue, and when the last will have left at this pace.

    ``per_second`` is the sender's pace in segments.
    A text that is not to go before a later time does not hold up the others, and counts from then on.
    """
    connection = await session.connection()
    given = {"now_ms": now_ms, "since_ms": now_ms - AT_THE_CARRIER_MS}
    count, all_parts, free_ms = 0, 0, float(now_ms)
    for from_ms, texts, parts in await connection.execute(_WAITING, given):
        count, all_parts = count + texts, all_parts + parts
        free_ms = max(free_ms, from_ms) + parts * 1000 / per_second
    return Backlog(count, all_parts, round(free_ms))


_FROM_MS = case(
    (_TEXT.c.not_before_ms > bindparam("now_ms"), _TEXT.c.not_before_ms), else_=bindparam("now_ms")
).label("from_ms")
_WAITING = (
    select(_FROM_MS, func.count(), func.sum(_TEXT.c.segments))
    .where(
        or_(
            _TEXT.c.state.in_([TextState.QUEUED, TextState.SENDING, TextState.UNKNOWN]),
            and_(
                _TEXT.c.state == TextState.SENT,
                _TEXT.c.sent_ms.is_(None),
                _TEXT.c.send_by_ms > bindparam("since_ms"),
            ),
        )
    )
    .group_by(text("from_ms"))
    .order_by(text("from_ms"))
)


async def move(
    session: AsyncSession,
    text_id: str,
    state: TextState,
    here: frozenset[TextState] | tuple[TextState, ...],
    **values: Any,
) -> bool:
    """From one of these states to ``state``, if the row still stands there."""
    return await change(session, text_id, _lawful(here, state), state=state, **values)


async def move_claimed(session: AsyncSession, row: Text | Claimed, state: TextState, **values: Any) -> bool:
    """As long as the claim is this row's: who was overtaken changes nothing."""
    here = _lawful((TextState.SENDING, TextState.UNKNOWN), state)
    return await change_claimed(session, row, here, state=state, **values)


def _lawful(here: Iterable[TextState], state: TextState) -> tuple[TextState, ...]:
    return tuple(each for each in here if state in MOVES[each])


async def change(session: AsyncSession, text_id: str, here: Sequence[str], **values: Any) -> bool:
    """Set these columns, if the row stands in one of these states."""
    return await _changed(session, _CHANGE, {"text": text_id, "here": here, **values})


async def change_claimed(
    session: AsyncSession, row: Text | Claimed, here: Sequence[str], **values: Any
) -> bool:
    """The same, as long as the claim is this row's."""
    given = {"text": row.id, "here": here, "claim": row.send_by_ms, **values}
    return await _changed(session, _CHANGE_CLAIMED, given)


async def _changed(session: AsyncSession, statement: Any, given: dict[str, Any]) -> bool:
    connection = await session.connection()
    return (await connection.execute(statement, given)).rowcount == 1


# Made once: which columns are set, they learn from what is given.
_CHANGE = update(_TEXT).where(
    _TEXT.c.id == bindparam("text"), _TEXT.c.state.in_(bindparam("here", expanding=True))
)
_CHANGE_CLAIMED = _CHANGE.where(_TEXT.c.send_by_ms.is_not_distinct_from(bindparam("claim")))


async def claim(
    session: AsyncSession, text_id: str, now_ms: int, by_ms: int, lease_ms: int
) -> Claimed | None:
    """A queued text becomes yours until ``by_ms``, if its time has come and its number has not opted out."""
    connection = await session.connection()
    given = {"text": text_id, "now_ms": now_ms, "by_ms": by_ms, "lease": lease_ms}
    claimed = (await connection.execute(_CLAIM, given)).first()
    return None if claimed is None else Claimed(*claimed)


_DUE_CLAIM = (
    update(_TEXT)
    .where(
        _TEXT.c.id == bindparam("text"),
        _TEXT.c.state == TextState.QUEUED,
        _TEXT.c.not_before_ms <= bindparam("now_ms"),
    )
    .values(state=TextState.SENDING, send_by_ms=bindparam("by_ms"), lease_ms=bindparam("lease"), error="")
    .returning(_TEXT.c.id, _TEXT.c.number, _TEXT.c.body, _TEXT.c.made_ms, _TEXT.c.send_by_ms)
)
_CLAIM = _DUE_CLAIM.where(~opted_out(_TEXT.c.number))


async def number_of(session: AsyncSession, text_id: str) -> str | None:
    """The number a text goes to; None: there is no such text."""
    connection = await session.connection()
    return (await connection.execute(_NUMBER, {"text": text_id})).scalar()


_NUMBER = select(_TEXT.c.number).where(_TEXT.c.id == bindparam("text"))
