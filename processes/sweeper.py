"""Watches the deadlines, hands out effects, and puts right what the stores disagree about.

Several may run at once: every move is one script, every effect's job is named after its event, so the
second finds nothing left to do.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from typing import Any

import structlog

from foundation.clock import Clock
from processes.beating import keep_beating
from processes.effects import Dispatcher, callbacks_queue, effects_queue, open_for_rq
from processes.joins import Joins
from processes.keeper import Keeper
from processes.links import Links
from processes.opening import Stores, opened
from processes.provision import open_carrier
from processes.reconcile import Reconciler
from processes.rounds import rounds
from processes.settings import Settings
from processes.starting import begin, redis_url, until_stopped
from processes.unrecorded import Unrecorded
from processes.watcher import Round, Watcher
from queueing import journal
from queueing.line import Line
from queueing.reckoner import Reckoner

EXPIRE_MS = 250
EXPIRE_AT_ONCE = 100
PULSE_MS = 1_000
TRIM_MS = 30_000
RECONCILE_MS = 30_000
ROOM_MS = 600_000
JOINS_MS = 3_000

log = structlog.get_logger(__name__)


def run() -> None:
    """Sweep until SIGTERM or SIGINT. Raises Mendable when the settings are bad or unsafe."""
    until_stopped(sweep(begin("sweeper")))


async def sweep(settings: Settings) -> None:
    """All rounds, side by side, until cancelled."""
    counts: Counter[str] = Counter()
    async with opened(settings) as stores, asyncio.TaskGroup() as together:
        clock, keys = stores.clock, stores.keys
        connection = open_for_rq(redis_url(settings))
        queue = effects_queue(connection, stores.centre)
        dispatcher = Dispatcher(stores.blocking, keys, consumer_name(), queue, counts)

        async def expire() -> float:
            return await expire_due(stores.line, clock, counts)

        reckoner = Reckoner(
            stores.redis, stores.line, keys, consumer_name(), stores.sql, stores.plan.priors, stores.time_zone
        )

        async def take_pulse() -> float:
            await reckoner.take(clock.now_ms())
            return PULSE_MS

        async def trim() -> float:
            counts["journal_trimmed"] += await journal.trim(stores.redis, keys)
            return TRIM_MS

        work: dict[str, Round] = {
            "expire": expire,
            "effects": dispatcher.look,
            "take over": dispatcher.take_over,
            "pulse": take_pulse,
            "trim": trim,
        }
        together.create_task(keep_beating(stores, "sweeper", counts))
        if settings.twilio_account_sid and settings.twilio_auth_token:
            together.create_task(_reconcile(stores, settings, counts))
        together.create_task(_keep_promises(stores, callbacks_queue(connection, stores.centre), counts))
        work["status links"] = Links(stores.watch, counts).look
        work |= Watcher(stores.watch, stores.office, counts).rounds()
        for name, act in work.items():
            together.create_task(rounds(clock, name, act, counts))
        log.info("sweeping")


def consumer_name() -> str:
    """This process among the readers of the journal. The same host and process id may come again: no harm."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def expire_due(line: Line, clock: Clock, counts: Counter[str]) -> float:
    """Carry out what has fallen due; how long until the next look. Raises Unavailable."""
    expired = await line.expire(clock.now_ms(), limit=EXPIRE_AT_ONCE)
    for thing in expired:
        counts[thing.kind] += 1
    return 0 if len(expired) >= EXPIRE_AT_ONCE else EXPIRE_MS


async def _keep_promises(stores: Stores, queue: Any, counts: Counter[str]) -> None:
    settings = stores.settings
    has_carrier = bool(settings.twilio_account_sid and settings.twilio_auth_token and settings.twilio_number)
    carrier = open_carrier(settings) if has_carrier else None
    keeper = Keeper(stores.office, carrier, queue, counts)
    try:
        async with asyncio.TaskGroup() as together:
            for name, act in keeper.rounds().items():
                together.create_task(rounds(stores.clock, name, act, counts))
    finally:
        if carrier is not None:
            await carrier.close()


async def _reconcile(stores: Stores, settings: Settings, counts: Counter[str]) -> None:
    carrier = open_carrier(settings)
    reconciler = Reconciler(
        carrier, stores.line, stores.clock, stores.plan.policy, settings.surgeline_public_url
    )
    joins = Joins(carrier, stores.roster, stores.line, stores.clock)
    unrecorded = Unrecorded(
        carrier,
        stores.line,
        stores.sql,
        stores.clock,
        settings.twilio_number,
        stores.watch.policy.toggle_numbers,
    )

    async def look() -> float:
        drift = await reconciler.look()
        counts["calls_adopted"] += len(drift.strangers)
        counts["calls_missed"] += len(drift.missing)
        return RECONCILE_MS

    async def look_at_joins() -> float:
        counts["joins_unnoticed"] += len(await joins.look())
        return JOINS_MS

    async def make_room() -> float:
        counts["queues_widened"] += await reconciler.make_room()
        return ROOM_MS

    async def look_back() -> float:
        counts["calls_unrecorded"] += len(await unrecorded.look())
        return RECONCILE_MS

    try:
        async with asyncio.TaskGroup() as together:
            together.create_task(rounds(stores.clock, "room", make_room, counts))
            together.create_task(rounds(stores.clock, "joins", look_at_joins, counts))
            await stores.clock.sleep(RECONCILE_MS)
            together.create_task(rounds(stores.clock, "reconcile", look, counts))
            if settings.twilio_number:
                together.create_task(rounds(stores.clock, "unrecorded", look_back, counts))
    finally:
        await carrier.close()
