"""The dashboard as a browser meets it: a real server on loopback, real Redis, SQLite, the wall clock; and a
stand-in for the phone network that only does what the desk's softphone asks of it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from sqlmodel import SQLModel

from callbacks.office import Office
from callbacks.policy import CallbackPolicy
from callbacks.turns import promise_of
from dashboard.accounts import Accounts
from dashboard.app import Rooms, Softphone, pages
from dashboard.sessions import screen_link, sign_in_link
from foundation.clock import SystemClock
from foundation.connections import Sql, open_redis, open_sql
from merchants.directory import import_csv
from queueing.line import Card, Line
from queueing.policy import LinePolicy, Queue
from queueing.records import Outcome
from queueing.roster import Roster
from queueing.states import Disposition
from queueing.tables import AgentAccount, Contact, ContactEvent, VoiceMessage
from surge.office import Watch
from surge.policy import SurgePolicy
from tests.pages.outage import Outage
from tests.pages.owing import Owing, Work, past_promises

T = TypeVar("T")
SECRET = "a secret key of the tests, long enough"
PASSWORD = "correct horse battery"
MERCHANTS = """name,tier,numbers,locations,product,language
Corner Bakery,gold,+1 415 555 0101;+1 415 555 0102,Main Street;Harbour,till,en
Taqueria Luna,silver,+1 415 555 0103,,till,es
Night Owl Diner,standard,+1 415 555 0104,Depot,handheld,en
Bay Books,standard,+1 415 555 0105,,terminal,en
"""


class House:
    """Everything a page needs, running in a thread of its own. Ask it to ``do`` things on its loop."""

    def __init__(self, redis_url: str, folder: Path, softphone: str = "double") -> None:
        self._redis_url, self._folder, self._softphone = redis_url, folder, softphone
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.clock = SystemClock()
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.legs: dict[str, str] = {}

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    def start(self) -> None:
        self._thread.start()
        self.do(self._open())

    def stop(self) -> None:
        self.do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        self.redis = open_redis(self._redis_url, timeout_s=5.0, connect_timeout_s=5.0)
        await self.redis.flushall()
        self.sql: Sql = open_sql(f"sqlite:///{self._folder}/pages.sqlite3")
        async with self.sql.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        self.policy = LinePolicy(
            queues=(Queue("support"), Queue("billing")), ring_ms=60_000, wrap_up_ms=60_000
        )
        line = Line(self.redis, self.policy)
        self.office = Office(
            sql=self.sql,
            redis=self.redis,
            line=line,
            keys=line.keys,
            clock=self.clock,
            policy=CallbackPolicy(quiet_from="00:00", quiet_to="00:00"),
            hours=None,
            time_zone="UTC",
            public_url=self.url,
            centre_name="Shop support",
            secret=SECRET,
        )
        self.surge = Watch(
            sql=self.sql,
            redis=self.redis,
            line=line,
            keys=line.keys,
            clock=self.clock,
            policy=SurgePolicy(),
            hours=None,
            time_zone="UTC",
            languages=("en", "es"),
            centre_name="Shop support",
            public_url=self.url,
            data_dir=self._folder,
            secret=SECRET,
        )
        self.owing = Owing(self.office)
        self.operations = Work()
        self.outage = Outage(self.surge)
        self.rooms = Rooms(
            clock=self.clock,
            line=line,
            office=self.office,
            surge=self.surge,
            operations=self.operations,
            roster=Roster(self.redis, self.policy),
            sql=self.sql,
            redis=self.redis,
            policy=self.policy,
            secret_key=SECRET,
            public_url=self.url,
            centre_name="Shop support",
            softphone=self._telephone(),
            simulated=True,
        )
        app = FastAPI(openapi_url=None)
        app.include_router(self._network())
        app.include_router(pages(self.rooms))
        self.server = uvicorn.Server(
            uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        )
        self._serving = asyncio.ensure_future(self.server.serve([self.socket]))
        while not self.server.started:
            await self.clock.sleep(5)

    def _telephone(self) -> Softphone:
        if self._softphone == "twilio":
            return Softphone("twilio", lambda agent: f"token-for-{agent}")
        return Softphone("double", lambda agent: f"token-for-{agent}", self.url)

    async def _close(self) -> None:
        self.server.should_exit = True
        await self._serving
        await self.redis.aclose()
        await self.sql.close()

    # -- a stand-in for the phone network -------------------------------------------------------------

    def _network(self) -> APIRouter:
        router = APIRouter(prefix="/_double")

        @router.post("/clients/connect")
        async def connect(request: Request) -> JSONResponse:
            asked = await request.json()
            contact = asked["params"]["contact"]
            sid = f"CAleg{len(self.legs)}"
            self.legs[sid] = contact
            if promise_of(contact):  # the merchant's phone rings; ``picks_up`` says when it no longer does
                return JSONResponse({"sid": sid})
            met = await self.rooms.line.connect(contact, self.clock.now_ms())
            assert met in (Outcome.DONE, Outcome.ALREADY), met
            return JSONResponse({"sid": sid})

        @router.get("/calls/{sid}/events")
        async def events(sid: str) -> StreamingResponse:
            async def told() -> Any:
                yield b'data: {"at_ms": 1, "kind": "say", "text": "You are connected to the merchant."}\n\n'
                yield b'data: {"at_ms": 2, "kind": "speak", "text": "Hello, our tills are frozen."}\n\n'
                while await self._talking(sid):
                    yield b": still here\n\n"

            return StreamingResponse(told(), media_type="text/event-stream")

        @router.post("/calls/{sid}/hang_up")
        async def hang_up(sid: str) -> Response:
            contact = self.legs.pop(sid, None)
            if contact:
                await self.rooms.line.finish(contact, self.clock.now_ms())
            return Response(status_code=204)

        return router

    async def _talking(self, sid: str) -> bool:
        await self.clock.sleep(200)
        return sid in self.legs

    # -- what tests ask of it ---------------------------------------------------------------------------

    def sign_in_link(self, agent: str) -> str:
        return sign_in_link(SECRET, self.url, agent, self.clock.now_ms())

    def screen_link(self) -> str:
        return screen_link(SECRET, self.url)

    def empty_line(self) -> None:
        self.legs.clear()
        self.do(self.redis.flushall())
        self.do(self.owing.clear())

    def ring_in(
        self, contact: str, merchant: str = "Corner Bakery", queue: str = "support", ago_s: int = 0
    ) -> None:
        card = Card(
            caller="+14155550101",
            merchant_id=1,
            merchant=merchant,
            location="Main Street",
            tier="gold",
            product="till",
            topic="Till is frozen",
        )
        now_ms = self.clock.now_ms() - ago_s * 1000
        self.do(self.rooms.line.enter(contact, queue=queue, band="p2", card=card, now_ms=now_ms))

    def caller_hangs_up(self, contact: str) -> None:
        self.do(self.rooms.line.leave(contact, Disposition.ABANDONED, self.clock.now_ms()))

    def presence(self, agent: str) -> str:
        now = self.do(self.rooms.roster.agent(agent))
        return now.presence.value if now else "off"

    # -- people and history -----------------------------------------------------------------------------

    def furnish(self) -> None:
        self.do(self._furnish())

    async def _furnish(self) -> None:
        accounts = Accounts(self.sql)
        added = await accounts.add(
            agent="agent1", name="Agent 1", role="agent", password=PASSWORD, phone="", skills={"support": 0}
        )
        others = [
            ("agent2", "Agent 2", "agent", "+14155550177", {"support": 0, "billing": 30_000}),
            ("lead1", "Lead 1", "lead", "", {}),
            ("super1", "Supervisor 1", "supervisor", "", {}),
            ("admin1", "Admin 1", "admin", "", {"billing": 0}),
        ]
        async with self.sql.session() as session:
            for agent, name, role, phone, skills in others:
                session.add(
                    AgentAccount(
                        agent=agent,
                        name=name,
                        role=role,
                        password_hash=added.password_hash,
                        skills=skills,
                        phone=phone,
                        active=True,
                    )
                )
            await import_csv(
                session, MERCHANTS, normalise=lambda raw: "+" + "".join(filter(str.isdigit, raw))
            )
            session.add_all(self._history())
            session.add_all(past_promises(self.clock.now_ms()))

    def _history(self) -> list[SQLModel]:
        now_ms = self.clock.now_ms()
        names = ["Corner Bakery", "Taqueria Luna", "Night Owl Diner", "Bay Books"]
        rows: list[SQLModel] = []
        for i in range(260):
            entered = now_ms - i * 340_000 - (i % 7) * 20_000
            ends = "abandoned" if i % 9 == 4 else "message" if i % 31 == 7 else "answered"
            wait = (4 if i % 18 == 4 else 12 + (i * 37) % 55) * 1000
            answered = entered + wait if ends == "answered" else None
            rows.append(
                Contact(
                    contact=f"CApast{i}",
                    queue="billing" if i % 4 == 3 else "support",
                    band="p2",
                    merchant_id=1 + i % 4,
                    merchant=names[i % 4],
                    location="Main Street" if i % 4 == 0 else "",
                    tier="gold" if i % 4 == 0 else "standard",
                    product="till",
                    topic=["Till is frozen", "Payout", "New device"][i % 3],
                    language="en",
                    caller=f"+1415555010{1 + i % 4}",
                    entered_ms=entered,
                    answered_ms=answered,
                    ended_ms=(answered or entered + wait) + (180_000 + i * 700 if answered else 0),
                    disposition=ends,
                    agent="agent1" if answered else "",
                    outcome="resolved" if answered else "",
                    handling_ms=200_000 + i * 700 if answered else 0,
                    told_at_ms=entered + 2_000,
                    told_low_min=i % 3 // 2,
                    told_high_min=1 + i % 3 // 2,
                    note="Restarted the till together; it sells again." if i == 4 else "",
                )
            )
        for place, (kind, agent) in enumerate(
            [
                ("entered", ""),
                ("told", ""),
                ("reserved", "agent1"),
                ("accepted", "agent1"),
                ("connected", "agent1"),
                ("ended", "agent1"),
                ("note", "agent1"),
            ]
        ):
            rows.append(
                ContactEvent(
                    id=f"{place}-0",
                    contact="CApast4",
                    kind=kind,
                    at_ms=now_ms - 1_400_000 + place * 9_000,
                    agent=agent,
                    queue="support",
                    fields={"disposition": "answered"} if kind == "ended" else {},
                )
            )
        rows += [
            VoiceMessage(
                id="m1",
                contact="CAm1",
                at_ms=now_ms - 7_200_000,
                caller="+14155550104",
                merchant="Night Owl Diner",
                length_s=47,
                url="https://api.example/rec/1",
            ),
            VoiceMessage(
                id="m2", contact="CAm2", at_ms=now_ms - 3_600_000, caller="", merchant="", length_s=12, url=""
            ),
        ]
        return rows
