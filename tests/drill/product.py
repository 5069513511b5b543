"""A product to ring: an ASGI app that answers as the test says and remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from drill.network.app import Network, network
from drill.network.exchange import Account, Exchange
from drill.network.legs import Leg
from drill.network.timekeeping import pass_time, settle
from foundation.clock import Clock, ManualClock

HOOK = "http://127.0.0.1:8080"
TOKEN = "a test's auth token"
ACCOUNT = Account("AC" + "a" * 32, TOKEN, "SK" + "b" * 32, "s" * 32, "AP" + "c" * 32)
CALLER = "+14155550123"
OURS = "+14155550100"


@dataclass(frozen=True)
class Asked:
    """One request that came in."""

    path: str
    method: str
    url: str
    fields: dict[str, str]
    pairs: list[tuple[str, str]]
    headers: dict[str, str]


@dataclass
class Answered:
    """One answer that goes out."""

    body: bytes | str = ""
    status: int = 200
    kind: str | None = "text/xml"
    headers: Mapping[str, str] = field(default_factory=dict)


Says = str | Answered | Callable[[Asked], "str | Answered | Awaitable[str | Answered]"]


class Product:
    """Answers by path; a list is told one by one, its last answer for ever."""

    def __init__(self) -> None:
        self.says: dict[str, Says | list[Says]] = {}
        self.asked: list[Asked] = []

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def last(self, path: str) -> Asked:
        return next(asked for asked in reversed(self.asked) if asked.path == path)

    def all(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        url = HOOK + scope["raw_path"].decode() + (f"?{query}" if query else "")
        pairs = parse_qsl((body.decode() or query), keep_blank_values=True)
        asked = Asked(scope["path"], scope["method"], url, dict(pairs), pairs, headers)
        self.asked.append(asked)
        answer = await self._answer(asked)
        headers_out = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        if answer.kind is not None:
            headers_out.append((b"content-type", answer.kind.encode()))
        content = answer.body.encode() if isinstance(answer.body, str) else answer.body
        await send({"type": "http.response.start", "status": answer.status, "headers": headers_out})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, asked: Asked) -> Answered:
        says = self.says.get(asked.path)
        if isinstance(says, list):
            says = says.pop(0) if len(says) > 1 else says[0]
        if callable(says):
            said = says(asked)
            says = said if isinstance(said, str | Answered) else await said
        if says is None:
            return Answered(status=204, kind=None)
        return says if isinstance(says, Answered) else Answered(twiml(says))


def twiml(verbs: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>'


def wav(seconds: float, hertz: int = 8000) -> bytes:
    """A silent WAV of that length."""
    data = b"\x80" * round(hertz * seconds)
    fmt = b"fmt " + (16).to_bytes(4, "little") + b"\x01\x00\x01\x00"
    fmt += hertz.to_bytes(4, "little") * 2 + b"\x01\x00\x08\x00"
    body = b"WAVE" + fmt + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body


class Rehearsal:
    """A network, a product, and a clock that moves when told."""

    def __init__(self, clock: Clock, **more: Any) -> None:
        self.clock = clock
        self.product = Product()
        self.product.says["/clip.wav"] = Answered(wav(20), kind="audio/wav")
        self.network: Network = network(
            clock,
            HOOK,
            ACCOUNT,
            transport=httpx2.ASGITransport(app=self.product),
            base_url="http://127.0.0.1:8081",
            **more,
        )
        self.rest = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.network),
            base_url="http://127.0.0.1:8081",
            auth=(ACCOUNT.sid, TOKEN),
        )

    @property
    def exchange(self) -> Exchange:
        return self.network.exchange

    @property
    def violations(self) -> list[str]:
        return [f"{each.code} {each.message}" for each in self.exchange.ledger.violations]

    async def rings(self, incoming: str = "", *, from_: str = CALLER, **more: Any) -> Leg:
        """Somebody rings in; the product answers the call with ``incoming``."""
        if incoming:
            self.product.says["/voice/incoming"] = incoming
        leg = self.network.switchboard.ring_in(from_, OURS, **more)
        await settle(self.exchange)
        return leg

    async def passes(self, s: float) -> None:
        assert isinstance(self.clock, ManualClock)
        await pass_time(self.exchange, self.clock, s * 1000)

    async def settles(self) -> None:
        await settle(self.exchange)

    async def get(self, path: str, **params: Any) -> Any:
        return (await self.rest.get(self._path(path), params=params)).json()

    async def post(self, path: str, **fields: Any) -> httpx2.Response:
        answer = await self.rest.post(self._path(path), data=fields)
        await settle(self.exchange)
        return answer

    async def delete(self, path: str) -> httpx2.Response:
        answer = await self.rest.delete(self._path(path))
        await settle(self.exchange)
        return answer

    def _path(self, path: str) -> str:
        return path if path.startswith("/_") else f"/2010-04-01/Accounts/{ACCOUNT.sid}/{path}.json"

    async def close(self) -> None:
        await self.network.close()
        await self.rest.aclose()
        await asyncio.sleep(0)


def heard(leg: Leg) -> list[str]:
    """What was said to the caller."""
    return [line.text for line in leg.heard if line.kind == "say"]


def lines(leg: Leg) -> list[str]:
    """The whole transcript, kind and text."""
    return [f"{line.kind} {line.text}".strip() for line in leg.heard]
