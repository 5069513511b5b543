"""What the stories of the five outages stand on. Each ends with the books in order: every call that came in
has one outcome, and nobody who was not served is missing from the ledger."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from tests.wire.stories.centre import Centre, open_centre


@pytest.fixture
async def centre(redis, sql, clock, tmp_path) -> AsyncIterator[Callable[..., Any]]:
    """``await centre(merchants, **rules)``: a centre at work."""
    async with AsyncExitStack() as stack:

        @asynccontextmanager
        async def in_order(merchants: str, **rules: Any) -> AsyncIterator[Centre]:
            async with open_centre(redis, sql, clock, tmp_path / "data", merchants, **rules) as opened:
                yield opened
                told = await opened.tally()
                assert (told.missing, told.under_way) == (0, 0), told

        async def open_(merchants: str, **rules: Any) -> Centre:
            return await stack.enter_async_context(in_order(merchants, **rules))

        yield open_
