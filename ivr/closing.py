"""Out of hours: when we open again, and a message meanwhile."""

from __future__ import annotations

from announcements import catalog, spoken
from announcements.catalog import Utterance
from ivr import endings, entering, incident, message
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Away, Visit
from merchants.recognition import Recognised
from queueing import hours
from queueing.states import Disposition


def is_closed(desk: Desk, now_ms: int) -> bool:
    return desk.centre.hours is not None and not hours.is_open(desk.centre.hours, now_ms)


async def answer(desk: Desk, visit: Visit, slip: Slip, who: Recognised | Away, caller: Caller) -> str:
    """Say so in the caller's language, or, when we do not know it, in each of ours, and what is known of an
    incident; then take a message."""
    telling = await incident.tell(desk, visit, slip, who, caller, ask=False)
    known = entering.NOBODY if isinstance(who, Away) else who
    card = entering.noted_card(desk, slip, known, caller)
    await endings.turn_away(desk, visit, Disposition.CLOSED, card)
    languages = (slip.language,) if slip.known_language else desk.centre.languages
    words = [word for language in languages for word in _words(desk, language, visit.now_ms)]
    words += telling.words
    for language in languages[1:]:
        words.append(catalog.voice(language, "message_prompt"))
    return message.offer(desk, telling.slip, *words)


def _words(desk: Desk, language: str, now_ms: int) -> list[Utterance]:
    """Closed, why if it is a holiday, and when we open again."""
    times = desk.centre.hours
    words = [catalog.voice(language, "closed", centre=desk.centre.name)]
    if times is None:
        return words
    if holiday := hours.holiday_on(times, now_ms):
        kind = "holiday_hours" if holiday.spans else "holiday"
        words.append(catalog.voice(language, kind, holiday=holiday.name))
    if opens := hours.next_open(times, now_ms):
        when = spoken.moment(language, opens, hours.local(times, now_ms))
        words.append(catalog.voice(language, "reopening", when=when))
    return words
