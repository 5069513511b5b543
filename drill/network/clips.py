"""How long a clip plays: read from its WAV header, asked for once."""

from __future__ import annotations

import asyncio

from drill.network.exchange import Exchange
from drill.network.legs import Leg
from drill.network.webhooks import Undelivered, Webhook

UNKNOWN_MS = 5_000


async def clip_ms(exchange: Exchange, leg: Leg, url: str) -> int:
    """Milliseconds; five seconds when the clip cannot be fetched (a violation) or is no WAV."""
    measured = exchange.clips.get(url)
    if measured is None:
        measured = exchange.clips[url] = exchange.courier.spawn(_measure(exchange, leg, url))
    return await asyncio.shield(measured)


async def _measure(exchange: Exchange, leg: Leg, url: str) -> int:
    try:
        answer = await exchange.courier.ask(Webhook(url, "GET", {}, leg.sid, leg.cookies))
    except Undelivered as failed:
        exchange.clips.pop(url, None)  # the next caller tries again
        if not failed.on_demand:
            exchange.breach("media", failed.code, f"a clip could not be fetched: {failed}", url, leg)
        return UNKNOWN_MS
    kind = (answer.content_type or "").split(";")[0].strip().lower()
    if not kind.startswith("audio/"):
        exchange.breach("media", 12300, f"a clip of type {kind or 'unknown'}", url, leg)
    elif not answer.body:
        exchange.breach("media", 0, "a clip without a sound in it", url, leg)
    return wav_ms(answer.body) or UNKNOWN_MS


def wav_ms(data: bytes) -> int | None:
    """How long a RIFF/WAVE file plays; None for anything else."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return None
    bytes_a_second, at = 0, 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt ":
            bytes_a_second = int.from_bytes(data[at + 16 : at + 20], "little")
        if name == b"data" and bytes_a_second:
            return round(min(size, len(data) - at - 8) * 1000 / bytes_a_second)
        at += 8 + size + size % 2
    return None
