"""Promises as pages read them: all that are owed, one merchant's past, one promise and its story.

Reads only. Every query raises Unavailable when SQL does not answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy import select as sql_select
from sqlmodel import col, select

from callbacks import record
from callbacks.owed import Owed
from callbacks.record import EVENTS, IS_OPEN, PROMISES
from callbacks.states import AttemptState
from callbacks.tables import Attempt, Promise, PromiseEvent
from carrier.tables import Text
from foundation.connections import Sql
from queueing.tables import Contact

MOST_OWED = 5_000
PAST = 5
"""How much of a merchant's past is told, of each kind."""
MOST_PAST = 8

_OWED = (
    "id",
    "state",
    "number",
    "queue",
    "band",
    "arrival_us",
    "made_ms",
    "due_ms",
    "by_ms",
    "windowed",
    "language",
    "time_zone",
    "merchant",
    "location",
    "tier",
    "topic",
    "turn",
    "tries",
    "agent",
    "contact",
    "live_contact",
    "texts",
    "version",
    "mode",
)
"""The columns of an open promise that lists are made from."""

_STAMP = sql_select(
    sql_select(func.coalesce(func.max(EVENTS.c.id), 0)).scalar_subquery(),
    func.count(),
    func.coalesce(func.sum(PROMISES.c.version), 0),
).where(IS_OPEN)
_ALL_OWED = (
    sql_select(*(PROMISES.c[name] for name in _OWED))
    .where(IS_OPEN)
    .order_by(PROMISES.c.made_ms)
    .limit(MOST_OWED)
)


async def stamp(sql: Sql) -> tuple[int, ...]:
    """Changes whenever an open promise does.

    The newest line of their stories, how many are open, and all their versions together: a line that was
    begun earlier and committed later moves the other two.
    """
    async with sql.reading() as session:
        row = (await (await session.connection()).execute(_STAMP)).one()
    return tuple(int(part) for part in row)


async def owed(sql: Sql) -> tuple[Owed, ...]:
    """Every open promise, as it was made; ``owed.in_order`` says who comes first."""
    async with sql.reading() as session:
        rows = (await (await session.connection()).execute(_ALL_OWED)).all()
    return tuple(Owed(*row) for row in rows)


def owed_of(row: Promise) -> Owed:
    """One promise as lists have it."""
    return Owed(*(getattr(row, name) for name in _OWED))


async def one(sql: Sql, promise: str) -> Promise | None:
    """A promise, open or ended."""
    async with sql.reading() as session:
        return await record.promise(session, promise)


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a promise's story."""

    at_ms: int
    kind: str
    by: str
    words: str


async def story(sql: Sql, promise: str) -> list[Happened]:
    """What happened to a promise, in order."""
    statement = (
        select(PromiseEvent)
        .where(PromiseEvent.promise == promise)
        .order_by(col(PromiseEvent.at_ms), col(PromiseEvent.id))
        .limit(200)
    )
    async with sql.reading() as session:
        rows = (await session.exec(statement)).all()
    return [Happened(row.at_ms, row.kind, row.by, row.words) for row in rows]


@dataclass(frozen=True, slots=True)
class LastTry:
    """How far the attempt of a turn came."""

    state: AttemptState
    result: str


async def last_try(sql: Sql, turn: str) -> LastTry | None:
    """The newest attempt in this turn of a promise; None before anybody dialled."""
    statement = (
        select(Attempt).where(Attempt.contact == turn).order_by(col(Attempt.made_ms).desc(), col(Attempt.id))
    )
    async with sql.reading() as session:
        row = (await session.exec(statement.limit(1))).first()
    return LastTry(AttemptState(row.state), row.result) if row else None


# -- one merchant's past ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Past:
    """One thing that happened with a merchant. ``kind``: "call", "promise" or "text".

    ``end`` is a disposition, a promise's state or a text's; ``outcome`` the agent's code of a call.
    """

    kind: str
    at_ms: int
    topic: str
    end: str
    outcome: str = ""
    note: str = ""


async def history(
    sql: Sql, *, merchant_id: int | None, number: str, but: tuple[str, ...] = ()
) -> tuple[Past, ...]:
    """A merchant's last calls, promises and texts, the newest first; of the number when nobody is known.

    ``but`` leaves out the contact and the promise in hand.
    """
    if merchant_id is None and not number:
        return ()
    who = Contact.merchant_id == merchant_id if merchant_id is not None else Contact.caller == number
    owner = Promise.merchant_id == merchant_id if merchant_id is not None else Promise.number == number
    calls = (
        select(Contact)
        .where(who, col(Contact.contact).not_in(but), col(Contact.contact).not_like("PR%"))
        .order_by(col(Contact.entered_ms).desc())
        .limit(PAST)
    )
    promises = (
        select(Promise)
        .where(owner, col(Promise.id).not_in(but))
        .order_by(col(Promise.made_ms).desc())
        .limit(PAST)
    )
    async with sql.reading() as session:
        called = (await session.exec(calls)).all()
        promised = (await session.exec(promises)).all()
        # Texts of no promise have "" there: it must not be looked for, or anybody's would be found.
        names = ({row.id for row in promised} | set(but)) - {""}
        to: ColumnElement[bool] = col(Text.promise).in_(names)
        if number:
            to = or_(to, col(Text.number) == number)
        texts = select(Text).where(to).order_by(col(Text.made_ms).desc()).limit(PAST)
        texted = (await session.exec(texts)).all()
    told = [Past("call", c.entered_ms, c.topic, c.disposition, c.outcome, c.note) for c in called]
    told += [Past("promise", p.made_ms, p.topic, p.state, p.reason, p.note) for p in promised]
    told += [Past("text", t.made_ms, t.kind, t.state, "", t.body) for t in texted]
    return tuple(sorted(told, key=lambda past: past.at_ms, reverse=True)[:MOST_PAST])
