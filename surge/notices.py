"""Texts that an incident causes by itself: updates to subscribers, and the staged notice that it is over.

Each text has a name made of what it tells and whom: it is written once, however often a round runs. Only who
agreed to be texted about this incident is; the others of the ledger are for people to reach.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import String, bindparam, case, cast
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier import text_record
from carrier.optouts import is_opted_out
from carrier.tables import Text
from surge import board, record, standing, texted
from surge.cohorts import Stage, next_stage, waits
from surge.deflection import LANDLINE
from surge.directive import Told
from surge.followups import OPEN_WORDS
from surge.office import Watch
from surge.standing import PAUSED, RESUMED, Standing
from surge.states import OVER, FollowUpState, IncidentState
from surge.tables import FollowUp, Incident, IncidentUpdate, Subscription

AT_ONCE = 100
KEEP_KIND = "keep"
"""Of the text that asks who holds a callback whether it is still wanted (``callbacks.needed``)."""
NO_CONSENT = "agreed to no texts: for a person to reach"
NOT_ARRIVED = "the text did not arrive: for a person to reach"
FRESH_MS = 30 * 60_000
"""An update older than this is told to nobody any more: the next one is."""


async def tell_updates(watch: Watch, now_ms: int) -> int:
    """One round: the newest words of each live incident to who subscribed before them. Raises Unavailable."""
    count = 0
    async with watch.sql.reading() as session:
        connection = await session.connection()
        if not (await connection.execute(_IS_NEWS, {"since_ms": now_ms - FRESH_MS})).scalar_one():
            return 0
    async with watch.sql.session() as session:
        for row in await record.live(session):
            last = await _news(session, row.id, now_ms)
            if last is None or board.outdated(row, last):
                continue
            told = Told(
                row.id, row.severity, row.state, row.audience, row.scope, last.version, last.at_ms,
                last.words, do=row.do, dont=row.dont, title=row.title, topic=row.topic,
            )  # fmt: skip
            asked = {"incident": row.id, "prefix": f"{row.id}.{last.version}.", "before_ms": last.at_ms}
            for each in await session.exec(_UNTOLD, params=asked):
                kind = "relapsed" if row.state not in OVER and await _told_over(session, each) else "update"
                body = texted.status(watch, told, each.language, now_ms, kind)
                count += await _write(session, each, f"{row.id}.{last.version}.{each.id}", body, now_ms)
    return count


async def stage(watch: Watch, incident: str, now_ms: int) -> Stage:
    """One round for one incident: tell the next cohort that it is over, ask whether it works. Raises
    Unavailable: then nobody was told.

    Most rounds find nothing to do, and hold up nobody to find that out.
    """
    async with watch.sql.reading() as session:
        rest = await _rest(watch, session, incident, now_ms)
    if rest is not None:
        return rest
    async with watch.sql.session() as session:
        row = await record.locked_incident(session, incident)
        seen = await _held(session, incident)
        if await _unnoted(session, seen):
            await _leave_to_people(session, seen)
        wait = await _waits(watch, session, seen, now_ms)
        if wait is not None:
            if wait.paused and not seen.paused:
                record.note(session, PAUSED, "line", now_ms, incident=incident, words=wait.reason)
            return wait
        rows = await standing.rows(session, incident)
        now = next_stage(watch.policy, rows, seen.verified_ms, now_ms, resumed_ms=seen.resumed_ms)
        await _tell(watch, session, row, now, now_ms)
        if now.tell:
            record.note(
                session, "notice", "line", now_ms, incident=incident, cohort=now.cohort, told=len(now.tell)
            )
        return now


async def pause(watch: Watch, incident: str, by: str, now_ms: int) -> None:
    """A person stops the notices until somebody goes on with them."""
    async with watch.sql.session() as session:
        await record.locked_incident(session, incident)
        if not (await _held(session, incident)).paused:
            record.note(session, PAUSED, by, now_ms, incident=incident, words="a person paused it")


async def resume(watch: Watch, incident: str, by: str, now_ms: int) -> None:
    """A person has looked: the notices go on. What was answered until now pauses them no more."""
    async with watch.sql.session() as session:
        await record.locked_incident(session, incident)
        if (await _held(session, incident)).paused:
            record.note(session, RESUMED, by, now_ms, incident=incident)


async def are_paused(watch: Watch, incident: str) -> bool:
    """Whether nobody is to be told, until a person goes on. Raises Unavailable."""
    async with watch.sql.reading() as session:
        seen = await standing.of(session, incident)
        return seen is not None and seen.paused


async def end_subscriptions(watch: Watch, incident: str, now_ms: int) -> int:
    """One round for a resolved incident: who still gets its news is told that it is over, once, and no more.

    Whoever is asked by the notice has been told. Raises Unavailable.
    """
    count = 0
    async with watch.sql.reading() as session:
        connection = await session.connection()
        if (await connection.execute(_ONE_TO_BE_ENDED, {"incident": incident})).first() is None:
            return 0
    async with watch.sql.session() as session:
        row = await record.locked_incident(session, incident)
        if row.state != IncidentState.RESOLVED:
            return 0
        for each, told in (await session.exec(_TO_BE_ENDED, params={"incident": incident})).all():
            each.ended_ms = now_ms
            if not told and not await _asked_keep(session, each, row.verified_ms):
                name = f"{incident}.ended.{each.id}.{row.resolved_ms}"
                count += await _write(session, each, name, texted.ended(watch, row, each.language), now_ms)
    return count


_THEIRS = select(FollowUp.id).where(
    FollowUp.incident == Subscription.incident, FollowUp.number == Subscription.number
)
_TOLD = _THEIRS.where(col(FollowUp.told_ms).is_not(None)).exists()
_NOTICE_COMES = _THEIRS.where(col(FollowUp.state).in_(OPEN_WORDS), col(FollowUp.told_ms).is_(None)).exists()
_TO_BE_ENDED = (
    select(Subscription, _TOLD)
    .where(
        Subscription.incident == bindparam("incident"),
        col(Subscription.ended_ms).is_(None),
        ~_NOTICE_COMES,
    )
    .order_by(col(Subscription.id))
    .limit(AT_ONCE)
)
_ONE_TO_BE_ENDED = _TO_BE_ENDED.with_only_columns(col(Subscription.id)).order_by(None).limit(1)


async def _news(session: AsyncSession, incident: str, now_ms: int) -> IncidentUpdate | None:
    """The last thing that was said, if it is new to who heard the one before."""
    asked = {"incident": incident, "since_ms": now_ms - FRESH_MS}
    last = (await session.exec(_LAST_WORDS, params=asked)).first()
    return None if last is None or last.no_news or last.version == 1 else last


_FRESH = col(IncidentUpdate.at_ms) > bindparam("since_ms")
_IS_NEWS = select(select(IncidentUpdate.id).where(_FRESH, IncidentUpdate.version > 1).exists())
_LAST_WORDS = (
    select(IncidentUpdate)
    .where(IncidentUpdate.incident == bindparam("incident"), _FRESH)
    .order_by(col(IncidentUpdate.version).desc())
    .limit(1)
)
# Who subscribed before it was said, and has no text of it; no text arrives at a landline.
_UNTOLD = (
    select(Subscription)
    .where(
        Subscription.incident == bindparam("incident"),
        col(Subscription.ended_ms).is_(None),
        Subscription.made_ms < bindparam("before_ms"),
        ~select(Text.id)
        .where(Text.id == bindparam("prefix", type_=String) + cast(col(Subscription.id), String))
        .exists(),
        ~select(Text.id)
        .where(Text.number == Subscription.number, col(Text.error).startswith(LANDLINE))
        .exists(),
    )
    .order_by(col(Subscription.id))
    .limit(AT_ONCE)
)


async def _told_over(session: AsyncSession, each: Subscription) -> bool:
    """Whether the last thing they were texted of it is that it is over."""
    theirs = select(Text.id).where(Text.incident == each.incident, Text.number == each.number)
    last = (await session.exec(theirs.order_by(col(Text.made_ms).desc(), col(Text.id)))).first() or ""
    return last.startswith((f"{each.incident}.over.", f"{each.incident}.ended."))


async def _asked_keep(session: AsyncSession, each: Subscription, verified_ms: int | None) -> bool:
    """Who holds a callback about it and was asked whether it is still wanted knows that it is fixed."""
    theirs = select(Text.id).where(
        Text.incident == each.incident,
        Text.number == each.number,
        Text.kind == KEEP_KIND,
        col(Text.made_ms) >= (verified_ms or 0),
    )
    return (await session.exec(theirs)).first() is not None


async def _rest(watch: Watch, session: AsyncSession, incident: str, now_ms: int) -> Stage | None:
    """What a round comes to that has nothing to write down; None when it has."""
    seen = await standing.of(session, incident)
    if seen is None or await _unnoted(session, seen):
        return None
    wait = await _waits(watch, session, seen, now_ms)
    return wait if wait is not None and wait.paused == seen.paused else None


async def _held(session: AsyncSession, incident: str) -> Standing:
    """Of an incident that is locked."""
    found = await standing.of(session, incident)
    assert found is not None
    return found


async def _waits(watch: Watch, session: AsyncSession, seen: Standing, now_ms: int) -> Stage | None:
    """Why nobody is told now; None when a stage is due."""
    if seen.paused:
        return Stage(paused=True, reason="the notices are paused until somebody goes on with them")
    so_far = await standing.so_far(session, seen)
    wait = waits(watch.policy, so_far, seen.verified_ms, now_ms)
    if wait is None and not await board.texts_open(watch, session, now_ms):
        return waits(watch.policy, so_far, seen.verified_ms, now_ms, room=0)
    return wait


async def _unnoted(session: AsyncSession, seen: Standing) -> bool:
    return not seen.paused and seen.verified_ms is not None and await standing.unnoted(session, seen)


async def _leave_to_people(session: AsyncSession, seen: Standing) -> None:
    """The ledger says of whom no notice comes, and silence is no answer of who never got the question: they
    are the desk's bulk work."""
    asked = seen.asked()
    for row in await record.locked_follow_ups(session, standing.SILENT, most=AT_ONCE, params=asked):
        row.note = NO_CONSENT
    for row in await record.locked_follow_ups(session, standing.NOT_REACHED, most=AT_ONCE, params=asked):
        row.state, row.note = FollowUpState.OPEN.value, NOT_ARRIVED


async def _tell(watch: Watch, session: AsyncSession, row: Incident, now: Stage, now_ms: int) -> None:
    agreed = await _addresses(session, row.id, now.tell)
    for each in await record.locked_by_id(session, now.tell):
        to = agreed[each.id]
        if await is_opted_out(session, to.number):
            to.ended_ms = now_ms  # they said STOP since: a person has to reach them
        elif each.state == FollowUpState.OPEN:
            each.state, each.told_ms, each.cohort = FollowUpState.TOLD.value, now_ms, now.cohort
            body = texted.over(watch, row, to.language, each.audience)
            await _write(session, to, f"{row.id}.over.{to.id}.{row.verified_ms}", body, now_ms)


async def _addresses(
    session: AsyncSession, incident: str, follow_ups: Collection[str]
) -> dict[str, Subscription]:
    """By follow-up, who is texted: its own number, else the number with which its merchant agreed."""
    theirs = aliased(FollowUp)
    own = col(theirs.id) == FollowUp.id
    wanted = (
        select(FollowUp.id, Subscription)
        .join(theirs, own | (col(theirs.merchant_id) == FollowUp.merchant_id))
        .join(Subscription, col(Subscription.number) == theirs.number)
        .where(
            col(FollowUp.id).in_(follow_ups),
            theirs.incident == incident,
            Subscription.incident == incident,
            col(Subscription.ended_ms).is_(None),
        )
        .order_by(case((own, 0), else_=1), col(theirs.made_ms), col(theirs.id))
    )
    found: dict[str, Subscription] = {}
    for name, subscription in await session.exec(wanted):
        found.setdefault(name, subscription)
    return found


async def _write(session: AsyncSession, to: Subscription, name: str, body: str, now_ms: int) -> bool:
    text = Text(
        id=name, number=to.number, kind=board.TEXT_KIND, incident=to.incident, body=body, made_ms=now_ms,
        not_before_ms=now_ms,
    )  # fmt: skip
    return await text_record.write(session, text)
