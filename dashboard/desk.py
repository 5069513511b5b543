"""The agent's page and its buttons. Each button is a plain form: it works without any script, and htmx only
spares the page a reload."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from callbacks.office import Conflict
from dashboard import actions
from dashboard.auth import Who
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, WhoDep
from dashboard.problems import Problem
from dashboard.scene import Case, Scene, look_at_desk
from dashboard.streams import desk_given, scene_text
from dashboard.views import Said
from foundation.errors import Mendable, Unavailable

router = APIRouter(route_class=Doorway, include_in_schema=False)

Contact = Annotated[str, Form(max_length=64)]
Fence = Annotated[int, Form(ge=0, le=10**9)]

NOTES = {
    "lost-race": Said("near", "The contact has moved on", "It went back to the line, or the caller hung up."),
    "not-now": Said("near", "Not now", "From where things stand, that cannot be done."),
    "not-found": Said("near", "The contact is gone", "The line does not know it any more."),
    "away": Said(
        "near",
        "The line's memory does not answer",
        "Nothing was changed. Calls go on; press again in a moment.",
    ),
}


@router.get("/desk")
async def desk(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    owed: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    return await _page(request, floor, who, start=owed)


@router.post("/desk/ready")
async def ready(
    request: Request, floor: FloorDep, who: WhoDep, line: Annotated[str, Form(max_length=16)] = ""
) -> Response:
    return await press(request, floor, who, actions.go_ready(floor.rooms, who, line))


@router.post("/desk/away")
async def away(
    request: Request, floor: FloorDep, who: WhoDep, reason: Annotated[str, Form(max_length=200)] = ""
) -> Response:
    return await press(request, floor, who, actions.go_away(floor.rooms, who, reason))


@router.post("/desk/off")
async def off(request: Request, floor: FloorDep, who: WhoDep) -> Response:
    return await press(request, floor, who, actions.go_off(floor.rooms, who))


@router.post("/desk/accept")
async def accept(request: Request, floor: FloorDep, who: WhoDep, contact: Contact, fence: Fence) -> Response:
    return await press(request, floor, who, actions.accept(floor.rooms, who, contact, fence))


@router.post("/desk/decline")
async def decline(request: Request, floor: FloorDep, who: WhoDep, contact: Contact, fence: Fence) -> Response:
    return await press(request, floor, who, actions.decline(floor.rooms, who, contact, fence))


@router.post("/desk/hold")
async def hold(request: Request, floor: FloorDep, who: WhoDep, contact: Contact, fence: Fence) -> Response:
    return await press(request, floor, who, actions.hold(floor.rooms, who, contact, fence))


@router.post("/desk/unhold")
async def unhold(request: Request, floor: FloorDep, who: WhoDep, contact: Contact, fence: Fence) -> Response:
    return await press(request, floor, who, actions.unhold(floor.rooms, who, contact, fence))


@router.post("/desk/transfer")
async def transfer(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    contact: Contact,
    fence: Fence,
    queue: Annotated[str, Form(max_length=64)],
) -> Response:
    return await press(request, floor, who, actions.transfer(floor.rooms, who, contact, fence, queue))


@router.post("/desk/hang-up")
async def hang_up(request: Request, floor: FloorDep, who: WhoDep, contact: Contact, fence: Fence) -> Response:
    return await press(request, floor, who, actions.hang_up(floor.rooms, who, contact, fence))


@router.post("/desk/wrap-up")
async def wrap_up(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    contact: Contact,
    fence: Fence,
    outcome: Annotated[str, Form(max_length=40)],
    note: Annotated[str, Form(max_length=4_000)] = "",
    disposition: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    verb = actions.wrap_up(floor.rooms, who, contact, fence, outcome, note, disposition)
    return await press(request, floor, who, verb)


async def press(request: Request, floor: Floor, who: Who, verb: Awaitable[Said | None]) -> Response:
    """Do it, then show how things stand: the desk alone to htmx; a redirect to others, or what went wrong."""
    said, status = None, 200
    try:
        said = await verb
    except Conflict as other:
        said, status = _was_first(other), 409
    except Mendable as bad:
        said, status = Said("past", "That did not work", str(bad)), 422
    except Problem as problem:
        said, status = NOTES.get(problem.kind, NOTES["not-now"]), problem.status
    except Unavailable:
        said, status = NOTES["away"], 503
    if request.headers.get("hx-request"):
        scene = await _scene(floor, who)
        notes = floor.templates.text("_notes.html", floor.templates.sheet("desk", who), said=said)
        return HTMLResponse(scene_text(floor, who, "_desk.html", scene) + notes, status)
    if said is None:
        return RedirectResponse("/desk", 303)
    return await _page(request, floor, who, said, status)


def _was_first(other: Conflict) -> Said:
    """Who has it, when it was another agent."""
    if other.who:
        return Said("near", f"{other.who} has it", str(other))
    return Said("near", "The promise has moved on", str(other))


async def _page(
    request: Request,
    floor: Floor,
    who: Who,
    said: Said | None = None,
    status: int = 200,
    start: int = 0,
) -> Response:
    scene = await _scene(floor, who, start)
    return floor.templates.page(
        request,
        "desk.html",
        here="desk",
        who=who,
        status=status,
        **desk_given(scene),
        said=said,
        softphone=floor.rooms.softphone.kind,
    )


async def _scene(floor: Floor, who: Who, start: int = 0) -> Scene:
    """The desk as it stands this moment; while Redis is away, as it was seen last."""
    look = await floor.watch.now()
    seen_ms = floor.rooms.clock.now_ms()
    try:
        agent = await floor.rooms.roster.agent(who.agent)
    except Unavailable:
        agent, seen_ms = look.agent(who.agent), look.board.at_ms if look.board else 0
        look = replace(look, trouble="redis")
    directive = await floor.bands.directive()
    return await look_at_desk(floor.rooms, who, look, Case(), agent, seen_ms, start, directive)
