"""Promise, line, SQL and the phone network hold the laws, whatever happens."""

from __future__ import annotations

import inspect
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.callbacks.machine import POOLS, Everybody, staged


def test_the_laws_hold(redis_server: str, tmp_path: Path) -> None:
    with staged(redis_server, f"sqlite:///{tmp_path}/books.sqlite3") as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=5,
                stateful_step_count=20,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink],
                database=None,
            ),
        )


@pytest.mark.parametrize("seed", range(2))
def test_they_hold_over_long_histories(redis_server: str, tmp_path: Path, seed: int) -> None:
    with staged(redis_server, f"sqlite:///{tmp_path}/books.sqlite3") as machine:
        wander(machine, 80, seed)


RULES = (
    *("asks", "asks", "asks", "hangs_up", "changes_mind", "phone_is", "phone_is", "a_paused_worker_wakes"),
    *(
        "accepts",
        "accepts",
        "accepts",
        "accepts",
        "ends",
        "ends",
        "time_passes",
        "time_passes",
        "time_passes",
    ),
)


def wander(machine: type[Everybody], steps: int, *seeds: int) -> None:
    """Histories drawn by their seed alone. Raises AssertionError at the first law that is broken."""
    for seed in seeds:
        dice = random.Random(seed)
        everybody = machine()
        everybody.open_up()
        done: list[tuple[str, dict[str, Any]]] = []
        try:
            for _ in range(steps):
                verb = getattr(everybody, dice.choice(RULES))
                given = {name: dice.choice(POOLS[name]) for name in inspect.signature(verb).parameters}
                done.append((verb.__name__, given))
                verb(**given)
                everybody.laws()
            everybody.teardown()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {len(done)}: {done[-12:]}: {error}") from None
