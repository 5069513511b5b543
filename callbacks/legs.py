"""The merchant's own legs: which of them talks, and which is not to ring."""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import bindparam, select

from callbacks import record
from callbacks.cards import card_of
from callbacks.office import Office
from callbacks.record import ATTEMPTS
from callbacks.settling import stop_ringing
from callbacks.states import AttemptState, PromiseState
from carrier.twilio_rest import Carrier
from foundation.errors import Unavailable
from queueing.records import Entry

_ANSWERED = (
    select(ATTEMPTS.c.call_sid)
    .where(ATTEMPTS.c.contact == bindparam("turn"), ATTEMPTS.c.answered_ms.is_not(None))
    .order_by(ATTEMPTS.c.number.desc())
)

log = structlog.get_logger(__name__)


async def take_for(cb: Office, promise_id: str, contact: str, now_ms: int) -> bool:
    """Before a live call of somebody who has a promise is taken to its agent: it must win the promise.

    False: a call that we made talks with the merchant. SQL away, it is True: whoever picks up needs SQL,
    and loses.
    """
    try:
        async with cb.sql.session() as session:
            promise = await record.locked_if_any(session, promise_id)
            if promise is None or not record.is_open(promise) or promise.held_by == contact:
                return True
            if promise.held_by or promise.state == PromiseState.CONNECTED:
                return False
            given: dict[str, Any] = {"held_by": contact, "live_contact": contact}
            await record.change(session, promise, None, "taken", by="line", now_ms=now_ms, **given)
            return True
    except Unavailable as away:
        log.warning("taken without asking SQL", promise=promise_id, contact=contact, why=str(away))
        return True


async def call_off(cb: Office, carrier: Carrier, promise_id: str) -> None:
    """Nobody is to be rung for this promise any more: its ringing call is withdrawn. Raises Unavailable."""
    async with cb.sql.reading() as session:
        attempt = await record.open_attempt(session, promise_id)
    if attempt is not None and attempt.state != AttemptState.ANSWERED:
        await stop_ringing(carrier, attempt)


async def leg_of(cb: Office, turn: str) -> str:
    """The CallSid of the merchant's leg of a turn that was answered; "" without one. Raises Unavailable."""
    async with cb.sql.reading() as session:
        connection = await session.connection()
        return str((await connection.execute(_ANSWERED, {"turn": turn})).scalar() or "")


async def join_line(cb: Office, attempt_id: str, call_sid: str, now_ms: int) -> Entry | None:
    """Merchant first, and the merchant pressed 1: the call stands in the line, at the promise's ticket.

    None when this leg has not won. Raises Unavailable.
    """
    async with cb.sql.reading() as session:
        attempt = await record.attempt(session, attempt_id)
        promise = await record.promise(session, attempt.promise) if attempt else None
    if promise is None or promise.held_by != call_sid:
        return None
    return await cb.line.rejoin(
        call_sid,
        queue=promise.queue,
        band=promise.band,
        arrival_us=promise.arrival_us,
        entered_ms=promise.entered_ms,
        card=card_of(promise),
        now_ms=now_ms,
    )
