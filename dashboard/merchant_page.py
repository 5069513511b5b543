"""A merchant's own page of a callback, by the link in the text: no login, no script.

The token in the address is the key: the pages are never kept, and tell no other site of it (``entrance``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from announcements.written import written
from callbacks import links, promises, windows
from callbacks.moments import bounds
from callbacks.office import Conflict
from callbacks.states import PromiseState
from callbacks.tables import Promise
from carrier.numbers import masked
from dashboard import promise_actions
from dashboard.attempts import Limit
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep
from dashboard.merchant_view import CHANGEABLE, Shown, merchant_view
from dashboard.views import Said
from foundation.errors import Mendable, Unavailable

router = APIRouter(route_class=Doorway, include_in_schema=False)

PER_ADDRESS = Limit(120, 300)
PER_LINK = Limit(60, 300)
BY = "merchant"
DONE = ("later", "turn", "cancel")
MINUTES = {"+30": 30, "+60": 60}

Typed = Annotated[str, Form(max_length=40)]
Version = Annotated[int, Form(ge=0, le=10**9)]


@dataclass(frozen=True, slots=True)
class Typing:
    """What was typed into the form, so that it is not lost when it does not fit."""

    day: str = ""
    start: str = ""
    end: str = ""
    fault: str = ""


@router.get("/c/{token}")
async def look(request: Request, floor: FloorDep, token: str, done: str = "") -> Response:
    said = done if done in DONE else ""
    return await _enter(request, floor, token, lambda row: _page(request, floor, row, token, done=said))


@router.post("/c/{token}/later")
async def later(
    request: Request, floor: FloorDep, token: str, version: Version, spot: Typed = ""
) -> Response:
    """A time that was offered: so many minutes from now, or one of the windows."""

    async def verb(row: Promise) -> None:
        cb, now_ms = floor.rooms.office, floor.rooms.clock.now_ms()
        if spot in MINUTES:
            await promises.later(cb, row.id, MINUTES[spot], BY, now_ms)
            return
        offered = [(window.start_ms, window.end_ms) for window in _choices(floor, row)]
        chosen = next((one for one in offered if f"{one[0]}-{one[1]}" == spot), None)
        if chosen is None:
            raise Conflict("That time is not offered any more.")
        await promises.reschedule(cb, row.id, chosen, BY, now_ms)

    return await _change(request, floor, token, version, "later", verb)


@router.post("/c/{token}/window")
async def window(
    request: Request,
    floor: FloorDep,
    token: str,
    version: Version,
    day: Typed = "",
    start: Typed = "",
    end: Typed = "",
) -> Response:
    """A time of the merchant's own, on the merchant's own clock."""

    async def verb(row: Promise) -> None:
        now_ms = floor.rooms.clock.now_ms()
        found = windows.parse_window(_bounds(floor, row), day.strip(), start.strip(), end.strip(), now_ms)
        await promises.reschedule(floor.rooms.office, row.id, (found.start_ms, found.end_ms), BY, now_ms)

    typed = Typing(day, start, end)
    return await _change(request, floor, token, version, "later", verb, typed)


@router.post("/c/{token}/turn")
async def turn(request: Request, floor: FloorDep, token: str, version: Version) -> Response:
    """As soon as it is my turn."""

    async def verb(row: Promise) -> None:
        await promises.reschedule(floor.rooms.office, row.id, None, BY, floor.rooms.clock.now_ms())

    return await _change(request, floor, token, version, "turn", verb)


@router.post("/c/{token}/cancel")
async def cancel(request: Request, floor: FloorDep, token: str, version: Version) -> Response:
    async def verb(row: Promise) -> None:
        now_ms = floor.rooms.clock.now_ms()
        await promises.cancel(floor.rooms.office, row.id, "the merchant's own page", BY, now_ms)

    return await _change(request, floor, token, version, "cancel", verb)


# -- the way in ------------------------------------------------------------------------------------------


async def _enter(
    request: Request, floor: Floor, token: str, go_on: Callable[[Promise], Awaitable[Response]]
) -> Response:
    """The promise of the link, when the link is good and not asked for too often."""
    rooms = floor.rooms
    wall_ms = rooms.wall.now_ms()
    address = request.client.host if request.client else "?"
    wait_s = await floor.gate.attempts.admit(f"link-from:{address}", PER_ADDRESS, wall_ms)
    promise = links.read(rooms.office.secret, token)
    if promise and not wait_s:
        wait_s = await floor.gate.attempts.admit(f"link:{promise}", PER_LINK, wall_ms)
    if wait_s:
        page = _dead(request, floor, "busy", 429)
        page.headers["Retry-After"] = str(wait_s)
        return page
    if not promise:
        return _dead(request, floor, "forged", 404)
    try:
        row = await promises.get(rooms.office, promise)
        if row is None:
            return _dead(request, floor, "forged", 404)
        if links.over(row.ended_ms, rooms.clock.now_ms()):
            return _dead(request, floor, "over", 410, row.language)
        return await go_on(row)
    except Unavailable:
        page = _dead(request, floor, "away", 503)
        page.headers["Retry-After"] = "30"
        return page


async def _change(
    request: Request,
    floor: Floor,
    token: str,
    version: int,
    done: str,
    verb: Callable[[Promise], Awaitable[None]],
    typed: Typing | None = None,
) -> Response:
    """Do it once; a page that showed an older promise is shown the newer one instead."""

    async def go_on(row: Promise) -> Response:
        if row.version != version or row.state not in CHANGEABLE:
            return await _page(request, floor, row, token, said="moved_on", status=409)
        try:
            await verb(row)
        except windows.BadWindow as bad:
            kept = Typing(*((typed.day, typed.start, typed.end) if typed else ("", "", "")), _fault(row, bad))
            return await _page(request, floor, row, token, typed=kept, status=422)
        except Mendable:
            return await _page(request, floor, row, token, said="moved_on", status=422)
        except Conflict:
            fresh = await promise_actions.one(floor.rooms, row.id)
            return await _page(request, floor, fresh, token, said="moved_on", status=409)
        return RedirectResponse(f"/c/{token}?done={done}", 303)

    return await _enter(request, floor, token, go_on)


def _fault(row: Promise, bad: windows.BadWindow) -> str:
    """What to mend, in the merchant's language; English has the longer words of the rule itself."""
    return str(bad) if row.language == "en" else written(row.language, bad.why)


# -- the page --------------------------------------------------------------------------------------------


async def _page(
    request: Request,
    floor: Floor,
    row: Promise,
    token: str,
    *,
    done: str = "",
    said: str = "",
    typed: Typing | None = None,
    status: int = 200,
) -> Response:
    now_ms = floor.rooms.clock.now_ms()
    shown = await _shown(floor, row)
    choices = [(window.start_ms, window.end_ms) for window in _choices(floor, row)]
    note = Said("near", written(row.language, said)) if said else None
    if done:
        note = Said("good", written(row.language, f"done_{done}"))
    return floor.templates.page(
        request,
        "merchant.html",
        here="",
        who=None,
        status=status,
        said=note,
        language=row.language,
        say=lambda key, **values: written(row.language, key, **values),
        view=merchant_view(shown, choices, now_ms),
        number=masked(row.number),
        centre=floor.rooms.centre_name,
        version=row.version,
        token=token,
        typed=typed or Typing(),
    )


async def _shown(floor: Floor, row: Promise) -> Shown:
    """The promise with its place; without the line, the promise alone."""
    rooms = floor.rooms
    position, waiting, asked, seen = 0, 0, False, True
    try:
        place = await promises.place(rooms.office, row)
        position, waiting = place.position, place.waiting
        asked = place.state in (PromiseState.RESERVED, PromiseState.DIALING, PromiseState.CONNECTED)
    except Unavailable:
        seen = False
    return Shown(
        state=PromiseState(row.state),
        language=row.language,
        zone=row.time_zone or rooms.time_zone,
        due_ms=row.due_ms,
        by_ms=row.by_ms,
        windowed=row.windowed,
        asked=asked,
        rang_in=row.live_contact not in ("", row.contact),
        position=position,
        waiting=waiting,
        seen=seen,
    )


def _bounds(floor: Floor, row: Promise) -> windows.Bounds:
    cb = floor.rooms.office
    return bounds(cb.policy, cb.hours, row.time_zone or cb.time_zone)


def _choices(floor: Floor, row: Promise) -> list[windows.Window]:
    return windows.choices(_bounds(floor, row), floor.rooms.clock.now_ms())


def _dead(request: Request, floor: Floor, kind: str, status: int, language: str = "") -> Response:
    """A page that says why there is nothing to see, and what to do: in the merchant's language, or all."""
    languages = [language] if language else list(floor.rooms.languages)
    return floor.templates.page(
        request,
        "merchant_dead.html",
        here="",
        who=None,
        status=status,
        centre=floor.rooms.centre_name,
        language=languages[0],
        told=[(say, written(say, f"{kind}_title"), written(say, f"{kind}_words")) for say in languages],
    )
