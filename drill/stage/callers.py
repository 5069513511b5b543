"""The callers of a drill: each rings at its time and follows its script; some ring or write again."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from drill import takers
from drill.arrivals import Caller
from drill.network import handsets
from drill.network.exchange import Phone
from drill.network.legs import Leg, Stage
from drill.network.texts import Text
from drill.stage.house import NUMBER, House

WITHHELD = "anonymous"
MOST_AGAIN = 3
"""So often does one caller ring again at most."""
LANDLINE = 30006
HEARD_TEXTED = re.compile(r"we are texting you|le estamos enviando un mensaje", re.IGNORECASE)
HEARD_PROMISED = re.compile(takers.HEARD_PROMISED, re.IGNORECASE)
ASKED_BACK = re.compile(r"reply 1 if it works|responda 1 si", re.IGNORECASE)
LOOK_MS = 30_000


@dataclass(frozen=True, slots=True)
class Rang:
    """One call that rang in: whose, which time, and its leg."""

    caller: Caller
    leg: Leg


@dataclass
class Callers:
    """``rang`` has every call in order. ``counts``: rang, rang again (and why), answered a text."""

    house: House
    crowd: Sequence[Caller]
    until_ms: int
    """Nobody rings later than this."""
    rang: list[Rang] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _answered: set[str] = field(default_factory=set)
    _by_number: dict[str, Caller] = field(default_factory=dict)

    async def ring_in(self) -> None:
        """Everybody, each at its time; returns when the last first call has rung."""
        begun_ms, clock = self.house.now_ms, self.house.clock
        for caller in self.crowd:
            await clock.sleep(begun_ms + caller.at_s * 1000 - clock.now_ms())
            self.ring(caller)

    def ring(self, caller: Caller) -> None:
        exchange = self.house.network.exchange
        if caller.number:
            self._by_number[caller.number] = caller
            phone = caller.telephone
            exchange.phones[caller.number] = Phone(
                answers=phone["answers"], after_ms=phone["after_ms"], script=dict(phone["script"]),
                then=list(phone["then"]), text_error=LANDLINE if caller.landline else None,
            )  # fmt: skip
        leg = self.house.network.switchboard.ring_in(
            caller.number or WITHHELD, NUMBER, script=dict(caller.script)
        )
        self.rang.append(Rang(caller, leg))
        self.counts["rang"] += 1
        self._start(self._follow(caller, leg))

    def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()

    def _start(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]  # a coroutine of ours
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _follow(self, caller: Caller, leg: Leg) -> None:
        """Wait for the end of the call; then perhaps another one."""
        moved, stage = asyncio.Event(), leg.stage
        leg.watchers.add(moved)
        while not leg.ended:
            stage = leg.stage
            await moved.wait()
            moved.clear()
        leg.watchers.discard(moved)
        if caller.again >= MOST_AGAIN or not caller.number:
            return
        said = [line.text for line in leg.heard if line.kind == "say"]
        if any(HEARD_PROMISED.search(words) for words in said):
            return
        hung_up = any(line.kind == "note" and line.text == "you hang up" for line in leg.heard)
        if any(HEARD_TEXTED.search(words) for words in said):
            await self._once_more(caller, caller.returns, "after a text")
        elif hung_up and stage is Stage.QUEUE:
            await self._once_more(caller, caller.redials, "after hanging up")

    async def _once_more(self, caller: Caller, after: float | None, why: str) -> None:
        if after is None:
            return
        await self.house.clock.sleep(after * 60_000)
        if self.house.now_ms >= self.until_ms:
            return
        chance = random.Random(f"{self.house.seed} {caller.number} {caller.again}")
        patience_s = round(caller.patience_s * chance.uniform(0.8, 2.0), 1)
        script = {**caller.script, "patience_s": patience_s}
        self.counts[f"rang again {why}"] += 1
        self.ring(
            replace(
                caller, script=script, patience_s=patience_s, again=caller.again + 1, stream=caller.stream
            )
        )

    # -- texts ---------------------------------------------------------------------------------------------

    async def read_texts(self) -> None:
        """Who is asked by text whether it works now may answer, for ever."""
        exchange, seen = self.house.network.exchange, 0
        while True:
            await self.house.clock.sleep(LOOK_MS)
            texts = list(exchange.messages.values())
            for text in texts[seen:]:
                self._start(self._read(text))
            seen = len(exchange.messages)

    async def _read(self, text: Text) -> None:
        caller = self._by_number.get(text.to)
        if caller is None or caller.replies is None or not ASKED_BACK.search(text.body):
            return
        await self.house.clock.sleep(caller.replies * 60_000)
        if text.status != "delivered" or text.to in self._answered:
            return
        self._answered.add(text.to)
        network = self.house.network
        handsets.write(network.exchange, network.switchboard.outbox, text.to, NUMBER, caller.reply)
        self.counts["answered a text"] += 1
