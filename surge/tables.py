"""Incidents, the surge level, whom we turned away and what became of them, in SQL.

All times are milliseconds since the epoch, UTC. Lists and scopes are JSON.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field, SQLModel


def _ms(*, nullable: bool = False, index: bool = False) -> Any:
    default = None if nullable else 0
    return Field(default=default, sa_type=BigInteger, nullable=nullable, index=index)


def _json() -> Any:
    return Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Incident(SQLModel, table=True):
    """Something of the vendor's is broken: one record drives all that is said of it."""

    __tablename__ = "incident"

    id: str = Field(primary_key=True, max_length=32)
    """``IN…``, 8 hex digits."""
    title: str = Field(max_length=120)
    severity: str = Field(default="major", max_length=16)
    """minor, major, critical; safety and data_loss are never deflected."""
    state: str = Field(max_length=16, index=True)
    """A ``states.IncidentState``."""
    audience: str = Field(default="merchants", max_length=16)
    """merchants, customers (the merchants'), both."""
    scope: dict[str, Any] = _json()
    """``matching.Scope`` as JSON: all, components, products, regions, rails, devices, merchants."""
    do: str = ""
    dont: str = ""
    """What to do, and what not to do, meanwhile: one line each."""
    topic: str = Field(default="", max_length=64)
    """The menu choice that is about it, if there is one."""
    version: int = 0
    """Goes up with every update or edit."""
    declared_ms: int = _ms(index=True)
    declared_by: str = Field(default="", max_length=64)
    updated_ms: int = _ms()
    """When the last update was posted."""
    next_update_ms: int | None = _ms(nullable=True)
    eta_ms: int | None = _ms(nullable=True)
    eta_slips: int = 0
    eta_source: str = ""
    verified_ms: int | None = _ms(nullable=True)
    resolved_ms: int | None = _ms(nullable=True)
    suggested_by: str = Field(default="", max_length=32)
    """detector, pagerduty, webhook; "" when a person declared it."""


class IncidentUpdate(SQLModel, table=True):
    """One thing that was said of an incident, as it was said."""

    __tablename__ = "incident_update"
    __table_args__ = (Index("ix_incident_update_incident_version", "incident", "version", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    incident: str = Field(max_length=32)
    version: int = 0
    state: str = Field(max_length=16)
    words: dict[str, str] = _json()
    """Language to the one true sentence."""
    no_news: bool = False
    """Marked as "nothing new": the same words are allowed."""
    at_ms: int = _ms(index=True)
    by: str = Field(default="", max_length=64)


class StatusLink(SQLModel, table=True):
    """An address at which people look for our news, as it was last looked at."""

    __tablename__ = "status_link"

    url: str = Field(primary_key=True, max_length=400)
    fault: str = ""
    failed: int = 0
    """So many looks in a row."""
    since_ms: int = _ms()
    """When the first of them was."""
    looked_ms: int = _ms()


class SurgeState(SQLModel, table=True):
    """The level now; one row a centre."""

    __tablename__ = "surge_state"

    centre: str = Field(primary_key=True, max_length=32)
    level: int = 0
    since_ms: int = _ms()
    expires_ms: int | None = _ms(nullable=True)
    set_by: str = Field(default="", max_length=64)
    reason: str = ""
    automatic: str = Field(default="suggest", max_length=16)
    """suggest, automatic, dry_run: what the detector may do."""
    asked_level: int | None = None
    """A level that waits for a second person, and who asked."""
    asked_by: str = Field(default="", max_length=64)
    asked_ms: int | None = _ms(nullable=True)
    undo_level: int | None = None
    """The level before the last change: "undo" within ten seconds goes back to it."""
    version: int = 0


class SurgeEvent(SQLModel, table=True):
    """The timeline: who did what, when; levels, updates, suggestions, notices."""

    __tablename__ = "surge_event"

    id: int | None = Field(default=None, primary_key=True)
    at_ms: int = _ms(index=True)
    kind: str = Field(max_length=24)
    by: str = Field(default="", max_length=64)
    incident: str = Field(default="", max_length=32, index=True)
    words: str = ""
    fields: dict[str, Any] = _json()


class Deflection(SQLModel, table=True):
    """A caller who was turned to a text instead of the line, by their own key press."""

    __tablename__ = "deflection"
    __table_args__ = (Index("ix_deflection_number_at", "number", "at_ms"),)

    id: str = Field(primary_key=True, max_length=64)
    """The call: one deflection a call."""
    number: str = Field(max_length=32)
    merchant_id: int | None = None
    merchant: str = ""
    language: str = Field(default="en", max_length=8)
    incident: str = Field(default="", max_length=32, index=True)
    version: int = 0
    """Of the incident's words that were told."""
    level: int = 0
    kind: str = Field(default="text", max_length=16)
    """text, closed, message."""
    arrival_us: int = Field(default=0, sa_type=BigInteger)
    """The place they would have had: "still down" brings them back to it."""
    at_ms: int = _ms(index=True)
    called_again_ms: int | None = _ms(nullable=True)
    """When they rang again within thirty minutes: the honest measure."""


class Subscription(SQLModel, table=True):
    """Somebody is texted an incident's updates until it is resolved."""

    __tablename__ = "subscription"
    __table_args__ = (Index("ix_subscription_incident_number", "incident", "number", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    incident: str = Field(max_length=32)
    number: str = Field(max_length=32, index=True)
    language: str = Field(default="en", max_length=8)
    consent: str = Field(default="", max_length=80)
    """How they agreed: key press in which call, or the code they typed on the page."""
    made_ms: int = _ms()
    ended_ms: int | None = _ms(nullable=True)


class FollowUp(SQLModel, table=True):
    """One caller whom we did not serve: the ledger that closes only when each row has an end."""

    __tablename__ = "follow_up"
    __table_args__ = (Index("ix_follow_up_state_made", "state", "made_ms"),)

    id: str = Field(primary_key=True, max_length=64)
    """The call, or the promise, that it came from."""
    incident: str = Field(default="", max_length=32, index=True)
    why: str = Field(max_length=16)
    """deflected, abandoned, full, closed, message; asked (for a call, by text); of a promise: unreachable,
    expired, resolved."""
    state: str = Field(max_length=16)
    """A ``states.FollowUpState``."""
    number: str = Field(default="", max_length=32, index=True)
    merchant_id: int | None = Field(default=None, index=True)
    merchant: str = ""
    tier: str = Field(default="", max_length=32)
    language: str = Field(default="en", max_length=8)
    audience: str = Field(default="merchants", max_length=16)
    queue: str = Field(default="", max_length=32)
    band: str = Field(default="", max_length=32)
    arrival_us: int = Field(default=0, sa_type=BigInteger)
    made_ms: int = _ms(index=True)
    told_ms: int | None = _ms(nullable=True)
    cohort: int = 0
    """In which stage of the notice it was told; 0: not yet."""
    claimed_by: str = Field(default="", max_length=64)
    ended_ms: int | None = _ms(nullable=True)
    ended_by: str = Field(default="", max_length=64)
    wants_call_ms: int | None = _ms(nullable=True)
    """When they told us "still down", and want to be called: the rounds promise it."""
    promise: str = Field(default="", max_length=32)
    """The callback that was promised for it."""
    note: str = ""


class Commitment(SQLModel, table=True):
    """Something we said we would do by a date: a post-mortem, a checklist."""

    __tablename__ = "commitment"

    id: int | None = Field(default=None, primary_key=True)
    incident: str = Field(max_length=32, index=True)
    what: str = Field(max_length=200)
    owner: str = Field(default="", max_length=64)
    due_ms: int = _ms()
    done_ms: int | None = _ms(nullable=True)
    made_by: str = Field(default="", max_length=64)
