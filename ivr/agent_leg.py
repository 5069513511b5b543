"""The agent's own leg: a softphone that dials in, or a telephone that we ring.

A softphone says by its signed identity whose it is; a telephone, by the URL that we gave to its call.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from announcements import catalog
from announcements.catalog import Utterance
from ivr import slips, standing, twiml
from ivr.desk import Desk
from ivr.visits import Away, Visit, named_contact
from queueing.names import is_turn
from queueing.records import ContactNow, Outcome
from queueing.states import ContactState

PRESS_S = 8
"""How long an agent on the telephone may think before pressing 1."""

_NOT_REACHED = frozenset({"busy", "failed"})


@dataclass(frozen=True, slots=True)
class Errand:
    """Which reservation a leg is about."""

    contact: str
    agent: str
    fence: int

    def query(self) -> str:
        return f"contact={self.contact}&agent={quote(self.agent, safe='')}&fence={self.fence}"


async def softphone(desk: Desk, visit: Visit) -> str:
    """``POST /voice/agent``: a softphone has dialled in for the contact it accepted (or has connected to)."""
    errand = _by_identity(visit)
    now = await visit.enrich(desk.line.contact(errand.contact))
    if isinstance(now, Away):  # Twilio vouches for who it is; a caller may be waiting in there
        known = bool(errand.contact and errand.agent)
    else:
        known = now is not None and _holds(now, errand)
    if not known:
        return _turned_down(desk, "agent_too_late")
    return await _meet(desk, visit, errand)


async def answered(desk: Desk, visit: Visit) -> str:
    """``POST /voice/agent/answer``: the agent's telephone was picked up. Who rings, and press 1."""
    errand = _by_url(visit)
    now = await visit.enrich(desk.line.contact(errand.contact))
    if not isinstance(now, Away) and not (now and _may_take(now, errand)):
        return _turned_down(desk, "agent_too_late")
    words = _whisper(desk, now if isinstance(now, ContactNow) else None)
    inside = twiml.say_all([*words, catalog.voice(desk.centre.language, "agent_press_one")])
    accept = desk.url(f"/voice/agent/accept?{errand.query()}")
    return twiml.answer(
        twiml.gather_key(accept, inside, timeout_s=PRESS_S),
        twiml.say(catalog.voice(desk.centre.language, "agent_no_key")),
        twiml.hang_up(),
    )


async def accept(desk: Desk, visit: Visit) -> str:
    """``POST /voice/agent/accept``: a key on the agent's telephone. 1 takes the call; any other does not."""
    errand = _by_url(visit)
    tries = slips.whole(visit.query.get("t", ""))
    if visit.form.get("Digits", "") != "1" and not tries:
        await visit.enrich(desk.line.decline(errand.contact, errand.agent, errand.fence, visit.now_ms))
        return _turned_down(desk, "agent_no_key")
    # A merchant has to be rung first, which takes longer than to fetch a caller.
    within_ms = desk.office.policy.dial_ms if desk.office and is_turn(errand.contact) else None
    accepting = desk.line.accept(errand.contact, errand.agent, errand.fence, visit.now_ms, within_ms)
    outcome = await visit.enrich(accepting)
    if isinstance(outcome, Away):
        if tries >= 2:
            return _turned_down(desk, "trouble_goodbye")
        again = desk.url(f"/voice/agent/accept?{errand.query()}&t={tries + 1}")
        trouble = twiml.say(catalog.voice(desk.centre.language, "trouble"))
        return twiml.answer(trouble, twiml.pause(2), twiml.redirect(again))
    if outcome not in (Outcome.DONE, Outcome.ALREADY):
        return _turned_down(desk, "agent_too_late")
    return await _meet(desk, visit, errand, catalog.voice(desk.centre.language, "agent_connecting"))


async def after(desk: Desk, visit: Visit) -> str:
    """``POST /voice/agent/after``: the conference is over, for the agent."""
    now = await visit.enrich(_settle(desk, visit, _by_url(visit)))
    lost = isinstance(now, ContactNow) and now.state is ContactState.ENDED and not now.answered_ms
    words = (
        twiml.say(catalog.voice(desk.centre.language, "agent_lost_caller")) if lost and not visit.over else ""
    )
    return twiml.answer(words, twiml.hang_up())


async def status(desk: Desk, visit: Visit) -> str:
    """``POST /voice/agent/status``: an agent's leg has ended, or was never picked up."""
    if visit.over:
        await visit.enrich(_leg_ended(desk, visit))
    return twiml.answer()


async def _leg_ended(desk: Desk, visit: Visit) -> None:
    errand = _by_url(visit)
    if not errand.contact:  # a softphone's: the identity tells whose, the note which reservation
        errand = await _by_note(desk, visit)
    if not errand.contact:
        return
    if visit.form.get("CallStatus") in _NOT_REACHED:
        # Not a matter of waiting: the telephone cannot be reached now, so the agent is not asked again.
        await desk.line.decline(errand.contact, errand.agent, errand.fence, visit.now_ms, away=True)
    else:
        await _settle(desk, visit, errand)


async def _by_note(desk: Desk, visit: Visit) -> Errand:
    agent = _identity(visit)
    now = await desk.roster.agent(agent) if agent else None
    if now is None or await desk.legs.agent(now.contact, now.fence) != visit.contact:
        return Errand("", agent, 0)
    return Errand(now.contact, agent, now.fence)


async def _settle(desk: Desk, visit: Visit, errand: Errand) -> ContactNow | None:
    """The agent's leg is out of the conference. They had met: the talk is over. They had not, and the agent
    has hung up: the caller goes back to the old place. (Has the caller gone, the caller's own leg tells.)
    """
    now = await desk.line.contact(errand.contact)
    if now is None or now.agent != errand.agent or now.fence != errand.fence:
        return now
    if now.state is ContactState.CONNECTED:
        await desk.line.finish(errand.contact, visit.now_ms)
    elif now.state is ContactState.RESERVED and now.accepted and visit.over:
        await desk.line.fail_join(errand.contact, visit.now_ms)
    return now


async def _meet(desk: Desk, visit: Visit, errand: Errand, *words: Utterance) -> str:
    await visit.enrich(desk.legs.note_agent(errand.contact, errand.fence, visit.contact))
    return twiml.answer(
        twiml.say_all(words),
        twiml.conference(
            standing.conference_name(errand.contact, errand.fence),
            label="agent",
            action=desk.url(f"/voice/agent/after?{errand.query()}"),
            wait_url=desk.url(f"/voice/connecting?lang={desk.centre.language}&clip=1"),
            status=standing.conference_status(desk, errand.contact, errand.fence),
        ),
    )


def _turned_down(desk: Desk, key: str) -> str:
    return twiml.answer(twiml.say(catalog.voice(desk.centre.language, key)), twiml.hang_up())


def _whisper(desk: Desk, now: ContactNow | None) -> list[Utterance]:
    language = desk.centre.language
    if now is None or not now.card.merchant:
        words = [catalog.voice(language, "agent_whisper_unknown")]
    else:
        words = [catalog.voice(language, "agent_whisper", merchant=now.card.merchant)]
    topic = desk.centre.topic(now.card.topic) if now else None
    return [*words, catalog.voice(language, "agent_about", topic=topic.name(language))] if topic else words


def _holds(now: ContactNow, errand: Errand) -> bool:
    """The agent accepted this reservation, and it is the present one."""
    mine = now.agent == errand.agent and now.fence == errand.fence
    return mine and (
        now.state is ContactState.CONNECTED or (now.state is ContactState.RESERVED and now.accepted)
    )


def _may_take(now: ContactNow, errand: Errand) -> bool:
    return now.state is ContactState.RESERVED and now.agent == errand.agent and now.fence == errand.fence


def _by_url(visit: Visit) -> Errand:
    query = visit.query
    agent = query.get("agent", "")
    return Errand(named_contact(query.get("contact", "")), agent, slips.whole(query.get("fence", "")))


def _by_identity(visit: Visit) -> Errand:
    form = visit.form
    fence = slips.whole(form.get("fence", ""))
    return Errand(named_contact(form.get("contact", "")), _identity(visit), fence)


def _identity(visit: Visit) -> str:
    """Who dials in: the identity in the softphone's token, which Twilio has checked."""
    raw = visit.form.get("From", "")
    return unquote(raw.removeprefix("client:")) if raw.startswith("client:") else ""
