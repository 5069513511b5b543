"""Incidents and levels as leads set them, for tests of what callers hear; and the scribe's work."""

from __future__ import annotations

from typing import Any

from sqlmodel import select

from carrier.tables import Text
from queueing import ledger
from queueing.tables import Contact
from surge import followups, incidents, switch
from surge.incidents import NewIncident, Post
from surge.office import Watch
from surge.states import Level
from surge.tables import Deflection, FollowUp, Incident
from tests.doors.handset import Handset, journalled

WORDS = {"en": "Card payments are down everywhere", "es": "Los pagos con tarjeta no funcionan"}
STATUS = "As of 1 minute ago: Card payments are down everywhere."
MAYBE = "This may or may not concern you."
QUESTION = "Is your call about this? For yes, press 1. For something else, press 2."
TEXT_OFFER = (
    "To get a text now and at every update until it is fixed, and not wait on the phone, press 1. "
    "By pressing 1 you agree to these texts. Message and data rates may apply."
)
STAY = "To wait for a person, just stay on the line."


async def declared(watch: Watch, **more: Any) -> Incident:
    given = {"title": "Card payments down", "words": WORDS, "scope": {"all": True}} | more
    return await incidents.declare(watch, NewIncident(**given), "ann", watch.clock.now_ms())


async def said(watch: Watch, row: Incident, words: str, **more: Any) -> Incident:
    post = Post({"en": words, "es": f"{words} (es)"}, **more)
    return await incidents.post_update(watch, row.id, post, row.version, "ann", watch.clock.now_ms())


async def level(watch: Watch, wanted: Level) -> None:
    """As two leads would set it."""
    now_ms = watch.clock.now_ms()
    await switch.set_level(watch, min(wanted, Level.SURGE), "ann", now_ms)
    if wanted is Level.CLOSED_TO_NEW:
        await switch.set_level(watch, wanted, "ann", now_ms)
        await switch.confirm_second(watch, "bob", now_ms)


async def alike(shop: Handset) -> None:
    """The last question, asked once more, is answered as before."""
    path, form, heard = shop.web.asked[-1]
    assert (await shop.web.twilio(path, form)).body == heard.body
    shop.heard = heard


async def written_down(desk: Any) -> None:
    """The scribe's work on the whole journal."""
    async with desk.sql.session(statement_s=5) as session:
        fresh = await ledger.record(session, await journalled(desk))
        await followups.follow(session, fresh, desk.watch)


async def rows(desk: Any, table: Any) -> list[Any]:
    async with desk.sql.reading() as session:
        return list(await session.exec(select(table)))


async def outcome(desk: Any, call: str) -> str:
    async with desk.sql.reading() as session:
        contact = await session.get(Contact, call)
        return contact.disposition if contact else ""


async def follow_up(desk: Any, call: str) -> FollowUp | None:
    async with desk.sql.reading() as session:
        return await session.get(FollowUp, call)


async def texts(desk: Any) -> list[Text]:
    return await rows(desk, Text)


async def deflections(desk: Any) -> list[Deflection]:
    return await rows(desk, Deflection)
