"""A support line at work on one machine: the real product, a phone network of its own, and people to ring.

The product is started as ``serve`` starts it. The phone network (``drill.double``) and the people
(``drill.actors``) are programs beside it, reached by HTTP only: so the demo is what a real set-up is, with
Twilio's place taken. Nothing leaves this machine, and nothing of a real set-up is touched.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import structlog

import processes
from foundation.clock import SystemClock, monotonic_s
from foundation.embedded import EmbeddedServer, find_server
from foundation.errors import Mendable, SurgelineError
from processes import rehearsed
from processes.children import Children, Program, ours
from processes.embedding import keep
from processes.logs import start_logging
from processes.settings import Settings, read

if TYPE_CHECKING:
    from processes.cast import Cast

HOST = "127.0.0.1"
READY_S = 120.0
NUMBER = "+14155550100"
CENTRE = "centre.toml"
MERCHANTS = "merchants.csv"
CALM_RATE = 6.0
USUAL_PER_AGENT = 0.25
"""Calls a minute: an agent can serve about 0.36, so they are busy for seven minutes of ten …"""
BAD_PER_AGENT = 2.0
"""… and this is more than five times what they can serve."""
EXAMPLES = Path(processes.__file__).parent.parent / "examples"

log = structlog.get_logger(__name__)


class CannotStart(SurgelineError):
    """The demo cannot start here."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the demo is to run. ``rate`` is calls a minute on the rehearsed clock, on a bad Saturday at its
    worst; None: as is usual for the kind of day."""

    port: int = 8080
    seed: int = 1
    speed: float = 1.0
    rate: float | None = None
    agents: int = 12
    simulated: bool = False
    calm: bool = False
    """An ordinary line, without the bad Saturday."""

    @property
    def worst(self) -> float:
        """Calls a minute, at the most."""
        if self.rate is not None:
            return self.rate
        return CALM_RATE if self.calm else self.agents * BAD_PER_AGENT

    @property
    def usual(self) -> float:
        """Calls a minute on any other day, and until it goes wrong."""
        return self.worst if self.calm else min(self.worst, self.agents * USUAL_PER_AGENT)

    @property
    def product(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def double(self) -> str:
        return f"http://{HOST}:{self.port + 1}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A demo whose programs are starting."""

    wishes: Wishes
    settings: Settings
    server: EmbeddedServer
    data_dir: Path
    double: Children
    product: Children
    begun_s: float

    @property
    def logs(self) -> Path:
        return self.data_dir / "logs"


@dataclass(frozen=True, slots=True)
class Stage:
    """A demo that runs: its people, and how long it took to come up."""

    cast: Cast
    ready_s: float
    actors: Children


def run(wishes: Wishes, for_: str | None, as_json: bool) -> int:
    """Run until Ctrl-C, or headless for so long; the exit code.

    Raises Mendable when it is not meant to run here, CannotStart when it cannot.
    """
    seconds = duration_s(for_) if for_ is not None else None
    refuse_beside_a_real_account(wishes)
    check_ports(wishes)
    prepared = _prepare(wishes, quiet=seconds is not None)
    try:
        return asyncio.run(_play(prepared, seconds, as_json))
    except Stopped:
        return 1
    finally:
        prepared.server.stop()


class Stopped(SurgelineError):
    """Told to stop before it was ready."""


def duration_s(text: str) -> float:
    """ "30s", "5m" or plain seconds. Raises Mendable for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|)", text.strip())
    if not found:
        raise Mendable(f"--for {text}: write it as 30s or 5m.")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def refuse_beside_a_real_account(wishes: Wishes) -> None:
    """Raises Mendable when a Twilio token is set: somebody may think the demo's calls are real ones."""
    if read().settings.twilio_auth_token and not wishes.simulated:
        raise Mendable(
            "TWILIO_AUTH_TOKEN is set, and the demo is only a simulation: it would not use it. "
            "Add --simulated if that is what you want, or start the real thing with `surgeline serve`."
        )


def check_ports(wishes: Wishes) -> None:
    """Raises CannotStart naming the port that is taken."""
    for port in (wishes.port, wishes.port + 1):
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                raise CannotStart(
                    f"Port {port} is in use (the demo needs {wishes.port} and {wishes.port + 1}). "
                    f"Choose another: surgeline demo --port {wishes.port + 10}"
                ) from None


def environment(wishes: Wishes, data_dir: Path, origin_ms: int) -> dict[str, str]:
    """What the demo's programs are told: all of it made up here, nothing of a real set-up passed on."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TWILIO_", "SURGELINE_", "REDIS_URL", "DATABASE_URL"))
    }
    return environ | {
        "TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_API_KEY_SID": f"SK{secrets.token_hex(16)}",
        "TWILIO_API_KEY_SECRET": secrets.token_hex(16),
        "TWILIO_TWIML_APP_SID": f"AP{secrets.token_hex(16)}",
        "TWILIO_NUMBER": NUMBER,
        "TWILIO_API_BASE_URL": wishes.double,
        "DATABASE_URL": f"sqlite:///{data_dir.absolute()}/surgeline.db",
        "SURGELINE_PUBLIC_URL": wishes.product,
        "SURGELINE_LISTEN": f"{HOST}:{wishes.port}",
        "SURGELINE_SECRET_KEY": secrets.token_urlsafe(48),
        "SURGELINE_DATA_DIR": str(data_dir.absolute()),
        "SURGELINE_CENTRE": str(data_dir.absolute() / CENTRE),
        "SURGELINE_CLOCK": f"{wishes.speed:g}@{origin_ms}",
        "SURGELINE_ENV_FILE": "",
    }


def network(wishes: Wishes, settings: Settings, logs: Path) -> Program:
    """The phone network. It ends first: nobody rings a product that is going away."""
    speed, _, origin_ms = settings.surgeline_clock.partition("@")
    words = [
        *("--port", str(wishes.port + 1)),
        *("--hook-url", settings.surgeline_public_url),
        *("--token", settings.twilio_auth_token),
        *("--account-sid", settings.twilio_account_sid),
        *("--key-sid", settings.twilio_api_key_sid),
        *("--key-secret", settings.twilio_api_key_secret),
        *("--app-sid", settings.twilio_twiml_app_sid),
        *("--number", NUMBER),
        *("--speed", speed),
        *("--origin-ms", origin_ms),
    ]
    return ours("double", *words, stage=-1, log_file=logs / "double.log")


def people(wishes: Wishes, settings: Settings, roster: Path, logs: Path) -> Program:
    """The simulated merchants and agents."""
    speed, _, origin_ms = settings.surgeline_clock.partition("@")
    argv = [sys.executable, "-m", "drill.actors", "--product", wishes.product, "--double", wishes.double]
    argv += ["--roster", str(roster), "--merchants", str(roster.parent / MERCHANTS), "--number", NUMBER]
    argv += ["--seed", str(wishes.seed), "--rate", f"{wishes.worst:g}", "--report", str(logs / "actors.json")]
    argv += ["--speed", speed, "--origin-ms", origin_ms]
    if not wishes.calm:
        argv += ["--usual", f"{wishes.usual:g}"]
    if wishes.worst == 0:  # nobody but the person at the keyboard
        argv += ["--opening", "0"]
    return Program("actors", tuple(argv), log_file=logs / "actors.log")


def _prepare(wishes: Wishes, *, quiet: bool) -> Prepared:
    """Everything up to the first event loop: an empty Redis and database, and the programs started.

    In this order, because importing is most of what a start costs: the phone network and the web come up
    while we import what the others need. A fork may only be made while there is no loop and no thread.
    """
    begun_s = monotonic_s()
    if not quiet:
        print("Starting a simulated support line…", flush=True)
    found = read().settings
    data_dir = (found.surgeline_data_dir / "demo" / str(wishes.port)).absolute()
    server = EmbeddedServer(data_dir / "redis", find_server(found.surgeline_redis_server or None))
    logs = _emptied(data_dir, server)
    rehearsed.write_centre(EXAMPLES / CENTRE, data_dir / CENTRE)
    rehearsed.write_merchants(EXAMPLES / MERCHANTS, data_dir / MERCHANTS, wishes.seed)
    environ = environment(wishes, data_dir, SystemClock().now_ms())
    os.environ.clear()
    os.environ.update(environ)
    settings = read().settings.refuse_unsafe()
    os.environ["REDIS_URL"] = server.start()
    double = Children([network(wishes, settings, logs)], os.environ)
    double.launch()
    from processes import migrating
    from processes.serve import programs

    product = Children(programs(settings, logs), os.environ)
    product.launch("web")
    migrating.upgrade(settings.database)
    product.launch()
    return Prepared(wishes, settings, server, data_dir, double, product, begun_s)


async def _play(prepared: Prepared, seconds: float | None, as_json: bool) -> int:
    from processes import panel, verdict

    wishes, stop = prepared.wishes, asyncio.Event()
    for which in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(which, stop.set)
    async with _staged(prepared, stop) as stage:
        if seconds is None:
            panel.show(stage.cast, wishes, stage.ready_s, prepared.logs)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
        if seconds is None:
            print("\nEnding the demo…", flush=True)
            return 0
        await stage.actors.stop()
        outcome = await verdict.judge(prepared.settings, wishes.product, wishes.double, prepared.logs)
    outcome |= {"seed": wishes.seed, "speed": wishes.speed, "ready_s": round(stage.ready_s, 2)}
    print(verdict.told(outcome, as_json))
    return 0 if outcome["lost"] == 0 and outcome["errors"] == 0 else 1


@asynccontextmanager
async def _staged(prepared: Prepared, stop: asyncio.Event) -> AsyncIterator[Stage]:
    """The whole demo, running; ended in order when the block ends, however it ends."""
    from processes.books import books
    from processes.cast import engage
    from processes.centre import read_centre
    from processes.earlier import write_weeks

    wishes, settings, logs = prepared.wishes, prepared.settings, prepared.logs
    async with AsyncExitStack() as stack:
        written = stack.enter_context((logs / "demo.log").open("w", encoding="utf-8"))
        start_logging("info", "demo", stream=written)
        keeping = asyncio.create_task(keep(prepared.server))
        stack.callback(keeping.cancel)
        for children in (prepared.product, prepared.double):
            stack.push_async_callback(children.stop)
            await children.watch()
        plan = read_centre(settings.surgeline_centre)
        queues = [queue.name for queue in plan.policy.queues]
        merchants = (prepared.data_dir / MERCHANTS).read_bytes()
        cast = await engage(settings, wishes.agents, queues, merchants, bad_day=not wishes.calm)
        if not wishes.calm:
            topics = {topic.id: topic.queue for topic in plan.centre.topics}
            async with books(settings) as sql:
                now_ms = settings.clock.now_ms()
                await write_weeks(sql, now_ms, wishes.usual, topics, cast.agents, wishes.seed)
        cast.hand_out(prepared.data_dir / "roster.json")
        await _ready(prepared, stop)
        roster = prepared.data_dir / "roster.json"
        actors = Children([people(wishes, settings, roster, logs)], os.environ)
        stack.push_async_callback(actors.stop)
        await actors.watch()
        yield Stage(cast, monotonic_s() - prepared.begun_s, actors)


def _emptied(data_dir: Path, server: EmbeddedServer) -> Path:
    """The demo's folder without what an earlier demo left, and the folder for its logs.

    Raises Mendable when another demo is using it.
    """
    if server.socket_path.exists():
        server.start()  # refuses when it has another owner; takes over what a crash left behind
        server.stop()
    shutil.rmtree(data_dir, ignore_errors=True)
    logs = data_dir / "logs"
    logs.mkdir(parents=True)
    return logs


async def _ready(prepared: Prepared, stop: asyncio.Event) -> None:
    """Return once all parts answer. Raises CannotStart when one cannot, Stopped when told to stop."""
    wishes, logs = prepared.wishes, prepared.logs
    deadline_s = monotonic_s() + READY_S
    told: dict[str, Any] = {}
    async with httpx2.AsyncClient(timeout=2.0) as client:
        while monotonic_s() < deadline_s:
            if stop.is_set():
                raise Stopped
            if prepared.product.failed.is_set() or prepared.double.failed.is_set():
                raise CannotStart(f"A part of the demo cannot run; its last words are in {logs}.")
            with contextlib.suppress(httpx2.HTTPError, ValueError):
                told = (await client.get(f"{wishes.product}/readyz")).json()
                there = (await client.get(f"{wishes.double}/_double/stats")).is_success
                if told.get("status") == "ready" and there:
                    return
            await SystemClock().sleep(50)
    missing = [name for name, part in told.get("parts", {}).items() if part.get("state") != "ok"]
    waited_for = ", ".join(missing) or "the web"
    raise CannotStart(f"Not ready after {READY_S:g} s (waiting for {waited_for}); see {logs}.")
