"""The first door: who rings, are we open, was this caller cut off a moment ago?"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from announcements import catalog
from announcements.catalog import Utterance
from ivr import callers, closing, entering, incident, location, menu, owed, standing
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Away, Visit
from merchants.recognition import Ask, Recognised
from queueing.records import ContactNow, KeptPlace
from surge.checking import spoken_s

STATUS_WITHIN_S = 12.0
"""So soon after the answer the status begins; who is recognised by a long name is told the status instead."""


async def answer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/incoming``: a call has come in."""
    caller = callers.identify(desk, visit)
    who, owing, here, kept = await asyncio.gather(
        callers.recognise(desk, visit, caller),
        owed.find(desk, visit, caller),
        visit.enrich(desk.line.contact(visit.contact)),
        visit.enrich(desk.line.kept_place(caller.key, visit.now_ms)),
    )
    known = who if isinstance(who, Recognised) else entering.NOBODY
    slip = start(desk, known)
    if isinstance(here, ContactNow):  # asked before: this call is in the line already
        back = standing.slip_of(desk, here, slip)
        welcome = catalog.voice(back.language, "greeting_back", centre=desk.centre.name)
        if not standing.is_held(here):
            return standing.answer(desk, visit, here, back)
        telling = await incident.tell(desk, visit, back, who, caller, ask=False)  # as when it was resumed
        return standing.answer(desk, visit, here, telling.slip, welcome, *telling.words)
    if owing is not None:
        return await owed.ask(desk, visit, slip, owing, who, caller)
    if isinstance(kept, KeptPlace):
        return await resume(desk, visit, slip, kept, who, caller)
    if closing.is_closed(desk, visit.now_ms):
        return await closing.answer(desk, visit, slip, who, caller)
    return await greet(desk, visit, slip, known, caller)


def start(desk: Desk, who: Recognised) -> Slip:
    """What is known when the call comes in."""
    merchant = who.merchant
    if merchant is None:
        return Slip(desk.centre.language)
    speaks = merchant.language in desk.centre.languages
    return Slip(
        language=merchant.language if speaks else desk.centre.language,
        known_language=speaks,
        merchant=merchant.id,
        location=who.location.id if who.location else 0,
    )


async def greet(desk: Desk, visit: Visit, slip: Slip, who: Recognised, caller: Caller) -> str:
    """Greet, by name when the number tells it; the status of what touches them; then what there is to ask."""
    place = who.merchant if who.ask is Ask.LOCATION else None
    telling = await incident.tell(desk, visit, slip, who, caller, if_maybe=place is None)
    slip, greeting = telling.slip, catalog.voice(slip.language, "greeting", centre=desk.centre.name)
    words = [greeting] if place else [greeting, *_recognised(slip, who), *_offers(desk, slip)]
    if telling.words and spoken_s(" ".join(each.text for each in words)) > STATUS_WITHIN_S:
        words = [greeting, *_offers(desk, slip)]
    words += telling.words
    if telling.ask:
        return incident.ask(desk, slip, telling.ask, "place" if place else "menu", *words)
    return location.ask(desk, slip, place, who, *words) if place else menu.ask(desk, slip, *words)


def _recognised(slip: Slip, who: Recognised) -> list[Utterance]:
    if who.merchant and who.location:
        named = {"merchant": who.merchant.name, "location": who.location.name}
        return [catalog.voice(slip.language, "recognised_at", **named)]
    if who.merchant:
        return [catalog.voice(slip.language, "recognised", merchant=who.merchant.name)]
    return []


async def resume(
    desk: Desk, visit: Visit, slip: Slip, kept: KeptPlace, who: Recognised | Away, caller: Caller
) -> str:
    """Cut off a moment ago: straight back into the old place, without a question."""
    language = kept.card.language if kept.card.language in desk.centre.languages else slip.language
    back = replace(slip, language=language, topic=kept.card.topic, queue=kept.queue, band=kept.band)
    welcome = catalog.voice(language, "greeting_back", centre=desk.centre.name)
    telling = await incident.tell(desk, visit, back, who, caller, ask=False)
    return await entering.join(desk, visit, telling.slip, welcome, *telling.words, caller=caller, who=who)


def _offers(desk: Desk, slip: Slip) -> list[Utterance]:
    """The other languages, each offered in itself."""
    other = desk.centre.other_language(slip.language)
    return [catalog.voice(other, "language_offer", key=desk.centre.language_key)] if other else []
