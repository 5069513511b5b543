"""An event loop whose time stands still while anybody works, and jumps to the next timer when nobody does.

Everything in it that sleeps, sleeps on this time: callers, agents, the phone network, the product's own
timeouts. Work that waits for the world (an answer of Redis, of SQL, of a file) is done while holding the
loop's ``turn``: then the time stands, however long the world takes. One at a time works; so the same seed
gives the same day.
"""

from __future__ import annotations

import asyncio
import gc
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from foundation.errors import SurgelineError

T = TypeVar("T")
STUCK_S = 60.0
"""Real time. Whoever holds the turn so long without a word from the world waits for this clock, in vain."""

SELDOM = 20
"""While there is something to do, the world is looked at once in so many turns of the loop."""


class Stuck(SurgelineError):
    """Whoever works waits for a time that cannot come while they work."""


class Turn:
    """Held by one at a time, first come first served."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @property
    def taken(self) -> bool:
        return self._lock.locked()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Work, while the time stands."""
        await self._lock.acquire()
        hold = _Hold(self._lock)
        before = _HOLD.set(hold)
        try:
            yield
        finally:
            _HOLD.reset(before)
            hold.end()

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """While the world waits for this clock: others may work, and time may pass. For whoever holds it;
        whoever does not, has nothing to lend."""
        hold = _HOLD.get()
        if hold is None or hold.over:
            yield
            return
        hold.lend()
        try:
            yield
        finally:
            await hold.take_back()


class _Hold:
    """One holder, and the tasks it has begun: while any of them lends the turn, the holder is without it."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock
        self._mine = True
        self._lent = 0
        self.over = False
        self._taking: asyncio.Task[bool] | None = None

    def lend(self) -> None:
        self._lent += 1
        if self._mine:
            self._mine = False
            self._lock.release()

    async def take_back(self) -> None:
        self._lent -= 1
        if self._lent or self._mine or self.over:
            return
        if self._taking is None:
            self._taking = asyncio.ensure_future(self._lock.acquire())
            self._taking.add_done_callback(self._taken)
        await asyncio.shield(self._taking)  # whoever is cancelled meanwhile still gives it up at the end

    def _taken(self, task: asyncio.Task[bool]) -> None:
        self._taking = None
        if not task.cancelled():
            self._mine = True
            if self.over or self._lent:
                self._mine = False
                self._lock.release()

    def end(self) -> None:
        self.over = True
        if self._mine:
            self._mine = False
            self._lock.release()


_HOLD: ContextVar[_Hold | None] = ContextVar("hold", default=None)


class VirtualLoop(asyncio.SelectorEventLoop):
    """``time()`` begins at 0 and is in seconds, as of any loop."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Selector(self))
        self.turn = Turn()

    def time(self) -> float:
        return self._now_s

    def skip(self, s: float) -> None:
        self._now_s += s


class _Selector(selectors.DefaultSelector):
    """The loop asks how long to wait for the world; that tells whether anybody has anything to do."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._unseen = 0

    def _glance(self) -> list[tuple[selectors.SelectorKey, int]]:
        """There is something else to do, so the world is looked at now and then only: each look is a call of
        the operating system."""
        self._unseen += 1
        if self._unseen < SELDOM:
            return []
        self._unseen = 0
        return super().select(0)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._glance()
        if not self._loop.turn.taken:
            if timeout is None:  # nothing is planned: only the world can bring anything
                return super().select(None)
            self._loop.skip(timeout)
            return self._glance()
        self._unseen = 0
        found = super().select(STUCK_S)
        if not found:
            raise Stuck("Somebody works and waits for a time that does not come.")
        return found


class VirtualClock:
    """The loop's time as a clock that begins at ``origin_ms``."""

    speed = 1.0

    def __init__(self, loop: VirtualLoop, origin_ms: int) -> None:
        self._loop = loop
        self._origin_ms = origin_ms

    def now_ms(self) -> int:
        return self._origin_ms + round(self._loop.time() * 1000)

    async def sleep(self, ms: float) -> None:
        await asyncio.sleep(max(0.0, ms) / 1000)


class LendingClock(VirtualClock):
    """The same for the product: whoever sleeps on it at work, lends the turn."""

    async def sleep(self, ms: float) -> None:
        async with self._loop.turn.lent():
            await super().sleep(ms)


def run(work: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run ``work`` on a loop of its own, to its end."""
    gc.set_threshold(200_000, 50, 50)  # a day makes many objects, and nearly all of them are kept
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(work(loop))
