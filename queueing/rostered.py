"""The roster in SQL: put there whole, read whole. Whoever calls opens the session, and so the transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from queueing.shifts import Shift
from queueing.tables import RosterShift


async def replace(session: AsyncSession, shifts: Sequence[Shift]) -> int:
    """These shifts and no others from now on; how many there were."""
    gone = await session.exec(delete(RosterShift))
    session.add_all(
        RosterShift(day=s.day, begin_min=s.begin, end_min=s.end, agents=s.agents, queue=s.queue)
        for s in shifts
    )
    return int(gone.rowcount)


async def shifts(session: AsyncSession) -> list[Shift]:
    """All of them, as they were put there; none when there is no roster."""
    rows = await session.exec(select(RosterShift).order_by(col(RosterShift.id)))
    return [Shift(row.day, row.begin_min, row.end_min, row.agents, row.queue) for row in rows]
