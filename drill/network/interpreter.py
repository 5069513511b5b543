"""Running TwiML as a caller goes through it: one document after the other, verb by verb, on the clock.

One ``Interpreter`` per call. A verb's performer (``drill/verbs.py`` and friends) returns what comes next:
the next verb, another document (``Course``), or an ending. A call that is hung up or diverted from outside
has its running task cancelled; ``live`` then takes the course it was diverted to, if any.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from urllib.parse import urljoin, urlsplit

import structlog

from drill.network.exchange import Exchange
from drill.network.legs import Course, Heard, Leg, Stage
from drill.network.strictness import Document, Element, Unreadable, not_acted_out, read, schema
from drill.network.webhooks import Undelivered, Webhook
from foundation.errors import SurgelineError

log = structlog.get_logger()

APOLOGY = "We are sorry, an application error has occurred. Goodbye."
MOST_SPINS = 10
"""So many documents in a row may take no time at all; then it is a loop (11215)."""
CHARACTERS_A_SECOND = 14


class Ending(Enum):
    """How a verb or a document left off."""

    NEXT = "the next verb"
    OUT = "out of verbs"
    LEFT = "left the queue"
    HUNG_UP = "hung up"


Step = Course | Ending


class DocumentFailed(SurgelineError):
    """A document could not be had or cannot be used."""

    def __init__(self, code: int, course: Course, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.course = course


Performer = Callable[["Interpreter", Element, Document], Awaitable[Step]]
VERBS: dict[str, Performer] = {}
"""Filled by the modules of performers as they are imported."""


def performs(tag: str) -> Callable[[Performer], Performer]:
    """Register the performer of a verb."""

    def register(performer: Performer) -> Performer:
        VERBS[tag] = performer
        return performer

    return register


class Interpreter:
    """What one call goes through."""

    def __init__(self, exchange: Exchange, leg: Leg) -> None:
        self.exchange = exchange
        self.clock = exchange.clock
        self.leg = leg
        self._waits = 0

    # -- the call's life ---------------------------------------------------------------------------

    async def live(self, course: Course) -> None:
        """Follow ``course``, then whatever the call is diverted to, until it ends."""
        leg = self.leg
        next_course: Course | None = course
        while next_course is not None and not leg.ended:
            leg.diverted = None
            leg.run = asyncio.ensure_future(self._answer(next_course))
            await asyncio.wait({leg.run})
            if not leg.run.cancelled() and leg.run.exception() is not None:
                log.error("the interpreter failed", call=leg.sid, exc_info=leg.run.exception())
                self.exchange.ledger.counts["interpreter failures"] += 1
            next_course = leg.diverted
        self.exchange.end(leg)

    async def _answer(self, course: Course) -> None:
        """Follow ``course`` as Twilio does for a call: a failing document goes to the fallback URL once,
        a failing fallback to an apology.
        """
        leg = self.leg
        tries = 0
        while True:
            try:
                await self.follow(course)
                return
            except DocumentFailed as failed:
                tries += 1
                if leg.fallback is None or failed.course.is_fallback or tries > MOST_SPINS:
                    break
                course = Course(
                    leg.fallback.url,
                    leg.fallback.method,
                    {"ErrorCode": str(failed.code), "ErrorUrl": failed.course.url},
                    is_fallback=True,
                )
        self.exchange.ledger.counts["apologies"] += 1
        self.exchange.answered(leg)
        await self.say(APOLOGY, "en-US")

    # -- documents ---------------------------------------------------------------------------------

    async def follow(self, course: Course) -> Ending:
        """Run the document and those it leads to until one runs out of verbs. Raises DocumentFailed."""
        spins = 0
        while True:
            waited = self._waits
            document = await self.document(course)
            step = await self.perform(document)
            if isinstance(step, Ending):
                return step
            spins = 0 if self._waits > waited else spins + 1
            if spins > MOST_SPINS:
                self.exchange.breach("twiml", 11215, "documents lead in a circle", step.url, self.leg)
                raise DocumentFailed(11215, step, "too many redirects")
            course = step

    async def document(self, course: Course) -> Document:
        """Fetch and read. Every breach is recorded; in strict mode any breach fails the document."""
        exchange, leg = self.exchange, self.leg
        try:
            if course.twiml is not None:
                body, kind, url = course.twiml.encode(), "text/xml", ""
            else:
                webhook = Webhook(
                    course.url, course.method, exchange.fields(leg, course.params), leg.sid, leg.cookies
                )
                answer = await exchange.courier.ask(webhook)
                body, kind, url = answer.body, answer.content_type or "", answer.url
            document, breaches = read(body, kind, url, course.context)
        except Undelivered as failed:
            if failed.on_demand:
                self.note(f"the product is not reached: {failed}")
            else:
                exchange.breach("webhook", failed.code, str(failed), course.url, leg)
            raise DocumentFailed(failed.code, course, str(failed)) from None
        except Unreadable as failed:
            exchange.breach("twiml", failed.code, str(failed), course.url, leg)
            raise DocumentFailed(failed.code, course, str(failed)) from None
        for breach in breaches:
            exchange.breach("twiml", 12200, breach, course.url, leg)
        if breaches and exchange.strict:
            raise DocumentFailed(12200, course, breaches[0])
        for what in not_acted_out(document.verbs):
            exchange.breach("unmodelled", 0, f"the double does not act out {what}", course.url, leg)
        return document

    async def perform(self, document: Document) -> Step:
        """Carry out a document's verbs from the top. OUT when none is left."""
        for element in document.verbs:
            if element.tag not in schema()["contexts"][document.context]["allowed"]:
                continue
            self.leg.verb = element.tag
            if element.tag != "Reject":
                self.exchange.answered(self.leg)
            if self.leg.stage is Stage.RINGING:
                self.leg.stand(Stage.MENU)
            performer = VERBS.get(element.tag)
            if performer is None:
                self.exchange.breach(
                    "unmodelled", 0, f"the double does not act out <{element.tag}>", document.url, self.leg
                )
                continue
            step = await performer(self, element, document)
            if step is not Ending.NEXT:
                return step
        return Ending.OUT

    def course(
        self, document: Document, url: str, method: str = "", params: dict[str, str] | None = None
    ) -> Course:
        """Where ``url`` (relative to the document, or empty: the document itself) leads, in its context."""
        if not document.url and not urlsplit(url).scheme:
            self.exchange.breach(
                "twiml", 11100, f"{url!r} in a Twiml parameter must be absolute", "", self.leg
            )
            raise DocumentFailed(11100, Course(url), "a relative URL in a Twiml parameter")
        return Course(
            absolute(document, url) if url else document.url,
            method or "POST",
            params or {},
            document.context,
        )

    # -- what the person hears ---------------------------------------------------------------------

    async def pause(self, ms: float) -> bool:
        """Let time pass. True when a key or a word that somebody listens for cut it short."""
        self._waits += 1
        if not self.leg.keypad.listens_for:
            await self.clock.sleep(ms)
            return False
        return await self.leg.keypad.within(self.clock, ms)

    async def say(self, text: str, language: str) -> bool:
        """Words, at their pace. True when cut short."""
        ms = speaking_ms(text)
        self.hear("say", text, language, ms)
        return await self.pause(ms)

    def hear(self, kind: str, text: str = "", language: str = "", duration_ms: int = 0) -> None:
        self.leg.hear(Heard(self.clock.now_ms(), kind, text, language, duration_ms))

    def note(self, text: str) -> None:
        self.hear("note", text)

    def tell(self, document: Document, url: str, method: str, extra: dict[str, str]) -> None:
        """Send a webhook of this call whose answer nobody can carry out."""
        if url:
            self.exchange.tell(self.leg, absolute(document, url), method or "POST", extra)


def absolute(document: Document, url: str) -> str:
    """Where an address in this document leads."""
    return url if url.startswith(("http://", "https://")) else urljoin(document.url, url)


def speaking_ms(text: str) -> int:
    """How long a text takes to say: about fourteen characters a second, half a second at least."""
    return max(500, round(len(text) * 1000 / CHARACTERS_A_SECOND))
