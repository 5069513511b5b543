"""Out of Twilio's queue: why, and what is next. The Enqueue's action."""

from __future__ import annotations

from dataclasses import replace

from announcements import catalog
from ivr import callers, endings, entering, message, slips, standing, twiml
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Visit
from queueing.records import ContactNow
from queueing.states import Disposition

TRIES = 3
"""So often a caller whom Twilio could not keep in its queue is put there again."""


async def answer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/left``."""
    slip = slips.read(desk.centre, visit.query)
    result = visit.form.get("QueueResult", "")
    if result == "hangup" or visit.over:
        await endings.hang_up(desk, visit, callers.identify(desk, visit))
        return twiml.answer(twiml.hang_up())
    if result == "leave":
        await endings.step_out(desk, visit)
        return message.offer(desk, slip)
    if result == "queue-full":
        await endings.step_out(desk, visit, Disposition.FULL)
        return message.offer(desk, slip, catalog.voice(slip.language, "queue_full"))
    if result in ("error", "system-error"):
        return await _again(desk, visit, slip)
    return await _taken_out(desk, visit, slip)


async def _taken_out(desk: Desk, visit: Visit, slip: Slip) -> str:
    """Our own dequeue, as a rule: another door's answer is running already, and nobody hears this one.

    If somebody does, it is what that other door said.
    """
    now = await visit.enrich(desk.line.contact(visit.contact))
    if isinstance(now, ContactNow):
        holding = catalog.voice(slip.language, "holding")
        return standing.answer(desk, visit, now, standing.slip_of(desk, now, slip), holding)
    return twiml.answer()


async def _again(desk: Desk, visit: Visit, slip: Slip) -> str:
    """Twilio could not keep the call in its queue: again, a few times, then a message."""
    if slip.tries + 1 > TRIES:
        await endings.step_out(desk, visit)
        return message.offer(desk, slip, catalog.voice(slip.language, "too_long"))
    again = entering.placed(desk.centre, desk.policy, replace(slip, tries=slip.tries + 1))
    words = catalog.voice(slip.language, "trouble")
    return entering.enqueue(desk, again, words, contact=visit.contact)
