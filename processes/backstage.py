"""The work behind the scenes for the operations page: RQ's queues, failed jobs, and texts still to go."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING

from carrier.text_record import backlog
from dashboard.rooms import FailedJob, QueueOfWork, TextBacklog
from foundation.errors import Mendable, Unavailable

if TYPE_CHECKING:
    from processes.failed import FailedJobs
    from processes.opening import Stores


class Backstage:
    """Of one centre. What it needs of RQ is imported when first asked for: the web starts without it."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores

    @cached_property
    def jobs(self) -> FailedJobs:
        from processes.effects import open_for_rq
        from processes.failed import FailedJobs
        from processes.starting import redis_url

        return FailedJobs(open_for_rq(redis_url(self.stores.settings)), self.stores.centre)

    async def queues(self) -> list[QueueOfWork]:
        """Raises Unavailable when RQ's Redis gives no answer."""
        from redis.exceptions import RedisError

        try:
            return await asyncio.to_thread(self._queues)
        except (RedisError, OSError) as error:
            raise Unavailable(f"RQ's Redis gave no answer: {type(error).__name__}") from error

    def _queues(self) -> list[QueueOfWork]:
        return [
            QueueOfWork(
                name=queue.name,
                waiting=queue.count + queue.scheduled_job_registry.count,
                running=queue.started_job_registry.count,
                failed=queue.failed_job_registry.count,
            )
            for queue in self.jobs.queues
        ]

    async def failed_jobs(self) -> list[FailedJob]:
        return [
            FailedJob(id=job.id, queue=job.queue, does=job.what, failed_ms=job.failed_ms, reason=job.why)
            for job in await self.jobs.listed()
        ]

    async def run_again(self, job: str) -> bool:
        try:
            await self.jobs.run_again(job)
        except Mendable:
            return False
        return True

    async def backlog(self) -> TextBacklog:
        rate = self.stores.office.policy.text_rate_per_s
        async with self.stores.sql.reading() as session:
            told = await backlog(session, self.stores.clock.now_ms(), rate)
        return TextBacklog(told.count, told.segments, told.ends_ms if told.count else None)
