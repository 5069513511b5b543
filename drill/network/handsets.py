"""Texts that people write: kept, told to the number's SmsUrl, and what is answered carried out.

Twilio itself obeys STOP, START and HELP, when they are the whole text, and answers them; the product is told
of them all the same and must not answer too.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urljoin

from drill.network import strictness
from drill.network.exchange import API_VERSION, Exchange, OurNumber, new_sid
from drill.network.geography import places
from drill.network.legs import Target
from drill.network.strictness import Document, Element
from drill.network.texts import DELIVERY_MS, Outbox, Text, segments
from drill.network.webhooks import MOST_REDIRECTS, Answer, Undelivered, Webhook
from foundation.errors import Mendable

LONGEST = 1600
STOP = frozenset(["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"])
START = frozenset(["START", "YES", "UNSTOP"])
HELP = frozenset(["HELP", "INFO"])
ANSWERS = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this "
    "number. Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}


def write(exchange: Exchange, outbox: Outbox, from_: str, to: str, body: str) -> Text:
    """Somebody texts one of our numbers. Raises Mendable when it is none of ours, or the text is no text."""
    ours = next((each for each in exchange.numbers.values() if each.number == to), None)
    if ours is None:
        raise Mendable(f"{to} is not a number of this account")
    if not body or len(body) > LONGEST:
        raise Mendable(f"a text has 1 to {LONGEST} characters")
    now_ms = exchange.now_ms()
    text = Text(
        new_sid("SM"), from_, to, body, now_ms, status="received", sent_ms=now_ms, updated_ms=now_ms,
        direction="inbound",
    )  # fmt: skip
    exchange.messages[text.sid] = text
    exchange.ledger.counts["texts inbound"] += 1
    _obey(exchange, text)
    if ours.sms is not None:
        exchange.courier.spawn(_Conversation(exchange, outbox, ours, text).run(ours.sms))
    return text


def shown(exchange: Exchange, number: str) -> list[Text]:
    """What is on that handset: what it wrote and what has arrived, the oldest first."""
    return [
        text
        for text in sorted(exchange.messages.values(), key=lambda text: text.updated_ms)
        if (text.from_ == number and text.direction == "inbound")
        or (text.to == number and text.status == "delivered")
    ]


def _obey(exchange: Exchange, text: Text) -> None:
    """What Twilio does by itself, before the product hears of it."""
    word, pair = text.body.strip().upper(), (text.to, text.from_)
    if word in STOP:
        exchange.opted_out.add(pair)
        _reply(exchange, text, "STOP")
    elif word in START and (pair in exchange.opted_out or word != "YES"):
        exchange.opted_out.discard(pair)
        _reply(exchange, text, "START")
    elif word in HELP:
        _reply(exchange, text, "HELP")


def _reply(exchange: Exchange, text: Text, kind: str) -> None:
    """Twilio's own answer: nobody is charged a place in the sender's queue, nobody is told of it."""
    now_ms = exchange.now_ms()
    reply = Text(
        new_sid("SM"), text.to, text.from_, ANSWERS[kind], now_ms, status="sent", sent_ms=now_ms,
        updated_ms=now_ms, direction="outbound-reply",
    )  # fmt: skip
    exchange.messages[reply.sid] = reply
    exchange.courier.spawn(_arrive(exchange, reply))


async def _arrive(exchange: Exchange, reply: Text) -> None:
    await exchange.clock.sleep(DELIVERY_MS)
    reply.status, reply.updated_ms = "delivered", exchange.now_ms()


class _Conversation:
    """One text in, and the document it is answered with."""

    def __init__(self, exchange: Exchange, outbox: Outbox, ours: OurNumber, text: Text) -> None:
        self.exchange = exchange
        self.outbox = outbox
        self.ours = ours
        self.text = text

    async def run(self, target: Target) -> None:
        fields = self._fields()
        answer = await self._ask(target, fields)
        fallback = self.ours.sms_fallback
        if isinstance(answer, Undelivered) and fallback is not None:
            trouble = {"ErrorCode": str(answer.code), "ErrorUrl": answer.url}
            answer = await self._ask(fallback, {**fields, **trouble})
        if isinstance(answer, Answer):
            await self._carry_out(answer)

    async def _ask(self, target: Target, fields: dict[str, str]) -> Answer | Undelivered:
        try:
            return await self.exchange.courier.ask(Webhook(target.url, target.method, fields, self.text.sid))
        except Undelivered as undelivered:
            if not undelivered.on_demand:
                self.exchange.breach("webhook", undelivered.code, str(undelivered), target.url)
            return undelivered

    def _fields(self) -> dict[str, str]:
        text = self.text
        fields = {
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsMessageSid": text.sid,
            "AccountSid": self.exchange.account.sid,
            "From": text.from_,
            "To": text.to,
            "Body": text.body,
            "NumMedia": "0",
            "NumSegments": str(segments(text.body)),
            "SmsStatus": "received",
            "ApiVersion": API_VERSION,
        }
        for prefix, number in (("From", text.from_), ("To", text.to)):
            fields.update({f"{prefix}{name}": value for name, value in places(number).items()})
        return fields

    # -- the answer --------------------------------------------------------------------------------

    async def _carry_out(self, answer: Answer) -> None:
        """Send what is in the document; a <Redirect> leads to the next one."""
        for _ in range(MOST_REDIRECTS):
            document = self._read(answer)
            onward = None
            for element in document.verbs if document is not None else ():
                if element.tag == "Redirect":
                    onward = Target(urljoin(answer.url, element.own), element.get("method", "POST"))
                    break
                self._message(element, answer.url)
            if onward is None:
                return
            next_answer = await self._ask(onward, self._fields())
            if isinstance(next_answer, Undelivered):
                return
            answer = next_answer
        self.exchange.breach("twiml", 11215, f"more than {MOST_REDIRECTS} redirects", answer.url)

    def _read(self, answer: Answer) -> Document | None:
        """The document; plain text is a reply as it stands, and nothing at all is nothing to do."""
        kind = (answer.content_type or "").split(";")[0].strip().lower()
        if not answer.body:
            return None
        if kind == "text/plain":
            words = answer.body.decode("utf-8", "replace")
            return Document((Element("Message", {}, (), words, words),), answer.url, "messaging.webhook")
        try:
            document, breaches = strictness.read(
                answer.body, answer.content_type, answer.url, "messaging.webhook"
            )
        except strictness.Unreadable as fault:
            self.exchange.breach("twiml", fault.code, str(fault), answer.url)
            return None
        for breach in breaches:
            self.exchange.breach("twiml", 12200, breach, answer.url)
        for what in strictness.not_acted_out(document.verbs):
            self.exchange.breach("unmodelled", 0, f"the double does not act out {what}", answer.url)
        verbs = () if breaches and self.exchange.strict else document.verbs
        return replace(document, verbs=tuple(verb for verb in verbs if verb.tag in ("Message", "Redirect")))

    def _message(self, element: Element, url: str) -> None:
        """One <Message>: a reply, unless it names another receiver."""
        to, from_ = element.get("to", self.text.from_), element.get("from", self.text.to)
        bodies = [child.own for child in element.children if child.tag == "Body"]
        body = "\n".join(bodies) if bodies else element.own
        if (from_, to) in self.exchange.opted_out:
            self.exchange.breach("text", 21610, "an answer to a number that has opted out", url)
            return
        if len(body) > LONGEST:
            self.exchange.breach("text", 21617, f"a reply of {len(body)} characters", url)
            return
        told = element.get("statusCallback")
        callback = Target(urljoin(url, told)) if told else None
        self.outbox.send(from_, to, body, callback, "outbound-reply")
