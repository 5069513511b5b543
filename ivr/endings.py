"""How a caller's way ends at our doors: one recorded outcome for every call, wherever it was given up."""

from __future__ import annotations

from ivr import slips
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.visits import Visit
from queueing import journal
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
    if left is Outcome.GONE:
        lasted_ms = min(slips.whole(visit.form.get("CallDuration", "")), LONGEST_S) * 1000
        card = Card(caller=caller.number, language=desk.centre.language)
        await turn_away(desk, visit, Disposition.ABANDONED, card, since_ms=visit.now_ms - lasted_ms)


async def step_out(desk: Desk, visit: Visit, disposition: Disposition = Disposition.ABANDONED) -> None:
    """The caller has left the line and may record a message. Until there is one, this is how it ended."""
    if visit.contact:
        await visit.enrich(desk.line.leave(visit.contact, disposition, visit.now_ms))


async def turn_away(
    desk: Desk, visit: Visit, disposition: Disposition, card: Card, *, since_ms: int | None = None
) -> None:
    """The caller never came into the line: put on record why, once. ``since_ms``: when the call began."""
    if visit.contact:
        began_ms = visit.now_ms if since_ms is None else since_ms
        await visit.enrich(_turn_away(desk, visit, disposition, card, began_ms))


async def found_full(desk: Desk, visit: Visit) -> None:
    """The line was full, which the line itself has put on record: hanging up later is no other outcome."""
    await visit.enrich(desk.legs.claim_outcome(visit.contact))


async def _turn_away(desk: Desk, visit: Visit, disposition: Disposition, card: Card, since_ms: int) -> None:
    if await desk.legs.claim_outcome(visit.contact):
        await journal.write(
            desk.redis,
            desk.keys,
            "turned_away",
            at_ms=visit.now_ms,
            contact=visit.contact,
            disposition=disposition.value,
            since=since_ms,
            card=card.packed(),
        )
