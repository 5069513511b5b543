"""Promises follow the journal, in the transaction in which the journal is written down.

What a telephone or an agent did is a move of the line first; here the promise behind it moves as well. An
event is given here once; one that finds its promise further on changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import structlog
from sqlalchemy import BindParameter, bindparam
from sqlalchemy import select as sql_select
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from callbacks import record
from callbacks.dialing import met
from callbacks.office import Conflict, Office
from callbacks.record import ATTEMPTS, PROMISES
from callbacks.settling import again_later
from callbacks.states import ATTEMPT_OPEN, AttemptState, IllegalMove, PromiseState, Result
from callbacks.tables import Attempt, Promise
from callbacks.turns import promise_of, turn_of
from queueing.journal import Event
from queueing.records import Card
from queueing.states import ContactState, Disposition
from queueing.story import order
from queueing.tables import Contact, ContactEvent

REACHED = "reached"
AGAIN = "again"
OUTCOMES = {
    "no_answer": Result.NO_ANSWER,
    "machine": Result.MACHINE,
    "busy": Result.BUSY,
    "hung_up": Result.HUNG_UP,
    "wrong_number": Result.WRONG_NUMBER,
}
"""An agent's word after the talk that says: this was no talk. Any other outcome keeps the promise."""
WRAPPED_UP = frozenset({"agent_ready", "agent_away", "agent_off"})

_CALLS: BindParameter[Any] = bindparam("calls", expanding=True)
_HELD_BY_CALLS = sql_select(PROMISES.c.id, PROMISES.c.live_contact, PROMISES.c.held_by).where(
    or_(PROMISES.c.live_contact.in_(_CALLS), PROMISES.c.held_by.in_(_CALLS)), record.IS_OPEN
)
_RUNG_BY_CALLS = sql_select(ATTEMPTS.c.call_sid, ATTEMPTS.c.promise).where(ATTEMPTS.c.call_sid.in_(_CALLS))
_NEWEST = select(Attempt).order_by(col(Attempt.number).desc()).execution_options(populate_existing=True)
_OF_TURN = _NEWEST.where(Attempt.contact == bindparam("contact"))
_OF_CALL = _NEWEST.where(Attempt.call_sid == bindparam("contact"))

log = structlog.get_logger(__name__)


async def follow(session: AsyncSession, events: Iterable[Event], cb: Office) -> int:
    """Move the promises that these new events are about; how many events were about any.

    Call it after ``ledger.record``, in its transaction, with the events that were new.
    """
    told = sorted((event for event in events if event.contact), key=lambda event: order(event.id))
    wanted = [event for event in told if event.kind in _OF_TURNS or event.kind in _OF_CALLS]
    if not wanted:
        return 0
    owners = _told_by_cards(wanted) | await _owners(session, {event.contact for event in wanted})
    promises = await record.locked_all(session, set(owners.values()))
    count = 0
    for event in wanted:
        promise = promises.get(owners.get(event.contact, ""))
        act = (_OF_TURNS if promise_of(event.contact) else _OF_CALLS).get(event.kind)
        if promise is None or act is None:
            continue
        count += 1
        if record.is_open(promise):
            try:
                await act(session, promise, event, cb)
            except (IllegalMove, Conflict) as odd:  # the journal must be written down all the same
                log.error("a promise does not follow", promise=promise.id, event=event.id, why=str(odd))
    return count


def _told_by_cards(events: Iterable[Event]) -> dict[str, str]:
    """Whose merchant rang in, as the call's card says: SQL may have been away just then."""
    entered = (event for event in events if event.kind == "entered" and not promise_of(event.contact))
    cards = {event.contact: Card.unpacked(event.fields.get("card", "")) for event in entered}
    return {contact: card.promise for contact, card in cards.items() if card.promise}


async def _owners(session: AsyncSession, contacts: set[str]) -> dict[str, str]:
    """Contact to promise: of turns by name, of calls by who holds a promise's place, or rang for it."""
    owners = {contact: promise_of(contact) for contact in contacts if promise_of(contact)}
    calls = sorted(contacts - set(owners))
    if not calls:
        return owners
    connection = await session.connection()
    for promise_id, live_contact, held_by in await connection.execute(_HELD_BY_CALLS, {"calls": calls}):
        owners |= {contact: promise_id for contact in (held_by, live_contact) if contact in calls}
    for call_sid, promise_id in await connection.execute(_RUNG_BY_CALLS, {"calls": calls}):
        owners[call_sid] = promise_id
    return owners


# --- turns ----------------------------------------------------------------------------------------------


async def _turn_met(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    attempt = await _attempt(session, _OF_TURN, event)
    if attempt is not None and attempt.state == AttemptState.ANSWERED:
        await met(session, attempt, promise, event.at_ms, event.agent)
    elif promise.state == PromiseState.DIALING:
        await _connected(session, promise, event)


async def _turn_noted(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    """The agent's one word: kept, in vain, or again."""
    if promise.state != PromiseState.CONNECTED or turn_of(event.contact) != promise.turn:
        return
    await _worded(session, promise, event, cb)


async def _worded(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    word = event.fields.get("result", "") or event.fields.get("outcome", "")
    if word in OUTCOMES:
        await again_later(cb, session, promise, OUTCOMES[word], event.at_ms, by=event.agent)
    elif word == AGAIN:
        await _due_again(session, promise, event, cb, "asked_again", by=event.agent)
    elif word:
        await _kept(session, promise, event, word)


async def _turn_wrapped_up(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    """The wrap-up is over without a word: they talked, so it is kept."""
    if promise.state != PromiseState.CONNECTED or turn_of(event.contact) != promise.turn:
        return
    contact = await session.get(Contact, event.contact)
    if contact is not None and contact.disposition == Disposition.ANSWERED:
        await _kept(session, promise, event, "")


async def _turn_ended(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    here = promise.state == PromiseState.CONNECTED and turn_of(event.contact) == promise.turn
    if here and event.fields.get("disposition") == Disposition.SET_ASIDE:
        await _left_between(session, promise, event, cb)


async def _left_between(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    """The merchant hung up on the way from one agent to the next, having talked with the first. After a
    transfer it is kept. The agent was lost in the middle of the talk: the merchant is rung again, at once.
    """
    told = await session.exec(
        select(ContactEvent).where(
            ContactEvent.contact == event.contact, col(ContactEvent.kind).in_(("transferred", "unjoined"))
        )
    )
    # A join that failed on the way to the next agent parts nobody.
    parted = [each for each in told if each.fields.get("from") == ContactState.CONNECTED]
    last = max(parted, key=lambda each: order(each.id), default=None)
    if last is not None and last.kind == "unjoined":
        await _due_again(session, promise, event, cb, "in_line", by="line")
    else:
        await _kept(session, promise, event, "hung up in a transfer")


async def _due_again(
    session: AsyncSession, promise: Promise, event: Event, cb: Office, kind: str, by: str
) -> None:
    """Once more, nothing counted: at once when we lost the merchant, else after the pause of a first try."""
    pause_ms = cb.policy.retry_after_ms(1) if kind == "asked_again" else 0
    due_ms = event.at_ms + pause_ms
    await record.change(
        session,
        promise,
        PromiseState.DUE_LATER,
        kind,
        by=by,
        now_ms=event.at_ms,
        due_ms=due_ms,
        expires_ms=max(promise.expires_ms, due_ms + cb.policy.expires_ms),
        held_by="",
    )


# --- calls: of a merchant who rang in, or who was dialled first -------------------------------------------


async def _call_entered(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    waits = promise.state in (PromiseState.DUE_LATER, PromiseState.IN_LINE, PromiseState.DIALING)
    if not waits or promise.live_contact or promise.held_by == event.contact:
        return
    live: dict[str, Any] = {"live_contact": event.contact}
    await record.change(session, promise, None, "returned", by="merchant", now_ms=event.at_ms, **live)


async def _call_met(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    attempt = await _attempt(session, _OF_CALL, event)
    if attempt is not None and attempt.state in ATTEMPT_OPEN:
        await met(session, attempt, promise, event.at_ms, event.agent)
        return
    # A leg whose attempt is over holds the place like any call: its merchant waited on the line.
    if promise.held_by not in ("", event.contact) or promise.state == PromiseState.CONNECTED:
        return  # a call that we made was picked up first
    await record.change(
        session,
        promise,
        PromiseState.SUPERSEDED,
        "superseded",
        by="merchant",
        now_ms=event.at_ms,
        words="the merchant rang in and was answered",
        held_by=event.contact,
        met_ms=event.at_ms,
    )


async def _call_ended(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    """The call holds the place no more. Abandoned, the keeper brings the promise back to its ticket."""
    attempt = await _attempt(session, _OF_CALL, event)
    if attempt is not None and attempt.state in ATTEMPT_OPEN:
        if event.fields.get("disposition") != Disposition.ANSWERED:
            await _hung_up(session, promise, attempt, event, cb)
        return
    if attempt is not None and promise.state == PromiseState.CONNECTED:
        # They talked on it, and the word after the talk is still to come; unless it ended between two agents.
        if promise.held_by == event.contact and event.fields.get("disposition") != Disposition.ANSWERED:
            await _left_between(session, promise, event, cb)
        return
    fields = {}
    if promise.live_contact == event.contact:
        fields["live_contact"] = ""
    if promise.held_by == event.contact:
        fields["held_by"] = ""
    if not fields:
        return
    promised = event.fields.get("disposition") == Disposition.PROMISED
    kind = "in_line" if promised else "back"
    words = "" if promised else "the merchant rang in and hung up"
    await record.change(
        session,
        promise,
        None,
        kind,
        by="line",
        now_ms=event.at_ms,
        words=words,
        live_contact=fields.get("live_contact", promise.live_contact),
        held_by=fields.get("held_by", promise.held_by),
    )


async def _hung_up(
    session: AsyncSession, promise: Promise, attempt: Attempt, event: Event, cb: Office
) -> None:
    """Merchant first: pressed 1 and hung up before an agent was there."""
    if not await record.change_attempt(
        session, attempt, AttemptState.NOT_REACHED, result=Result.HUNG_UP, ended_ms=event.at_ms
    ):
        return
    if promise.state == PromiseState.DIALING:
        await again_later(cb, session, promise, Result.HUNG_UP, event.at_ms, by="line")


async def _call_unjoined(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    """The call waits again: until its next agent, a call that we made may win."""
    rung = await _attempt(session, _OF_CALL, event)
    if promise.held_by == event.contact and rung is None:
        await record.change(session, promise, None, "back", by="line", now_ms=event.at_ms, held_by="")


async def _call_noted(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    if promise.state == PromiseState.CONNECTED and promise.held_by == event.contact:
        await _worded(session, promise, event, cb)


async def _call_wrapped_up(session: AsyncSession, promise: Promise, event: Event, cb: Office) -> None:
    if promise.state != PromiseState.CONNECTED or promise.held_by != event.contact:
        return
    contact = await session.get(Contact, event.contact)
    if contact is not None and contact.disposition == Disposition.ANSWERED:
        await _kept(session, promise, event, "")


# --- common ---------------------------------------------------------------------------------------------


async def _attempt(session: AsyncSession, which: SelectOfScalar[Attempt], event: Event) -> Attempt | None:
    return (await session.exec(which, params={"contact": event.contact})).first()


async def _connected(session: AsyncSession, promise: Promise, event: Event) -> None:
    await record.change(
        session,
        promise,
        PromiseState.CONNECTED,
        "connected",
        by=event.agent,
        now_ms=event.at_ms,
        met_ms=event.at_ms,
    )


async def _kept(session: AsyncSession, promise: Promise, event: Event, word: str) -> None:
    await record.change(
        session, promise, PromiseState.KEPT, "kept", by=event.agent or "line", now_ms=event.at_ms, words=word
    )


Act = Callable[[AsyncSession, Promise, Event, Office], Awaitable[None]]

_OF_TURNS: dict[str, Act] = {
    "connected": _turn_met,
    "note": _turn_noted,
    "ended": _turn_ended,
    **dict.fromkeys(WRAPPED_UP, _turn_wrapped_up),
}
_OF_CALLS: dict[str, Act] = {
    "entered": _call_entered,
    "connected": _call_met,
    "ended": _call_ended,
    "unjoined": _call_unjoined,
    "note": _call_noted,
    **dict.fromkeys(WRAPPED_UP, _call_wrapped_up),
}
