"""How an attempt ends, and what becomes of its promise. SQL first, then the line.

Every verb here may come twice, late or beside another: the attempt's state decides, once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import bindparam
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import record
from callbacks.moments import bounds, next_moment
from callbacks.office import Office
from callbacks.states import AttemptState, PromiseState, Result
from callbacks.tables import Attempt, Promise
from callbacks.windows import expires_at, retry_due
from carrier.twilio_rest import Busy, Call, Carrier, Refused
from foundation.connections import answering
from foundation.errors import Unavailable
from queueing.records import Outcome
from queueing.states import Disposition

LIVE = frozenset({"queued", "initiated", "ringing", "in-progress"})
RESULTS = {
    "busy": Result.BUSY,
    "no-answer": Result.NO_ANSWER,
    "failed": Result.FAILED,
    "canceled": Result.AGENT_GONE,
    "completed": Result.HUNG_UP,
}
"""What a call's last status, by Twilio's word, says of an attempt. "canceled" is our own doing."""
UNHEARD = (AttemptState.INTENT, AttemptState.UNKNOWN)
"""Nobody knows yet whether there is a call."""
FINAL = frozenset({Result.REFUSED, Result.WRONG_NUMBER})
"""Ringing again would be of no use."""
MOST_RUNG = 2
"""So many times the tries is a phone rung at most for free: nobody is rung all day by a trouble of ours."""
LEEWAY_MS = 1_000
"""Twilio's clock beside ours."""

_OF_RESERVATION = select(Attempt).where(
    Attempt.contact == bindparam("turn"), Attempt.fence == bindparam("fence")
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """What an attempt's end was: the row, and the promise's state after it."""

    attempt: Attempt
    promise: str
    state: PromiseState


async def over(
    cb: Office, attempt_id: str, result: Result, now_ms: int, call_sid: str = ""
) -> Settled | None:
    """The attempt reached nobody. None when it was over already, or when ``call_sid`` is not its call.

    The promise is due again after the policy's pause, unreachable after its last try, or, when it was us who
    were not there (AGENT_GONE), back in the line with nothing counted. Whoever picked up in a trouble of ours
    (TROUBLE) is rung again after the first pause, nothing counted. Raises Unavailable.
    """
    if result is Result.HUNG_UP and await _had_trouble(cb, attempt_id):
        result = Result.TROUBLE
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None:
            return None
        attempt, promise = found
        if attempt.state not in record.ATTEMPT_OPEN_WORDS or not _is_its_call(attempt, call_sid):
            return None
        overtaken = promise.state != PromiseState.DIALING or (
            bool(promise.live_contact) and result is not Result.REFUSED
        )
        there = AttemptState.WITHDRAWN if overtaken else AttemptState.NOT_REACHED
        known = {"call_sid": attempt.call_sid or call_sid}
        if not await record.change_attempt(session, attempt, there, result=result, ended_ms=now_ms, **known):
            return None
        if promise.state == PromiseState.DIALING:
            await _not_reached(cb, session, promise, attempt, result, now_ms, counted=not overtaken)
        settled = Settled(attempt, promise.id, PromiseState(promise.state))
    await free_line(cb, settled, now_ms)
    return settled


async def note_trouble(cb: Office, attempt_id: str) -> None:
    """Somebody picked up while SQL was away: hanging up then is not counted. Raises Unavailable."""
    async with answering():
        await cb.redis.set(_trouble(cb, attempt_id), "1", px=cb.policy.expires_ms)


async def _had_trouble(cb: Office, attempt_id: str) -> bool:
    try:
        async with answering():
            return bool(await cb.redis.exists(_trouble(cb, attempt_id)))
    except Unavailable:
        return False


def _trouble(cb: Office, attempt_id: str) -> str:
    return f"surgeline:{{{cb.centre}}}:trouble:{attempt_id}"


async def withdraw(
    cb: Office, attempt_id: str, why: str, now_ms: int, only: Collection[str] = record.ATTEMPT_OPEN_WORDS
) -> Settled | None:
    """The attempt never rang: it counts for nothing, and the promise is in the line again, in its place.

    None when it was over already, or in none of the states ``only``. Raises Unavailable.
    """
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None:
            return None
        attempt, promise = found
        if attempt.state not in only:
            return None
        if not await record.change_attempt(session, attempt, AttemptState.WITHDRAWN, ended_ms=now_ms):
            return None
        if promise.state == PromiseState.DIALING:
            await record.change(
                session,
                promise,
                PromiseState.IN_LINE,
                "in_line",
                by="line",
                now_ms=now_ms,
                words=why,
                held_by="" if promise.held_by == attempt.call_sid else promise.held_by,
            )
        settled = Settled(attempt, promise.id, PromiseState(promise.state))
    log.warning("an attempt was withdrawn", attempt=attempt_id, why=why)
    await free_line(cb, settled, now_ms)
    return settled


async def agent_gone(cb: Office, carrier: Carrier, turn: str, fence: int, now_ms: int) -> Settled | None:
    """The agent who pressed Call is there no more: the merchant's phone stops ringing, nothing is counted.

    Whether it rings at all may not be known. Then the attempt stays open, so that nobody rings a second time
    meanwhile, and its call is stopped when it is known.
    """
    attempt = await attempt_of(cb, turn, fence)
    if attempt is None or attempt.state not in record.ATTEMPT_OPEN_WORDS:
        return None
    if attempt.state in UNHEARD:
        attempt = await _unwanted(cb, attempt.id)
        if attempt is None or attempt.state in (*UNHEARD, AttemptState.ANSWERED):
            return None
    if attempt.state != AttemptState.ANSWERED:  # picked up, its own door tells the merchant why
        await stop_ringing(carrier, attempt)
    return await over(cb, attempt.id, Result.AGENT_GONE, now_ms)


async def _unwanted(cb: Office, attempt_id: str) -> Attempt | None:
    """Its result is noted before its end. The attempt as it is now; None when it is over."""
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is None or found[0].state not in record.ATTEMPT_OPEN_WORDS:
            return None
        if found[0].state in UNHEARD:
            await record.change_attempt(session, found[0], None, result=Result.AGENT_GONE)
        return found[0]


def is_wanted(attempt: Attempt, promise: Promise) -> bool:
    """Whether its call is to go on: somebody has picked up, or the promise is dialled and its agent there."""
    rings_on = promise.state == PromiseState.DIALING and attempt.result != Result.AGENT_GONE
    return rings_on or attempt.state == AttemptState.ANSWERED


async def attempt_of(cb: Office, turn: str, fence: int) -> Attempt | None:
    """The attempt of this reservation of a turn. Raises Unavailable."""
    async with cb.sql.reading() as session:
        return (await session.exec(_OF_RESERVATION, params={"turn": turn, "fence": fence})).first()


async def stop_ringing(carrier: Carrier, attempt: Attempt) -> None:
    """Withdraw a call that is not picked up; where that fails, the pick-up's own check hangs up."""
    if not attempt.call_sid:
        return
    try:
        await carrier.cancel(attempt.call_sid)
    except (Refused, Busy, Unavailable) as failed:
        log.warning("a call could not be withdrawn", attempt=attempt.id, why=str(failed))


async def settle(cb: Office, carrier: Carrier, attempt: Attempt, now_ms: int) -> Settled | None:
    """An attempt whose time is over is looked up at the carrier, and believed from there; never sent again.

    None when nothing came to an end: it still rings, it is too early to tell, or the carrier does not say.
    Raises Unavailable.
    """
    if attempt.state == AttemptState.INTENT and not await _give_up_sending(cb, attempt, now_ms):
        return None
    if attempt.state not in record.ATTEMPT_OPEN_WORDS:
        return None
    if not attempt.call_sid and now_ms < attempt.made_ms + cb.policy.settle_s * 1000:
        return None
    try:
        leg = await _find(cb, carrier, attempt)
    except (Refused, Busy, Unavailable) as silent:
        log.warning("an attempt could not be looked up", attempt=attempt.id, why=str(silent))
        return None
    if leg is None:
        only = record.ATTEMPT_OPEN_WORDS if attempt.call_sid else UNHEARD  # picked up meanwhile, it rang
        return await withdraw(cb, attempt.id, "it never rang", now_ms, only)
    if leg.status in LIVE:
        await _still_there(cb, carrier, attempt, leg, now_ms)
        return None
    result = RESULTS.get(leg.status, Result.FAILED)
    if result is Result.HUNG_UP and attempt.answered_ms is None:
        result = Result.TROUBLE  # picked up, and no door of ours ever knew
    return await over(cb, attempt.id, result, now_ms, leg.sid)


async def free_line(cb: Office, settled: Settled, now_ms: int) -> None:
    """After SQL: what the line holds of this attempt. Redis away, the keeper puts it right later."""
    attempt = settled.attempt
    if not attempt.contact:
        return
    try:
        now = await cb.line.contact(attempt.contact)
        if now is None:
            return
        if settled.state is PromiseState.IN_LINE:
            if now.fence == attempt.fence:
                await cb.line.fail_join(attempt.contact, now_ms)
        # This turn is over, whoever was asked for it since: the promise's next has another name.
        elif await cb.line.not_reached(attempt.contact, now.fence, now_ms) is Outcome.STALE:
            await cb.line.leave(attempt.contact, Disposition.SET_ASIDE, now_ms)
    except Unavailable as away:
        log.warning("the line was not told", attempt=attempt.id, why=str(away))


def _is_its_call(attempt: Attempt, call_sid: str) -> bool:
    return not call_sid or not attempt.call_sid or attempt.call_sid == call_sid


async def _not_reached(
    cb: Office,
    session: AsyncSession,
    promise: Promise,
    attempt: Attempt,
    result: Result,
    now_ms: int,
    *,
    counted: bool,
) -> None:
    """A promise whose attempt was in vain moves on."""
    given: dict[str, Any] = {"by": "line", "now_ms": now_ms, "words": result.value}
    held_by = "" if promise.held_by in ("", attempt.call_sid) else promise.held_by
    if result is Result.AGENT_GONE or not counted:
        await record.change(session, promise, PromiseState.IN_LINE, "in_line", **given, held_by=held_by)
        return
    if result is Result.TROUBLE and attempt.number < MOST_RUNG * cb.policy.tries:
        within = bounds(cb.policy, cb.hours, promise.time_zone or cb.time_zone)
        due_ms = next_moment(within, now_ms + cb.policy.retry_after_ms(1))
        if due_ms is not None:
            there = PromiseState.DUE_LATER
            await record.change(session, promise, there, "later", **given, due_ms=due_ms, held_by=held_by)
            return
    await again_later(cb, session, promise, result, now_ms, by="line")


async def again_later(
    cb: Office, session: AsyncSession, promise: Promise, result: Result, now_ms: int, by: str
) -> None:
    """One more try in vain: due again after the policy's pause, or unreachable."""
    tries = promise.tries + 1
    zone = promise.time_zone or cb.time_zone
    due_ms = retry_due(cb.policy, bounds(cb.policy, cb.hours, zone), tries, now_ms)
    if result in FINAL or due_ms is None:
        await record.change(
            session,
            promise,
            PromiseState.UNREACHABLE,
            "unreachable",
            by=by,
            now_ms=now_ms,
            words=result.value,
            tries=tries,
            held_by="",
        )
        return
    await record.change(
        session,
        promise,
        PromiseState.DUE_LATER,
        "not_reached",
        by=by,
        now_ms=now_ms,
        words=result.value,
        tries=tries,
        due_ms=due_ms,
        expires_ms=expires_at(cb.policy, due_ms, promise.by_ms),
        held_by="",
    )


async def _give_up_sending(cb: Office, attempt: Attempt, now_ms: int) -> bool:
    """From the send deadline on an intent is an unknown answer: whoever had it may have sent it."""
    if now_ms < attempt.send_by_ms:
        return False
    looked_ms = max(now_ms, attempt.made_ms + cb.policy.settle_s * 1000)
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt.id)
        if found is None:
            return False
        fresh = found[0]
        if fresh.state == AttemptState.INTENT:
            await record.change_attempt(session, fresh, AttemptState.UNKNOWN, lease_ms=looked_ms)
    attempt.state, attempt.call_sid, attempt.lease_ms = fresh.state, fresh.call_sid, fresh.lease_ms
    return True


async def _find(cb: Office, carrier: Carrier, attempt: Attempt) -> Call | None:
    """The call of this attempt, by the carrier's word. A live one goes before one that is over."""
    if attempt.call_sid:
        return await carrier.call(attempt.call_sid)
    async with cb.sql.reading() as session:
        promise = await session.get(Promise, attempt.promise)
        if promise is None:
            return None
        others = await session.exec(
            select(Attempt.call_sid).where(Attempt.promise == promise.id, Attempt.id != attempt.id)
        )
        known = set(others)
        mine = await carrier.calls(
            to=promise.number, from_=cb.ours[0], since_ms=attempt.made_ms - LEEWAY_MS, limit=20
        )
    found = [call for call in mine if call.sid not in known]
    return next((call for call in found if call.status in LIVE), found[0] if found else None)


async def _still_there(cb: Office, carrier: Carrier, attempt: Attempt, leg: Call, now_ms: int) -> None:
    """It rings, or they talk: looked at again later. A promise that is over has nobody ringing for it."""
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt.id)
        if found is None:
            return
        fresh, promise = found
        if fresh.state not in record.ATTEMPT_OPEN_WORDS:
            return
        fields = {"lease_ms": now_ms + cb.policy.lease_s * 1000, "call_sid": fresh.call_sid or leg.sid}
        there = AttemptState.SENT if fresh.state in (AttemptState.INTENT, AttemptState.UNKNOWN) else None
        await record.change_attempt(session, fresh, there, **fields)
        if promise.first_rung_ms is None and promise.state == PromiseState.DIALING:
            await record.change(
                session, promise, None, "dialing", by="line", now_ms=now_ms, first_rung_ms=attempt.made_ms
            )
        wanted = is_wanted(fresh, promise)
    if not wanted:
        await stop_ringing(carrier, fresh)
