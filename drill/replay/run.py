"""The replay: each event of the history goes to every estimator, and each caller's question, on arrival."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drill.lab.rivals import RIVALS, Rival
from drill.replay.history import Call, History
from queueing.estimates import Estimate, Estimator
from queueing.priors import Priors

OURS = "ours"
LOOK_BACK_S = 1800.0
"""Without staffing, so many agents are thought to be in as were busy at once within this time."""

_ENDS, _STAFF, _ARRIVES, _STARTS, _HANGS_UP, _LEAVES = range(6)
"""What comes first at the same second: an agent is free before the next call is taken."""


@dataclass(slots=True)
class Asked:
    """One caller: what each estimator told on arrival, and the wait they had.

    Of one who hung up it is the time until the line passed their place, by one who came later being taken;
    None where it never did.
    """

    call: Call
    told: dict[str, Estimate | None] = field(default_factory=dict)
    wait_s: float | None = None


@dataclass(slots=True)
class Replayed:
    """``pools``: the estimators as the history left them, by queue, "" for one that serves them all."""

    asked: list[Asked]
    pools: dict[str, Estimator]


def replay(
    history: History,
    priors: Priors | None = None,
    *,
    planned: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Replayed:
    """``planned``: the staffing was known beforehand, as a roster is. ``progress``: (events done, of all)."""
    handling_s = _mean_handling_s(history.calls)
    pools = {name: _Pool(name, history, priors, planned, handling_s) for name in _pools(history)}
    events = _events(history)
    asked: dict[str, Asked] = {}
    for done, (at, what, _, subject) in enumerate(events):
        if progress is not None and done % 5000 == 0:
            progress(done, len(events))
        if what == _STAFF:
            queue, agents = subject
            pools[queue].sign(at, agents)
            continue
        call: Call = subject
        pool = pools[call.queue] if call.queue in pools else pools[""]
        pool.take(at, what, call, asked)
    return Replayed(list(asked.values()), {name: pool.ours for name, pool in pools.items()})


def _pools(history: History) -> list[str]:
    """Queues with agents of their own, or one pool that serves them all."""
    return [name for name in history.staff if name] or [""]


def _events(history: History) -> list[tuple[float, int, int, Any]]:
    events: list[tuple[float, int, int, Any]] = []
    for queue, steps in history.staff.items():
        events += [(at, _STAFF, 0, (queue, agents)) for at, agents in steps]
    for number, call in enumerate(history.calls):
        events.append((call.entered, _ARRIVES, number, call))
        if call.answered is not None:
            events.append((call.answered, _STARTS, number, call))
        if call.ended is not None:
            events.append((call.ended, _ENDS, number, call))
        if call.abandoned is not None:
            events.append((call.abandoned, _HANGS_UP, number, call))
        if call.left is not None:
            events.append((call.left, _LEAVES, number, call))
    # A call of no length must not end before it begins.
    events.sort(key=lambda event: event[:3])
    return events


def _mean_handling_s(calls: Sequence[Call]) -> float:
    each = [c.ended - c.answered for c in calls if c.ended is not None and c.answered is not None]
    return sum(each) / len(each) if each else 300.0


class _Pool:
    """Some agents and the queues they serve. The usual estimators keep a number for each queue."""

    def __init__(
        self, name: str, history: History, priors: Priors | None, planned: bool, handling_s: float
    ) -> None:
        steps = history.staff.get(name)
        self.ours = (priors or Priors()).estimator(roster=steps if planned else None)
        self._handling_s = handling_s
        self._rivals: dict[str, dict[str, Rival]] = {}
        self._infers = steps is None
        self._agents = 0
        self._busy = 0
        self._peaks: deque[tuple[float, int]] = deque()
        self._ghosts: dict[str, list[tuple[float, str]]] = {}
        self._ended: set[str] = set()

    def sign(self, at: float, agents: int) -> None:
        self._agents = agents
        self.ours.on_agents(at, agents)
        for queue in self._rivals:
            for rival in self._rivals[queue].values():
                rival.on_agents(at, agents)

    def take(self, at: float, what: int, call: Call, asked: dict[str, Asked]) -> None:
        if what == _ARRIVES:
            self._arrives(at, call, asked)
        elif what in (_HANGS_UP, _LEAVES):
            (self.ours.on_abandon if what == _HANGS_UP else self.ours.on_leave)(at, call.id)
            for rival in self._usual(call.queue).values():
                rival.on_abandon(at, call.id)  # type: ignore[arg-type]  # any name will do
            heapq.heappush(self._ghosts.setdefault(call.queue, []), (call.key, call.id))
        elif what == _STARTS:
            self._starts(at, call, asked)
            if call.id in self._ended:
                self._ends(at, call)
        elif call.answered == at:
            self._ended.add(call.id)  # it ends in the second in which it begins, and that comes next
        else:
            self._ends(at, call)

    def _arrives(self, at: float, call: Call, asked: dict[str, Asked]) -> None:
        self._infer(at)
        guessers: dict[str, Any] = {OURS: self.ours, **self._usual(call.queue)}
        for name, guesser in guessers.items():
            rest = (call.queue,) if name == OURS else ()
            guesser.on_arrival(at, call.id, call.band, call.key, call.kind, *rest)
        if call.kind == "live":  # nobody holds the line for a callback
            told = {name: guesser.estimate(at, call.id) for name, guesser in guessers.items()}
            asked[call.id] = Asked(call, told)

    def _starts(self, at: float, call: Call, asked: dict[str, Asked]) -> None:
        if call.id in asked:
            asked[call.id].wait_s = at - call.entered
        ghosts = self._ghosts.get(call.queue)
        while ghosts and ghosts[0][0] <= call.key:
            gone = asked[heapq.heappop(ghosts)[1]]
            gone.wait_s = at - gone.call.entered
        self._busy += 1
        self._infer(at)
        for guesser in self._guessers(call.queue):
            guesser.on_start(at, call.id)

    def _ends(self, at: float, call: Call) -> None:
        self._busy -= 1
        for guesser in self._guessers(call.queue):
            guesser.on_end(at, call.id)

    def _infer(self, at: float) -> None:
        """Nobody said how many are signed in: as many as were busy at once of late."""
        if not self._infers:
            return
        while self._peaks and self._peaks[-1][1] <= self._busy:
            self._peaks.pop()
        self._peaks.append((at, self._busy))
        while self._peaks[0][0] < at - LOOK_BACK_S and len(self._peaks) > 1:
            self._peaks.popleft()
        if self._peaks[0][1] != self._agents:
            self.sign(at, self._peaks[0][1])

    def _guessers(self, queue: str) -> Iterator[Any]:
        yield self.ours
        yield from self._usual(queue).values()

    def _usual(self, queue: str) -> Mapping[str, Rival]:
        found = self._rivals.get(queue)
        if found is None:
            found = self._rivals[queue] = {name: made(self._handling_s) for name, made in RIVALS.items()}
            for rival in found.values():
                rival.on_agents(-math.inf, self._agents)
        return found
