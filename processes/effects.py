"""From the journal to RQ: each event that has an effect becomes one job, named after the event.

An event stays unacknowledged in its group until its job has run: so the journal keeps the line the job reads,
and what a dead process had in hand is handed out again. A job's name is the event's id and RQ takes a name
once, so handing out twice does no harm.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import structlog
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.exceptions import DuplicateJobError, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from foundation.errors import Unavailable
from ivr.jobs import has_effect
from queueing import journal
from queueing.journal import Event
from queueing.keys import Keys

GROUP = "effects"
CARRY_OUT = "ivr.jobs.carry_out"
JOB_S = 30
"""A job's whole time: one or two REST calls of at most ten seconds each."""
FAILURE_TTL_S = 7 * 86_400
RESULT_TTL_S = 60
ABANDONED_MS = 45_000
"""In hand for so long, an event is handed out again: whoever had it is dead."""
BLOCK_MS = 1_000
UNDER_WAY = frozenset({"created", "queued", "started", "deferred", "scheduled"})

log = structlog.get_logger(__name__)


def open_for_rq(url: str, timeout_s: float = 2.0) -> SyncRedis:
    """RQ is synchronous: a client with ``timeout_s`` for each command and no hidden retries."""
    return SyncRedis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0), protocol=2
    )


def effects_queue(connection: SyncRedis, centre: str, job_class: type[Any] = Job) -> Any:
    """The RQ queue of a centre's effects: whoever fills it and whoever works it off agree on this."""
    return Queue(
        f"effects-{centre}",
        connection=connection,
        serializer=JSONSerializer,
        job_class=job_class,
        default_timeout=JOB_S,
    )


class Dispatcher:
    """Hands out effects. ``kinds`` are the events that have one; the others are acknowledged at once."""

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        consumer: str,
        queue: Any,
        counts: Counter[str],
    ) -> None:
        self.redis = redis
        self.keys = keys
        self.consumer = consumer
        self.queue = queue
        self.counts = counts
        self._grouped = False

    async def look(self) -> float:
        """One round: wait for events, hand out their effects. Raises Unavailable."""
        if not self._grouped:
            await journal.ensure_group(self.redis, self.keys, GROUP)
            self._grouped = True
        await self.hand_out(
            await journal.read(self.redis, self.keys, GROUP, self.consumer, block_ms=BLOCK_MS, count=200)
        )
        return 0

    async def take_over(self) -> float:
        """What a dead process had in hand is handed out again. Raises Unavailable."""
        left = await journal.claim(self.redis, self.keys, GROUP, self.consumer, idle_ms=ABANDONED_MS)
        await self.hand_out(left)
        return ABANDONED_MS / 3

    async def hand_out(self, events: Sequence[Event]) -> None:
        """A job for each event with an effect; the others, and those whose job is over, are acknowledged."""
        effects = [event.id for event in events if has_effect(event.kind)]
        over = [event.id for event in events if not has_effect(event.kind)]
        if effects:
            over += await asyncio.to_thread(self._enqueue, effects)
        await journal.ack(self.redis, self.keys, GROUP, over)
        self.counts["effects_handed_out"] += len(effects)

    def _enqueue(self, ids: Sequence[str]) -> list[str]:
        """Enqueue each once; the ids of those whose job ran before and is over."""
        over = []
        try:
            for event_id in ids:
                try:
                    self.queue.enqueue(
                        CARRY_OUT,
                        event_id,
                        job_id=self._named(event_id),
                        unique=True,
                        result_ttl=RESULT_TTL_S,
                        failure_ttl=FAILURE_TTL_S,
                    )
                except DuplicateJobError:
                    if not self._under_way(event_id):
                        over.append(event_id)
        except (RedisError, RedisConnectionError, OSError) as error:
            raise Unavailable(f"RQ's Redis gave no answer: {type(error).__name__}") from error
        return over

    def _named(self, event_id: str) -> str:
        """Several centres may share one RQ: their streams' ids may be alike, their queues' names are not."""
        return f"{self.queue.name}-{event_id}"

    def _under_way(self, event_id: str) -> bool:
        try:
            job = Job.fetch(
                self._named(event_id), connection=self.queue.connection, serializer=JSONSerializer
            )
        except NoSuchJobError:
            return True  # gone since: handed out anew next time
        return str(job.get_status(refresh=False).value) in UNDER_WAY
