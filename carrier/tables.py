"""Texts in SQL: what was asked to be sent, what became of it, and who must not be sent anything.

All times are milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, SQLModel


def _ms(*, nullable: bool = False, index: bool = False) -> Any:
    default = None if nullable else 0
    return Field(default=default, sa_type=BigInteger, nullable=nullable, index=index)


class Text(SQLModel, table=True):
    """One text to one number. The row is the intent: it is committed before the carrier is asked."""

    __tablename__ = "text"
    __table_args__ = (
        Index("ix_text_state_not_before", "state", "not_before_ms"),
        Index("ix_text_number_made", "number", "made_ms"),
    )

    id: str = Field(primary_key=True, max_length=80)
    """A natural key (``PR….kept``, ``PR….later.2``): the same text is written once."""
    number: str = Field(max_length=32)
    """E.164, to."""
    kind: str = Field(max_length=32)
    promise: str = Field(default="", max_length=32, index=True)
    incident: str = Field(default="", max_length=64, index=True)
    body: str
    segments: int = 1
    state: str = Field(default="queued", max_length=16)
    """A ``texts.TextState``."""
    made_ms: int = _ms(index=True)
    not_before_ms: int = _ms()
    send_by_ms: int | None = _ms(nullable=True)
    """Set when a worker takes it up: not sent after this, whoever wakes up."""
    lease_ms: int | None = _ms(nullable=True)
    message_sid: str = Field(default="", max_length=64, index=True)
    sent_ms: int | None = _ms(nullable=True)
    done_ms: int | None = _ms(nullable=True)
    error: str = Field(default="", max_length=80)


class OptOut(SQLModel, table=True):
    """A number that must not be texted: it said STOP, or the carrier says so (21610)."""

    __tablename__ = "opt_out"

    number: str = Field(primary_key=True, max_length=32)
    at_ms: int = _ms()
    why: str = Field(default="STOP", max_length=32)


class InboundText(SQLModel, table=True):
    """A text that came in, kept once under Twilio's name for it."""

    __tablename__ = "inbound_text"

    id: str = Field(primary_key=True, max_length=64)
    """MessageSid."""
    number: str = Field(max_length=32, index=True)
    at_ms: int = _ms(index=True)
    body: str = ""
    meant: str = Field(default="", max_length=16)
    """What it was taken for: stop, start, help, one of ``ivr.texting.COMMANDS``; "" not understood."""
    answer: str = ""
    """What was answered, so that a repeat is answered alike."""
