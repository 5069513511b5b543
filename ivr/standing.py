"""Where a caller belongs, by what the line knows of the contact: the answer of every door that finds itself
asked about a call whose stage it cannot tell from the request alone."""

from __future__ import annotations

from dataclasses import replace

from announcements.catalog import Utterance
from ivr import entering, slips, twiml
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Visit
from queueing.records import ContactNow
from queueing.states import ContactState


def answer(desk: Desk, visit: Visit, now: ContactNow, slip: Slip, *words: Utterance) -> str:
    """In the line: hold the call, after ``words``. With an agent: into the conference. Ended: goodbye."""
    if now.state is ContactState.ENDED:
        return entering.goodbye(desk, slip)
    if not is_held(now):
        return meet(desk, visit, slip, now.fence)
    return entering.enqueue(desk, slip, *words, contact=visit.contact)


def is_held(now: ContactNow) -> bool:
    """Whether the call waits in the line, and hears words."""
    return now.state not in (ContactState.CONNECTED, ContactState.ENDED) and not now.accepted


def slip_of(desk: Desk, now: ContactNow, known: Slip | None = None) -> Slip:
    """The slip of a contact in the line; ``known``: what the request tells beside it."""
    language = now.card.language if now.card.language in desk.centre.languages else desk.centre.language
    carried = known or Slip(language, merchant=now.card.merchant_id or 0)
    return replace(carried, language=language, topic=now.card.topic, queue=now.queue, band=now.band, tries=0)


def meet(desk: Desk, visit: Visit, slip: Slip, fence: int) -> str:
    """The caller's leg into the conference where the agent is, or soon will be."""
    since = slips.whole(visit.query.get("since", ""))
    carried = f"{slip.query()}&fence={fence}" + (f"&since={since}" if since else "")
    after = desk.url(f"/voice/after?{carried}")
    return twiml.answer(into_conference(desk, visit.contact, fence, slip.language, after))


def into_conference(desk: Desk, contact: str, fence: int, language: str, after: str) -> str:
    """The verb that brings the caller's side of ``contact`` there; ``after`` is asked when it is over."""
    return twiml.conference(
        conference_name(contact, fence),
        label="caller",
        action=after,
        wait_url=desk.url(f"/voice/connecting?lang={language}"),
        status=conference_status(desk, contact, fence),
    )


def conference_name(contact: str, fence: int) -> str:
    """One conference for each reservation: a late leg of an earlier one cannot walk into this one."""
    return f"{contact}-{fence}"


def conference_status(desk: Desk, contact: str, fence: int) -> str:
    """Where Twilio tells of joins and leaves; the same for both legs."""
    return desk.url(f"/voice/conference?contact={contact}&fence={fence}")
