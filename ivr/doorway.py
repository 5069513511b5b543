"""The frame every door hangs in: is it Twilio, what does it ask, and an answer in time whatever breaks.

A genuine request always gets 200 and TwiML. A forged one gets 403; anything that is not a POST, 405.
Written against ASGI itself: the hold loop asks all day, and a framework's request object costs more than all
its answers are made of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.types import Receive, Scope, Send

from foundation.clock import monotonic_s
from ivr import forms, tallies, twiml
from ivr.desk import Desk
from ivr.visits import Visit

Answer = Callable[[Desk, Visit], Awaitable[str]]
LastResort = Callable[[Desk, Visit], str]

_TWIML = [(b"content-type", f"{twiml.MEDIA_TYPE}; charset=utf-8".encode())]
_PLAIN = (b"content-type", b"text/plain; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Door:
    path: str
    answer: Answer
    last_resort: LastResort
    """What is said when ``answer`` fails or is late."""


class Forged(Exception):
    """The request is not Twilio's."""


class Oversized(Exception):
    """The body is longer than Twilio's ever are."""


class Doorway:
    """One door as an ASGI application."""

    def __init__(self, desk: Desk, door: Door) -> None:
        self._desk, self._door = desk, door
        self._given, self._last_resort, self._refused, self._oversized = (
            tallies.ANSWERS.labels(door.path, kind)
            for kind in ("given", "last_resort", "refused", "oversized")
        )
        self._seconds = tallies.SECONDS.labels(door.path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "POST":
            return await _say(send, 405, b"Twilio asks here by POST.\n", [(b"allow", b"POST"), _PLAIN])
        begun_s = monotonic_s()
        try:
            answer = await self._answer(scope, receive)
        except Forged:
            self._refused.inc()
            return await _say(send, 403, b"The signature is not Twilio's.\n", [_PLAIN])
        except Oversized:
            self._oversized.inc()
            return await _say(send, 413, b"The body is too long.\n", [_PLAIN])
        self._seconds.observe(monotonic_s() - begun_s)
        return await _say(send, 200, answer.encode("utf-8", "replace"), _TWIML)

    async def _answer(self, scope: Scope, receive: Receive) -> str:
        desk, door = self._desk, self._door
        until_s = asyncio.get_running_loop().time() + desk.budget.whole_s
        visit = await _read(desk, door.path, scope, receive)
        deadline = asyncio.timeout_at(until_s)
        try:
            async with deadline:
                answer = await door.answer(desk, visit)
        except Exception:
            log = structlog.get_logger().bind(door=door.path, call=visit.contact)
            if deadline.expired():
                log.warning("door_late", after_s=desk.budget.whole_s)
            else:
                log.exception("door_broken")
            self._last_resort.inc()
            return door.last_resort(desk, visit)
        self._given.inc()
        return answer


async def _read(desk: Desk, path: str, scope: Scope, receive: Receive) -> Visit:
    """The request as a Visit. Raises Forged or Oversized."""
    body = await _body(receive)
    pairs = forms.read_pairs(body)
    query: bytes = scope["query_string"]
    path_asked: bytes = scope.get("raw_path") or scope["path"].encode()
    asked = (path_asked + b"?" + query if query else path_asked).decode("latin-1")
    header = dict(scope["headers"]).get(b"x-twilio-signature", b"").decode("latin-1")
    token = desk.signature.matches(header, asked, pairs)
    form = forms.first_values(pairs)
    if token is None or (desk.account_sid and form.get("AccountSid", desk.account_sid) != desk.account_sid):
        raise Forged
    if token:
        tallies.TOKENS.labels(str(token)).inc()
    return Visit(
        path=path,
        query=forms.first_values(forms.read_pairs(query)) if query else {},
        form=form,
        ask=header,
        now_ms=desk.clock.now_ms(),
        enrich_until_s=asyncio.get_running_loop().time() + desk.budget.enrich_s,
    )


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        if len(body) > forms.MAX_BODY_BYTES:
            break
        message = await receive()
        body += message.get("body", b"")
    if len(body) > forms.MAX_BODY_BYTES:
        raise Oversized
    return body


async def _say(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
