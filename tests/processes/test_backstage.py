"""The operations page's view of the work: RQ's own queues, and the texts in SQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from carrier import texts
from carrier.tables import Text
from processes import migrating
from processes.backstage import Backstage
from processes.effects import callbacks_queue, open_for_rq
from processes.opening import close_stores, open_stores
from processes.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from redis.asyncio import Redis

    from processes.opening import Stores


@pytest.fixture
async def stores(redis_server: str, redis: Redis, tmp_path: Path) -> AsyncIterator[Stores]:
    url = f"sqlite:///{tmp_path}/web.db"
    migrating.upgrade(url)
    given = {
        "redis_url": redis_server,
        "database_url": url,
        "twilio_auth_token": "t" * 32,
        "surgeline_public_url": "http://127.0.0.1:8080",
        "surgeline_data_dir": tmp_path,
    }
    opened = open_stores(Settings.model_validate(given))
    yield opened
    await close_stores(opened)


async def test_what_waits_is_counted_by_queue(stores: Stores, redis_server: str) -> None:
    queue = callbacks_queue(open_for_rq(redis_server), stores.centre)
    queue.enqueue("callbacks.jobs.text", "PR1.kept")
    told = {one.name: one.waiting for one in await Backstage(stores).queues()}
    assert told == {f"effects-{stores.centre}": 0, f"callbacks-{stores.centre}": 1}


async def test_a_job_that_is_not_dead_is_not_run_again(stores: Stores) -> None:
    work = Backstage(stores)
    assert await work.failed_jobs() == []
    assert await work.run_again("nobody") is False


async def test_the_texts_still_to_go_and_when_the_last_will_have_gone(stores: Stores) -> None:
    work = Backstage(stores)
    assert (await work.backlog()).ends_ms is None
    now_ms = stores.clock.now_ms()
    async with stores.sql.session() as session:
        for name in ("a", "b"):
            text = Text(id=name, number="+14155550123", kind="status", body="We call you.", made_ms=now_ms)
            await texts.write(session, text)
    told = await work.backlog()
    assert (told.count, told.segments) == (2, 2)
    assert told.ends_ms is not None
    assert told.ends_ms >= now_ms + 2_000
