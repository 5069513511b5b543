"""A recorded message instead of a talk: after hours, when the line is full, or by the caller's own choice."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace

from sqlalchemy.exc import IntegrityError

from announcements import catalog
from announcements.catalog import Utterance
from foundation.connections import answering
from ivr import callers, heard, slips, twiml
from ivr.desk import Desk
from ivr.slips import Slip
from ivr.visits import Visit
from queueing import journal
from queueing.tables import VoiceMessage

TRIES = 2
_RECORDING = re.compile(r"RE[0-9a-f]{32}")


def offer(desk: Desk, slip: Slip, *words: Utterance) -> str:
    """Say ``words``, ask for a message, and record it. Hanging up instead is always possible.

    After silence Twilio makes no recording and goes on to the next verb.
    """
    done_url = desk.url(f"/voice/message/done?{slip.query()}")
    recorded = desk.url("/voice/message/recording")
    return twiml.answer(
        twiml.say_all([*words, catalog.voice(slip.language, "message_prompt")]),
        twiml.record(action=done_url, recorded=recorded, max_s=desk.centre.message_max_s),
        twiml.redirect(done_url),
    )


async def ask(desk: Desk, visit: Visit) -> str:
    """``POST /voice/message``."""
    return offer(desk, slips.read(desk.centre, visit.query))


async def done(desk: Desk, visit: Visit) -> str:
    """``POST /voice/message/done``: the recording has ended. It is ours before we say so."""
    slip = slips.read(desk.centre, visit.query)
    goodbye = catalog.voice(slip.language, "goodbye")
    if not _length_s(visit):
        empty = catalog.voice(slip.language, "message_empty")
        if slip.tries + 1 < TRIES and not visit.over:
            again = catalog.voice(slip.language, "message_again")
            return offer(desk, replace(slip, tries=slip.tries + 1), empty, again)
        return twiml.answer(twiml.say_all([empty, goodbye]), twiml.hang_up())
    kept = [await visit.enrich(_keep(desk, visit)), await visit.enrich(_tell(desk, visit))]
    followed = any(each.has(heard.MESSAGE) for each in heard.read(slip.heard).values())
    thanks = catalog.voice(slip.language, "surge_closed_message_thanks" if followed else "message_thanks")
    words = [thanks, goodbye] if True in kept else [goodbye]
    return twiml.answer(twiml.say_all(words), twiml.hang_up())


async def recording(desk: Desk, visit: Visit) -> str:
    """``POST /voice/message/recording``: the recording can be fetched, or there is none."""
    if visit.form.get("RecordingStatus") == "completed" and _length_s(visit):
        await visit.enrich(_tell(desk, visit))
    return twiml.answer()


async def _keep(desk: Desk, visit: Visit) -> bool:
    """Into SQL, where it cannot be lost; what else is known of the caller comes with the journal."""
    sid = _sid(visit)
    if desk.sql is None or not sid or not visit.contact:
        return False
    message = VoiceMessage(
        id=sid,
        contact=visit.contact,
        at_ms=visit.now_ms,
        caller=callers.identify(desk, visit).number,
        length_s=_length_s(visit),
        url=_url(visit),
    )
    with contextlib.suppress(IntegrityError):  # somebody was faster
        async with answering(desk.sql_breaker), desk.sql.session() as session:
            if await session.get(VoiceMessage, sid) is None:
                session.add(message)
    return True


async def _tell(desk: Desk, visit: Visit) -> bool:
    """Into the journal: the contact's outcome is a message, whatever it was."""
    if not visit.contact:
        return False
    await journal.write(
        desk.redis,
        desk.keys,
        "message",
        at_ms=visit.now_ms,
        contact=visit.contact,
        recording=_sid(visit),
        length_s=_length_s(visit),
        url=_url(visit),
    )
    return True


def _length_s(visit: Visit) -> int:
    """Seconds of speech; 0 when nothing was recorded."""
    return slips.whole(visit.form.get("RecordingDuration", "")) if _url(visit) else 0


def _url(visit: Visit) -> str:
    url = visit.form.get("RecordingUrl", "")
    return url if url.startswith(("https://", "http://")) and len(url) <= 500 else ""


def _sid(visit: Visit) -> str:
    """The recording's SID: a parameter of the callback, the end of the URL in the action."""
    found = _RECORDING.search(visit.form.get("RecordingSid", "")) or _RECORDING.search(_url(visit))
    return found[0] if found else ""
