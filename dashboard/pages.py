"""The doors people come in by: sign-in and out, desk, wallboard, and the files pages are made of."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from dashboard import actions
from dashboard.attempts import PER_ADDRESS, PER_LOGIN
from dashboard.auth import VISIT_COOKIE, Who
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, VisitorDep, WhoDep
from dashboard.problems import Problem
from dashboard.scene import TROUBLE
from dashboard.sessions import LINK_MS
from dashboard.streams import board_given
from dashboard.templating import asset_response
from dashboard.views import Said
from foundation.errors import SurgelineError, Unavailable

router = APIRouter(route_class=Doorway, include_in_schema=False)

WRONG = Said("past", "Login or password is wrong", "Check both and try again.")
SPENT = Said("past", "This link is over", "Sign-in links work once and for ten minutes. Ask for a new one.")
BYE = Said("good", "You are signed out")


@router.get("/assets/{name:path}")
async def asset(request: Request, name: str) -> Response:
    response = asset_response(request, name)
    if response is None:
        raise Problem("not-found")
    return response


@router.get("/")
async def start(who: VisitorDep) -> Response:
    return RedirectResponse("/sign-in" if who is None else home(who), 303)


def home(who: Who) -> str:
    """Where somebody of this role begins."""
    return {"agent": "/desk", "lead": "/wallboard", "supervisor": "/wallboard"}.get(who.role, "/admin")


# -- signing in and out ----------------------------------------------------------------------------------


@router.get("/sign-in")
async def sign_in_page(
    request: Request, floor: FloorDep, who: VisitorDep, next: str = "", bye: str = ""
) -> Response:
    if who is not None:
        return RedirectResponse(inside(next) or home(who), 303)
    return _sign_in_form(request, floor, next=next, said=BYE if bye else None)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    floor: FloorDep,
    login: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=200)],
    visit: Annotated[str, Form(max_length=300)] = "",
    next: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    now_ms = floor.rooms.wall.now_ms()
    if not floor.gate.seals.visit_fits(visit, request.cookies.get(VISIT_COOKIE, ""), now_ms):
        raise Problem("forged", "The form is old, or this browser takes no cookies.")
    name = login.strip().lower()
    address = request.client.host if request.client else "?"
    attempts = floor.gate.attempts
    wait_s = max(
        await attempts.admit(f"address:{address}", PER_ADDRESS, now_ms),
        await attempts.admit(f"login:{name}", PER_LOGIN, now_ms),
    )
    if wait_s:
        minutes = -(-wait_s // 60)
        said = Said("past", "Too many attempts", f"Try again in {minutes} min.")
        page = _sign_in_form(request, floor, login=name, next=next, said=said, status=429)
        page.headers["Retry-After"] = str(wait_s)
        return page
    account = await floor.gate.accounts.signed_in_by(name, password, now_ms)
    if account is None:
        return _sign_in_form(request, floor, login=name, next=next, said=WRONG, status=401)
    await attempts.forget(f"login:{name}")
    response = RedirectResponse(inside(next) or "/", 303)
    floor.gate.begin(response, account)
    response.delete_cookie(VISIT_COOKIE, path="/sign-in")
    return response


@router.get("/sign-in/{token}")
async def sign_in_by_link(request: Request, floor: FloorDep, token: str, next: str = "") -> Response:
    """A link that works once. A browser that only looks ahead does not spend it."""
    if "prefetch" in request.headers.get("sec-purpose", ""):
        return Response(status_code=204)
    told = floor.gate.seals.read_link(token, floor.rooms.wall.now_ms())
    if told is None or not await floor.gate.attempts.once(f"link:{told[1]}", LINK_MS // 1000):
        return _sign_in_form(request, floor, said=SPENT, status=410)
    account = await floor.gate.accounts.find(told[0], floor.rooms.wall.now_ms(), fresh=True)
    if account is None or not account.active:
        return _sign_in_form(request, floor, said=SPENT, status=410)
    response = RedirectResponse(inside(next) or "/", 303)
    floor.gate.begin(response, account)
    return response


@router.post("/sign-out")
async def sign_out(floor: FloorDep, who: WhoDep) -> Response:
    """Off the line too, after the talk if there is one: nobody rings a desk that is left."""
    with suppress(SurgelineError):  # it must not fail because the line is away; missed rings do the rest
        await actions.go_off(floor.rooms, who)
    response = RedirectResponse("/sign-in?bye=1", 303)
    await floor.gate.end(response, who)
    return response


@router.get("/session")
async def session(who: WhoDep) -> Response:
    """An open desk says that somebody is there; the cookie is renewed on the way out."""
    return Response(status_code=204)


def inside(path: str) -> str:
    """The path when it leads to a page of ours, else ""."""
    if not path.startswith("/") or path.startswith(("//", "/sign-in")) or "\\" in path:
        return ""
    return path if path.isprintable() else ""


def _sign_in_form(
    request: Request,
    floor: Floor,
    *,
    login: str = "",
    next: str = "",
    said: Said | None = None,
    status: int = 200,
) -> Response:
    visit = floor.gate.seals.visit(floor.rooms.wall.now_ms())
    page = floor.templates.page(
        request,
        "sign_in.html",
        here="",
        who=None,
        status=status,
        login=login,
        next=inside(next),
        said=said,
        visit=visit,
    )
    page.set_cookie(
        VISIT_COOKIE, visit, path="/sign-in", httponly=True, secure=floor.rooms.secure, samesite="lax"
    )
    return page


# -- wallboard -------------------------------------------------------------------------------------------


@router.get("/wallboard")
async def wallboard(request: Request, floor: FloorDep, who: WhoDep) -> Response:
    return await _wallboard(request, floor, who, kiosk="")


@router.get("/wallboard/{kiosk}")
async def wallboard_screen(request: Request, floor: FloorDep, kiosk: str) -> Response:
    """The wallboard for a screen that carries a token: nobody is signed in on it."""
    if floor.gate.screen(request) is None:
        raise Problem("not-found")
    return await _wallboard(request, floor, None, kiosk=kiosk)


async def _wallboard(request: Request, floor: Floor, who: Who | None, kiosk: str) -> Response:
    look = await floor.watch.now()
    if look.board is None:
        raise Unavailable()
    return floor.templates.page(
        request,
        "wallboard.html",
        here="wallboard",
        who=who,
        kiosk=kiosk,
        trouble=TROUBLE.get(look.trouble),
        **board_given(floor, look),
    )
