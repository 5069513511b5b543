"""Whether this process lives, and what it can reach.

/healthz says that the process answers. /readyz stays 200 while Redis or SQL are away: the doors then still
give base answers, and a balancer that took every instance out at once would make the outage whole.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from sqlmodel import select

from foundation.clock import monotonic_s
from foundation.connections import answering
from foundation.errors import Unavailable
from processes.heartbeat import heard
from processes.metrics import breaker_states, scrape
from processes.opening import Stores

LOOK_S = 1.0
KINDS = ("worker", "sweeper", "scribe")
NO_STORE = {"Cache-Control": "no-store"}


def health(stores: Stores) -> APIRouter:
    """The routes for whoever runs us."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Response:
        return PlainTextResponse("alive\n", headers=NO_STORE)

    @router.get("/readyz")
    async def readyz() -> Response:
        return JSONResponse(await readiness(stores), headers=NO_STORE)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        if not from_inside(request.client.host if request.client else ""):
            return PlainTextResponse("Figures are for this network only.\n", 403)
        return Response(await scrape(stores), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router


def from_inside(address: str) -> bool:
    """Whether an address is this machine's or a private network's: who scrapes us stands there."""
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return False


async def readiness(stores: Stores) -> dict[str, Any]:
    """Each part and whether it answers; ``status`` is "ready" when all do, else "degraded".

    ``mode`` says what callers get: "full", or "base" while the line cannot be asked.
    """
    redis, sql = await asyncio.gather(_timed(_redis(stores)), _timed(_sql(stores)))
    parts: dict[str, dict[str, Any]] = {"redis": redis, "sql": sql}
    parts |= await _processes(stores)
    ready = all(part["state"] == "ok" for part in parts.values())
    return {
        "status": "ready" if ready else "degraded",
        "mode": "full" if redis["state"] == "ok" else "base",
        "parts": parts,
        "breakers": breaker_states(stores),
    }


async def _timed(look: Awaitable[None]) -> dict[str, Any]:
    begun_s = monotonic_s()
    try:
        async with asyncio.timeout(LOOK_S):
            await look
    except (Unavailable, TimeoutError) as away:
        return {"state": "away", "why": str(away) or "no answer in time"}
    return {"state": "ok", "ms": round((monotonic_s() - begun_s) * 1000, 1)}


async def _redis(stores: Stores) -> None:
    async with answering():
        await stores.redis.ping()


async def _sql(stores: Stores) -> None:
    async with stores.sql.reading() as session:
        await session.exec(select(1))


async def _processes(stores: Stores) -> dict[str, dict[str, Any]]:
    now_ms = stores.clock.now_ms()
    try:
        async with answering():
            beats = await heard(stores.redis, stores.centre, now_ms)
    except Unavailable:
        return {kind: {"state": "unknown"} for kind in KINDS}
    running = {kind: sum(beat.kind == kind and beat.fresh(now_ms) for beat in beats) for kind in KINDS}
    return {kind: {"state": "ok" if count else "away", "running": count} for kind, count in running.items()}
