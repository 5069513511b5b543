"""HTTP without a wire: the product and the phone network ask each other inside one process.

Every request is what it would be on a wire, and every answer; only the sockets are missing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import httpx2
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from twilio.http.response import Response as TwilioResponse

from carrier.wire import Wire, basic
from drill.stage.virtual import Turn


class TakingTurns:
    """The product: whatever is asked of it is done while holding the turn."""

    def __init__(self, app: ASGIApp, turn: Turn) -> None:
        self.app, self.turn = app, turn
        self.stirred = asyncio.Event()
        """Set when the line may have moved: by every request but questions and those of the hold loop."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.turn.held():
            await self.app(scope, receive, send)
        if scope["method"] != "GET" and scope["path"] != "/voice/wait":
            self.stirred.set()


class Lending:
    """The phone network, as the product asks it: meanwhile the turn is others', and time may pass."""

    def __init__(self, app: ASGIApp, turn: Turn) -> None:
        self.app, self.turn = app, turn

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self.turn.lent():
            await self.app(scope, receive, send)


class Asking(httpx2.AsyncBaseTransport):
    """A client's way to an application in this process. What httpx's own does, for a third of the time."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        url = request.url
        status, headers, content = await ask(
            self.app, request.method, url.path, url.raw_path, url.query, request.headers.raw, body, url.scheme
        )
        return httpx2.Response(status, headers=headers, content=content, request=request)


class Reply:
    """An answer, as the network's courier looks at it."""

    __slots__ = ("content", "headers", "status_code")

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
        self.status_code, self.content = status, content
        self.headers = Headers(headers)


class Headers:
    __slots__ = ("_raw",)

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def get(self, name: str) -> str | None:
        return next(iter(self.get_list(name)), None)

    def get_list(self, name: str) -> list[str]:
        wanted = name.encode()
        return [value.decode("latin-1") for key, value in self._raw if key.lower() == wanted]


class Ringing:
    """The network's client: it asks the product thousands of times a minute, and most of what a real client
    does for each request has no use here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def request(
        self, method: str, url: str, *, content: str | None = None, headers: Mapping[str, str]
    ) -> Reply:
        parts = urlsplit(url)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        raw.append((b"host", parts.netloc.encode()))
        body = (content or "").encode()
        return Reply(
            *await ask(
                self.app, method, unquote(parts.path), parts.path.encode(), parts.query.encode(), raw, body
            )
        )

    async def aclose(self) -> None:
        """Nothing is open."""


async def ask(
    app: ASGIApp,
    method: str,
    path: str,
    raw_path: bytes,
    query: bytes,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    scheme: str = "http",
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """One request to ``app``: (status, headers, body)."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "headers": [(name.lower(), value) for name, value in headers],
        "scheme": scheme,
        "path": path,
        "raw_path": raw_path.partition(b"?")[0],
        "query_string": query,
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 50_000),
        "root_path": "",
    }
    given = [{"type": "http.request", "body": body, "more_body": False}]
    told: dict[str, Any] = {"status": 500, "headers": []}
    parts: list[bytes] = []

    async def receive() -> Message:
        # Whoever asks stays: told otherwise, a server cuts a file off before its first byte.
        return given.pop() if given else await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            told.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return told["status"], list(told["headers"]), b"".join(parts)


class InsideWire(Wire):
    """The Twilio SDK's client, asking the network in this process."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(pool_connections=False)
        self.app = app

    async def request(self, *given: Any, auth: tuple[str, str] | None = None, **named: Any) -> TwilioResponse:
        """``method``, ``url``, then ``params``, ``data`` and ``headers``, as the SDK gives them."""
        told = dict(zip(("method", "url", "params", "data", "headers"), given, strict=False)) | named
        method, parts, data = told["method"], urlsplit(told["url"]), dict(told.get("data") or {})
        params = urlencode(dict(told.get("params") or {}), doseq=True)
        query = "&".join(filter(None, (parts.query, params)))
        body = urlencode(data, doseq=True).encode()
        sent = {**(told.get("headers") or {}), "Authorization": basic(auth) if auth else ""}
        if data:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        status, _, content = await ask(
            self.app, method.upper(), parts.path, parts.path.encode(), query.encode(),
            [(name.encode(), value.encode()) for name, value in sent.items()], body,
        )  # fmt: skip
        return TwilioResponse(status, content.decode())
