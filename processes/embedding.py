"""Looking after the embedded Redis while its owner runs."""

from __future__ import annotations

import structlog

from foundation.clock import SystemClock
from foundation.embedded import EmbeddedServer

LOOK_MS = 1000

log = structlog.get_logger(__name__)


async def keep(server: EmbeddedServer) -> None:
    """Start the embedded server again when it dies. Its append-only file brings the line back."""
    while True:
        await SystemClock().sleep(LOOK_MS)
        if not server.running():
            log.error("the embedded Redis ended, starting it again")
            server.start()
