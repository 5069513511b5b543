"""Every deadline holds, against real servers that are slow, frozen, full or gone."""

import asyncio
import inspect
import socket
import subprocess
import sys
import time

import pytest
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from foundation.connections import (
    LONGEST_BLOCK_S,
    Breaker,
    BreakerState,
    answering,
    open_blocking_redis,
    open_redis,
)
from foundation.errors import Unavailable


@pytest.fixture
async def silent_url(tmp_path):
    """A server that takes connections and never answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen(64)
        yield f"unix://{tmp_path / 's'}"


async def test_words_go_in_and_words_come_out(redis):
    assert await redis.set("greeting", "hola ñ") is True
    assert await redis.get("greeting") == "hola ñ"


async def test_a_new_connection_costs_no_command_of_its_own(redis):
    before = (await redis.info("stats"))["total_commands_processed"]
    extra = open_redis(f"unix://{redis.connection_pool.connection_kwargs['path']}")
    await extra.ping()
    await extra.aclose()
    assert (await redis.info("stats"))["total_commands_processed"] - before == 2  # the INFO and the PING


async def test_a_silent_server_costs_one_deadline_and_is_asked_once(silent_url):
    client = open_redis(silent_url)
    begun = time.monotonic()
    with pytest.raises(RedisTimeoutError):
        await client.ping()
    assert 0.2 < time.monotonic() - begun < 1.0
    await client.aclose(close_connection_pool=True)


async def test_a_full_pool_refuses_soon(silent_url):
    client = open_redis(silent_url, timeout_s=1.0, pool=2)
    hanging = []
    for _ in range(2):  # in turns of their own: what is asked in one turn shares a connection
        hanging.append(asyncio.create_task(client.ping()))
        await asyncio.wait(hanging, timeout=0.02)
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        async with answering():
            await client.ping()
    assert time.monotonic() - begun < 0.8
    for task in hanging:
        with pytest.raises(RedisTimeoutError):
            await task
    await client.aclose()


async def test_a_blocking_read_runs_its_whole_course_and_returns_empty(redis_server, redis):
    client = open_blocking_redis(redis_server)
    begun = time.monotonic()
    assert not await client.xread({"journal": "$"}, block=1200)
    assert 1.1 < time.monotonic() - begun < 3.0
    kwargs = client.connection_pool.connection_kwargs
    assert kwargs["socket_timeout"] > LONGEST_BLOCK_S
    await client.aclose()


async def test_a_command_given_up_does_not_leave_its_answer_to_the_next(redis_server, redis):
    await redis.mset({"mine": "1", "yours": "2"})
    client = open_blocking_redis(redis_server, pool=1)
    await client.ping()
    waiting = asyncio.create_task(client.blpop(["nothing"], timeout=0))
    await asyncio.wait([waiting], timeout=0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await client.get("yours") == "2"
    await client.aclose()


# --- answering ---------------------------------------------------------------------------------------


async def test_a_server_that_is_not_there_is_unavailable(tmp_path):
    client = open_redis(f"unix://{tmp_path}/none")
    with pytest.raises(Unavailable, match="no answer"):
        async with answering():
            await client.ping()
    await client.aclose()


async def test_a_wrong_question_is_not_unavailable(redis):
    await redis.set("word", "a")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        async with answering():
            await redis.zadd("word", {"a": 1})
    await redis.xgroup_create("journal", "scribe", mkstream=True)
    with pytest.raises(ResponseError, match="BUSYGROUP"):
        async with answering():
            await redis.xgroup_create("journal", "scribe", mkstream=True)


SCRIPT = "return redis.call('SET', KEYS[1], ARGV[1])"


async def test_a_full_server_is_unavailable(redis):
    await redis.config_set("maxmemory", "1")
    try:
        with pytest.raises(Unavailable):
            async with answering():
                await redis.set("a", "b")
        with pytest.raises(Unavailable):
            async with answering():
                await redis.eval(SCRIPT, 1, "a", "b")
    finally:
        await redis.config_set("maxmemory", "0")


async def test_a_replica_is_unavailable(redis):
    await redis.replicaof("127.0.0.1", "1")
    try:
        with pytest.raises(Unavailable):
            async with answering():
                await redis.set("a", "b")
        with pytest.raises(Unavailable):
            async with answering():
                await redis.eval(SCRIPT, 1, "a", "b")
    finally:
        await redis.replicaof("NO", "ONE")


async def test_too_few_replicas_is_unavailable(redis):
    await redis.config_set("min-replicas-to-write", "1")
    try:
        with pytest.raises(Unavailable):
            async with answering():
                await redis.set("a", "b")
    finally:
        await redis.config_set("min-replicas-to-write", "0")


async def test_a_server_busy_with_a_script_is_unavailable(redis_server, redis):
    await redis.config_set("busy-reply-threshold", "20")
    spinning = asyncio.create_task(redis.eval("while true do end", 0))
    other = open_redis(redis_server, timeout_s=2)
    await asyncio.wait([spinning], timeout=0.2)
    with pytest.raises(Unavailable):
        async with answering():
            await other.set("a", "b")
    await other.script_kill()
    with pytest.raises(ResponseError):
        await spinning
    await other.aclose()


@pytest.mark.parametrize(
    "wrapped",
    [
        "Error running script (call to f_1): @user_script:1: @user_script: 1: -OOM command not allowed",
        "Error running script (call to f_1): @user_script:1: -READONLY You can't write against a replica.",
        "MISCONF Redis is configured to save RDB snapshots",
    ],
)
async def test_the_older_wording_of_a_script_error_is_understood(wrapped):
    with pytest.raises(Unavailable):
        async with answering():
            raise ResponseError(wrapped)


async def test_five_silent_answers_open_the_breaker_and_the_sixth_costs_nothing(silent_url):
    client, breaker = open_redis(silent_url, timeout_s=0.05), Breaker("Redis")
    for _ in range(5):
        with pytest.raises(Unavailable, match="gave no answer"):
            async with answering(breaker):
                await client.ping()
    assert breaker.state is BreakerState.OPEN
    begun = time.monotonic()
    with pytest.raises(Unavailable, match="not asked"):
        async with answering(breaker):
            pytest.fail("it was asked")
    assert time.monotonic() - begun < 0.05
    await client.aclose()


async def test_slow_answers_open_the_breaker_too(redis_server, redis):
    breaker = Breaker("Redis")
    client = open_redis(redis_server, timeout_s=5)
    for _ in range(5):
        async with answering(breaker):
            await client.blpop(["nothing"], timeout=0.3)
    assert breaker.state is BreakerState.OPEN
    await client.aclose()


async def test_wrong_questions_do_not_open_the_breaker(redis):
    breaker = Breaker("Redis")
    for _ in range(10):
        with pytest.raises(ResponseError):
            async with answering(breaker):
                await redis.execute_command("NONSENSE")
    assert breaker.state is BreakerState.CLOSED


async def test_a_quick_cancellation_says_nothing_of_the_store(silent_url):
    client, breaker = open_redis(silent_url), Breaker("Redis")

    async def ask():
        async with answering(breaker):
            await client.ping()

    for _ in range(10):
        asking = asyncio.create_task(ask())
        await asyncio.wait([asking], timeout=0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert breaker.state is BreakerState.CLOSED
    await client.aclose()


async def test_a_frozen_server_is_unavailable_and_welcome_back(redis_server, redis):
    breaker = Breaker("Redis", draw=lambda: 0.0)
    client = open_redis(redis_server)
    await redis.client_pause(700, all=True)
    for _ in range(2):
        with pytest.raises(Unavailable):
            async with answering(breaker):
                await client.set("a", "b")
    await redis.ping()  # answered when the pause is over
    async with answering(breaker):
        assert await client.set("a", "b") is True
    await client.aclose()


def test_no_deadline_is_left_to_a_default():
    """The names we set are the client's own, so a renamed option cannot slip through as unknown."""
    from redis.asyncio.connection import AbstractConnection

    ours = set(open_redis("redis://127.0.0.1").connection_pool.connection_kwargs)
    assert {"socket_timeout", "socket_connect_timeout", "retry"} <= ours
    known = set(inspect.signature(AbstractConnection.__init__).parameters) | {"host", "port", "path"}
    assert ours <= known


def test_the_deciding_part_brings_no_store():
    code = "import sys, foundation.breaker; sys.exit(bool({'redis', 'sqlalchemy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
