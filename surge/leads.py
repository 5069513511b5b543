"""What our own people are told: the lead whose update is old, the owner of what is due.

A line of the timeline each time, and one text to the phone of their account, where it has one.
"""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import bindparam
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from announcements import catalog
from announcements.spoken import Worded, duration
from carrier import text_record
from carrier.tables import Text
from queueing.tables import AgentAccount
from surge import record, wording
from surge.checking import age_min, is_stale
from surge.office import Watch
from surge.tables import Commitment, Incident, IncidentUpdate, SurgeEvent

KIND = "lead"


async def nag(watch: Watch, now_ms: int) -> int:
    """One round: a line for each live incident whose news are stale or due, at most every ``nag_ms``.

    Who posted last is texted once for each update that has become stale. Returns how many lines. Raises
    Unavailable.
    """
    count = 0
    asked = {
        "stale_ms": now_ms - watch.policy.stale_ms,
        "now_ms": now_ms,
        "nagged_ms": now_ms - watch.policy.nag_ms + 1,
    }
    async with watch.sql.reading() as session:
        connection = await session.connection()
        if (await connection.execute(_TO_BE_NAGGED, asked)).first() is None:
            return 0
    async with watch.sql.session() as session:
        for row in await record.live(session):
            stale = is_stale(row.updated_ms, watch.policy.stale_ms, now_ms)
            due = row.next_update_ms is not None and now_ms > row.next_update_ms
            if not stale and not due:
                continue
            await record.locked_incident(session, row.id)
            if await record.events(session, row.id, ("nag",), since_ms=now_ms - watch.policy.nag_ms + 1):
                continue
            minutes = (now_ms - row.updated_ms) // 60_000
            words = f"The last update is {minutes} min old"
            words += "; callers hear neutral words" if stale else ""
            record.note(session, "nag", "line", now_ms, incident=row.id, words=words, minutes=minutes)
            if stale:
                await _nag_by_text(watch, session, row, now_ms)
            count += 1
    return count


_TO_BE_NAGGED = (
    select(Incident.id)
    .where(
        col(Incident.state).in_(record.LIVE_WORDS),
        or_(
            col(Incident.updated_ms) < bindparam("stale_ms"),
            col(Incident.next_update_ms) < bindparam("now_ms"),
        ),
        ~select(SurgeEvent.id)
        .where(
            SurgeEvent.incident == Incident.id,
            SurgeEvent.kind == "nag",
            col(SurgeEvent.at_ms) >= bindparam("nagged_ms"),
        )
        .exists(),
    )
    .limit(1)
)


async def text_due(watch: Watch, session: AsyncSession, row: Commitment, days: int, now_ms: int) -> None:
    """To its owner, once a day before it is due (``days`` -1) and once when it is (0)."""
    language = watch.languages[0]
    body = catalog.sms(
        language,
        "incident_due",
        centre=watch.centre_name,
        when=wording.at(language, watch.time_zone, row.due_ms, now_ms),
        title=row.what,
        link=f"{watch.public_url}/surge/incidents/{row.incident}",
    )
    if days in (-1, 0):
        await _text(session, row.owner, f"{row.incident}.due.{row.id}.{days + 1}", row.incident, body, now_ms)


async def text_link(watch: Watch, session: AsyncSession, url: str, since_ms: int, now_ms: int) -> None:
    """To every lead: an address of the status page is broken. Once for each time."""
    language = watch.languages[0]
    body = catalog.sms(language, "incident_link", centre=watch.centre_name, link=url)
    leading = select(AgentAccount.agent).where(AgentAccount.role == "lead", col(AgentAccount.active))
    for lead in await session.exec(leading):
        name = f"link.{sha256(url.encode()).hexdigest()[:12]}.{since_ms}.{lead}"
        await _text(session, lead, name, "", body, now_ms)


async def _nag_by_text(watch: Watch, session: AsyncSession, row: Incident, now_ms: int) -> None:
    last = select(IncidentUpdate.by).where(IncidentUpdate.incident == row.id)
    lead = (await session.exec(last.order_by(col(IncidentUpdate.version).desc()))).first()
    language = watch.languages[0]
    body = catalog.sms(
        language,
        "incident_nag",
        centre=watch.centre_name,
        age=Worded(duration(language, age_min(row.updated_ms, now_ms))),
        title=row.title,
        link=f"{watch.public_url}/surge",
    )
    await _text(session, lead or row.declared_by, f"{row.id}.nag.{row.updated_ms}", row.id, body, now_ms)


async def _text(session: AsyncSession, who: str, name: str, incident: str, body: str, now_ms: int) -> None:
    """To the phone of whose login or name this is; of two people of one name neither is texted."""
    known = (col(AgentAccount.agent) == who) | (col(AgentAccount.name) == who)
    accounts = list(await session.exec(select(AgentAccount).where(known, col(AgentAccount.active))))
    if len(accounts) == 1 and accounts[0].phone:
        text = Text(
            id=name, number=accounts[0].phone, kind=KIND, incident=incident, body=body, made_ms=now_ms,
            not_before_ms=now_ms,
        )  # fmt: skip
        await text_record.write(session, text)
