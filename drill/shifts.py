"""Who works when, and how: a scenario's shifts and manner of work, drawn for each agent. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass

from drill.scenarios.written import Scenario, Shift
from drill.temper import Manner


@dataclass(frozen=True, slots=True)
class Duty:
    """One agent's day, in seconds since the scenario's beginning. ``breaks``: (when, how long)."""

    agent: str
    start_s: float
    end_s: float
    breaks: tuple[tuple[float, float], ...]
    queues: tuple[str, ...]


def duties(scenario: Scenario, seed: int) -> list[Duty]:
    """Of everybody, in the order of the file. Lateness is exponential; breaks go round."""
    found: list[Duty] = []
    for shift in scenario.shift:
        chance = random.Random(f"{seed} shift {len(found)}")
        for place in range(shift.agents):
            late = chance.expovariate(1 / shift.late_minutes) if shift.late_minutes else 0.0
            start = max(0.0, (shift.start - scenario.begins + min(late, 60)) * 60)
            end = (min(shift.end, scenario.ends + scenario.after_minutes) - scenario.begins) * 60
            if end > start:
                name = f"agent{len(found) + 1:03}"
                found.append(
                    Duty(name, start, end, _breaks(shift, place, scenario.begins), tuple(shift.queues))
                )
    return found


def rostered(scenario: Scenario, at: float) -> int:
    """How many should be there at ``at`` (minutes since midnight), breaks not counted."""
    return sum(shift.agents for shift in scenario.shift if shift.start <= at < shift.end)


def manner(scenario: Scenario) -> Manner:
    work = scenario.work
    return Manner(
        accept_s=work.accept_seconds,
        talk_mean_s=work.talk_seconds,
        talk_spread=work.talk_spread,
        wrap_up_s=work.wrap_up_seconds,
        declines=work.declines_pct / 100,
        misses=work.misses_pct / 100,
        holds=work.holds_pct / 100,
        transfers=work.transfers_pct / 100,
        breaks=0.0,
    )


def _breaks(shift: Shift, place: int, begins: float) -> tuple[tuple[float, float], ...]:
    """A third of the agents at a time."""
    return tuple(((at + (place % 3) * length - begins) * 60, length * 60) for at, length in shift.breaks)
