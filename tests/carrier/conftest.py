"""The carrier on the wire: Twilio's own client, over a loopback port, to the double."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from carrier.twilio_rest import Carrier
from foundation.clock import ManualClock
from tests.drill.loopback import listening
from tests.drill.product import ACCOUNT, TOKEN, Rehearsal


@pytest.fixture
async def rehearsal(clock: ManualClock) -> AsyncIterator[Rehearsal]:
    rehearsal = Rehearsal(clock)
    yield rehearsal
    await rehearsal.close()


@pytest.fixture
async def carrier(rehearsal: Rehearsal) -> AsyncIterator[Carrier]:
    async with listening(rehearsal.network) as url:
        carrier = Carrier(ACCOUNT.sid, TOKEN, api_base_url=url)
        yield carrier
        await carrier.close()
