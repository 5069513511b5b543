"""A dashboard on real stores, with people in every role, and clocks that stand still until told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from callbacks.office import Office
from callbacks.policy import CallbackPolicy
from dashboard.accounts import account_of
from dashboard.app import Rooms, Softphone, pages
from dashboard.auth import COOKIE
from dashboard.sessions import Seals
from foundation.clock import ManualClock
from queueing.line import Card, Line
from queueing.policy import LinePolicy, Queue
from queueing.roster import Roster
from queueing.tables import AgentAccount
from surge.office import Watch
from surge.policy import SurgePolicy
from tests.pages.owing import Owing

if TYPE_CHECKING:
    from fastapi import FastAPI
    from httpx2 import AsyncClient
    from redis.asyncio import Redis

    from foundation.connections import Sql

SECRET = "a secret key of the tests, long enough"
PASSWORD = "correct horse battery"
PEOPLE = {"agent1": "agent", "agent2": "agent", "lead1": "lead", "super1": "supervisor", "admin1": "admin"}
CALLER = "+14155554471"


@pytest.fixture(scope="session")
def password_hash() -> str:
    from pwdlib import PasswordHash

    return PasswordHash.recommended().hash(PASSWORD)


@pytest.fixture
def wall() -> ManualClock:
    """People's time: sessions, links, the age of what is shown."""
    return ManualClock(1_700_000_000_000)


@pytest.fixture
async def rooms(
    redis: Redis, sql: Sql, clock: ManualClock, wall: ManualClock, password_hash: str, tmp_path: Path
) -> Rooms:
    policy = LinePolicy(queues=(Queue("support"), Queue("billing")))
    async with sql.session() as session:
        for agent, role in PEOPLE.items():
            session.add(
                AgentAccount(
                    agent=agent,
                    name=f"{role.capitalize()} {agent[-1]}",
                    role=role,
                    password_hash=password_hash,
                    skills={"support": 0},
                    phone="+14155550177" if agent == "agent2" else "",
                    active=True,
                )
            )
    line = Line(redis, policy)
    return Rooms(
        clock=clock,
        wall=wall,
        line=line,
        office=Office(
            sql=sql,
            redis=redis,
            line=line,
            keys=line.keys,
            clock=clock,
            policy=CallbackPolicy(),
            hours=None,
            time_zone="America/New_York",
            public_url="http://desk.test",
            centre_name="Shop support",
            secret=SECRET,
        ),
        surge=Watch(
            sql=sql,
            redis=redis,
            line=line,
            keys=line.keys,
            clock=clock,
            policy=SurgePolicy(),
            hours=None,
            time_zone="America/New_York",
            languages=("en", "es"),
            centre_name="Shop support",
            public_url="http://desk.test",
            ours=("+14155550199",),
            data_dir=tmp_path,
            secret=SECRET,
        ),
        roster=Roster(redis, policy),
        sql=sql,
        redis=redis,
        policy=policy,
        secret_key=SECRET,
        public_url="http://desk.test",
        softphone=Softphone("double", lambda agent: f"token-for-{agent}", "http://127.0.0.1:8081"),
    )


@pytest.fixture
def web(rooms: Rooms) -> FastAPI:
    from fastapi import FastAPI

    app = FastAPI(openapi_url=None)
    app.include_router(pages(rooms))
    return app


SignIn = Callable[..., Awaitable["AsyncClient"]]


@pytest.fixture
async def sign_in(web: FastAPI, rooms: Rooms, wall: ManualClock) -> AsyncIterator[SignIn]:
    """``await sign_in("agent1")``: a browser in which agent1 is signed in; ``sign_in(None)``: nobody.

    Its ``csrf`` header is set unless ``csrf=False``.
    """
    from httpx2 import ASGITransport, AsyncClient

    seals = Seals(SECRET)
    async with AsyncExitStack() as stack:

        async def enter(agent: str | None, *, csrf: bool = True) -> AsyncClient:
            browser = AsyncClient(
                transport=ASGITransport(app=web, raise_app_exceptions=False), base_url="http://desk.test"
            )
            await stack.enter_async_context(browser)
            if agent is not None:
                async with rooms.sql.reading() as session:
                    row = await session.get(AgentAccount, agent)
                assert row is not None
                session_of = seals.begin(agent, account_of(row).stamp, wall.now_ms())
                browser.cookies.set(COOKIE, seals.seal(session_of), domain="desk.test", path="/")
                if csrf:
                    browser.headers["X-CSRF-Token"] = seals.csrf(session_of)
            return browser

        yield enter


@pytest.fixture
def ring_in(rooms: Rooms, clock: ManualClock) -> Callable[..., Awaitable[str]]:
    """``await ring_in("CA1")``: a merchant enters the line; gives the contact's id."""

    async def ring(
        contact: str, *, queue: str = "support", band: str = "p2", merchant: str = "Corner Bakery"
    ) -> str:
        card = Card(
            caller=CALLER, merchant_id=7, merchant=merchant, location="Main Street", tier="gold", topic="till"
        )
        await rooms.line.enter(contact, queue=queue, band=band, card=card, now_ms=clock.now_ms())
        return contact

    return ring


@pytest.fixture
def owing(rooms: Rooms) -> Owing:
    """``await owing.owe(1)``: a promise in the record and in line."""
    return Owing(rooms.office)
