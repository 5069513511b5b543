"""A web process ends at once though pages hold streams open."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from processes.ending import Streams


class Endless:
    """An application whose answer never ends; it says whether it was told to stop."""

    def __init__(self) -> None:
        self.stopped = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.stopped = True
            raise


class Reader:
    """A browser: what it was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.begun = asyncio.Event()

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        self.begun.set()

    async def receive(self) -> dict[str, Any]:
        return {"type": "http.request"}


def open_stream(streams: Streams, reader: Reader, path: str = "/events") -> asyncio.Task[None]:
    scope = {"type": "http", "path": path}
    return asyncio.ensure_future(streams(scope, reader.receive, reader.send))


async def test_streams_end_cleanly_when_the_process_does() -> None:
    app, reader = Endless(), Reader()
    streams = Streams(app)
    stream = open_stream(streams, reader)
    await reader.begun.wait()
    streams.end()
    await stream
    assert app.stopped
    assert reader.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_other_answers_are_finished() -> None:
    app, reader = Endless(), Reader()
    streams = Streams(app)
    page = open_stream(streams, reader, "/reports.csv")
    await reader.begun.wait()
    streams.end()
    await asyncio.sleep(0)
    assert not page.done()
    page.cancel()


async def test_a_reader_who_goes_ends_the_stream() -> None:
    app, reader = Endless(), Reader()
    stream = open_stream(Streams(app), reader)
    await reader.begun.wait()
    stream.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stream
    await asyncio.sleep(0)
    assert app.stopped
