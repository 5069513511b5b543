"""Who told us "still down" is promised a call at the arrival they had: by the door at once, else by a round.

``callbacks`` keeps one open promise a number, so a second time finds the first.
"""

from __future__ import annotations

import structlog
from sqlmodel import col, select

from callbacks import needed
from callbacks.making import NewPromise, make
from callbacks.office import Conflict, Office
from callbacks.tables import Promise
from foundation.errors import Mendable
from queueing.records import Card
from surge import record
from surge.followups import OPEN_WORDS
from surge.office import Watch
from surge.states import FollowUpState
from surge.tables import FollowUp

AT_ONCE = 100
NONE = "-"
"""In a follow-up's ``promise``: none could be made, and a person has to see to it."""

log = structlog.get_logger(__name__)


async def carry_out(watch: Watch, cb: Office, row: FollowUp, now_ms: int) -> Promise | None:
    """The promise, noted on the follow-up; None when there can be none, and the note says why.

    Raises Unavailable.
    """
    promise, why = await _promise(cb, row, now_ms)
    if promise is not None:
        await needed.keep(cb, promise.id, "still down", now_ms)
    async with watch.sql.session() as session:
        for fresh in await record.locked_follow_ups(session, FollowUp.id == row.id):
            if fresh.state in OPEN_WORDS:
                fresh.promise, fresh.note = promise.id if promise else NONE, why or fresh.note
    return promise


async def look(watch: Watch, cb: Office, now_ms: int) -> int:
    """One round: the wishes that no door carried out; how many were promised. Raises Unavailable."""
    async with watch.sql.reading() as session:
        wanted = select(FollowUp).where(
            FollowUp.state == FollowUpState.OPEN,
            col(FollowUp.wants_call_ms).is_not(None),
            FollowUp.promise == "",
            FollowUp.claimed_by == "",
        )
        rows = list(await session.exec(wanted.order_by(col(FollowUp.arrival_us)).limit(AT_ONCE)))
    return sum([await carry_out(watch, cb, row, now_ms) is not None for row in rows])


async def _promise(cb: Office, row: FollowUp, now_ms: int) -> tuple[Promise | None, str]:
    """The promise, or why there is none."""
    policy = cb.line.policy
    card = Card(
        caller=row.number,
        merchant_id=row.merchant_id,
        merchant=row.merchant,
        tier=row.tier,
        language=row.language,
        note="still down",
    )
    request = NewPromise(
        row.number,
        row.queue or policy.queues[0].name,
        row.band or policy.bands[-1].name,
        card,
        entered_ms=row.arrival_us // 1000,
        arrival_us=row.arrival_us,
        made_by="text",
        texts=True,  # they asked for it by text
        language=row.language,
        incident=row.incident,
    )
    try:
        return (await make(cb, request, now_ms)).promise, ""
    except (Mendable, Conflict) as no:
        log.warning("a follow-up could not be promised a call", follow_up=row.id, why=str(no))
        return None, str(no)
