"""Making a promise: committed to SQL, then put into the line, and only then spoken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import structlog
from sqlalchemy import bindparam
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import asked, limits, record
from callbacks.cards import card_of
from callbacks.moments import bounds, next_moment, zone_info
from callbacks.office import Conflict, Office
from callbacks.states import PromiseState
from callbacks.tables import Promise
from callbacks.turns import new_promise_id, turn_name
from callbacks.windows import expires_at, terms
from foundation.errors import Mendable, Unavailable
from foundation.sql import insert_once
from queueing.records import Card, Entry, EntryOutcome
from queueing.states import Disposition

AGAIN = 3
"""The open promise of a number may end between two looks at it."""

_OPEN_OR_OF_CALL = (
    select(Promise)
    .where(
        or_(
            Promise.open_number == bindparam("number"),
            and_(
                Promise.number == bindparam("number"),
                Promise.contact == bindparam("contact"),
                Promise.contact != "",
            ),
        )
    )
    .order_by(col(Promise.open_number).is_(None))
)
"""The open one first."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewPromise:
    """What is asked for. ``arrival_us`` 0: the ticket of the live contact in the line, else of now.

    ``window`` (start and end, ms): not before its start. ``told_by_ms``: the far end of the wait told.
    """

    number: str
    queue: str
    band: str
    card: Card = field(default_factory=Card)
    contact: str = ""
    entered_ms: int = 0
    arrival_us: int = 0
    made_by: str = "phone"
    typed: bool = False
    texts: bool = False
    window: tuple[int, int] | None = None
    told_by_ms: int | None = None
    language: str = "en"
    time_zone: str = ""
    incident: str = ""
    """What it is about; "" : not known yet, ``processes.tagging`` looks."""


@dataclass(frozen=True, slots=True)
class Made:
    """The open promise of the number. ``fresh``: made just now. ``entry``: what the line said; None when it
    was not asked (another day's promise, a repeat) or gave no answer: the keeper then brings it there."""

    promise: Promise
    fresh: bool
    entry: Entry | None


async def make(cb: Office, request: NewPromise, now_ms: int) -> Made:
    """Promise to ring back. A second time, or for a number that has an open promise, that one is told.

    Raises Mendable for a number we would not dial, an unknown queue, band or time zone and a window that is
    over, ``limits.TooMany`` (Mendable, with a code) when too many were asked for, Unavailable when SQL is
    away: then nothing was promised.
    """
    _check(cb, request, now_ms)
    request = await _ticketed(cb, request, now_ms)
    for _ in range(AGAIN):
        async with cb.sql.session() as session:
            before = await _before(session, request)
            if before is not None:
                return Made(before, fresh=False, entry=None)
            promise = _promise(cb, request, now_ms)
            await _limited(cb, session, request, now_ms)
            if await insert_once(session, promise, "open_number"):
                by = request.made_by if request.made_by != "phone" else "merchant"
                await record.note(session, promise.id, "made", by=by, now_ms=now_ms)
                break
    else:
        raise Conflict("This number's callback is being changed just now; try again.")
    return Made(promise, fresh=True, entry=await take_place(cb, promise, now_ms))


async def take_place(cb: Office, promise: Promise, now_ms: int) -> Entry | None:
    """Have the line say what SQL says of a promise that was just made; None when it does not answer."""
    try:
        if promise.state != PromiseState.IN_LINE or promise.mode == "merchant_first":
            if promise.contact:
                await cb.line.leave(promise.contact, Disposition.PROMISED, now_ms)
            return None
        turn = turn_name(promise.id, promise.turn)
        if promise.contact:
            live = await cb.line.contact(promise.contact)
            if live is not None and not live.disposition:
                return await cb.line.promise(promise.contact, turn, card=card_of(promise), now_ms=now_ms)
        return await rejoin(cb, promise, now_ms)
    except Unavailable as away:
        log.warning("a promise is not in the line yet", promise=promise.id, why=str(away))
        return None


async def rejoin(cb: Office, promise: Promise, now_ms: int) -> Entry:
    """The promise's present turn comes into the line, at its ticket, and is kept for its agent (see
    ``changing.assign``). Raises Unavailable."""
    turn = turn_name(promise.id, promise.turn)
    entry = await cb.line.rejoin(
        turn,
        queue=promise.queue,
        band=promise.band,
        arrival_us=promise.arrival_us,
        entered_ms=promise.entered_ms,
        card=card_of(promise),
        now_ms=now_ms,
    )
    if promise.agent and entry.outcome is EntryOutcome.ENTERED:
        await cb.line.keep_for(turn, promise.agent, now_ms)
    return entry


def stands(entry: Entry | None) -> bool:
    """Whether the line said that the place is held."""
    return entry is not None and entry.outcome in (EntryOutcome.ENTERED, EntryOutcome.ALREADY)


def _check(cb: Office, request: NewPromise, now_ms: int) -> None:
    cb.line.policy.queue(request.queue)
    cb.line.policy.band(request.band)
    if request.time_zone:
        zone_info(request.time_zone)
    if why := cb.why_not_called(request.number):
        raise Mendable(f"This number cannot be called: {why}.")
    if request.window is not None:
        check_window(request.window, now_ms)


def check_window(window: tuple[int, int], now_ms: int) -> None:
    """Raises Mendable for a window that ends before it begins, or is over."""
    start_ms, end_ms = window
    if end_ms <= start_ms:
        raise Mendable("The time window must end after it starts.")
    if end_ms <= now_ms:
        raise Mendable("This time is over. Choose one that is still to come.")


async def _ticketed(cb: Office, request: NewPromise, now_ms: int) -> NewPromise:
    """With the ticket, and the place, that the live contact has in the line."""
    if request.arrival_us or not request.contact:
        entered_ms = request.entered_ms or now_ms
        arrival_us = request.arrival_us or entered_ms * 1000
        return replace(request, arrival_us=arrival_us, entered_ms=entered_ms)
    try:
        live = await cb.line.contact(request.contact)
    except Unavailable:
        live = None
    if live is None:
        entered_ms = request.entered_ms or now_ms
        return replace(request, arrival_us=entered_ms * 1000, entered_ms=entered_ms)
    return replace(
        request,
        arrival_us=live.arrival_us,
        entered_ms=live.entered_ms,
        queue=live.queue,
        band=live.band,
    )


async def _limited(cb: Office, session: AsyncSession, request: NewPromise, now_ms: int) -> None:
    """Raises TooMany when one more is too many: logged and counted, and a merchant's number is in neither."""
    if request.made_by in limits.EXEMPT:
        return
    told = await asked.lately(session, request.number, request.card.merchant_id, now_ms)
    limit = limits.reached(cb.policy, told, request.made_by)
    if limit is not None:
        asked.REFUSED[limit] += 1
        log.warning("a promise is refused", code=limit.value, made_by=request.made_by)
        raise limits.TooMany(limit)


async def _before(session: AsyncSession, request: NewPromise) -> Promise | None:
    """The open promise of this number, or the one that was made in this very call."""
    call = {"number": request.number, "contact": request.contact}
    return (await session.exec(_OPEN_OR_OF_CALL, params=call)).first()


def _promise(cb: Office, request: NewPromise, now_ms: int) -> Promise:
    """The row, as it is to be: in the line, or due when the merchant may be rung."""
    card, times = request.card, terms(cb.policy, request.window, request.told_by_ms, now_ms)
    zone = request.time_zone or cb.time_zone
    due_ms = next_moment(bounds(cb.policy, cb.hours, zone), max(now_ms, times.due_ms))
    if due_ms is None:
        raise Mendable("There is no time at which this number may be called.")
    in_line = due_ms <= now_ms
    return Promise(
        id=new_promise_id(),
        state=PromiseState.IN_LINE if in_line else PromiseState.DUE_LATER,
        number=request.number,
        open_number=request.number,
        contact=request.contact,
        live_contact=request.contact,
        made_by=request.made_by,
        queue=request.queue,
        band=request.band,
        arrival_us=request.arrival_us,
        entered_ms=request.entered_ms,
        made_ms=now_ms,
        due_ms=due_ms,
        by_ms=times.by_ms,
        windowed=request.window is not None,
        expires_ms=expires_at(cb.policy, due_ms, times.by_ms),
        mode=cb.policy.mode(request.queue),
        typed=request.typed,
        texts=request.texts,
        language=request.language,
        time_zone=request.time_zone,
        merchant_id=card.merchant_id,
        merchant=card.merchant,
        location=card.location,
        tier=card.tier,
        product=card.product,
        topic=card.topic,
        note=card.note,
        incident=request.incident,
        turn=1 if in_line else 0,
    )
