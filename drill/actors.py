"""``python -m drill.actors``: the demo's people, merchants and agents, over HTTP only."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import structlog

from drill import saturday
from drill.callers import Callers, Directory, directory_in
from drill.crowd import Habits, Merchant, Visit, visits
from drill.desks import Clerk, StandIn
from drill.repliers import Repliers
from drill.staff import Agent, Identity
from drill.temper import Manner, Temper
from foundation.clock import Clock, FastClock, SystemClock
from foundation.errors import Mendable

TIMEOUT_S = 10.0
STAGGER_MS = 400
"""Agents come to work one after the other."""


def main(argv: Sequence[str] | None = None) -> int:
    """Play until SIGTERM. 0, or 2 when what was asked for makes no sense."""
    structlog.configure(processors=[*LOG, structlog.processors.JSONRenderer()])
    given = _arguments().parse_args(argv)
    try:
        directory = directory_in(Path(given.merchants))
        roster = [Identity(**told) for told in json.loads(Path(given.roster).read_text("utf-8"))]
        done = asyncio.run(play(given, directory, roster))
        Path(given.report).write_text(json.dumps(done), "utf-8")
    except (Mendable, OSError, ValueError) as fault:
        print(fault, file=sys.stderr)
        return 2
    return 0


LOG = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


async def play(given: argparse.Namespace, directory: Directory, roster: Sequence[Identity]) -> dict[str, Any]:
    """Merchants ring and agents answer until told to stop. What was done: calls by SID, and counts."""
    clock: Clock = SystemClock()
    if given.speed != 1:
        clock = FastClock(given.speed, given.origin_ms or clock.now_ms())
    counts: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        network = await stack.enter_async_context(_client(given.double))
        callers = Callers(network, given.number, clock, given.seed)
        await callers.introduce(directory)
        tasks = [asyncio.create_task(callers.ring_in(crowd(given, directory.merchants)))]
        repliers = Repliers(network, clock, given.seed, callers.counts, given.speed)
        tasks.append(asyncio.create_task(repliers.write_back()))
        for number, who in enumerate(roster, 1):
            desk = await stack.enter_async_context(_client(given.product))
            temper = Temper(given.seed * 1000 + number, Manner(talk_mean_s=given.talk))
            agent = PARTS[who.part](who, desk, network, clock, temper, counts, given.speed)
            tasks.append(asyncio.create_task(_come_to_work(agent, clock, number)))
        await _until_told(tasks)
    return {"sids": callers.sids, "callers": dict(callers.counts), "agents": dict(counts)}


PARTS: dict[str, type[Agent]] = {"agent": Agent, "lead": StandIn, "clerk": Clerk}


def crowd(given: argparse.Namespace, merchants: Sequence[Merchant]) -> Iterator[Visit]:
    """Who rings: on a bad Saturday, or with the rate that was asked for."""
    if given.usual is None:
        return visits(given.seed, merchants, Habits(per_minute=given.rate, opening=given.opening))
    touched = [each for each in merchants if each.product == saturday.PRODUCT]
    return saturday.saturday(given.seed, merchants, touched, given.usual, given.rate)


async def _come_to_work(agent: Agent, clock: Clock, number: int) -> None:
    await clock.sleep(number * STAGGER_MS)
    await agent.work()


async def _until_told(tasks: list[asyncio.Task[Any]]) -> None:
    """Wait for SIGTERM or SIGINT, or for a task that fails (its error is raised); end the others."""
    told = asyncio.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(which, told.set)
    waiting = asyncio.create_task(told.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for task in done - {waiting}:
        task.result()


def _client(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, timeout=TIMEOUT_S, follow_redirects=True)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m drill.actors", description=__doc__)
    add = parser.add_argument
    add("--product", required=True, help="the product's public URL")
    add("--double", required=True, help="the phone network's URL")
    add("--roster", required=True, help="JSON: how each agent signs in")
    add("--merchants", required=True, help="the merchants file")
    add("--number", required=True, help="the number that is rung")
    add("--report", required=True, help="where to write, at the end, what was done")
    add("--seed", type=int, default=1)
    add("--rate", type=float, default=6.0, help="calls a minute")
    add("--usual", type=float, help="play a bad Saturday: so many a minute before it, --rate at its worst")
    add("--opening", type=int, default=14, help="calls in the first quarter of a minute")
    add("--talk", type=float, default=150.0, help="mean seconds of a talk")
    add("--speed", type=float, default=1.0)
    add("--origin-ms", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
