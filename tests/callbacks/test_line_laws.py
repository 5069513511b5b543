"""Promise, line and SQL agree, each promise keeps its ticket, and nobody is spoken with twice at once.

And do the laws notice? Each fault is planted where the work is done, and must break the law that is about it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from callbacks import making, upkeep
from callbacks.tables import Promise
from tests.callbacks.histories import Pools, Step, strategy
from tests.callbacks.line_world import LineWorld
from tests.callbacks.stages import staged

RULES = LineWorld.RULES
SOON = settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def test_the_laws_hold(redis_server: str, tmp_path: Path) -> None:
    with staged(LineWorld, redis_server, tmp_path) as stage:

        @SOON
        @given(strategy(RULES, 30))
        def holds(history: list[Step]) -> None:
            stage.plays(history)

        holds()


def test_they_hold_over_long_histories(redis_server: str, tmp_path: Path) -> None:
    with staged(LineWorld, redis_server, tmp_path) as stage:
        stage.wanders(RULES, 60, range(8))


# --- planted faults ------------------------------------------------------------------------------------


def _always(answer: Any) -> Callable[..., Any]:
    async def does(*_given: Any, **_named: Any) -> Any:
        return answer

    return does


_insert_once, _into_line = making.insert_once, upkeep.into_line


async def _inserts_a_second(session: Any, promise: Promise, *key: str) -> bool:
    """The unique index is gone: another transaction's promise is no hindrance."""
    promise.open_number = promise.id
    return await _insert_once(session, promise, *key)


async def _at_a_new_ticket(cb: Any, session: Any, promise: Promise, now_ms: int, **more: Any) -> None:
    await _into_line(cb, session, promise, now_ms, **more)
    promise.arrival_us = now_ms * 1000
    session.add(promise)


async def _rejoins_at_a_new_ticket(cb: Any, promise: Promise, now_ms: int) -> Any:
    promise.arrival_us = now_ms * 1000
    return await making.rejoin(cb, promise, now_ms)


LATER: Pools = {"change": ("later",), "what": ("talks", "busy"), "s": (4, 601)}
FAULTS: dict[str, tuple[Any, str, Any, str, Pools]] = {
    # What is wrong: in which module, the verb, what stands there instead; the law that is broken; and what
    # the rules draw from, so that the place where it shows is not rare.
    "the line is never put right": (upkeep, "put_right", _always(0), "the line and SQL disagree", {}),
    "a number may be promised twice": (making, "insert_once", _inserts_a_second, "two open promises", {}),
    "a retry takes a new ticket": (
        upkeep,
        "into_line",
        _at_a_new_ticket,
        "another ticket",
        {"change": ("later",)},
    ),
    "a retry takes a new place": (
        upkeep,
        "rejoin",
        _rejoins_at_a_new_ticket,
        "another ticket",
        {"change": ("later",)},
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_laws_notice(
    fault: str, redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, verb, instead, law, pools = FAULTS[fault]
    assert hasattr(module, verb)
    monkeypatch.setattr(module, verb, instead)
    with staged(LineWorld, redis_server, tmp_path) as stage, pytest.raises(AssertionError, match=law):
        stage.wanders(RULES, 40, range(30), pools)
