"""What a text from a merchant is about: the incident they are told of, and the call they ask for anew.

What ends or opens a follow-up that there is already, is in ``deflection``.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from merchants import directory
from surge import board, deflection, followups, record, texted
from surge.office import Watch
from surge.states import FollowUpState, IncidentState
from surge.tables import FollowUp, Incident, Subscription

LATELY_MS = 14 * 24 * 3_600_000
"""An incident that was over longer ago is nobody's subject any more."""


async def status(watch: Watch, number: str, language: str, now_ms: int) -> str:
    """How the incident stands that this number subscribed to, or is followed up about; "" when there is none.

    Raises Unavailable.
    """
    async with watch.sql.reading() as session:
        row = await _subject(session, number, now_ms)
        if row is None:
            return ""
        if row.state == IncidentState.VERIFIED:
            merchant = (await directory.find(session, number)).merchant
            audience = followups.audience_of(row.audience, merchant.id if merchant else None)
            return texted.over(watch, row, language, audience)
        if row.state == IncidentState.RESOLVED:
            return texted.ended(watch, row, language)
        return texted.status(watch, await board.told(session, row), language, now_ms)


async def concerned(watch: Watch, number: str, now_ms: int) -> bool:
    """Whether there is an incident that ``status`` would tell of. Raises Unavailable."""
    async with watch.sql.reading() as session:
        return await _subject(session, number, now_ms) is not None


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that asks for a call. ``message`` is the carrier's name for it: once a message."""

    message: str
    number: str
    language: str


async def asks_for_a_call(watch: Watch, asked: Asked, now_ms: int) -> FollowUp | None:
    """Who subscribed and never rang is to be called: followed up from now on. None for anybody else.

    Raises Unavailable.
    """
    async with watch.sql.session() as session:
        row = await _subject(session, asked.number, now_ms, subscribers=True)
        if row is None:
            return None
        merchant = (await directory.find(session, asked.number)).merchant
        owed = followups.Owed(
            id=asked.message,
            why="asked",
            at_ms=now_ms,
            number=asked.number,
            merchant_id=merchant.id if merchant else None,
            merchant=merchant.name if merchant else "",
            tier=merchant.tier if merchant else "",
            language=asked.language,
            arrival_us=now_ms * 1000,
            incident=row.id,
            audience=row.audience,
        )
        await record.take_turns(session, owed.turns)
        await followups.make(session, owed)
        (made,) = await record.locked_by_id(session, (asked.message,))
        if made.state == FollowUpState.OPEN and made.wants_call_ms is None:
            deflection.wish(session, made, now_ms)
        return made


async def _subject(
    session: AsyncSession, number: str, now_ms: int, *, subscribers: bool = False
) -> Incident | None:
    """The live one with the latest news, else the one that was over last."""
    names = set(await session.exec(select(Subscription.incident).where(Subscription.number == number)))
    if not subscribers:
        names |= set(await session.exec(select(FollowUp.incident).where(FollowUp.number == number)))
    wanted = select(Incident).where(
        col(Incident.id).in_(sorted(names)),
        col(Incident.resolved_ms).is_(None) | (col(Incident.resolved_ms) > now_ms - LATELY_MS),
    )
    rows = list(await session.exec(wanted))
    return max(rows, key=lambda row: (row.state in record.LIVE_WORDS, row.updated_ms, row.id), default=None)
