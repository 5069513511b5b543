"""The whole product as `surgeline serve` runs it, beside the phone-network double.

Seven real processes on one fast clock. Tests freeze and kill them, and look at line, calls and record.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlmodel import col, select

from drill.network.signing import sign
from foundation.clock import FastClock, SystemClock, monotonic_s
from foundation.connections import Sql, open_redis, open_sql
from foundation.embedded import EmbeddedServer
from foundation.errors import Unavailable
from processes.centre import read_centre
from processes.settings import Settings
from queueing.line import Line
from queueing.policy import LinePolicy
from queueing.records import ContactNow
from queueing.roster import Roster
from queueing.states import ContactState
from queueing.tables import ContactEvent

ROOT = Path(__file__).parents[2]
OURS = "+14155550100"
LOOK_S = 0.05
OUTCOMES = ("ended", "turned_away", "full")
"""The journal's words for what became of a call."""
CENTRE = """
name = "Corner Pay support"
languages = ["en"]
[[queue]]
name = "support"
max_waiting = {max_waiting}
[agents]
ring_seconds = 60
connect_seconds = 60
wrap_up_seconds = 2
max_misses = 10
[announcements]
first_seconds = 10
repeat_seconds = 30
quiet_seconds = 20
more_than = 100
"""
WANTS_A_PERSON = {"presses": [{"when": "without choosing, press", "digits": "0", "times": 3}]}

Question = Callable[[], Awaitable[Any]]


async def until(question: Question, what: str, within_s: float = 30) -> Any:
    """Ask again and again until the answer is true, and give it; an answer of nobody counts as no."""
    end_s = monotonic_s() + within_s
    while True:
        answer = None
        with suppress(Unavailable, RedisError, httpx2.HTTPError):
            answer = await question()
        if answer:
            return answer
        assert monotonic_s() < end_s, f"in {within_s} s it did not come to be that {what}"
        await pause(LOOK_S)


async def pause(s: float) -> None:
    """Let the others work for a moment of real time."""
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), s)


def measured(figures: str) -> None:
    """For whoever reads the run with ``pytest -s``."""
    sys.stdout.write(f"\n{figures}\n")


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class House:
    """One product and one phone network, until ``close``."""

    folder: Path
    speed: float = 10
    max_waiting: int = 1000
    database: str = ""
    more: str = ""
    """More of the centre's file."""
    told: dict[str, str] = field(default_factory=dict)
    """Settings besides our own."""
    hook: str = ""
    """A module that every process imports before anything else."""
    environ: dict[str, str] = field(default_factory=dict)
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        centre = self.folder / "centre.toml"
        centre.write_text(CENTRE.format(max_waiting=self.max_waiting) + self.more)
        product, network = free_port(), free_port()
        self.product, self.double = f"http://127.0.0.1:{product}", f"http://127.0.0.1:{network}"
        self.origin_ms = SystemClock().now_ms()
        self.clock = FastClock(self.speed, self.origin_ms)
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TWILIO_", "SURGELINE_", "REDIS_URL", "DATABASE_URL"))
        }
        self.told |= {
            "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
            "TWILIO_AUTH_TOKEN": "2" * 32,
            "TWILIO_API_KEY_SID": "SK" + "3" * 32,
            "TWILIO_API_KEY_SECRET": "4" * 32,
            "TWILIO_TWIML_APP_SID": "AP" + "5" * 32,
            "TWILIO_NUMBER": OURS,
            "TWILIO_API_BASE_URL": self.double,
            "DATABASE_URL": self.database or f"sqlite:///{self.folder}/surgeline.db",
            "SURGELINE_PUBLIC_URL": self.product,
            "SURGELINE_LISTEN": f"127.0.0.1:{product}",
            "SURGELINE_SECRET_KEY": "6" * 48,
            "SURGELINE_DATA_DIR": str(self.folder / "data"),
            "SURGELINE_CENTRE": str(centre),
            "SURGELINE_CLOCK": f"{self.speed:g}@{self.origin_ms}",
            "SURGELINE_ENV_FILE": "",
        }
        self.environ = clean | self.told | {"SURGELINE_PARENT": str(os.getpid()), "PYTHONPATH": str(ROOT)}
        if self.hook:
            (self.folder / "hook").mkdir()
            (self.folder / "hook" / "sitecustomize.py").write_text(f"import {self.hook}\n")
            self.environ["PYTHONPATH"] = f"{self.folder / 'hook'}{os.pathsep}{ROOT}"
        self.network_port = network
        self.settings = Settings.model_validate({name.lower(): value for name, value in self.told.items()})
        self.redis = EmbeddedServer(self.folder / "data" / "redis", Path(sys.executable))
        self.log = self.folder / "serve.log"

    @property
    def policy(self) -> LinePolicy:
        return read_centre(self.settings.surgeline_centre).policy

    def open(self) -> None:
        settings = self.settings
        words = ["--port", str(self.network_port), "--hook-url", self.product, "--number", OURS]
        words += ["--token", settings.twilio_auth_token, "--account-sid", settings.twilio_account_sid]
        words += ["--key-sid", settings.twilio_api_key_sid, "--key-secret", settings.twilio_api_key_secret]
        words += ["--app-sid", settings.twilio_twiml_app_sid, "--calls-per-second", "5"]
        words += ["--speed", f"{self.speed:g}", "--origin-ms", str(self.origin_ms)]
        self._start(["drill", "double", *words], self.folder / "double.log")
        self._start(["processes", "serve"], self.log)

    def _start(self, words: list[str], log: Path) -> None:
        with log.open("ab") as out:
            argv = [sys.executable, "-P", "-m", *words]
            started = subprocess.Popen(
                argv, cwd=self.folder, env=self.environ, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self.running.append(started)

    def close(self) -> None:
        """End both; whatever a test froze is woken first."""
        for child in reversed(self.running):
            child.terminate()
        for child in reversed(self.running):
            try:
                child.wait(25)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait(10)
        self.running.clear()

    def complaints(self) -> list[dict[str, Any]]:
        """What the product logged as an error, and what no logger caught."""
        found = []
        for line in self.log.read_text("utf-8", "replace").splitlines():
            if line.startswith("Traceback "):
                found.append({"event": line})
            with suppress(ValueError):
                told = json.loads(line)
                if isinstance(told, dict) and told.get("level") in ("error", "critical"):
                    found.append(told)
        return found


@dataclass
class Rig:
    """A test's hands in a house."""

    house: House
    redis: Redis
    sql: Sql
    line: Line
    roster: Roster
    network: httpx2.AsyncClient
    product: httpx2.AsyncClient

    @property
    def clock(self) -> FastClock:
        return self.house.clock

    # --- people ------------------------------------------------------------------------------------

    async def rings(self, number: str = "anonymous", **script: Any) -> str:
        """Somebody rings in and asks for a person; the call's SID."""
        asked = {"from": number, "to": OURS, "script": {**WANTS_A_PERSON, **script}}
        answer = await self.network.post("/_double/calls", json=asked)
        answer.raise_for_status()
        return str(answer.json()["sid"])

    async def works(self, login: str, number: str, **phone: Any) -> None:
        """An agent by telephone, who picks up at once and presses 1, unless ``phone`` says otherwise."""
        behaves = {"answers": True, "after_ms": 1000, "keys": "1", **phone}
        (await self.network.post(f"/_double/phones/{number}", json=behaves)).raise_for_status()
        now_ms = self.clock.now_ms()
        await self.roster.sign_in(login, name=login, skills={"support": 0}, line=number, now_ms=now_ms)
        await self.roster.ready(login, now_ms)

    async def goes_home(self, *logins: str) -> None:
        for login in logins:
            await self.roster.off(login, self.clock.now_ms())

    async def hangs_up(self, *sids: str) -> None:
        for sid in sids:
            await self.network.post(f"/_double/calls/{sid}/hang_up")

    async def call(self, sid: str) -> dict[str, Any]:
        told: dict[str, Any] = (await self.network.get(f"/_double/calls/{sid}")).json()
        return told

    async def calls(self, *, active: bool = True) -> list[dict[str, Any]]:
        listed = await self.network.get("/_double/calls", params={"active": 1} if active else {})
        told: list[dict[str, Any]] = listed.json()["calls"]
        return told

    async def rung(self, number: str) -> int:
        """How often a telephone was rung."""
        return sum(call["to"] == number for call in await self.calls(active=False))

    # --- the network -------------------------------------------------------------------------------

    async def faults(self, *rules: dict[str, Any], seed: int = 0) -> None:
        told = await self.network.post("/_double/faults", json={"seed": seed, "rules": list(rules)})
        told.raise_for_status()

    async def struck(self) -> list[int]:
        """How often each fault in force has befallen something."""
        told = (await self.network.get("/_double/faults")).json()
        return [rule["struck"] for rule in told["rules"]]

    async def violations(self) -> list[str]:
        told = (await self.network.get("/_double/violations")).json()
        return [f"{each['code']} {each['message']} {each['url']}" for each in told["violations"]]

    async def asks(self, path: str, **fields: str) -> httpx2.Response:
        """A webhook of our own, signed as Twilio signs."""
        given = {"AccountSid": self.house.settings.twilio_account_sid, "CallStatus": "in-progress", **fields}
        given = {"Direction": "inbound", "From": "anonymous", "To": OURS, **given}
        signature = sign(self.house.settings.twilio_auth_token, self.house.product + path, given.items())
        headers = {
            "X-Twilio-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        }
        return await self.product.post(path, content=urlencode(given), headers=headers)

    # --- the line ----------------------------------------------------------------------------------

    async def waiting(self) -> list[str]:
        """Who waits, in order."""
        found: list[str] = []
        while page := await self.line.waiting("support", len(found), 1000):
            found += [now.contact for now in page]
        return found

    async def contact(self, sid: str) -> ContactNow:
        now = await self.line.contact(sid)
        assert now is not None
        return now

    async def connected(self, *sids: str) -> bool:
        told = [await self.line.contact(sid) for sid in sids]
        return all(now is not None and now.state is ContactState.CONNECTED for now in told)

    async def wait_in_line(self, sids: Iterable[str], within_s: float = 40) -> None:
        wanted = set(sids)

        async def all_there() -> bool:
            return wanted <= set(await self.waiting())

        await until(all_there, f"{len(wanted)} callers wait", within_s)

    async def ended(self, within_s: float = 60) -> None:
        """All calls are over, and the line knows."""

        async def nobody() -> bool:
            board = await self.line.look(self.clock.now_ms())
            left = sum(queue.waiting for queue in board.queues.values()) + board.reserved + board.connected
            return left == 0 and not await self.calls()

        try:
            await until(nobody, "all calls are over", within_s)
        except AssertionError as late:
            left = [
                {name: told for name, told in call.items() if name != "script"} for call in await self.calls()
            ]
            raise AssertionError(f"{late}: {json.dumps(left)}") from late

    # --- the record --------------------------------------------------------------------------------

    async def written(self, *kinds: str) -> list[ContactEvent]:
        """The record's events of these kinds, oldest first."""
        async with self.sql.reading(statement_s=5) as session:
            wanted = select(ContactEvent).where(col(ContactEvent.kind).in_(kinds))
            return sorted(await session.exec(wanted), key=lambda event: (event.at_ms, event.id))

    async def outcomes(self, sids: Iterable[str], within_s: float = 30) -> Counter[str]:
        """Once every call has an outcome on record: how many of each. Fails when one has two."""
        wanted = set(sids)

        async def all_written() -> list[ContactEvent] | None:
            told = [event for event in await self.written(*OUTCOMES) if event.contact in wanted]
            return told if {event.contact for event in told} == wanted else None

        told: list[ContactEvent] = await until(all_written, f"{len(wanted)} calls have an outcome", within_s)
        counts = Counter(event.contact for event in told)
        assert not (more := {sid: count for sid, count in counts.items() if count > 1}), more
        return Counter(event.fields.get("disposition", event.kind) for event in told)

    async def met(self, sid: str) -> list[str]:
        """The agents this caller has met, by the record."""
        return [event.agent for event in await self.written("connected") if event.contact == sid]

    # --- processes ---------------------------------------------------------------------------------

    async def pid(self, kind: str) -> int:
        """The process id of worker, sweeper or scribe, by its last heartbeat; Redis's by its own word."""
        if kind == "redis":
            return int((await self.redis.info("server"))["process_id"])
        beats: dict[str, str] = await self.redis.hgetall("surgeline:{main}:processes")  # type: ignore[misc]  # redis-py types both clients as one
        mine = [
            (json.loads(told)["at_ms"], int(place.rpartition(":")[2]))
            for place, told in beats.items()
            if place.partition(" ")[0] == kind
        ]
        return max(mine)[1]

    async def kill(self, kind: str) -> None:
        os.kill(await self.pid(kind), signal.SIGKILL)

    async def back(self, kind: str, not_pid: int) -> int:
        """Another process of that kind has taken the dead one's place."""

        async def another() -> int:
            there = await self.pid(kind)
            return there if there != not_pid else 0

        return int(await until(another, f"another {kind} works", 40))


@asynccontextmanager
async def rig_in(house: House) -> AsyncIterator[Rig]:
    redis = open_redis(house.redis.url, timeout_s=5, connect_timeout_s=5)
    sql = open_sql(house.settings.database)
    async with (
        httpx2.AsyncClient(base_url=house.double, timeout=20, trust_env=False) as network,
        httpx2.AsyncClient(base_url=house.product, timeout=20, trust_env=False) as product,
    ):
        rig = Rig(house, redis, sql, Line(redis, house.policy), Roster(redis, house.policy), network, product)

        async def ready() -> bool:
            for child in house.running:
                assert child.poll() is None, house.log.read_text("utf-8")
            there = (await network.get("/healthz")).is_success
            return there and (await product.get("/readyz")).json()["status"] == "ready"

        try:
            await until(ready, "the product is ready", 150)
            yield rig
        finally:
            await redis.aclose()
            await sql.close()
