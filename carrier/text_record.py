"""What is kept of each text in SQL, and how it changes: every move is a compare-and-set along the law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier import text_states
from carrier.optouts import is_opted_out
from carrier.segments import LONGEST, segments
from carrier.tables import Text
from carrier.text_states import MOVES, TERMINAL, TextState
from foundation.errors import Mendable
from foundation.sql import insert

WORD_WITHIN_MS = 15 * 60_000
"""No report on a sent text for so long: it is asked for, once."""
AT_THE_CARRIER_MS = 3_600_000
"""A handed-over text counts as still in the carrier's queue for so long, when nothing is heard of it."""
_HANDED = ("queued", "sending", "accepted", "scheduled")


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is still to be sent. ``ends_ms``: when the last of it will have left, at the sender's pace."""

    count: int
    segments: int
    ends_ms: int


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
    wanted = insert(session, Text).values(row.model_dump())
    connection = await session.connection()
    written = await connection.execute(
        wanted.on_conflict_do_nothing(index_elements=["id"]).returning(col(Text.id))
    )
    return written.first() is not None


async def _just_written(session: AsyncSession, row: Text, pause_ms: int) -> bool:
    """Whether another text of this kind was written to this number just now, and not skipped."""
    same = select(Text.id).where(
        Text.number == row.number,
        Text.kind == row.kind,
        Text.id != row.id,
        Text.made_ms > row.made_ms - pause_ms,
        Text.state != TextState.SKIPPED,
    )
    return (await session.exec(same.limit(1))).first() is not None


async def due(session: AsyncSession, now_ms: int, limit: int = 100) -> list[str]:
    """The ids of texts whose time has come, the oldest first."""
    found = await session.exec(
        select(Text.id)
        .where(col(Text.state) == TextState.QUEUED, col(Text.not_before_ms) <= now_ms)
        .order_by(col(Text.not_before_ms), col(Text.id))
        .limit(limit)
    )
    return list(found)


async def unsettled(session: AsyncSession, now_ms: int, limit: int = 100) -> list[str]:
    """The ids of texts to be looked up: unknown, left by their worker, or never reported on."""
    open_ = [TextState.SENDING, TextState.UNKNOWN, TextState.SENT]
    found = await session.exec(
        select(Text.id)
        .where(col(Text.state).in_(open_), col(Text.lease_ms) <= now_ms)
        .order_by(col(Text.lease_ms), col(Text.id))
        .limit(limit)
    )
    return list(found)


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
        return "sent_ms" in values and await change(
            session, row.id, (col(Text.state) == state,), sent_ms=now_ms
        )
    return await move(session, row.id, state, text_states.before(state), **values)


async def _reported(session: AsyncSession, sid: str, text_id: str) -> Text | None:
    found = (await session.exec(select(Text).where(col(Text.message_sid) == sid))).first() if sid else None
    if found is None and text_id:
        found = await session.get(Text, text_id)
        if found is not None and found.message_sid:
            return None  # it was sent under another name; this one is not the row's
    return found


async def backlog(session: AsyncSession, now_ms: int, per_second: float = 1.0) -> Backlog:
    """What waits, here and in the carrier's queue, and when the last will have left at this pace.

    ``per_second`` is the sender's pace in segments.
    A text that is not to go before a later time does not hold up the others, and counts from then on.
    """
    here = select(Text.not_before_ms, Text.segments).where(
        col(Text.state).in_([TextState.QUEUED, TextState.SENDING, TextState.UNKNOWN])
    )
    there = select(Text.not_before_ms, Text.segments).where(
        col(Text.state) == TextState.SENT,
        col(Text.sent_ms).is_(None),
        col(Text.send_by_ms) > now_ms - AT_THE_CARRIER_MS,
    )
    waiting = sorted([*await session.exec(here), *await session.exec(there)])
    free_ms = float(now_ms)
    for not_before_ms, parts in waiting:
        free_ms = max(free_ms, not_before_ms) + parts * 1000 / per_second
    return Backlog(len(waiting), sum(parts for _, parts in waiting), round(free_ms))


async def move(
    session: AsyncSession,
    text_id: str,
    state: TextState,
    here: frozenset[TextState] | tuple[TextState, ...],
    conditions: tuple[Any, ...] = (),
    **values: Any,
) -> bool:
    """From one of these states to ``state``, if the row still stands there."""
    lawful = [each for each in here if state in MOVES[each]]
    return await change(session, text_id, (col(Text.state).in_(lawful), *conditions), state=state, **values)


async def move_claimed(session: AsyncSession, row: Text, state: TextState, **values: Any) -> bool:
    """As long as the claim is this row's: who was overtaken changes nothing."""
    claim = (col(Text.send_by_ms) == row.send_by_ms,)
    return await move(session, row.id, state, (TextState.SENDING, TextState.UNKNOWN), claim, **values)


async def change(session: AsyncSession, text_id: str, conditions: tuple[Any, ...], **values: Any) -> bool:
    statement = update(Text).where(col(Text.id) == text_id, *conditions).values(**values)
    connection = await session.connection()
    changed = await connection.execute(statement)
    return changed.rowcount == 1
