"""A callback, asked for in the hold loop: on which number, when, and may we text?

All of it is heard in the place in line: until the promise is spoken nothing is given up, and silence, a wrong
key or a store that is away lead back to the music. A number that was keyed in stands in no URL; it is kept
beside the line for the length of the call.
"""

from __future__ import annotations

from announcements import catalog, spoken
from announcements.catalog import Utterance
from callbacks import windows
from callbacks.office import Office
from callbacks.windows import Window
from ivr import callers, memory, menus, promising, slips, twiml, waiting
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Away, Visit

ASKED = 2
"""So often each question is asked; then the caller hears the music again, or the first choice is taken."""
BACK_KEY = "9"
PAUSE_S = 4


async def offer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/callback``: the caller wants to be called back. Is the calling number the one?"""
    office = desk.office
    if office is None:
        return back(desk, visit)
    caller = callers.identify(desk, visit)
    refused = _refused(office, caller.number)
    if not refused:
        return _confirm(desk, visit, caller.number, typed=False)
    said = catalog.voice(_slip(desk, visit).language, refused)
    return _ask_number(desk, visit, said) if office.policy.other_number else back(desk, visit, said)


async def confirm(desk: Desk, visit: Visit) -> str:
    """``POST /voice/callback/confirm``: it is that number, or another."""
    office, pressed = desk.office, visit.form.get("Digits", "")
    if pressed == menus.LEAVE_KEY:
        return await waiting.step_out(desk, visit)
    if office is None:
        return back(desk, visit)
    if pressed == "2" and office.policy.other_number:
        return _ask_number(desk, visit)
    callee = await _callee(desk, visit)
    if callee is None:
        return back(desk, visit, _say(desk, visit, "promise_trouble"))
    if not callee.number:
        return back(desk, visit, _say(desk, visit, "promise_number_withheld"))
    if pressed == "1":
        return await _ask_when(desk, visit, office, callee)
    if not pressed and _asked(visit) < ASKED:
        return _confirm(desk, visit, callee.number, typed=_typed(visit), asked=_asked(visit) + 1)
    return back(desk, visit)


async def number(desk: Desk, visit: Visit) -> str:
    """``POST /voice/callback/number``: a number was keyed in. It is read back; what cannot be called
    is refused with the reason.
    """
    office, keys = desk.office, visit.form.get("Digits", "")
    if keys == menus.LEAVE_KEY:
        return await waiting.step_out(desk, visit)
    if office is None or not office.policy.other_number:
        return back(desk, visit)
    given, refused = office.keyed(keys) if keys else ("", None)
    if keys and not refused:
        kept = await visit.enrich(desk.legs.note_typed(visit.contact, given))
        if isinstance(kept, Away):
            return back(desk, visit, _say(desk, visit, "promise_trouble"))
        return _confirm(desk, visit, given, typed=True)
    said = [_say(desk, visit, f"number_refused_{refused}" if refused else "number_nothing")]
    if _asked(visit) >= ASKED + 1:
        return back(desk, visit, *said, _say(desk, visit, "number_refused_enough"))
    if refused:
        said.append(_say(desk, visit, "number_refused_again"))
    return _ask_number(desk, visit, *said, asked=_asked(visit) + 1)


async def when(desk: Desk, visit: Visit) -> str:
    """``POST /voice/callback/when``: at the caller's turn, or in a window. Silence is one's turn."""
    office, pressed = desk.office, visit.form.get("Digits", "")
    if pressed == menus.LEAVE_KEY:
        return await waiting.step_out(desk, visit)
    if office is None or pressed == BACK_KEY:
        return back(desk, visit)
    callee = await _callee(desk, visit)
    if callee is None:
        return back(desk, visit, _say(desk, visit, "promise_trouble"))
    chosen = None
    if pressed not in ("", "1"):
        offered = _windows(office, callee.number, slips.whole(visit.query.get("at", "")))
        if not pressed.isdecimal() or not 2 <= int(pressed) <= len(offered) + 1:
            return await _ask_when(desk, visit, office, callee, asked=_asked(visit) + 1)
        chosen = offered[int(pressed) - 2]
    return await promising.promise(desk, visit, office, callee, chosen, typed=_typed(visit))


def back(desk: Desk, visit: Visit, *words: Utterance) -> str:
    """Back to the music, in the place that was never given up."""
    slip, kept = _slip(desk, visit), memory.read(visit.query)
    return twiml.answer(twiml.say_all(words), twiml.redirect(waiting.loop_url(desk, slip, kept)))


# --- the questions ------------------------------------------------------------------------------------------


def _confirm(desk: Desk, visit: Visit, number: str, *, typed: bool, asked: int = 1) -> str:
    language, office = _slip(desk, visit).language, desk.office
    phone = spoken.in_pairs(number, language)
    words = [catalog.voice(language, "number_read_back" if typed else "number_confirm", phone=phone)]
    if typed:
        words.append(catalog.voice(language, "number_screened"))
    elif office and office.policy.other_number:
        words.append(catalog.voice(language, "number_other"))
    words.append(catalog.voice(language, "number_back", key=BACK_KEY))
    return _ask(desk, visit, "confirm", words, f"&asked={asked}" + ("&typed=1" if typed else ""))


def _ask_number(desk: Desk, visit: Visit, *before: Utterance, asked: int = 1) -> str:
    words = twiml.say_all([*before, _say(desk, visit, "number_type")])
    here = _url(desk, visit, "number", f"&asked={asked}")
    return twiml.answer(twiml.gather_number(here, words), twiml.redirect(here))


async def _ask_when(desk: Desk, visit: Visit, office: Office, callee: Caller, asked: int = 1) -> str:
    """Without a window to choose from there is nothing to ask."""
    at_ms = slips.whole(visit.query.get("at", "")) or visit.now_ms
    offered = _windows(office, callee.number, at_ms)
    if not offered or asked > ASKED:
        return await promising.promise(desk, visit, office, callee, None, typed=_typed(visit))
    language, zone = _slip(desk, visit).language, promising.zone_of(office, callee.number)
    words = [catalog.voice(language, "when_intro"), catalog.voice(language, "when_turn", key="1")]
    for key, window in enumerate(offered, 2):
        told = promising.told(office, zone, language, window.start_ms, window.end_ms, at_ms)
        words.append(catalog.voice(language, "when_window", when=told, key=str(key)))
    typed = "&typed=1" if _typed(visit) else ""
    return _ask(desk, visit, "when", words, f"&at={at_ms}&asked={asked}{typed}")


def _ask(desk: Desk, visit: Visit, door: str, words: list[Utterance], more: str) -> str:
    here = _url(desk, visit, door, more)
    return twiml.answer(twiml.gather_key(here, twiml.say_all(words), timeout_s=PAUSE_S), twiml.redirect(here))


def _url(desk: Desk, visit: Visit, door: str, more: str) -> str:
    slip, kept = _slip(desk, visit), memory.read(visit.query)
    return desk.url(f"/voice/callback/{door}?{slip.query()}{kept.query()}{more}")


# --- what is known ------------------------------------------------------------------------------------------


async def _callee(desk: Desk, visit: Visit) -> Caller | None:
    """Who is to be called: the caller, or the number keyed in. None when the store that keeps it is away."""
    if not _typed(visit):
        return callers.identify(desk, visit)
    given = await visit.enrich(desk.legs.typed(visit.contact))
    if isinstance(given, Away) or not given:
        return None
    return Caller(given, callers.fingerprint(desk.secret, given))


def _refused(office: Office, number: str) -> str:
    """The phrase that says why this number is not called; "" when it is."""
    if not number:
        return "promise_number_withheld"
    why = office.refusal(number)
    return f"number_refused_{why}" if why else ""


def _windows(office: Office, number: str, at_ms: int) -> list[Window]:
    within = windows.bounds(office.policy, office.hours, promising.zone_of(office, number))
    return windows.choices(within, at_ms)


def _slip(desk: Desk, visit: Visit) -> Slip:
    return slips.read(desk.centre, visit.query)


def _say(desk: Desk, visit: Visit, key: str) -> Utterance:
    return catalog.voice(_slip(desk, visit).language, key)


def _asked(visit: Visit) -> int:
    return min(slips.whole(visit.query.get("asked", "")) or 1, 99)


def _typed(visit: Visit) -> bool:
    return visit.query.get("typed") == "1"
