"""The line's record in SQL: contacts, the journal's events, agents' accounts, recorded messages; the roster.

All times are milliseconds since the epoch, UTC. Phone numbers are stored as given and masked where shown.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index
from sqlmodel import Field, SQLModel


def _ms(*, nullable: bool = False, index: bool = False) -> Any:
    """A column of milliseconds; ordinary integers of PostgreSQL end in 1970."""
    default = None if nullable else 0
    return Field(default=default, sa_type=BigInteger, nullable=nullable, index=index)


class Contact(SQLModel, table=True):
    """One call to the centre, from ringing to its one recorded outcome; or a turn of a callback in the line.

    ``names.is_turn`` tells the two apart: nobody rang for a turn, and figures of calls leave it out.
    """

    __tablename__ = "contact"
    __table_args__ = (
        Index("ix_contact_queue_entered", "queue", "entered_ms"),
        Index("ix_contact_merchant_entered", "merchant_id", "entered_ms"),
        Index("ix_contact_caller_entered", "caller", "entered_ms"),
    )

    contact: str = Field(primary_key=True, max_length=64)
    queue: str = Field(default="", max_length=32)
    """Where it entered; ``last_queue`` where a transfer brought it."""
    last_queue: str = Field(default="", max_length=32)
    band: str = Field(default="", max_length=32)
    caller: str = Field(default="", max_length=32)
    """E.164; empty when it was withheld."""
    merchant_id: int | None = None
    merchant: str = ""
    location: str = ""
    tier: str = Field(default="", max_length=32)
    product: str = ""
    language: str = Field(default="", max_length=8)
    topic: str = Field(default="", max_length=64)
    promise: str = Field(default="", max_length=32, index=True)
    """The callback that a turn stands for, or that is owed to who rings."""
    entered_ms: int = _ms(index=True)
    """When it rang; of a turn, when it came into the line."""
    answered_ms: int | None = _ms(nullable=True)
    """When an agent was first met."""
    ended_ms: int | None = _ms(nullable=True)
    disposition: str = Field(default="", max_length=32)
    """A ``queueing.states.Disposition``; empty while it lasts."""
    agent: str = Field(default="", max_length=64)
    """Who answered it last."""
    wait_ms: int | None = _ms(nullable=True)
    talk_ms: int = _ms()
    wrap_ms: int = _ms()
    handling_ms: int = _ms()
    missed: int = 0
    """Reservations that agents did not answer."""
    transfers: int = 0
    resumed: bool = False
    told_position: int | None = None
    """What the caller heard first of place and wait (whole minutes), and when."""
    told_low_min: int | None = None
    told_high_min: int | None = None
    told_at_ms: int | None = _ms(nullable=True)
    outcome: str = Field(default="", max_length=64)
    """The agent's word for how it went."""
    note: str = ""


class ContactEvent(SQLModel, table=True):
    """One line of the journal, kept for ever. Its id is the stream's, so it is here at most once."""

    __tablename__ = "contact_event"
    __table_args__ = (
        Index("ix_contact_event_contact_at", "contact", "at_ms"),
        Index("ix_contact_event_agent_at", "agent", "at_ms"),
    )

    id: str = Field(primary_key=True, max_length=40)
    contact: str = Field(default="", max_length=64)
    kind: str = Field(max_length=32)
    at_ms: int = _ms(index=True)
    agent: str = Field(default="", max_length=64)
    queue: str = Field(default="", max_length=32)
    band: str = Field(default="", max_length=32)
    fields: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class AgentAccount(SQLModel, table=True):
    """Who may sign in, as what, and which queues they serve."""

    __tablename__ = "agent_account"

    agent: str = Field(primary_key=True, max_length=64)
    """The login."""
    name: str = ""
    role: str = Field(default="agent", max_length=32)
    password_hash: str = ""
    skills: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    """Queue to handicap in milliseconds."""
    phone: str = Field(default="", max_length=32)
    """E.164 to be rung on; empty for the softphone."""
    active: bool = True


class VoiceMessage(SQLModel, table=True):
    """A recorded message, until somebody has dealt with it."""

    __tablename__ = "voice_message"

    id: str = Field(primary_key=True, max_length=64)
    """The recording's sid."""
    contact: str = Field(default="", max_length=64, index=True)
    at_ms: int = _ms(index=True)
    caller: str = Field(default="", max_length=32)
    merchant: str = ""
    length_s: int = 0
    url: str = ""
    done_ms: int | None = _ms(nullable=True)
    done_by: str = Field(default="", max_length=64)


class RosterShift(SQLModel, table=True):
    """Agents planned on a weekday or a date: see ``queueing.shifts.Shift``."""

    __tablename__ = "roster_shift"

    id: int | None = Field(default=None, primary_key=True)
    day: str = Field(max_length=10)
    begin_min: int
    end_min: int
    agents: int
    queue: str = Field(default="", max_length=32)
