"""However workers die and answers are lost: one phone rings, one conversation is had, everything ends.

And do the laws notice? Each fault is planted where the work is done, and must break the law that is about it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from callbacks import dialing, picking_up, reaping, record, settling, states
from callbacks.states import AttemptState
from tests.callbacks.dialing_world import DialingWorld
from tests.callbacks.histories import Pools, Step, strategy
from tests.callbacks.stages import dialing_stage

RULES = DialingWorld.RULES
SOON = settings(max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck))


def test_the_laws_hold(redis_server: str, tmp_path: Path) -> None:
    with dialing_stage(redis_server, tmp_path) as stage:

        @SOON
        @given(strategy(RULES, 30))
        def holds(history: list[Step]) -> None:
            stage.plays(history)

        holds()


def test_they_hold_over_long_histories(redis_server: str, tmp_path: Path) -> None:
    with dialing_stage(redis_server, tmp_path) as stage:
        stage.wanders(RULES, 60, range(12))


# --- planted faults ------------------------------------------------------------------------------------


async def _nothing(*_given: Any, **_named: Any) -> int:
    return 0


async def _none(*_given: Any, **_named: Any) -> None:
    return None


async def _yes(*_given: Any, **_named: Any) -> bool:
    return True


async def _no(*_given: Any, **_named: Any) -> bool:
    return False


async def _taken_for_a_no(cb: Any, attempt_id: str, now_ms: int) -> None:
    await settling.withdraw(cb, attempt_id, "no answer", now_ms)


_send = dialing.send


async def _sent_whenever(cb: Any, carrier: Any, attempt: Any, number: str) -> None:
    attempt.send_by_ms = cb.clock.now_ms() + 5_000
    await _send(cb, carrier, attempt, number)


async def _takes_unasked(cb: Any, attempt_id: str, call_sid: str, now_ms: int) -> bool:
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is not None and record.is_open(found[1]):
            given = {"by": "merchant", "now_ms": now_ms, "held_by": call_sid}
            await record.change(session, found[1], None, "taken", **given)
    return True


async def _picked_up_unasked(cb: Any, attempt_id: str, call_sid: str, now_ms: int) -> bool:
    async with cb.sql.session() as session:
        found = await record.attempt_with_promise(session, attempt_id)
        if found is not None and found[0].state in ("intent", "sent", "unknown"):
            mine = {"call_sid": call_sid, "answered_ms": now_ms}
            await record.change_attempt(session, found[0], AttemptState.ANSWERED, **mine)
    return True


@dataclass(frozen=True)
class Planted:
    """What stands where instead; the law that is broken; what the rules draw from, so that it is not rare."""

    where: tuple[tuple[Any, str, Any], ...]
    law: str
    pools: Pools = field(default_factory=dict)
    without: tuple[str, ...] = ()
    """Rules that have no part in it."""


CLOSE: Pools = {"n": (0,), "fault": ("",), "key": ("wait",), "s": (1, 4)}
OTHERS = ("rings_in", "talk_ends", "changes_mind")
LONELY = ("talk_ends", "changes_mind", "puts_down", "a_late_worker_wakes")
FAULTS = {
    "a lost answer is taken for a no": Planted(
        ((dialing, "note_unknown", _taken_for_a_no),),
        "two phones ring|rings for a promise that is over",
        {"fault": ("", "lost answer")},
    ),
    "a worker that wakes up late sends all the same": Planted(
        ((dialing, "send", _sent_whenever),), "two phones ring", {"fault": ("", "late"), "s": (16,)}, OTHERS
    ),
    "unknown answers are not looked up": Planted(
        ((settling, "_find", _none),), "two phones ring", {"fault": ("", "lost answer"), "s": (16,)}, OTHERS
    ),
    "1 is pressed without a compare-and-set": Planted(
        ((picking_up, "take", _takes_unasked),), "two conversations", CLOSE, LONELY
    ),
    "neither pick-up nor 1 is compared": Planted(
        ((dialing, "answered", _picked_up_unasked), (picking_up, "take", _takes_unasked)),
        "two conversations",
        CLOSE,
        LONELY,
    ),
    "a live call is always taken to its agent": Planted(
        ((dialing, "take_for", _yes),), "two conversations", CLOSE, LONELY
    ),
    "nobody reaps": Planted(((reaping, "reap", _nothing),), "left over|stuck"),
    "a machine is left a message at every try": Planted(
        ((picking_up, "_left_before", _no),), "a message was left twice", {"key": ("",)}, OTHERS
    ),
    "a cancelled promise is still rung": Planted(
        ((reaping, "stop_unwanted", _nothing), (settling, "stop_ringing", _none)),
        "rings for a promise that is over",
        {"change": ("cancel",), "s": (1, 4)},
    ),
    "a promise is dialled wherever it stands": Planted(
        ((dialing, "_why_not", lambda *_given: ""), (states, "check", lambda *_given: None)),
        "two phones ring|two conversations|under way",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_laws_notice(
    fault: str, redis_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = FAULTS[fault]
    for module, verb, instead in planted.where:
        assert hasattr(module, verb)
        monkeypatch.setattr(module, verb, instead)
    rules = {name: rule for name, rule in RULES.items() if name not in planted.without}
    with dialing_stage(redis_server, tmp_path) as stage, pytest.raises(AssertionError, match=planted.law):
        stage.wanders(rules, 40, range(40), planted.pools)
