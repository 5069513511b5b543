"""Do the laws notice? Each fault is planted where the work is done, and must break a law."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from callbacks import dialing, making, reaping, settling, upkeep
from tests.callbacks.machine import staged, wander


def _always(answer: Any) -> Callable[..., Any]:
    async def does(*_given: Any, **_named: Any) -> Any:
        return answer

    return does


async def _forgets_the_answer(cb: Any, attempt_id: str, now_ms: int) -> None:
    await settling.withdraw(cb, attempt_id, "no answer is taken for a no", now_ms)


async def _sends_late(cb: Any, carrier: Any, attempt: Any, number: str) -> None:
    url = f"{cb.public_url}/voice/called?attempt={attempt.id}"
    sid = await carrier.dial(number, cb.ours[0], url, timeout_s=25)
    await dialing.note_sent(cb, attempt.id, sid, cb.clock.now_ms())


_insert = making._insert


async def _takes_a_second_promise(session: Any, promise: Any) -> bool:
    promise.open_number = promise.id
    return await _insert(session, promise)


FAULTS: dict[str, tuple[Any, str, Any, str]] = {
    # What is wrong: in which module, the verb, what stands there instead; the law that is broken.
    "a lost answer is taken for a no": (dialing, "note_unknown", _forgets_the_answer, "two phones ring"),
    "a paused worker sends all the same": (dialing, "send", _sends_late, "two phones ring|more calls"),
    "whoever picks up talks": (dialing, "answered", _always(True), "two conversations"),
    "a live call asks nobody": (dialing, "take_for", _always(True), "two conversations"),
    "what is unknown is not looked up": (settling, "_find", _always(None), "two phones ring"),
    "the line is never put right": (upkeep, "put_right", _always(0), "the line and SQL disagree"),
    "nobody reaps": (reaping, "reap", _always(0), "an attempt is left over|a promise is stuck"),
    "a number may be promised twice": (making, "_insert", _takes_a_second_promise, "two open promises"),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_laws_notice(
    fault: str, redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, verb, instead, law = FAULTS[fault]
    monkeypatch.setattr(module, verb, instead)
    books = f"sqlite:///{tmp_path}/books.sqlite3"
    with staged(redis_server, books) as machine, pytest.raises(AssertionError, match=law):
        wander(machine, 60, *range(30))
