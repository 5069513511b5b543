"""Is a callback still needed, now that what it was about is fixed? The merchant is asked by text: KEEP.

A promise is a promise. Nobody is asked who did not agree to texts, and nobody is let go but who got the text,
had the time that it told, and did not answer. Everybody else is called. KEEP, once said, holds for good.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import ColumnElement
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
    col(Promise.state).in_([state.value for state in MOVABLE]),
    col(Promise.live_contact) == "",
    _NOT_KEPT,
)


async def open_ones(cb: Office, since_ms: int, after: str, most: int) -> list[Promise]:
    """A page of the open promises made since then of which nobody has said KEEP, by id from ``after`` on.

    Raises Unavailable.
    """
    async with cb.sql.reading() as session:
        wanted = select(Promise).where(
            col(Promise.open_number).is_not(None),
            Promise.made_ms >= since_ms,
            col(Promise.id) > after,
            _NOT_KEPT,
        )
        return list(await session.exec(wanted.order_by(col(Promise.id)).limit(most)))


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
    asked = select(Text.id).where(col(Text.id) == _text_id(round_)).exists()
    async with cb.sql.reading() as session:
        wanted = select(Promise).where(Promise.incident == incident, col(Promise.texts), *_WAITS, ~asked)
        found = list(await session.exec(wanted.order_by(col(Promise.arrival_us)).limit(MOST)))
    count = 0
    for promise in found:
        zone = promise.time_zone or cb.time_zone
        if fits(bounds(cb.policy, cb.hours, zone), now_ms, now_ms + within_ms):
            count += await _ask(cb, promise.id, f"{promise.id}.keep.{round_}", words, now_ms)
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
    got: ColumnElement[bool] = (col(Text.state) == TextState.DELIVERED) & (
        col(Text.done_ms) <= now_ms - within_ms
    )
    async with cb.sql.reading() as session:
        wanted = (
            select(Promise.id)
            .join(Text, col(Text.id) == _text_id(round_))
            .where(Promise.incident == incident, *_WAITS, got)
        )
        found = list(await session.exec(wanted.limit(MOST)))
    return [promise_id for promise_id in found if await _let_go(cb, promise_id, now_ms)]


def _text_id(round_: int) -> ColumnElement[str]:
    return col(Promise.id) + f".keep.{round_}"


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
    said = select(PromiseEvent.id).where(PromiseEvent.promise == promise_id, PromiseEvent.kind == KEEP)
    return (await session.exec(said)).first() is not None
