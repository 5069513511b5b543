"""Calls that ended without our hearing of it: Twilio's list of calls tells what no webhook did.

Twilio tells of a call's end once. Is that word lost, a call that never joined the line would have no outcome
on record, and one that talked would talk for ever. Here every call of the last hours that is over must have
ended in the line too, or have its outcome on record.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

import structlog
from sqlmodel import col, select

from carrier.twilio_rest import Carrier
from foundation.clock import Clock
from foundation.connections import Sql
from processes.reconcile import LIVE
from queueing.line import Line
from queueing.records import Card, Outcome
from queueing.states import ContactState, Disposition
from queueing.tables import ContactEvent

SETTLE_MS = 60_000
"""What began later may have its last word still on the way."""
BACK_MS = 4 * 3_600_000
"""As long as the longest call Twilio allows."""
AT_ONCE = 1_000
REMEMBERED = 20_000
OUTCOMES = ("ended", "turned_away", "full")

log = structlog.get_logger(__name__)


class Unrecorded:
    """Looks every so often; remembers the calls whose outcome SQL has."""

    def __init__(
        self,
        carrier: Carrier,
        line: Line,
        sql: Sql,
        clock: Clock,
        number: str,
        leads: Collection[str] = (),
    ) -> None:
        """``number`` is ours, that callers ring; ``leads`` ring it to switch the level: no callers."""
        self.carrier = carrier
        self.line = line
        self.sql = sql
        self.clock = clock
        self.number = number
        self.leads = leads
        self._over: OrderedDict[str, None] = OrderedDict()
        self._seen_before: set[str] = set()

    async def look(self) -> list[str]:
        """Give an outcome to every call that two looks found over without one; these. Raises Unavailable."""
        now_ms = self.clock.now_ms()
        calls = await self.carrier.calls(to=self.number, since_ms=now_ms - BACK_MS, limit=AT_ONCE)
        over = [
            call.sid
            for call in calls
            if call.status not in LIVE and call.direction == "inbound" and call.sid not in self._over
            if call.from_ not in self.leads
            if call.started_ms is None or now_ms - call.started_ms >= SETTLE_MS
        ]
        lasting = [sid for sid in over if sid in self._seen_before]
        recorded = await self._recorded(lasting)
        mended = [sid for sid in lasting if sid not in recorded and await self._mend(sid, now_ms)]
        self._seen_before = set(over)
        for sid in recorded:  # what SQL has not got yet may still be lost with Redis
            self._over[sid] = None
        while len(self._over) > REMEMBERED:
            self._over.popitem(last=False)
        return mended

    async def _recorded(self, sids: list[str]) -> set[str]:
        found: set[str] = set()
        async with self.sql.reading() as session:
            for start in range(0, len(sids), 500):
                some = col(ContactEvent.contact).in_(sids[start : start + 500])
                wanted = select(ContactEvent.contact).where(some, col(ContactEvent.kind).in_(OUTCOMES))
                found.update(await session.exec(wanted))
        return found

    async def _mend(self, sid: str, now_ms: int) -> bool:
        now = await self.line.contact(sid)
        if now is not None:
            if now.state is ContactState.ENDED:
                return False
            log.warning("a call's end had gone unnoticed", contact=sid, state=now.state.value)
            await self.line.leave(sid, Disposition.ABANDONED, now_ms)
            return True
        told = await self.line.turn_away(sid, Disposition.ABANDONED, Card(), now_ms, over=True)
        if told is not Outcome.DONE:
            return False
        log.warning("a call had no outcome", contact=sid)
        return True
