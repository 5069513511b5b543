"""One attempt to keep a promise, cut at the points from which a dead worker's attempt is recovered.

``write_intent`` (committed before the carrier is asked) → ``send`` → ``note_sent`` → and then by the
merchant's own leg ``answered`` → ``talked``, or ``over``. Whatever is not known any more is settled: looked
up at the carrier, never sent again. Whoever picks up asks ``answered``: the second of two legs hangs up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import structlog
from sqlalchemy import bindparam, insert, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import record
from callbacks.legs import call_off, join_line, leg_of, take_for
from callbacks.moments import bounds, may_ring, next_moment
from callbacks.office import Office
from callbacks.record import ATTEMPTS, PROMISES
from callbacks.settling import agent_gone, attempt_of, is_wanted, over, settle, stop_ringing, withdraw
from callbacks.slots import wait_for_slot
from callbacks.states import AttemptState, Mode, PromiseState, Result
from callbacks.tables import Attempt, CallbackSwitch, Promise
from callbacks.turns import promise_of, turn_of
from callbacks.windows import expires_at
from carrier.twilio_rest import Ambiguous, Busy, Carrier, Refused
from foundation.errors import Unavailable
from queueing.states import Disposition

__all__ = [
    "Intent",
    "agent_gone",
    "answered",
    "attempt_of",
    "begin",
    "call_off",
    "join_line",
    "leg_of",
    "note_sent",
    "over",
    "ring_first",
    "send",
    "settle",
    "stop_ringing",
    "take_for",
    "talked",
    "withdraw",
    "write_intent",
]

RING_LEEWAY_S = 30
"""Beyond the ringing, for the pick-up's own webhooks: then the call is looked up."""
LONGEST_TALK_MS = 4 * 3_600_000
FRESH_MS = 90_000
"""So long after a promise was made its merchant may still be hearing it."""
MARGIN_MS = 300
"""Kept back from the send deadline when a slot is waited for."""

_MADE_IN = select(PROMISES.c.contact).where(
    PROMISES.c.id == bindparam("id"), PROMISES.c.made_ms > bindparam("since_ms")
)
_MADE_BEFORE = select(ATTEMPTS.c.number, ATTEMPTS.c.contact, ATTEMPTS.c.fence, ATTEMPTS.c.state).where(
    ATTEMPTS.c.promise == bindparam("promise")
)
_KEEPING = select(col(CallbackSwitch.keeping)).where(col(CallbackSwitch.centre) == bindparam("centre"))
_INTENT = insert(ATTEMPTS)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Intent:
    """A new attempt, to be sent to ``number`` now; or none, and ``why``: "known" (it was begun before),
    else what stands in its way."""

    attempt: Attempt | None
    number: str = ""
    why: str = ""


# --- the way of an attempt ----------------------------------------------------------------------------


async def begin(
    cb: Office, carrier: Carrier, turn: str, fence: int, agent: str, now_ms: int
) -> Attempt | None:
    """The agent pressed Call: an attempt for this reservation of a turn, once. None when there is to be none.

    When it must not be rung now, or SQL is away, the agent is let go. Raises Unavailable (SQL).
    """
    intent = await intend(cb, turn, fence, agent, now_ms)
    if intent.attempt is None:
        return None
    await send(cb, carrier, intent.attempt, intent.number)
    return intent.attempt


async def making_call(cb: Office, turn: str, now_ms: int) -> str:
    """The call in which this turn's promise was made, if that was a moment ago and SQL says so; else ""."""
    try:
        async with cb.sql.reading() as session:
            connection = await session.connection()
            wanted = {"id": promise_of(turn), "since_ms": now_ms - FRESH_MS}
            return str((await connection.execute(_MADE_IN, wanted)).scalar() or "")
    except Unavailable:
        return ""


async def intend(cb: Office, turn: str, fence: int, agent: str, now_ms: int) -> Intent:
    """The first half of ``begin``: an attempt that is written down, or the agent is let go."""
    asked = await cb.line.contact(turn)
    if asked is None or (asked.agent, asked.fence, asked.accepted) != (agent, fence, True):
        return Intent(None, why="known")  # over, or another's
    try:
        intent = await write_intent(cb, promise_of(turn), turn, fence, agent, now_ms)
    except Unavailable:
        await _quietly(cb.line.fail_join(turn, now_ms))
        raise
    if intent.attempt is None and intent.why != "known":
        log.warning("a promise is not rung", turn=turn, why=intent.why)
        await _quietly(_let_go(cb, turn, fence, now_ms, again=intent.why == "under way"))
    return intent


async def ring_first(cb: Office, carrier: Carrier, promise_id: str, now_ms: int) -> Attempt | None:
    """Merchant first: an attempt without a turn. None when there is to be none. Raises Unavailable."""
    intent = await write_intent(cb, promise_id, "", 0, "", now_ms)
    if intent.attempt is None:
        log.info("a promise is not rung", promise=promise_id, why=intent.why)
        return None
    await send(cb, carrier, intent.attempt, intent.number)
    return intent.attempt


async def write_intent(cb: Office, promise_id: str, turn: str, fence: int, agent: str, now_ms: int) -> Intent:
    """The intent and the promise's DIALING, in one commit. Without ``turn``, the merchant is dialled first.

    Raises Unavailable, and then nothing, or an intent that nobody sends, is written.
    """
    async with cb.sql.session() as session:
        promise = await record.locked_if_any(session, promise_id)
        if promise is None:
            return Intent(None, why="there is no such promise")
        before = await _attempts(session, promise.id)
        if turn and any(a.contact == turn and a.fence == fence for a in before):
            return Intent(None, why="known")
        why = _why_not(cb, promise, turn, before) or await _switched_off(session, cb)
        if not why and not await _may_be_rung(cb, session, promise, now_ms):
            why = promise.reason or "not at this time"
        if why:
            return Intent(None, why=why)
        number = 1 + max((a.number for a in before), default=0)
        attempt = Attempt(
            id=f"{promise.id}-{number}",
            promise=promise.id,
            number=number,
            contact=turn,
            fence=fence,
            agent=agent,
            mode=promise.mode if not turn else Mode.AGENT_FIRST,
            state=AttemptState.INTENT,
            made_ms=now_ms,
            send_by_ms=now_ms + cb.policy.send_s * 1000,
            lease_ms=now_ms + cb.policy.send_s * 1000,
        )
        connection = await session.connection()
        await connection.execute(_INTENT, attempt.model_dump())
        by = agent or "line"
        await record.change(session, promise, PromiseState.DIALING, "dialing", by=by, now_ms=now_ms)
        return Intent(attempt, promise.number)


async def send(cb: Office, carrier: Carrier, attempt: Attempt, number: str) -> None:
    """Wait for a slot, look at the send deadline, ask the carrier, once. Raises Unavailable (SQL)."""
    try:
        patience_ms = attempt.send_by_ms - cb.clock.now_ms() - MARGIN_MS
        has_slot = await wait_for_slot(cb, patience_ms)
    except Unavailable as away:
        await withdraw(cb, attempt.id, f"no slot: {away}", cb.clock.now_ms())
        return
    now_ms = cb.clock.now_ms()
    if not has_slot or now_ms >= attempt.send_by_ms:
        await withdraw(cb, attempt.id, "it could not be sent in time", now_ms)
        return
    named = quote(attempt.id, safe="")
    try:
        sid = await carrier.dial(
            number,
            cb.ours[0],
            f"{cb.public_url}/voice/called?attempt={named}",
            status_callback=f"{cb.public_url}/voice/called/status?attempt={named}",
            fallback_url=f"{cb.public_url}/voice/called?attempt={named}",
            timeout_s=cb.policy.ring_s,
        )
    except Refused as refused:
        log.warning("a promise's number is refused", attempt=attempt.id, code=refused.code)
        await over(cb, attempt.id, Result.REFUSED, cb.clock.now_ms())
    except Busy:
        await withdraw(cb, attempt.id, "the carrier was busy", cb.clock.now_ms())
    except Ambiguous as unsure:
        log.warning("a dial was not answered", attempt=attempt.id, why=str(unsure))
        await note_unknown(cb, attempt.id, cb.clock.now_ms())
    else:
        if not await note_sent(cb, attempt.id, sid, cb.clock.now_ms()):
            attempt.call_sid = sid
            await stop_ringing(carrier, attempt)


async def note_sent(cb: Office, attempt_id: str, call_sid: str, now_ms: int) -> bool:
    """The carrier has it. False when nobody is to be rung for it any more: the promise is over, or the agent
    has gone and nobody has picked up. Raises Unavailable."""
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None:
            return False
        attempt, promise = found
        if attempt.state not in record.ATTEMPT_OPEN_WORDS:
            return attempt.call_sid == call_sid or attempt.state == AttemptState.TALKED
        early = attempt.state in (AttemptState.INTENT, AttemptState.UNKNOWN)
        # Has the pick-up overtaken this, the call that won stays noted.
        fields: dict[str, object] = {"call_sid": attempt.call_sid or call_sid}
        if early:
            fields["lease_ms"] = now_ms + (cb.policy.ring_s + RING_LEEWAY_S) * 1000
        await record.change_attempt(session, attempt, AttemptState.SENT if early else None, **fields)
        if promise.state == PromiseState.DIALING and promise.first_rung_ms is None:
            rung: dict[str, Any] = {"first_rung_ms": now_ms}
            await record.change(session, promise, None, "rung", by="line", now_ms=now_ms, **rung)
        return is_wanted(attempt, promise)


async def note_unknown(cb: Office, attempt_id: str, now_ms: int) -> None:
    """The carrier gave no answer: it is looked up when both deadlines have passed. Raises Unavailable."""
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None or found[0].state != AttemptState.INTENT:
            return
        attempt = found[0]
        looked_ms = max(now_ms, attempt.made_ms + cb.policy.settle_s * 1000)
        await record.change_attempt(session, attempt, AttemptState.UNKNOWN, lease_ms=looked_ms)


async def answered(cb: Office, attempt_id: str, call_sid: str, now_ms: int) -> bool:
    """Somebody picked up this leg. True: it is the one that rings; False: it hangs up. Who talks is decided
    when a key is pressed (``picking_up.take``).

    A repeat for the same leg is True again. Raises Unavailable: then the leg hangs up, too.
    """
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None or not call_sid:
            return False
        attempt, promise = found
        if attempt.call_sid == call_sid and attempt.state in (AttemptState.ANSWERED, AttemptState.TALKED):
            return promise.held_by in ("", call_sid)
        ringing = attempt.state in (AttemptState.INTENT, AttemptState.SENT, AttemptState.UNKNOWN)
        if promise.held_by or promise.state != PromiseState.DIALING or not ringing:
            return False
        rung_ms = promise.first_rung_ms or now_ms
        await record.change(
            session,
            promise,
            None,
            "answered",
            by="merchant",
            now_ms=now_ms,
            first_rung_ms=rung_ms,
        )
        return await record.change_attempt(
            session,
            attempt,
            AttemptState.ANSWERED,
            result="",
            call_sid=call_sid,
            answered_ms=now_ms,
            lease_ms=now_ms + cb.policy.dial_ms + cb.policy.lease_s * 1000,
        )


async def talked(cb: Office, attempt_id: str, now_ms: int) -> bool:
    """Merchant and agent have met. It follows from the journal; a door may say so earlier."""
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        return found is not None and await met(session, *found, now_ms)


async def met(
    session: AsyncSession, attempt: Attempt, promise: Promise, now_ms: int, agent: str = ""
) -> bool:
    """``talked``, in the transaction that holds both: the attempt TALKED, the promise CONNECTED. Once."""
    if attempt.state != AttemptState.ANSWERED:
        return False
    await record.change_attempt(session, attempt, AttemptState.TALKED, ended_ms=now_ms)
    if promise.state == PromiseState.DIALING:
        await record.change(
            session,
            promise,
            PromiseState.CONNECTED,
            "connected",
            by=agent or attempt.agent or "line",
            now_ms=now_ms,
            met_ms=now_ms,
        )
    return True


# --- whether at all -----------------------------------------------------------------------------------


async def _attempts(session: AsyncSession, promise_id: str) -> Sequence[Any]:
    connection = await session.connection()
    return (await connection.execute(_MADE_BEFORE, {"promise": promise_id})).all()


def _why_not(cb: Office, promise: Promise, turn: str, before: Sequence[Any]) -> str:
    """What stands in the way of ringing this promise, "" when nothing does."""
    if any(attempt.state in record.ATTEMPT_OPEN_WORDS for attempt in before):
        return "under way"
    if promise.state != PromiseState.IN_LINE or promise.held_by:
        return f"it is {promise.state}"
    if turn and turn_of(turn) != promise.turn:
        return "another turn has taken its place"
    if promise.live_contact:
        return "the merchant is on the line"
    if not cb.ours:
        return "we have no number to call from"
    return ""


async def _switched_off(session: AsyncSession, cb: Office) -> str:
    connection = await session.connection()
    keeping = (await connection.execute(_KEEPING, {"centre": cb.centre})).scalar()
    return "ringing is switched off" if keeping is False else ""


async def _may_be_rung(cb: Office, session: AsyncSession, promise: Promise, now_ms: int) -> bool:
    """False for a number we never dial and at a time when nobody is rung: the promise moves accordingly."""
    refused = cb.why_not_called(promise.number)
    given: dict[str, Any] = {"by": "line", "now_ms": now_ms}
    if refused:
        await record.change(session, promise, PromiseState.CANCELLED, "cancelled", words=refused, **given)
        return False
    within = bounds(cb.policy, cb.hours, promise.time_zone or cb.time_zone)
    if may_ring(within, now_ms):
        return True
    due_ms = next_moment(within, now_ms)
    if due_ms is None:
        due_ms = now_ms + cb.policy.expires_ms
    times: dict[str, Any] = {"due_ms": due_ms, "expires_ms": expires_at(cb.policy, due_ms, promise.by_ms)}
    words = "nobody is rung at this time"
    await record.change(session, promise, PromiseState.DUE_LATER, "later", words=words, **given, **times)
    return False


async def _let_go(cb: Office, turn: str, fence: int, now_ms: int, *, again: bool) -> None:
    """No attempt for this reservation: the turn goes back to its place (``again``), or out of the line."""
    now = await cb.line.contact(turn)
    if now is None or now.fence != fence:
        return
    if again:
        await cb.line.fail_join(turn, now_ms)
    else:
        await cb.line.leave(turn, Disposition.SET_ASIDE, now_ms)


async def _quietly(work: Coroutine[object, object, object]) -> None:
    try:
        async with asyncio.timeout(2):
            await work
    except (Unavailable, TimeoutError) as away:
        log.warning("the line was not told", why=str(away))
