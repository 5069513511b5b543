"""What the tests stand on: a real Valkey, a real SQL database, a clock that moves when told.

Nothing heavy is imported here: a test of a deciding module pays for no store. Every pytest process (an
xdist worker is one) has its own server on its own unix socket, started when first asked for.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

# A busy machine makes an example slow, not wrong.
settings.register_profile("surgeline", deadline=None)
settings.load_profile("surgeline")

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from foundation.clock import ManualClock
    from foundation.connections import Sql

START_MS = 1_700_000_000_000
"""Where a test's clock stands at first: 2023-11-14 22:13:20 UTC."""


@pytest.fixture
def clock() -> ManualClock:
    from foundation.clock import ManualClock

    return ManualClock(START_MS)


# --- Redis ------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of this process's own server. It keeps nothing on disk and dies with the tests."""
    from foundation.embedded import find_server

    folder = tempfile.mkdtemp(prefix="surgeline-test-")
    path = f"{folder}/redis.sock"
    command = [str(find_server(None)), "--port", "0", "--unixsocket", path, "--dir", folder]
    command += ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        stack.callback(_end, server, signal.SIGKILL)
        _await_ready(server)
        yield f"unix://{path}?db=0"


def _await_ready(server: subprocess.Popen[bytes]) -> None:
    """Return once the server says on its output that it is ready; read the rest away in the background."""
    assert server.stdout is not None
    told = []
    for line in server.stdout:
        told.append(line.decode(errors="replace"))
        if "ready to accept connections" in told[-1].lower():
            break
    else:
        raise RuntimeError("a server for the tests did not start:\n" + "".join(told))
    threading.Thread(target=server.stdout.read, daemon=True).start()


def _end(server: subprocess.Popen[bytes], with_signal: signal.Signals) -> None:
    server.send_signal(with_signal)
    server.wait(10)
    assert server.stdout is not None
    server.stdout.close()


@pytest.fixture
async def redis(redis_server: str) -> AsyncIterator[Redis]:
    """An empty store, reached as the product reaches it (but with time for a busy machine)."""
    from foundation.connections import open_redis

    client = open_redis(redis_server, timeout_s=5.0, connect_timeout_s=5.0)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def redis_keys_left(redis: Redis) -> Callable[[], Awaitable[list[str]]]:
    """``await redis_keys_left()``: the names of all keys in the store, sorted. What should be gone, is it?"""

    async def keys() -> list[str]:
        return sorted([key async for key in redis.scan_iter(count=1000)])

    return keys


# --- SQL --------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def patient_sql(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine makes a session long, not wrong. A file about deadlines overrides this with nothing."""
    if "foundation.sql" in sys.modules:
        monkeypatch.setattr("foundation.sql.SESSION_STATEMENTS", 30)


@pytest.fixture
async def sql(tmp_path: Path) -> AsyncIterator[Sql]:
    """A new SQLite database with the tables of every module the test has imported so far."""
    from sqlmodel import SQLModel

    from foundation.connections import open_sql

    opened = open_sql(f"sqlite:///{tmp_path}/surgeline.sqlite3")
    async with opened.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield opened
    await opened.close()


def _postgres_programs() -> Path | None:
    """The folder of initdb and postgres, or None."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((f for f in folders if (f / "initdb").exists() and (f / "postgres").exists()), None)


def _postgres_user() -> int | None:
    """Who runs it: PostgreSQL refuses to be root, so root hands it to the user ``postgres``."""
    return None if os.geteuid() != 0 else pwd.getpwnam("postgres").pw_uid


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a private PostgreSQL for this process. Skips where none is installed."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL (initdb, postgres) is not installed")
    try:
        user = _postgres_user()
    except KeyError:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip("PostgreSQL refuses to run as root and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="surgeline-pg-"))
    if user is not None:
        os.chown(folder, user, -1)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        initdb: list[str | Path] = [
            programs / "initdb",
            "-D",
            folder / "data",
            "-U",
            "surgeline",
            "--auth=trust",
            "-E",
            "UTF8",
        ]
        subprocess.run(
            [*initdb, "--no-sync", "--no-locale"], check=True, cwd=folder, capture_output=True, user=user
        )
        options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=40"]
        server = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, *options],
            cwd=folder,
            user=user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        stack.callback(_end, server, signal.SIGINT)  # a fast shutdown
        _await_ready(server)
        yield f"postgresql+psycopg://surgeline@/postgres?host={folder}&port=5432"
