"""Redis asked directly: the same answers as by the product's client."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ResponseError

from drill.stage.straight_redis import straight


@pytest.fixture
async def client(redis, redis_server):
    opened = straight(redis_server)
    yield opened
    await opened.aclose()


async def test_every_answer_is_what_the_products_client_says(client, redis):
    await client.xadd("stream", {"a": "1"}, id="1-1")
    await client.hset("hash", mapping={"x": "y"})
    await client.zadd("set", {"m": 1.5})
    for ask in (
        lambda of: of.get("nothing"),
        lambda of: of.set("word", "ü", px=60_000),
        lambda of: of.get("word"),
        lambda of: of.hgetall("hash"),
        lambda of: of.zrange("set", 0, -1, withscores=True),
        lambda of: of.xrange("stream"),
        lambda of: of.xinfo_stream("stream"),
        lambda of: of.eval("return {1, ARGV[1]}", 0, "two"),
    ):
        assert await ask(client) == await ask(redis)
    async with client.pipeline(transaction=True) as together:
        together.sadd("names", "a")
        together.scard("names")
        assert await together.execute() == [1, 1]


async def test_a_refused_command_does_not_spoil_the_next(client):
    with pytest.raises(ResponseError):
        await client.eval("return redis.call('GET')", 0)
    assert await client.ping() is True


async def test_two_at_once_get_each_their_own(client):
    await client.mset({"a": "1", "b": "2"})
    assert await asyncio.gather(client.get("a"), client.get("b")) == ["1", "2"]
