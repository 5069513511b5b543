"""Callers who gave up before an incident was declared: who surely rang about it is followed up about it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from merchants.tables import Merchant
from queueing.tables import Contact
from surge import record
from surge.directive import Told
from surge.followups import BEFORE_MS, as_told, audience_of, known_of
from surge.matching import best
from surge.office import Watch
from surge.states import FollowUpState, Match
from surge.tables import FollowUp, Incident

AT_ONCE = 200


async def adopt(watch: Watch) -> int:
    """One round: who gave up in the hour before an incident was declared, rang about it, if it surely touches
    them and they asked for nothing else. How many rows have got an incident. Raises Unavailable."""
    async with watch.sql.reading() as session:
        live = await record.live(session)
        found = await _without_incident(session, live) if live else {}
    if not found:
        return 0
    async with watch.sql.session() as session:
        rows = await record.locked_follow_ups(
            session,
            col(FollowUp.id).in_(found),
            FollowUp.incident == "",
            FollowUp.state == FollowUpState.OPEN,
        )
        for row in rows:
            told = found[row.id]
            row.incident, row.audience = told.id, audience_of(told.audience, row.merchant_id)
    return len(rows)


async def _without_incident(session: AsyncSession, live: Sequence[Incident]) -> dict[str, Told]:
    """Row to the incident that it belongs to, for the oldest of those that have none."""
    declared = [row.declared_ms for row in live]
    asked = {"from_ms": min(declared) - BEFORE_MS, "until_ms": max(declared)}
    found = {}
    for contact, merchant in await session.exec(_WITHOUT_INCIDENT, params=asked):
        at_ms = contact.ended_ms or contact.entered_ms
        told, matched = best(
            [as_told(row) for row in live if _came_before(row, contact.topic, at_ms)],
            known_of(contact, merchant),
        )
        if told is not None and matched.match is Match.MATCH:
            found[contact.contact] = told
    return dict(list(found.items())[:AT_ONCE])


_WITHOUT_INCIDENT = (
    select(Contact, Merchant)
    .join(FollowUp, col(FollowUp.id) == col(Contact.contact))
    .outerjoin(Merchant, col(Merchant.id) == col(Contact.merchant_id))
    .where(
        FollowUp.incident == "",
        FollowUp.state == FollowUpState.OPEN,
        col(FollowUp.made_ms) >= bindparam("from_ms"),
        col(FollowUp.made_ms) < bindparam("until_ms"),
    )
)


def _came_before(row: Incident, topic: str, at_ms: int) -> bool:
    about = not row.topic or not topic or row.topic == topic
    return about and row.declared_ms - BEFORE_MS <= at_ms < row.declared_ms
