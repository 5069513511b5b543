"""What the journal asks of the carrier for a promise's turn: the merchant is no caller in Twilio's queue, but
a leg that we dial, or have dialled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import structlog

from callbacks import dialing, promises
from callbacks.jobs import Bench, dial_for
from callbacks.states import PromiseState
from callbacks.tables import Attempt
from callbacks.turns import promise_of
from carrier.twilio_rest import Busy, Refused
from foundation.errors import Unavailable
from ivr.standing import conference_name
from queueing.journal import Event
from queueing.states import ContactState

log = structlog.get_logger(__name__)


async def dial(event: Event, at: Bench) -> None:
    """``accepted``: the merchant is rung; or brought to the agent, when on the line after a transfer."""
    if await is_on_the_line(event, at):
        fence = int(event.fields.get("fence", 0))
        await _send_to(event, at, "connect", f"&fence={fence}")
        return
    await dial_for(event, at)


async def let_go(event: Event, at: Bench) -> None:
    """``released``, ``unjoined``: the agent is there no more. A phone that rings is stopped; a merchant who
    picked up hears why."""
    fence = int(event.fields.get("fence", 0))
    attempt = await dialing.attempt_of(at.cb, event.contact, fence)
    if attempt is None:
        return
    answered = attempt.answered_ms is not None
    await dialing.agent_gone(at.cb, at.carrier, event.contact, fence, at.cb.clock.now_ms())
    if answered:
        await _redirect(at, attempt, "after", "&why=lost")


async def move(event: Event, at: Bench) -> None:
    """``transferred``: the merchant waits, on the line, for an agent of another queue."""
    if event.fields.get("from") == ContactState.CONNECTED:
        await _send_to(event, at, "after", "&why=transfer")


async def hold(event: Event, at: Bench) -> None:
    """``held``, ``unheld``: music in the conference, or the agent again."""
    now = await at.cb.line.contact(event.contact)
    leg = await dialing.leg_of(at.cb, event.contact)
    if now is None or now.state is not ContactState.CONNECTED or not leg:
        return
    held = event.kind == "held"
    wait = f"{at.cb.public_url}/voice/connecting?lang={now.card.language}&held=1" if held else None
    try:
        await at.carrier.hold(conference_name(now.contact, now.fence), leg, held, wait)
    except (Refused, Busy, Unavailable) as failed:
        log.warning("effect_failed", kind=event.kind, contact=event.contact, why=str(failed))


async def end_talk(event: Event, at: Bench) -> None:
    """``hang_up_asked``: the merchant hears a goodbye. Still being rung, it is a call for somebody else."""
    fence = int(event.fields.get("fence", 0))
    now = await at.cb.line.contact(event.contact)
    if now is None or now.agent != event.agent or now.fence != fence:
        return
    if now.state is ContactState.CONNECTED:
        await _send_to(event, at, "after", f"&fence={fence}")
    elif now.accepted:
        await dialing.agent_gone(at.cb, at.carrier, event.contact, fence, at.cb.clock.now_ms())
        await at.cb.line.fail_join(event.contact, at.cb.clock.now_ms())


async def is_on_the_line(event: Event, at: Bench) -> bool:
    """Whether the merchant of this turn was reached before, and talks or waits."""
    promise = await promises.get(at.cb, promise_of(event.contact))
    return promise is not None and promise.state == PromiseState.CONNECTED


async def _send_to(event: Event, at: Bench, door: str, more: str) -> None:
    attempts = [a for a in await _of_turn(event, at) if a.answered_ms is not None]
    if attempts:
        await _redirect(at, attempts[-1], door, more)


async def _of_turn(event: Event, at: Bench) -> list[Attempt]:
    made = await promises.attempts(at.cb, promise_of(event.contact))
    return [attempt for attempt in made if attempt.contact == event.contact]


async def _redirect(at: Bench, attempt: Attempt, door: str, more: str) -> None:
    url = f"{at.cb.public_url}/voice/called/{door}?attempt={quote(attempt.id, safe='')}{more}"
    try:
        await at.carrier.redirect(attempt.call_sid, url)
    except (Refused, Busy, Unavailable) as failed:
        log.warning("a merchant was not told", attempt=attempt.id, why=str(failed))


EFFECTS: dict[str, Callable[[Event, Bench], Awaitable[None]]] = {
    "accepted": dial,
    "released": let_go,
    "unjoined": let_go,
    "transferred": move,
    "held": hold,
    "unheld": hold,
    "hang_up_asked": end_talk,
}
