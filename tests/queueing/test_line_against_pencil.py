"""The Lua line and the pencil line must agree, whatever happens."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.queueing.stage import staged, wander


def test_the_lua_line_agrees_with_the_pencil_line(redis_server: str) -> None:
    with staged(redis_server) as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=100,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink],
                database=None,
            ),
        )


@pytest.mark.parametrize("seed", range(8))
def test_they_agree_over_long_histories(redis_server: str, seed: int) -> None:
    with staged(redis_server) as machine:
        wander(machine, 500, seed)
