"""The promise itself: committed to SQL, then moved in the line, then spoken; then the call is released."""

from __future__ import annotations

from announcements import catalog, spoken
from announcements.catalog import Utterance
from announcements.spoken import Worded
from callbacks import promises, telling, windows, wording
from callbacks.making import take_place
from callbacks.office import Conflict, Office
from callbacks.promises import NewPromise
from callbacks.record import OPEN_WORDS
from callbacks.tables import Promise
from callbacks.windows import Window
from carrier import numbers
from foundation.connections import answering
from foundation.errors import Mendable
from ivr import callback, entering, glance, slips, twiml
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import AWAY, Away, Visit
from queueing.records import Card, ContactNow, EntryOutcome
from queueing.states import ContactState

TEXT_YES = "1"


async def promise(
    desk: Desk, visit: Visit, office: Office, callee: Caller, chosen: Window | None, *, typed: bool
) -> str:
    """Make the promise and say it; when it cannot be made, back to the music with a true word."""
    slip = slips.read(desk.centre, visit.query)
    now = await visit.enrich(desk.line.contact(visit.contact))
    if isinstance(now, ContactNow) and _is_being_asked(now):
        return callback.back(desk, visit, catalog.voice(slip.language, "promise_agent_first"))
    wanted = await _wanted(desk, visit, office, callee, now, chosen, typed=typed)
    made = await visit.enrich(_make(desk, office, wanted, visit.now_ms))
    if isinstance(made, Away):
        return callback.back(desk, visit, catalog.voice(slip.language, "promise_trouble"))
    if isinstance(made, Mendable | Conflict):
        return callback.back(desk, visit, catalog.voice(slip.language, "promise_not_now"))
    if made.entry is not None and made.entry.outcome is EntryOutcome.RESERVED:
        return callback.back(desk, visit, catalog.voice(slip.language, "promise_agent_first"))
    owed = made.promise
    if owed.contact != visit.contact:  # made in another call: this one keeps its own place
        return callback.back(desk, visit, already(office, slip, owed, visit.now_ms))
    if owed.state not in OPEN_WORDS:  # of this very call, and over: an agent has talked with the caller since
        return callback.back(desk, visit, catalog.voice(slip.language, "promise_not_now"))
    if not made.fresh:
        await visit.enrich(take_place(office, owed, visit.now_ms))
    words = twiml.say_all([*_promised(desk, office, slip, owed), _ask_text(slip)])
    here = desk.url(f"/voice/callback/text?{slip.query()}&p={owed.id}")
    return twiml.answer(twiml.gather_key(here, words, timeout_s=4), twiml.redirect(here))


async def text(desk: Desk, visit: Visit) -> str:
    """``POST /voice/callback/text``: may we text? The promise stands, whatever the answer; then goodbye."""
    slip = slips.read(desk.centre, visit.query)
    words = []
    if desk.office is not None:
        await visit.enrich(_hold_place(desk.office, visit))
    if desk.office is not None and visit.form.get("Digits", ""):
        agreed = visit.form["Digits"] == TEXT_YES
        if agreed:
            noted = await visit.enrich(_agree(desk, desk.office, visit))
            agreed = noted is True
        words.append(catalog.voice(slip.language, "text_yes" if agreed else "text_no"))
    words.append(catalog.voice(slip.language, "promised_goodbye"))
    return twiml.answer(twiml.say_all(words), twiml.hang_up())


def already(office: Office, slip: Slip, owed: Promise, now_ms: int) -> Utterance:
    """That this number has a callback, and when."""
    if not owed.windowed:
        return catalog.voice(slip.language, "already_turn")
    zone = owed.time_zone or office.time_zone
    when = told(office, zone, slip.language, owed.due_ms, owed.by_ms, now_ms)
    return catalog.voice(slip.language, "already_window", when=when)


def zone_of(office: Office, number: str) -> str:
    """On whose clock this number is called: its own area's, else the centre's."""
    return numbers.zone_of(number) or office.time_zone


def told(office: Office, zone: str, language: str, start_ms: int, end_ms: int, now_ms: int) -> Worded:
    """A window in words; with the zone's name where it is not the centre's, and so may be a guess."""
    return wording.when(language, zone, start_ms, end_ms, now_ms, name_zone=zone != office.time_zone)


def _promised(desk: Desk, office: Office, slip: Slip, owed: Promise) -> list[Utterance]:
    """What is promised, told from its record alone, so that a repeat says the same."""
    language, phone = slip.language, spoken.in_pairs(owed.number, slip.language)
    zone = owed.time_zone or office.time_zone
    if owed.windowed:
        when = told(office, zone, language, owed.due_ms, owed.by_ms, owed.made_ms)
        words = [catalog.voice(language, "promised_window", phone=phone, when=when)]
    else:
        words = [catalog.voice(language, "promised_turn", phone=phone)]
        if owed.by_ms:
            when = told(office, zone, language, max(owed.made_ms, owed.due_ms), owed.by_ms, owed.made_ms)
            words.append(catalog.voice(language, "promised_when", when=when))
    if office.ours:
        ours = spoken.in_pairs(office.ours[0], language)
        words.append(catalog.voice(language, "promised_from", ours=ours))
    return words


def _ask_text(slip: Slip) -> Utterance:
    return catalog.voice(slip.language, "text_ask")


def _is_being_asked(now: ContactNow) -> bool:
    return now.state in (ContactState.RESERVED, ContactState.CONNECTED)


async def _make(
    desk: Desk, office: Office, wanted: NewPromise, now_ms: int
) -> promises.Made | Mendable | Conflict:
    try:
        async with answering(desk.sql_breaker):
            return await promises.make(office, wanted, now_ms)
    except (Mendable, Conflict) as refused:
        return refused


async def _hold_place(office: Office, visit: Visit) -> None:
    """The line may have been away when the promise was made: once more, before the call is released."""
    owed = await promises.get(office, visit.query.get("p", ""))
    if owed is not None and owed.contact == owed.live_contact == visit.contact and owed.state in OPEN_WORDS:
        await take_place(office, owed, visit.now_ms)


async def _agree(desk: Desk, office: Office, visit: Visit) -> bool:
    async with answering(desk.sql_breaker):
        return await telling.agree(office, visit.query.get("p", ""), visit.now_ms)


async def _wanted(
    desk: Desk,
    visit: Visit,
    office: Office,
    callee: Caller,
    now: ContactNow | Away | None,
    chosen: Window | None,
    *,
    typed: bool,
) -> NewPromise:
    slip = entering.placed(desk.centre, desk.policy, slips.read(desk.centre, visit.query))
    here = now if isinstance(now, ContactNow) else None
    entered_ms = here.entered_ms if here else slips.whole(visit.query.get("in", ""))
    zone = zone_of(office, callee.number)
    return NewPromise(
        number=callee.number,
        queue=here.queue if here else slip.queue,
        band=here.band if here else slip.band,
        card=here.card if here else Card(caller=callee.number, language=slip.language, topic=slip.topic),
        contact=visit.contact,
        entered_ms=entered_ms or visit.now_ms,
        typed=typed,
        window=(chosen.start_ms, chosen.end_ms) if chosen else None,
        told_by_ms=None if chosen else await _told_by_ms(desk, visit, office, here, zone),
        language=slip.language,
        time_zone=zone,
    )


async def _told_by_ms(
    desk: Desk, visit: Visit, office: Office, here: ContactNow | None, zone: str
) -> int | None:
    """The far end of what can honestly be said of the turn to come; None when nothing can."""
    if here is None or not here.position:
        return None
    facts = await visit.enrich(desk.glance.facts(visit.now_ms, here.queue))
    told = "" if facts is AWAY or isinstance(facts, Away) else facts
    wait = glance.wait(told, here.queue, here.band, here.position)
    if wait is None:
        return None
    within = windows.bounds(office.policy, office.hours, zone)
    window = windows.at_its_turn(within, wait.p10, wait.p90, visit.now_ms)
    return window.end_ms if window else None
