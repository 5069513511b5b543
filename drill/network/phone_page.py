"""The phone page: a person rings in from a browser."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "media-src 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
FILES = {
    "/": ("phone.html", "text/html"),
    "/phone": ("phone.html", "text/html"),
    "/phone.js": ("phone.js", "text/javascript"),
    "/ringing.js": ("ringing.js", "text/javascript"),
    "/phone.css": ("phone.css", "text/css"),
}


def page_routes() -> list[Route]:
    return [Route(path, _sends(name, kind)) for path, (name, kind) in FILES.items()]


def _sends(name: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def send(request: Request) -> Response:
        text = resources.files("drill.network").joinpath("static", name).read_text("utf-8")
        return Response(text, media_type=kind, headers=HEADERS)

    return send
