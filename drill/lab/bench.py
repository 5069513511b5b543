"""The table of docs/estimates.md: each scenario on seeds that nothing was tuned on, the target beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from drill.lab.centre import Centre, Guesser
from drill.lab.rivals import RIVALS
from drill.lab.scenarios import SCENARIOS
from drill.lab.scores import Score, score
from queueing.estimates import Estimate, Estimator

OURS = "ours"
LEAST_COVERED, MOST_COVERED = 0.75, 0.90
LATE_BELOW = 0.12
FRESH = range(8000, 8006)
"""Seeds kept for the report. Those from 1000 on were used for tuning."""

Run = list[tuple[Estimate | None, float]]


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario. ``scores`` by estimator; ``error`` is the standard error of our rrmse over the seeds."""

    name: str
    title: str
    target: float
    bias_limit: float
    scores: dict[str, Score]
    error: float

    @property
    def missed(self) -> list[str]:
        """What falls short of its target, in words."""
        ours = self.scores[OURS]
        held = {
            f"error {ours.rrmse:.3f} > {self.target:g}": ours.rrmse <= self.target,
            f"bias {ours.bias:+.3f}": abs(ours.bias) < self.bias_limit,
            f"covers {ours.covered:.2f}": LEAST_COVERED <= ours.covered <= MOST_COVERED,
            f"late {ours.late:.3f}": ours.late < LATE_BELOW,
        }
        return [words for words, met in held.items() if not met]


def simulate(job: tuple[str, int, bool]) -> dict[str, Run]:
    """One scenario with one seed: what each estimator told, and the waits. ``rivals`` or only ours."""
    name, seed, rivals = job
    scenario = SCENARIOS[name]
    guessers: dict[str, Guesser] = {
        OURS: Estimator(
            handling_s=scenario.handling_s * scenario.priors_off,
            hangup_per_s=scenario.priors_off / scenario.patience_s,
            roster=scenario.staff if scenario.roster_known else None,
        )
    }
    if rivals:
        guessers |= {rival: made(scenario.handling_s) for rival, made in RIVALS.items()}
    calls = [
        call
        for call in Centre(scenario, seed, guessers).run()
        if call.band == scenario.scored_band and scenario.scored_from_s <= call.at < scenario.scored_until_s
    ]
    return {each: [(call.told[each], call.wait_s or 0.0) for call in calls] for each in guessers}


def rows(names: Sequence[str], seeds: Iterable[int], *, rivals: bool = True, workers: int = 2) -> list[Row]:
    """Simulate and score. Raises KeyError for an unknown scenario."""
    seeds = list(seeds)
    jobs = [(name, seed, rivals) for name in names for seed in seeds]
    if workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            runs = list(pool.map(simulate, jobs))
    else:
        runs = [simulate(job) for job in jobs]
    return [row(name, runs[at * len(seeds) : (at + 1) * len(seeds)]) for at, name in enumerate(names)]


def row(name: str, runs: Sequence[dict[str, Run]]) -> Row:
    scenario = SCENARIOS[name]
    scores = {each: score([run[each] for run in runs]) for each in runs[0]}
    single = [score([run[OURS]]).rrmse for run in runs if run[OURS]]
    mean = sum(single) / len(single)
    square = sum((value - mean) ** 2 for value in single)
    error = math.sqrt(square / max(1, len(single) - 1) / len(single))
    return Row(name, scenario.title, scenario.target, scenario.bias_limit, scores, error)
