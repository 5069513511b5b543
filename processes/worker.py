"""Carries out effects: RQ hands out jobs, each a coroutine on the one loop this process keeps.

RQ by itself would run every coroutine on a new loop: clients that belong to a loop could not be kept, and
each job would open its connections anew. Jobs hold ids only and are idempotent by natural key, so a job
that ran twice, or whose worker died half-way, does no harm.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from redis import Redis as SyncRedis
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from callbacks import jobs as callback_jobs
from carrier.twilio_rest import Carrier
from foundation.errors import SurgelineError, Unavailable
from ivr import jobs
from ivr.bridging import Tools
from ivr.legs import Legs
from processes.beating import keep_beating
from processes.effects import (
    GROUP,
    JOB_S,
    LAST,
    RESULT_TTL_S,
    callbacks_queue,
    effects_queue,
    entry_of,
    open_for_rq,
)
from processes.opening import Stores, close_stores, open_stores
from processes.provision import open_carrier
from processes.rounds import backoff_ms
from processes.starting import begin, redis_url
from queueing import journal

STOP_S = 5.0
TRIES = 3
"""So often is a job begun in all while a store is away."""
ACKNOWLEDGE_S = 2.0
SOCKET_S = 30.0
"""RQ waits for jobs by blocking reads of up to fifteen seconds; its client must be more patient."""

log = structlog.get_logger(__name__)


class KeptLoop:
    """One event loop in a thread of its own, for the life of the process."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any], within_s: float = JOB_S) -> Any:
        """Run ``work`` on the loop and wait for it. Raises TimeoutError, and stops it, after ``within_s``."""

        async def bounded() -> Any:
            async with asyncio.timeout(within_s):
                return await work

        return asyncio.run_coroutine_threadsafe(bounded(), self.loop).result()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` beside the jobs."""
        asyncio.run_coroutine_threadsafe(work, self.loop)

    def end(self) -> None:
        """End what still runs beside the jobs."""
        asyncio.run_coroutine_threadsafe(_cancel_others(), self.loop).result(STOP_S)

    def close(self) -> None:
        """End the loop itself."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(STOP_S)
        self.loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def patiently(
    work: Callable[[], Coroutine[Any, Any, Any]],
    counts: Counter[str],
    draw: Callable[[], float] = random.random,
) -> Any:
    """Do ``work``; when a store is away once more, after a moment, ``TRIES`` times in all.

    Every job may be carried out twice; what else goes wrong is not tried again.
    """
    for failures in range(1, TRIES):
        try:
            return await work()
        except Unavailable:
            counts["jobs_again"] += 1
            await asyncio.sleep(backoff_ms(failures, draw()) / 1000)
    return await work()


class NoPenalty(BaseDeathPenalty):  # type: ignore[misc]  # rq is untyped to us: pyproject skips it
    """RQ would stop a job by a signal, in the middle of whatever; ours end by their own time limit."""

    def setup_death_penalty(self) -> None:
        """Nothing to set up."""

    def cancel_death_penalty(self) -> None:
        """Nothing to cancel."""


def bench_of(stores: Stores, carrier: Carrier) -> jobs.Bench:
    """What the jobs reach for."""
    settings = stores.settings
    tools = Tools(
        carrier=carrier,
        line=stores.line,
        legs=Legs(stores.redis, stores.centre),
        clock=stores.clock,
        public_url=settings.surgeline_public_url,
        from_number=settings.twilio_number,
        regions=stores.plan.callbacks.regions,
        rehearsal=settings.api_is_loopback,
        callbacks=callback_jobs.Bench(stores.office, carrier, beside=True),
    )
    return jobs.Bench(tools, stores.redis, stores.keys)


def run() -> None:
    """Work until SIGTERM or SIGINT; the job in hand is finished first."""
    settings = begin("worker")
    kept, counts = KeptLoop(), Counter[str]()
    stores, carrier = open_stores(settings), open_carrier(settings)
    laid_out = bench_of(stores, carrier)
    jobs.equip(laid_out)
    if laid_out.tools.callbacks is not None:
        callback_jobs.equip(laid_out.tools.callbacks)
    kept.start(keep_beating(stores, "worker", counts))
    connection = open_for_rq(redis_url(settings), SOCKET_S)

    async def acknowledge(event_id: str) -> None:
        await journal.ack(stores.redis, stores.keys, GROUP, [entry_of(event_id)])

    async def close() -> None:
        await carrier.close()
        await close_stores(stores)

    try:
        _work_on(lambda: working(connection, stores.centre, kept, counts, acknowledge))
    finally:
        kept.end()
        kept.run(close(), STOP_S)
        kept.close()
        connection.close()


def _work_on(hire: Callable[[], Any]) -> None:
    """Work; when Redis goes away RQ's worker ends, and another takes its place."""
    failures = 0
    while True:
        try:
            worker = hire()
            failures = 0
            worker.work(logging_level="WARNING")
            if worker.stop_requested:
                return
        except (RedisError, OSError) as error:
            log.warning("waiting for a store", work="effects", why=type(error).__name__)
        failures += 1
        time.sleep(backoff_ms(failures, random.random()) / 1000)  # jitter is no secret


def working(
    connection: SyncRedis,
    centre: str,
    kept: KeptLoop,
    counts: Counter[str],
    acknowledge: Callable[[str], Coroutine[Any, Any, None]],
) -> Any:
    """A worker whose coroutine jobs run on ``kept``; it counts what was done and what failed.

    ``acknowledge`` is called with the id of an entry's last effect once its job is over, done or failed:
    what an effect could not bring about, the line's own deadlines undo.
    """

    class KeptJob(Job):  # type: ignore[misc]  # rq is untyped to us: pyproject skips it
        def _execute(self) -> Any:
            try:
                return kept.run(patiently(lambda: self.func(*self.args, **self.kwargs), counts))
            finally:
                if self.meta.get(LAST):
                    kept.run(acknowledge(*self.args), ACKNOWLEDGE_S)

    class Effects(SimpleWorker):  # type: ignore[misc]  # as above
        death_penalty_class = NoPenalty
        max_connection_wait_time = 5.0

        @property
        def stop_requested(self) -> bool:
            return bool(self._stop_requested or self._shutdown_requested_date)

        def handle_job_success(self, *given: Any, **named: Any) -> None:
            counts["effects_done"] += 1
            super().handle_job_success(*given, **named)

        def handle_exception(self, job: Any, *exc_info: Any) -> None:
            """Said once, in our log: RQ's own way would write the same again, as an error of ours."""
            counts["effects_failed"] += 1
            error = exc_info[1] if len(exc_info) > 1 else None
            if isinstance(error, SurgelineError):
                log.warning("effect failed", job=job.id, why=f"{type(error).__name__}: {error}")
            else:
                log.error("effect failed", job=job.id, exc_info=exc_info)

    return Effects(
        [effects_queue(connection, centre, KeptJob), callbacks_queue(connection, centre, KeptJob)],
        connection=connection,
        serializer=JSONSerializer,
        job_class=KeptJob,
        default_result_ttl=RESULT_TTL_S,
        maintenance_interval=30,
        job_monitoring_interval=5,
        worker_ttl=30,
        log_job_description=False,
    )
