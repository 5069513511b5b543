"""The follow-ups, for leads and up: filters, many at once, the staged notice, and closing the list."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from carrier.numbers import masked
from dashboard import followup_actions
from dashboard.auth import Who
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, WhoDep
from dashboard.followup_views import (
    STATE_WORDS,
    TO_SAY,
    VERBS,
    WHY_WORDS,
    close_word,
    completion,
    follow_up_view,
)
from dashboard.reports import pager
from dashboard.surge_views import AUDIENCE_WORDS
from dashboard.views import Said
from foundation.errors import Mendable
from surge import lists
from surge.lists import Wanted
from surge.office import Conflict
from surge.states import IllegalMove

router = APIRouter(route_class=Doorway, include_in_schema=False)

PAGE = 50
DONE = {
    "closed": Said("good", "Closed", "Every follow-up of this incident has an end."),
    "paused": Said("near", "The notice is paused", "Nobody more is told that it is over until you go on."),
    "going": Said("good", "The notice goes on"),
}

Chosen = Annotated[list[str], Form(default_factory=list)]
Name = Annotated[str, Query(max_length=64)]
Word = Annotated[str, Form(max_length=32)]


@router.get("/followups")
async def follow_ups(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    state: Name = "unfinished",
    why: Name = "",
    incident: Name = "",
    audience: Name = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    done: Name = "",
    not_done: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    said = DONE.get(done)
    if done.isdecimal():
        left = f"{not_done} had moved on, or somebody else deals with them." if not_done else ""
        word = "follow-up" if done == "1" else "follow-ups"
        said = Said("near" if not_done else "good", f"Done: {done} {word}", left)
    return await _page(request, floor, who, Wanted(state, why, incident, audience), start=start, said=said)


@router.post("/followups/many")
async def many(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    chosen: Chosen,
    verb: Word = "",
    note: Annotated[str, Form(max_length=2_000)] = "",
    incident: Word = "",
) -> Response:
    """The same for all that are chosen; who has moved on meanwhile is left out, and counted."""
    try:
        told = await followup_actions.many(floor.rooms, who, chosen, verb, note)
    except Mendable as bad:
        said = Said("past", "Nothing was changed", str(bad))
        wanted = Wanted("unfinished", incident=incident)
        return await _page(request, floor, who, wanted, said=said, status=422)
    return _back(incident=incident, done=str(told.done), not_done=str(told.refused or ""))


@router.post("/followups/close")
async def close(request: Request, floor: FloorDep, who: WhoDep, incident: Word) -> Response:
    return await _do(
        request, floor, who, incident, followup_actions.close(floor.rooms, who, incident), "closed"
    )


@router.post("/followups/notices")
async def notices(
    request: Request, floor: FloorDep, who: WhoDep, incident: Word, go: Annotated[bool, Form()] = False
) -> Response:
    verb = followup_actions.notices(floor.rooms, who, incident, go=go)
    return await _do(request, floor, who, incident, verb, "going" if go else "paused")


async def _do(
    request: Request, floor: Floor, who: Who, incident: str, verb: Awaitable[None], done: str
) -> Response:
    wanted = Wanted("unfinished", incident=incident)
    try:
        await verb
    except Mendable as bad:
        said = Said("past", "Not yet", str(bad))
        return await _page(request, floor, who, wanted, said=said, status=422)
    except (Conflict, IllegalMove) as other:
        said = Said("near", "Somebody was first", str(other))
        return await _page(request, floor, who, wanted, said=said, status=409)
    return _back(incident=incident, done=done)


def _back(**asked: str) -> Response:
    return RedirectResponse(f"/followups?{urlencode({k: v for k, v in asked.items() if v})}", 303)


async def _page(
    request: Request,
    floor: Floor,
    who: Who,
    wanted: Wanted,
    *,
    start: int = 0,
    said: Said | None = None,
    status: int = 200,
) -> Response:
    rooms = floor.rooms
    ledger = await lists.ledger(rooms.sql, wanted, start=start, count=PAGE)
    names = {account.agent: account.name for account in await floor.gate.accounts.all()}
    known = await lists.incidents_with_follow_ups(rooms.sql)
    titles = {name: title for name, title, _ in known}
    story = await lists.story(rooms.sql, wanted.incident) if wanted.incident else None
    asked = {
        "state": wanted.state,
        "why": wanted.why,
        "incident": wanted.incident,
        "audience": wanted.audience,
    }
    query = urlencode({name: value for name, value in asked.items() if value})
    done = completion(ledger.counts)
    return floor.templates.page(
        request,
        "followups.html",
        here="followups",
        who=who,
        status=status,
        said=said,
        asked=asked,
        rows=[follow_up_view(row, masked, names, titles) for row in ledger.rows],
        done=done,
        incident=story.incident if story else None,
        notice=await followup_actions.notice_now(rooms, story) if story else None,
        closed=bool(story and any(event.kind == "ledger_closed" for event in story.events)),
        close_word=close_word(done.open),
        incidents=known,
        states=[("unfinished", "Without an end"), *((s.value, word) for s, (word, _) in STATE_WORDS.items())],
        whys=list(WHY_WORDS.items()),
        audiences=[(each, AUDIENCE_WORDS[each]) for each in TO_SAY],
        verbs=VERBS,
        to_say=TO_SAY,
        commitments=await lists.commitments(rooms.sql, wanted.incident),
        titles=titles,
        page=pager(start, PAGE, ledger.total, len(ledger.rows), "/followups", query),
    )
