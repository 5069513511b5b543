"""Telephones that a person holds: when one is rung, it rings at the person's, to be picked up or declined.

A number is held while somebody watches it ring, as the phone page does; then nothing that was said of how
it behaves counts.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Collection
from typing import Any

from drill.network.legs import CallStatus, Leg, first_of
from foundation.clock import Clock

ALIVE_S = 15


class Hands:
    """Which numbers are held, and which of their calls ring just now."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()
        self._ringing: dict[str, tuple[Leg, asyncio.Future[CallStatus]]] = {}
        self._watchers: set[asyncio.Event] = set()

    def holds(self, number: str) -> bool:
        return self._held[number] > 0

    async def ring(self, clock: Clock, leg: Leg, timeout_s: int) -> CallStatus:
        """Until it is picked up (in-progress), declined (busy), or has rung for so long (no-answer)."""
        decided: asyncio.Future[CallStatus] = asyncio.get_running_loop().create_future()
        self._ringing[leg.sid] = (leg, decided)
        self._tell()
        try:
            await first_of(clock, timeout_s * 1000, decided)
            return decided.result() if decided.done() else CallStatus.NO_ANSWER
        finally:
            del self._ringing[leg.sid]
            self._tell()

    def pick_up(self, leg: Leg) -> bool:
        """False when it does not ring here (any more)."""
        return self._decide(leg, CallStatus.IN_PROGRESS)

    def decline(self, leg: Leg) -> bool:
        return self._decide(leg, CallStatus.BUSY)

    async def watch(self, numbers: Collection[str]) -> AsyncIterator[str]:
        """Hold these numbers, and tell of their calls that ring: server-sent events, each tells all."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        self._held.update(numbers)
        told: list[dict[str, Any]] | None = None
        try:
            while True:
                watcher.clear()
                now = self._shown(numbers)
                if now != told:
                    told = now
                    yield f"event: ringing\ndata: {json.dumps(now)}\n\n"
                try:
                    await asyncio.wait_for(watcher.wait(), ALIVE_S)
                except TimeoutError:
                    yield ": alive\n\n"
        finally:
            self._watchers.discard(watcher)
            self._held.subtract(numbers)

    def _shown(self, numbers: Collection[str]) -> list[dict[str, Any]]:
        return [
            {"sid": leg.sid, "from": leg.from_, "to": leg.to}
            for leg, decided in self._ringing.values()
            if leg.to in numbers and not decided.done()
        ]

    def _decide(self, leg: Leg, how: CallStatus) -> bool:
        _, decided = self._ringing.get(leg.sid, (leg, None))
        if decided is None or decided.done():
            return False
        decided.set_result(how)
        self._tell()
        return True

    def _tell(self) -> None:
        for watcher in self._watchers:
            watcher.set()
