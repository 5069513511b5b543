"""The front doors as one ASGI application: Twilio's webhooks, people's pages and programs' API."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from dashboard.app import pages
from dashboard.rooms import Rooms, Targets
from foundation.clock import FastClock, SystemClock
from ivr.app import Front, hold_music
from ivr.desk import Desk
from processes.backstage import Backstage
from processes.ending import Server, Streams
from processes.health import health
from processes.metrics import Timed
from processes.opening import Stores, close_stores, open_stores
from processes.softphone import softphone
from processes.starting import begin

DRAIN_S = 10

log = structlog.get_logger(__name__)


def run(listen: str = "") -> None:
    """Serve until SIGTERM or SIGINT. Raises Mendable when the settings are bad or unsafe."""
    if listen:
        os.environ["SURGELINE_LISTEN"] = listen
    settings = begin("web")
    streams = Streams(build(open_stores(settings)))
    config = uvicorn.Config(
        streams,
        host=settings.listen_host,
        port=settings.listen_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=True,
        timeout_graceful_shutdown=DRAIN_S,
        timeout_keep_alive=75,
    )
    Server(config, streams).run()


def build(stores: Stores) -> ASGIApp:
    """Everything that is served. It starts without Redis, SQL or Twilio being there."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        log.info("listening", listen=stores.settings.surgeline_listen)
        yield
        await close_stores(stores)

    desk = desk_of(stores)
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    app.include_router(health(stores))
    app.include_router(hold_music())
    app.include_router(pages(rooms_of(stores)))
    return Front(desk, Timed(app))


def desk_of(stores: Stores) -> Desk:
    """What the telephone's doors reach for."""
    settings, plan = stores.settings, stores.plan
    return Desk(
        clock=stores.clock,
        line=stores.line,
        roster=stores.roster,
        redis=stores.redis,
        sql=stores.sql,
        policy=plan.policy,
        centre=plan.centre,
        public_url=settings.surgeline_public_url,
        auth_tokens=settings.auth_tokens,
        secret=settings.secret_key,
        account_sid=settings.twilio_account_sid,
        pacing=plan.pacing,
        redis_breaker=stores.redis_breaker,
        sql_breaker=stores.sql_breaker,
        office=stores.office if plan.callbacks.enabled else None,
        watch=stores.watch,
        toggle_pin_hash=settings.surgeline_toggle_pin_hash,
    )


def rooms_of(stores: Stores) -> Rooms:
    """What the pages and the API reach for."""
    settings, plan = stores.settings, stores.plan
    speed = stores.clock.speed if isinstance(stores.clock, FastClock) else 1.0
    return Rooms(
        clock=stores.clock,
        line=stores.line,
        roster=stores.roster,
        sql=stores.sql,
        redis=stores.redis,
        policy=plan.policy,
        office=stores.office,
        surge=stores.watch,
        pagerduty_secrets=settings.pagerduty_secrets,
        hook_secrets=settings.hook_secrets,
        operations=Backstage(stores),
        secret_key=settings.secret_key,
        public_url=settings.surgeline_public_url,
        centre_name=plan.centre.name,
        time_zone=plan.written.time_zone,
        tiers=tuple(plan.centre.tiers),
        languages=plan.centre.languages,
        breaker=stores.redis_breaker,
        softphone=softphone(settings),
        targets=Targets(answered_pct=plan.target_pct, within_s=plan.within_s),
        speed=speed,
        wall=SystemClock() if isinstance(stores.clock, FastClock) else stores.clock,
        simulated=settings.api_is_loopback,
    )
