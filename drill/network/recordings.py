"""What callers left, as sound: silence of the right length, since nobody really spoke."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from drill.network.exchange import Exchange
from drill.network.rest.door import Door

HERTZ = 8000


class Media:
    """``…/Recordings/RE….wav`` (or without an ending) is the sound; ``….json`` the resource."""

    def __init__(self, exchange: Exchange, door: Door) -> None:
        self.exchange = exchange
        self.door = door

    async def answer(self, request: Request) -> Response:
        name = request.path_params["file"]
        if name.endswith(".json"):
            return await self.door.answer(request)
        recording = self.exchange.recordings.get(name.removesuffix(".wav"))
        if recording is None:
            return Response("not found", 404, media_type="text/plain")
        return Response(silence(min(recording.duration_s, 120)), media_type="audio/x-wav")


def silence(seconds: int) -> bytes:
    """A mono 8-bit µ-law-free WAV of nothing."""
    data = b"\x80" * (HERTZ * seconds)
    fmt = (
        b"fmt "
        + (16).to_bytes(4, "little")
        + b"\x01\x00\x01\x00"
        + HERTZ.to_bytes(4, "little") * 2
        + b"\x01\x00\x08\x00"
    )
    body = b"WAVE" + fmt + b"data" + len(data).to_bytes(4, "little") + data
    return b"RIFF" + len(body).to_bytes(4, "little") + body
