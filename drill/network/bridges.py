"""Two calls talking to each other."""

from __future__ import annotations

import asyncio

from drill.network.legs import Target


class Bridge:
    """Joined by both sides, over when either parts."""

    def __init__(self, by_sid: str = "", whisper: Target | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.by_sid = by_sid
        self.whisper = whisper
        self.joined: asyncio.Future[None] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()

    def join(self) -> None:
        if not self.joined.done():
            self.joined.set_result(None)

    def part(self) -> None:
        if not self.over.done():
            self.over.set_result(None)
