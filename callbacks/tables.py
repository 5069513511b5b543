"""Promises to ring back, in SQL: the promise, each attempt to keep it, and what happened to it.

All times are milliseconds since the epoch, UTC. SQL is the record; the line holds a promise's place.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


def _ms(*, nullable: bool = False, index: bool = False) -> Any:
    """A column of milliseconds; ordinary integers of PostgreSQL end in 1970."""
    default = None if nullable else 0
    return Field(default=default, sa_type=BigInteger, nullable=nullable, index=index)


class Promise(SQLModel, table=True):
    """One callback owed."""

    __tablename__ = "promise"
    __table_args__ = (
        Index("ix_promise_state_due", "state", "due_ms"),
        Index("ix_promise_merchant_made", "merchant_id", "made_ms"),
    )

    id: str = Field(primary_key=True, max_length=32)
    """``PR…``, see ``turns``."""
    state: str = Field(max_length=16)
    """A ``states.PromiseState``. ``reserved`` never stands here: the line knows it."""
    number: str = Field(max_length=32, index=True)
    """E.164: who is called."""
    open_number: str | None = Field(default=None, max_length=32, unique=True)
    """The number while the promise is open, else null: so a number has one open promise at most."""
    contact: str = Field(default="", max_length=64, index=True)
    """The call in which it was made; "" when it was made by text, on the web or at the desk."""
    made_by: str = Field(default="phone", max_length=16)
    """phone, text, web or desk."""
    queue: str = Field(max_length=32)
    band: str = Field(max_length=32)
    arrival_us: int = Field(default=0, sa_type=BigInteger)
    """The ticket: the arrival clock's microseconds, kept in every turn."""
    entered_ms: int = _ms()
    """When the merchant first came into the line."""
    made_ms: int = _ms(index=True)
    due_ms: int = _ms()
    """Not to be rung before this."""
    by_ms: int = _ms()
    """The end of what was promised: the window's end, or the far end of the wait that was told."""
    windowed: bool = False
    """The merchant chose a time window; else "as soon as it is your turn"."""
    expires_ms: int = _ms()
    mode: str = Field(default="agent_first", max_length=16)
    screened: bool = True
    """Whoever picks up must press 1. Always, when the number was typed."""
    typed: bool = False
    """The number was typed, not the calling one."""
    texts: bool = False
    """The merchant agreed to be texted about it."""
    language: str = Field(default="en", max_length=8)
    time_zone: str = Field(default="", max_length=64)
    """The merchant's; "" is the centre's."""
    merchant_id: int | None = None
    merchant: str = ""
    location: str = ""
    tier: str = Field(default="", max_length=32)
    product: str = ""
    topic: str = Field(default="", max_length=64)
    turn: int = 0
    """How often it has come into the line."""
    tries: int = 0
    """Attempts that reached nobody and count."""
    agent: str = Field(default="", max_length=64)
    """Whom a supervisor gave it to, else ""."""
    live_contact: str = Field(default="", max_length=64, index=True)
    """The merchant rang in and waits: this call holds the place now."""
    held_by: str = Field(default="", max_length=64)
    """The leg that won the conversation: a compare-and-set from "" decides between two."""
    incident: str = Field(default="", max_length=64)
    """The incident it is about, as far as we can tell."""
    ended_ms: int | None = _ms(nullable=True, index=True)
    first_rung_ms: int | None = _ms(nullable=True)
    """When the merchant's phone was first rung."""
    met_ms: int | None = _ms(nullable=True)
    """When merchant and agent met."""
    reason: str = ""
    ended_by: str = Field(default="", max_length=64)
    """Login, "merchant" or "line"."""
    note: str = ""
    version: int = 0
    """Goes up with every change: a page that shows an older one has to look again."""


class Attempt(SQLModel, table=True):
    """One attempt to keep a promise. Written before the carrier is asked."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("ix_attempt_promise_number", "promise", "number", unique=True),
        Index("ix_attempt_state_lease", "state", "lease_ms"),
    )

    id: str = Field(primary_key=True, max_length=40)
    """``<promise>-<number>``: the key under which webhooks and jobs know it."""
    promise: str = Field(max_length=32)
    number: int = 1
    contact: str = Field(default="", max_length=64, index=True)
    """The turn it belongs to."""
    fence: int = 0
    """Which reservation of that turn; 0 when the merchant is dialled first."""
    agent: str = Field(default="", max_length=64)
    mode: str = Field(default="agent_first", max_length=16)
    state: str = Field(max_length=16)
    """A ``states.AttemptState``."""
    result: str = Field(default="", max_length=16)
    """A ``states.Result``."""
    call_sid: str = Field(default="", max_length=64, index=True)
    made_ms: int = _ms(index=True)
    send_by_ms: int = _ms()
    lease_ms: int = _ms()
    """When somebody else looks after it."""
    answered_ms: int | None = _ms(nullable=True)
    ended_ms: int | None = _ms(nullable=True)
    message_left: bool = False


class PromiseEvent(SQLModel, table=True):
    """What happened to a promise: its history on the desk, and who did it."""

    __tablename__ = "promise_event"
    __table_args__ = (Index("ix_promise_event_promise_at", "promise", "at_ms"),)

    id: int | None = Field(default=None, primary_key=True)
    promise: str = Field(max_length=32)
    at_ms: int = _ms(index=True)
    kind: str = Field(max_length=24)
    """made, rescheduled, in_line, dialing, not_reached, connected, kept, later, skipped, reassigned,
    cancelled, superseded, resolved, expired, unreachable, returned, asked_again,
    tagged (with an incident), asked_keep, keep (call me anyway)."""
    by: str = Field(default="", max_length=64)
    words: str = ""


class CallbackSwitch(SQLModel, table=True):
    """What supervisors switch during a day; one row a centre."""

    __tablename__ = "callback_switch"

    centre: str = Field(primary_key=True, max_length=32)
    offering: bool = True
    """New promises are offered."""
    keeping: bool = True
    """Promises are brought into the line and rung."""
    max_open: int | None = None
    """A cap of today; null: the centre's."""
    changed_ms: int = _ms()
    changed_by: str = Field(default="", max_length=64)
