"""When to stop asking a store that does not answer, and how to begin again.

A deciding module: the time (``now_s``, seconds of any monotonic clock) is an argument. The acting part,
which watches real calls, is ``connections.answering``.

Slow counts as failed: a store that answers in two seconds hurts more than one that refuses. After a
recovery the load returns in steps, because the load is often what broke it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """When it opens, how it probes, how it comes back. Times in seconds, shares between 0 and 1."""

    failures_in_a_row: int = 5
    """So many bad answers one after the other open it."""

    window_s: float = 5.0
    window_least: int = 20
    window_bad_share: float = 0.5
    """So large a share bad of at least ``window_least`` answers within ``window_s`` opens it."""

    slow_s: float = 0.25
    """An answer later than this is bad, though it was right."""

    probe_s: float = 1.0
    """While open, one call in about this time is let through (between a half and one and a half of it)."""

    good_probes: int = 3
    """So many good probes one after the other close it."""

    ramp: tuple[float, ...] = (0.10, 0.25, 0.50)
    """The share of enrichment let through, step by step, after closing; then all of it."""

    ramp_s: float = 40.0
    """How long all steps take together."""

    ramp_bad_share: float = 0.1
    """A step with more than this share of bad answers goes back to the step before."""


class BreakerState(StrEnum):
    CLOSED = "closed"
    """All is let through."""

    OPEN = "open"
    """Nothing is let through but the probes."""

    RAMPING = "ramping"
    """Answering again; what can be done without is let through in part."""


class Breaker:
    """Stands before one store in one process.

    ``admit`` before a call, then exactly one ``record`` (or ``withdraw`` when the call came to no end)
    with what ``admit`` gave.
    """

    def __init__(
        self, name: str, rules: BreakerRules | None = None, draw: Callable[[], float] = random.random
    ) -> None:
        """``draw`` gives numbers in [0, 1): the jitter of the probes."""
        self.name = name
        self.rules = rules or BreakerRules()
        self.state = BreakerState.CLOSED
        self.refused = 0
        self.opened = 0
        self._draw = draw
        self._bad_in_a_row = 0
        self._answers: deque[tuple[float, bool]] = deque()
        self._bad_answers = 0
        self._next_probe_s = 0.0
        self._probing = False
        self._probes_good = 0
        self._step = 0
        self._step_since_s = 0.0
        self._step_answers = [0, 0]
        self._credit = 0.0

    @property
    def share(self) -> float:
        """How much of the enrichment is let through now: 0 to 1."""
        if self.state is BreakerState.RAMPING:
            return self.rules.ramp[self._step]
        return 0.0 if self.state is BreakerState.OPEN else 1.0

    def admit(self, now_s: float, *, enrichment: bool = False) -> Admission | None:
        """Leave to make one call, or None: do without.

        ``enrichment`` marks a call whose answer can be done without: it comes back last, step by step.
        """
        if self.state is BreakerState.OPEN:
            if self._probing or now_s < self._next_probe_s:
                self.refused += 1
                return None
            self._probing = True
            return Admission(self.opened, probe=True)
        if self.state is BreakerState.RAMPING:
            self._walk_ramp(now_s)
        if enrichment and self.state is BreakerState.RAMPING:
            self._credit += self.share
            if self._credit < 1.0:
                self.refused += 1
                return None
            self._credit -= 1.0
        return Admission(self.opened, probe=False)

    def record(self, admission: Admission, now_s: float, *, bad: bool) -> None:
        """What came of a call. ``bad``: it failed, or it took longer than ``rules.slow_s``."""
        if admission.opening != self.opened:
            return  # begun before it opened: old news
        if admission.probe:
            self._record_probe(now_s, bad)
            return
        self._bad_in_a_row = self._bad_in_a_row + 1 if bad else 0
        self._answers.append((now_s, bad))
        self._bad_answers += bad
        self._step_answers[bad] += 1
        self._forget(now_s)
        if self._must_open():
            self._open(now_s)

    def withdraw(self, admission: Admission) -> None:
        """The call was given up before it could tell anything."""
        if admission.probe and admission.opening == self.opened:
            self._probing = False

    def _must_open(self) -> bool:
        rules, seen = self.rules, len(self._answers)
        return self._bad_in_a_row >= rules.failures_in_a_row or (
            seen >= rules.window_least and self._bad_answers >= rules.window_bad_share * seen
        )

    def _forget(self, now_s: float) -> None:
        while self._answers and self._answers[0][0] <= now_s - self.rules.window_s:
            self._bad_answers -= self._answers.popleft()[1]

    def _open(self, now_s: float) -> None:
        self.state = BreakerState.OPEN
        self.opened += 1
        self._probing, self._probes_good = False, 0
        self._await_probe(now_s)

    def _await_probe(self, now_s: float) -> None:
        self._next_probe_s = now_s + self.rules.probe_s * (0.5 + self._draw())

    def _record_probe(self, now_s: float, bad: bool) -> None:
        self._probing = False
        self._await_probe(now_s)
        self._probes_good = 0 if bad else self._probes_good + 1
        if self._probes_good >= self.rules.good_probes:
            self._answers.clear()
            self._bad_answers = self._bad_in_a_row = 0
            self._enter_step(0, now_s)

    def _enter_step(self, step: int, now_s: float) -> None:
        self.state = BreakerState.RAMPING if step < len(self.rules.ramp) else BreakerState.CLOSED
        self._step, self._step_since_s, self._step_answers = step, now_s, [0, 0]
        self._credit = 0.0

    def _walk_ramp(self, now_s: float) -> None:
        if now_s - self._step_since_s < self.rules.ramp_s / len(self.rules.ramp):
            return
        good, bad = self._step_answers
        was_bad = bad > self.rules.ramp_bad_share * (good + bad)
        self._enter_step(max(0, self._step - 1) if was_bad else self._step + 1, now_s)


@dataclass(frozen=True, slots=True)
class Admission:
    """Leave to make one call."""

    opening: int
    probe: bool
