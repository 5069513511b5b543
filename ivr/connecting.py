"""The caller meets the agent: out of the queue, into the conference, and what comes after.

Who ends it: when either leg goes, the conference ends for both. The caller's leg then asks here what is next;
the agent's leg hangs up.
"""

from __future__ import annotations

from announcements import catalog
from announcements.catalog import Utterance
from ivr import callers, endings, entering, slips, standing, twiml
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Away, Visit
from queueing.records import ContactNow
from queueing.states import ContactState

SHORTEST_TALK_MS = 45_000
"""Without Redis: a caller whose conference ended later than this has talked; one before may not have."""


async def connect(desk: Desk, visit: Visit) -> str:
    """``POST /voice/connect``: the caller's leg, just taken out of the queue for an agent who accepted."""
    slip = slips.read(desk.centre, visit.query)
    now = await visit.enrich(desk.line.contact(visit.contact))
    if isinstance(now, ContactNow):
        slip = standing.slip_of(desk, now, slip)
        return standing.answer(desk, visit, now, slip, catalog.voice(slip.language, "still_connecting"))
    return standing.meet(desk, visit, slip, slips.whole(visit.query.get("fence", "")))


async def connecting(desk: Desk, visit: Visit) -> str:
    """``POST /voice/connecting``: alone in the conference until the other is in; or on hold."""
    slip = slips.read(desk.centre, visit.query)
    clip = slips.whole(visit.query.get("clip", ""))
    held = "&held=1" if visit.query.get("held") else ""
    words = "" if clip else twiml.say(catalog.voice(slip.language, "hold_by_agent" if held else "connecting"))
    onward = desk.url(f"/voice/connecting?lang={slip.language}&clip={clip + 1}{held}")
    return twiml.answer(words, twiml.play(desk.clip(clip)), twiml.redirect(onward))


async def after(desk: Desk, visit: Visit) -> str:
    """``POST /voice/after``: the conference is over, for the caller."""
    slip = slips.read(desk.centre, visit.query)
    if visit.over:
        await endings.hang_up(desk, visit, callers.identify(desk, visit))
        return twiml.answer(twiml.hang_up())
    now = await visit.enrich(_settle(desk, visit))
    if isinstance(now, Away):
        return _without_place(desk, visit, slip)
    if now is None:
        return entering.goodbye(desk, slip)
    slip = standing.slip_of(desk, now, slip)
    # Once answered and in the line again, the caller was transferred: the redirect that follows says so.
    words = () if now.answered_ms else (catalog.voice(slip.language, "agent_lost"),)
    return standing.answer(desk, visit, now, slip, *words)


def surely_talked(visit: Visit) -> bool:
    """Without Redis: the agent who ended it had met the caller, or the conference was long enough for it."""
    since_ms = slips.whole(visit.query.get("since", ""))
    long = since_ms > 0 and visit.now_ms - since_ms >= SHORTEST_TALK_MS
    return long or bool(visit.query.get("met"))


async def requeue(desk: Desk, visit: Visit) -> str:
    """``POST /voice/requeue``: back into the queue, after a transfer or an agent lost on the way."""
    slip = slips.read(desk.centre, visit.query)
    now = await visit.enrich(desk.line.contact(visit.contact))
    slip = standing.slip_of(desk, now, slip) if isinstance(now, ContactNow) else slip
    slip = entering.placed(desk.centre, desk.policy, slip)
    words = _why_back(slip, visit.query.get("why", ""))
    if isinstance(now, ContactNow):
        return standing.answer(desk, visit, now, slip, words)
    return entering.enqueue(desk, slip, words, contact=visit.contact)


def _why_back(slip: Slip, why: str) -> Utterance:
    language = slip.language
    if why == "transfer":
        return catalog.voice(language, "transfer", queue=catalog.name(language, "queue", slip.queue))
    return catalog.voice(language, "agent_lost" if why == "lost" else "holding")


async def _settle(desk: Desk, visit: Visit) -> ContactNow | None:
    """The conference is over while the caller is still there, so the agent has gone.

    They had met: the talk is over. They had not: the caller goes back to the old place.
    """
    fence = slips.whole(visit.query.get("fence", ""))
    now = await desk.line.contact(visit.contact)
    if now is None or now.fence != fence:
        return now
    if now.state is ContactState.CONNECTED:
        await desk.line.finish(visit.contact, visit.now_ms)
        return await desk.line.contact(visit.contact)
    if not now.answered_ms:
        await desk.legs.note_back(visit.contact, fence)  # said here: no need to fetch the caller to hear it
    if now.state is ContactState.RESERVED and now.accepted:
        await desk.line.fail_join(visit.contact, visit.now_ms)
        return await desk.line.contact(visit.contact)
    return now


def _without_place(desk: Desk, visit: Visit, slip: Slip) -> str:
    """Redis is away. A long conference was a talk; after a short one the caller is held, rather than lost."""
    if surely_talked(visit):
        return entering.goodbye(desk, slip)
    slip = entering.placed(desk.centre, desk.policy, slip)
    return entering.enqueue(desk, slip, catalog.voice(slip.language, "holding"), contact=visit.contact)
