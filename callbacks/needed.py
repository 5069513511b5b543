"""Is a callback still needed, now that what it was about is fixed? The merchant is asked by text: KEEP.

A promise is a promise. Nobody is asked who did not agree to texts, and nobody is let go but who got the text,
had the time that it told, and did not answer. Everybody else is called. KEEP, once said, holds for good.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import bindparam, literal
from sqlalchemy import select as sql_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import record
from callbacks.changing import MOVABLE, line_follows
from callbacks.moments import bounds, fits
from callbacks.office import Office
from callbacks.states import PromiseState
from callbacks.tables import Promise, PromiseEvent
from carrier import text_record
from carrier.tables import Text
from carrier.text_states import TextState

ASKED, KEEP, TAGGED = "asked_keep", "keep", "tagged"
"""Kinds of ``PromiseEvent``."""
MOST = 1_000
TEXT_KIND = "keep"

_NOT_KEPT = (
    ~select(PromiseEvent.id).where(PromiseEvent.promise == Promise.id, PromiseEvent.kind == KEEP).exists()
)
_WAITS = (
    col(Promise.state).in_([literal(state.value) for state in MOVABLE]),
    record.NO_CALL_HOLDS_IT,
    _NOT_KEPT,
)
_OPEN_SINCE = (
    select(Promise)
    .where(
        record.IS_OPEN,
        Promise.made_ms >= bindparam("since_ms"),
        col(Promise.id) > bindparam("after"),
        _NOT_KEPT,
    )
    .order_by(col(Promise.id))
    .limit(bindparam("most"))
)
_TEXT_ID = col(Promise.id) + bindparam("suffix")
_UNASKED = (
    select(Promise.id, Promise.time_zone)
    .where(
        Promise.incident == bindparam("incident"),
        col(Promise.texts),
        *_WAITS,
        ~select(Text.id).where(col(Text.id) == _TEXT_ID).exists(),
    )
    .order_by(col(Promise.arrival_us))
    .limit(MOST)
)
_UNANSWERED = (
    select(Promise.id)
    .join(Text, col(Text.id) == _TEXT_ID)
    .where(
        Promise.incident == bindparam("incident"),
        *_WAITS,
        col(Text.state) == TextState.DELIVERED,
        col(Text.done_ms) <= bindparam("until_ms"),
    )
    .limit(MOST)
)
_SAID_KEEP = sql_select(record.EVENTS.c.id).where(
    record.EVENTS.c.promise == bindparam("promise"), record.EVENTS.c.kind == KEEP
)


async def open_ones(cb: Office, since_ms: int, after: str, most: int) -> list[Promise]:
    """A page of the open promises made since then of which nobody has said KEEP, by id from ``after`` on.

    Raises Unavailable.
    """
    async with cb.sql.reading() as session:
        page = {"since_ms": since_ms, "after": after, "most": most}
        return list(await session.exec(_OPEN_SINCE, params=page))


async def tag(cb: Office, incidents: dict[str, str], now_ms: int) -> int:
    """Promise to the incident it is about ("": none), in one transaction; how many changed."""
    count = 0
    async with cb.sql.session() as session:
        for promise in (await record.locked_all(session, incidents)).values():
            incident = incidents[promise.id]
            if record.is_open(promise) and promise.incident != incident:
                words = incident or "none"
                await record.change(
                    session, promise, None, TAGGED, by="line", now_ms=now_ms, words=words, incident=incident
                )
                count += 1
    return count


async def ask(
    cb: Office, incident: str, round_: int, within_ms: int, words: Callable[[Promise], str], now_ms: int
) -> int:
    """Ask who holds a promise about ``incident`` and agreed to texts; how many were written to.

    Once for each ``round_`` (a number that another relapse makes another). ``words``: the text. Nobody is
    asked whom we could not ring the whole time in which we wait for the answer: they may be asleep.
    Raises Unavailable.
    """
    suffix = _suffix(round_)
    async with cb.sql.reading() as session:
        found = (await session.exec(_UNASKED, params={"incident": incident, "suffix": suffix})).all()
    count = 0
    for promise_id, zone in found:
        if fits(bounds(cb.policy, cb.hours, zone or cb.time_zone), now_ms, now_ms + within_ms):
            count += await _ask(cb, promise_id, promise_id + suffix, words, now_ms)
    return count


async def keep(cb: Office, promise_id: str, words: str, now_ms: int) -> Promise | None:
    """The merchant wants the call: nobody asks again. None when it is over. Raises Unavailable."""
    async with cb.sql.session() as session:
        promise = await record.locked_if_any(session, promise_id)
        if promise is None or not record.is_open(promise):
            return None
        if not await _wants_it(session, promise_id):
            await record.change(session, promise, None, KEEP, by="merchant", now_ms=now_ms, words=words)
        return promise


async def let_go(cb: Office, incident: str, round_: int, within_ms: int, now_ms: int) -> list[str]:
    """Resolve the promises whose merchants got the text ``within_ms`` ago and did not answer; which.

    Raises Unavailable.
    """
    asked = {"incident": incident, "suffix": _suffix(round_), "until_ms": now_ms - within_ms}
    async with cb.sql.reading() as session:
        found = (await session.exec(_UNANSWERED, params=asked)).all()
    return [promise_id for promise_id in found if await _let_go(cb, promise_id, now_ms)]


def _suffix(round_: int) -> str:
    """What the name of a round's text has behind its promise's."""
    return f".keep.{round_}"


async def _ask(cb: Office, promise_id: str, name: str, words: Callable[[Promise], str], now_ms: int) -> bool:
    async with cb.sql.session() as session:
        promise = await record.locked_if_any(session, promise_id)
        if promise is None or not await _waits(session, promise):
            return False
        text = Text(
            id=name, number=promise.number, kind=TEXT_KIND, promise=promise.id, incident=promise.incident,
            body=words(promise), made_ms=now_ms, not_before_ms=now_ms,
        )  # fmt: skip
        if not await text_record.write(session, text) or text.state == TextState.SKIPPED:
            return False
        await record.change(session, promise, None, ASKED, by="line", now_ms=now_ms)
        return True


async def _let_go(cb: Office, promise_id: str, now_ms: int) -> bool:
    async with cb.sql.session() as session:
        promise = await record.locked_if_any(session, promise_id)
        if promise is None or not await _waits(session, promise):
            return False
        words = "fixed; asked whether to call, and not answered"
        await record.change(
            session, promise, PromiseState.RESOLVED, "resolved", by="line", now_ms=now_ms, words=words
        )
    await line_follows(cb, promise, promise.turn, now_ms)
    return True


async def _waits(session: AsyncSession, promise: Promise) -> bool:
    """Nobody rings it or holds its place, and its merchant has not said KEEP."""
    there = promise.state in MOVABLE and not promise.live_contact
    return there and not await _wants_it(session, promise.id)


async def _wants_it(session: AsyncSession, promise_id: str) -> bool:
    connection = await session.connection()
    return (await connection.execute(_SAID_KEEP, {"promise": promise_id})).first() is not None
