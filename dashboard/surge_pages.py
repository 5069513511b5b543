"""The surge console, for leads and up: the level, the incidents, the one text box. Plain forms throughout."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from dashboard import surge_actions
from dashboard.auth import Who
from dashboard.drafts import Preview, Typed, typed
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, WhoDep
from dashboard.surge_scene import Console, console, preview_of
from dashboard.surge_views import (
    AUDIENCE_WORDS,
    DETECTOR_WORDS,
    SCOPE_WORDS,
    SEVERITY_WORDS,
)
from dashboard.views import LANGUAGE_WORDS, Said
from foundation.errors import Mendable
from surge.office import Conflict
from surge.states import IllegalMove
from surge.templates_said import TEMPLATES

router = APIRouter(route_class=Doorway, include_in_schema=False)

IncidentId = Annotated[str, Path(max_length=32)]
Number = Annotated[int, Form(ge=0, le=10**9)]
DONE = {
    "level": Said("good", "The level is set", "Doors know within two seconds."),
    "asked": Said("near", "A second person is asked", "Until they agree the line stays open."),
    "undone": Said("good", "Undone", "It is as it was before."),
    "renewed": Said("good", "Renewed"),
    "detector": Said("good", "The detector is switched"),
    "declared": Said("good", "Declared", "Callers whom it touches hear it from the next call on."),
    "posted": Said("good", "Posted", "On the phone, in texts, on the status page and in the agents’ script."),
    "scope": Said("good", "The scope is changed", "Everybody who waits is matched anew."),
    "reopened": Said("good", "Reopened", "Callers are told of it again."),
    "accepted": Said("good", "Accepted"),
    "dismissed": Said("good", "Dismissed"),
}
NEXT_MINUTES = (15, 20, 30, 60)


@router.get("/surge")
async def look(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    incident: Annotated[str, Query(max_length=32)] = "",
    suggestion: Annotated[int, Query(ge=0, le=10**9)] = 0,
    template: Annotated[int, Query(ge=-1, le=100)] = -1,
    done: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    told = Typed(incident=incident, suggestion=suggestion)
    return await page(request, floor, who, told, said=DONE.get(done), template=template)


# -- the level -------------------------------------------------------------------------------------------


@router.post("/surge/level")
async def set_level(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    level: Annotated[int, Form(ge=0, le=3)],
    seen: Annotated[int | None, Form(ge=0, le=3)] = None,
    reason: Annotated[str, Form(max_length=400)] = "",
) -> Response:
    verb = surge_actions.set_level(floor, who, level, seen, reason)
    return await _do(request, floor, who, verb, "asked" if level == 3 else "level")


@router.post("/surge/second")
async def second(
    request: Request, floor: FloorDep, who: WhoDep, agree: Annotated[bool, Form()] = False
) -> Response:
    return await _do(request, floor, who, surge_actions.second(floor, who, agree=agree), "level")


@router.post("/surge/undo")
async def undo(request: Request, floor: FloorDep, who: WhoDep) -> Response:
    return await _do(request, floor, who, surge_actions.undo(floor, who), "undone")


@router.post("/surge/renew")
async def renew(request: Request, floor: FloorDep, who: WhoDep) -> Response:
    return await _do(request, floor, who, surge_actions.renew(floor, who), "renewed")


@router.post("/surge/detector")
async def detector(
    request: Request, floor: FloorDep, who: WhoDep, mode: Annotated[str, Form(max_length=16)]
) -> Response:
    return await _do(request, floor, who, surge_actions.set_mode(floor, who, mode), "detector")


@router.post("/surge/suggestions/{suggestion}")
async def suggestion(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    suggestion: Annotated[int, Path(ge=0, le=10**9)],
    accept: Annotated[bool, Form()] = False,
) -> Response:
    """Dismiss it, or accept it: then its level is set. An incident is declared by the form it is put into."""
    verb = surge_actions.answer(floor, who, suggestion, accepted=accept)
    return await _do(request, floor, who, verb, "accepted" if accept else "dismissed")


# -- incidents -------------------------------------------------------------------------------------------


@router.post("/surge/preview")
async def show_preview(request: Request, floor: FloorDep, who: WhoDep) -> Response:
    """What would be heard: to htmx the preview alone, else the page with all that was typed."""
    told = typed(await request.form())
    seen = await preview_of(floor, told, await floor.watch.now())
    if request.headers.get("hx-request"):
        sheet = floor.templates.sheet("surge", who)
        kind = "say" if told.incident else "new"
        return HTMLResponse(floor.templates.text("_preview.html", sheet, preview=seen, kind=kind))
    return await page(request, floor, who, told, seen=seen)


@router.post("/surge/incidents")
async def declare(request: Request, floor: FloorDep, who: WhoDep) -> Response:
    told = typed(await request.form())
    return await _say(request, floor, who, told, surge_actions.declare(floor, who, told), "declared")


@router.post("/surge/incidents/{incident}/update")
async def update(request: Request, floor: FloorDep, who: WhoDep, incident: IncidentId) -> Response:
    told = typed(await request.form(), incident)
    return await _say(request, floor, who, told, surge_actions.post_update(floor, who, told), "posted")


@router.post("/surge/incidents/{incident}/edit")
async def edit(request: Request, floor: FloorDep, who: WhoDep, incident: IncidentId) -> Response:
    told = typed(await request.form(), incident)
    return await _do(request, floor, who, surge_actions.edit_scope(floor, who, told), "scope", incident)


@router.post("/surge/incidents/{incident}/reopen")
async def reopen(
    request: Request, floor: FloorDep, who: WhoDep, incident: IncidentId, version: Number = 0
) -> Response:
    verb = surge_actions.reopen(floor, who, incident, version)
    return await _do(request, floor, who, verb, "reopened", incident)


async def _say(
    request: Request, floor: Floor, who: Who, told: Typed, verb: Awaitable[Any], done: str
) -> Response:
    """Say it; or show the page with what was typed, what it lacks, and what another has said meanwhile."""
    try:
        row = await verb
    except Mendable as bad:
        lines = tuple(str(bad).splitlines())
        one = len(lines) == 1
        said = Said("past", "Nothing was posted", lines[0] if one else "", () if one else lines)
        seen = await preview_of(floor, told, await floor.watch.now())
        return await page(request, floor, who, told, said=said, seen=seen, status=422)
    except (Conflict, IllegalMove) as other:
        return await page(request, floor, who, told, said=first(other), theirs=other, status=409)
    return RedirectResponse(f"/surge?{urlencode({'incident': row.id, 'done': done})}", 303)


async def _do(
    request: Request, floor: Floor, who: Who, verb: Awaitable[Any], done: str, incident: str = ""
) -> Response:
    try:
        await verb
    except Mendable as bad:
        said = Said("past", "Nothing was changed", str(bad))
        return await page(request, floor, who, Typed(incident=incident), said=said, status=422)
    except (Conflict, IllegalMove) as other:
        return await page(request, floor, who, Typed(incident=incident), said=first(other), status=409)
    asked = {"incident": incident, "done": done}
    return RedirectResponse(f"/surge?{urlencode({k: v for k, v in asked.items() if v})}", 303)


def first(other: Conflict | IllegalMove) -> Said:
    if isinstance(other, IllegalMove):
        return Said("near", "Not from here", f"{str(other).capitalize()}.")
    return Said("near", "Somebody was first", str(other))


async def page(
    request: Request,
    floor: Floor,
    who: Who,
    told: Typed,
    *,
    said: Said | None = None,
    seen: Preview | None = None,
    theirs: Exception | None = None,
    template: int = -1,
    status: int = 200,
) -> Response:
    """The console. ``told`` is what was typed; nothing of it is lost."""
    look = await floor.watch.now(at_most_ms=0)
    now = await console(floor, who, look)
    chosen = now.incident(told.incident) or (now.live[0] if now.live and not told.title else None)
    suggested = next((each for each in now.suggestions if each.id == told.suggestion), None)
    if theirs is not None and chosen:  # what is posted next is posted over what the page now shows
        told = _over(told, chosen.version)
    return floor.templates.page(
        request,
        "surge.html",
        here="surge",
        who=who,
        status=status,
        said=said,
        trouble=None,
        **given(floor, now),
        chosen=chosen,
        told=told,
        typing=bool(told.words or told.title),
        theirs=theirs if isinstance(theirs, Conflict) and theirs.what else None,
        preview=seen,
        suggested=suggested,
        templates=list(enumerate(TEMPLATES)),
        template=TEMPLATES[template] if 0 <= template < len(TEMPLATES) else None,
        languages=[(code, LANGUAGE_WORDS.get(code, code)) for code in floor.rooms.surge.languages],
        severities=SEVERITY_WORDS,
        audiences=AUDIENCE_WORDS,
        scopes=SCOPE_WORDS,
        next_minutes=NEXT_MINUTES,
    )


def given(floor: Floor, now: Console) -> dict[str, Any]:
    """What the live parts of the console are given."""
    return {
        "now": now,
        "detectors": DETECTOR_WORDS,
        "expires_min": floor.rooms.surge.policy.expires_ms // 60_000,
        "undo_s": floor.rooms.surge.policy.undo_ms // 1_000,
    }


def _over(told: Typed, version: int) -> Typed:
    return replace(told, version=version)
