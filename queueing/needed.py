"""How many agents each half hour of a day needs, by the calls of such days before. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from queueing.capacity import Load, agents_needed, answered_within, outcome
from queueing.figures import PresenceRow

SLOTS = 48
SLOT_S = 1800
FEW_HANG_UPS = 20
"""From fewer, patience is not known: the plan is made as if nobody hung up, which asks for more agents."""
_AWAY = ("away", "off")


@dataclass(frozen=True, slots=True)
class Work:
    """What the calls of some weeks have shown: how many, and for how long in all (s)."""

    handled: int
    handling_s: float
    hung_up: int
    waited_s: float

    @property
    def mean_handling_s(self) -> float | None:
        """Talk and wrap-up; None when nobody was answered."""
        return self.handling_s / self.handled if self.handled and self.handling_s > 0 else None

    @property
    def patience_s(self) -> float:
        """Seconds waited for each hang-up; infinite where too few hung up to tell."""
        return (
            self.waited_s / self.hung_up if self.hung_up >= FEW_HANG_UPS and self.waited_s > 0 else math.inf
        )


@dataclass(frozen=True, slots=True)
class Slot:
    """A half hour. ``calls`` on average, ``most`` on the busiest of the days; agents for either.

    With ``agents``: the share answered in time, that hangs up, and of their time on calls.
    ``were_in``: agents at work on those days, on average; None where that is not known. ``planned``: by the
    roster of the day; None where there is none.
    """

    minute: int
    calls: float
    most: int
    agents: int
    agents_most: int
    answered: float | None
    abandoned: float | None
    occupancy: float | None
    were_in: float | None = None
    planned: float | None = None

    @property
    def short(self) -> bool:
        """Whether fewer are planned than are needed."""
        return self.planned is not None and self.planned < self.agents


def plan(
    days: Sequence[Sequence[int]],
    handling_s: float,
    patience_s: float,
    *,
    answered: float,
    within_s: float,
    were_in: Sequence[float] | None = None,
    planned: Sequence[float] | None = None,
) -> list[Slot]:
    """``days``: the calls of each half hour of each such day. ``answered`` of them within ``within_s``.

    By the stationary laws of ``capacity``: each half hour is taken as if it lasted, and begins with an empty
    line. Raises Mendable for a target that cannot be met.
    """
    slots = []
    for at in range(SLOTS):
        counts = [day[at] for day in days]
        calls, most = sum(counts) / len(counts), max(counts)
        load = Load(calls / SLOT_S, handling_s, patience_s)
        agents = _needed(load, answered, within_s)
        here = outcome(load, agents) if agents else None
        slots.append(
            Slot(
                at * SLOT_S // 60,
                calls,
                most,
                agents,
                _needed(Load(most / SLOT_S, handling_s, patience_s), answered, within_s),
                answered_within(load, agents, within_s) if here else None,
                here.abandoned if here else None,
                here.occupancy if here else None,
                were_in[at] if were_in is not None else None,
                planned[at] if planned is not None else None,
            )
        )
    return slots


def at_work(presences: Iterable[PresenceRow], slots: Sequence[tuple[int, int]]) -> list[float]:
    """Agents at work in each slot (from, to in epoch ms), on average over it."""
    spent = [0] * len(slots)
    for row in presences:
        if row.presence in _AWAY:
            continue
        for at, (begin, end) in enumerate(slots):
            spent[at] += max(0, min(row.to_ms, end) - max(row.from_ms, begin))
    return [ms / (end - begin) if end > begin else 0.0 for ms, (begin, end) in zip(spent, slots, strict=True)]


@lru_cache(maxsize=1024)
def _needed(load: Load, answered: float, within_s: float) -> int:
    return agents_needed(load, answered=answered, within_s=within_s) if load.calls_per_s > 0 else 0
