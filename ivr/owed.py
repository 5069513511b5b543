"""Somebody rings in to whom we owe a callback: told so, and asked what it is to be.

Who stays on the line keeps the better of the two places; the callback is superseded when an agent answers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from announcements import catalog
from announcements.catalog import Utterance
from callbacks import promises, windows
from callbacks.office import Conflict, Office
from callbacks.record import OPEN_WORDS
from callbacks.states import PromiseState
from callbacks.tables import Promise
from callbacks.windows import Window
from foundation.connections import answering
from foundation.errors import Mendable
from ivr import callers, closing, entering, incident, promising, slips, twiml
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import AWAY, Away, Visit
from merchants.recognition import Recognised
from queueing.records import Card, Entry
from queueing.states import ContactState

KEEP_KEY, LATER_KEY, CANCEL_KEY = "1", "2", "3"
PAUSE_S = 4


async def find(desk: Desk, visit: Visit, caller: Caller) -> Promise | None:
    """The open promise of this number, as far as SQL says so in time."""
    if desk.office is None or not caller.number:
        return None
    found = await visit.enrich(_find(desk, desk.office, caller.number), within_s=desk.budget.look_up_s)
    return None if isinstance(found, Away) else found


async def ask(
    desk: Desk, visit: Visit, slip: Slip, promise: Promise, who: Recognised | Away, caller: Caller
) -> str:
    """Welcome back, what is known of an incident, what we owe, and the choice. Silence stays on the line."""
    assert desk.office is not None
    known = promise.language in desk.centre.languages
    slip = replace(slip, language=promise.language if known else slip.language, known_language=True)
    slip = replace(slip, topic=promise.topic, queue=promise.queue, band=promise.band)
    language = slip.language
    if promise.state in (PromiseState.DIALING, PromiseState.CONNECTED):
        words = [catalog.voice(language, "already_calling")]
    else:
        telling = await incident.tell(desk, visit, slip, who, caller, ask=False)
        slip = telling.slip
        words = [
            catalog.voice(language, "came_back", centre=desk.centre.name),
            *telling.words,
            promising.already(desk.office, slip, promise, visit.now_ms),
            catalog.voice(language, "already_keep"),
            catalog.voice(language, "already_later"),
            catalog.voice(language, "already_cancel"),
        ]
    if not closing.is_closed(desk, visit.now_ms):
        words.append(catalog.voice(language, "already_stay"))
    here = _url(desk, slip, promise.id, "")
    return twiml.answer(twiml.gather_key(here, twiml.say_all(words), timeout_s=PAUSE_S), twiml.redirect(here))


async def choose(desk: Desk, visit: Visit) -> str:
    """``POST /voice/owed``: keep it, later, cancel; anything else stays on the line."""
    slip, promise = slips.read(desk.centre, visit.query), await _get(desk, visit)
    if promise is None or desk.office is None:
        return await _as_anybody(desk, visit, slip)
    pressed = visit.form.get("Digits", "")
    if pressed == CANCEL_KEY:
        ending = promises.cancel(desk.office, promise.id, "rang in", "merchant", visit.now_ms)
        done = await _change(desk, visit, ending)
        return _goodbye(desk, slip, "promise_cancelled") if done else _not_done(desk, slip, promise)
    if promise.state not in OPEN_WORDS:  # over, since it was asked
        return await _as_anybody(desk, visit, slip, catalog.voice(slip.language, "promise_none"))
    if pressed == KEEP_KEY:
        return _goodbye(desk, slip, "already_kept")
    if pressed == LATER_KEY:
        return _ask_when(desk, visit, slip, desk.office, promise)
    return await _stay(desk, visit, slip, desk.office, promise)


async def when(desk: Desk, visit: Visit) -> str:
    """``POST /voice/owed/when``: another time was chosen."""
    slip, promise = slips.read(desk.centre, visit.query), await _get(desk, visit)
    if promise is None or desk.office is None:
        return await _as_anybody(desk, visit, slip)
    pressed = visit.form.get("Digits", "")
    offered = _windows(desk.office, promise, slips.whole(visit.query.get("at", "")))
    if pressed == "1":
        chosen: Window | None = None
    elif pressed.isdecimal() and 2 <= int(pressed) <= len(offered) + 1:
        chosen = offered[int(pressed) - 2]
    else:
        return _goodbye(desk, slip, "already_kept")
    window = (chosen.start_ms, chosen.end_ms) if chosen else None
    moving = promises.reschedule(desk.office, promise.id, window, "merchant", visit.now_ms)
    if not await _change(desk, visit, moving):
        return _not_done(desk, slip, promise)
    if chosen is None:
        return _goodbye(desk, slip, "promise_changed_turn")
    told = promising.told(
        desk.office, _zone(desk.office, promise), slip.language, chosen.start_ms, chosen.end_ms, visit.now_ms
    )
    return _goodbye(desk, slip, "promise_changed_window", when=told)


async def _stay(desk: Desk, visit: Visit, slip: Slip, office: Office, promise: Promise) -> str:
    """Into the line, at the better place; out of hours the callback stands, and a message is taken."""
    if closing.is_closed(desk, visit.now_ms):
        return await _as_anybody(desk, visit, slip)
    caller = callers.identify(desk, visit)
    known = await callers.recognise(desk, visit, caller)
    who = entering.NOBODY if isinstance(known, Away) else known.chosen(slip.location)
    slip = entering.placed(desk.centre, desk.policy, slip, who)
    entry = await visit.enrich(
        promises.came_back(
            office,
            promise,
            visit.contact,
            queue=slip.queue,
            band=slip.band,
            card=_card(desk, slip, who, caller, promise),
            caller_key=caller.key,
            now_ms=visit.now_ms,
        )
    )
    if isinstance(entry, Entry):
        if entry.state is ContactState.ENDED:
            return entering.goodbye(desk, slip)
        slip = replace(slip, queue=entry.queue, band=entry.band)
    words = catalog.voice(slip.language, "entered")
    return entering.enqueue(desk, slip, words, contact=visit.contact, owed=True)


async def _as_anybody(desk: Desk, visit: Visit, slip: Slip, *words: Utterance) -> str:
    """Nothing is owed any more, or nobody can say: like any caller."""
    if closing.is_closed(desk, visit.now_ms):
        return await closing.answer(desk, visit, slip, entering.NOBODY, callers.identify(desk, visit))
    return await entering.join(desk, visit, slip, *words, catalog.voice(slip.language, "entered"))


def _card(desk: Desk, slip: Slip, who: Any, caller: Caller, promise: Promise) -> Card:
    card = entering.noted_card(desk, slip, who, caller)
    return replace(card, promise=promise.id, tries=promise.tries)


def _ask_when(desk: Desk, visit: Visit, slip: Slip, office: Office, promise: Promise) -> str:
    language, zone = slip.language, _zone(office, promise)
    words = [catalog.voice(language, "when_intro"), catalog.voice(language, "when_turn", key="1")]
    for key, window in enumerate(_windows(office, promise, visit.now_ms), 2):
        told = promising.told(office, zone, language, window.start_ms, window.end_ms, visit.now_ms)
        words.append(catalog.voice(language, "when_window", when=told, key=str(key)))
    here = _url(desk, slip, promise.id, "/when", f"&at={visit.now_ms}")
    return twiml.answer(twiml.gather_key(here, twiml.say_all(words), timeout_s=PAUSE_S), twiml.redirect(here))


def _windows(office: Office, promise: Promise, at_ms: int) -> list[Window]:
    within = windows.bounds(office.policy, office.hours, _zone(office, promise))
    return windows.choices(within, at_ms)


def _zone(office: Office, promise: Promise) -> str:
    return promise.time_zone or office.time_zone


def _url(desk: Desk, slip: Slip, promise: str, door: str, more: str = "") -> str:
    return desk.url(f"/voice/owed{door}?{slip.query()}&p={promise}{more}")


def _not_done(desk: Desk, slip: Slip, promise: Promise) -> str:
    """It could not be changed: an agent calls just now, or we are in trouble. It stands as it was."""
    if promise.state in (PromiseState.DIALING, PromiseState.CONNECTED):
        return _goodbye(desk, slip, "already_calling")
    return _goodbye(desk, slip, "already_kept")


def _goodbye(desk: Desk, slip: Slip, key: str, **values: str) -> str:
    words: list[Utterance] = [catalog.voice(slip.language, key, **values)]
    words.append(catalog.voice(slip.language, "call_over", centre=desk.centre.name))
    return twiml.answer(twiml.say_all(words), twiml.hang_up())


async def _find(desk: Desk, office: Office, number: str) -> Promise | None:
    async with answering(desk.sql_breaker, enrichment=True):
        return await promises.find(office, number)


async def _get(desk: Desk, visit: Visit) -> Promise | None:
    if desk.office is None:
        return None
    found = await visit.enrich(promises.get(desk.office, visit.query.get("p", "")))
    return None if found is AWAY or isinstance(found, Away) else found


async def _change(desk: Desk, visit: Visit, work: Any) -> bool:
    """Whether it was changed: not when SQL is away, or somebody was first."""

    async def attempt() -> bool:
        try:
            async with answering(desk.sql_breaker):
                await work
        except (Mendable, Conflict):
            return False
        return True

    return await visit.enrich(attempt()) is True
