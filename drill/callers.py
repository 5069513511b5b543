"""The simulated merchants: they ring in over the phone network, and some of them ring again.

What a caller does on the line is a script that runs in the network (``drill.network.people``); here it is
only decided who rings when (``drill.crowd``), and the network is asked over HTTP.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import structlog

from carrier.numbers import normalise
from drill.crowd import Merchant, Visit, again
from foundation.clock import Clock
from merchants.sheet import Policy, read

LOOK_MS = 5_000
WITHHELD = "anonymous"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Directory:
    """Who may ring: every number of the merchants file, and the entries of the network's phone page."""

    merchants: list[Merchant]
    entries: list[dict[str, str]]


def directory_in(path: Path) -> Directory:
    """Raises Mendable for a merchants file with bad lines."""
    rows = read(path.read_bytes(), Policy(normalise))
    return Directory(
        [Merchant(number, row.language) for row in rows for number, _ in row.numbers],
        [
            {"number": row.numbers[0][0], "name": row.name, "note": f"{row.tier}, {row.language}"}
            for row in rows
            if row.numbers
        ],
    )


class Callers:
    """Rings in, one visit after the other. ``counts`` says how many rang, rang again, and were not let in;
    ``sids`` names every call."""

    def __init__(self, network: httpx2.AsyncClient, number: str, clock: Clock, seed: int) -> None:
        self.network = network
        self.number = number
        self.clock = clock
        self.seed = seed
        self.counts: Counter[str] = Counter()
        self.sids: list[str] = []
        self.following: set[asyncio.Task[None]] = set()

    async def introduce(self, directory: Directory) -> None:
        """Tell the network's phone page as whom a person may ring in."""
        await self.network.post("/_double/directory", json={"callers": directory.entries})

    async def ring_in(self, crowd: Iterator[Visit]) -> None:
        """Let the crowd ring, each at its time, until cancelled."""
        begun_ms = self.clock.now_ms()
        for visit in crowd:
            await self.clock.sleep(begun_ms + visit.at_s * 1000 - self.clock.now_ms())
            await self.ring(visit)

    async def ring(self, visit: Visit) -> str:
        """One call rings in; its SID, "" when the network does not answer."""
        asked = {"from": visit.number or WITHHELD, "to": self.number, "script": visit.script}
        try:
            answer = await self.network.post("/_double/calls", json=asked)
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            self.counts["refused"] += 1
            log.warning("a call did not ring", why=type(error).__name__)
            return ""
        self.counts["rang"] += 1
        sid = str(answer.json()["sid"])
        self.sids.append(sid)
        if visit.redials_after_s is not None:
            task = asyncio.create_task(self._follow(sid, visit))
            self.following.add(task)
            task.add_done_callback(self.following.discard)
        return sid

    async def _follow(self, sid: str, visit: Visit) -> None:
        """Watch a call; when its caller gave up waiting, ring again after a while."""
        stage = ""
        while True:
            await self.clock.sleep(LOOK_MS)
            try:
                call: dict[str, Any] = (await self.network.get(f"/_double/calls/{sid}")).json()
            except (httpx2.HTTPError, ValueError):
                continue
            if call["ended_ms"] is not None:
                break
            stage = call["stage"]
        gave_up = any(line["kind"] == "note" and "you hang up" in line["text"] for line in call["transcript"])
        if stage == "queue" and gave_up and visit.redials_after_s is not None:
            await self.clock.sleep(visit.redials_after_s * 1000)
            self.counts["rang again"] += 1
            at_s = self.clock.now_ms() / 1000
            await self.ring(again(visit, at_s, self.seed + self.counts["rang again"]))
