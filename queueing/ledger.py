"""From the journal to SQL: each event is written once, and what it changes in its contact's row with it.

Events may come twice, from several scribes, and out of order; the record comes out the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from queueing.journal import Event
from queueing.records import Card
from queueing.states import Disposition
from queueing.tables import Contact, ContactEvent, VoiceMessage

_INSERT: dict[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_EVENTS: Table = ContactEvent.__table__  # type: ignore[attr-defined]  # SQLModel makes it at class creation
_OVERRULED = frozenset({"", Disposition.CLOSED.value, Disposition.FULL.value, Disposition.ABANDONED.value})
"""Outcomes that a recorded message replaces: the caller did leave something."""


async def record(session: AsyncSession, events: Sequence[Event]) -> int:
    """Write what is not yet written, in the session's transaction; returns how many events were new."""
    fresh = await _insert(session, events)
    named = {event.contact for event in fresh if event.contact}
    if named:
        rows = await session.exec(select(Contact).where(col(Contact.contact).in_(named)).with_for_update())
        contacts = {row.contact: row for row in rows}
        for event in fresh:
            if event.contact:
                await _apply(session, contacts, event)
    return len(fresh)


async def _insert(session: AsyncSession, events: Sequence[Event]) -> list[Event]:
    """The events that were not there before."""
    by_id = {event.id: event for event in events}
    if not by_id:
        return []
    rows = [
        {
            "id": event.id,
            "contact": event.contact,
            "kind": event.kind,
            "at_ms": event.at_ms,
            "agent": event.agent,
            "queue": event.queue,
            "band": event.band,
            "fields": {name: value for name, value in event.fields.items() if name != "card"},
        }
        for event in by_id.values()
    ]
    insert = _INSERT[session.get_bind().dialect.name]
    statement = insert(_EVENTS).on_conflict_do_nothing(index_elements=["id"]).returning(_EVENTS.c.id)
    connection = await session.connection()
    written = {row.id for row in await connection.execute(statement.values(rows))}
    return [event for event in by_id.values() if event.id in written]


async def _apply(session: AsyncSession, contacts: dict[str, Contact], event: Event) -> None:
    contact = contacts.get(event.contact)
    if contact is None:
        contact = contacts[event.contact] = Contact(contact=event.contact, entered_ms=event.at_ms)
        session.add(contact)
    change = _CHANGES.get(event.kind)
    if change is not None:
        change(contact, event)
    if event.kind == "message":
        await _keep_message(session, contact, event)


def _whole(event: Event, name: str) -> int:
    text = event.fields.get(name, "")
    return int(text) if text.lstrip("-").isdigit() else 0


def _describe(contact: Contact, event: Event) -> None:
    """Who it is, from the card that came with the event."""
    card = Card.unpacked(event.fields.get("card", ""))
    contact.queue, contact.last_queue = event.queue, contact.last_queue or event.queue
    contact.band = contact.band or event.band
    contact.caller, contact.merchant_id, contact.merchant = card.caller, card.merchant_id, card.merchant
    contact.location, contact.tier, contact.product = card.location, card.tier, card.product
    contact.language, contact.topic = card.language, card.topic
    contact.entered_ms = event.at_ms


def _entered(contact: Contact, event: Event) -> None:
    _describe(contact, event)
    contact.resumed = event.fields.get("resumed") == "1"


def _full(contact: Contact, event: Event) -> None:
    _describe(contact, event)
    _end(contact, event.at_ms, Disposition.FULL.value)


def _turned_away(contact: Contact, event: Event) -> None:
    _describe(contact, event)
    _end(contact, event.at_ms, event.fields.get("disposition", Disposition.CLOSED.value))


def _connected(contact: Contact, event: Event) -> None:
    contact.agent = event.agent
    if contact.answered_ms is None or event.at_ms < contact.answered_ms:
        contact.answered_ms = event.at_ms
        contact.wait_ms = _whole(event, "wait_ms")


def _ended(contact: Contact, event: Event) -> None:
    _end(contact, event.at_ms, event.fields.get("disposition", ""))
    contact.talk_ms += _whole(event, "talk_ms")
    if contact.wait_ms is None:
        contact.wait_ms = _whole(event, "wait_ms")
    contact.agent = contact.agent or event.agent


def _end(contact: Contact, at_ms: int, disposition: str) -> None:
    contact.ended_ms = at_ms
    if contact.disposition in _OVERRULED:
        contact.disposition = disposition


def _missed(contact: Contact, event: Event) -> None:
    contact.missed += 1


def _transferred(contact: Contact, event: Event) -> None:
    contact.transfers += 1
    contact.last_queue = event.fields.get("to", event.queue)


def _band_changed(contact: Contact, event: Event) -> None:
    contact.band = event.band


def _told(contact: Contact, event: Event) -> None:
    if contact.told_at_ms is not None and contact.told_at_ms <= event.at_ms:
        return
    contact.told_at_ms = event.at_ms
    contact.told_position = _whole(event, "position")
    low, high = event.fields.get("low_min", ""), event.fields.get("high_min", "")
    contact.told_low_min = int(low) if low.isdigit() else None
    contact.told_high_min = int(high) if high.isdigit() else None


def _wrapped(contact: Contact, event: Event) -> None:
    contact.wrap_ms += _whole(event, "wrap_ms")
    contact.handling_ms += _whole(event, "handling_ms")


def _noted(contact: Contact, event: Event) -> None:
    contact.outcome = event.fields.get("outcome", "") or contact.outcome
    contact.note = event.fields.get("text", "") or contact.note


def _left_message(contact: Contact, event: Event) -> None:
    _end(contact, event.at_ms, Disposition.MESSAGE.value)


_CHANGES: dict[str, Callable[[Contact, Event], None]] = {
    "entered": _entered,
    "full": _full,
    "turned_away": _turned_away,
    "connected": _connected,
    "ended": _ended,
    "missed": _missed,
    "transferred": _transferred,
    "band_changed": _band_changed,
    "told": _told,
    "note": _noted,
    "agent_ready": _wrapped,
    "agent_away": _wrapped,
    "agent_off": _wrapped,
    "message": _left_message,
}


async def _keep_message(session: AsyncSession, contact: Contact, event: Event) -> None:
    sid = event.fields.get("recording", "") or f"{event.contact}-message"
    message = await session.get(VoiceMessage, sid)
    if message is None:
        message = VoiceMessage(id=sid, contact=event.contact, at_ms=event.at_ms)
    message.caller, message.merchant = contact.caller, contact.merchant
    message.length_s = _whole(event, "length_s") or message.length_s
    message.url = event.fields.get("url", "") or message.url
    session.add(message)
