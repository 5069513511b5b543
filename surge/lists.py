"""Incidents, levels and follow-ups as pages read them.

Reads only. Every query raises Unavailable when SQL does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, bindparam, case, func
from sqlalchemy import select as sql_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier.tables import Text
from carrier.text_states import TextState
from foundation.connections import Sql
from surge.consent import agreed
from surge.states import FOLLOW_UP_ENDS, LIVE, FollowUpState, IncidentState
from surge.tables import (
    Commitment,
    Deflection,
    FollowUp,
    Incident,
    IncidentUpdate,
    Subscription,
    SurgeEvent,
    SurgeState,
)

MOST_LIVE = 50
MOST_RESOLVED = 10
MOST_EVENTS = 60
MOST_UPDATES = 200
_OF_ONE_ROW = ("works", "still_down", "called_again", "bulk")
"""One merchant's doings, hundreds in a surge: the ledger and the figures tell of them, not the timeline."""
HOUR_MS = 3_600_000
_UNSENT = (TextState.SKIPPED, TextState.FAILED)
_OPEN = ~col(FollowUp.state).in_(sorted(FOLLOW_UP_ENDS))


@dataclass(frozen=True, slots=True)
class Counts:
    """``texts_segments`` are of incidents' texts of the last hour: what the cap is about."""

    deflected: int = 0
    called_again: int = 0
    follow_ups_open: int = 0
    texts_count: int = 0
    texts_segments: int = 0


@dataclass(frozen=True, slots=True)
class Desk:
    """All that the console shows of the record. ``state`` is calm when nobody ever set a level."""

    state: SurgeState
    live: Sequence[Incident] = ()
    resolved: Sequence[Incident] = ()
    latest: Mapping[str, IncidentUpdate] = field(default_factory=dict)
    """By incident: what was said last."""
    events: Sequence[SurgeEvent] = ()
    counts: Counts = Counts()
    subscribed: Mapping[str, int] = field(default_factory=dict)
    open_by_incident: Mapping[str, int] = field(default_factory=dict)

    def incident(self, name: str) -> Incident | None:
        return next((row for row in (*self.live, *self.resolved) if row.id == name), None)


async def stamp(sql: Sql, centre: str) -> tuple[int, ...]:
    """Changes whenever what ``desk`` reads does."""
    newest = sql_select(func.coalesce(func.max(col(SurgeEvent.id)), 0)).scalar_subquery()
    said = sql_select(func.coalesce(func.max(col(IncidentUpdate.id)), 0)).scalar_subquery()
    versions = sql_select(func.coalesce(func.sum(col(Incident.version)), 0)).scalar_subquery()
    level = (
        sql_select(func.coalesce(func.max(col(SurgeState.version)), 0))
        .where(col(SurgeState.centre) == centre)
        .scalar_subquery()
    )
    unserved = sql_select(func.count()).select_from(FollowUp).where(_OPEN).scalar_subquery()
    turned = sql_select(func.count()).select_from(Deflection).scalar_subquery()
    async with sql.reading() as session:
        statement = sql_select(newest, said, versions, level, unserved, turned)
        row = (await (await session.connection()).execute(statement)).one()
    return tuple(int(part) for part in row)


async def desk(sql: Sql, centre: str, now_ms: int) -> Desk:
    async with sql.reading() as session:
        state = await session.get(SurgeState, centre) or SurgeState(centre=centre)
        live = await live_incidents(session)
        resolved = (
            await session.exec(
                select(Incident)
                .where(Incident.state == IncidentState.RESOLVED.value)
                .order_by(col(Incident.resolved_ms).desc())
                .limit(MOST_RESOLVED)
            )
        ).all()
        names = [row.id for row in (*live, *resolved)]
        events = (
            await session.exec(
                select(SurgeEvent)
                .where(col(SurgeEvent.kind).not_in(_OF_ONE_ROW))
                .order_by(col(SurgeEvent.id).desc())
                .limit(MOST_EVENTS)
            )
        ).all()
        return Desk(
            state=state,
            live=live,
            resolved=resolved,
            latest=await latest_updates(session, names),
            events=events,
            counts=await _counts(session, state.since_ms, now_ms),
            subscribed=await _counted(session, Subscription, col(Subscription.ended_ms).is_(None)),
            open_by_incident=await _counted(session, FollowUp, _OPEN),
        )


async def live_incidents(session: AsyncSession) -> Sequence[Incident]:
    """The newest news first."""
    statement = (
        select(Incident)
        .where(col(Incident.state).in_(sorted(LIVE)))
        .order_by(col(Incident.updated_ms).desc(), col(Incident.id))
        .limit(MOST_LIVE)
    )
    return (await session.exec(statement)).all()


async def latest_updates(session: AsyncSession, names: Sequence[str]) -> dict[str, IncidentUpdate]:
    """What was said last of each of these incidents."""
    newest = (
        sql_select(func.max(col(IncidentUpdate.id)))
        .where(col(IncidentUpdate.incident).in_(names))
        .group_by(col(IncidentUpdate.incident))
    )
    rows = (await session.exec(select(IncidentUpdate).where(col(IncidentUpdate.id).in_(newest)))).all()
    return {row.incident: row for row in rows}


async def _counts(session: AsyncSession, since_ms: int, now_ms: int) -> Counts:
    """``since_ms``: deflections are counted from the beginning of this level, and of a day at most."""
    from_ms = max(since_ms, now_ms - 24 * HOUR_MS)
    connection = await session.connection()
    turned = sql_select(func.count(), func.count(col(Deflection.called_again_ms))).where(
        col(Deflection.at_ms) >= from_ms
    )
    deflected, again = (await connection.execute(turned)).one()
    texts = sql_select(func.count(), func.coalesce(func.sum(col(Text.segments)), 0)).where(
        col(Text.incident) != "",
        col(Text.made_ms) >= now_ms - HOUR_MS,
        ~col(Text.state).in_([state.value for state in _UNSENT]),
    )
    count, segments = (await connection.execute(texts)).one()
    unserved = await connection.execute(sql_select(func.count()).select_from(FollowUp).where(_OPEN))
    return Counts(int(deflected), int(again), int(unserved.scalar_one()), int(count), int(segments))


async def _counted(
    session: AsyncSession, table: type[Subscription] | type[FollowUp], clause: ColumnElement[bool]
) -> dict[str, int]:
    statement = sql_select(col(table.incident), func.count()).where(clause).group_by(col(table.incident))
    rows = (await (await session.connection()).execute(statement)).all()
    return {str(incident): int(count) for incident, count in rows}


async def subscribed(sql: Sql, incident: str) -> int:
    """How many are texted its updates."""
    statement = sql_select(func.count()).where(
        col(Subscription.incident) == incident, col(Subscription.ended_ms).is_(None)
    )
    async with sql.reading() as session:
        return int((await (await session.connection()).execute(statement)).scalar_one())


# -- one incident ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Story:
    """One incident with all that was said of it, the newest first, and what happened, the oldest first."""

    incident: Incident
    updates: Sequence[IncidentUpdate]
    events: Sequence[SurgeEvent]
    commitments: Sequence[Commitment]
    follow_ups: Mapping[str, int]
    """By state."""

    @property
    def open(self) -> int:
        return sum(count for state, count in self.follow_ups.items() if state not in FOLLOW_UP_ENDS)


async def story(sql: Sql, name: str) -> Story | None:
    async with sql.reading() as session:
        row = await session.get(Incident, name)
        if row is None:
            return None
        updates = await session.exec(
            select(IncidentUpdate)
            .where(IncidentUpdate.incident == name)
            .order_by(col(IncidentUpdate.version).desc())
            .limit(MOST_UPDATES)
        )
        events = await session.exec(
            select(SurgeEvent).where(SurgeEvent.incident == name).order_by(col(SurgeEvent.id)).limit(500)
        )
        promised = await session.exec(
            select(Commitment).where(Commitment.incident == name).order_by(col(Commitment.due_ms))
        )
        return Story(
            row,
            updates.all(),
            events.all(),
            promised.all(),
            await follow_up_counts(session, col(FollowUp.incident) == name),
        )


async def history(sql: Sql, from_ms: int) -> list[tuple[Incident, Sequence[IncidentUpdate]]]:
    """Live incidents and those resolved since ``from_ms``, the newest first, each with what was said."""
    async with sql.reading() as session:
        rows = (
            await session.exec(
                select(Incident)
                .where(col(Incident.state).in_(sorted(LIVE)) | (col(Incident.resolved_ms) >= from_ms))
                .order_by(col(Incident.declared_ms).desc())
                .limit(MOST_LIVE)
            )
        ).all()
        said = (
            await session.exec(
                select(IncidentUpdate)
                .where(col(IncidentUpdate.incident).in_([row.id for row in rows]))
                .order_by(col(IncidentUpdate.id).desc())
                .limit(MOST_UPDATES)
            )
        ).all()
    return [(row, [each for each in said if each.incident == row.id]) for row in rows]


# -- follow-ups ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which follow-ups: "" asks nothing. ``state`` may be "unfinished": all that have no end yet."""

    state: str = ""
    why: str = ""
    incident: str = ""
    audience: str = ""

    def clauses(self) -> list[ColumnElement[bool]]:
        asked = [
            (col(FollowUp.why), self.why),
            (col(FollowUp.incident), self.incident),
            (col(FollowUp.audience), self.audience),
        ]
        found: list[ColumnElement[bool]] = [column == value for column, value in asked if value]
        if self.state == "unfinished":
            found.append(_OPEN)
        elif self.state:
            found.append(col(FollowUp.state) == self.state)
        return found


@dataclass(frozen=True, slots=True)
class Ledger:
    """A page of the ledger. ``counts`` by state are of the incident and audience asked for, in any state."""

    rows: Sequence[FollowUp]
    total: int
    counts: Mapping[str, int]

    @property
    def every(self) -> int:
        return sum(self.counts.values())

    @property
    def open(self) -> int:
        return sum(count for state, count in self.counts.items() if state not in FOLLOW_UP_ENDS)


async def ledger(sql: Sql, wanted: Wanted, *, start: int = 0, count: int = 50) -> Ledger:
    clauses = wanted.clauses()
    page = (
        select(FollowUp)
        .where(*clauses)
        .order_by(_OPEN.desc(), col(FollowUp.made_ms), col(FollowUp.id))
        .offset(start)
        .limit(count)
    )
    whole = Wanted(incident=wanted.incident, audience=wanted.audience).clauses()
    async with sql.reading() as session:
        total = (await session.exec(select(func.count()).select_from(FollowUp).where(*clauses))).one()
        rows = (await session.exec(page)).all()
        return Ledger(rows, total, await follow_up_counts(session, *whole))


async def follow_up_counts(session: AsyncSession, *clauses: ColumnElement[bool]) -> dict[str, int]:
    """By state."""
    statement = sql_select(col(FollowUp.state), func.count()).where(*clauses).group_by(col(FollowUp.state))
    rows = (await (await session.connection()).execute(statement)).all()
    return {str(state): int(number) for state, number in rows}


async def incidents_with_follow_ups(sql: Sql) -> list[tuple[str, str, int]]:
    """Name, title, and how many follow-ups have no end yet; the newest incident first."""
    open_here = func.sum(case((_OPEN, 1), else_=0))
    statement = (
        sql_select(col(Incident.id), col(Incident.title), open_here)
        .join(FollowUp, col(FollowUp.incident) == col(Incident.id))
        .group_by(col(Incident.id), col(Incident.title), col(Incident.declared_ms))
        .order_by(col(Incident.declared_ms).desc())
        .limit(100)
    )
    async with sql.reading() as session:
        rows = (await (await session.connection()).execute(statement)).all()
    return [(str(name), str(title), int(left or 0)) for name, title, left in rows]


async def commitments(sql: Sql, incident: str = "", *, done: bool = False) -> Sequence[Commitment]:
    """Those still to be kept, the next one first; ``done``: also those that are."""
    clauses: list[ColumnElement[bool]] = [] if done else [col(Commitment.done_ms).is_(None)]
    if incident:
        clauses.append(col(Commitment.incident) == incident)
    statement = select(Commitment).where(*clauses).order_by(col(Commitment.due_ms)).limit(100)
    async with sql.reading() as session:
        return (await session.exec(statement)).all()


@dataclass(frozen=True, slots=True)
class Noticed:
    """How far the notice that it is over is: told, of them still down, those still to be told, and those for
    people to reach: they agreed to no texts, or theirs did not arrive."""

    told: int
    still_down: int
    left: int
    by_hand: int
    last_told_ms: int | None


async def notice(sql: Sql, incident: str) -> Noticed:
    told = col(FollowUp.cohort) > 0
    wished = col(FollowUp.wants_call_ms).is_not(None)
    untold = (col(FollowUp.state) == FollowUpState.OPEN.value) & ~told & ~wished
    texted = agreed()
    unreached = told & ~wished & (col(FollowUp.state) == FollowUpState.OPEN.value)
    clauses = (told, told & wished, untold & texted, (untold & ~texted) | unreached)
    statement = sql_select(
        *(func.sum(case((clause, 1), else_=0)) for clause in clauses),
        func.max(col(FollowUp.told_ms)),
    ).where(col(FollowUp.incident) == incident)
    async with sql.reading() as session:
        *counts, last_told_ms = (await (await session.connection()).execute(statement)).one()
    told_, down, left, by_hand = (int(count or 0) for count in counts)
    return Noticed(told_, down, left, by_hand, last_told_ms)


async def follow_up(sql: Sql, name: str) -> FollowUp | None:
    async with sql.reading() as session:
        return (await session.exec(_FOLLOW_UP, params={"name": name})).first()


_FOLLOW_UP = select(FollowUp).where(FollowUp.id == bindparam("name"))
