"""Who is on the line, by Twilio's word: the line is put right where it disagrees.

Twilio knows who waits (its queues' members); the line is a rebuildable index of that. A call Twilio holds and
the line does not know is entered, by the queue's name (``support.p1``), as old as Twilio says it is. A
contact the line holds and Twilio does not is looked up: ended, it has left; still there, it is sent back
into its queue. Nothing is believed on one look: webhooks and dequeues are under way all the time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import structlog

from carrier.twilio_rest import Carrier, Member
from foundation.clock import Clock
from ivr.holding import LARGEST, held_for, hold_queues
from ivr.slips import Slip
from queueing.line import Line
from queueing.names import is_turn
from queueing.policy import LinePolicy
from queueing.records import Card, ContactNow
from queueing.states import ContactState, Disposition

SETTLE_MS = 20_000
"""What is younger than this is still on its way: into the line, or out of it."""
PAGE = 1000
LIVE = frozenset({"queued", "ringing", "in-progress"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Standing:
    """A member of one of Twilio's queues, and which of ours that is."""

    contact: str
    queue: str
    band: str
    entered_ms: int


@dataclass(frozen=True, slots=True)
class Drift:
    """Where the two disagree: members the line does not hold, contacts Twilio does not hold."""

    strangers: tuple[Standing, ...] = ()
    missing: tuple[str, ...] = ()


def compare(members: Collection[Standing], waiting: Collection[ContactNow], now_ms: int) -> Drift:
    """The disagreement of this look, without what is too young to tell. Pure."""
    held, known = {member.contact for member in members}, {now.contact for now in waiting}
    return Drift(
        tuple(m for m in members if m.contact not in known and now_ms - m.entered_ms >= SETTLE_MS),
        tuple(c.contact for c in waiting if c.contact not in held and now_ms - c.entered_ms >= SETTLE_MS),
    )


def lasting(before: Drift, now: Drift) -> Drift:
    """What two looks in a row agree on. Pure."""
    seen = {stranger.contact for stranger in before.strangers}
    return Drift(
        tuple(stranger for stranger in now.strangers if stranger.contact in seen),
        tuple(contact for contact in now.missing if contact in before.missing),
    )


class Reconciler:
    """Looks every so often; keeps the last look to compare the next with."""

    def __init__(
        self, carrier: Carrier, line: Line, clock: Clock, policy: LinePolicy, public_url: str
    ) -> None:
        self.carrier = carrier
        self.line = line
        self.clock = clock
        self.policy = policy
        self.public_url = public_url
        self.drift = 0
        """What the last look found that lasts."""
        self._before = Drift()

    async def look(self) -> Drift:
        """Compare, and put right what two looks agree on; that is returned. Raises Unavailable."""
        now = compare(await self._members(), await self._waiting(), self.clock.now_ms())
        lasts = lasting(self._before, now)
        self._before = now
        self.drift = len(lasts.strangers) + len(lasts.missing)
        for stranger in sorted(lasts.strangers, key=lambda stranger: stranger.entered_ms):
            await self._adopt(stranger)  # the oldest first: an idle agent is asked at once
        for contact in lasts.missing:
            await self._find(contact)
        return lasts

    async def _members(self) -> list[Standing]:
        found: list[Standing] = []
        for queue in await self.carrier.queues():
            where = held_for(self.policy, queue.name)
            if where is not None and queue.size:
                members: list[Member] = await self.carrier.members(queue.sid)
                found += [Standing(m.call_sid, *where, m.entered_ms) for m in members]
        return found

    async def make_room(self) -> int:
        """Have every queue of ours at Twilio, as large as Twilio allows: one that is made on demand holds
        fewer. How many were made or widened. Raises Unavailable.
        """
        sizes = {queue.name: queue.max_size for queue in await self.carrier.queues()}
        small = [name for name in hold_queues(self.policy) if sizes.get(name, 0) < LARGEST]
        for name in small:
            await self.carrier.ensure_queue(name, LARGEST)
        return len(small)

    async def _waiting(self) -> list[ContactNow]:
        """Live calls only: a promise that waits is on no telephone."""
        found: list[ContactNow] = []
        for queue in self.policy.queues:
            start = 0
            while page := await self.line.waiting(queue.name, start, PAGE):
                found += [now for now in page if not is_turn(now.contact)]
                start += len(page)
        return found

    async def _adopt(self, stranger: Standing) -> None:
        known = await self.line.contact(stranger.contact)
        if known is not None:  # reserved, connected, or ended here: its own moves are under way
            # Who was promised a callback still hears it said, in the queue's music. What ended while Twilio's
            # list was on its way is no disagreement.
            ended_ms = known.deadline_ms - self.policy.forget_ms
            lasts = known.state is ContactState.ENDED and self.clock.now_ms() - ended_ms >= SETTLE_MS
            if lasts and known.disposition != Disposition.PROMISED:
                log.error("a call waits that the line has ended", contact=stranger.contact)
            return
        log.warning("adopting a call the line did not know", contact=stranger.contact, queue=stranger.queue)
        await self.line.enter(
            stranger.contact,
            queue=stranger.queue,
            band=stranger.band,
            card=Card(),
            now_ms=self.clock.now_ms(),
            arrived_ms=stranger.entered_ms,
        )

    async def _find(self, contact: str) -> None:
        now = await self.line.contact(contact)
        if now is None or now.state is not ContactState.WAITING:
            return
        call = await self.carrier.call(contact)
        if call is None or call.status not in LIVE:
            log.warning("a call had gone unnoticed", contact=contact)
            await self.line.leave(contact, Disposition.ABANDONED, self.clock.now_ms())
            return
        log.warning("a call was not in its queue", contact=contact, queue=now.queue)
        card = now.card
        slip = Slip(
            card.language, merchant=card.merchant_id or 0, topic=card.topic, queue=now.queue, band=now.band
        )
        await self.carrier.redirect(contact, f"{self.public_url}/voice/requeue?{slip.query()}&why=lost")
