"""Which of the merchant's locations is calling, when several share a number."""

from __future__ import annotations

from dataclasses import replace

from announcements import catalog
from announcements.catalog import Utterance
from ivr import callers, incident, menu, menus, slips, twiml
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Away, Visit
from merchants.recognition import Ask, KnownMerchant, Recognised

TRIES = 2


def ask(desk: Desk, slip: Slip, merchant: KnownMerchant, who: Recognised, *before: Utterance) -> str:
    """Say ``before``, read out the locations, and wait for a key.

    What each key stands for rides along in the URL: the answer can be read when SQL is away.
    """
    language, choices = slip.language, who.choices()
    ids = ".".join(str(place.id) for _, place in choices)
    here = desk.url(f"/voice/location?{slip.query()}&ids={ids}")
    words = [*before, catalog.voice(language, "location_intro", merchant=merchant.name)]
    words += [
        catalog.voice(language, "location_option", location=place.name, key=key) for key, place in choices
    ]
    words.append(catalog.voice(language, "location_other", key=menus.OTHER_LOCATION_KEY))
    return twiml.answer(twiml.gather_key(here, twiml.say_all(words), timeout_s=5), twiml.redirect(here))


async def answer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/location``: the caller pressed a key, or was silent."""
    slip = slips.read(desk.centre, visit.query)
    ids = [slips.whole(part) for part in visit.query.get("ids", "").split(".")]
    digits = visit.form.get("Digits", "")
    if digits[:1] == menus.PERSON_KEY:
        return await menu.anybody(desk, visit, slip)
    who = await callers.recognise(desk, visit, callers.identify(desk, visit))
    place = slips.whole(digits[:1])
    if 0 < place <= len(ids):
        chosen = replace(slip, location=ids[place - 1], tries=0)
        return await _carry_on(desk, visit, chosen, who)
    unclear = digits[:1] != menus.OTHER_LOCATION_KEY and slip.tries + 1 < TRIES
    if unclear and isinstance(who, Recognised) and who.merchant and who.ask is Ask.LOCATION:
        missed = catalog.voice(slip.language, "not_understood" if digits else "menu_retry")
        return ask(desk, replace(slip, tries=slip.tries + 1), who.merchant, who, missed)
    return menu.ask(desk, replace(slip, tries=0))


async def _carry_on(desk: Desk, visit: Visit, slip: Slip, who: Recognised | Away) -> str:
    """The shop is known, so an incident of its region may touch them; then the menu."""
    telling = await incident.tell(desk, visit, slip, who, callers.identify(desk, visit))
    words = [*_confirmed(slip, who), *telling.words]
    if telling.ask:
        return incident.ask(desk, telling.slip, telling.ask, "menu", *words)
    return menu.ask(desk, telling.slip, *words)


def _confirmed(slip: Slip, who: object) -> list[Utterance]:
    here = who.chosen(slip.location).location if isinstance(who, Recognised) else None
    return [catalog.voice(slip.language, "location_set", location=here.name)] if here else []
