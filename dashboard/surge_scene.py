"""The console as it stands: read from the record and the line, for its page and its stream alike."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.auth import Who
from dashboard.drafts import Preview, Reach, Typed, checked_scope, draft_of, preview
from dashboard.floor import Floor
from dashboard.live import Look
from dashboard.rooms import TextBacklog
from dashboard.surge_views import (
    EventView,
    IncidentView,
    LevelView,
    LoadView,
    event_views,
    incident_view,
    level_view,
    load_view,
)
from dashboard.views import level as mark_of
from foundation.errors import Mendable, Unavailable
from surge import links, lists, rehearsals, suggestions
from surge.checking import Finding, Kind
from surge.directive import Directive
from surge.links import Link
from surge.matching import SEVERITIES, Scope
from surge.rehearsals import Rehearsal
from surge.states import Match
from surge.suggestions import Suggestion
from surge.tables import Incident


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    figure: str
    beside: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Console:
    """Everything the console's page is rendered from."""

    level: LevelView
    load: LoadView
    tiles: Sequence[Tile]
    live: Sequence[IncidentView]
    resolved: Sequence[IncidentView]
    events: Sequence[EventView]
    suggestions: Sequence[Suggestion]
    longest_ms: int | None
    """When who waits longest came."""
    longest_mark: str
    rehearsed: Rehearsal | None
    """The last drill …"""
    drill_due_ms: int | None
    """… and when the next one is due; None when there never was one."""
    links: Sequence[Link]
    """Addresses of the status page that do not show the news."""

    def incident(self, name: str) -> IncidentView | None:
        return next((each for each in (*self.live, *self.resolved) if each.id == name), None)


async def console(floor: Floor, who: Who, look: Look) -> Console:
    """Raises Unavailable when SQL is away."""
    rooms = floor.rooms
    now_ms, watch = rooms.clock.now_ms(), rooms.surge
    desk = await lists.desk(rooms.sql, watch.centre, now_ms)
    names = {account.agent: account.name for account in await floor.gate.accounts.all()}
    titles = {row.id: row.title for row in (*desk.live, *desk.resolved)}

    def shown(row: Incident) -> IncidentView:
        return incident_view(
            row,
            desk.latest.get(row.id),
            now_ms=now_ms,
            stale_ms=watch.policy.stale_ms,
            languages=watch.languages,
            subscribed=desk.subscribed.get(row.id, 0),
            open_=desk.open_by_incident.get(row.id, 0),
            names=names,
        )

    oldest = min(
        (q.oldest_entered_ms for q in look.board.queues.values() if q.oldest_entered_ms)
        if look.board
        else (),
        default=None,
    )
    held = await asyncio.to_thread(rehearsals.history, watch.data_dir)
    rehearsed = held[0] if held else None
    longest = mark_of(now_ms - oldest, rooms.targets.longest_wait_ms) if oldest else ""
    clock = floor.templates.environment.filters["time_short"]
    return Console(
        level=level_view(desk.state, who.agent, now_ms, watch.policy.undo_ms, names),
        load=load_view(
            await floor.loads.now(look, await _matched(floor, desk)),
            lambda minutes: clock(now_ms + minutes * 60_000),
        ),
        tiles=tiles(desk, await _backlog(floor), floor, look, await floor.bands.directive()),
        live=[shown(row) for row in sorted(desk.live, key=_gravest)],
        resolved=[shown(row) for row in desk.resolved],
        events=event_views(desk.events, names, titles),
        suggestions=[each for each in await suggestions.open_now(rooms.sql, now_ms) if not _done(each, desk)],
        longest_ms=oldest,
        longest_mark=longest,
        rehearsed=rehearsed,
        drill_due_ms=rehearsals.due_ms(rehearsed),
        links=[link for link in await links.listed(watch) if link.fault],
    )


def _done(suggested: Suggestion, desk: lists.Desk) -> bool:
    """A level that was suggested before somebody set one, and nothing else."""
    level_only = suggested.level is not None and not suggested.title
    return level_only and suggested.at_ms <= desk.state.since_ms


def _gravest(row: Incident) -> int:
    """The gravest first; of equals, as they came: the newest news first."""
    return SEVERITIES.index(row.severity) if row.severity in SEVERITIES else len(SEVERITIES)


async def _matched(floor: Floor, desk: lists.Desk) -> float | None:
    """The share of the merchants that a live incident surely touches; None when there is no incident."""
    if not desk.live:
        return None
    return await floor.directory.share([row.scope for row in desk.live])


async def _backlog(floor: Floor) -> TextBacklog | None:
    try:
        return await floor.rooms.operations.backlog() if floor.rooms.operations else None
    except Unavailable:
        return None


def tiles(
    desk: lists.Desk, backlog: TextBacklog | None, floor: Floor, look: Look, directive: Directive
) -> list[Tile]:
    """The figures beside the load, in the order in which they are acted on."""
    policy, counts, filters = floor.rooms.surge.policy, desk.counts, floor.templates.environment.filters
    abandoned, offered = look.day.abandoned, look.day.offered
    share = abandoned / offered if offered else None
    target = floor.rooms.targets.abandoned_pct / 100
    spend = counts.texts_segments * policy.text_price_cents / 100
    cap = policy.text_cap_per_h * policy.text_price_cents / 100
    again = f"{counts.called_again:,} rang again within {policy.repeat_ms // 60_000} min"
    told = [
        Tile("Would have deflected", f"{directive.would:,}", "dry run: nobody was turned away")
        if directive.dry_run
        else Tile(
            "Deflected", f"{counts.deflected:,}", again if counts.deflected else "since this level began"
        ),
        Tile("Abandoned today", filters["pct"](share), f"{abandoned:,} callers", mark_of(share, target)),
    ]
    if backlog is not None:
        ends = (
            f"the last goes {filters['hour'](backlog.ends_ms)}" if backlog.count and backlog.ends_ms else ""
        )
        told.append(Tile("Texts to send", f"{backlog.count:,}", ends or "nothing waits"))
    told.append(
        Tile(
            "Texts, last hour",
            f"${spend:,.2f}",
            f"cap ${cap:,.2f} · {counts.texts_count:,} of {policy.text_cap_per_h:,}",
            mark_of(counts.texts_count, policy.text_cap_per_h),
        )
    )
    told.append(Tile("Follow-ups open", f"{counts.follow_ups_open:,}", "each needs an end"))
    return told


# -- the preview -----------------------------------------------------------------------------------------


async def preview_of(floor: Floor, told: Typed, look: Look) -> Preview:
    """What would be heard, and what is to be said of it. Raises Unavailable."""
    rooms = floor.rooms
    row, last, subscribed = await _row(floor, told.incident)
    scope: Scope | None = None
    more: list[Finding] = []
    counts: Mapping[Match, int] | None = None
    if row is None:
        try:
            scope = await checked_scope(floor, told)
            counts = await floor.directory.reach(scope)
        except Mendable as bad:
            more.append(Finding(Kind.EMPTY, str(bad), True, "scope"))
    if counts and sum(counts.values()) and not counts[Match.MATCH] + counts[Match.MAYBE]:
        more.append(Finding(Kind.EMPTY, "The scope touches none of the merchants we know.", True, "scope"))
    eta_ms = None
    try:
        eta_ms = told.eta_ms(rooms.clock.now_ms())
    except Mendable as bad:
        more.append(Finding(Kind.ETA, str(bad), True, "eta"))
    waiting = sum(q.waiting - q.promises for q in look.board.queues.values()) if look.board else 0
    reach = Reach(
        waiting=waiting,
        promised=len(look.owed or ()),
        subscribed=subscribed,
        touched=counts[Match.MATCH] if counts is not None else None,
        maybe=counts[Match.MAYBE] if counts is not None else 0,
        known=sum(counts.values()) if counts is not None else 0,
    )
    return preview(draft_of(rooms.surge, told, row, last, scope, eta_ms), reach, more)


async def _row(floor: Floor, incident: str) -> tuple[Any, Mapping[str, str], int]:
    if not incident:
        return None, {}, 0
    story = await lists.story(floor.rooms.sql, incident)
    if story is None:
        return None, {}, 0
    desk_counts = await lists.subscribed(floor.rooms.sql, incident)
    return story.incident, story.updates[0].words if story.updates else {}, desk_counts
