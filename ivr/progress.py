"""What Twilio tells of a call while nobody listens: its end, and who joined and left the conference.

These may come late, twice, or in any order. The body of the answer is ignored; the state in Redis decides
what a word still means.
"""

from __future__ import annotations

from ivr import callers, endings, slips, twiml
from ivr.desk import Desk
from ivr.visits import Visit, named_contact
from queueing.records import ContactNow
from queueing.states import ContactState

_GONE = frozenset({"participant-leave", "conference-end"})


async def status(desk: Desk, visit: Visit) -> str:
    """``POST /voice/status``: a caller's call has ended. From wherever it stood, it is over."""
    if visit.over and not visit.is_agents:
        await endings.hang_up(desk, visit, callers.identify(desk, visit))
    return twiml.answer()


async def conference(desk: Desk, visit: Visit) -> str:
    """``POST /voice/conference``: the two have met, or one of them has gone."""
    contact = named_contact(visit.query.get("contact", ""))
    fence = slips.whole(visit.query.get("fence", ""))
    if contact and fence:
        await visit.enrich(_follow(desk, visit, contact, fence))
    return twiml.answer()


async def _follow(desk: Desk, visit: Visit, contact: str, fence: int) -> None:
    event, label = visit.form.get("StatusCallbackEvent", ""), visit.form.get("ParticipantLabel", "")
    now = await desk.line.contact(contact)
    if now is None or now.fence != fence:
        return  # word of an earlier reservation's conference
    if event == "conference-start" or (event == "participant-join" and await _both_in(desk, now, label)):
        await desk.line.connect(contact, visit.now_ms, now.agent)
    elif event in _GONE and now.state is ContactState.CONNECTED:
        await desk.line.finish(contact, visit.now_ms)
    elif event == "participant-leave" and label == "agent" and now.accepted:
        await desk.line.fail_join(contact, visit.now_ms)


async def _both_in(desk: Desk, now: ContactNow, label: str) -> bool:
    """They have met when both have joined, also when the word of the start is lost."""
    return label in ("caller", "agent") and await desk.legs.note_joined(now.contact, now.fence, label) == 2
