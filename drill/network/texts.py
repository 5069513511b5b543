"""Text messages the product sends: queued one a second a sender, sent, delivered."""

from __future__ import annotations

from dataclasses import dataclass

from drill.network.exchange import API_VERSION, Exchange, new_sid
from drill.network.legs import Target
from drill.network.webhooks import Webhook

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
SPACING_MS = 1_000
DELIVERY_MS = 2_000


@dataclass(eq=False)
class Text:
    """One message."""

    sid: str
    from_: str
    to: str
    body: str
    created_ms: int
    callback: Target | None = None
    status: str = "queued"
    sent_ms: int | None = None
    updated_ms: int = 0


def segments(body: str) -> int:
    """How many parts a text is sent in: 160 GSM-7 characters (153 in parts), or 70 (67) of any."""
    one, part = (160, 153) if set(body) <= GSM7 else (70, 67)
    return 1 if len(body) <= one else -(-len(body) // part)


class Outbox:
    """Texts on their way, one segment a second for each sender."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self._free_ms: dict[str, float] = {}

    def send(self, from_: str, to: str, body: str, callback: Target | None) -> Text:
        now_ms = self.exchange.now_ms()
        text = Text(new_sid("SM"), from_, to, body, now_ms, callback, updated_ms=now_ms)
        self.exchange.messages[text.sid] = text
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
        self._become(text, "delivered")

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
        self.exchange.courier.tell(Webhook(text.callback.url, text.callback.method, fields, text.sid))
