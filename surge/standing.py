"""How far an incident's notice is, as SQL tells it by small questions: none reads the ledger row by row.

They are asked for each incident that is over, every few seconds, for days; the ledger holds thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, case
from sqlalchemy import select as sql_select
from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier.tables import Text
from carrier.text_states import TextState
from surge.cohorts import Row, SoFar
from surge.consent import agreed, told
from surge.states import OVER, FollowUpState
from surge.tables import FollowUp, Incident, SurgeEvent

PAUSED, RESUMED = "notices_paused", "notices_resumed"
LOST = (TextState.UNDELIVERED, TextState.FAILED, TextState.SKIPPED)


@dataclass(frozen=True, slots=True)
class Standing:
    """An incident, as far as its notice goes. ``verified_ms``: None while it is not over. The pauses are
    those since it was verified; 0: none."""

    incident: str
    verified_ms: int | None
    paused_ms: int
    resumed_ms: int

    @property
    def paused(self) -> bool:
        """By a person, or by too many who said that it is still down; until a person goes on."""
        return self.paused_ms > self.resumed_ms

    def asked(self) -> dict[str, Any]:
        """The parameters of the conditions here."""
        return {
            "incident": self.incident,
            "verified_ms": self.verified_ms,
            "over": f"{self.incident}.over.",
            "verified": f".{self.verified_ms}",
        }


async def of(session: AsyncSession, incident: str) -> Standing | None:
    """None: there is no such incident."""
    connection = await session.connection()
    row = (await connection.execute(_STANDS, {"incident": incident})).first()
    if row is None:
        return None
    return Standing(incident, row.verified_ms if row.state in OVER else None, row.paused_ms, row.resumed_ms)


async def unnoted(session: AsyncSession, standing: Standing) -> bool:
    """Whether the ledger does not say yet of everybody whom no text reaches that none does."""
    connection = await session.connection()
    return bool((await connection.execute(_IS_UNNOTED, standing.asked())).scalar_one())


async def so_far(session: AsyncSession, standing: Standing) -> SoFar:
    connection = await session.connection()
    asked = {"incident": standing.incident, "resumed_ms": standing.resumed_ms}
    stages = (await connection.execute(_STAGES, asked)).all()
    return SoFar(
        {each.cohort: each.told for each in stages if each.cohort},
        {each.cohort: each.down for each in stages if each.cohort},
        max((each.last_ms for each in stages if each.last_ms is not None), default=None),
        bool((await connection.execute(_IS_LEFT, {"incident": standing.incident})).scalar_one()),
    )


async def rows(session: AsyncSession, incident: str) -> list[Row]:
    """Its follow-ups, but for those that ended untold: they decide nothing."""
    connection = await session.connection()
    return [
        Row(
            id=row.id,
            who=row.number if row.merchant_id is None else f"merchant {row.merchant_id}",
            arrival_us=row.arrival_us,
            open=row.open,
            cohort=row.cohort,
            told_ms=row.told_ms,
            still_down_ms=row.wants_call_ms,
        )
        for row in await connection.execute(_ROWS, {"incident": incident})
    ]


def _last_of(kind: str) -> Any:
    return func.coalesce(func.max(case((col(SurgeEvent.kind) == kind, col(SurgeEvent.at_ms)))), 0)


_STANDS = (
    select(
        Incident.state,
        Incident.verified_ms,
        _last_of(PAUSED).label("paused_ms"),
        _last_of(RESUMED).label("resumed_ms"),
    )
    .outerjoin(
        SurgeEvent,
        (col(SurgeEvent.incident) == Incident.id)
        & col(SurgeEvent.kind).in_((PAUSED, RESUMED))
        & (col(SurgeEvent.at_ms) >= func.coalesce(Incident.verified_ms, 0)),
    )
    .where(Incident.id == bindparam("incident"))
    .group_by(col(Incident.id), col(Incident.state), col(Incident.verified_ms))
)
OF_IT = col(FollowUp.incident) == bindparam("incident")
_OPEN = col(FollowUp.state) == FollowUpState.OPEN.value
_MAY_BE_TOLD = _OPEN & col(FollowUp.wants_call_ms).is_(None) & agreed()
# By the index of the texts' state: those of an incident are thousands, the lost ones since then few.
_LOST_TEXT = (
    col(Text.state).in_(LOST)
    & (col(Text.not_before_ms) >= bindparam("verified_ms"))
    & col(Text.id).startswith(bindparam("over"))
    & col(Text.id).endswith(bindparam("verified"))
)
SILENT = OF_IT & _OPEN & (col(FollowUp.note) == "") & ~agreed()
"""They agreed to no texts, and the row does not say so yet."""
NOT_REACHED = (
    OF_IT
    & (col(FollowUp.state) == FollowUpState.TOLD.value)
    & col(FollowUp.number).in_(select(Text.number).where(_LOST_TEXT))
)
"""Told, by a text that did not arrive."""
_IS_UNNOTED = select(
    or_(select(FollowUp.id).where(SILENT).exists(), select(FollowUp.id).where(NOT_REACHED).exists())
)
_STAGES = (
    select(
        FollowUp.cohort,
        func.count().label("told"),
        func.count(case((col(FollowUp.wants_call_ms) > bindparam("resumed_ms"), 1))).label("down"),
        func.max(FollowUp.told_ms).label("last_ms"),
    )
    .where(OF_IT)
    .group_by(col(FollowUp.cohort))
)
_IS_LEFT = select(select(FollowUp.id).where(OF_IT, _MAY_BE_TOLD, col(FollowUp.cohort) == 0, ~told()).exists())
_ROWS = sql_select(
    col(FollowUp.id),
    col(FollowUp.merchant_id),
    col(FollowUp.number),
    col(FollowUp.arrival_us),
    _MAY_BE_TOLD.label("open"),
    col(FollowUp.cohort),
    col(FollowUp.told_ms),
    col(FollowUp.wants_call_ms),
).where(OF_IT, or_(_OPEN, col(FollowUp.cohort) > 0, col(FollowUp.told_ms).is_not(None)))
