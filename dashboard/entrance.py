"""How every route is entered and left: the rule that guards it, the answer when something goes wrong, and the
headers no answer goes without."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from callbacks import office as promises_office
from dashboard.access import Access, rule
from dashboard.floor import Floor
from dashboard.problems import MEDIA_TYPE, Problem
from foundation.errors import Mendable, Unavailable
from surge import office as surge_office
from surge.states import IllegalMove

log = structlog.get_logger()
RETRY_S = "5"
_BY_STATUS = {
    401: "not-signed-in",
    403: "not-allowed",
    404: "not-found",
    405: "wrong-method",
    413: "too-large",
}


class Doorway(APIRoute):
    """A route of the dashboard. It cannot be made without a rule, and lets nothing out undressed."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, endpoint, **given)
        for method in self.methods or ():
            rule(method, self.path)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def go_through(request: Request) -> Response:
            try:
                response = await inner(request)
            except Exception as error:
                response = answer(request, error)
            return dressed(request, response)

        return go_through


def guard(floor: Floor) -> Callable[[Request], Coroutine[Any, Any, None]]:
    """The dependency before every route: who asks, and may they."""

    async def enter(request: Request) -> None:
        request.state.floor = floor
        request.state.who = None
        request.state.band = None
        needed = rule(request.method, request.scope["route"].path)
        request.state.who = await floor.gate.enter(request, needed)
        staff = request.state.who is not None or needed is Access.SCREEN
        if staff and request.method in ("GET", "POST") and not request.url.path.startswith("/api/"):
            request.state.band = await floor.bands.now()

    return enter


# -- the answer when something goes wrong ----------------------------------------------------------------


def answer(request: Request, error: Exception) -> Response:
    """The problem as JSON for programs, as a page for people, as a way to the sign-in for who lacks it."""
    problem = problem_of(error)
    if problem.kind == "failed":
        log.exception("a page failed", path=request.url.path, exc_info=error)
    if request.url.path.startswith(("/api/", "/hooks/")):
        return JSONResponse(
            problem.details(request.url.path), problem.status, problem.headers, media_type=MEDIA_TYPE
        )
    if problem.kind == "not-signed-in":
        return _to_sign_in(request)
    floor: Floor | None = getattr(request.state, "floor", None)
    if floor is None:
        return HTMLResponse(problem.title, problem.status, problem.headers)
    page = floor.templates.page(
        request, "problem.html", here="", who=None, status=problem.status, problem=ProblemPage(problem)
    )
    page.headers.update(problem.headers)
    return page


class ProblemPage:
    """A problem as the page shows it."""

    def __init__(self, problem: Problem) -> None:
        self.title, self.detail, self.status = problem.title, str(problem), problem.status
        self.mend = problem.mend if problem.kind not in ("not-understood", "bad-input", "forged") else ""
        if problem.kind == "forged":
            self.mend = "Go back, load the page anew, and press again."


def problem_of(error: Exception) -> Problem:
    """The one problem an error is."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _not_understood(error)
    if isinstance(error, surge_office.Conflict):
        return Problem("surge-moved", str(error), more={"who": error.who, "what": error.what})
    if isinstance(error, IllegalMove):
        return Problem("not-now", str(error))
    if isinstance(error, promises_office.Conflict):
        return Problem("promise-moved", str(error), more={"who": error.who} if error.who else {})
    if isinstance(error, Mendable):
        return Problem("bad-input", str(error))
    if isinstance(error, Unavailable):
        return Problem("away", headers={"Retry-After": RETRY_S})
    if isinstance(error, HTTPException):
        kind = _BY_STATUS.get(error.status_code, "not-understood" if error.status_code < 500 else "failed")
        return Problem(kind, headers=dict(error.headers or {}))
    return Problem("failed")


def _not_understood(error: RequestValidationError) -> Problem:
    """What was sent is not repeated: it may hold somebody's number."""
    faults = [
        {"field": ".".join(str(step) for step in fault["loc"]), "message": str(fault["msg"])}
        for fault in error.errors()
    ]
    named = ", ".join(fault["field"] for fault in faults)
    return Problem("not-understood", f"These do not fit: {named}.", more={"errors": faults})


def _to_sign_in(request: Request) -> Response:
    back = request.url.path if request.method == "GET" else "/"
    if request.headers.get("hx-request"):
        if request.url.path == "/events":
            return Response(status_code=401)
        page = urlsplit(request.headers.get("hx-current-url", "")).path or "/"
        return Response(status_code=401, headers={"HX-Redirect": f"/sign-in?next={quote(page)}"})
    return RedirectResponse(f"/sign-in?next={quote(back)}" if back != "/" else "/sign-in", 303)


# -- what every answer wears -----------------------------------------------------------------------------

_TWILIO_CONNECT = "wss://*.twilio.com https://eventgw.twilio.com"


def policy(floor: Floor | None) -> str:
    """The content security policy: our own files, no inline script or style, and the softphone's network."""
    connect, media = ["'self'"], "'self'"
    if floor and floor.rooms.softphone.kind == "double" and floor.rooms.softphone.url:
        parts = urlsplit(floor.rooms.softphone.url)
        connect.append(f"{parts.scheme}://{parts.netloc}")
    if floor and floor.rooms.softphone.kind == "twilio":
        connect.append(_TWILIO_CONNECT)
        media = "'self' blob: mediastream:"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            f"connect-src {' '.join(connect)}",
            f"media-src {media}",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def dressed(request: Request, response: Response) -> Response:
    """The response with the headers no answer goes without, and a session that knows somebody was here."""
    floor: Floor | None = getattr(request.state, "floor", None)
    headers = response.headers
    headers.setdefault("Content-Security-Policy", policy(floor))
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer" if "/sign-in/" in request.url.path else "same-origin"
    headers["X-Frame-Options"] = "DENY"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), payment=(), microphone=(self)"
    if floor and floor.rooms.secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    headers.setdefault("Cache-Control", "no-store")
    who = getattr(request.state, "who", None)
    signing_out = request.url.path == "/sign-out"
    if floor and who and not signing_out:
        floor.gate.renew(response, who)
    return response
