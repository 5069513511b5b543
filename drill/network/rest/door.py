"""The way in to the REST operations: who asks, what is asked, what mischief befalls it, and the answer."""

from __future__ import annotations

import base64
import binascii
import hmac
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from drill.network.exchange import Exchange
from drill.network.rest.description import Operation, find
from drill.network.rest.refusals import Refusal
from drill.network.strictness import url_fault
from drill.network.switchboard import Switchboard
from foundation.clock import monotonic_s

MOST_BYTES = 65_536
RAW_SEND = "drill.raw_send"
"""Where the network keeps the server's own ``send``, so that a connection can be broken."""


@dataclass
class Ask:
    """One request, read: the path's parameters, and the query's or the form's."""

    exchange: Exchange
    switchboard: Switchboard
    path: str
    named: dict[str, str]
    values: dict[str, list[str]]

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, [default])[0]

    def whole(self, name: str, default: int) -> int:
        return int(self.text(name, str(default)))

    def flag(self, name: str) -> bool | None:
        """None when it was not given."""
        return self.text(name).lower() == "true" if name in self.values else None

    def many(self, name: str) -> list[str]:
        return self.values.get(name, [])

    def url(self, name: str, code: int = 21205) -> str:
        """An absolute http URL, or empty when not given. Raises Refusal."""
        value = self.text(name)
        if value and (url_fault(value) or not urlsplit(value).scheme):
            raise Refusal(code, f"{name} is {value!r}")
        return value


@dataclass(frozen=True)
class Reply:
    """A success."""

    body: Mapping[str, Any] | None
    status: int = 200


Row = TypeVar("Row")
Act = Callable[[Ask], Awaitable[Reply]]
ACTS: dict[str, Act] = {}
MODELLED: dict[str, frozenset[str]] = {}


def operation(name: str, modelled: str = "") -> Callable[[Act], Act]:
    """Register what carries out an operation, and the form parameters it heeds, in words."""

    def register(act: Act) -> Act:
        ACTS[name] = act
        MODELLED[name] = frozenset(modelled.split())
        return act

    return register


class Door:
    """The endpoint for everything under ``/2010-04-01``."""

    def __init__(self, exchange: Exchange, switchboard: Switchboard) -> None:
        self.exchange = exchange
        self.switchboard = switchboard
        self._within = 0

    async def answer(self, request: Request) -> Response:
        began = monotonic_s()
        self._within += 1
        try:
            response = await self._answer(request)
        finally:
            self._within -= 1
        response.headers["Twilio-Request-Id"] = "RQ" + uuid.uuid4().hex
        response.headers["Twilio-Concurrent-Requests"] = str(self._within + 1)
        response.headers["Twilio-Request-Duration"] = f"{monotonic_s() - began:.3f}"
        response.headers["X-Api-Domain"] = "api.twilio.com"
        response.headers["X-Home-Region"] = "us1"
        return response

    async def _answer(self, request: Request) -> Response:
        path, method = request.url.path, request.method
        befalls = self.exchange.courier.faults.for_rest(path, method)
        kind, ms = befalls or ("", 0)
        try:
            if kind == "busy":
                raise Refusal(20429)
            if kind == "fail_before":
                raise Refusal(20503)
            if kind == "stall_before":
                await self.exchange.clock.sleep(ms)
            reply = await self._carry_out(request)
            self.exchange.ledger.counts[f"rest {method} {reply.status}"] += 1
            if kind == "stall_after":
                await self.exchange.clock.sleep(ms)
            if kind == "lose_answer":
                return Broken()
            if kind == "fail_after":
                raise Refusal(20500)
        except Refusal as refusal:
            self.exchange.ledger.counts[f"rest {method} {refusal.status}"] += 1
            headers = {"Retry-After": "1"} if refusal.status == 429 else {}
            if refusal.status == 401:
                headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
            return JSONResponse(refusal.body(), refusal.status, headers)
        if reply.body is None:
            return Response(status_code=reply.status)
        return JSONResponse(reply.body, reply.status)

    async def _carry_out(self, request: Request) -> Reply:
        path = quote(request.url.path, safe="/+:@")
        found = find(request.method, path)
        if found is None or found[0].name not in ACTS:
            self._breach(20404, f"{request.method} {path} is not an operation the double knows")
            raise Refusal(20404, path)
        operation, named = found
        self._authenticate(request, named)
        if any(parameter.fault([named[parameter.name]]) for parameter in _strict_path(operation)):
            raise Refusal(20404, path)
        values = await self._values(request)
        self._check(operation, values)
        return await ACTS[operation.name](Ask(self.exchange, self.switchboard, path, named, values))

    def _authenticate(self, request: Request, named: Mapping[str, str]) -> None:
        """Basic: AccountSid and auth token, or an API key's SID and secret."""
        account = self.exchange.account
        scheme, _, coded = request.headers.get("authorization", "").partition(" ")
        try:
            user, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user = password = ""
        pairs = {account.sid: account.token}
        if account.key_sid and account.key_secret:
            pairs[account.key_sid] = account.key_secret
        known = pairs.get(user, "")
        if scheme.lower() != "basic" or not known or not hmac.compare_digest(known, password):
            raise Refusal(20003)
        if named.get("AccountSid", named.get("Sid")) != account.sid and "AccountSid" in named:
            raise Refusal(20404, request.url.path)

    async def _values(self, request: Request) -> dict[str, list[str]]:
        if request.method == "POST":
            kind = request.headers.get("content-type", "").split(";")[0].strip()
            body = await request.body()
            if body and kind != "application/x-www-form-urlencoded":
                self._breach(20001, f"a request's content type is {kind or 'missing'}")
                raise Refusal(20001, "the content type must be application/x-www-form-urlencoded")
            if len(body) > MOST_BYTES:
                raise Refusal(20001, "the request is too long")
            text = body.decode("utf-8", "replace")
        else:
            text = request.url.query
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(text, keep_blank_values=True):
            values.setdefault(name, []).append(value)
        return values

    def _check(self, operation: Operation, values: dict[str, list[str]]) -> None:
        """Against the description. Raises Refusal at the first fault; each fault is a violation."""
        known = operation.in_form if operation.method == "POST" else operation.in_query
        for name, given in values.items():
            parameter = known.get(name)
            fault = parameter.fault(given) if parameter else f"no parameter {name}"
            if fault:
                self._breach(20001, f"{operation.name}: {fault}")
                raise Refusal(20001, fault)
            if operation.method == "POST" and name not in MODELLED[operation.name]:
                self._breach(0, f"{operation.name}: the double does not act on {name}", "unmodelled")
        for name in sorted(operation.required):
            if name not in values:
                self._breach(20001, f"{operation.name}: {name} is missing")
                raise Refusal(
                    {"To": 21201, "From": 21213, "Url": 21205}.get(name, 20001), f"{name} is missing"
                )

    def _breach(self, code: int, message: str, kind: str = "rest") -> None:
        self.exchange.breach(kind, code, message)


def _strict_path(operation: Operation) -> list[Any]:
    """A participant may be named by its label; every other name in a path must look like a SID."""
    return [
        each for each in operation.in_path if not (each.name == "CallSid" and "Participant" in operation.name)
    ]


class Broken(Response):
    """No answer: the connection is closed under the client."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cycle = getattr(scope.get(RAW_SEND), "__self__", None)
        if not hasattr(cycle, "transport"):
            raise ConnectionResetError("the answer was lost on demand")
        cycle.transport.abort()  # type: ignore[union-attr]  # uvicorn's; ASGI has no word for this
        while (await receive())["type"] != "http.disconnect":
            pass


def page(ask: Ask, key: str, rows: Sequence[Row], show: Callable[[Exchange, Row], dict[str, Any]]) -> Reply:
    """One page of a list, with Twilio's paging fields. ``rows`` is the whole list, ``show`` its view."""
    size = ask.whole("PageSize", 50)
    number = ask.whole("Page", 0)
    start = number * size
    shown = [show(ask.exchange, row) for row in rows[start : start + size]]
    kept = {name: ask.text(name) for name in ask.values if name not in ("Page", "PageSize", "PageToken")}

    def uri(which: int) -> str:
        return f"{ask.path}?{urlencode({**kept, 'PageSize': size, 'Page': which})}"

    more = start + size < len(rows)
    return Reply(
        {
            key: shown,
            "page": number,
            "page_size": size,
            "start": start,
            "end": start + max(0, len(shown) - 1),
            "uri": uri(number),
            "first_page_uri": uri(0),
            "next_page_uri": uri(number + 1) + f"&PageToken=PT{number + 1}" if more else None,
            "previous_page_uri": uri(number - 1) if number else None,
        }
    )
