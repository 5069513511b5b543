"""Incidents: declared, told of, moved, resolved, reopened. Each change is a transaction with its audit row.

Who changes one says which version they saw. Somebody else having been first is a Conflict that shows what
they said; the same post once more (a second press of the button) is the one that was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.errors import Mendable
from foundation.sql import insert_once
from surge import board, record, status_page
from surge.checking import Draft, carried, check, stopped, tidy
from surge.followups import OPEN_WORDS
from surge.matching import SEVERITIES, Scope
from surge.office import Conflict, Watch
from surge.states import FollowUpState, IncidentState, check_incident
from surge.tables import FollowUp, Incident, IncidentUpdate, Subscription, SurgeEvent

AUDIENCES = ("merchants", "customers", "both")
LONGEST_TITLE = 120


@dataclass(frozen=True, slots=True)
class NewIncident:
    """What is declared. ``scope`` as ``matching.Scope`` packs it; ``words`` by language."""

    title: str
    words: Mapping[str, str]
    severity: str = "major"
    scope: Mapping[str, Any] = field(default_factory=dict)
    audience: str = "merchants"
    state: IncidentState = IncidentState.INVESTIGATING
    do: str = ""
    dont: str = ""
    topic: str = ""
    next_update_ms: int | None = None
    eta_ms: int | None = None
    eta_source: str = ""
    suggested_by: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """What is said now. None leaves a thing as it is, but for the next update: None promises none.
    ``eta_ms`` 0 takes the ETA back."""

    words: Mapping[str, str]
    state: IncidentState | None = None
    do: str | None = None
    dont: str | None = None
    next_update_ms: int | None = None
    eta_ms: int | None = None
    eta_source: str | None = None
    no_news: bool = False


async def declare(watch: Watch, new: NewIncident, by: str, now_ms: int, *, id: str = "") -> Incident:
    """Make it and say its first words. With the same ``id`` (``record.new_id``) it is made once.

    Raises Mendable for words that must not be posted, a scope that is none, an unknown severity or audience;
    Unavailable when SQL is away: then nothing was said.
    """
    title = tidy(new.title)
    if not title or len(title) > LONGEST_TITLE or stopped(carried(title)):
        plain = f"1 to {LONGEST_TITLE} plain characters, without markup or pictures"
        raise Mendable(f"Give the incident a title of {plain}.")
    if new.severity not in SEVERITIES:
        raise Mendable(f"The severity is one of {', '.join(SEVERITIES)}.")
    if new.audience not in AUDIENCES:
        raise Mendable(f"The audience is one of {', '.join(AUDIENCES)}.")
    if new.state is IncidentState.RESOLVED:
        raise Mendable("An incident is not declared resolved; verify it first.")
    scope = Scope.unpacked(new.scope)
    _passed(watch, Draft(new.words, new.do, new.dont, scope_all=scope.all, languages=watch.languages))
    row = Incident(
        id=id or record.new_id(), title=title, severity=new.severity, state=new.state.value,
        audience=new.audience, scope=scope.packed(), do=tidy(new.do), dont=tidy(new.dont), topic=new.topic,
        version=1, declared_ms=now_ms, declared_by=by, updated_ms=now_ms, suggested_by=new.suggested_by,
        next_update_ms=new.next_update_ms, eta_ms=new.eta_ms, eta_source=new.eta_source,
        verified_ms=now_ms if new.state is IncidentState.VERIFIED else None,
    )  # fmt: skip
    async with watch.sql.session() as session:
        state = await record.locked_state(session, watch.centre, watch.policy.detector)
        if not await insert_once(session, row, "id"):
            return await record.locked_incident(session, row.id)
        state.version += 1
        session.add(_said(row, new.words, by, now_ms))
        record.note(session, "declared", by, now_ms, incident=row.id, words=title, version=1, state=row.state)
    await _show(watch, now_ms)
    return row


async def post_update(
    watch: Watch, incident: str, post: Post, expected_version: int, by: str, now_ms: int
) -> Incident:
    """Say something new. Raises Mendable for words that must not be posted, Conflict (``who``, and ``what``
    they said) when the incident has changed since ``expected_version``, IllegalMove, Unavailable.
    """
    async with watch.sql.session() as session:
        state = await record.locked_state(session, watch.centre, watch.policy.detector)
        row = await record.locked_incident(session, incident)
        if await _repeated(session, row, post, expected_version, by):
            return row
        await _unchanged(session, row, expected_version)
        last = await _last(session, row)
        slips = row.eta_slips + slipped(row, post.eta_ms)
        draft = Draft(
            post.words,
            post.do if post.do is not None else row.do,
            post.dont if post.dont is not None else row.dont,
            no_news=post.no_news,
            last=last.words if last else {},
            scope_all=bool(row.scope.get("all")),
            eta_slips=slips,
            languages=watch.languages,
        )
        _passed(watch, draft)
        if post.state is not None:
            await _go(session, row, post.state, by, now_ms)
        row.do, row.dont, row.eta_slips = tidy(draft.do), tidy(draft.dont), slips
        row.next_update_ms = post.next_update_ms
        if post.eta_ms is not None:
            row.eta_ms = post.eta_ms or None
        row.eta_source = row.eta_source if post.eta_source is None else post.eta_source
        row.version, row.updated_ms, state.version = row.version + 1, now_ms, state.version + 1
        session.add(_said(row, post.words, by, now_ms, post.no_news))
        words = next(iter(post.words.values()), "")
        record.note(
            session, "update", by, now_ms, incident=row.id, words=words, version=row.version, state=row.state
        )
    await _show(watch, now_ms)
    return row


async def edit_scope(
    watch: Watch, incident: str, scope: Mapping[str, Any], expected_version: int, by: str, now_ms: int
) -> Incident:
    """Change whom it touches; doors match anew from the next webhook on. Raises as ``post_update``."""
    wanted = Scope.unpacked(scope).packed()
    async with watch.sql.session() as session:
        state = await record.locked_state(session, watch.centre, watch.policy.detector)
        row = await record.locked_incident(session, incident)
        if row.scope == wanted:
            return row
        await _unchanged(session, row, expected_version)
        before, row.scope = row.scope, wanted
        row.version, state.version = row.version + 1, state.version + 1
        record.note(
            session, "scope", by, now_ms, incident=row.id, version=row.version, scope=wanted, before=before
        )
    await _show(watch, now_ms)
    return row


async def move(
    watch: Watch, incident: str, there: IncidentState, expected_version: int, by: str, now_ms: int
) -> Incident:
    """Another state without new words. There already, nothing happens. Raises as ``post_update``."""
    async with watch.sql.session() as session:
        state = await record.locked_state(session, watch.centre, watch.policy.detector)
        row = await record.locked_incident(session, incident)
        if row.state == there:
            return row
        await _unchanged(session, row, expected_version)
        here = row.state
        await _go(session, row, there, by, now_ms)
        row.version, state.version = row.version + 1, state.version + 1
        record.note(
            session, "moved", by, now_ms, incident=row.id, version=row.version, state=row.state, before=here
        )
    await _show(watch, now_ms)
    return row


async def resolve(watch: Watch, incident: str, expected_version: int, by: str, now_ms: int) -> Incident:
    """It is over: callers are told of it no more. Only from verified. Raises as ``post_update``."""
    return await move(watch, incident, IncidentState.RESOLVED, expected_version, by, now_ms)


async def reopen(watch: Watch, incident: str, expected_version: int, by: str, now_ms: int) -> Incident:
    """It was not over. Whoever was told that it was, is open again. Raises as ``post_update``."""
    return await move(watch, incident, IncidentState.INVESTIGATING, expected_version, by, now_ms)


async def list_live(watch: Watch) -> list[Incident]:
    """Those that callers are told of. Raises Unavailable."""
    async with watch.sql.reading() as session:
        return await record.live(session)


async def get(watch: Watch, incident: str) -> Incident | None:
    """Raises Unavailable."""
    async with watch.sql.reading() as session:
        return await session.get(Incident, incident)


async def updates(watch: Watch, incident: str) -> list[IncidentUpdate]:
    """What was said of it, in order. Raises Unavailable."""
    async with watch.sql.reading() as session:
        wanted = select(IncidentUpdate).where(IncidentUpdate.incident == incident)
        return list(await session.exec(wanted.order_by(col(IncidentUpdate.version))))


async def timeline(watch: Watch, incident: str = "", most: int = 200) -> list[SurgeEvent]:
    """Who did what, the latest first; of one incident, or of everything. Raises Unavailable."""
    async with watch.sql.reading() as session:
        wanted = select(SurgeEvent).order_by(col(SurgeEvent.id).desc()).limit(most)
        if incident:
            wanted = wanted.where(SurgeEvent.incident == incident)
        return list(await session.exec(wanted))


async def _go(session: AsyncSession, row: Incident, there: IncidentState, by: str, now_ms: int) -> None:
    """The move, and what hangs on it. Raises IllegalMove."""
    here = IncidentState(row.state)
    check_incident(here, there)
    if here is there:
        return
    row.state = there.value
    if there is IncidentState.VERIFIED:
        row.verified_ms = now_ms
    elif there is IncidentState.RESOLVED:
        row.resolved_ms = now_ms
    elif here in (IncidentState.VERIFIED, IncidentState.RESOLVED):
        await _relapsed(session, row, by, now_ms)


async def _relapsed(session: AsyncSession, row: Incident, by: str, now_ms: int) -> None:
    """Who was told that it is over was told wrong: they are told again when it is, whatever they answered."""
    ended = row.resolved_ms
    told = await record.locked_follow_ups(
        session, FollowUp.incident == row.id, col(FollowUp.told_ms).is_not(None),
        col(FollowUp.state).in_((*OPEN_WORDS, FollowUpState.WORKS)),
    )  # fmt: skip
    for each in told:
        each.told_ms, each.cohort = None, 0
        if each.state in (FollowUpState.TOLD, FollowUpState.WORKS):
            each.state, each.ended_ms, each.ended_by = FollowUpState.OPEN.value, None, ""
    if ended is not None:
        subscribed = select(Subscription).where(
            Subscription.incident == row.id, col(Subscription.ended_ms) >= ended
        )
        for each_one in await session.exec(subscribed):
            each_one.ended_ms = None
    row.verified_ms, row.resolved_ms = None, None
    record.note(session, "relapsed", by, now_ms, incident=row.id, told=len(told))


def _passed(watch: Watch, draft: Draft) -> None:
    """Raises Mendable with everything that stops it."""
    if strange := sorted(set(draft.words) - set(watch.languages)):
        raise Mendable(f"This centre does not speak {strange[0]}; it speaks {', '.join(watch.languages)}.")
    if faults := [finding for finding in check(draft) if finding.stops]:
        raise Mendable("\n".join(dict.fromkeys(f"{each.message}" for each in faults)))


def _said(
    row: Incident, words: Mapping[str, str], by: str, now_ms: int, no_news: bool = False
) -> IncidentUpdate:
    kept = {language: tidy(text) for language, text in words.items() if tidy(text)}
    return IncidentUpdate(
        incident=row.id,
        version=row.version,
        state=row.state,
        words=kept,
        no_news=no_news,
        at_ms=now_ms,
        by=by,
    )


def slipped(row: Incident, eta_ms: int | None) -> int:
    """1 when a time that was quoted is put off to ``eta_ms``."""
    return int(bool(row.eta_ms and eta_ms and eta_ms > row.eta_ms))


async def _last(session: AsyncSession, row: Incident) -> IncidentUpdate | None:
    wanted = select(IncidentUpdate).where(IncidentUpdate.incident == row.id)
    return (await session.exec(wanted.order_by(col(IncidentUpdate.version).desc()))).first()


async def _repeated(session: AsyncSession, row: Incident, post: Post, expected_version: int, by: str) -> bool:
    """Whether this very post was made before: the same words by the same person on the same version."""
    wanted = select(IncidentUpdate).where(
        IncidentUpdate.incident == row.id, IncidentUpdate.version == expected_version + 1
    )
    made = (await session.exec(wanted)).first()
    kept = {language: tidy(text) for language, text in post.words.items() if tidy(text)}
    return made is not None and made.by == by and made.words == kept


async def _unchanged(session: AsyncSession, row: Incident, expected_version: int) -> None:
    """Raises Conflict with who was first, and what they said."""
    if row.version == expected_version:
        return
    last = await _last(session, row)
    lines = await record.events(session, row.id, ("declared", "update", "scope", "moved"))
    who = lines[-1].by if lines else ""
    said = next(iter(last.words.values()), "") if last and last.version > expected_version else ""
    what = said or (f"{lines[-1].kind}: {lines[-1].fields}" if lines else "")
    raise Conflict(
        f"{who or 'Somebody'} has changed this incident since you looked; see theirs first.", who, what
    )


async def _show(watch: Watch, now_ms: int) -> None:
    """The doors and the public page, at once; the rounds make good what is away now."""
    await board.show(watch, now_ms)
    await status_page.show(watch, now_ms)
