"""What every program does first: read its settings, refuse unsafe ones, write its log, heed its parent."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from foundation.embedded import EmbeddedServer
from foundation.errors import Mendable
from processes.logs import start_logging
from processes.parent import die_with_parent
from processes.settings import Settings, read

INSIST_S = 5.0
"""Beyond what closing the stores may take."""


def begin(process: str) -> Settings:
    """The settings, safe to start with. Raises Mendable when they are not."""
    die_with_parent()
    settings = read().settings.refuse_unsafe()
    start_logging(settings.surgeline_log_level, process)
    return settings


def redis_url(settings: Settings) -> str:
    """Where Redis is: REDIS_URL, else the embedded server that ``surgeline serve`` runs here.

    Raises Mendable when there is neither.
    """
    if settings.redis_url:
        return settings.redis_url
    embedded = EmbeddedServer(settings.surgeline_data_dir / "redis", Path(sys.executable))
    if not embedded.socket_path.exists():
        raise Mendable(
            "REDIS_URL is not set and no embedded Redis runs in "
            f"{settings.surgeline_data_dir}: set it, or start everything with `surgeline serve`."
        )
    return embedded.url


def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until it ends, or until SIGTERM or SIGINT cancels it."""
    asyncio.run(_cancelled_by_signal(work))


async def _insist(task: asyncio.Task[None], here: asyncio.Task[Any] | None) -> None:
    """Cancel again what has not ended: a client whose connection breaks at that moment may swallow it."""
    while not task.done():
        await asyncio.sleep(INSIST_S)
        for other in asyncio.all_tasks() - {asyncio.current_task(), here}:
            other.cancel()


async def _cancelled_by_signal(work: Coroutine[Any, Any, None]) -> None:
    task, here = asyncio.ensure_future(work), asyncio.current_task()
    loop, insisting = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    def stop() -> None:
        task.cancel()
        insisting.add(loop.create_task(_insist(task, here)))

    for which in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(which, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
