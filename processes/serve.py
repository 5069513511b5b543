"""Everything for one box, under one parent: web, worker, sweeper, scribe, and a Redis of our own."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import structlog

from foundation.embedded import EmbeddedServer, find_server
from foundation.errors import Mendable
from processes import migrating
from processes.children import Children, Program, ours
from processes.embedding import keep
from processes.settings import Settings
from processes.starting import begin

DRAIN_S = 15.0

log = structlog.get_logger(__name__)


def run(listen: str) -> int:
    """Serve until SIGTERM or SIGINT; the exit code: 0, or 1 when a program could not run at all.

    Raises Mendable when the settings are bad or unsafe, or the database's tables are not up to date.
    """
    if listen:
        os.environ["SURGELINE_LISTEN"] = listen
    settings = begin("serve")
    prepare_tables(settings)
    server: EmbeddedServer | None = None
    if not settings.redis_url:
        binary = find_server(settings.surgeline_redis_server or None)
        server = EmbeddedServer(settings.surgeline_data_dir / "redis", binary)
        os.environ["REDIS_URL"] = server.start()
    try:
        children = Children(programs(settings), os.environ)
        children.launch()
        log.info("serving", listen=settings.surgeline_listen, public_url=settings.surgeline_public_url)
        return asyncio.run(_watch(children, server))
    finally:
        if server is not None:
            server.stop()


def prepare_tables(settings: Settings) -> None:
    """SQLite is brought up to date by itself; a shared database only when its keeper says so."""
    if settings.is_sqlite:
        migrating.upgrade(settings.database)
        return
    stands, head = migrating.current(settings.database), migrating.head()
    if stands != head:
        raise Mendable(
            f"The database stands at step {stands or 'none'}, this version needs {head}: "
            "run `surgeline migrate`."
        )


def programs(settings: Settings, logs: Path | None = None) -> list[Program]:
    """What is run. The scribe ends last, to write down what the others' ending caused.

    With ``logs``, each program writes to a file of its own there; else to our standard error.
    """

    def program(name: str, *, stage: int = 0, number: str = "") -> Program:
        own = ours(name, stage=stage, log_file=logs / f"{name}{number}.log" if logs else None)
        return replace(own, name=f"{name}{number}", module=f"processes.{name}")

    hands = range(2, settings.surgeline_workers + 1)
    return [
        program("web"),
        program("sweeper"),
        program("worker"),
        *(program("worker", number=f"-{number}") for number in hands),
        program("scribe", stage=1),
    ]


async def _watch(children: Children, server: EmbeddedServer | None) -> int:
    stop = asyncio.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(which, stop.set)
    keeping = asyncio.create_task(keep(server)) if server else None
    await children.watch()
    stopped, failed = asyncio.create_task(stop.wait()), asyncio.create_task(children.failed.wait())
    try:
        await asyncio.wait([stopped, failed], return_when=asyncio.FIRST_COMPLETED)
        return 0 if stop.is_set() else 1
    finally:
        for task in (stopped, failed, keeping):
            if task is not None:
                task.cancel()
        killed = await children.stop(DRAIN_S)
        if killed:
            log.warning("did not end in time and was killed", programs=killed)
