"""Incidents as callers hear of them: first of all, once a call, and what is new while they hold.

What has been told rides in the slip (``ivr.heard``). Without an incident nothing here asks a store.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from announcements import catalog
from announcements.catalog import Utterance
from foundation.connections import answering
from ivr import callers, concern, entering, facts, slips, twiml
from ivr import heard as heards
from ivr.callers import Caller
from ivr.desk import Desk
from ivr.heard import Heard
from ivr.slips import Slip
from ivr.visits import Away, Visit
from merchants.recognition import Recognised
from queueing import journal
from surge import deflection, wording
from surge.directive import Directive, Told
from surge.matching import Matched
from surge.office import Watch
from surge.playbook import Decision, Facts, Why, decide
from surge.states import OVER, IncidentState, Match
from surge.tables import Deflection

AT_ONCE = 2
"""Incidents told in one breath."""
CALM = Directive()
PAUSE_S = 5


@dataclass(slots=True)
class Telling:
    """What is said of incidents now, the slip that remembers it, and which one the caller is asked about."""

    slip: Slip
    words: list[Utterance] = field(default_factory=list)
    ask: Told | None = None


async def directive(desk: Desk, visit: Visit) -> Directive:
    """What the doors are told: at most a second old, or the newest known when the stores are away."""
    if desk.watch is None:
        return CALM
    told = await visit.enrich(desk.board.directive(visit.now_ms))
    return desk.board.known if isinstance(told, Away) else told


async def tell(
    desk: Desk,
    visit: Visit,
    slip: Slip,
    who: Recognised | Away,
    caller: Caller,
    *,
    ask: bool = True,
    if_maybe: bool = True,
) -> Telling:
    """The status of what touches the caller, or may, and was not told yet; and, if the play wants it, the
    question. ``ask``: False for callers who keep their own way, and are told only. ``if_maybe``: False while
    more will be known of the caller soon, so that only who surely is touched is asked."""
    told_now, telling = await directive(desk, visit), Telling(slip)
    if desk.watch is None or not told_now.incidents:
        return telling
    known = entering.NOBODY if isinstance(who, Away) else who
    live = told_now.incidents[: heards.MOST]
    touched = concern.touching(live, slip, known)
    said = heards.read(slip.heard)
    also = any(not each.has(heards.OTHERS) for each in said.values())
    before = None if said or not touched else await _deflected(desk, desk.watch, visit, caller)
    turned = Facts(deflected_ms=before.at_ms if before else None)
    count = 0
    for told, matched in touched:
        mine, maybe = said.get(told.id), matched.match is Match.MAYBE
        if mine is not None and mine.has(heards.ASKED, heards.YES):
            continue
        decided = decide(desk.watch.policy, told_now, told, matched.match, turned, visit.now_ms)
        asks = ask and decided.play.ask_about and (if_maybe or not maybe)
        if mine is None or mine.has(heards.OTHERS):
            if (also or count) and (maybe or count == AT_ONCE):
                break
            telling.words += _status(
                desk, desk.watch, slip, told, matched, visit.now_ms, also=also or count > 0
            )
            count += 1
            said[told.id] = _told(told)
            if before and decided.why is Why.CALLED_AGAIN and before.incident == told.id:
                telling.words.append(catalog.voice(slip.language, "surge_called_again"))
                said[told.id] = said[told.id].marked(heards.AGAIN, heards.ASKED)
            await _note(desk, visit, slip, known, caller, told, matched)
            if decided.would:
                await _note_spared(desk, visit, slip, known, caller, told, told_now)
        elif asks:  # told at an earlier door: "this" would mean nothing
            telling.words += _status(desk, desk.watch, slip, told, matched, visit.now_ms, also=False)
        if asks:
            telling.ask = told
            break
    theirs = {told.id for told, _ in touched}
    for each in live:
        if each.id not in theirs:
            said.setdefault(each.id, Heard(each.version, heards.OTHERS))
    telling.slip = replace(slip, heard=heards.packed(said))
    return telling


def ask(desk: Desk, slip: Slip, told: Told, stage: str, *words: Utterance, asked: int = 1) -> str:
    """Say ``words``, and ask whether the call is about it. ``stage``: where the call goes on if not
    ("place", "menu" or "line", see ``ivr.about``)."""
    here = desk.url(f"/voice/incident?{slip.query()}&about={told.id}&stage={stage}&asked={asked}")
    question = catalog.voice(slip.language, "incident_question" if asked == 1 else "incident_question_again")
    said = twiml.say_all([*words, question])
    return twiml.answer(twiml.gather_key(here, said, timeout_s=PAUSE_S), twiml.redirect(here))


def marked(slip: Slip, told: Told, *marks: str) -> Slip:
    """The slip that remembers what the caller said of this incident, or does about it."""
    said = heards.read(slip.heard)
    said[told.id] = said.get(told.id, Heard(told.version)).marked(*marks)
    return replace(slip, heard=heards.packed(said))


# --- on hold ----------------------------------------------------------------------------------------------


def is_news(desk: Desk, slip: Slip) -> bool:
    """Whether there is a version of an incident that this caller has not been told of. The hold loop asks at
    every turn, so this looks at nothing but the slip."""
    seen = desk.board.known
    if desk.watch is None or not (seen.incidents or (seen.over and slip.heard)):
        return False
    return bool(_unheard(seen, slip))


async def news(desk: Desk, visit: Visit, slip: Slip, at_ms: int) -> Telling:
    """What is new to a caller on hold. Without SQL only who surely is touched is told, and the others are
    looked at again next time. ``at_ms``: when this was first asked, so that a repeat is answered alike."""
    telling, watch = Telling(slip), desk.watch
    caller = callers.identify(desk, visit)
    who = await callers.recognise(desk, visit, caller)
    known = entering.NOBODY if isinstance(who, Away) else who
    fresh = _unheard(desk.board.known, slip)
    if watch is None:
        return telling
    said, count = heards.read(slip.heard), 0
    touched = concern.touching(fresh, slip, known)
    for told, matched in touched:
        mine = said.get(told.id)
        if count == AT_ONCE or (isinstance(who, Away) and matched.match is not Match.MATCH):
            continue
        words, fixed = _what_is_new(told, mine)
        if words or fixed:
            telling.words += wording.news(
                slip.language, told, watch.policy, at_ms, words=words, fixed=fixed,
                maybe=matched.match is Match.MAYBE, main=desk.centre.language,
            )  # fmt: skip
            count += 1
            await _note(desk, visit, slip, known, caller, told, matched)
        said[told.id] = Heard(told.version, _lasting(mine)).marked(*_told(told).marks)
    theirs = {told.id for told, _ in touched}
    for each in fresh:
        if each.id not in theirs and not isinstance(who, Away):
            mine = said.get(each.id)
            said[each.id] = Heard(each.version, mine.marks if mine else heards.OTHERS)
    telling.slip = replace(slip, heard=heards.packed(said))
    return telling


def _unheard(seen: Directive, slip: Slip) -> list[Told]:
    live = [told for told in seen.incidents[: heards.MOST] if not heards.knows(slip.heard, told)]
    over = [told for told in seen.over if f"~{told.id}." in slip.heard and not heards.knows(slip.heard, told)]
    return live + over


def _what_is_new(told: Told, mine: Heard | None) -> tuple[bool, bool]:
    """Whether its words are new to who has heard ``mine``, and whether it is news that it is fixed."""
    fixed = told.state in OVER
    if mine is None or mine.has(heards.OTHERS):
        first = told.state != IncidentState.RESOLVED
        return first, first and fixed
    relapsed = mine.has(heards.FIXED) and not fixed
    return told.said > mine.version or relapsed, fixed and not mine.has(heards.FIXED)


def _lasting(mine: Heard | None) -> str:
    """The marks that another version leaves as they are."""
    return "".join(mark for mark in mine.marks if mark not in (heards.OTHERS, heards.FIXED)) if mine else ""


# --- parts ------------------------------------------------------------------------------------------------


def _status(
    desk: Desk, watch: Watch, slip: Slip, told: Told, matched: Matched, now_ms: int, *, also: bool
) -> Iterable[Utterance]:
    if also:
        yield catalog.voice(slip.language, "incident_also")
    maybe = matched.match is Match.MAYBE
    yield from wording.status(
        slip.language, told, watch.policy, now_ms, maybe=maybe, main=desk.centre.language
    )


def _told(told: Told) -> Heard:
    return Heard(told.version, heards.FIXED if told.state in OVER else "")


async def _deflected(desk: Desk, watch: Watch, visit: Visit, caller: Caller) -> Deflection | None:
    """When they were turned to a text a short while ago: it is noted that they call again."""

    async def look() -> Deflection | None:
        async with answering(desk.sql_breaker, enrichment=True):
            return await deflection.called_again(watch, caller.number, visit.contact, visit.now_ms)

    found = await visit.enrich(look(), within_s=desk.budget.look_up_s) if caller.number else None
    return None if isinstance(found, Away) else found


async def _note(
    desk: Desk, visit: Visit, slip: Slip, who: Recognised, caller: Caller, told: Told, matched: Matched
) -> None:
    """Put on record what the caller was told: a call that ends before the line is known by it."""
    if not visit.contact:
        return
    card = replace(
        entering.card(slip, who.chosen(slip.location), caller),
        incident=told.id,
        match=matched.match.value,
        reason=matched.reason,
    )
    await visit.enrich(
        journal.write(
            desk.redis, desk.keys, "informed", at_ms=visit.now_ms, contact=visit.contact, incident=told.id,
            version=told.version, match=matched.match.value, card=card.packed(),
        )
    )  # fmt: skip


async def _note_spared(
    desk: Desk, visit: Visit, slip: Slip, who: Recognised, caller: Caller, told: Told, now: Directive
) -> None:
    """A dry run counts whom it would have turned to a text: with all that would have spared them anyway."""
    assert desk.watch is not None
    placed = entering.placed(desk.centre, desk.policy, slip, who.chosen(slip.location))
    found = await facts.gather(desk, visit, placed, caller)
    if isinstance(found, Away) or not visit.contact:
        return
    decided: Decision = decide(
        desk.watch.policy, facts.narrowed(now, found), told, Match.MATCH, found.known, visit.now_ms
    )
    if decided.would:
        await visit.enrich(
            journal.write(
                desk.redis, desk.keys, "spared", at_ms=visit.now_ms, contact=visit.contact, incident=told.id,
                why=decided.reason,
            )
        )  # fmt: skip


def again(desk: Desk, slip: Slip, who: Recognised, told: Told, now_ms: int) -> list[Utterance]:
    """The status that was told already, in the language of the slip."""
    for each, matched in concern.touching([told], slip, who):
        if desk.watch is not None:
            return [*_status(desk, desk.watch, slip, each, matched, now_ms, also=False)]
    return []


def asked_about(visit: Visit, now: Directive) -> Told | None:
    """The incident that the caller was asked about, if it is still told of."""
    return next((told for told in now.incidents if told.id == visit.query.get("about", "")), None)


def times_asked(visit: Visit) -> int:
    return min(slips.whole(visit.query.get("asked", "")) or 1, 99)
