"""From the journal to SQL: each event is written once, and each contact's row told anew from all its events.

Events may come twice, from several scribes, and out of order. A row is what its events say in the journal's
order, whichever came last; so the record comes out the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Table, bindparam
from sqlalchemy import select as sql_select
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.sql import insert_new
from queueing.journal import Event
from queueing.records import Card
from queueing.states import Disposition
from queueing.story import Story, order, told_from
from queueing.tables import Contact, ContactEvent, VoiceMessage

_EVENTS: Table = ContactEvent.__table__  # type: ignore[attr-defined]  # SQLModel makes it at class creation
_CONTACTS: Table = Contact.__table__  # type: ignore[attr-defined]  # the same


async def record(session: AsyncSession, events: Sequence[Event]) -> list[Event]:
    """Write what is not yet written, in the session's transaction; returns the new events, in order.

    The rows of the contacts are locked first, in one order, so that two scribes neither wait for each other
    in a circle nor tell a row without the other's events.
    """
    contacts = await _locked(session, {event.contact for event in events if event.contact})
    fresh = sorted(await _insert(session, events), key=lambda event: order(event.id))
    changed = {event.contact for event in fresh if event.contact}
    if changed:
        stories = await _stories(session, changed)
        for name in sorted(changed):
            _tell(contacts[name], stories[name])
            session.add(contacts[name])
    for event in fresh:
        if event.contact:
            _describe(contacts[event.contact], event)
            if event.kind == "message":
                await _keep_message(session, contacts[event.contact], event)
    return fresh


async def _locked(session: AsyncSession, names: Iterable[str]) -> dict[str, Contact]:
    """The contacts' rows, new ones included."""
    wanted = sorted(names)
    if not wanted:
        return {}
    rows = [{"contact": name, **_EMPTY} for name in wanted]
    connection = await session.connection()
    await connection.execute(insert_new(session, _CONTACTS, "contact"), rows)
    found = await session.exec(_LOCKED, params={"names": wanted})
    return {row.contact: row for row in found}


_EMPTY = Contact(contact="", entered_ms=0).model_dump(exclude={"contact"})
_LOCKED = (
    select(Contact)
    .where(col(Contact.contact).in_(bindparam("names", expanding=True)))
    .order_by(col(Contact.contact))
    .with_for_update()
    .execution_options(populate_existing=True)
)


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
    connection = await session.connection()
    written = set((await connection.execute(insert_new(session, _EVENTS, "id"), rows)).scalars())
    return [event for event in by_id.values() if event.id in written]


async def _stories(session: AsyncSession, names: Iterable[str]) -> dict[str, Story]:
    """What all the events of these contacts say, those just written included."""
    connection = await session.connection()
    by_contact: dict[str, list[Event]] = {}
    for row in await connection.execute(_TOLD_OF, {"names": sorted(names)}):
        event = Event(*row)
        by_contact.setdefault(event.contact, []).append(event)
    return {name: told_from(events) for name, events in by_contact.items()}


# Rows: objects cost as much again.
_TOLD_OF = sql_select(*(_EVENTS.c[name] for name in Event.__dataclass_fields__)).where(
    _EVENTS.c.contact.in_(bindparam("names", expanding=True))
)


def _tell(contact: Contact, story: Story) -> None:
    for name in Story.__dataclass_fields__:
        setattr(contact, name, getattr(story, name))


def _describe(contact: Contact, event: Event) -> None:
    """Who it is, from the card that comes with joining the line, or with being turned away."""
    if event.kind == "turned_away" and contact.disposition != event.fields.get(
        "disposition", Disposition.CLOSED.value
    ):
        return  # a webhook so late that the line had forgotten the call; the record has not
    if "card" in event.fields:
        card = Card.unpacked(event.fields["card"])
        if event.kind == "turned_away" and not card.merchant_id and contact.caller:
            return  # who gave up in the menu is known by their number only; what they were told tells more
        contact.caller, contact.merchant_id, contact.merchant = card.caller, card.merchant_id, card.merchant
        contact.location, contact.tier, contact.product = card.location, card.tier, card.product
        contact.language, contact.topic, contact.promise = card.language, card.topic, card.promise


async def _keep_message(session: AsyncSession, contact: Contact, event: Event) -> None:
    sid = event.fields.get("recording", "") or f"{event.contact}-message"
    message = await session.get(VoiceMessage, sid)
    if message is None:
        message = VoiceMessage(id=sid, contact=event.contact, at_ms=event.at_ms)
    length = event.fields.get("length_s", "")
    message.caller, message.merchant = contact.caller, contact.merchant
    message.length_s = int(length) if length.isdigit() else message.length_s
    message.url = event.fields.get("url", "") or message.url
    session.add(message)
