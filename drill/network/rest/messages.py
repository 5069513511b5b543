"""Messages over REST."""

from __future__ import annotations

from typing import Any

from drill.network.exchange import API_VERSION, Exchange, rfc2822
from drill.network.legs import Target
from drill.network.rest.calls import E164, moment_ms
from drill.network.rest.door import Ask, Reply, operation, page
from drill.network.rest.refusals import ALWAYS_OURS, TEXT_FROM, TEXT_TO, Refusal
from drill.network.texts import Outbox, Text, segments

LONGEST = 1600
DAY_MS = 86_400_000


@operation("CreateMessage", "To From Body StatusCallback")
async def create(ask: Ask) -> Reply:
    to, from_, body = ask.text("To"), ask.text("From"), ask.text("Body")
    if from_ in TEXT_FROM:
        raise Refusal(TEXT_FROM[from_])
    if to in TEXT_TO:
        raise Refusal(TEXT_TO[to])
    if not E164.fullmatch(to):
        raise Refusal(21211, to)
    if from_ not in {number.number for number in ask.exchange.numbers.values()} | {ALWAYS_OURS}:
        raise Refusal(21606, from_)
    if not body:
        raise Refusal(21602)
    if len(body) > LONGEST:
        raise Refusal(21617)
    if (from_, to) in ask.exchange.opted_out:
        raise Refusal(21610)
    url = ask.url("StatusCallback", 21609)
    outbox: Outbox = ask.switchboard.outbox
    text = outbox.send(from_, to, body, Target(url) if url else None)
    return Reply(view(ask.exchange, text), 201)


@operation("ListMessage")
async def listed(ask: Ask) -> Reply:
    texts = [text for text in reversed(ask.exchange.messages.values()) if _fits(ask, text)]
    return page(ask, "messages", texts, view)


@operation("FetchMessage")
async def fetch(ask: Ask) -> Reply:
    text = ask.exchange.messages.get(ask.named["Sid"])
    if text is None:
        raise Refusal(20404, ask.path)
    return Reply(view(ask.exchange, text))


def view(exchange: Exchange, text: Text) -> dict[str, Any]:
    base = f"/{API_VERSION}/Accounts/{exchange.account.sid}/Messages/{text.sid}"
    return {
        "sid": text.sid,
        "account_sid": exchange.account.sid,
        "messaging_service_sid": None,
        "from": text.from_,
        "to": text.to,
        "body": text.body,
        "status": text.status,
        "direction": text.direction,
        "num_segments": str(segments(text.body)),
        "num_media": "0",
        "price": None,
        "price_unit": "USD",
        "error_code": text.error,
        "error_message": None,
        "api_version": API_VERSION,
        "date_created": rfc2822(text.created_ms),
        "date_updated": rfc2822(text.updated_ms),
        "date_sent": None if text.sent_ms is None else rfc2822(text.sent_ms),
        "uri": f"{base}.json",
        "subresource_uris": {"media": f"{base}/Media.json"},
    }


def _fits(ask: Ask, text: Text) -> bool:
    if ask.text("To", text.to) != text.to or ask.text("From", text.from_) != text.from_:
        return False
    for compared in ("", "<", ">"):
        day = ask.text("DateSent" + compared)
        if not day:
            continue
        start_ms, sent_ms = moment_ms(day), text.sent_ms or text.created_ms
        if compared in ("", ">") and sent_ms < start_ms:
            return False
        if compared in ("", "<") and sent_ms >= start_ms + DAY_MS:
            return False
    return True
