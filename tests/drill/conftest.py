"""A rehearsal for each test: the double, a product to ring, and a clock that moves when told."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from foundation.clock import ManualClock
from tests.drill.product import Rehearsal


@pytest.fixture
async def rehearsal(clock: ManualClock) -> AsyncIterator[Rehearsal]:
    rehearsal = Rehearsal(clock)
    yield rehearsal
    await rehearsal.close()
