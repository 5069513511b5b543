"""Merchants who answer our texts: they read what is on their handsets, and some of them write back."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import httpx2

from drill import saturday
from foundation.clock import Clock

LOOK_MS = 5_000
LEAST_LOOK_MS = 2_000
"""Of real time."""
THINK_S = (10.0, 90.0)


class Repliers:
    """All handsets of the phone network. ``counts`` says what was written."""

    def __init__(
        self, network: httpx2.AsyncClient, clock: Clock, seed: int, counts: Counter[str], speed: float
    ) -> None:
        self.network = network
        self.clock = clock
        self.counts = counts
        self.look_ms = max(LOOK_MS, LEAST_LOOK_MS * speed)
        self._chance = random.Random(seed)
        self._read: set[str] = set()

    async def write_back(self) -> None:
        """Until cancelled. Each text is answered once, or not at all."""
        async with asyncio.TaskGroup() as group:
            while True:
                for text in await self._arrived():
                    said = saturday.reply(self._chance, saturday.asked_in(text["body"]))
                    if said:
                        group.create_task(self._write(text, said, self._chance.uniform(*THINK_S)))
                await self.clock.sleep(self.look_ms)

    async def _arrived(self) -> list[dict[str, Any]]:
        """What has come since the last look, and asks for an answer."""
        try:
            texts = (await self.network.get("/_double/texts")).json()["texts"]
        except (httpx2.HTTPError, ValueError):
            return []
        new = [
            each
            for each in texts
            if each["status"] == "delivered"
            and each["sid"] not in self._read
            and saturday.asked_in(each["body"])
        ]
        self._read.update(each["sid"] for each in new)
        return new

    async def _write(self, text: dict[str, Any], said: str, after_s: float) -> None:
        await self.clock.sleep(after_s * 1000)
        try:
            asked = {"from": text["to"], "to": text["from"], "body": said}
            (await self.network.post("/_double/texts", json=asked)).raise_for_status()
        except httpx2.HTTPError:
            return
        self.counts[f"wrote {said}"] += 1
