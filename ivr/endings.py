"""How a caller's way ends at our doors: one recorded outcome for every call, wherever it was given up."""

from __future__ import annotations

from ivr import slips
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.visits import Visit
from queueing.records import Card, Outcome
from queueing.states import Disposition

LONGEST_S = 4 * 3_600
"""A call of Twilio's is no longer."""


async def hang_up(desk: Desk, visit: Visit, caller: Caller) -> None:
    """The caller has gone. In the line the place is kept a while; with an agent the talk is over; before
    either, in the menu, it is a call that was given up.
    """
    if not visit.contact:
        return
    left = await visit.enrich(
        desk.line.leave(visit.contact, Disposition.ABANDONED, visit.now_ms, caller_key=caller.key)
    )
    if left is not Outcome.GONE:
        return
    card = Card(caller=caller.number, language=desk.centre.language)
    lasted_s = min(slips.whole(visit.form.get("CallDuration", "")), LONGEST_S)
    since_ms = visit.now_ms - lasted_s * 1000
    away = await visit.enrich(
        desk.line.turn_away(
            visit.contact, Disposition.ABANDONED, card, visit.now_ms, over=True, since_ms=since_ms
        )
    )
    if away is Outcome.REFUSED:  # a door has brought it into the line between the two
        await hang_up(desk, visit, caller)


async def step_out(desk: Desk, visit: Visit, disposition: Disposition = Disposition.ABANDONED) -> None:
    """The caller has left the line and may record a message. Until there is one, this is how it ended."""
    if visit.contact:
        await visit.enrich(desk.line.leave(visit.contact, disposition, visit.now_ms))


async def turn_away(desk: Desk, visit: Visit, disposition: Disposition, card: Card) -> None:
    """The caller never came into the line: put on record why, once."""
    if visit.contact:
        await visit.enrich(desk.line.turn_away(visit.contact, disposition, card, visit.now_ms, over=False))


async def on_record(desk: Desk, visit: Visit) -> None:
    """What the call was stands elsewhere already: the full line wrote it down itself, a lead's call is in the
    incident's timeline. Hanging up later is no other outcome."""
    await turn_away(desk, visit, Disposition.FULL, Card())
