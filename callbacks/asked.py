"""What was promised lately, counted for the limits."""

from __future__ import annotations

from collections import Counter

from sqlalchemy.orm import aliased
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks.limits import DAY_MS, EXEMPT, HOUR_MS, Asked, Limit, block
from callbacks.tables import Promise

REFUSED: Counter[Limit] = Counter()
"""What this process has refused, by limit."""


async def lately(session: AsyncSession, number: str, merchant_id: int | None, now_ms: int) -> Asked:
    """Counted in the transaction that is to make one more. Two at once under PostgreSQL may both come
    through: a limit is then passed by one."""
    limited = col(Promise.made_by).not_in(EXEMPT)
    today = (limited, Promise.made_ms > now_ms - DAY_MS)
    count = select(func.count()).select_from(Promise)
    of_number = (await session.exec(count.where(Promise.number == number, *today))).one()
    of_merchant = 0
    if merchant_id is not None:
        of_merchant = (await session.exec(count.where(Promise.merchant_id == merchant_id, *today))).one()
    before = (await session.exec(select(Promise.id).where(Promise.number == number).limit(1))).first()
    known = before is not None or merchant_id is not None
    return Asked(of_number, of_merchant, await _new_in_block(session, number, now_ms), known)


async def _new_in_block(session: AsyncSession, number: str, now_ms: int) -> int:
    """How many other strangers' numbers of this block were promised their first call within the hour."""
    earlier = aliased(Promise)
    since_ms = now_ms - HOUR_MS
    before = select(earlier.id).where(earlier.number == Promise.number, earlier.made_ms <= since_ms)
    statement = select(func.count(func.distinct(col(Promise.number)))).where(
        Promise.made_ms > since_ms,
        col(Promise.made_by).not_in(EXEMPT),
        col(Promise.number).startswith(block(number), autoescape=True),
        func.length(Promise.number) == len(number),
        Promise.number != number,
        col(Promise.merchant_id).is_(None),
        ~before.exists(),
    )
    return (await session.exec(statement)).one()
