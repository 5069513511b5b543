"""What the journal asks of the carrier for a promise's turn: the merchant is no caller in Twilio's queue, but
a leg that we dial, or have dialled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from callbacks import dialing, promises
from callbacks.jobs import Bench, dial_for
from callbacks.settling import LIVE
from callbacks.states import AttemptState
from callbacks.tables import Attempt
from callbacks.turns import promise_of
from carrier.twilio_rest import Ambiguous, Busy, Refused
from foundation.errors import Unavailable
from ivr.called import carried
from ivr.legs import Legs
from ivr.slips import Slip
from ivr.standing import conference_name
from queueing.journal import Event
from queueing.records import Card
from queueing.states import ContactState, Disposition

_THERE = (AttemptState.ANSWERED, AttemptState.TALKED)

log = structlog.get_logger(__name__)


async def dial(event: Event, at: Bench, legs: Legs) -> None:
    """``accepted``: the merchant is rung. Is the merchant on the line already, after a transfer or because
    the agent before was lost, this agent gets exactly that call."""
    there = await _on_the_line(event, at)
    if there is None:
        await dial_for(event, at)
        return
    attempt, holds = there
    fence = int(event.fields.get("fence", 0))
    if not holds:  # being asked for a key: with 1, the leg's own door sees who waits
        return
    if await legs.claim_bringing(event.contact, fence, "effect") and not await _redirect(
        event, at, attempt, "connect", f"&fence={fence}"
    ):
        await at.cb.line.fail_join(event.contact, at.cb.clock.now_ms())


async def let_go(event: Event, at: Bench, legs: Legs) -> None:
    """``released``, ``unjoined``: the agent is there no more. A phone that rings is stopped; a merchant who
    pressed 1 hears why, and waits in the turn's place. Who picked up and has not yet, goes on being asked."""
    fence = int(event.fields.get("fence", 0))
    there = await _on_the_line(event, at)
    if there is None:
        await dialing.agent_gone(at.cb, at.carrier, event.contact, fence, at.cb.clock.now_ms())
        return
    attempt, holds = there
    if holds and not await legs.is_back(event.contact, fence):
        await _redirect(event, at, attempt, "after", "&why=lost")


async def move(event: Event, at: Bench, legs: Legs) -> None:
    """``transferred``: the merchant waits, on the line, for an agent of another queue."""
    there = await _on_the_line(event, at)
    if event.fields.get("from") == ContactState.CONNECTED and there:
        await _redirect(event, at, there[0], "after", "&why=transfer")


async def hold(event: Event, at: Bench, legs: Legs) -> None:
    """``held``, ``unheld``: music in the conference, or the agent again."""
    now = await at.cb.line.contact(event.contact)
    leg = await dialing.leg_of(at.cb, event.contact)
    if now is None or now.state is not ContactState.CONNECTED or not leg:
        return
    held = event.kind == "held"
    wait = f"{at.cb.public_url}/voice/connecting?lang={now.card.language}&held=1" if held else None
    try:
        await at.carrier.hold(conference_name(now.contact, now.fence), leg, held, wait)
    except (Refused, Busy, Ambiguous, Unavailable) as failed:
        log.warning("effect_failed", kind=event.kind, contact=event.contact, why=str(failed))


async def end_talk(event: Event, at: Bench, legs: Legs) -> None:
    """``hang_up_asked``: the merchant hears a goodbye. Not yet there, it is a call for somebody else."""
    fence = int(event.fields.get("fence", 0))
    now = await at.cb.line.contact(event.contact)
    if now is None or now.agent != event.agent or now.fence != fence:
        return
    there = await _on_the_line(event, at)
    if now.state is ContactState.CONNECTED and there:
        await _redirect(event, at, there[0], "after", f"&fence={fence}&met=1")
    elif now.accepted:
        await at.cb.line.fail_join(event.contact, at.cb.clock.now_ms())


async def _on_the_line(event: Event, at: Bench) -> tuple[Attempt, bool] | None:
    """The attempt whose merchant picked up for this turn and has not hung up, and whether 1 was pressed."""
    promise = await promises.get(at.cb, promise_of(event.contact))
    made = await promises.attempts(at.cb, promise_of(event.contact))
    mine = [a for a in made if a.contact == event.contact and a.state in _THERE and a.answered_ms is not None]
    if promise is None or not mine:
        return None
    attempt = mine[-1]
    holds = promise.held_by == attempt.call_sid
    return (attempt, holds) if holds or attempt.state == AttemptState.ANSWERED else None


async def _redirect(event: Event, at: Bench, attempt: Attempt, door: str, more: str) -> bool:
    """Whether the merchant's leg was sent to this door, or has hung up and the turn is over; not when the
    carrier is away."""
    now = await at.cb.line.contact(event.contact)
    card = now.card if now else Card()
    queue, band = (now.queue, now.band) if now else ("", "")
    slip = Slip(card.language, merchant=card.merchant_id or 0, topic=card.topic, queue=queue, band=band)
    url = f"{at.cb.public_url}/voice/called/{door}?{carried(slip, attempt.id, event.contact)}{more}"
    try:
        await at.carrier.redirect(attempt.call_sid, url)
    except Refused as refused:
        log.warning("a merchant was not told", attempt=attempt.id, why=str(refused))
        return await _hung_up_unnoticed(event, at, attempt)
    except (Busy, Ambiguous, Unavailable) as failed:
        log.warning("a merchant was not told", attempt=attempt.id, why=str(failed))
        return isinstance(failed, Ambiguous)  # it may be on its way; else the deadline frees the agent
    return True


async def _hung_up_unnoticed(event: Event, at: Bench, attempt: Attempt) -> bool:
    """Twilio would not move the call. Is it over, and they had talked, its place in the line is given up;
    True then. (A merchant who never met anybody: the attempt is settled in its time.)"""
    if attempt.state != AttemptState.TALKED:
        return False
    try:
        call = await at.carrier.call(attempt.call_sid)
    except (Refused, Busy, Unavailable):
        return False
    if call is not None and call.status in LIVE:
        return False
    await at.cb.line.leave(event.contact, Disposition.SET_ASIDE, at.cb.clock.now_ms())
    return True


EFFECTS: dict[str, Callable[[Event, Bench, Legs], Awaitable[None]]] = {
    "accepted": dial,
    "released": let_go,
    "unjoined": let_go,
    "transferred": move,
    "held": hold,
    "unheld": hold,
    "hang_up_asked": end_talk,
}
