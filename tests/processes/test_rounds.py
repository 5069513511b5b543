"""Work done again and again, whatever goes wrong with one round."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from carrier.answers import Busy
from foundation.clock import ManualClock
from foundation.errors import Unavailable
from processes.rounds import FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS, backoff_ms, rounds


class Napping(ManualClock):
    """Notes every nap, and ends the work after the last one that was asked for."""

    def __init__(self, naps: int) -> None:
        super().__init__()
        self.naps: list[float] = []
        self._most = naps

    async def sleep(self, ms: float) -> None:
        self.naps.append(ms)
        if len(self.naps) >= self._most:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


async def go(outcomes: list[float | Exception]) -> tuple[list[float], Counter[str]]:
    """The naps taken and the counts, when rounds come out as given."""
    clock, counts = Napping(len(outcomes)), Counter[str]()
    left = iter(outcomes)

    async def work() -> float:
        outcome = next(left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    with pytest.raises(asyncio.CancelledError):
        await rounds(clock, "sweep", work, counts, draw=lambda: 1.0)
    return clock.naps, counts


async def test_each_round_says_when_the_next_is() -> None:
    assert (await go([250, 0, 1000]))[0] == [250, 0, 1000]


@pytest.mark.parametrize("away", [Unavailable(), Busy()])
async def test_a_store_or_carrier_that_is_away_is_waited_for_ever_longer(away: Exception) -> None:
    naps, counts = await go([away, away, away, 250, away])
    assert naps[0] < naps[1] < naps[2]
    assert naps[3:] == [250, naps[0]]
    assert counts == {"sweep_away": 4}


async def test_an_error_of_ours_does_not_end_the_work() -> None:
    naps, counts = await go([ValueError("a slip"), 250])
    assert naps[1] == 250
    assert counts["sweep_errors"] == 1


def test_the_wait_is_jittered_and_bounded() -> None:
    assert backoff_ms(1, 0.0) == FIRST_BACKOFF_MS
    assert backoff_ms(3, 0.2) != backoff_ms(3, 0.9)
    assert backoff_ms(1000, 0.999) <= LONGEST_BACKOFF_MS
