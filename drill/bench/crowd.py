"""Many connections asking at once, one question in flight on each: the way callers do.

Questions are bytes ready to send and answers are only told apart, not understood, so that the asking
costs little beside the answering.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hiredis import Reader

CONNECTIONS = 50


def resp(*words: object) -> bytes:
    """A Redis command as it goes over the wire."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n%s" % (len(parts), b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))


class Asker(asyncio.Protocol):
    """One connection to Redis: sends its questions one after the other and keeps the answers."""

    def __init__(self) -> None:
        self.reader = Reader()
        self.answers: list[object] = []
        self._questions: list[bytes] = []
        self._done: asyncio.Future[None] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        while (answer := self.reader.gets()) is not False:
            self.answers.append(answer)
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(exc or ConnectionError("Redis closed the connection"))

    async def ask(self, questions: Sequence[bytes]) -> None:
        self._questions = list(reversed(questions))
        self._done = asyncio.get_running_loop().create_future()
        self._next()
        await self._done

    def _next(self) -> None:
        if self._questions:
            assert self._transport
            self._transport.write(self._questions.pop())
        elif self._done and not self._done.done():
            self._done.set_result(None)


class Crowd:
    """``CONNECTIONS`` askers on one unix socket."""

    def __init__(self, askers: list[Asker]) -> None:
        self._askers = askers

    @classmethod
    async def at(cls, socket_path: str, size: int = CONNECTIONS) -> Crowd:
        loop = asyncio.get_running_loop()
        made = [await loop.create_unix_connection(Asker, socket_path) for _ in range(size)]
        return cls([asker for _, asker in made])

    async def ask(self, questions: Sequence[bytes]) -> list[object]:
        """Every question answered once, spread over the connections; answers in no order.

        Raises RuntimeError when Redis answers one of them with an error.
        """
        for asker in self._askers:
            asker.answers = []
        size = len(self._askers)
        shares = [questions[i::size] for i in range(size)]
        await asyncio.gather(*(a.ask(s) for a, s in zip(self._askers, shares, strict=True) if s))
        answers = [answer for asker in self._askers for answer in asker.answers]
        for answer in answers:
            if isinstance(answer, Exception):
                raise RuntimeError(f"Redis refused a question: {answer}")
        return answers
