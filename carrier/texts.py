"""Texts out, each sent once at most: written down, claimed, sent, and followed to its end.

The row is the intent; it is committed before the carrier is asked. An unknown answer is looked up at the
carrier, never repeated. ``send`` and ``settle`` are for workers. Verbs that take a session are for whoever
has a transaction already: so a text is written with what it tells of.
"""

from __future__ import annotations

import zlib
from typing import Any
from urllib.parse import urlencode

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier import text_states
from carrier.answers import Ambiguous, Busy, Message, Refused
from carrier.optouts import Notes, is_opted_out, opt_in, opt_out, take_turns
from carrier.segments import segments
from carrier.tables import Text
from carrier.text_record import (
    WORD_WITHIN_MS,
    Backlog,
    Claimed,
    backlog,
    change,
    change_claimed,
    claim,
    delivered,
    due,
    move,
    move_claimed,
    number_of,
    unsettled,
    write,
)
from carrier.text_states import MOVES, TERMINAL, TextState
from carrier.twilio_rest import Carrier
from foundation.clock import Clock
from foundation.connections import Sql

__all__ = [
    "MOVES", "Backlog", "Notes", "TextState", "backlog", "delivered", "due", "is_opted_out", "opt_in",
    "opt_out", "segments", "send", "settle", "take", "unsettled", "write",
]  # fmt: skip

SEND_WITHIN_MS = 5_000
"""A claim is good for so long: the carrier is not asked after it, whoever wakes up."""
LOOK_AFTER_MS = 10_000
"""So long after that an unanswered request has been given up by the carrier's client too."""
SURE_AFTER_MS = 30_000
"""So long after that a text which the carrier does not list was not sent."""
SKEW_MS = 60_000
"""Their clock and ours; what another row is known by does not count anyway."""
BUSY_WAIT_MS = 10_000
FULL_WAIT_MS = 60_000
"""The sender's queue at Twilio holds ten hours of texts: there is no hurry."""
KEEP_TRYING_MS = 48 * 3_600_000
"""A text that the carrier has not taken for so long after it was made fails."""

OPTED_OUT = 21610
SENDER_FULL = 21611
_NOT_THIS_TEXT = frozenset({401, 403})
"""The account's fault, not the text's: mended by somebody, and then the text can go."""


# --- sending ------------------------------------------------------------------------------------------


async def take(session: AsyncSession, text_id: str, now_ms: int) -> Claimed | None:
    """Claim a text for sending: it is yours from the commit until ``send_by_ms``. None: it is not to be sent.

    The look at the opt-outs and the claim are one: no claim is committed after an opt-out.
    """
    number = await number_of(session, text_id)
    if number is None:
        return None
    await take_turns(session, number)
    send_by_ms = now_ms + SEND_WITHIN_MS
    claimed = await claim(session, text_id, now_ms, send_by_ms, send_by_ms + LOOK_AFTER_MS)
    if claimed is None and await is_opted_out(session, number):
        await move(
            session, text_id, TextState.SKIPPED, (TextState.QUEUED,), error="opted out", done_ms=now_ms
        )
    return claimed


async def send(
    sql: Sql,
    carrier: Carrier,
    text_id: str,
    *,
    from_: str,
    callback: str,
    clock: Clock,
    notes: Notes | None = None,
) -> TextState | None:
    """Send a queued text, once. What became of it; None when there was nothing to send.

    ``callback`` (a URL without a query) is told of its progress. Raises Unavailable when a store does not
    answer: before the carrier was asked the text stays queued, afterwards ``settle`` finds out.
    """
    if notes is not None:
        await notes.bring_in(sql)
    async with sql.session() as session:
        row = await take(session, text_id, clock.now_ms())
    if row is None:
        return None
    async with sql.reading() as session:
        stopped = await is_opted_out(session, row.number)
    if stopped:
        return await _note(sql, row, TextState.SKIPPED, error="opted out", done_ms=clock.now_ms())
    if clock.now_ms() > row.send_by_ms:
        return await _note(sql, row, TextState.QUEUED, error="not sent in time")
    try:
        sid = await carrier.text(
            row.number, from_, row.body, status_callback=f"{callback}?{urlencode({'text': row.id})}"
        )
    except Busy:
        return await _later(sql, row, clock.now_ms(), BUSY_WAIT_MS, "busy")
    except Ambiguous:
        return await _note(sql, row, TextState.UNKNOWN, error="no answer")
    except Refused as refused:
        return await _refused(sql, row, refused, clock.now_ms())
    return await _handed_over(sql, row, sid, clock.now_ms())


async def _handed_over(sql: Sql, row: Claimed, sid: str, now_ms: int) -> TextState:
    """The carrier has it, whoever holds the row by now: this is a fact, not a claim."""
    async with sql.session() as session:
        await move(
            session,
            row.id,
            TextState.SENT,
            text_states.before(TextState.SENT),
            message_sid=sid,
            lease_ms=now_ms + WORD_WITHIN_MS,
            error="",
        )
    return TextState.SENT


async def _refused(sql: Sql, row: Claimed, refused: Refused, now_ms: int) -> TextState | None:
    if refused.code == SENDER_FULL or refused.status in _NOT_THIS_TEXT:
        return await _later(sql, row, now_ms, FULL_WAIT_MS, str(refused.code))
    if refused.code == OPTED_OUT:
        async with sql.session() as session:
            await opt_out(session, row.number, str(OPTED_OUT), now_ms)
            await move_claimed(session, row, TextState.FAILED, error=str(OPTED_OUT), done_ms=now_ms)
        return TextState.FAILED
    return await _note(sql, row, TextState.FAILED, error=str(refused.code), done_ms=now_ms)


async def _later(sql: Sql, row: Claimed, now_ms: int, wait_ms: int, why: str) -> TextState | None:
    """Surely not sent: queued again, not all at the same moment, and not for ever."""
    if now_ms - row.made_ms > KEEP_TRYING_MS:
        return await _note(sql, row, TextState.FAILED, error=f"given up: {why}", done_ms=now_ms)
    spread_ms = zlib.crc32(f"{row.id} {now_ms}".encode()) % wait_ms
    return await _note(sql, row, TextState.QUEUED, not_before_ms=now_ms + wait_ms + spread_ms, error=why)


async def _note(sql: Sql, row: Claimed, state: TextState, **values: Any) -> TextState | None:
    async with sql.session() as session:
        return state if await move_claimed(session, row, state, **values) else None


# --- what became of it --------------------------------------------------------------------------------


async def settle(
    sql: Sql, carrier: Carrier, text_id: str, *, from_: str, now_ms: int, limit: int = 1000
) -> TextState | None:
    """Find out at the carrier what became of a text nobody knows about; its state afterwards.

    Not earlier than its send deadline and the carrier's own allow. A text that is not there is queued again
    only when it surely was not sent. Raises Unavailable (SQL or the carrier), Refused, Busy: nothing changed.
    """
    async with sql.reading() as session:
        row = await session.get(Text, text_id)
    if row is None or row.lease_ms is None or now_ms < row.lease_ms:
        return None if row is None else TextState(row.state)
    if row.state == TextState.SENT:
        return await _ask_once(sql, carrier, row, now_ms)
    if row.state not in (TextState.SENDING, TextState.UNKNOWN):
        return TextState(row.state)
    since_ms = row.made_ms - SKEW_MS
    listed = await carrier.texts(to=row.number, from_=from_, since_ms=since_ms, limit=limit)
    async with sql.session() as session:
        await take_turns(session, row.number)
        there = await _ours(session, row, listed)
        if there is not None:
            await delivered(session, there.sid, there.status, there.error, now_ms, text_id=row.id)
        elif now_ms >= (row.send_by_ms or 0) + SURE_AFTER_MS and len(listed) < limit:
            await move_claimed(session, row, TextState.QUEUED, error="not at the carrier")
        else:
            await _wait_for_certainty(session, row)
    async with sql.reading() as session:
        settled = await session.get(Text, text_id)
    return None if settled is None else TextState(settled.state)


async def _ours(session: AsyncSession, row: Text, listed: list[Message]) -> Message | None:
    """The oldest text of these words that is no other row's: two rows with the same words get one each."""
    same = [
        each
        for each in listed
        if each.body.strip() == row.body.strip() and each.direction.startswith("outbound")
    ]
    sids = [each.sid for each in same]
    taken = set(await session.exec(select(Text.message_sid).where(col(Text.message_sid).in_(sids))))
    return next((each for each in reversed(same) if each.sid not in taken), None)


async def _wait_for_certainty(session: AsyncSession, row: Text) -> None:
    """Not there, and not surely unsent: looked up again when it is."""
    await change_claimed(
        session,
        row,
        (row.state,),
        state=TextState.UNKNOWN,
        lease_ms=(row.send_by_ms or 0) + SURE_AFTER_MS,
    )


async def _ask_once(sql: Sql, carrier: Carrier, row: Text, now_ms: int) -> TextState | None:
    """The report on a sent text is overdue. Some carriers never report: it is asked for once."""
    there = await carrier.message(row.message_sid)
    async with sql.session() as session:
        if there is not None and text_states.told(there.status) in TERMINAL:
            await delivered(session, there.sid, there.status, there.error, now_ms)
        await change(session, row.id, (TextState.SENT,), lease_ms=None)
        now = await session.get(Text, row.id, populate_existing=True)
    return None if now is None else TextState(now.state)
