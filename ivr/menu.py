"""The menu: what the call is about, by key or in the caller's own words.

Three tries, then the default queue: nobody is turned away for saying nothing.
"""

from __future__ import annotations

from dataclasses import replace

from announcements import catalog
from announcements.catalog import Utterance
from ivr import callers, entering, incident, menus, slips, twiml
from ivr.desk import Desk
from ivr.menus import Meaning
from ivr.slips import Slip
from ivr.visits import Visit


def ask(desk: Desk, slip: Slip, *before: Utterance) -> str:
    """Say ``before``, read out the choices, and wait for a key or a sentence."""
    here = desk.url(f"/voice/menu?{slip.query()}")
    return twiml.answer(
        twiml.gather_choice(
            here,
            twiml.say_all([*before, *_choices(desk, slip.language)]),
            language=slip.language,
            hints=menus.hints(desk.centre, slip.language),
        ),
        twiml.redirect(here),
    )


async def answer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/menu``: the caller pressed a key, spoke, or was silent."""
    slip = slips.read(desk.centre, visit.query)
    said = visit.form.get("SpeechResult", "")
    choice = menus.choose(desk.centre, slip.language, visit.form.get("Digits", ""), said)
    match choice.meaning:
        case Meaning.TOPIC if choice.topic:
            chosen = replace(slip, topic=choice.topic.id, queue=choice.topic.queue, tries=0)
            return await _to_line(desk, visit, chosen)
        case Meaning.PERSON:
            return await anybody(desk, visit, slip)
        case Meaning.LANGUAGE:
            spoken = replace(slip, language=choice.language, known_language=True, tries=0)
            return ask(desk, spoken, catalog.voice(spoken.language, "language_set"))
    if slip.tries + 1 >= desk.centre.menu_tries:
        return await anybody(desk, visit, slip, catalog.voice(slip.language, "no_choice"))
    missed = "menu_retry" if choice.meaning is Meaning.SILENCE else "not_understood"
    return ask(desk, replace(slip, tries=slip.tries + 1), catalog.voice(slip.language, missed))


async def anybody(desk: Desk, visit: Visit, slip: Slip, *before: Utterance) -> str:
    """Into the default queue, without a topic."""
    unchosen = replace(slip, topic="", queue=desk.centre.default_queue, tries=0)
    return await _to_line(desk, visit, unchosen, *before)


async def _to_line(desk: Desk, visit: Visit, slip: Slip, *before: Utterance) -> str:
    """Into the line; but first what the topic adds to what is known of incidents."""
    caller, who = callers.identify(desk, visit), None
    if (await incident.directive(desk, visit)).incidents:
        who = await callers.recognise(desk, visit, caller)
        telling = await incident.tell(desk, visit, slip, who, caller)
        slip, before = telling.slip, (*before, *telling.words)
        if telling.ask:
            return incident.ask(desk, slip, telling.ask, "line", *before)
    return await entering.join(desk, visit, slip, *before, *sending(slip), caller=caller, who=who)


def sending(slip: Slip) -> tuple[Utterance, ...]:
    """What a caller hears on the way into the line."""
    queue = catalog.name(slip.language, "queue", slip.queue)
    return catalog.voice(slip.language, "sending_to", queue=queue), catalog.voice(slip.language, "entered")


def _choices(desk: Desk, language: str) -> list[Utterance]:
    choices = [catalog.voice(language, "menu_intro")]
    for topic in desk.centre.topics:
        choices.append(catalog.voice(language, "menu_option", topic=topic.name(language), key=topic.key))
    choices.append(catalog.voice(language, "menu_person", key=menus.PERSON_KEY))
    return choices
