"""A web process ends at once though pages hold streams open: it ends the streams, and browsers come back."""

from __future__ import annotations

import asyncio
import contextlib
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAMS = ("/events",)


class Streams:
    """Ends the streams under way when told to; everything else passes by."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._under_way: set[asyncio.Task[None]] = set()
        self.ending = False

    def end(self) -> None:
        """From now on no stream goes on."""
        self.ending = True
        for task in self._under_way:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in STREAMS:
            return await self._app(scope, receive, send)
        begun = False

        async def told(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        task = asyncio.ensure_future(self._run(scope, receive, told))
        self._under_way.add(task)
        try:
            await task
        except asyncio.CancelledError:
            if not self.ending:
                task.cancel()
                raise
            if begun:
                with contextlib.suppress(OSError):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._under_way.discard(task)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class Server(uvicorn.Server):
    """uvicorn's, which ends the streams before it waits for the rest."""

    def __init__(self, config: uvicorn.Config, streams: Streams) -> None:
        super().__init__(config)
        self._streams = streams

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._streams.end()
        super().handle_exit(sig, frame)
