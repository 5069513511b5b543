"""How the watch's rows are read to be changed, and how every change is written down beside it.

A row is locked before it is read (PostgreSQL by ``FOR UPDATE``, SQLite by having one writer). The order is:
turns for callers (``take_turns``), the centre's state, incidents, follow-ups; nobody waits in a circle.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.errors import Mendable
from foundation.sql import insert
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


async def insert_once(session: AsyncSession, row: SQLModel, *key: str) -> bool:
    """False when a row of this ``key`` (the columns of a unique index) is there already."""
    table = type(row).__table__  # type: ignore[attr-defined]  # SQLModel makes it at class creation
    values = row.model_dump()
    if values.get("id", "") is None:
        del values["id"]
    wanted = insert(session, table).values(**values)
    connection = await session.connection()
    wanted = wanted.on_conflict_do_nothing(index_elements=list(key)).returning(table.c[key[0]])
    return (await connection.execute(wanted)).first() is not None


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
    wanted = select(SurgeState).where(SurgeState.centre == centre).with_for_update()
    return (await session.exec(wanted.execution_options(populate_existing=True))).one()


async def locked_incident(session: AsyncSession, incident: str) -> Incident:
    """Held until the transaction is over. Raises Mendable when there is none of that name."""
    wanted = select(Incident).where(Incident.id == incident).with_for_update()
    found = (await session.exec(wanted.execution_options(populate_existing=True))).first()
    if found is None:
        raise Mendable("There is no such incident; look at the list of incidents.")
    return found


async def locked_follow_ups(
    session: AsyncSession, *conditions: Any, most: int = 0, params: Mapping[str, Any] | None = None
) -> list[FollowUp]:
    """Those that meet the conditions, held until the transaction is over, the oldest first."""
    wanted = select(FollowUp).where(*conditions).order_by(col(FollowUp.made_ms), col(FollowUp.id))
    wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return list(await session.exec(wanted.limit(most) if most else wanted, params=params))


async def live(session: AsyncSession) -> list[Incident]:
    """The incidents that callers are told of, the oldest first."""
    wanted = select(Incident).where(col(Incident.state).in_(LIVE_WORDS))
    return list(await session.exec(wanted.order_by(col(Incident.declared_ms), col(Incident.id))))


async def over_since(session: AsyncSession, since_ms: int) -> list[Incident]:
    """The incidents resolved since then, the oldest first."""
    wanted = select(Incident).where(
        Incident.state == IncidentState.RESOLVED, col(Incident.resolved_ms) >= since_ms
    )
    return list(await session.exec(wanted.order_by(col(Incident.resolved_ms), col(Incident.id))))


async def events(
    session: AsyncSession, incident: str, kinds: Collection[str], since_ms: int = 0
) -> list[SurgeEvent]:
    """An incident's lines of these kinds, in order."""
    wanted = select(SurgeEvent).where(
        SurgeEvent.incident == incident, col(SurgeEvent.kind).in_(list(kinds)), SurgeEvent.at_ms >= since_ms
    )
    return list(await session.exec(wanted.order_by(col(SurgeEvent.id))))
