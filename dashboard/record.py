"""The past, read from SQL: contacts, what happened to them, the figures of days and hours, and messages."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from dashboard.problems import Problem
from dashboard.promise_views import CALLBACK_OUTCOMES
from dashboard.rooms import Rooms
from dashboard.rows import EventRow, ListedRow, MessageRow, RecordRow, details
from dashboard.rows import listed as _listed
from dashboard.spells import TURNS, Turn, clipped, order, spells
from queueing import figures as reckoning
from queueing.figures import ContactRow, Figures, PresenceRow, Stretch
from queueing.honesty import ToldRow
from queueing.names import TURN_PREFIX, is_turn
from queueing.states import Disposition
from queueing.tables import Contact, ContactEvent, VoiceMessage

REPORT_S = 5.0
"""A report may take so long; a page that lives may not."""

MOST_CONTACTS = 400_000
OCCUPANCY_DAYS = 35
LOOK_BACK_MS = 24 * 3_600_000

Change = Callable[[], Awaitable[None]]

CALLS = ~col(Contact.contact).startswith(TURN_PREFIX)
"""Not a callback's turn: somebody rang, or was rung."""


def today(rooms: Rooms) -> date:
    """The day of the line's clock, in the centre's time zone."""
    now = datetime.fromtimestamp(rooms.clock.now_ms() / 1000, UTC)
    return now.astimezone(ZoneInfo(rooms.time_zone)).date()


def day_span(rooms: Rooms, day: date, last: date | None = None) -> tuple[int, int]:
    """From the first moment of ``day`` to that after ``last`` (or after ``day``), epoch ms."""
    zone = ZoneInfo(rooms.time_zone)
    ends = (last or day) + timedelta(days=1)
    start, end = (datetime.combine(at, time(), zone).timestamp() for at in (day, ends))
    return round(start * 1000), round(end * 1000)


# -- figures ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    total: Figures
    stretches: list[Stretch]


async def report(rooms: Rooms, *, first: date, last: date, queue: str, by: str) -> Report:
    """The figures of the days from ``first`` to ``last``, in all and by "hour" or "day".

    Occupancy is of all queues together, since an agent's idle time belongs to none of them, and of at most
    ``OCCUPANCY_DAYS``.
    """
    from_ms, to_ms = day_span(rooms, first, last)
    contacts = await contact_rows(rooms, from_ms, to_ms, queue)
    spent: list[PresenceRow] = []
    if not queue and (last - first).days < OCCUPANCY_DAYS:
        spent = await presences(rooms, from_ms, to_ms)
    return await asyncio.to_thread(_reckon, rooms, first, last, by, contacts, spent)


def _reckon(
    rooms: Rooms, first: date, last: date, by: str, contacts: list[ContactRow], presences: list[PresenceRow]
) -> Report:
    now_ms, zone = rooms.clock.now_ms(), ZoneInfo(rooms.time_zone)
    within_ms = rooms.targets.within_s * 1000
    stretches: list[Stretch] = []
    if by == "day":
        stretches = reckoning.by_day(
            contacts, presences, zone=zone, first=first, last=last, now_ms=now_ms, within_ms=within_ms
        )
    else:
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            stretches += reckoning.by_hour(
                contacts, presences, zone=zone, day=day, now_ms=now_ms, within_ms=within_ms
            )
    time_of_agents = clipped(presences, *day_span(rooms, first, last))
    total = reckoning.figures(contacts, time_of_agents, now_ms=now_ms, within_ms=within_ms)
    return Report(total, [stretch for stretch in stretches if stretch.from_ms <= now_ms])


async def figures_between(rooms: Rooms, from_ms: int, to_ms: int) -> Figures:
    """The figures of a stretch, without the agents' time."""
    rows = await contact_rows(rooms, from_ms, to_ms, "")
    within_ms = rooms.targets.within_s * 1000
    return reckoning.figures(rows, now_ms=rooms.clock.now_ms(), within_ms=within_ms)


async def contact_rows(rooms: Rooms, from_ms: int, to_ms: int, queue: str) -> list[ContactRow]:
    """Contacts that came to the line, in the order they came. Who rang outside hours did not.

    The turns of callbacks are among them, marked: they took the agents' time.
    """
    wanted = (
        col(Contact.contact),
        col(Contact.queue),
        col(Contact.entered_ms),
        col(Contact.disposition),
        col(Contact.answered_ms),
        col(Contact.ended_ms),
        col(Contact.handling_ms),
    )
    statement = (
        sql_select(*wanted)
        .where(*came_between(from_ms, to_ms, queue))
        .order_by(col(Contact.entered_ms))
        .limit(MOST_CONTACTS)
    )
    async with rooms.sql.reading(statement_s=REPORT_S) as session:
        rows = (await (await session.connection()).execute(statement)).all()
    return [
        ContactRow(
            queue=its_queue,
            entered_ms=entered,
            outcome=disposition,
            answered_ms=answered,
            left_ms=ended,
            handling_ms=handling or None,
            turn=is_turn(name),
        )
        for name, its_queue, entered, disposition, answered, ended, handling in rows
    ]


async def told_rows(rooms: Rooms, from_ms: int, to_ms: int, queue: str = "") -> list[ToldRow]:
    """The calls of this stretch whose caller was told a wait."""
    wanted = (
        col(Contact.told_at_ms),
        col(Contact.told_low_min),
        col(Contact.told_high_min),
        col(Contact.answered_ms),
        col(Contact.ended_ms),
    )
    told = (col(Contact.told_low_min).is_not(None), CALLS)
    statement = sql_select(*wanted).where(*_span(from_ms, to_ms, queue), *told).limit(MOST_CONTACTS)
    async with rooms.sql.reading(statement_s=REPORT_S) as session:
        rows = (await (await session.connection()).execute(statement)).all()
    now_ms = rooms.clock.now_ms()
    return [
        ToldRow(told_ms or 0, low or 0, high, answered or ended or now_ms, answered is not None)
        for told_ms, low, high, answered, ended in rows
    ]


async def presences(rooms: Rooms, from_ms: int, to_ms: int) -> list[PresenceRow]:
    """The agents' time. Who came to work up to a day before the first moment is found as well."""
    wanted = (col(ContactEvent.agent), col(ContactEvent.kind), col(ContactEvent.at_ms), col(ContactEvent.id))
    statement = (
        sql_select(*wanted)
        .where(
            col(ContactEvent.at_ms) >= from_ms - LOOK_BACK_MS,
            col(ContactEvent.at_ms) < to_ms,
            col(ContactEvent.kind).in_(TURNS),
        )
        .limit(MOST_CONTACTS * 4)
    )
    async with rooms.sql.reading(statement_s=REPORT_S) as session:
        rows = (await (await session.connection()).execute(statement)).all()
    turns = [Turn(agent, kind, at_ms, order(event_id)) for agent, kind, at_ms, event_id in rows]
    return await asyncio.to_thread(spells, turns, min(to_ms, rooms.clock.now_ms()))


def came_between(from_ms: int, to_ms: int, queue: str) -> list[ColumnElement[bool]]:
    """Which contacts came to the line then. Who rang outside hours did not."""
    closed = col(Contact.disposition) == Disposition.CLOSED.value
    return [*_span(from_ms, to_ms, queue), col(Contact.queue) != "", ~closed]


def _span(from_ms: int, to_ms: int, queue: str) -> list[ColumnElement[bool]]:
    clauses = [col(Contact.entered_ms) >= from_ms, col(Contact.entered_ms) < to_ms]
    return [*clauses, col(Contact.queue) == queue] if queue else clauses


# -- contacts --------------------------------------------------------------------------------------------


async def contacts_between(
    rooms: Rooms,
    from_ms: int,
    to_ms: int,
    *,
    queue: str = "",
    disposition: str = "",
    start: int = 0,
    count: int = 50,
) -> tuple[list[RecordRow], int]:
    """A page of calls, the newest first, and how many there are in all."""
    clauses = [*_span(from_ms, to_ms, queue), CALLS]
    if disposition:
        clauses.append(col(Contact.disposition) == disposition)
    page = (
        select(Contact)
        .where(*clauses)
        .order_by(col(Contact.entered_ms).desc(), col(Contact.contact))
        .offset(start)
        .limit(count)
    )
    async with rooms.sql.reading() as session:
        total = (await session.exec(select(func.count()).select_from(Contact).where(*clauses))).one()
        rows = (await session.exec(page)).all()
    return [_row(row) for row in rows], total


async def one(rooms: Rooms, contact: str) -> RecordRow | None:
    async with rooms.sql.reading() as session:
        row = await session.get(Contact, contact)
    return _row(row) if row else None


async def events_of(rooms: Rooms, contact: str) -> list[EventRow]:
    """What happened to a contact, in order."""
    statement = (
        select(ContactEvent)
        .where(ContactEvent.contact == contact)
        .order_by(col(ContactEvent.at_ms), col(ContactEvent.id))
        .limit(500)
    )
    async with rooms.sql.reading() as session:
        rows = (await session.exec(statement)).all()
    return [
        EventRow(row.at_ms, row.kind, details(row.agent, row.queue, row.fields, row.kind)) for row in rows
    ]


def listed(rooms: Rooms, row: RecordRow, number: Callable[[str], str]) -> ListedRow:
    return _listed(row, number, {**dict(CALLBACK_OUTCOMES), **dict(rooms.outcomes)})


def _row(row: Contact) -> RecordRow:
    return RecordRow(
        contact=row.contact,
        queue=row.queue,
        band=row.band,
        merchant_id=row.merchant_id,
        merchant=row.merchant,
        location=row.location,
        tier=row.tier,
        product=row.product,
        topic=row.topic,
        language=row.language,
        caller=row.caller,
        entered_ms=row.entered_ms,
        answered_ms=row.answered_ms,
        ended_ms=row.ended_ms,
        disposition=row.disposition,
        agent=row.agent,
        outcome=row.outcome,
        note=row.note,
    )


# -- messages --------------------------------------------------------------------------------------------


async def messages(rooms: Rooms, *, everything: bool, start: int, count: int) -> tuple[list[MessageRow], int]:
    """A page of recorded messages, the newest first: those still to do, or all."""
    clauses = [] if everything else [col(VoiceMessage.done_ms).is_(None)]
    page = (
        select(VoiceMessage)
        .where(*clauses)
        .order_by(col(VoiceMessage.at_ms).desc())
        .offset(start)
        .limit(count)
    )
    async with rooms.sql.reading() as session:
        total = (await session.exec(select(func.count()).select_from(VoiceMessage).where(*clauses))).one()
        rows = (await session.exec(page)).all()
    return [
        MessageRow(
            id=row.id,
            at_ms=row.at_ms,
            merchant=row.merchant,
            caller=row.caller,
            length_ms=row.length_s * 1000,
            recording=row.url if row.url.startswith("https://") else "",
            done=row.done_ms is not None,
            done_by=row.done_by,
        )
        for row in rows
    ], total


async def finish_message(rooms: Rooms, message: str, agent: str) -> None:
    """Somebody has dealt with it. The first to say so stays written down."""
    async with rooms.sql.session() as session:
        row = await session.get(VoiceMessage, message)
        if row is None:
            raise Problem("not-found", "There is no such message.")
        if row.done_ms is None:
            row.done_ms, row.done_by = rooms.clock.now_ms(), agent
            session.add(row)


def encoded(**told: str) -> str:
    """A query string of what is not empty."""
    return urlencode({name: value for name, value in told.items() if value})
