"""How the network asks the product: signed, within fifteen seconds, with the mischief that is in force.

``ask`` fetches a document and waits; ``tell`` reports progress and does not. Time limits and retries are
Twilio's defaults (one more try, only when no connection was made), or what the URL's fragment says
(``#ct=2000&rt=5000&rc=2&rp=5xx``), which is never sent nor signed.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote_plus, urlencode, urljoin, urlsplit, urlunsplit

import httpx2

from drill.network.faults import Faults, Mischief
from drill.network.ledger import Ledger, Violation
from drill.network.legs import first_of
from drill.network.signing import sign
from foundation.clock import Clock, monotonic_s
from foundation.errors import SurgelineError

LIMIT_MS = 15_000
MOST_REDIRECTS = 10
PLAIN = re.compile(r"http://127\.0\.0\.1:(?!80/)\d+/[a-z/]+(\?[A-Za-z0-9._~=&-]*)?")
"""Addresses that are sent as they stand: nothing in them could be written otherwise."""
HELD_BACK_MS = 3_000
"""A callback that is to arrive out of order waits for the next one, or so long."""


@lru_cache(maxsize=10_000)
def _quoted(text: str, *given: Any) -> str:
    """Most of what a webhook brings along, the one before brought too."""
    return quote_plus(text, *given)


class Undelivered(SurgelineError):
    """A webhook was not answered, or not with success. ``code`` is Twilio's."""

    def __init__(self, code: int, url: str, message: str, *, on_demand: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.url = url
        self.on_demand = on_demand
        """Our own mischief: no fault of the product's."""


@dataclass(frozen=True)
class Answer:
    """What the product said."""

    status: int
    content_type: str | None
    body: bytes
    url: str


@dataclass(frozen=True)
class Webhook:
    """One request to be made. ``url`` is absolute; ``subject`` is the call or conference it tells of."""

    url: str
    method: str
    fields: Mapping[str, str]
    subject: str = ""
    cookies: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Patience:
    """How long a webhook may take and what is tried again: Twilio's connection overrides."""

    total_ms: int = LIMIT_MS
    retries: int = 1
    on: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, fragment: str) -> Patience:
        """From ``tt=…&rt=…&rc=…&rp=…``; what is out of range is as if it were not there."""
        given = dict(parse_qsl(fragment.replace(",", "%2C")))

        def whole(key: str, least: int, most: int, default: int) -> int:
            value = given.get(key, "")
            return int(value) if value.isdigit() and least <= int(value) <= most else default

        total = whole("tt", 100, LIMIT_MS, LIMIT_MS)
        policy = frozenset(given.get("rp", "ct").split(",")) & {"4xx", "5xx", "ct", "rt", "all"}
        return cls(min(total, whole("rt", 100, LIMIT_MS, LIMIT_MS)), whole("rc", 0, 5, 1), policy)

    def again(self, why: str) -> bool:
        return why in self.on or "all" in self.on


class Response(Protocol):
    """Of an HTTP answer, what is looked at."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Any:
        """``get(name)`` and ``get_list(name)``."""

    @property
    def content(self) -> bytes: ...


class Client(Protocol):
    """How the product is reached. What cannot be reached raises httpx2's errors."""

    async def request(
        self, method: str, url: str, *, content: str | None = None, headers: Mapping[str, str]
    ) -> Response: ...
    async def aclose(self) -> None: ...


class Courier:
    """Carries webhooks to the product and answers back."""

    def __init__(
        self,
        client: Client,
        token: str,
        clock: Clock,
        wall: Clock,
        ledger: Ledger,
        faults: Faults,
        *,
        allow_remote: bool = False,
    ) -> None:
        self.client = client
        self.token = token
        self.clock = clock
        self.wall = wall
        self.ledger = ledger
        self.faults = faults
        self.allow_remote = allow_remote
        self.in_flight = 0
        self.idle = asyncio.Event()
        self.idle.set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._held: asyncio.Event | None = None

    async def ask(self, webhook: Webhook) -> Answer:
        """Fetch a document. Raises Undelivered (11100, 11200, 11205, 11215).

        When the limit passes first the request is not cut short: it may still arrive, late.
        """
        answer = await self._in_time(webhook, self._befalls(webhook))
        if answer.status >= 400:
            raise Undelivered(11200, webhook.url, f"answered {answer.status}")
        return answer

    def tell(self, webhook: Webhook) -> None:
        """Report progress. Nobody waits for the answer; a bad one is a violation (15003)."""
        self.spawn(self._report(webhook))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run to the end whatever becomes of the one who asked."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.aclose()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, so that an answer nobody waits for is not complained of

    async def _in_time(self, webhook: Webhook, befalls: Mischief) -> Answer:
        patience = Patience.of(urlsplit(webhook.url).fragment)
        task = self.spawn(self._deliver(webhook, patience, befalls))
        if not await first_of(self.wall, patience.total_ms, task):
            self.ledger.took(urlsplit(webhook.url).path, 0, patience.total_ms / 1000)
            late = f"no answer within {patience.total_ms / 1000:g} s"
            raise Undelivered(11205, webhook.url, late, on_demand=bool(befalls.delay_ms))
        answer: Answer = task.result()
        return answer

    def _befalls(self, webhook: Webhook) -> Mischief:
        return self.faults.for_webhook(urlsplit(webhook.url).path, webhook.method)

    async def _report(self, webhook: Webhook) -> None:
        befalls = self._befalls(webhook)
        if befalls.reorder:
            await self._hold_back()
        try:
            answer = await self._in_time(webhook, befalls)
        except Undelivered as undelivered:
            if not undelivered.on_demand:
                self._complain(15003, webhook, str(undelivered))
        else:
            kind = (answer.content_type or "").split(";")[0].strip()
            if answer.status >= 400:
                self._complain(15003, webhook, f"answered {answer.status}")
            elif answer.body and kind not in ("text/xml", "application/xml", "text/html"):
                self._complain(12300, webhook, f"a status callback answered with {kind or 'no type'}")
        finally:
            if self._held is not None and not befalls.reorder:
                self._held.set()

    async def _hold_back(self) -> None:
        """Wait until another callback has gone by, or a while. One is held back at a time."""
        if self._held is not None:
            return
        self._held = asyncio.Event()
        self.ledger.counts["callbacks held back"] += 1
        passed = asyncio.ensure_future(self._held.wait())
        try:
            await first_of(self.clock, HELD_BACK_MS, passed)
        finally:
            passed.cancel()
            self._held = None

    async def _deliver(self, webhook: Webhook, patience: Patience, befalls: Mischief) -> Answer:
        if befalls.delay_ms:
            self.ledger.counts["webhooks delayed"] += 1
            await self.clock.sleep(befalls.delay_ms)
        if befalls.drop:
            self.ledger.counts["webhooks dropped"] += 1
            raise Undelivered(11205, webhook.url, "no connection (dropped on demand)", on_demand=True)
        token = str(uuid.uuid4())
        answer = await self._try(webhook, patience, token)
        if befalls.duplicate:
            self.ledger.counts["webhooks repeated"] += 1
            self._compare(webhook, answer, await self._try(webhook, patience, token))
        if befalls.lose_answer:
            self.ledger.counts["answers lost"] += 1
            broke = "the connection broke before the answer (on demand)"
            raise Undelivered(11200, webhook.url, broke, on_demand=True)
        return answer

    async def _try(self, webhook: Webhook, patience: Patience, token: str) -> Answer:
        left = patience.retries
        while True:
            why = ""
            try:
                answer = await self._follow(webhook, token)
                why = f"{answer.status // 100}xx" if answer.status >= 400 else ""
                failure: Undelivered | None = None
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                why, failure = "ct", Undelivered(11205, webhook.url, f"no connection: {error}")
            except httpx2.HTTPError as error:
                why, failure = "rt", Undelivered(11200, webhook.url, f"no answer: {error!r}")
            if why and left > 0 and patience.again(why):
                left -= 1
                self.ledger.counts["webhooks tried again"] += 1
                continue
            if failure is not None:
                raise failure
            return answer

    async def _follow(self, webhook: Webhook, token: str) -> Answer:
        """Send, and follow HTTP redirects; each request is signed for its own address."""
        url, method, fields = webhook.url, webhook.method, webhook.fields
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._send(url, method, fields, webhook, token)
            location = response.headers.get("location")
            if response.status_code not in (301, 302, 303, 307, 308) or not location:
                kind = response.headers.get("content-type")
                return Answer(response.status_code, kind, response.content, url)
            if response.status_code not in (307, 308):
                method, fields = "GET", {}
            url = urljoin(url, location)
        raise Undelivered(11215, webhook.url, f"more than {MOST_REDIRECTS} redirects")

    async def _send(
        self, url: str, method: str, fields: Mapping[str, str], webhook: Webhook, token: str
    ) -> Response:
        url = self._permitted(url)
        if method == "GET" and fields:
            parts = urlsplit(url)
            url = urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, urlencode(fields))))))
        if not PLAIN.fullmatch(url):
            url = str(httpx2.URL(url))  # as it is sent, so that what is signed is what arrives
        body = urlencode(fields, quote_via=_quoted) if method == "POST" else None
        headers = {
            "X-Twilio-Signature": sign(self.token, url, fields.items() if body is not None else ()),
            "I-Twilio-Idempotency-Token": token,
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
        if webhook.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in webhook.cookies.items())
        began = monotonic_s()
        self.in_flight += 1
        self.idle.clear()
        status = 0
        try:
            response = await self.client.request(method, url, content=body, headers=headers)
            status = response.status_code
        finally:
            self.in_flight -= 1
            if not self.in_flight:
                self.idle.set()
            self.ledger.took(urlsplit(url).path, status, monotonic_s() - began)
        self._keep_cookies(webhook, response)
        return response

    def _permitted(self, url: str) -> str:
        """The address without its fragment. Raises Undelivered when it is none, or not this machine's."""
        if PLAIN.fullmatch(url):
            return url
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Undelivered(11100, url, "not an http URL")
        if not self.allow_remote and not is_loopback(parts.hostname):
            self.ledger.counts["refused to leave this machine"] += 1
            raise Undelivered(11205, url, "the double does not ask beyond this machine")
        return urlunsplit(parts._replace(fragment=""))

    def _keep_cookies(self, webhook: Webhook, response: Response) -> None:
        for line in response.headers.get_list("set-cookie"):
            try:
                jar = SimpleCookie(line)
            except CookieError:
                continue
            webhook.cookies.update({name: morsel.value for name, morsel in jar.items()})

    def _compare(self, webhook: Webhook, first: Answer, second: Answer) -> None:
        if (first.status, first.body) != (second.status, second.body):
            self._complain(0, webhook, "a repeated request was answered otherwise", kind="repeat")

    def _complain(self, code: int, webhook: Webhook, message: str, kind: str = "status-callback") -> None:
        self.ledger.breach(Violation(self.clock.now_ms(), kind, code, message, webhook.url, webhook.subject))


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    host = host.strip("[]").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    parts = host.split(".")
    if len(parts) == 4 and all(part.isdigit() for part in parts):
        return parts[0] == "127"
    return host == "::1"
