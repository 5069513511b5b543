"""Promise, line, SQL and the phone network hold the laws, whatever happens."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.callbacks.machine import staged, wander


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
