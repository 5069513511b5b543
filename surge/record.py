"""How the watch's rows are read to be changed, and how every change is written down beside it.

A row is locked before it is read (PostgreSQL by ``FOR UPDATE``, SQLite by having one writer). The order is:
turns for callers (``take_turns``), the centre's state, incidents, follow-ups; nobody waits in a circle.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import bindparam, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.errors import Mendable
from foundation.sql import insert_once
from surge.states import LIVE, IncidentState
from surge.tables import FollowUp, Incident, SurgeEvent, SurgeState

LIVE_WORDS = tuple(sorted(state.value for state in LIVE))
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('follow-up of ' || :who, 0))")


def new_id() -> str:
    """A name for an incident."""
    return f"IN{secrets.token_hex(4)}"


def note(
    session: AsyncSession,
    kind: str,
    by: str,
    now_ms: int,
    *,
    incident: str = "",
    words: str = "",
    **fields: Any,
) -> None:
    """A line of the timeline, in the transaction of what it tells of."""
    session.add(
        SurgeEvent(at_ms=now_ms, kind=kind, by=by, incident=incident, words=words, fields=dict(fields))
    )


async def take_turns(session: AsyncSession, who: Iterable[str]) -> None:
    """Until this transaction ends, no other one makes or merges follow-ups of these callers.

    SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        connection = await session.connection()
        for name in sorted({name for name in who if name}):
            await connection.execute(_TURN, {"who": name})


async def locked_state(session: AsyncSession, centre: str, automatic: str = "suggest") -> SurgeState:
    """The centre's level, held until the transaction is over; made when it is not there."""
    await insert_once(session, SurgeState(centre=centre, automatic=automatic), "centre")
    return (await session.exec(_LOCKED_STATE, params={"centre": centre})).one()


async def locked_incident(session: AsyncSession, incident: str) -> Incident:
    """Held until the transaction is over. Raises Mendable when there is none of that name."""
    found = (await session.exec(_LOCKED_INCIDENT, params={"incident": incident})).first()
    if found is None:
        raise Mendable("There is no such incident; look at the list of incidents.")
    return found


async def locked_follow_ups(
    session: AsyncSession, *conditions: Any, most: int = 0, params: Mapping[str, Any] | None = None
) -> list[FollowUp]:
    """Those that meet the conditions, held until the transaction is over, the oldest first."""
    wanted = _LOCKED_FOLLOW_UPS.where(*conditions)
    return list(await session.exec(wanted.limit(most) if most else wanted, params=params))


async def locked_by_id(session: AsyncSession, ids: Collection[str]) -> list[FollowUp]:
    """Those of these names, held until the transaction is over, the oldest first."""
    return list(await session.exec(_LOCKED_BY_ID, params={"ids": list(ids)}))


_HELD = {"populate_existing": True}
_LOCKED_STATE = (
    select(SurgeState)
    .where(SurgeState.centre == bindparam("centre"))
    .with_for_update()
    .execution_options(**_HELD)
)
_LOCKED_INCIDENT = (
    select(Incident).where(Incident.id == bindparam("incident")).with_for_update().execution_options(**_HELD)
)
_LOCKED_FOLLOW_UPS = (
    select(FollowUp)
    .order_by(col(FollowUp.made_ms), col(FollowUp.id))
    .with_for_update()
    .execution_options(**_HELD)
)
_LOCKED_BY_ID = _LOCKED_FOLLOW_UPS.where(col(FollowUp.id).in_(bindparam("ids", expanding=True)))


async def live(session: AsyncSession) -> list[Incident]:
    """The incidents that callers are told of, the oldest first."""
    return list(await session.exec(_LIVE))


async def over_since(session: AsyncSession, since_ms: int) -> list[Incident]:
    """The incidents resolved since then, the oldest first."""
    return list(await session.exec(_OVER_SINCE, params={"since_ms": since_ms}))


async def events(
    session: AsyncSession, incident: str, kinds: Collection[str], since_ms: int = 0
) -> list[SurgeEvent]:
    """An incident's lines of these kinds, in order."""
    asked = {"incident": incident, "kinds": list(kinds), "since_ms": since_ms}
    return list(await session.exec(_EVENTS, params=asked))


_LIVE = (
    select(Incident)
    .where(col(Incident.state).in_(LIVE_WORDS))
    .order_by(col(Incident.declared_ms), col(Incident.id))
)
_OVER_SINCE = (
    select(Incident)
    .where(Incident.state == IncidentState.RESOLVED, col(Incident.resolved_ms) >= bindparam("since_ms"))
    .order_by(col(Incident.resolved_ms), col(Incident.id))
)
_EVENTS = (
    select(SurgeEvent)
    .where(
        SurgeEvent.incident == bindparam("incident"),
        col(SurgeEvent.kind).in_(bindparam("kinds", expanding=True)),
        SurgeEvent.at_ms >= bindparam("since_ms"),
    )
    .order_by(col(SurgeEvent.id))
)
