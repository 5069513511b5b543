"""Suggestions: what the detector or another system thinks that we should do. A person accepts or dismisses.

A suggestion is a line of the timeline, and so is its answer; it is open while there is no answer and it is
not too old. Nothing here changes an incident or a level.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.connections import Sql
from foundation.errors import Mendable
from surge.office import Conflict
from surge.states import Level
from surge.tables import SurgeEvent

SUGGESTED, ACCEPTED, DISMISSED = "suggested", "suggestion_accepted", "suggestion_dismissed"
OPEN_MS = 60 * 60_000
"""A suggestion that nobody answered for so long says nothing of the present."""
MOST = 200
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``level`` None: only an incident is suggested. ``incident``: what the other system calls it."""

    id: int
    at_ms: int
    source: str
    why: str
    level: Level | None = None
    title: str = ""
    severity: str = ""
    incident: str = ""


async def suggest(
    session: AsyncSession,
    *,
    source: str,
    why: str,
    now_ms: int,
    level: Level | None = None,
    title: str = "",
    severity: str = "",
    incident: str = "",
) -> None:
    """Write a suggestion down. Words are cut to what the console shows, and hold no line breaks."""
    fields: dict[str, Any] = {
        "level": None if level is None else int(level),
        "title": plain(title, 120),
        "severity": severity,
        "incident": plain(incident, 64),
    }
    session.add(SurgeEvent(at_ms=now_ms, kind=SUGGESTED, by=source, words=plain(why, LONGEST), fields=fields))


async def open_now(sql: Sql, now_ms: int) -> list[Suggestion]:
    """Those nobody has answered, the newest first; of one source and title, the newest only."""
    statement = (
        select(SurgeEvent)
        .where(
            col(SurgeEvent.kind).in_((SUGGESTED, ACCEPTED, DISMISSED)),
            col(SurgeEvent.at_ms) > now_ms - OPEN_MS,
        )
        .order_by(col(SurgeEvent.id).desc())
        .limit(MOST)
    )
    async with sql.reading() as session:
        return unanswered((await session.exec(statement)).all())


def unanswered(events: Iterable[SurgeEvent]) -> list[Suggestion]:
    """Out of lines of the timeline, the newest first."""
    answered: set[int] = set()
    seen: set[tuple[str, str]] = set()
    found = []
    for row in events:
        if row.kind in (ACCEPTED, DISMISSED):
            answered.add(int(row.fields.get("suggestion", 0)))
            continue
        if row.kind != SUGGESTED:
            continue
        read = _read(row)
        if row.id not in answered and (read.source, read.title) not in seen:
            found.append(read)
        seen.add((read.source, read.title))
    return found


async def answer(sql: Sql, suggestion: int, by: str, now_ms: int, *, accepted: bool) -> Suggestion:
    """Once. Raises Mendable when there is none, Conflict (who, what) when somebody has answered it."""
    async with sql.session() as session:
        row = await session.get(SurgeEvent, suggestion)
        if row is None or row.kind != SUGGESTED:
            raise Mendable("There is no such suggestion.")
        later = await session.exec(
            select(SurgeEvent).where(
                col(SurgeEvent.kind).in_((ACCEPTED, DISMISSED)), col(SurgeEvent.id) > suggestion
            )
        )
        for other in later.all():
            if other.fields.get("suggestion") == suggestion:
                done = "accepted" if other.kind == ACCEPTED else "dismissed"
                raise Conflict(f"{other.by} has {done} it.", other.by, done)
        kind = ACCEPTED if accepted else DISMISSED
        fields = {"suggestion": suggestion}
        session.add(SurgeEvent(at_ms=now_ms, kind=kind, by=by, words=row.words, fields=fields))
        return _read(row)


def plain(words: str, most: int) -> str:
    """One line of what can be seen, cut."""
    seen = "".join(letter if letter.isprintable() else " " for letter in words)
    return " ".join(seen.split())[:most]


def _read(row: SurgeEvent) -> Suggestion:
    level = row.fields.get("level")
    return Suggestion(
        id=row.id or 0,
        at_ms=row.at_ms,
        source=row.by,
        why=row.words,
        level=Level(level) if isinstance(level, int) else None,
        title=str(row.fields.get("title", "")),
        severity=str(row.fields.get("severity", "")),
        incident=str(row.fields.get("incident", "")),
    )
