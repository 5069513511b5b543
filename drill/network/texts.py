"""Text messages out: queued, one segment a second a sender, sent, delivered or not, and reported.

What comes in from a handset is in ``handsets``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drill.network.exchange import API_VERSION, Exchange, Phone, new_sid
from drill.network.legs import Target
from drill.network.webhooks import Webhook

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_TWICE = frozenset("\f^{}\\[~]|€")
"""Characters that take two places."""
SPACING_MS = 1_000
DELIVERY_MS = 2_000


@dataclass(eq=False)
class Text:
    """One message, out or in."""

    sid: str
    from_: str
    to: str
    body: str
    created_ms: int
    callback: Target | None = None
    status: str = "queued"
    sent_ms: int | None = None
    updated_ms: int = 0
    direction: str = "outbound-api"
    error: int | None = None

    def shown(self) -> dict[str, Any]:
        """For the control routes: as a handset shows it, and what became of it."""
        return {
            "sid": self.sid,
            "from": self.from_,
            "to": self.to,
            "body": self.body,
            "direction": self.direction,
            "status": self.status,
            "error": self.error,
            "segments": segments(self.body),
            "at_ms": self.updated_ms,
        }


def segments(body: str) -> int:
    """How many parts a text is sent in: 160 GSM-7 places (153 in parts), or 70 (67) UTF-16 units of any."""
    if set(body) <= GSM7 | GSM7_TWICE:
        places, one, part = len(body) + sum(each in GSM7_TWICE for each in body), 160, 153
    else:
        places, one, part = len(body.encode("utf-16-le", "surrogatepass")) // 2, 70, 67
    return 1 if places <= one else -(-places // part)


class Outbox:
    """Texts on their way, one segment a second for each sender."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._free_ms: dict[str, float] = {}

    def send(
        self, from_: str, to: str, body: str, callback: Target | None, direction: str = "outbound-api"
    ) -> Text:
        now_ms = self.exchange.now_ms()
        text = Text(new_sid("SM"), from_, to, body, now_ms, callback, updated_ms=now_ms, direction=direction)
        self.exchange.messages[text.sid] = text
        self.exchange.ledger.counts[f"texts {direction}"] += 1
        start_ms = max(now_ms, self._free_ms.get(from_, 0))
        self._free_ms[from_] = start_ms + segments(body) * SPACING_MS
        self.exchange.courier.spawn(self._go(text, start_ms - now_ms))
        return text

    async def _go(self, text: Text, wait_ms: float) -> None:
        clock = self.exchange.clock
        await clock.sleep(wait_ms)
        if text.status == "canceled":
            return
        self._become(text, "sending")
        await clock.sleep(SPACING_MS / 2)
        text.sent_ms = clock.now_ms()
        self._become(text, "sent")
        await clock.sleep(DELIVERY_MS)
        text.error = self.exchange.phones.get(text.to, Phone()).text_error
        self._become(text, "delivered" if text.error is None else "undelivered")

    def _become(self, text: Text, status: str) -> None:
        text.status = status
        text.updated_ms = self.exchange.now_ms()
        if text.callback is None or status == "sending":
            return
        fields = {
            "AccountSid": self.exchange.account.sid,
            "ApiVersion": API_VERSION,
            "From": text.from_,
            "To": text.to,
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "MessageStatus": status,
            "SmsStatus": status,
        }
        if text.error is not None:
            fields["ErrorCode"] = str(text.error)
        self.exchange.courier.tell(Webhook(text.callback.url, text.callback.method, fields, text.sid))
