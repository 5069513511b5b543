"""Do the laws notice? Each fault is planted where the work is done, and must break a law."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callbacks import making, reaping, upkeep
from tests.callbacks.machine import POOLS, staged, wander


def _always(answer: Any) -> Callable[..., Any]:
    async def does(*_given: Any, **_named: Any) -> Any:
        return answer

    return does


_insert = making._insert


async def _takes_a_second_promise(session: Any, promise: Any) -> bool:
    promise.open_number = promise.id
    return await _insert(session, promise)


FAULTS: dict[str, tuple[Any, str, Any, str, dict[str, Any]]] = {
    # What is wrong: in which module, the verb, what stands there instead; the law that is broken; and what
    # the rules draw from, so that the place where it shows is not rare.
    "the line is never put right": (upkeep, "put_right", _always(0), "the line and SQL disagree", {}),
    "nobody reaps": (reaping, "reap", _always(0), "left over|stuck", {"fault": ("died before",)}),
    "a number may be promised twice": (making, "_insert", _takes_a_second_promise, "two open promises", {}),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_laws_notice(
    fault: str, redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, verb, instead, law, pools = FAULTS[fault]
    monkeypatch.setattr(module, verb, instead)
    for name, pool in pools.items():
        monkeypatch.setitem(POOLS, name, pool)
    books = f"sqlite:///{tmp_path}/books.sqlite3"
    with staged(redis_server, books) as machine, pytest.raises(AssertionError, match=law):
        wander(machine, 40, *range(30))
