"""Commands of one turn travel together, and each gets its own answer."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from foundation.connections import open_redis
from foundation.together import AT_ONCE


@pytest.fixture
async def together(redis_server, redis):
    client = open_redis(redis_server, timeout_s=5, pool=4)
    yield client
    await client.aclose()


async def commands(redis) -> int:
    """How many times the server was read from: a pipeline is one read."""
    return int((await redis.info("stats"))["total_reads_processed"])


async def test_each_gets_its_own_answer(together):
    answers = await asyncio.gather(*(together.set(f"k{i}", i) for i in range(5)), together.get("k3"))
    assert answers == [True] * 5 + ["3"]


async def test_commands_of_one_turn_are_one_exchange(together, redis):
    await together.ping()
    before = await commands(redis)
    await asyncio.gather(*(together.incr("n") for _ in range(40)))
    assert await commands(redis) - before <= 3  # theirs, and that of asking
    assert await redis.get("n") == "40"


async def test_more_than_fit_at_once_are_sent_in_several(together):
    answers = await asyncio.gather(*(together.incr("n") for _ in range(3 * AT_ONCE)))
    assert sorted(answers) == list(range(1, 3 * AT_ONCE + 1))


async def test_one_error_is_one_askers_error(together):
    await together.set("word", "not a number")
    good, bad = await asyncio.gather(together.incr("n"), together.incr("word"), return_exceptions=True)
    assert good == 1
    assert isinstance(bad, ResponseError)


async def test_who_gives_up_before_the_exchange_is_not_asked_for(together, redis):
    giving_up = asyncio.ensure_future(together.incr("n"))
    staying = asyncio.ensure_future(together.incr("m"))
    await asyncio.sleep(0)
    giving_up.cancel()
    assert await staying == 1
    assert giving_up.cancelled()
    assert await redis.get("n") in (None, "1")  # on the way, or not: never twice


async def test_who_gives_up_during_the_exchange_leaves_no_answer_behind(together, redis):
    await redis.mset({"mine": "1", "yours": "2"})
    giving_up = asyncio.ensure_future(together.get("mine"))
    await asyncio.wait([giving_up], timeout=0)
    await asyncio.sleep(0)
    giving_up.cancel()
    assert await asyncio.gather(*(together.get("yours") for _ in range(5))) == ["2"] * 5


async def test_a_server_that_is_gone_is_everybodys_error():
    client = open_redis("unix:///nonexistent/redis.sock?db=0")
    answers = await asyncio.gather(client.ping(), client.ping(), return_exceptions=True)
    assert all(isinstance(answer, RedisConnectionError) for answer in answers)
    assert answers[0] is not answers[1]
    await client.aclose()
