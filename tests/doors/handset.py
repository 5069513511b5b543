"""A telephone in a test's hand: it asks our doors as Twilio would, and says what its owner hears.

Every answer is checked on the way: 200, TwiML by the strict reader, verbs that are allowed where it runs.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from drill.network import strictness
from drill.network.signing import sign
from drill.network.strictness import Document, Element
from queueing import journal

PUBLIC = "https://voice.example.com"
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = "AC" + "0" * 32
NUMBER = "+14155550100"

CONTEXTS = {
    "/voice/wait": "enqueue.waitUrl",
    "/voice/wait/key": "enqueue.waitUrl",
    "/voice/callback": "enqueue.waitUrl",
    "/voice/callback/confirm": "enqueue.waitUrl",
    "/voice/callback/number": "enqueue.waitUrl",
    "/voice/callback/when": "enqueue.waitUrl",
    "/voice/callback/text": "enqueue.waitUrl",
    "/voice/connecting": "dial.conference.waitUrl",
    "/sms/incoming": "messaging.webhook",
    "/sms/status": "messaging.webhook",
}

_sids = itertools.count(1)


@dataclass(frozen=True)
class Reply:
    """What came back, and as what it is heard."""

    status: int
    headers: dict[str, str]
    body: bytes
    document: Document | None = None

    @property
    def verbs(self) -> list[str]:
        return [verb.tag for verb in self.flat]

    @property
    def flat(self) -> list[Element]:
        """Every verb, those inside a <Gather> in their place after it."""
        assert self.document is not None
        return [each for verb in self.document.verbs for each in (verb, *verb.children)]

    @property
    def said(self) -> str:
        return " ".join(verb.text for verb in self.flat if verb.tag == "Say")

    @property
    def languages(self) -> list[str]:
        return list(dict.fromkeys(verb.get("language") for verb in self.flat if verb.tag == "Say"))

    @property
    def clips(self) -> list[str]:
        return [verb.text.rsplit("/", 1)[1] for verb in self.flat if verb.tag == "Play"]

    def one(self, tag: str) -> Element:
        found = [verb for verb in self.flat if verb.tag == tag]
        assert len(found) == 1, f"{len(found)} <{tag}> in {self.body.decode()}"
        return found[0]

    def has(self, tag: str) -> bool:
        return tag in self.verbs


@dataclass
class Web:
    """The doors, asked without a network."""

    app: Any
    asked: list[tuple[str, dict[str, str], Reply]] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Reply:
        raw_path, _, query = path.partition("?")
        given = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw_path,
            "raw_path": raw_path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        sent: list[dict[str, Any]] = []
        parts = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict[str, Any]:
            return next(parts, {"type": "http.disconnect"})

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        start = sent[0]
        told = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], told, b"".join(part.get("body", b"") for part in sent[1:]))

    async def twilio(self, path: str, form: dict[str, str] | list[tuple[str, str]]) -> Reply:
        """A genuine webhook: signed, answered with 200 and TwiML that the strict reader has no fault with."""
        fields = list(form.items()) if isinstance(form, dict) else form
        signature = sign(TOKEN, PUBLIC + path, fields)
        reply = await self.ask("POST", path, urlencode(fields).encode(), {"x-twilio-signature": signature})
        assert reply.status == 200, reply
        context = CONTEXTS.get(path.partition("?")[0], "voice.answer")
        document, breaches = strictness.read(
            reply.body, reply.headers.get("content-type"), PUBLIC + path, context
        )
        assert not breaches, (breaches, reply.body)
        heard = Reply(reply.status, reply.headers, reply.body, document)
        self.asked.append((path, dict(fields), heard))
        return heard


async def journalled(desk: Any) -> list[Any]:
    """Every line of the journal so far."""
    await journal.ensure_group(desk.redis, desk.keys, "test")
    await desk.redis.xgroup_setid(desk.keys.journal, "test", "0")
    return await journal.read(desk.redis, desk.keys, "test", "test", count=10_000)


def below(url: str) -> str:
    """Path and query of a URL in an answer, which has to be ours."""
    assert url.startswith(PUBLIC), url
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@dataclass
class Handset:
    """One caller."""

    web: Web
    number: str = "+14155550001"
    sid: str = field(default_factory=lambda: f"CA{next(_sids):032x}")
    heard: Reply | None = None
    enqueued: Element | None = None
    queue_time: int = 0

    async def post(self, path: str, **more: str) -> Reply:
        form = {
            "CallSid": self.sid,
            "AccountSid": ACCOUNT,
            "From": self.number,
            "To": NUMBER,
            "CallStatus": "in-progress",
            "ApiVersion": "2010-04-01",
            "Direction": "inbound",
            "Caller": self.number,
            "Called": NUMBER,
        } | more
        self.heard = await self.web.twilio(path, form)
        if self.heard.has("Enqueue"):
            self.enqueued = self.heard.one("Enqueue")
        return self.heard

    async def ring(self) -> Reply:
        return await self.post("/voice/incoming", CallStatus="ringing")

    async def press(self, digits: str) -> Reply:
        return await self.post(self._gather(), Digits=digits)

    async def speak(self, text: str) -> Reply:
        return await self.post(self._gather(), SpeechResult=text, Confidence="0.9")

    async def say_nothing(self) -> Reply:
        """Listen to the end of the document."""
        assert self.heard is not None
        return await self.post(below(self.heard.one("Redirect").text))

    async def wait(self, **more: str) -> Reply:
        """The first question of the hold loop."""
        assert self.enqueued is not None
        return await self.post(below(self.enqueued.get("waitUrl")), **(self._in_queue() | more))

    async def listen(self, seconds: int = 0) -> Reply:
        """The next question of the hold loop."""
        assert self.heard is not None
        self.queue_time += seconds
        return await self.post(below(self.heard.one("Redirect").text), **self._in_queue())

    async def left(self, result: str, **more: str) -> Reply:
        assert self.enqueued is not None
        action = below(self.enqueued.get("action"))
        return await self.post(action, QueueResult=result, QueueTime=str(self.queue_time), **more)

    async def hang_up(self) -> None:
        """In the queue: Twilio asks the Enqueue's action, and tells of the end of the call."""
        if self.enqueued is not None:
            await self.left("hangup", CallStatus="completed")
        await self.post("/voice/status", CallStatus="completed", CallDuration="60")

    async def to_the_line(self, key: str = "0") -> Reply:
        """Ring, press one key of the menu, and be in the line."""
        await self.ring()
        return await self.press(key)

    def _gather(self) -> str:
        assert self.heard is not None
        return below(self.heard.one("Gather").get("action"))

    def _in_queue(self) -> dict[str, str]:
        return {
            "QueueSid": "QU" + "0" * 32,
            "QueueTime": str(self.queue_time),
            "QueuePosition": "1",
            "AvgQueueTime": "10",
            "CurrentQueueSize": "1",
            "MaxQueueSize": "5000",
        }
