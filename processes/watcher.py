"""Watches incidents and surges: rounds that the sweeper runs beside its own.

What the doors are told is published, levels expire, the line's figures are looked at, notices and updates go
out, stale incidents nag, follow-ups come to their end. Any number of sweepers may do so at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks.making import NewPromise, make
from callbacks.office import Conflict, Office
from callbacks.states import PromiseState
from callbacks.tables import Promise
from foundation.errors import Mendable
from processes.spikes import Spikes
from queueing import pulse
from queueing.records import Card
from surge import aside, board, commitments, desk, followups, levels, notices, record, status_page, switch
from surge.levels import Reading, Sensor
from surge.office import Watch
from surge.states import FollowUpState, IncidentState
from surge.tables import FollowUp, Incident

PUBLISH_MS = 1_000
SENSE_MS = 5_000
NAG_MS = 5_000
UPDATES_MS = 2_000
NOTICES_MS = 5_000
FOLLOW_UPS_MS = 30_000
PROMISES_MS = 2_000
REMIND_MS = 60_000
PAGE_MS = 60_000
LATELY_MS = 3_600_000
"""How far back ended promises are looked for: longer than a sweeper is away."""
STALE_PULSE_MS = 15_000
AT_ONCE = 100

Round = Callable[[], Awaitable[float]]
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Watcher:
    watch: Watch
    cb: Office
    counts: Counter[str]
    sensor: Sensor = field(default_factory=Sensor)
    spikes: Spikes = field(init=False)
    suggested: str = ""
    """What was suggested last: it is said once, not at every look."""

    def __post_init__(self) -> None:
        self.spikes = Spikes(self.watch)

    def rounds(self) -> dict[str, Round]:
        """The rounds by name, for ``rounds.rounds``."""
        return {
            "surge board": self.publish,
            "surge sense": self.sense,
            "surge nag": self.nag,
            "surge updates": self.tell_updates,
            "surge notices": self.notify,
            "surge follow-ups": self.tidy,
            "surge promises": self.promises,
            "surge commitments": self.remind,
            "surge page": self.page,
        }

    @property
    def now_ms(self) -> int:
        return self.watch.clock.now_ms()

    async def publish(self) -> float:
        now_ms = self.now_ms
        self.counts["surge_brought_in"] += await aside.bring_in(self.watch, now_ms)
        self.counts["levels_expired"] += await switch.expire(self.watch, now_ms)
        await board.publish(self.watch, now_ms)
        return PUBLISH_MS

    async def sense(self) -> float:
        """The wait of a newcomer, by the pulse, and the level it speaks for."""
        now_ms = self.now_ms
        seen = await pulse.read(self.watch.redis, self.watch.keys)
        fresh = seen is not None and now_ms - seen.at_ms < STALE_PULSE_MS
        wait_s = _longest_wait_s(seen) if seen is not None and fresh else None
        row = await switch.state(self.watch)
        here = switch.in_force(row, now_ms)
        reading = Reading(now_ms, wait_s, await self.spikes.score(now_ms))
        self.sensor, told = levels.step(self.watch.policy, self.sensor, reading, here, row.expires_ms)
        said = f"{told.level} {row.automatic}" if told else ""
        if told is not None and said != self.suggested:
            self.counts["levels_changed"] += await switch.suggest(self.watch, told.level, told.why, now_ms)
        self.suggested = said
        return SENSE_MS

    async def nag(self) -> float:
        self.counts["leads_nagged"] += await nag(self.watch, self.now_ms)
        return NAG_MS

    async def tell_updates(self) -> float:
        self.counts["incident_texts"] += await notices.tell_updates(self.watch, self.now_ms)
        return UPDATES_MS

    async def notify(self) -> float:
        """The staged notice of each incident that is over or seems so."""
        over = (IncidentState.VERIFIED.value, IncidentState.RESOLVED.value)
        since_ms = self.now_ms - status_page.BACK_MS
        async with self.watch.sql.reading() as session:
            wanted = select(Incident.id, Incident.state).where(
                col(Incident.state).in_(over), col(Incident.updated_ms) > since_ms
            )
            found = list(await session.exec(wanted))
        for incident, state in found:
            stage = await notices.stage(self.watch, incident, self.now_ms)
            self.counts["merchants_told"] += len(stage.tell)
            if state == IncidentState.RESOLVED:
                told = await notices.end_subscriptions(self.watch, incident, self.now_ms)
                self.counts["incident_texts"] += told
        return NOTICES_MS

    async def tidy(self) -> float:
        self.counts["follow_ups_silent"] += await desk.silent_ones_work(self.watch, self.now_ms)
        return FOLLOW_UPS_MS

    async def promises(self) -> float:
        self.counts["follow_ups_promised"] += await promise_wishes(self.watch, self.cb, self.now_ms)
        self.counts["promises_followed"] += await follow_promises(self.watch, self.now_ms)
        return PROMISES_MS

    async def remind(self) -> float:
        self.counts["commitments_due"] += await commitments.remind(self.watch, self.now_ms)
        return REMIND_MS

    async def page(self) -> float:
        await status_page.show(self.watch, self.now_ms)
        return PAGE_MS


def _longest_wait_s(seen: pulse.Pulse) -> float | None:
    """A newcomer's p50 in the queue where it is longest; infinite where people wait and nobody serves."""
    waits = []
    for queue in seen.queues.values():
        if not queue.agents:
            waits += [float("inf")] if queue.waiting else []
        elif estimate := queue.newcomers_wait():
            waits.append(estimate.p50 if queue.waiting else 0.0)
    return max(waits, default=None)


async def nag(watch: Watch, now_ms: int) -> int:
    """A line of the timeline for each live incident whose news are stale or due, at most every ``nag_ms``."""
    count = 0
    async with watch.sql.session() as session:
        for row in await record.live(session):
            stale = now_ms - row.updated_ms > watch.policy.stale_ms
            due = row.next_update_ms is not None and now_ms > row.next_update_ms
            if not stale and not due:
                continue
            await record.locked_incident(session, row.id)
            if await record.events(session, row.id, ("nag",), since_ms=now_ms - watch.policy.nag_ms + 1):
                continue
            minutes = (now_ms - row.updated_ms) // 60_000
            words = f"The last update is {minutes} min old" + (
                "; callers hear neutral words" if stale else ""
            )
            record.note(session, "nag", "line", now_ms, incident=row.id, words=words, minutes=minutes)
            count += 1
    return count


async def promise_wishes(watch: Watch, cb: Office, now_ms: int) -> int:
    """Who told us "still down" is promised a call, at the arrival they had; how many were.

    ``callbacks`` keeps one open promise a number, so a second time finds the first. Raises Unavailable.
    """
    async with watch.sql.reading() as session:
        wanted = select(FollowUp).where(
            FollowUp.state == FollowUpState.OPEN,
            col(FollowUp.wants_call_ms).is_not(None),
            FollowUp.promise == "",
            FollowUp.claimed_by == "",
        )
        rows = list(await session.exec(wanted.order_by(col(FollowUp.arrival_us)).limit(AT_ONCE)))
    count = 0
    for row in rows:
        promise, why = await _promise(watch, cb, row, now_ms)
        async with watch.sql.session() as session:
            for fresh in await record.locked_follow_ups(session, FollowUp.id == row.id):
                if fresh.state == FollowUpState.OPEN and not fresh.promise:
                    fresh.promise, fresh.note = promise or "-", why or fresh.note
                    count += bool(promise)
    return count


async def _promise(watch: Watch, cb: Office, row: FollowUp, now_ms: int) -> tuple[str, str]:
    """The promise's id, or why there is none."""
    policy = cb.line.policy
    queue = row.queue or policy.queues[0].name
    band = row.band or policy.bands[-1].name
    card = Card(
        caller=row.number,
        merchant_id=row.merchant_id,
        merchant=row.merchant,
        tier=row.tier,
        language=row.language,
        note="still down",
    )
    request = NewPromise(
        row.number, queue, band, card, entered_ms=row.arrival_us // 1000, arrival_us=row.arrival_us,
        made_by="text", language=row.language,
    )  # fmt: skip
    try:
        return (await make(cb, request, now_ms)).promise.id, ""
    except (Mendable, Conflict) as no:
        log.warning("a follow-up could not be promised a call", follow_up=row.id, why=str(no))
        return "", str(no)


async def follow_promises(watch: Watch, now_ms: int) -> int:
    """Promises that ended: kept, the merchant is served; in vain, followed up. Raises Unavailable."""
    kept = (PromiseState.KEPT.value, PromiseState.SUPERSEDED.value)
    vain = (PromiseState.UNREACHABLE.value, PromiseState.EXPIRED.value)
    count = 0
    async with watch.sql.session() as session:
        ended = select(Promise).where(
            col(Promise.ended_ms) > now_ms - LATELY_MS, col(Promise.state).in_((*kept, *vain))
        )
        for promise in await session.exec(ended.order_by(col(Promise.ended_ms), col(Promise.id))):
            owed = _owed(promise)
            await record.take_turns(session, owed.turns)
            if promise.state in kept:
                count += await followups.served(session, owed.merchant_id, owed.number, owed.at_ms)
            elif await session.get(FollowUp, promise.id) is None:
                await _hand_on(session, promise)
                count += await followups.make(session, owed)
    return count


async def _hand_on(session: AsyncSession, promise: Promise) -> None:
    """The follow-up that it was promised for is followed by the promise's own from now on."""
    before = await record.locked_follow_ups(
        session, FollowUp.promise == promise.id, col(FollowUp.state).in_(followups.OPEN_WORDS)
    )
    for row in before:
        row.state, row.ended_by, row.ended_ms = FollowUpState.DUPLICATE.value, "line", promise.ended_ms
        row.note = "the callback that was promised for it is followed up"


def _owed(promise: Promise) -> followups.Owed:
    return followups.Owed(
        id=promise.id,
        why=promise.state,
        at_ms=promise.ended_ms or promise.made_ms,
        number=promise.number,
        merchant_id=promise.merchant_id,
        merchant=promise.merchant,
        tier=promise.tier,
        language=promise.language,
        queue=promise.queue,
        band=promise.band,
        arrival_us=promise.arrival_us,
        incident=promise.incident,
    )
