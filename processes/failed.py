"""Jobs that failed: kept for a week, to be looked at and run again. For the operations page, by injection."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from redis import Redis as SyncRedis
from redis.exceptions import RedisError
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.registry import FailedJobRegistry
from rq.serializers import JSONSerializer

from foundation.errors import Mendable, Unavailable
from processes.effects import callbacks_queue, effects_queue

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class FailedJob:
    """``what``: the function and the id it was given. ``why``: the last line of its error."""

    id: str
    queue: str
    what: str
    failed_ms: int
    why: str


class FailedJobs:
    """The failed jobs of one centre, newest first. Raises Unavailable when RQ's Redis gives no answer."""

    def __init__(self, connection: SyncRedis, centre: str) -> None:
        self.connection = connection
        self.queues = (effects_queue(connection, centre), callbacks_queue(connection, centre))

    async def listed(self) -> list[FailedJob]:
        found: list[FailedJob] = await self._ask(self._listed)
        return found

    async def run_again(self, job_id: str) -> None:
        """Put it back into its queue. Raises Mendable when it is no failed job (any more)."""
        await self._ask(lambda: self._run_again(job_id))

    async def _ask(self, work: Any) -> Any:
        try:
            return await asyncio.to_thread(work)
        except (RedisError, OSError) as error:
            raise Unavailable(f"RQ's Redis gave no answer: {type(error).__name__}") from error

    def _listed(self) -> list[FailedJob]:
        found = []
        for queue in self.queues:
            ids = self._registry(queue).get_job_ids(0, AT_ONCE - 1, desc=True)
            jobs = Job.fetch_many(ids, connection=self.connection, serializer=JSONSerializer)
            found += [_told(queue.name, job) for job in jobs if job is not None]
        return sorted(found, key=lambda job: -job.failed_ms)[:AT_ONCE]

    def _run_again(self, job_id: str) -> None:
        for queue in self.queues:
            registry = self._registry(queue)
            if job_id in registry:
                try:
                    registry.requeue(job_id)
                except (NoSuchJobError, InvalidJobOperation):
                    break
                return
        raise Mendable("This job is not among the failed ones: it has been run again, or was too old.")

    def _registry(self, queue: Any) -> Any:
        return FailedJobRegistry(queue=queue, serializer=JSONSerializer)


def _told(queue: str, job: Any) -> FailedJob:
    last = job.latest_result()
    trace = str(last.exc_string or "").strip() if last is not None else ""
    ended = job.ended_at
    return FailedJob(
        id=str(job.id),
        queue=queue,
        what=f"{job.func_name}({', '.join(map(str, job.args))})",
        failed_ms=round(ended.replace(tzinfo=ended.tzinfo or UTC).timestamp() * 1000) if ended else 0,
        why=trace.splitlines()[-1] if trace else "",
    )
