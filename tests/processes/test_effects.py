"""From the journal to RQ: every effect is handed out once, carried out on one loop, and then dealt with."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis as SyncRedis
from redis.asyncio import Redis

from foundation.errors import Unavailable
from ivr import jobs
from processes.effects import GROUP, Dispatcher, effects_queue, open_for_rq
from processes.worker import KeptLoop, working
from queueing import journal
from queueing.journal import Event
from queueing.keys import Keys
from queueing.policy import LinePolicy

KEYS = Keys.of(LinePolicy())


@pytest.fixture
def rq(redis_server: str) -> Iterator[SyncRedis]:
    connection = open_for_rq(redis_server, timeout_s=5)
    yield connection
    connection.close()


@pytest.fixture
async def dispatcher(redis: Redis, rq: SyncRedis) -> Dispatcher:
    await journal.ensure_group(redis, KEYS, GROUP)
    return Dispatcher(redis, KEYS, "one", effects_queue(rq, "main"), Counter())


async def happened(redis: Redis, kind: str, contact: str = "CA1") -> str:
    return await journal.write(redis, KEYS, kind, at_ms=1, contact=contact, agent="ann", fence=1)


async def read(redis: Redis, consumer: str = "one") -> list[journal.Event]:
    return await journal.read(redis, KEYS, GROUP, consumer)


async def pending(redis: Redis) -> int:
    told: Any = await redis.xpending(KEYS.journal, GROUP)
    return int(told["pending"])


async def test_only_what_has_an_effect_becomes_a_job(redis: Redis, dispatcher: Dispatcher) -> None:
    accepted = await happened(redis, "accepted")
    await happened(redis, "told")
    await happened(redis, "note")
    await dispatcher.hand_out(await read(redis))
    (job,) = dispatcher.queue.get_jobs()
    assert (job.func_name, job.args) == ("ivr.jobs.carry_out", [accepted])
    assert await pending(redis) == 1


async def test_an_event_read_twice_is_one_job(redis: Redis, dispatcher: Dispatcher) -> None:
    await happened(redis, "accepted")
    events = await read(redis)
    await dispatcher.hand_out(events)
    await dispatcher.hand_out(events)
    assert len(dispatcher.queue.get_jobs()) == 1


async def test_several_sweepers_share_the_events(redis: Redis, dispatcher: Dispatcher, rq: SyncRedis) -> None:
    other = Dispatcher(redis, KEYS, "two", effects_queue(rq, "main"), Counter())
    for number in range(6):
        await happened(redis, "accepted", f"CA{number}")
    await dispatcher.hand_out(await journal.read(redis, KEYS, GROUP, "one", count=3))
    await other.hand_out(await read(redis, "two"))
    assert len(dispatcher.queue.get_jobs()) == 6


async def test_a_redis_that_is_away_is_waited_for_and_nothing_is_forgotten(
    redis: Redis, dispatcher: Dispatcher
) -> None:
    await happened(redis, "accepted")
    gone = Dispatcher(
        redis, KEYS, "one", effects_queue(open_for_rq("unix:///nowhere.sock"), "main"), Counter()
    )
    with pytest.raises(Unavailable):
        await gone.hand_out(await read(redis))
    await dispatcher.hand_out(await journal.read(redis, KEYS, GROUP, "one", again=True))
    assert len(dispatcher.queue.get_jobs()) == 1


async def two_lines(redis: Redis, first: str, second: str) -> list[Event]:
    """One entry of the journal that tells of two events, read and not acknowledged."""
    entry = await happened(redis, first)
    (event,) = await read(redis)
    return [event, dataclasses.replace(event, id=f"{entry}.1", kind=second)]


async def test_an_entry_is_kept_for_the_one_line_that_has_an_effect(
    redis: Redis, dispatcher: Dispatcher
) -> None:
    await dispatcher.hand_out(await two_lines(redis, "agent_ready", "reserved"))
    assert len(dispatcher.queue.get_jobs()) == 1
    assert await pending(redis) == 1


# --- the worker ------------------------------------------------------------------------------------------


class Bench:
    """A worker over the test's Redis; the effects note on which loop they ran."""

    def __init__(self, rq: SyncRedis, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kept, self.counts = KeptLoop(), Counter[str]()
        self.ran: list[tuple[str, int]] = []
        self.acknowledged: list[str] = []
        self.fails = False
        monkeypatch.setattr(jobs, "carry_out", self._carry_out)
        self.worker = working(rq, "main", self.kept, self.counts, self._acknowledge)

    async def _carry_out(self, event_id: str) -> None:
        await asyncio.sleep(0)
        self.ran.append((event_id, id(asyncio.get_running_loop())))
        if self.fails:
            raise Unavailable("Twilio is away")

    async def _acknowledge(self, event_id: str) -> None:
        self.acknowledged.append(event_id)

    async def work(self) -> None:
        """Until there is nothing left to do. RQ is synchronous, and wants the main thread for its signals."""
        self.worker.work(burst=True, logging_level="CRITICAL")


@pytest.fixture
def bench(rq: SyncRedis, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench(rq, monkeypatch)
    yield bench
    bench.kept.end()
    bench.kept.close()


async def test_jobs_run_on_one_loop_that_stays(redis: Redis, dispatcher: Dispatcher, bench: Bench) -> None:
    ids = [await happened(redis, "accepted", f"CA{number}") for number in range(5)]
    await dispatcher.hand_out(await read(redis))
    await bench.work()
    assert [event_id for event_id, _ in bench.ran] == ids
    assert {loop for _, loop in bench.ran} == {id(bench.kept.loop)}
    assert bench.acknowledged == ids
    assert bench.counts["effects_done"] == 5


async def test_a_failed_effect_is_dealt_with_too(redis: Redis, dispatcher: Dispatcher, bench: Bench) -> None:
    bench.fails = True
    event_id = await happened(redis, "accepted")
    await dispatcher.hand_out(await read(redis))
    await bench.work()
    assert bench.acknowledged == [event_id]
    assert (bench.counts["effects_done"], bench.counts["effects_failed"]) == (0, 1)


async def test_a_job_that_is_over_is_not_run_again(
    redis: Redis, dispatcher: Dispatcher, bench: Bench
) -> None:
    """Its worker died before it could acknowledge: the sweeper does so on taking the event over."""
    await happened(redis, "accepted")
    events = await read(redis)
    await dispatcher.hand_out(events)
    await bench.work()
    assert await pending(redis) == 1
    await dispatcher.hand_out(events)
    await bench.work()
    assert len(bench.ran) == 1
    assert await pending(redis) == 0


async def test_a_late_job_is_stopped(bench: Bench) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        bench.kept.run(never(), within_s=0.01)


async def test_an_entry_with_two_effects_stays_until_both_ran(
    redis: Redis, dispatcher: Dispatcher, bench: Bench
) -> None:
    first, second = await two_lines(redis, "missed", "reserved")
    await dispatcher.hand_out([first, second])
    assert await pending(redis) == 1
    await bench.work()
    assert [event_id for event_id, _ in bench.ran] == [first.id, second.id]
    assert bench.acknowledged == [second.id]
