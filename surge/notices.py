"""Texts that an incident causes by itself: updates to subscribers, and the staged notice that it is over.

Each text has a name made of what it tells and whom: it is written once, however often a round runs. Only who
agreed to be texted about this incident is; the others of the ledger are for people to reach.
"""

from __future__ import annotations

from typing import Protocol

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier import text_record
from carrier.optouts import is_opted_out
from carrier.tables import Text
from carrier.text_states import TextState
from surge import board, record, texted
from surge.cohorts import Row, Stage, next_stage
from surge.deflection import LANDLINE
from surge.directive import Told
from surge.followups import OPEN_WORDS
from surge.office import Watch
from surge.states import OVER, FollowUpState, IncidentState
from surge.tables import FollowUp, Incident, IncidentUpdate, Subscription

AT_ONCE = 100
KEEP_KIND = "keep"
"""Of the text that asks who holds a callback whether it is still wanted (``callbacks.needed``)."""
LOST = (TextState.UNDELIVERED, TextState.FAILED, TextState.SKIPPED)
NO_CONSENT = "agreed to no texts: for a person to reach"
NOT_ARRIVED = "the text did not arrive: for a person to reach"
FRESH_MS = 30 * 60_000
"""An update older than this is told to nobody any more: the next one is."""


class Reached(Protocol):
    """Of a follow-up, what is looked at to tell whom the notice reaches: every row, every few seconds."""

    id: str
    number: str
    merchant_id: int | None
    audience: str
    state: str
    note: str
    made_ms: int
    arrival_us: int
    cohort: int
    told_ms: int | None
    wants_call_ms: int | None


async def tell_updates(watch: Watch, now_ms: int) -> int:
    """One round: the newest words of each live incident to who subscribed before them. Raises Unavailable."""
    count = 0
    async with watch.sql.session() as session:
        for row in await record.live(session):
            last = await _news(session, row.id, now_ms)
            if last is None or board.outdated(row, last):
                continue
            told = Told(
                row.id, row.severity, row.state, row.audience, row.scope, last.version, last.at_ms,
                last.words, do=row.do, dont=row.dont, title=row.title, topic=row.topic,
            )  # fmt: skip
            for each in await _untold(session, row.id, f"{row.id}.{last.version}.", last.at_ms):
                kind = "relapsed" if row.state not in OVER and await _told_over(session, each) else "update"
                body = texted.status(watch, told, each.language, now_ms, kind)
                count += await _write(session, each, f"{row.id}.{last.version}.{each.id}", body, now_ms)
    return count


async def stage(watch: Watch, incident: str, now_ms: int) -> Stage:
    """One round for one incident: tell the next cohort that it is over, ask whether it works. Raises
    Unavailable: then nobody was told."""
    async with watch.sql.session() as session:
        row = await record.locked_incident(session, incident)
        verified_ms = row.verified_ms
        if row.state not in OVER:
            verified_ms = None
        paused_ms, resumed_ms = await _pauses(session, row)
        if paused_ms > resumed_ms:
            return Stage(paused=True, reason="the notices are paused until somebody goes on with them")
        reached, subscribed = await _rows(session, row)
        rows = [_row_of(each, subscribed) for each in reached]
        if verified_ms is not None:
            await _left_for_people(session, reached, subscribed)
            await _not_arrived(session, row, reached)
        room = None if await board.texts_open(watch, session, now_ms) else 0
        now = next_stage(watch.policy, rows, verified_ms, now_ms, resumed_ms=resumed_ms, room=room)
        if now.paused and paused_ms <= resumed_ms:
            record.note(session, "notices_paused", "line", now_ms, incident=incident, words=now.reason)
        chosen = set(now.tell)
        for each in reached:
            if each.id in chosen:
                await _tell(watch, session, row, each, subscribed, now.cohort, now_ms)
        if now.tell:
            record.note(
                session, "notice", "line", now_ms, incident=incident, cohort=now.cohort, told=len(now.tell)
            )
        return now


async def pause(watch: Watch, incident: str, by: str, now_ms: int) -> None:
    """A person stops the notices until somebody goes on with them."""
    async with watch.sql.session() as session:
        row = await record.locked_incident(session, incident)
        paused_ms, resumed_ms = await _pauses(session, row)
        if paused_ms <= resumed_ms:
            record.note(session, "notices_paused", by, now_ms, incident=incident, words="a person paused it")


async def resume(watch: Watch, incident: str, by: str, now_ms: int) -> None:
    """A person has looked: the notices go on. What was answered until now pauses them no more."""
    async with watch.sql.session() as session:
        row = await record.locked_incident(session, incident)
        paused_ms, resumed_ms = await _pauses(session, row)
        if paused_ms > resumed_ms:
            record.note(session, "notices_resumed", by, now_ms, incident=incident)


async def are_paused(watch: Watch, incident: str) -> bool:
    """Whether nobody is to be told, until a person goes on. Raises Unavailable."""
    async with watch.sql.reading() as session:
        row = await session.get(Incident, incident)
        if row is None:
            return False
        paused_ms, resumed_ms = await _pauses(session, row)
        return paused_ms > resumed_ms


async def end_subscriptions(watch: Watch, incident: str, now_ms: int) -> int:
    """One round for a resolved incident: who still gets its news is told that it is over, once, and no more.

    Whoever is asked by the notice has been told. Raises Unavailable.
    """
    count = 0
    async with watch.sql.session() as session:
        row = await record.locked_incident(session, incident)
        if row.state != IncidentState.RESOLVED:
            return 0
        wanted = select(Subscription).where(
            Subscription.incident == incident, col(Subscription.ended_ms).is_(None)
        )
        left = list(await session.exec(wanted.order_by(col(Subscription.id)).limit(AT_ONCE)))
        numbers = [each.number for each in left]
        asked = await record.locked_follow_ups(
            session, FollowUp.incident == incident, col(FollowUp.number).in_(numbers)
        )
        waiting = {each.number for each in asked if each.state in OPEN_WORDS and each.told_ms is None}
        told = {each.number for each in asked if each.told_ms is not None}
        for each in left:
            if each.number in waiting:
                continue  # the notice comes to them
            each.ended_ms = now_ms
            if each.number not in told and not await _asked_keep(session, each, row.verified_ms):
                name = f"{incident}.ended.{each.id}.{row.resolved_ms}"
                count += await _write(session, each, name, texted.ended(watch, row, each.language), now_ms)
    return count


async def _news(session: AsyncSession, incident: str, now_ms: int) -> IncidentUpdate | None:
    """The last thing that was said, if it is new to who heard the one before."""
    wanted = select(IncidentUpdate).where(
        IncidentUpdate.incident == incident, IncidentUpdate.at_ms > now_ms - FRESH_MS
    )
    last = (await session.exec(wanted.order_by(col(IncidentUpdate.version).desc()))).first()
    return None if last is None or last.no_news or last.version == 1 else last


async def _untold(session: AsyncSession, incident: str, prefix: str, before_ms: int) -> list[Subscription]:
    """Who subscribed before it was said, and has no text of this name; no text arrives at a landline."""
    named = select(Text.id).where(
        Text.incident == incident, Text.number == Subscription.number, col(Text.id).startswith(prefix)
    )
    landline = select(Text.id).where(Text.number == Subscription.number, col(Text.error).startswith(LANDLINE))
    wanted = select(Subscription).where(
        Subscription.incident == incident,
        col(Subscription.ended_ms).is_(None),
        Subscription.made_ms < before_ms,
        ~named.exists(),
        ~landline.exists(),
    )
    return list(await session.exec(wanted.order_by(col(Subscription.id)).limit(AT_ONCE)))


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


async def _pauses(session: AsyncSession, row: Incident) -> tuple[int, int]:
    """When it was last paused, and last gone on with, since it was verified."""
    lines = await record.events(
        session, row.id, ("notices_paused", "notices_resumed"), since_ms=row.verified_ms or 0
    )
    return tuple(
        max((line.at_ms for line in lines if line.kind == kind), default=0)
        for kind in ("notices_paused", "notices_resumed")
    )  # type: ignore[return-value]  # one of each


async def _rows(session: AsyncSession, row: Incident) -> tuple[list[Reached], dict[str, Subscription]]:
    """The incident's follow-ups, and its subscriptions by who they are of: number, or merchant."""
    found = await record.columns(session, row.id, Reached.__annotations__)
    rows: list[Reached] = sorted(found, key=lambda each: (each.made_ms, each.id))
    wanted = select(Subscription).where(Subscription.incident == row.id, col(Subscription.ended_ms).is_(None))
    by_number = {each.number: each for each in await session.exec(wanted)}
    subscribed = dict(by_number)
    for each in rows:
        # The row that stands for a merchant may be of another of their numbers than the one that agreed.
        if each.merchant_id is not None and each.number in by_number:
            subscribed.setdefault(_who(each), by_number[each.number])
    return rows, subscribed


async def _left_for_people(
    session: AsyncSession, rows: list[Reached], subscribed: dict[str, Subscription]
) -> None:
    """The ledger says of whom no notice will come: they are the desk's bulk work."""
    silent = [
        each.id
        for each in rows
        if each.state == FollowUpState.OPEN and not each.note and not _agreed(each, subscribed)
    ]
    if silent:
        for row in await record.locked_follow_ups(session, col(FollowUp.id).in_(silent[:AT_ONCE])):
            row.note = row.note or NO_CONSENT


async def _not_arrived(session: AsyncSession, row: Incident, rows: list[Reached]) -> None:
    """Silence is no answer of who never got the question: they are the desk's work too."""
    lost = select(Text.number).where(
        Text.incident == row.id,
        col(Text.id).startswith(f"{row.id}.over."),
        col(Text.id).endswith(f".{row.verified_ms}"),
        col(Text.state).in_(LOST),
    )
    numbers = set(await session.exec(lost))
    silent = [each.id for each in rows if each.state == FollowUpState.TOLD and each.number in numbers]
    if silent:
        for found in await record.locked_follow_ups(session, col(FollowUp.id).in_(silent[:AT_ONCE])):
            if found.state == FollowUpState.TOLD:
                found.state, found.note = FollowUpState.OPEN.value, NOT_ARRIVED


def _agreed(row: Reached, subscribed: dict[str, Subscription]) -> bool:
    return row.number in subscribed or _who(row) in subscribed


def _who(row: Reached) -> str:
    return f"merchant {row.merchant_id}" if row.merchant_id is not None else row.number


def _row_of(row: Reached, subscribed: dict[str, Subscription]) -> Row:
    return Row(
        id=row.id,
        who=_who(row),
        arrival_us=row.arrival_us,
        open=row.state == FollowUpState.OPEN and _agreed(row, subscribed) and row.wants_call_ms is None,
        cohort=row.cohort,
        told_ms=row.told_ms,
        still_down_ms=row.wants_call_ms,
    )


async def _tell(
    watch: Watch,
    session: AsyncSession,
    row: Incident,
    each: Reached,
    subscribed: dict[str, Subscription],
    cohort: int,
    now_ms: int,
) -> None:
    agreed = subscribed.get(each.number) or subscribed[_who(each)]
    if await is_opted_out(session, agreed.number):
        agreed.ended_ms = now_ms  # they said STOP since: a person has to reach them
        return
    locked = await record.locked_follow_ups(session, FollowUp.id == each.id)
    if not locked or locked[0].state != FollowUpState.OPEN:
        return
    locked[0].state, locked[0].told_ms, locked[0].cohort = FollowUpState.TOLD.value, now_ms, cohort
    name = f"{row.id}.over.{agreed.id}.{row.verified_ms}"
    body = texted.over(watch, row, agreed.language, each.audience)
    await _write(session, agreed, name, body, now_ms)


async def _write(session: AsyncSession, to: Subscription, name: str, body: str, now_ms: int) -> bool:
    text = Text(
        id=name, number=to.number, kind=board.TEXT_KIND, incident=to.incident, body=body, made_ms=now_ms,
        not_before_ms=now_ms,
    )  # fmt: skip
    return await text_record.write(session, text)
