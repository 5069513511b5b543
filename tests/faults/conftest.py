"""A house for each file of faults: the product is started once, and every story must leave it working.

These stories start the whole product with real processes and break it. ``make faults`` runs them alone, with
SURGELINE_FAULTS set for those that are not in the suite: the bad network, whose outcome depends on how busy
the machine is, and the workers killed at each point one after the other, which take minutes.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.house import House, Rig, rig_in

LONG = ["test_bad_network.py", "test_dying_worker.py", "test_effects_interrupted.py"]
collect_ignore = [] if os.environ.get("SURGELINE_FAULTS") else LONG


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[House]:
    """The product at work. A file may say otherwise how: ``HOUSE = {"max_waiting": 20}``."""
    folder: Path = tmp_path_factory.mktemp("house")
    opened = House(folder, **getattr(request.module, "HOUSE", {}))
    try:
        opened.open()
        yield opened
    finally:
        opened.close()


@pytest.fixture
async def rig(house: House) -> AsyncIterator[Rig]:
    async with rig_in(house) as rig:
        yield rig
        await rig.faults()
