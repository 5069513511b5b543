"""The phone-network double: Twilio's REST operations, a strict TwiML caller, and a phone page, in one app.

``network`` makes the app on any clock; ``serve`` runs it on loopback. It knows the product by its public
URL only, and the product knows it by its API base URL only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from drill.network import rest
from drill.network.control import Control
from drill.network.exchange import API_VERSION, Account, Exchange
from drill.network.faults import Faults
from drill.network.ledger import Ledger
from drill.network.phone_page import page_routes
from drill.network.recordings import Media
from drill.network.rest import accounts, calls, conferences, messages, queues
from drill.network.rest.door import RAW_SEND, Door
from drill.network.switchboard import Switchboard
from drill.network.timekeeping import settle
from drill.network.webhooks import Client, Courier, is_loopback
from foundation.clock import Clock
from foundation.errors import Mendable

LOOPBACK_ORIGIN = r"https?://(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?"
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]
API_ROOTS = (API_VERSION, "v1", "v2")
"""Where Twilio's APIs begin. Only the first is acted out; asking the others is noted."""
OUR_NUMBER = "+14155550100"
OPERATIONS = (rest, accounts, calls, conferences, messages, queues)
"""Imported so that the door knows their operations."""


class Network:
    """The app, and what tests and the drill reach for: ``exchange``, ``switchboard``, ``settle``."""

    def __init__(self, exchange: Exchange, switchboard: Switchboard, app: Starlette) -> None:
        self.exchange = exchange
        self.switchboard = switchboard
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[RAW_SEND] = send
        await self.app(scope, receive, send)

    async def settle(self) -> None:
        """Let everything happen that needs no time to pass."""
        await settle(self.exchange)

    async def close(self) -> None:
        """Stop every call and close the connections."""
        await self.exchange.courier.close()


def network(
    clock: Clock,
    hook_url: str,
    account: Account,
    *,
    numbers: tuple[str, ...] = (OUR_NUMBER,),
    calls_per_second: float = 1.0,
    strict: bool = True,
    base_url: str = "",
    wall: Clock | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
    client: Client | None = None,
    allow_remote: bool = False,
) -> Network:
    """The double on ``clock``, ringing in at the product's ``hook_url``.

    ``wall`` measures the webhooks' time limit and tokens' age where the clock runs faster than the
    product can (default: the clock itself). ``transport`` carries webhooks (tests: the product in-process),
    or a ``client`` of the caller's does.
    Raises Mendable when the hook is not on this machine and ``allow_remote`` was not said.
    """
    host = httpx2.URL(hook_url).host
    if not allow_remote and not is_loopback(host):
        raise Mendable(f"the double only rings a product on this machine, not {host or hook_url!r}")
    ledger = Ledger()
    client = client or httpx2.AsyncClient(
        transport=transport,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # a call keeps its own, no two share any
        follow_redirects=False,
        timeout=httpx2.Timeout(60, connect=5, pool=None),
        limits=httpx2.Limits(max_connections=1000, max_keepalive_connections=200, keepalive_expiry=2),
    )
    courier = Courier(
        client, account.token, clock, wall or clock, ledger, Faults(), allow_remote=allow_remote
    )
    exchange = Exchange(clock, account, courier, ledger)
    exchange.strict = strict
    exchange.base_url = base_url.rstrip("/")
    switchboard = Switchboard(exchange, hook_url, calls_per_second)
    for number in numbers:
        switchboard.own_number(number)
    app = _app(exchange, switchboard, wall or clock, allow_remote)
    return Network(exchange, switchboard, app)


def _app(exchange: Exchange, switchboard: Switchboard, wall: Clock, allow_remote: bool) -> Starlette:
    door = Door(exchange, switchboard)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await exchange.courier.close()

    async def health(request: object) -> Response:
        return Response("ok", media_type="text/plain")

    routes = [
        *Control(exchange, switchboard, wall, allow_remote).routes(),
        *page_routes(),
        Route("/healthz", health),
        Route(
            "/2010-04-01/Accounts/{account}/Recordings/{file}", Media(exchange, door).answer, methods=["GET"]
        ),
        *[Route(f"/{root}/{{rest:path}}", door.answer, methods=METHODS) for root in API_ROOTS],
    ]
    cors = Middleware(
        CORSMiddleware,
        allow_origin_regex=LOOPBACK_ORIGIN,
        allow_methods=["GET", "POST", "DELETE"],
        allow_headers=["Content-Type", "Last-Event-ID"],
    )
    return Starlette(routes=routes, middleware=[cors], lifespan=lifespan)


def serve(app: Network, port: int, host: str = "127.0.0.1", *, allow_remote: bool = False) -> None:
    """Run until told to stop. Raises Mendable for a host that is not loopback, unless allowed."""
    if not allow_remote and not is_loopback(host):
        raise Mendable(f"the double only listens on this machine, not on {host}")
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,  # longer than a client keeps one: none is closed under a POST
    )
    uvicorn.Server(config).run()
