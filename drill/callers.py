"""The simulated merchants: they ring in over the phone network, and some of them ring again.

What a caller does on the line is a script that runs in the network (``drill.network.people``); here it is
only decided who rings when (``drill.crowd``), and the network is asked over HTTP.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import structlog

from carrier.numbers import normalise
from drill.crowd import Merchant, Visit, again, back
from drill.takers import HEARD_PROMISED, heard
from foundation.clock import Clock
from merchants.sheet import Policy, read

LOOK_MS = 5_000
WITHHELD = "anonymous"
MOST_SHOWN = 60
"""A person looks down the list."""

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
        [Merchant(number, row.language, row.product) for row in rows for number, _ in row.numbers],
        [
            {"number": row.numbers[0][0], "name": row.name, "note": f"{row.tier}, {row.language}"}
            for row in rows[:MOST_SHOWN]
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
        try:
            for visit in crowd:
                await self.clock.sleep(begun_ms + visit.at_s * 1000 - self.clock.now_ms())
                await self.ring(visit)
        finally:
            await self._watch_no_more()

    async def _watch_no_more(self) -> None:
        watching = tuple(self.following)
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)

    async def ring(self, visit: Visit) -> str:
        """One call rings in; its SID, "" when the network does not answer."""
        asked = {"from": visit.number or WITHHELD, "to": self.number, "script": visit.script}
        try:
            if visit.telephone is not None:
                await self.network.post(f"/_double/phones/{visit.number}", json=visit.telephone)
            answer = await self.network.post("/_double/calls", json=asked)
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            self.counts["refused"] += 1
            log.warning("a call did not ring", why=type(error).__name__)
            return ""
        self.counts["rang"] += 1
        sid = str(answer.json()["sid"])
        self.sids.append(sid)
        if visit.redials_after_s is not None or visit.returns_after_s is not None:
            task = asyncio.create_task(self._follow(sid, visit))
            self.following.add(task)
            task.add_done_callback(self.following.discard)
        return sid

    async def _follow(self, sid: str, visit: Visit) -> None:
        """Watch a call; whose caller gave up waiting, or was promised a callback, may ring again."""
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
        if _heard(call, "say", HEARD_PROMISED):
            self.counts["promised"] += 1
            await self._once_more(visit, visit.returns_after_s, back, "came back")
        elif stage == "queue" and _heard(call, "note", "you hang up"):
            await self._once_more(visit, visit.redials_after_s, again, "rang again")

    async def _once_more(
        self, visit: Visit, after_s: float | None, how: Callable[[Visit, float, int], Visit], count: str
    ) -> None:
        if after_s is None:
            return
        await self.clock.sleep(after_s * 1000)
        self.counts[count] += 1
        await self.ring(how(visit, self.clock.now_ms() / 1000, self.seed + self.counts[count]))


def _heard(call: dict[str, Any], kind: str, pattern: str) -> bool:
    """Whether a line of this kind in the call's transcript fits."""
    return any(line["kind"] == kind and heard(pattern, line["text"]) for line in call["transcript"])
