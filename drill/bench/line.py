"""`bench line`: what each move of the line costs the Redis server, in scripts that do nothing.

The yardstick is ``EVALSHA return 1`` at the same concurrency (50 connections, one command in flight on each)
in the same round. Between timed batches the line is put back as it was, untimed, so its depth stays true.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drill.bench.cpu import Tally, ratio
from drill.bench.crowd import Crowd, resp
from foundation.lua import load
from queueing.keys import Keys, entering, standing
from queueing.policy import LinePolicy, Queue
from queueing.records import Card

DEPTHS = (100, 10_000, 100_000)
BATCH = 50
START_MS = 1_800_000_000_000
POLICY = LinePolicy(
    centre="bench",
    queues=tuple(
        Queue(name, max_waiting=10_000_000) for name in ("support", "payments", "hardware", "account")
    ),
)
CARD = Card(
    caller="+14155550123", merchant_id=17, merchant="Corner Bakery", location="Main Street", tier="gold"
)

TARGETS = {"enter": 4.5, "position": 2.5, "ready": 4.5}
"""At most so many times the script that does nothing."""

GROWTH = 1.4
"""At most so much dearer at 100,000 waiting than at 100."""

Questions = list[bytes]


class Script:
    """One of the line's scripts, as bytes for the wire."""

    def __init__(self, name: str) -> None:
        self._script = load("queueing", name)
        self._given = standing(self._script, POLICY, Keys.of(POLICY))

    @property
    def source(self) -> str:
        return self._script.source

    def asked(self, **given: object) -> bytes:
        numkeys, rest = self._script.pack(self._given | given)
        return resp("EVALSHA", self._script.sha, numkeys, *rest)


@dataclass
class Step:
    """A timed batch of one operation, and what puts the line back afterwards."""

    name: str
    make: Callable[[], tuple[Questions, Questions, Questions]]
    """Untimed questions before, the timed ones, untimed ones after."""


class Bench:
    """The line at one depth after another; ``pid`` is the server's."""

    def __init__(self, crowd: Crowd, pid: int, seed: int = 7) -> None:
        self._crowd = crowd
        self._pid = pid
        self._dice = random.Random(seed)
        self._count = itertools.count()
        self._now = itertools.count(START_MS, 3)
        self._waiting: list[str] = []
        self._scripts = {
            name: Script(name)
            for name in ("enter", "position", "hold", "leave", "sign_in", "ready", "stand_down", "accept")
        }
        self._trivial: bytes = b""

    async def prepare(self) -> None:
        """Load the scripts and sign the agents in."""
        sources = [script.source for script in self._scripts.values()]
        await self._crowd.ask([resp("FLUSHALL")])
        answers = await self._crowd.ask([resp("SCRIPT", "LOAD", text) for text in [*sources, "return 1"]])
        shas = {a.decode() if isinstance(a, bytes) else str(a) for a in answers}
        known = {load("queueing", name).sha for name in self._scripts}
        (trivial,) = shas - known
        self._trivial = resp("EVALSHA", trivial, 1, Keys.of(POLICY).book)
        skills = ",".join(f"{queue.name}=0" for queue in POLICY.queues)
        await self._crowd.ask(
            [
                self._ask("sign_in", agent=f"agent{i}", name="Agent", skills=skills, phone="softphone")
                for i in range(BATCH)
            ]
        )

    async def fill(self, depth: int) -> None:
        """Bring the whole line to so many waiting, over its four queues."""
        missing = [f"CA{next(self._count):032x}" for _ in range(depth - len(self._waiting))]
        for start in range(0, len(missing), 5000):
            await self._crowd.ask([self._enter(contact) for contact in missing[start : start + 5000]])
        self._waiting += missing

    async def measure(self, rounds: int, batches: int) -> dict[str, Tally]:
        """CPU per operation of the server, by operation; "nothing" is the yardstick."""
        steps = self._steps()
        tallies = {step.name: Tally() for step in steps}
        for number in range(rounds + 1):
            for _ in range(batches):
                for step in steps:
                    before, timed, after = step.make()
                    if before:
                        await self._crowd.ask(before)
                    with tallies[step.name].counting(self._pid, len(timed)):
                        await self._crowd.ask(timed)
                    if after:
                        await self._crowd.ask(after)
            for tally in tallies.values():
                tally.close_round()
                if number == 0:  # the first round warms up
                    tally.rounds.clear()
        return tallies

    # --- the operations -----------------------------------------------------------------------------

    def _ask(self, script: str, **given: object) -> bytes:
        now_ms = next(self._now)
        if script == "enter":
            given |= {"arrived_ms": now_ms, "after_us": 0}
        return self._scripts[script].asked(now_ms=now_ms, **given)

    def _enter(self, contact: str) -> bytes:
        queue = self._dice.choice(POLICY.queues)
        band = POLICY.bands[-1] if self._dice.random() < 0.8 else POLICY.bands[1]
        return self._ask(
            "enter",
            contact=contact,
            **entering(Keys.of(POLICY), POLICY, queue),
            band=band.name,
            head_start_us=band.head_start_ms * 1000,
            caller_key="",
            card=CARD.packed(),
        )

    def _leave(self, contacts: Iterable[str]) -> Questions:
        return [self._ask("leave", contact=c, disposition="abandoned", caller_key="") for c in contacts]

    def _steps(self) -> list[Step]:
        agents = [f"agent{i}" for i in range(BATCH)]

        def some() -> list[str]:
            return self._dice.sample(self._waiting, BATCH)

        def new() -> list[str]:
            return [f"CB{next(self._count):032x}" for _ in range(BATCH)]

        def ready() -> Questions:
            return [self._ask("ready", agent=agent) for agent in agents]

        def away() -> Questions:
            return [self._ask("stand_down", agent=agent, wish="away", reason="") for agent in agents]

        def entering() -> tuple[Questions, Questions, Questions]:
            arrivals = new()
            return [], [self._enter(contact) for contact in arrivals], self._leave(arrivals)

        def leaving() -> tuple[Questions, Questions, Questions]:
            arrivals = new()
            return [self._enter(contact) for contact in arrivals], self._leave(arrivals), []

        def holding() -> tuple[Questions, Questions, Questions]:
            asks = [
                self._ask("hold", contact=c, ask=f"{next(self._count):x}", facts="6 240 0.002")
                for c in some()
            ]
            return [], asks, []

        return [
            Step("nothing", lambda: ([], [self._trivial] * BATCH, [])),
            Step("enter", entering),
            Step("enter again", lambda: ([], [self._enter(contact) for contact in some()], [])),
            Step("position", lambda: ([], [self._scripts["position"].asked(contact=c) for c in some()], [])),
            Step("hold", holding),
            Step("ready", lambda: ([], ready(), away())),
            Step("leave", leaving),
        ]


def rows(by_depth: dict[int, dict[str, Tally]]) -> list[dict[str, object]]:
    """One row per operation: its ratio at each depth, its growth, and whether the targets are met."""
    shallow, deep = min(by_depth), max(by_depth)
    table: list[dict[str, object]] = []
    for name in by_depth[shallow]:
        ratios = {depth: ratio(tallies[name], tallies["nothing"]) for depth, tallies in by_depth.items()}
        growth = ratios[deep] / ratios[shallow]
        target = TARGETS.get(name)
        table.append(
            {
                "operation": name,
                "ratios": {depth: round(value, 2) for depth, value in ratios.items()},
                "growth": round(growth, 2),
                "us": round(by_depth[shallow][name].us, 1),
                "target": target,
                "met": growth <= GROWTH and (target is None or max(ratios.values()) <= target),
            }
        )
    return table
