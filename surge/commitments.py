"""What we said we would do by a date, whose it is, and the reminders on the timeline."""

from __future__ import annotations

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.errors import Mendable
from surge import leads, record
from surge.checking import tidy
from surge.office import Watch
from surge.tables import Commitment

DAY_MS = 24 * 3_600_000
SOON_MS = DAY_MS
LONGEST = 200


async def make(
    watch: Watch, incident: str, what: str, owner: str, due_ms: int, by: str, now_ms: int
) -> Commitment:
    """Raises Mendable for no words, no owner or a date that is over."""
    words = tidy(what)
    if not 0 < len(words) <= LONGEST or not owner:
        raise Mendable(f"Say what is to be done in at most {LONGEST} characters, and whose it is.")
    if due_ms <= now_ms:
        raise Mendable("The date is over; choose one that is still to come.")
    row = Commitment(incident=incident, what=words, owner=owner, due_ms=due_ms, made_by=by)
    async with watch.sql.session() as session:
        await record.locked_incident(session, incident)
        session.add(row)
        record.note(session, "committed", by, now_ms, incident=incident, words=words, owner=owner, due=due_ms)
    return row


async def done(watch: Watch, commitment: int, by: str, now_ms: int) -> Commitment:
    """It is done; a second time nothing happens. Raises Mendable when there is none."""
    async with watch.sql.session() as session:
        row = await session.get(Commitment, commitment, with_for_update=True)
        if row is None:
            raise Mendable("There is no such commitment.")
        if row.done_ms is None:
            row.done_ms = now_ms
            record.note(session, "commitment_done", by, now_ms, incident=row.incident, words=row.what)
        return row


async def listed(watch: Watch, incident: str = "") -> list[Commitment]:
    """The next due first; of one incident or of all. Raises Unavailable."""
    wanted = select(Commitment).order_by(col(Commitment.due_ms))
    async with watch.sql.reading() as session:
        return list(await session.exec(wanted.where(Commitment.incident == incident) if incident else wanted))


async def remind(watch: Watch, now_ms: int) -> int:
    """One round: a line of the timeline a day before it is due, when it is, and each day after. How many.

    The owner's texts: ``leads.text_due``.
    """
    count = 0
    async with watch.sql.session() as session:
        wanted = select(Commitment).where(
            col(Commitment.done_ms).is_(None), Commitment.due_ms <= now_ms + SOON_MS
        )
        for row in await session.exec(wanted.with_for_update()):
            days = (now_ms - row.due_ms) // DAY_MS  # -1: within the day before
            lines = await record.events(session, row.incident, ("commitment_due",))
            if any(line.fields.get("commitment") == row.id and line.fields["days"] == days for line in lines):
                continue
            when = "is due within a day" if days < 0 else "is due" if days == 0 else f"is {days} days late"
            words = f"{row.what}: {when} ({row.owner})"
            record.note(
                session, "commitment_due", "line", now_ms, incident=row.incident, words=words,
                commitment=row.id, days=days, owner=row.owner,
            )  # fmt: skip
            await leads.text_due(watch, session, row, days, now_ms)
            count += 1
    return count


async def due_soon(session: AsyncSession, now_ms: int, most: int = 20) -> list[Commitment]:
    """Not done, and due within a day or late; the next due first."""
    wanted = select(Commitment).where(
        col(Commitment.done_ms).is_(None), Commitment.due_ms <= now_ms + SOON_MS
    )
    return list(await session.exec(wanted.order_by(col(Commitment.due_ms)).limit(most)))
