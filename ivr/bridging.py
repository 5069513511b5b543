"""What the journal asks of the carrier: each line that has an effect on a telephone, and that effect.

No door makes a carrier call; it moves the contact, and the move's line in the journal is carried out
here. A line may be read twice, late, or beside another: each effect looks at the contact as it stands
before it acts, is claimed by a natural key where a repeat would be heard (an agent's phone rings once per
reservation), and is never retried. What fails is undone in the line, so the caller is
offered to somebody else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

import structlog

from callbacks import dialing
from callbacks.jobs import Bench
from callbacks.turns import promise_of
from carrier.numbers import dialable, masked
from carrier.twilio_rest import Ambiguous, Busy, Carrier, Dequeued, Refused
from foundation.clock import Clock
from foundation.errors import Unavailable
from ivr import ringing_back
from ivr.holding import hold_queue
from ivr.legs import Legs
from ivr.slips import Slip
from ivr.standing import conference_name
from queueing.journal import Event
from queueing.line import Line
from queueing.records import ContactNow
from queueing.states import ContactState, Disposition

SOFTPHONE = "softphone"
LEAST_RING_MS = 3_000
"""With less left of a reservation, the agent's phone is not rung any more."""
ANSWERED_LATE_S = 5
"""Twilio may let a phone ring so much longer than it was told."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What an effect may reach for."""

    carrier: Carrier
    line: Line
    legs: Legs
    clock: Clock
    public_url: str
    from_number: str
    """The number that agents see on their phones: one of ours (E.164)."""
    regions: frozenset[str] = frozenset({"US", "CA"})
    """Where an agent's phone may be."""
    rehearsal: bool = False
    """The phone network is a simulated one: the numbers kept for fiction may be rung."""
    callbacks: Bench | None = None
    """What keeps promises to ring back; None where there are none."""


Effect = Callable[[Event, Tools], Awaitable[None]]


async def carry_out(event: Event, tools: Tools) -> None:
    """The effect of one line of the journal. Raises Unavailable when a store is away."""
    effect = EFFECTS.get(event.kind)
    if effect is None or not event.contact or await tools.legs.is_done(event.id):
        return
    if promise_of(event.contact):
        await _of_a_turn(event, tools, effect)
    else:
        await effect(event, tools)
    await tools.legs.note_done(event.id)


async def _of_a_turn(event: Event, tools: Tools, effect: Effect) -> None:
    """A promise's turn: what concerns the agent's telephone is as with any contact, the merchant's is not."""
    if event.kind in ("reserved", "declined", "missed", "released"):
        await effect(event, tools)
    elif event.kind == "unjoined" and (leg := await tools.legs.agent(event.contact, _fence(event))):
        await _ask(event, tools.carrier.hang_up(leg))
    elif event.kind == "ended":
        await effect(event, tools)
    theirs = ringing_back.EFFECTS.get(event.kind)
    if theirs is not None and tools.callbacks is not None:
        await theirs(event, tools.callbacks, tools.legs)


async def ring(event: Event, tools: Tools) -> None:
    """``reserved``: an agent who works by telephone is rung, once, while the reservation lasts."""
    to, fence = event.fields.get("line", ""), _fence(event)
    now = await tools.line.contact(event.contact)
    if to in ("", SOFTPHONE) or now is None or not _is_asked(now, event):
        return
    left_ms = now.deadline_ms - tools.clock.now_ms()
    if left_ms < LEAST_RING_MS or not await tools.legs.claim_ring(event.contact, fence):
        return
    errand = _errand(event)
    log = structlog.get_logger().bind(contact=event.contact, agent=event.agent, phone=masked(to))
    why_not = dialable(to, tools.regions, (tools.from_number,), fictional=tools.rehearsal)
    try:
        if why_not:
            raise Refused(0, 0, why_not)
        leg = await tools.carrier.dial(
            to,
            tools.from_number,
            f"{tools.public_url}/voice/agent/answer?{errand}",
            status_callback=f"{tools.public_url}/voice/agent/status?{errand}",
            timeout_s=max(5, left_ms // 1000 - ANSWERED_LATE_S),
        )
    except Refused as refused:
        log.warning("agent_phone_refused", why=str(refused))
        await tools.line.decline(event.contact, event.agent, fence, tools.clock.now_ms(), away=True)
    except (Busy, Ambiguous) as unsure:
        # Not rung, or perhaps rung: who picks up is checked then, and the deadline frees the caller.
        log.warning("agent_phone_not_rung", why=str(unsure))
    else:
        await tools.legs.note_agent(event.contact, fence, leg)


async def stop_ringing(event: Event, tools: Tools) -> None:
    """``declined``, ``missed``: the agent's phone rings no more. Picked up, it is told so by its own door."""
    leg = await tools.legs.agent(event.contact, _fence(event))
    if leg:
        await _ask(event, tools.carrier.cancel(leg))


async def release(event: Event, tools: Tools) -> None:
    """``released``: the caller has gone, and the agent, ringing or already waiting in there, is told."""
    leg = await tools.legs.agent(event.contact, _fence(event))
    if not leg:
        return
    try:
        await tools.carrier.redirect(leg, f"{tools.public_url}/voice/agent/after?{_errand(event)}")
    except Refused:
        await _ask(event, tools.carrier.cancel(leg))
    except (Busy, Unavailable) as failed:
        structlog.get_logger().warning("release_failed", contact=event.contact, why=str(failed))


async def fetch(event: Event, tools: Tools) -> None:
    """``accepted``: the caller is taken out of Twilio's queue, to the agent.

    Twilio lets a member be taken once. Is the caller no member any more (moved between queues, or on the way
    back from another agent), the call itself is redirected; only when that is refused has the caller gone.
    """
    now = await tools.line.contact(event.contact)
    if now is None or not _is_accepted(now, event):
        return
    if not await _wins_promise(now, tools):
        await tools.line.fail_join(now.contact, tools.clock.now_ms())
        return
    url = _url(tools, "connect", now, f"&fence={now.fence}&since={tools.clock.now_ms()}")
    try:
        held_in = hold_queue(tools.line.policy, now.queue, now.band, now.contact)
        taken = await tools.carrier.dequeue(held_in, now.contact, url)
        if taken is Dequeued.LOST:
            await tools.carrier.redirect(now.contact, url)
    except Refused:
        await _check_alive(now, tools)
    except Ambiguous as unsure:
        # It may be on its way: the conference tells, or the deadline does.
        structlog.get_logger().warning("fetch_unsure", contact=now.contact, why=str(unsure))
    except (Busy, Unavailable) as failed:
        structlog.get_logger().warning("fetch_failed", contact=now.contact, why=str(failed))
        await tools.line.fail_join(now.contact, tools.clock.now_ms())


async def _wins_promise(now: ContactNow, tools: Tools) -> bool:
    """Whether nobody else talks with a merchant whom we owe a callback; whose phone then rings no more."""
    promise_id, at = now.card.promise, tools.callbacks
    if not promise_id or at is None:
        return True
    if not await dialing.take_for(at.cb, promise_id, now.contact, tools.clock.now_ms()):
        return False
    try:
        await dialing.call_off(at.cb, at.carrier, promise_id)
    except Unavailable as away:
        structlog.get_logger().warning("not called off", promise=promise_id, why=str(away))
    return True


async def bring_back(event: Event, tools: Tools) -> None:
    """``unjoined``, ``transferred``: a caller outside Twilio's queue goes back into it, and hears why."""
    if event.kind == "unjoined":
        leg = await tools.legs.agent(event.contact, _fence(event))
        if leg:
            await _ask(event, tools.carrier.hang_up(leg))
    elif event.fields.get("from") != ContactState.CONNECTED:
        return
    now = await tools.line.contact(event.contact)
    if now is None or now.state is ContactState.ENDED or now.state is ContactState.CONNECTED or now.accepted:
        return
    if event.kind == "unjoined" and await tools.legs.is_back(event.contact, _fence(event)):
        return  # the caller's own leg noticed first
    why = "transfer" if event.kind == "transferred" else "lost"
    try:
        await tools.carrier.redirect(now.contact, _url(tools, "requeue", now, f"&why={why}"))
    except Refused:
        await _check_alive(now, tools)
    except (Busy, Unavailable) as failed:
        structlog.get_logger().warning("requeue_failed", contact=now.contact, why=str(failed))


async def hold(event: Event, tools: Tools) -> None:
    """``held``, ``unheld``: the caller hears music in the conference, or the agent again."""
    now = await tools.line.contact(event.contact)
    if now is None or now.state is not ContactState.CONNECTED:
        return
    held = event.kind == "held"
    wait = f"{tools.public_url}/voice/connecting?lang={now.card.language}&held=1"
    name = conference_name(now.contact, now.fence)
    await _ask(event, tools.carrier.hold(name, now.contact, held, wait if held else None))


async def end_talk(event: Event, tools: Tools) -> None:
    """``hang_up_asked``: the agent ends the talk. The caller hears a goodbye; leaving ends the conference.

    Still being joined, there is no talk to end: the caller is offered to somebody else.
    """
    now = await tools.line.contact(event.contact)
    if now is None or now.agent != event.agent or now.fence != _fence(event):
        return
    if now.state is ContactState.RESERVED and now.accepted:
        await tools.line.fail_join(now.contact, tools.clock.now_ms())
    if now.state is not ContactState.CONNECTED:
        return
    await _ask(
        event, tools.carrier.redirect(now.contact, _url(tools, "after", now, f"&fence={now.fence}&met=1"))
    )


async def send_home(event: Event, tools: Tools) -> None:
    """``ended``, nobody reached: the agent waits for a merchant who will not come."""
    now = await tools.line.contact(event.contact)
    if now is None or now.disposition != Disposition.NOT_REACHED:
        return
    leg = await tools.legs.agent(event.contact, now.fence)
    if leg:
        await _ask(event, tools.carrier.hang_up(leg))


async def _check_alive(now: ContactNow, tools: Tools) -> None:
    """Twilio would not move the call. Twilio knows who is on the line: has it ended, so has the contact."""
    try:
        call = await tools.carrier.call(now.contact)
    except (Refused, Busy, Unavailable):
        call = None
    else:
        if call is None or call.status not in ("queued", "ringing", "in-progress"):
            await tools.line.leave(now.contact, Disposition.ABANDONED, tools.clock.now_ms())
            return
    await tools.line.fail_join(now.contact, tools.clock.now_ms())


async def _ask(event: Event, work: Awaitable[object]) -> None:
    """One carrier call whose failure changes nothing in the line."""
    try:
        await work
    except (Refused, Busy, Ambiguous, Unavailable) as failed:
        structlog.get_logger().warning(
            "effect_failed", kind=event.kind, contact=event.contact, why=str(failed)
        )


def _url(tools: Tools, door: str, now: ContactNow, more: str) -> str:
    card = now.card
    slip = Slip(
        card.language, merchant=card.merchant_id or 0, topic=card.topic, queue=now.queue, band=now.band
    )
    return f"{tools.public_url}/voice/{door}?{slip.query()}{more}"


def _fence(event: Event) -> int:
    return int(event.fields.get("fence", 0))


def _errand(event: Event) -> str:
    return f"contact={event.contact}&agent={quote(event.agent, safe='')}&fence={_fence(event)}"


def _is_asked(now: ContactNow, event: Event) -> bool:
    mine = now.agent == event.agent and now.fence == _fence(event)
    return mine and now.state is ContactState.RESERVED and not now.accepted


def _is_accepted(now: ContactNow, event: Event) -> bool:
    mine = now.agent == event.agent and now.fence == _fence(event)
    return mine and now.state is ContactState.RESERVED and now.accepted


EFFECTS: dict[str, Effect] = {
    "reserved": ring,
    "accepted": fetch,
    "released": release,
    "declined": stop_ringing,
    "missed": stop_ringing,
    "unjoined": bring_back,
    "transferred": bring_back,
    "held": hold,
    "unheld": hold,
    "hang_up_asked": end_talk,
    "ended": send_home,
}
