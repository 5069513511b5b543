"""No text after STOP, none twice, none lost; and the laws notice when that is broken."""

from __future__ import annotations

from typing import Any

import pytest

from carrier import text_record, texts
from foundation.clock import ManualClock
from foundation.connections import Sql
from tests.callbacks.histories import drawn, play
from tests.carrier.stop_world import StopWorld


async def wanders(sql: Sql, clock: ManualClock, seeds: range) -> None:
    for seed in seeds:
        world = StopWorld(sql, clock)
        await world.opens()
        await play(world, drawn(StopWorld.RULES, 40, seed))


async def test_the_laws_of_texts_hold(sql: Sql, clock: ManualClock) -> None:
    await wanders(sql, clock, range(15))


async def _never(*_given: Any) -> bool:
    return False


async def test_a_queued_text_that_ignores_stop_is_noticed(
    sql: Sql, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No look at the opt-outs where texts are claimed: one that was in hand at STOP goes out later."""
    monkeypatch.setattr(texts, "is_opted_out", _never)
    monkeypatch.setattr(text_record, "_CLAIM", text_record._DUE_CLAIM)
    with pytest.raises(AssertionError, match="sent after STOP"):
        await wanders(sql, clock, range(60))


async def test_an_unknown_answer_that_is_sent_again_is_noticed(
    sql: Sql, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_given: Any) -> None:
        return None

    monkeypatch.setattr(texts, "_ours", nothing)
    with pytest.raises(AssertionError, match="sent twice"):
        await wanders(sql, clock, range(30))
