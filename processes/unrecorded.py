"""Calls that ended without our hearing of it: Twilio's list of calls tells what no webhook did.

Twilio tells of a call's end once. Is that word lost, a call that never joined the line would have no outcome
on record, and one that talked would talk for ever. Here every call of the last hours that is over must have
ended in the line too, or have its outcome: claimed by a door, or written in SQL.
"""

from __future__ import annotations

from collections import OrderedDict

import structlog
from redis.asyncio import Redis
from sqlmodel import col, func, select

from carrier.twilio_rest import Carrier
from foundation.clock import Clock
from foundation.connections import Sql
from ivr.legs import Legs
from processes.reconcile import LIVE
from queueing import journal
from queueing.line import Line
from queueing.records import Card
from queueing.states import ContactState, Disposition
from queueing.tables import ContactEvent

SETTLE_MS = 60_000
"""What began later may have its last word still on the way."""
BACK_MS = 4 * 3_600_000
"""As long as the longest call Twilio allows."""
LATE_MS = 10_000
"""Longer than a door takes from its claim to the journal."""
AT_ONCE = 1_000
REMEMBERED = 20_000
OUTCOMES = ("ended", "turned_away", "full")

log = structlog.get_logger(__name__)


class Unrecorded:
    """Looks every so often; remembers the calls whose outcome SQL has."""

    def __init__(
        self, carrier: Carrier, line: Line, redis: Redis, sql: Sql, clock: Clock, number: str
    ) -> None:
        """``number`` is ours, that callers ring."""
        self.carrier = carrier
        self.line = line
        self.redis = redis
        self.sql = sql
        self.keys = line.keys
        self.legs = Legs(redis, line.policy.centre)
        self.clock = clock
        self.number = number
        self._over: OrderedDict[str, None] = OrderedDict()
        self._seen_before: set[str] = set()
        self._looked_ms = 0
        """When the look before this one began."""

    async def look(self) -> list[str]:
        """Give an outcome to every call that two looks found over without one; these. Raises Unavailable."""
        now_ms = self.clock.now_ms()
        calls = await self.carrier.calls(to=self.number, since_ms=now_ms - BACK_MS, limit=AT_ONCE)
        over = [
            call.sid
            for call in calls
            if call.status not in LIVE and call.direction == "inbound" and call.sid not in self._over
            if call.started_ms is None or now_ms - call.started_ms >= SETTLE_MS
        ]
        lasting = [sid for sid in over if sid in self._seen_before]
        recorded = await self._recorded(lasting)
        written_down = await self._written_down_ms() > self._looked_ms + LATE_MS
        mended = [
            sid for sid in lasting if sid not in recorded and await self._mend(sid, now_ms, written_down)
        ]
        self._seen_before, self._looked_ms = set(over), now_ms
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

    async def _written_down_ms(self) -> int:
        """Up to when the scribe has written the journal down."""
        async with self.sql.reading() as session:
            newest = await session.exec(select(func.max(ContactEvent.at_ms)))
            return newest.one() or 0

    async def _mend(self, sid: str, now_ms: int, written_down: bool) -> bool:
        """``written_down``: SQL has all that was told before the look that saw the call over already."""
        now = await self.line.contact(sid)
        if now is not None:
            if now.state is ContactState.ENDED:
                return False
            log.warning("a call's end had gone unnoticed", contact=sid, state=now.state.value)
            await self.line.leave(sid, Disposition.ABANDONED, now_ms)
            return True
        # The door that claimed it may have got no further: Redis took the claim and not the record.
        free = await self.legs.claim_outcome(sid)
        if not (free or written_down) or not await self.legs.claim_mending(sid):
            return False
        log.warning("a call had no outcome", contact=sid)
        await journal.write(
            self.redis,
            self.keys,
            "turned_away",
            at_ms=now_ms,
            contact=sid,
            disposition=Disposition.ABANDONED.value,
            card=Card().packed(),
        )
        return True
