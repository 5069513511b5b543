"""One incident afterwards: what was said, what was promised by a date, the chapter of the post-mortem."""

from __future__ import annotations

from datetime import datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from dashboard import chapters, surge_actions
from dashboard.auth import Who
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, WhoDep
from dashboard.followup_views import completion
from dashboard.problems import Problem
from dashboard.surge_views import STATE_WORDS, event_views, scope_words
from dashboard.views import LANGUAGE_WORDS, Said
from foundation.errors import Mendable
from surge import commitments, lists
from surge.states import IncidentState

router = APIRouter(route_class=Doorway, include_in_schema=False)

IncidentId = Annotated[str, Path(max_length=32)]
Word = Annotated[str, Form(max_length=300)]
DUE_AT = time(17, 0)
"""A date means the end of that working day."""


@router.get("/surge/incidents/{incident}")
async def story(request: Request, floor: FloorDep, who: WhoDep, incident: IncidentId) -> Response:
    return await _page(request, floor, who, incident)


@router.get("/surge/incidents/{incident}/chapter.md")
async def chapter(floor: FloorDep, who: WhoDep, incident: IncidentId) -> Response:
    """The support chapter as Markdown, to be put into the post-mortem."""
    text = await chapters.chapter_of(floor.rooms, await _story(floor, incident))
    return Response(
        text,
        media_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="support-{incident}.md"'},
    )


@router.post("/surge/incidents/{incident}/commitments")
async def commit(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    incident: IncidentId,
    what: Word = "",
    owner: Word = "",
    due: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    rooms = floor.rooms
    await surge_actions.known(floor, incident)
    try:
        told, whose = " ".join(what.split())[:200], " ".join(owner.split())[:64]
        if not told or not whose:
            raise Mendable("Say what is promised, and who owns it.")
        due_ms = _due_ms(due, rooms.time_zone)
        now_ms = rooms.clock.now_ms()
        await commitments.make(rooms.surge, incident, told, whose, due_ms, who.agent, now_ms)
    except Mendable as bad:
        said = Said("past", "Nothing was written down", str(bad))
        return await _page(request, floor, who, incident, said=said, status=422)
    return RedirectResponse(f"/surge/incidents/{incident}#commitments", 303)


@router.post("/surge/commitments/{commitment}/done")
async def done(
    floor: FloorDep, who: WhoDep, commitment: Annotated[int, Path(ge=0, le=10**9)], incident: Word = ""
) -> Response:
    rooms = floor.rooms
    await commitments.done(rooms.surge, commitment, who.agent, rooms.clock.now_ms())
    back = f"/surge/incidents/{incident}#commitments" if incident.isalnum() else "/followups"
    return RedirectResponse(back, 303)


def _due_ms(text: str, zone: str) -> int:
    """Raises Mendable for what is no date."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  a date has no zone
    except ValueError:
        raise Mendable("Write the date as 2026-11-30.") from None
    return round(datetime.combine(day, DUE_AT, ZoneInfo(zone)).timestamp() * 1000)


async def _story(floor: Floor, incident: str) -> lists.Story:
    found = await lists.story(floor.rooms.sql, incident)
    if found is None:
        raise Problem("not-found", "There is no such incident.")
    return found


async def _page(
    request: Request, floor: Floor, who: Who, incident: str, *, said: Said | None = None, status: int = 200
) -> Response:
    told = await _story(floor, incident)
    names = {account.agent: account.name for account in await floor.gate.accounts.all()}
    return floor.templates.page(
        request,
        "incident.html",
        here="surge",
        who=who,
        status=status,
        said=said,
        row=told.incident,
        live=told.incident.state != IncidentState.RESOLVED,
        state=STATE_WORDS[IncidentState(told.incident.state)],
        scope=scope_words(told.incident.scope),
        updates=[
            (each, STATE_WORDS[IncidentState(each.state)].partition(":")[0], names.get(each.by, each.by))
            for each in told.updates
        ],
        languages=LANGUAGE_WORDS,
        events=event_views(list(reversed(told.events)), names, {}),
        commitments=told.commitments,
        people=sorted(names.values()),
        done=completion(told.follow_ups),
        chapter=await chapters.chapter_of(floor.rooms, told),
    )
