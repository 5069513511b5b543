"""Promises and incidents together: which promise is about which incident, whether it is still wanted when
that is fixed, and the follow-up of a promise that ended.

Neither package knows of the other; what is decided is decided in ``surge.matching`` and ``callbacks.needed``.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf

from sqlalchemy import ColumnElement, bindparam, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from callbacks import needed
from callbacks.office import Office
from callbacks.states import PromiseState
from callbacks.tables import Promise
from merchants.tables import Merchant
from queueing.story import order
from queueing.tables import ContactEvent
from surge import board, followups, notices, record, texted
from surge.matching import Caller, ranked
from surge.office import Watch
from surge.states import OVER, FollowUpState, Match
from surge.tables import FollowUp, Incident

LATELY_MS = 3_600_000
"""How far back ended promises are looked for: longer than a sweeper is away."""
LATE_MS = 30_000
"""Longer than it takes to commit a promise: what was made in the last look's time is looked at again."""
PAGE = 200


# --- which promise is about which incident --------------------------------------------------------------


@dataclass(slots=True)
class Tags:
    """Of one sweeper. All promises are matched again when incidents or their scopes have changed, else the
    new ones alone."""

    watch: Watch
    cb: Office
    seen: str = ""
    """The incidents at the last look."""
    seen_ms: int = 0

    async def look(self, now_ms: int) -> int:
        """One round; how many promises got another tag. Raises Unavailable."""
        async with self.watch.sql.reading() as session:
            live = await record.live(session)
        seen = repr([(row.id, row.scope, row.topic, row.state) for row in live])
        since_ms = self.seen_ms - LATE_MS if seen == self.seen else 0
        count = await self._match(live, since_ms, now_ms) if live else 0
        self.seen, self.seen_ms = seen, now_ms
        return count

    async def _match(self, live: Sequence[Incident], since_ms: int, now_ms: int) -> int:
        count, after = 0, ""
        while page := await needed.open_ones(self.cb, since_ms, after, PAGE):
            after = page[-1].id
            async with self.watch.sql.reading() as session:
                ids = {promise.merchant_id for promise in page if promise.merchant_id is not None}
                found = await session.exec(select(Merchant).where(col(Merchant.id).in_(sorted(ids))))
                merchants = {merchant.id: merchant for merchant in found}
                said = await _said(session, [promise.contact for promise in page if promise.contact])
            changed = {}
            for promise in page:
                caller = followups.known_of(promise, merchants.get(promise.merchant_id))
                tag = tag_of(live, promise, caller, said.get(promise.contact, NOTHING))
                if tag != promise.incident:
                    changed[promise.id] = tag
            count += await needed.tag(self.cb, changed, now_ms) if changed else 0
        return count


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller told us in the call: it is about ``yes``, and not about ``no``."""

    yes: str = ""
    no: Collection[str] = ()


NOTHING = Said()


def tag_of(live: Sequence[Incident], promise: Promise, caller: Caller, said: Said = NOTHING) -> str:
    """The incident that a promise is about, "" for none: a sure match, and nothing that speaks against it.

    What is not fixed yet goes before what is, then the one that it is tagged with. One that is resolved keeps
    its promises, unless another one touches them.
    """
    declared = {row.id: row for row in live}
    touched = [
        told.id
        for told, matched in ranked([followups.as_told(row) for row in live], caller)
        if told.id not in said.no and (matched.match is Match.MATCH or told.id == said.yes)
    ]
    here = promise.incident
    fit = [name for name in touched if name == here or _may_be(declared[name], promise)]
    broken = [name for name in fit if declared[name].state not in OVER]
    if here in touched and (here in broken or not broken):
        return here
    if broken:
        return broken[0]
    if here and here not in declared:
        return here
    return fit[0] if fit else ""


def _may_be(row: Incident, promise: Promise) -> bool:
    """They came while it was on, and chose nothing else in the menu than what it is about."""
    about = not row.topic or not promise.topic or row.topic == promise.topic
    fixed_ms = row.verified_ms if row.state in OVER else None
    return (
        about
        and promise.entered_ms >= row.declared_ms - followups.BEFORE_MS
        and promise.made_ms < (fixed_ms or inf)
    )


async def _said(session: AsyncSession, calls: Sequence[str]) -> dict[str, Said]:
    """By call. Who was told of an incident, and then came into the line with a card that does not name it,
    has said that it is something else."""
    wanted = select(ContactEvent).where(
        col(ContactEvent.contact).in_(calls), col(ContactEvent.kind).in_(("informed", "entered"))
    )
    said: dict[str, Said] = {}
    told: dict[str, set[str]] = defaultdict(set)
    for event in sorted(await session.exec(wanted), key=lambda event: order(event.id)):
        if event.kind == "informed":
            told[event.contact].add(event.fields.get("incident", ""))
        else:
            card = json.loads(event.fields.get("card") or "{}")
            about = card.get("incident", "")
            yes = about if card.get("match") == Match.MATCH else ""
            said[event.contact] = Said(yes, told[event.contact] - {about})
    return said


# --- fixed: is the call still wanted? -------------------------------------------------------------------


async def ask(watch: Watch, cb: Office, incident: str, now_ms: int) -> tuple[int, int]:
    """One round for an incident that seems over: how many were asked, and how many were let go.

    After the soak, and not while the notices are paused. Raises Unavailable.
    """
    keep_ms, soak_ms = watch.policy.keep_ms, watch.policy.soak_ms
    async with watch.sql.reading() as session:
        row = await session.get(Incident, incident)
        if not keep_ms or row is None or row.state not in OVER or row.verified_ms is None:
            return 0, 0
        verified_ms, room = row.verified_ms, await board.texts_open(watch, session, now_ms)
    if now_ms < verified_ms + soak_ms or await notices.are_paused(watch, incident):
        return 0, 0

    def words(promise: Promise) -> str:
        return texted.keep(watch, row, promise.language, now_ms + keep_ms, now_ms)

    asked = await needed.ask(cb, incident, verified_ms, keep_ms, words, now_ms) if room else 0
    return asked, len(await needed.let_go(cb, incident, verified_ms, keep_ms, now_ms))


# --- what follows when a promise ends -------------------------------------------------------------------

_KEPT = (PromiseState.KEPT.value, PromiseState.SUPERSEDED.value)
_FOLLOWED = (PromiseState.UNREACHABLE.value, PromiseState.EXPIRED.value, PromiseState.RESOLVED.value)


async def follow(watch: Watch, now_ms: int) -> int:
    """Promises that ended: kept, the merchant is served; else, followed up. Raises Unavailable."""
    since = {"since_ms": now_ms - LATELY_MS}
    async with watch.sql.reading() as session:
        connection = await session.connection()
        if (await connection.execute(_ANY_ENDED, since)).first() is None:
            return 0
    count = 0
    async with watch.sql.session() as session:
        for promise in await session.exec(_ENDED, params=since):
            owed = _owed(promise, await session.get(Incident, promise.incident))
            await record.take_turns(session, owed.turns)
            if promise.state in _KEPT:
                count += await followups.served(session, owed.merchant_id, owed.number, owed.at_ms)
            elif await session.get(FollowUp, promise.id) is None:
                await _hand_on(session, promise)
                count += await followups.make(session, owed, _stands(promise))
    return count


def _has_more() -> ColumnElement[bool]:
    """Not followed up yet though it was not kept; or kept, and something was owed to them besides."""
    # Two questions, each with an index of its own: as one it would go through all open rows for each promise.
    owed = [
        select(FollowUp.id).where(theirs, col(FollowUp.state).in_(followups.OPEN_WORDS)).exists()
        for theirs in (FollowUp.number == Promise.number, FollowUp.merchant_id == Promise.merchant_id)
    ]
    own = select(FollowUp.id).where(FollowUp.id == Promise.id)
    return (col(Promise.state).in_(_KEPT) & or_(*owed)) | (col(Promise.state).in_(_FOLLOWED) & ~own.exists())


_ENDED = (
    select(Promise)
    .where(col(Promise.ended_ms) > bindparam("since_ms"), _has_more())
    .order_by(col(Promise.ended_ms), col(Promise.id))
)
_ANY_ENDED = select(Promise.id).where(col(Promise.ended_ms) > bindparam("since_ms"), _has_more()).limit(1)


def _stands(promise: Promise) -> FollowUpState:
    """A promise that nobody needs: its merchant said so, or was asked and said nothing. Else it is owed."""
    if promise.state != PromiseState.RESOLVED:
        return FollowUpState.OPEN
    by = {followups.BY_MERCHANT: FollowUpState.WORKS, followups.BY_LINE: FollowUpState.TOLD}
    return by.get(promise.ended_by, FollowUpState.OPEN)


async def _hand_on(session: AsyncSession, promise: Promise) -> None:
    """The follow-up that it was promised for is followed by the promise's own from now on."""
    before = await record.locked_follow_ups(
        session, FollowUp.promise == promise.id, col(FollowUp.state).in_(followups.OPEN_WORDS)
    )
    for row in before:
        row.state, row.ended_by, row.ended_ms = FollowUpState.DUPLICATE.value, "line", promise.ended_ms
        row.note = "the callback that was promised for it is followed up"


def _owed(promise: Promise, about: Incident | None) -> followups.Owed:
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
        audience=about.audience if about else "merchants",
    )
