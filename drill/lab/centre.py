"""A centre simulated event by event: calls arrive, wait, hang up or accept a callback, and are served.

Estimators are fed the same events by the same verbs, and asked once for each call that has to wait, on its
arrival. The truth they are held to is the wait the call would have had if the caller had stayed: one who
hangs up keeps a place until the line passes it.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from drill.lab.scenarios import STRICT, Scenario
from queueing.estimates import Estimate


class Guesser(Protocol):
    """The verbs of an estimator."""

    def on_agents(self, t: float, n: int) -> None: ...
    def on_arrival(self, t: float, contact: int, band: int, key: float, kind: str) -> None: ...
    def on_convert(self, t: float, contact: int) -> None: ...
    def on_abandon(self, t: float, contact: int) -> None: ...
    def on_start(self, t: float, contact: int) -> None: ...
    def on_end(self, t: float, contact: int) -> None: ...
    def estimate(self, t: float, contact: int) -> Estimate | None: ...


@dataclass(slots=True)
class Call:
    at: float
    band: int
    key: float
    handling_s: float
    state: str = "waiting"
    converted: bool = False
    told: dict[str, Estimate | None] = field(default_factory=dict)
    wait_s: float | None = None
    """How long it waited, or would have: None while the line has not passed its place."""
    gone_at: float | None = None
    """When the caller hung up."""


@dataclass
class Centre:
    """One run. ``run`` gives the calls that had to wait and whose wait is known."""

    scenario: Scenario
    seed: int
    guessers: Mapping[str, Guesser]
    calls: dict[int, Call] = field(default_factory=dict)
    line: list[tuple[float, int]] = field(default_factory=list)
    events: list[tuple[float, int, str, int]] = field(default_factory=list)
    busy: int = 0
    agents: int = 0

    def __post_init__(self) -> None:
        self._order = itertools.count()
        self._rng = random.Random(self.seed)  # a simulation, not a secret

    def run(self) -> list[Call]:
        for at, agents in self.scenario.staff:
            self._plan(at, "staff", agents)
        for number, at in enumerate(self.scenario.arrivals(random.Random(self.seed * 7919 + 1))):
            self._plan(at, "arrives", number)
        while self.events:
            at, _, what, number = heapq.heappop(self.events)
            getattr(self, f"_{what}")(at, number)
        return [call for call in self.calls.values() if call.told and call.wait_s is not None]

    def _plan(self, at: float, what: str, number: int) -> None:
        heapq.heappush(self.events, (at, next(self._order), what, number))

    def _staff(self, at: float, agents: int) -> None:
        self.agents = agents
        for guesser in self.guessers.values():
            guesser.on_agents(at, agents)
        self._serve(at)

    def _arrives(self, at: float, number: int) -> None:
        rng, scenario = self._rng, self.scenario
        band = rng.choices(range(len(scenario.bands)), scenario.bands)[0]
        call = Call(at, band, band * STRICT + at, scenario.handling(rng, at))
        patience_s, accepts = scenario.patience(rng), rng.random() < scenario.accepts_callback
        self.calls[number] = call
        for guesser in self.guessers.values():
            guesser.on_arrival(at, number, band, call.key, "live")
        heapq.heappush(self.line, (call.key, number))
        if self.busy < self.agents:
            self._serve(at)
            return
        for name, guesser in self.guessers.items():
            call.told[name] = guesser.estimate(at, number)
        if accepts and patience_s > scenario.offer_after_s:
            self._plan(at + scenario.offer_after_s, "converts", number)
        else:
            self._plan(at + patience_s, "hangs_up", number)

    def _converts(self, at: float, number: int) -> None:
        call = self.calls[number]
        if call.state != "waiting":
            return
        call.converted = True
        if self._rng.random() < self.scenario.no_answer:
            call.handling_s = self.scenario.dial_s
        for guesser in self.guessers.values():
            guesser.on_convert(at, number)

    def _hangs_up(self, at: float, number: int) -> None:
        call = self.calls[number]
        if call.state != "waiting":
            return
        call.state, call.gone_at = "gone", at
        for guesser in self.guessers.values():
            guesser.on_abandon(at, number)

    def _ends(self, at: float, number: int) -> None:
        self.busy -= 1
        for guesser in self.guessers.values():
            guesser.on_end(at, number)
        self._serve(at)

    def _serve(self, at: float) -> None:
        while self.line and self.busy < self.agents:
            _, number = heapq.heappop(self.line)
            call = self.calls[number]
            call.wait_s = at - call.at
            if call.state == "gone":
                continue
            call.state = "served"
            self.busy += 1
            for guesser in self.guessers.values():
                guesser.on_start(at, number)
            self._plan(at + call.handling_s, "ends", number)
