"""The keeper's rounds, and RQ doing what it is handed: real RQ on a real Redis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from callbacks import tables  # noqa: F401  (its tables are made by the fixture sql)
from carrier import tables as carrier_tables  # noqa: F401
from carrier import texts
from carrier.tables import Text
from foundation.clock import ManualClock
from foundation.connections import Sql
from foundation.errors import Mendable, Unavailable
from processes.effects import callbacks_queue, open_for_rq
from processes.failed import FailedJobs
from processes.keeper import Keeper
from processes.worker import KeptLoop, patiently, working
from queueing import tables as queueing_tables  # noqa: F401
from tests.callbacks.office import Staff


@pytest.fixture
def rq(redis_server: str) -> Iterator[SyncRedis]:
    connection = open_for_rq(redis_server, 5.0)
    yield connection
    connection.close()


@pytest.fixture
def keeper(redis: Redis, sql: Sql, clock: ManualClock, rq: SyncRedis) -> Keeper:
    return Keeper(Staff(redis, sql, clock).cb, None, callbacks_queue(rq, "main"), Counter())


async def write_text(sql: Sql, name: str, body: str, now_ms: int) -> None:
    async with sql.session() as session:
        await texts.write(
            session,
            Text(
                id=name, number="+14155550123", kind="kept", body=body, made_ms=now_ms, not_before_ms=now_ms
            ),
        )


async def test_texts_are_handed_over_at_the_senders_pace(keeper: Keeper, clock: ManualClock) -> None:
    now_ms = clock.now_ms()
    for n in range(4):
        await write_text(keeper.cb.sql, f"PR1.later.{n}", "x" * 200, now_ms + n)  # two segments each
    clock.advance(ms=10)
    handed = []
    for _ in range(9):
        await keeper.send_texts()
        handed.append(keeper.counts["texts_handed_over"])
        clock.advance(s=1)
    # One segment a second; a text not yet taken by a worker is not handed over twice within ten seconds.
    assert handed[:3] == [1, 1, 1]
    assert len(keeper.queue) == handed[-1]
    assert {job.args[0] for job in keeper.queue.jobs} <= {f"PR1.later.{n}" for n in range(4)}


async def test_a_job_of_the_same_name_is_handed_over_once(keeper: Keeper) -> None:
    assert await keeper.hand_over("callbacks.jobs.ring_first", "PR1", "PR1-3")
    assert not await keeper.hand_over("callbacks.jobs.ring_first", "PR1", "PR1-3")
    assert len(keeper.queue) == 1


async def test_a_failed_job_is_listed_and_run_again(keeper: Keeper, rq: SyncRedis) -> None:
    kept, counts = KeptLoop(), Counter[str]()

    async def nothing(_event_id: str) -> None:
        return

    await keeper.hand_over("tests.processes.test_keeper.stumbles", "PR1", "PR1-1")
    worker = working(rq, "main", kept, counts, nothing)
    worker.work(burst=True, logging_level="CRITICAL")  # RQ wants the main thread for its signals
    failed = FailedJobs(rq, "main")
    (job,) = await failed.listed()
    assert job.what == "tests.processes.test_keeper.stumbles(PR1)"
    assert "nothing to be done" in job.why
    assert job.failed_ms > 0
    await failed.run_again(job.id)
    assert await failed.listed() == []
    assert len(keeper.queue) == 1
    with pytest.raises(Mendable, match="not among the failed"):
        await failed.run_again(job.id)
    kept.close()


async def stumbles(_what: str) -> None:
    raise ValueError("nothing to be done")


async def test_a_job_waits_for_a_store_that_is_away_so_often_and_no_more() -> None:
    begun = Counter[str]()

    async def away() -> None:
        begun["away"] += 1
        raise Unavailable("SQL gave no answer")

    async def wrong() -> None:
        begun["wrong"] += 1
        raise ValueError

    with pytest.raises(Unavailable):
        await patiently(away, Counter(), lambda: 0.0)
    with pytest.raises(ValueError):  # noqa: PT011
        await patiently(wrong, Counter(), lambda: 0.0)
    assert begun == {"away": 3, "wrong": 1}
