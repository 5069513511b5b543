"""Is the call about the incident, and what then: the question that comes after the status, and the offers.

Nobody is turned away but by their own key. Silence, or a store that is away, leads into the line; only while
the line is closed to callers about this does silence lead to a message.
"""

from __future__ import annotations

from dataclasses import replace

from announcements import catalog
from announcements.catalog import Utterance
from foundation.connections import answering
from ivr import (
    callers,
    endings,
    entering,
    facts,
    incident,
    location,
    menu,
    menus,
    message,
    offers,
    slips,
    twiml,
)
from ivr import heard as heards
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.incident import asked_about, marked, times_asked
from ivr.slips import Slip
from ivr.visits import Away, Visit
from merchants.recognition import Ask, Recognised
from queueing.states import Disposition
from surge import deflection, wording
from surge.deflection import Outcome, Turned
from surge.directive import Directive, Told
from surge.office import Watch
from surge.playbook import Play, Why, decide
from surge.states import Match

YES_KEY, NO_KEY = "1", "2"
ASKED = 2
"""So often each question is asked."""
PAUSE_S = 5


async def answer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/incident``: is it about this? 1 yes, 2 something else."""
    slip, now = slips.read(desk.centre, visit.query), await incident.directive(desk, visit)
    told, pressed = asked_about(visit, now), visit.form.get("Digits", "")
    if told is None:  # it is over since it was asked
        return await _onward(desk, visit, slip)
    if pressed == YES_KEY:
        return await _about_this(desk, visit, slip, now, told)
    if pressed == NO_KEY:
        other = marked(slip, told, heards.ASKED, heards.NO)
        return await _onward(desk, visit, other, catalog.voice(slip.language, "incident_another_matter"))
    if pressed == menus.PERSON_KEY:
        return await _person(desk, visit, marked(slip, told, heards.ASKED))
    language = desk.centre.other_language(slip.language)
    if language and pressed == desk.centre.language_key:
        return await _in_other_words(desk, visit, replace(slip, language=language), told)
    if times_asked(visit) < ASKED:
        missed = [catalog.voice(slip.language, "not_understood")] if pressed else []
        stage, asked = visit.query.get("stage", ""), times_asked(visit) + 1
        return incident.ask(desk, slip, told, stage, *missed, asked=asked)
    return await _onward(desk, visit, marked(slip, told, heards.ASKED))


async def offered(desk: Desk, visit: Visit) -> str:
    """``POST /voice/incident/offer``: a text, a callback, a message; or the line."""
    slip, now = slips.read(desk.centre, visit.query), await incident.directive(desk, visit)
    told, pressed = asked_about(visit, now), visit.form.get("Digits", "")
    play = _play(visit)
    _, chosen = wording.offers(slip.language, play)
    kind = chosen.get(pressed, "")
    if told is None or desk.watch is None or kind == "other":
        return await _something_else(desk, visit, slip, told)
    if kind == "text":
        return await _text(desk, visit, slip, desk.watch, now, told, play)
    if kind == "callback":
        return await entering.join(desk, visit, slip, *menu.sending(slip), callback=True)
    if kind == "message":
        return await _message(desk, visit, slip, desk.watch, now, told)
    if pressed == menus.PERSON_KEY:
        return await _person(desk, visit, slip)
    if times_asked(visit) < ASKED and (pressed or not play.join):
        missed = [catalog.voice(slip.language, "not_understood")] if pressed else []
        return _offer(desk, slip, told, play, *missed, asked=times_asked(visit) + 1)
    if not play.join:
        return await _message(desk, visit, slip, desk.watch, now, told)
    return await entering.join(desk, visit, slip, *menu.sending(slip))


# --- yes, it is about this --------------------------------------------------------------------------------


async def _about_this(desk: Desk, visit: Visit, slip: Slip, now: Directive, told: Told) -> str:
    """What they are offered. Their topic is the incident's, so the menu has nothing left to ask."""
    slip = marked(slip, told, heards.ASKED, heards.YES)
    caller = callers.identify(desk, visit)
    who = await _who(desk, visit, caller)
    band = entering.placed(desk.centre, desk.policy, slip, who).band  # their own, not the incident's topic's
    topic = desk.centre.topic(slip.topic or told.topic)
    queue = topic.queue if topic else slip.queue or desk.centre.default_queue
    slip = replace(slip, topic=topic.id if topic else "", queue=queue, tries=0)
    placed = replace(entering.placed(desk.centre, desk.policy, slip, who), band=band)
    found = await facts.gather(desk, visit, placed, caller)
    if isinstance(found, Away) or desk.watch is None:
        return await entering.join(desk, visit, slip, *menu.sending(slip), caller=caller, who=who)
    narrowed = facts.narrowed(now, found)
    decided = decide(desk.watch.policy, narrowed, told, Match.MATCH, found.known, visit.now_ms)
    called_back = await offers.asked_for(desk, visit, placed, caller, found.queue)
    kinds = tuple(kind for kind in decided.play.offer if kind != "callback" or called_back)
    play, words = replace(decided.play, offer=kinds), []
    if decided.why is Why.NO_TEXT:
        words.append(wording.untextable(slip.language, found.known.untextable))
    elif decided.why is Why.TEXTS_SHUT:
        words.append(catalog.voice(slip.language, "surge_texts_shut"))
    return await _offer_or_join(desk, visit, slip, told, play, words)


async def _offer_or_join(
    desk: Desk, visit: Visit, slip: Slip, told: Told, play: Play, words: list[Utterance]
) -> str:
    """With nothing to press there is nothing to ask."""
    if set(play.offer) <= {"line"} and play.join:
        return await entering.join(desk, visit, slip, *menu.sending(slip))
    intro = [catalog.voice(slip.language, "surge_intro")] if play.join else []
    return _offer(desk, slip, told, play, *intro, *words)


def _offer(desk: Desk, slip: Slip, told: Told, play: Play, *before: Utterance, asked: int = 1) -> str:
    said, _ = wording.offers(slip.language, play)
    shut = "" if play.join else "&shut=1"
    carried = f"{slip.query()}&about={told.id}&offer={'.'.join(play.offer)}{shut}&asked={asked}"
    here = desk.url(f"/voice/incident/offer?{carried}")
    words = twiml.say_all([*before, *said])
    return twiml.answer(twiml.gather_key(here, words, timeout_s=PAUSE_S), twiml.redirect(here))


def _play(visit: Visit) -> Play:
    """What was offered, by the URL: the keys mean what they meant when they were read out."""
    kinds = visit.query.get("offer", "").split(".")
    known = tuple(kind for kind in kinds if kind in ("text", "callback", "message", "line"))
    return Play(offer=known, join=visit.query.get("shut") != "1")


# --- what was chosen --------------------------------------------------------------------------------------


async def _text(
    desk: Desk, visit: Visit, slip: Slip, watch: Watch, now: Directive, told: Told, play: Play
) -> str:
    """In SQL before it is spoken; then goodbye. Not possible: the other offers. No answer: into the line."""
    kind = "text" if play.join else "closed"
    outcome = await _deflect(desk, visit, slip, watch, now, told, kind)
    language = slip.language
    if isinstance(outcome, Away):
        trouble = catalog.voice(language, "surge_text_trouble")
        return await entering.join(desk, visit, slip, trouble, *menu.sending(slip))
    why = [] if outcome.texted else [_no_text(language, outcome.why)]
    if not outcome.done:
        rest = replace(play, offer=tuple(each for each in play.offer if each != "text"))
        return await _offer_or_join(desk, visit, slip, told, rest, why)
    if not outcome.texted:
        await _record(desk, visit, slip, Disposition.ABANDONED)
        return message.offer(desk, marked(slip, told, heards.MESSAGE), *why)
    await _record(desk, visit, slip, Disposition.DEFLECTED)
    words = [catalog.voice(language, "surge_texted" if play.join else "surge_closed_texted")]
    words.append(catalog.voice(language, "call_over", centre=desk.centre.name))
    return twiml.answer(twiml.say_all(words), twiml.hang_up())


async def _message(desk: Desk, visit: Visit, slip: Slip, watch: Watch, now: Directive, told: Told) -> str:
    """The follow-up is written down first. Until there is a message, the call was given up."""
    outcome = await _deflect(desk, visit, slip, watch, now, told, "message")
    if isinstance(outcome, Away):
        return await entering.join(desk, visit, slip, *menu.sending(slip))
    await _record(desk, visit, slip, Disposition.ABANDONED)
    return message.offer(desk, marked(slip, told, heards.MESSAGE))


async def _something_else(desk: Desk, visit: Visit, slip: Slip, told: Told | None) -> str:
    """Like anybody: what is it about?"""
    words = [catalog.voice(slip.language, "incident_another_matter")] if told else []
    other = marked(slip, told, heards.NO) if told else slip
    return menu.ask(desk, replace(other, topic="", queue="", tries=0), *words)


async def _person(desk: Desk, visit: Visit, slip: Slip) -> str:
    """0, at any time: into the line, by what is known of the call."""
    slip = replace(slip, queue=slip.queue or desk.centre.default_queue, tries=0)
    return await entering.join(desk, visit, slip, *menu.sending(slip))


async def _onward(desk: Desk, visit: Visit, slip: Slip, *words: Utterance) -> str:
    """Not about this, or nobody says: another incident that touches them is told of, and asked about; then
    the call goes on where it was interrupted."""
    stage, caller = visit.query.get("stage", ""), callers.identify(desk, visit)
    who = await _who(desk, visit, caller)
    telling = await incident.tell(desk, visit, slip, who, caller)
    slip, said = telling.slip, [*words, *telling.words]
    if telling.ask:
        return incident.ask(desk, slip, telling.ask, stage, *said)
    if stage == "line":
        return await entering.join(desk, visit, slip, *said, *menu.sending(slip), caller=caller, who=who)
    if stage == "place" and who.merchant and who.ask is Ask.LOCATION:
        return location.ask(desk, slip, who.merchant, who, *said)
    return menu.ask(desk, slip, *said)


async def _in_other_words(desk: Desk, visit: Visit, slip: Slip, told: Told) -> str:
    """The same, in the other language."""
    slip = replace(slip, known_language=True)
    who = await _who(desk, visit, callers.identify(desk, visit))
    words = incident.again(desk, slip, who, told, visit.now_ms)
    language = catalog.voice(slip.language, "language_set")
    return incident.ask(desk, slip, told, visit.query.get("stage", ""), language, *words)


# --- parts ------------------------------------------------------------------------------------------------


async def _deflect(
    desk: Desk, visit: Visit, slip: Slip, watch: Watch, now: Directive, told: Told, kind: str
) -> Outcome | Away:
    caller = callers.identify(desk, visit)
    who = (await _who(desk, visit, caller)).chosen(slip.location)
    slip, merchant = entering.placed(desk.centre, desk.policy, slip, who), who.merchant
    turned = Turned(
        call=visit.contact,
        number=caller.number,
        incident=told,
        level=now.level_at(visit.now_ms),
        kind=kind,
        texts=kind != "message",
        merchant_id=merchant.id if merchant else slip.merchant or None,
        merchant=merchant.name if merchant else "",
        tier=merchant.tier if merchant else "",
        language=slip.language,
        queue=slip.queue,
        band=slip.band,
    )

    async def write() -> Outcome:
        async with answering(desk.sql_breaker):
            return await deflection.deflect(watch, turned, visit.now_ms)

    return await visit.enrich(write()) if visit.contact else Away.AWAY


async def _record(desk: Desk, visit: Visit, slip: Slip, disposition: Disposition) -> None:
    caller = callers.identify(desk, visit)
    who = (await _who(desk, visit, caller)).chosen(slip.location)
    card = entering.noted_card(desk, slip, who, caller)
    await endings.turn_away(desk, visit, disposition, card)


async def _who(desk: Desk, visit: Visit, caller: Caller) -> Recognised:
    found = await callers.recognise(desk, visit, caller)
    return entering.NOBODY if isinstance(found, Away) else found


def _no_text(language: str, why: str) -> Utterance:
    if why == deflection.SHUT:
        return catalog.voice(language, "surge_texts_shut")
    return wording.untextable(language, why)
