"""What was promised lately, counted for the limits."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import bindparam, func, literal, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks.limits import DAY_MS, EXEMPT, HOUR_MS, Asked, Limit, block
from callbacks.record import PROMISES

REFUSED: Counter[Limit] = Counter()
"""What this process has refused, by limit."""


_made, _before = PROMISES.c, PROMISES.alias().c
_limited = _made.made_by.not_in([literal(way) for way in EXEMPT])
_today = (_limited, _made.made_ms > bindparam("yesterday_ms"))
_of_number = _made.number == bindparam("number")
_of_merchant = _made.merchant_id == bindparam("merchant_id")
_LATELY = select(
    select(func.count()).where(_of_number, *_today).scalar_subquery(),
    select(func.count()).where(_of_merchant, *_today).scalar_subquery(),
    select(_made.id).where(_of_number).exists(),
)
_NEW_IN_BLOCK = select(func.count(func.distinct(_made.number))).where(
    _made.made_ms > bindparam("since_ms"),
    _limited,
    _made.number.startswith(bindparam("block")),
    func.length(_made.number) == bindparam("length"),
    _made.number != bindparam("number"),
    _made.merchant_id.is_(None),
    ~select(_before.id)
    .where(_before.number == _made.number, _before.made_ms <= bindparam("since_ms"))
    .exists(),
)


async def lately(session: AsyncSession, number: str, merchant_id: int | None, now_ms: int) -> Asked:
    """Counted in the transaction that is to make one more. Two at once under PostgreSQL may both come
    through: a limit is then passed by one."""
    connection = await session.connection()
    who = {"number": number, "merchant_id": merchant_id, "yesterday_ms": now_ms - DAY_MS}
    of_number, of_merchant, before = (await connection.execute(_LATELY, who)).one()
    known = before or merchant_id is not None
    new_in_block = 0 if known else await _new_in_block(session, number, now_ms)
    return Asked(of_number, of_merchant, new_in_block, known)


async def _new_in_block(session: AsyncSession, number: str, now_ms: int) -> int:
    """How many other strangers' numbers of this block were promised their first call within the hour."""
    connection = await session.connection()
    near = {"number": number, "block": block(number), "length": len(number), "since_ms": now_ms - HOUR_MS}
    return int((await connection.execute(_NEW_IN_BLOCK, near)).scalar_one())
