"""From the journal to RQ: each event that has an effect becomes one job, named after the event.

An event stays unacknowledged in its group until its job has run: so the journal keeps the line the job reads,
and what a dead process had in hand is handed out again. A job's name is the event's id and RQ takes a name
once, so handing out twice does no harm.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from redis import Redis as SyncRedis
from redis.asyncio import Redis
from redis.backoff import NoBackoff
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
AT_ONCE = 200
UNDER_WAY = frozenset({"created", "queued", "started", "deferred", "scheduled"})

LAST = "last"
"""In a job's meta: its entry of the journal has no effect behind this one, and may be acknowledged."""

log = structlog.get_logger(__name__)


def open_for_rq(url: str, timeout_s: float = 2.0) -> SyncRedis:
    """RQ is synchronous: a client with ``timeout_s`` for each command and no hidden retries."""
    return SyncRedis.from_url(
        url, socket_timeout=timeout_s, socket_connect_timeout=0.5, retry=Retry(NoBackoff(), 0), protocol=2
    )


def effects_queue(connection: SyncRedis, centre: str, job_class: type[Any] = Job) -> Any:
    """The RQ queue of a centre's effects: whoever fills it and whoever works it off agree on this."""
    return _queue(f"effects-{centre}", connection, job_class)


def callbacks_queue(connection: SyncRedis, centre: str, job_class: type[Any] = Job) -> Any:
    """The RQ queue of what may wait for a moment: texts, and merchants who are dialled first."""
    return _queue(f"callbacks-{centre}", connection, job_class)


def _queue(name: str, connection: SyncRedis, job_class: type[Any]) -> Any:
    return Queue(
        name,
        connection=connection,
        serializer=JSONSerializer,
        job_class=job_class,
        default_timeout=JOB_S,
    )


def entry_of(event_id: str) -> str:
    """The journal's entry that an event stands in."""
    return event_id.partition(".")[0]


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

    async def look(self) -> float:
        """One round: wait for events, hand out their effects. Raises Unavailable."""
        events = await journal.read(
            self.redis, self.keys, GROUP, self.consumer, block_ms=BLOCK_MS, count=AT_ONCE
        )
        await self.hand_out(events)
        return 0

    async def take_over(self) -> float:
        """What a dead process had in hand is handed out again. Raises Unavailable."""
        left = await journal.claim(self.redis, self.keys, GROUP, self.consumer, idle_ms=ABANDONED_MS)
        await self.hand_out(left)
        return ABANDONED_MS / 3

    async def hand_out(self, events: Sequence[Event]) -> None:
        """A job for each event with an effect. Entries without one, or whose jobs are over, are acknowledged.

        An entry of the journal may hold several events, and is acknowledged as a whole.
        """
        entries: dict[str, list[str]] = {}
        for event in events:
            effects = entries.setdefault(entry_of(event.id), [])
            if has_effect(event):
                effects.append(event.id)
        over = [entry for entry, effects in entries.items() if not effects]
        asked = {entry: effects for entry, effects in entries.items() if effects}
        if asked:
            over += await asyncio.to_thread(self._enqueue, asked)
        await journal.ack(self.redis, self.keys, GROUP, over)
        self.counts["effects_handed_out"] += sum(map(len, asked.values()))

    def _enqueue(self, asked: Mapping[str, Sequence[str]]) -> list[str]:
        """Enqueue each effect once; the entries all of whose jobs ran before and are over."""
        try:
            return [entry for entry, effects in asked.items() if self._enqueue_entry(effects)]
        except (RedisError, OSError) as error:
            raise Unavailable(f"RQ's Redis gave no answer: {type(error).__name__}") from error

    def _enqueue_entry(self, effects: Sequence[str]) -> bool:
        over = True
        for event_id in effects:
            try:
                self.queue.enqueue(
                    CARRY_OUT,
                    event_id,
                    job_id=self._named(event_id),
                    unique=True,
                    result_ttl=RESULT_TTL_S,
                    failure_ttl=FAILURE_TTL_S,
                    meta={LAST: event_id == effects[-1]},
                )
                over = False
            except DuplicateJobError:
                over = over and not self._under_way(event_id)
        return over

    def _named(self, event_id: str) -> str:
        """Several centres may share one RQ: their streams' ids may be alike, their queues' names are not."""
        return f"{self.queue.name}-{event_id.replace('.', '_')}"

    def _under_way(self, event_id: str) -> bool:
        try:
            job = Job.fetch(
                self._named(event_id), connection=self.queue.connection, serializer=JSONSerializer
            )
        except NoSuchJobError:
            return True  # gone since: handed out anew next time
        return str(job.get_status(refresh=False).value) in UNDER_WAY
