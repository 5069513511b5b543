"""The front doors as one application: it lives, says what it can reach, and keeps answering without it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import pytest
from redis.asyncio import Redis
from twilio.request_validator import RequestValidator

from processes import migrating
from processes.heartbeat import beat
from processes.opening import Stores, close_stores, open_stores
from processes.settings import Settings
from processes.web import build

TOKEN = "t" * 32
PUBLIC = "http://127.0.0.1:8080"


@pytest.fixture
async def open_at(tmp_path: Path) -> AsyncIterator[Callable[[str, str], Stores]]:
    """``open_at(redis_url, database_url)``: the stores of a web process, closed afterwards."""
    async with AsyncExitStack() as stack:

        def stores_at(redis_url: str, database_url: str) -> Stores:
            given = {
                "redis_url": redis_url,
                "database_url": database_url,
                "twilio_auth_token": TOKEN,
                "surgeline_public_url": PUBLIC,
                "surgeline_data_dir": tmp_path,
            }
            stores = open_stores(Settings.model_validate(given))
            stack.push_async_callback(close_stores, stores)
            return stores

        yield stores_at


@pytest.fixture
def stores(open_at: Callable[[str, str], Stores], redis_server: str, redis: Redis, tmp_path: Path) -> Stores:
    """Everything there, and empty."""
    url = f"sqlite:///{tmp_path}/web.db"
    migrating.upgrade(url)
    return open_at(redis_server, url)


@pytest.fixture
def away(open_at: Callable[[str, str], Stores]) -> Stores:
    """Nothing there."""
    return open_at("unix:///nowhere/redis.sock", "postgresql://nobody@127.0.0.1:9/none")


@cache
def app_of(stores: Stores) -> Any:
    """The application over these stores, built once for each test."""
    return build(stores)


async def ask(
    stores: Stores, method: str, path: str, client: str = "127.0.0.1", **given: Any
) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app_of(stores), client=(client, 1234))
    async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC) as browser:
        return await browser.request(method, path, **given)


async def test_it_lives(away: Stores) -> None:
    assert (await ask(away, "GET", "/healthz")).text == "alive\n"


async def test_ready_when_every_part_is(stores: Stores) -> None:
    for kind in ("worker", "sweeper", "scribe"):
        await beat(stores.redis, "main", kind, stores.clock.now_ms(), {})
    told = (await ask(stores, "GET", "/readyz")).json()
    assert (told["status"], told["mode"]) == ("ready", "full")
    assert {part["state"] for part in told["parts"].values()} == {"ok"}


async def test_a_missing_worker_is_named(stores: Stores) -> None:
    for kind in ("sweeper", "scribe"):
        await beat(stores.redis, "main", kind, stores.clock.now_ms(), {})
    told = (await ask(stores, "GET", "/readyz")).json()
    assert told["status"] == "degraded"
    assert told["parts"]["worker"] == {"state": "away", "running": 0}


async def test_without_any_store_it_stays_in_service_with_base_answers(away: Stores) -> None:
    """A balancer must not take every instance out because Redis is away."""
    answer = await ask(away, "GET", "/readyz")
    assert answer.status_code == 200
    told = answer.json()
    assert (told["status"], told["mode"]) == ("degraded", "base")
    assert told["parts"]["redis"]["state"] == "away"
    assert told["parts"]["sql"]["state"] == "away"


async def test_a_genuine_call_is_answered_without_any_store(away: Stores) -> None:
    form = {"CallSid": "CA" + "0" * 32, "From": "+14155550101", "To": "+14155550100", "CallStatus": "ringing"}
    signature = RequestValidator(TOKEN).compute_signature(f"{PUBLIC}/voice/incoming", form)
    answer = await ask(away, "POST", "/voice/incoming", data=form, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 200
    assert "<Response>" in answer.text


async def test_a_forged_call_is_not(stores: Stores) -> None:
    assert (await ask(stores, "POST", "/voice/incoming", data={"CallSid": "CA1"})).status_code == 403


async def test_figures_for_this_network_only(stores: Stores) -> None:
    await beat(stores.redis, "main", "worker", stores.clock.now_ms(), {"effects_done": 4})
    figures = (await ask(stores, "GET", "/metrics")).text
    assert 'surgeline_waiting{queue="support"} 0.0' in figures
    assert 'surgeline_work_total{kind="worker",what="effects_done"} 4.0' in figures
    assert 'surgeline_up{store="redis"} 1.0' in figures
    assert 'surgeline_promises_refused_total{limit="limit_block"} ' in figures
    assert (await ask(stores, "GET", "/metrics", client="8.8.8.8")).status_code == 403


async def test_figures_say_when_redis_is_away(away: Stores) -> None:
    answer = await ask(away, "GET", "/metrics")
    assert answer.status_code == 200
    assert 'surgeline_up{store="redis"} 0.0' in answer.text


async def test_pages_and_doors_are_one_application(stores: Stores) -> None:
    assert (await ask(stores, "GET", "/sign-in")).status_code == 200
    assert (await ask(stores, "GET", "/api/v1/openapi.json")).json()["openapi"].startswith("3.1")
    assert (await ask(stores, "GET", "/api/v1/me")).status_code == 401
