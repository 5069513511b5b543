"""What time it is.

The only module that may ask the operating system. What decides takes ``now_ms`` as an argument; what
acts is given a ``Clock``. A whole Saturday is rehearsed in a minute by handing out another clock.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...

    async def sleep(self, ms: float) -> None:
        """Return once ``ms`` of this clock's time have passed."""
        ...


class SystemClock:
    """The wall clock."""

    speed = 1.0
    """Against the event loop's own time. A clock that does not run by the loop has none."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, ms: float) -> None:
        await asyncio.sleep(max(0.0, ms) / 1000)


class FastClock:
    """The wall clock, ``speed`` times as fast since ``origin_ms``: one demo minute shows an hour.

    Two processes that share ``origin_ms`` and ``speed`` share the time.
    """

    def __init__(self, speed: float, origin_ms: int) -> None:
        if speed <= 0:
            raise ValueError("speed must be above 0")
        self.speed = speed
        self.origin_ms = origin_ms

    def now_ms(self) -> int:
        real_ms = time.time_ns() / 1_000_000
        return round(self.origin_ms + (real_ms - self.origin_ms) * self.speed)

    async def sleep(self, ms: float) -> None:
        await asyncio.sleep(max(0.0, ms) / 1000 / self.speed)


class ManualClock:
    """A clock that moves only when told to, for tests and for the drill.

    ``advance`` wakes the sleepers whose time has come, in order of their time.
    """

    def __init__(self, start_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = start_ms
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = 0

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, *, ms: float = 0, s: float = 0, minutes: float = 0) -> None:
        self._now_ms += round(ms + s * 1000 + minutes * 60_000)
        due = sorted(sleeper for sleeper in self._sleepers if sleeper[0] <= self._now_ms)
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now_ms]
        for _, _, future in due:
            if not future.done():
                future.set_result(None)

    async def sleep(self, ms: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        self._sleepers.append((self._now_ms + round(ms), self._count, future))
        self.advance()
        await future

    def next_wake_ms(self) -> int | None:
        """When the next sleeper wants to wake, or None when nobody sleeps."""
        return min((at for at, _, future in self._sleepers if not future.done()), default=None)


def monotonic_s() -> float:
    """Seconds on the operating system's monotonic clock: for deadlines and measured durations only."""
    return time.monotonic()
