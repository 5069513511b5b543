"""What the JSON API answers about incidents, the level and follow-ups. Times are epoch milliseconds, UTC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field

from dashboard.answers import Answer
from surge.states import Level


class LevelAnswer(Answer):
    """The level in force; one that nobody renewed is calm."""

    level: int = Field(description="0 calm, 1 watch, 2 surge, 3 closed to new.")
    name: str
    since_ms: int
    expires_ms: int | None
    set_by: str
    reason: str
    automatic: str = Field(description="What the detector may do: suggest, automatic, dry_run.")
    asked_level: int | None = Field(description="A level that waits for a second person.")
    asked_by: str

    @classmethod
    def of(cls, state: Any, here: Level) -> LevelAnswer:
        return cls(
            level=int(here),
            name=here.name.lower(),
            since_ms=state.since_ms,
            expires_ms=state.expires_ms if here else None,
            set_by=state.set_by,
            reason=state.reason,
            automatic=state.automatic,
            asked_level=state.asked_level,
            asked_by=state.asked_by,
        )


class UpdateAnswer(Answer):
    version: int
    state: str
    words: dict[str, str]
    no_news: bool
    at_ms: int
    by: str

    @classmethod
    def of(cls, row: Any) -> UpdateAnswer:
        return cls(
            version=row.version,
            state=row.state,
            words=row.words,
            no_news=row.no_news,
            at_ms=row.at_ms,
            by=row.by,
        )


class IncidentAnswer(Answer):
    id: str
    version: int = Field(description="Send it back with an update; an old one posts nothing.")
    title: str
    severity: str
    state: str
    audience: str
    scope: dict[str, Any]
    words: dict[str, str] = Field(description="What was said last, by language.")
    do: str
    dont: str
    topic: str
    declared_ms: int
    declared_by: str
    updated_ms: int
    next_update_ms: int | None
    eta_ms: int | None = Field(description="When it is said to be fixed.")
    eta_source: str
    eta_slips: int = Field(description="How often that was put off; twice is enough to quote no time.")
    resolved_ms: int | None

    @classmethod
    def of(cls, row: Any, latest: Any) -> IncidentAnswer:
        return cls(
            id=row.id,
            version=row.version,
            title=row.title,
            severity=row.severity,
            state=row.state,
            audience=row.audience,
            scope=row.scope,
            words=latest.words if latest else {},
            do=row.do,
            dont=row.dont,
            topic=row.topic,
            declared_ms=row.declared_ms,
            declared_by=row.declared_by,
            updated_ms=row.updated_ms,
            next_update_ms=row.next_update_ms,
            eta_ms=row.eta_ms,
            eta_source=row.eta_source,
            eta_slips=row.eta_slips,
            resolved_ms=row.resolved_ms,
        )


class IncidentsAnswer(Answer):
    incidents: list[IncidentAnswer]


class IncidentStoryAnswer(Answer):
    """One incident; its updates, the newest first; its follow-ups by state."""

    incident: IncidentAnswer
    updates: list[UpdateAnswer]
    follow_ups: dict[str, int]


class FollowUpAnswer(Answer):
    """A caller who was not served. ``number`` is masked, always."""

    id: str
    incident: str
    why: str
    state: str
    number: str
    merchant: str
    tier: str
    language: str
    audience: str
    made_ms: int
    told_ms: int | None
    claimed_by: str
    ended_ms: int | None
    ended_by: str
    note: str

    @classmethod
    def of(cls, row: Any, number: Callable[[str], str]) -> FollowUpAnswer:
        return cls(
            id=row.id,
            incident=row.incident,
            why=row.why,
            state=row.state,
            number=number(row.number) if row.number else "",
            merchant=row.merchant,
            tier=row.tier,
            language=row.language,
            audience=row.audience,
            made_ms=row.made_ms,
            told_ms=row.told_ms,
            claimed_by=row.claimed_by,
            ended_ms=row.ended_ms,
            ended_by=row.ended_by,
            note=row.note,
        )


class FollowUpsAnswer(Answer):
    """A page of the ledger: those without an end first, then by age."""

    total: int
    open: int
    start: int
    next: int | None = Field(description="``start`` of the next page; null on the last.")
    states: dict[str, int]
    follow_ups: list[FollowUpAnswer]
