"""When Twilio could not get a usable answer from another door, it asks here."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import structlog

from announcements import catalog
from ivr import callers, connecting, endings, entering, slips, standing, twiml
from ivr.desk import Desk
from ivr.visits import Visit
from queueing.records import ContactNow


async def answer(desk: Desk, visit: Visit) -> str:
    """``POST /voice/fallback``: back to where the caller belongs; nowhere yet, then into the line."""
    structlog.get_logger().error(
        "fallback_asked",
        call=visit.contact,
        error=visit.form.get("ErrorCode", "")[:10],
        url=visit.form.get("ErrorUrl", "").partition("?")[0][:200],
    )
    slip = slips.read(desk.centre, visit.query)
    if visit.is_agents:
        return twiml.answer(twiml.say(catalog.voice(slip.language, "trouble_goodbye")), twiml.hang_up())
    failed = urlsplit(visit.form.get("ErrorUrl", ""))
    if failed.path.endswith("/voice/after"):  # the talk is over: back in the conference nobody would be there
        return await connecting.after(desk, replace(visit, query=dict(parse_qsl(failed.query))))
    if visit.over:
        await endings.hang_up(desk, visit, callers.identify(desk, visit))
        return twiml.answer(twiml.hang_up())
    trouble = catalog.voice(slip.language, "trouble")
    now = await visit.enrich(desk.line.contact(visit.contact))
    if isinstance(now, ContactNow):
        slip = standing.slip_of(desk, now, slip)
        return standing.answer(desk, visit, now, slip, catalog.voice(slip.language, "trouble"))
    return await entering.join(desk, visit, slip, trouble)
