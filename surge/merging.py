"""One merchant with several follow-ups of one incident: one to work on, the others DUPLICATE.

Most are told apart when they are made (``followups.make``). Some are known for one merchant's only later: a
stranger's number that turns out to be a shop's, or two that rang before either had a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

from sqlalchemy import ColumnElement, bindparam
from sqlalchemy import select as sql_select
from sqlalchemy.orm import aliased
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from surge import followups, record
from surge.office import Watch
from surge.states import FollowUpState
from surge.tables import FollowUp

MERGED = "the same merchant has another follow-up of this incident"


class Member(Protocol):
    """Of a follow-up, what tells whose it is and which one stays."""

    id: str
    merchant_id: int | None
    number: str
    state: str
    wants_call_ms: int | None
    arrival_us: int


async def merge(watch: Watch, now_ms: int) -> int:
    """One round: how many rows have become duplicates. Raises Unavailable."""
    async with watch.sql.reading() as session:
        connection = await session.connection()
        incidents = (await connection.execute(_LINKED)).scalars().all()
        found = [extra((await connection.execute(_MEMBERS, {"incident": each})).all()) for each in incidents]
    return sum([await _end(watch, ended, now_ms) for ended in found if ended])


def _linking() -> ColumnElement[bool]:
    """An open row that shares merchant or number with another open row, or with one that leads on to a third
    by a number or merchant of its own: no other row can be of one merchant with an open one."""
    other, third = aliased(FollowUp), aliased(FollowUp)
    is_open = col(other.state).in_(followups.OPEN_WORDS)
    of_their_merchant = select(third.id).where(
        third.incident == other.incident,
        third.merchant_id == other.merchant_id,
        third.number != other.number,
    )
    of_their_number = select(third.id).where(
        third.incident == other.incident,
        third.number == other.number,
        func.coalesce(third.merchant_id, 0) != other.merchant_id,
    )
    new_merchant = func.coalesce(FollowUp.merchant_id, 0) != other.merchant_id
    new_number = col(other.number).not_in(("", col(FollowUp.number)))
    others = select(other.id).where(other.incident == FollowUp.incident, other.id != FollowUp.id)
    by_number = others.where(
        FollowUp.number != "",
        other.number == FollowUp.number,
        is_open | (new_merchant & of_their_merchant.exists()),
    )
    by_merchant = others.where(
        other.merchant_id == FollowUp.merchant_id, is_open | (new_number & of_their_number.exists())
    )
    return by_number.exists() | by_merchant.exists()


# Most rounds end with this question. It goes by indexes; reading an incident's rows costs ten times as much.
_LINKED = (
    select(FollowUp.incident)
    .where(FollowUp.incident != "", col(FollowUp.state).in_(followups.OPEN_WORDS), _linking())
    .distinct()
)
_MEMBERS = sql_select(*(col(getattr(FollowUp, name)) for name in Member.__annotations__)).where(
    col(FollowUp.incident) == bindparam("incident")
)


def extra(rows: Iterable[Member]) -> dict[str, str]:
    """Of one incident's rows, those to be ended, each with the one that stays.

    Rows are one merchant's when they share the merchant or the number, also by way of a third one, over or
    not. Stays: who is claimed, then who asked to be called, then who was told, then who rang first. A row
    that somebody deals with is never ended.
    """
    ended: dict[str, str] = {}
    for family in _families(list(rows)):
        left = sorted((row for row in family if row.state in followups.OPEN_WORDS), key=_rank)
        ended |= {row.id: left[0].id for row in left[1:] if row.state != FollowUpState.CLAIMED}
    return ended


def _families(rows: list[Member]) -> list[list[Member]]:
    """Union by merchant and by number."""
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while parents.setdefault(name, name) != name:
            parents[name] = parents[parents[name]]
            name = parents[name]
        return name

    for row in rows:
        for shared in (f"merchant {row.merchant_id}" if row.merchant_id else "", row.number):
            if shared:
                parents[root(f"row {row.id}")] = root(shared)
    families = defaultdict(list)
    for row in rows:
        families[root(f"row {row.id}")].append(row)
    return list(families.values())


def _rank(row: Member) -> tuple[bool, bool, bool, int, str]:
    claimed, told = row.state == FollowUpState.CLAIMED, row.state == FollowUpState.TOLD
    return not claimed, row.wants_call_ms is None, not told, row.arrival_us, row.id


async def _end(watch: Watch, extra: dict[str, str], now_ms: int) -> int:
    """Each of them, if neither it nor the one that stays has changed since."""
    count = 0
    names = sorted({*extra, *extra.values()})
    async with watch.sql.session() as session:
        await record.take_turns(session, await _turns(session, names))
        rows = {row.id: row for row in await record.locked_by_id(session, names)}
        for name, stays in extra.items():
            row = rows[name]
            free = row.state in (FollowUpState.OPEN, FollowUpState.TOLD)
            if free and rows[stays].state in followups.OPEN_WORDS:
                row.state, row.ended_ms, row.ended_by = (
                    FollowUpState.DUPLICATE.value,
                    now_ms,
                    followups.BY_LINE,
                )
                row.note = MERGED
                count += 1
    return count


async def _turns(session: AsyncSession, names: list[str]) -> set[str]:
    wanted = select(FollowUp.merchant_id, FollowUp.number).where(col(FollowUp.id).in_(names))
    found = list(await session.exec(wanted))
    return {number for _, number in found} | {f"merchant {owner}" for owner, _ in found if owner}
