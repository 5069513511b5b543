"""The Lua line and the pencil line must agree, whatever happens."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.queueing.machine import staged


def test_the_lua_line_agrees_with_the_pencil_line(redis_server: str) -> None:
    with staged(redis_server) as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=150,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.generate, Phase.shrink],
                database=None,
            ),
        )
