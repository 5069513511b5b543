"""The first door: who rings, are we open, was this caller cut off a moment ago?"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from announcements import catalog
from announcements.catalog import Utterance
from ivr import callers, closing, entering, location, menu, owed, standing
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Visit
from merchants.recognition import Ask, Recognised
from queueing.records import ContactNow, KeptPlace


async def answer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/incoming``: a call has come in."""
    caller = callers.identify(desk, visit)
    who, owing, here, kept = await asyncio.gather(
        callers.recognise(desk, visit, caller),
        owed.find(desk, visit, caller),
        visit.enrich(desk.line.contact(visit.contact)),
        visit.enrich(desk.line.kept_place(caller.key, visit.now_ms)),
    )
    known = who if isinstance(who, Recognised) else Recognised()
    slip = start(desk, known)
    if isinstance(here, ContactNow):  # asked before: this call is in the line already
        back = standing.slip_of(desk, here, slip)
        welcome = catalog.voice(back.language, "greeting_back", centre=desk.centre.name)
        return standing.answer(desk, visit, here, back, welcome)
    if owing is not None:
        return owed.ask(desk, visit, slip, owing)
    if isinstance(kept, KeptPlace):
        return await resume(desk, visit, slip, kept, caller)
    if closing.is_closed(desk, visit.now_ms):
        return await closing.answer(desk, visit, slip, known, caller)
    return greet(desk, slip, known)


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


def greet(desk: Desk, slip: Slip, who: Recognised) -> str:
    """Greet, by name when the number tells it, and ask what there is to ask."""
    words = [catalog.voice(slip.language, "greeting", centre=desk.centre.name), *_offers(desk, slip)]
    if who.merchant and who.ask is Ask.LOCATION:
        return location.ask(desk, slip, who.merchant, who, words[0])
    if who.merchant and who.location:
        named = {"merchant": who.merchant.name, "location": who.location.name}
        words.insert(1, catalog.voice(slip.language, "recognised_at", **named))
    elif who.merchant:
        words.insert(1, catalog.voice(slip.language, "recognised", merchant=who.merchant.name))
    return menu.ask(desk, slip, *words)


async def resume(desk: Desk, visit: Visit, slip: Slip, kept: KeptPlace, caller: Caller) -> str:
    """Cut off a moment ago: straight back into the old place, without a question."""
    language = kept.card.language if kept.card.language in desk.centre.languages else slip.language
    back = replace(slip, language=language, topic=kept.card.topic, queue=kept.queue, band=kept.band)
    welcome = catalog.voice(language, "greeting_back", centre=desk.centre.name)
    return await entering.join(desk, visit, back, welcome, caller=caller)


def _offers(desk: Desk, slip: Slip) -> list[Utterance]:
    """The other languages, each offered in itself."""
    other = desk.centre.other_language(slip.language)
    return [catalog.voice(other, "language_offer", key=desk.centre.language_key)] if other else []
