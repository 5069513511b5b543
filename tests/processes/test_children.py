"""Programs kept running, and ended without leaving one behind. Real processes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from foundation.clock import ManualClock
from processes.children import (
    BUDGET,
    FIRST_DELAY_MS,
    LONGEST_DELAY_MS,
    Children,
    Program,
    restart_delay_ms,
)

ROOT = Path(__file__).parents[2]
STAYS = "import os, signal; os.write(1, b'up\\n'); signal.pause()"
DEAF = "import signal; signal.signal(15, signal.SIG_IGN); import os; os.write(1, b'up\\n'); signal.pause()"

pytestmark = pytest.mark.faults


def program(name: str, code: str, log_file: Path | None = None, stage: int = 0) -> Program:
    return Program(name, (sys.executable, "-c", code), stage=stage, log_file=log_file)


@asynccontextmanager
async def heard(path: Path) -> AsyncIterator[asyncio.StreamReader]:
    """What programs print, line by line, as it comes: a named pipe in place of a log file."""
    os.mkfifo(path)
    lines = asyncio.StreamReader()
    pipe = os.fdopen(os.open(path, os.O_RDWR | os.O_NONBLOCK), "rb", buffering=0)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), pipe
    )
    try:
        yield lines
    finally:
        transport.close()
        await asyncio.sleep(0)


class WatchedClock(ManualClock):
    """Says when somebody goes to sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = asyncio.Event()

    async def sleep(self, ms: float) -> None:
        self.asleep.set()
        await super().sleep(ms)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_death_doubles_the_delay_and_many_deaths_level_it() -> None:
    delays = [restart_delay_ms([0] * deaths, 0) for deaths in range(1, BUDGET + 5)]
    assert delays[:4] == [FIRST_DELAY_MS, FIRST_DELAY_MS * 2, FIRST_DELAY_MS * 4, FIRST_DELAY_MS * 8]
    assert delays == sorted(delays)
    assert delays[-1] == LONGEST_DELAY_MS


def test_an_old_death_is_forgiven() -> None:
    assert restart_delay_ms([0, 0, 0, 3_600_000], 3_600_000) == FIRST_DELAY_MS


async def test_a_program_that_dies_is_started_again(tmp_path: Path) -> None:
    clock = WatchedClock()
    children = Children([program("web", STAYS, tmp_path / "said")], os.environ, clock)
    async with heard(tmp_path / "said") as said:
        await children.watch()
        assert await said.readline() == b"up\n"
        os.kill(children.pid("web"), signal.SIGKILL)
        await clock.asleep.wait()
        clock.advance(ms=FIRST_DELAY_MS)
        assert await said.readline() == b"up\n"
        assert children.restarts == {"web": 1}
        assert await children.stop() == []


async def test_a_program_whose_settings_are_wrong_is_not_started_again() -> None:
    children = Children([program("web", "raise SystemExit(2)")], os.environ)
    await children.watch()
    await children.failed.wait()
    assert children.restarts == {}
    await children.stop()


async def test_all_are_ended_and_the_deaf_one_is_killed(tmp_path: Path) -> None:
    said_in = tmp_path / "said"
    children = Children([program("web", STAYS, said_in), program("deaf", DEAF, said_in, stage=1)], os.environ)
    async with heard(said_in) as said:
        await children.watch()
        assert [await said.readline(), await said.readline()] == [b"up\n", b"up\n"]
        pids = [children.pid("web"), children.pid("deaf")]
        assert await children.stop(grace_s=0.2) == ["deaf"]
        assert not any(alive(pid) for pid in pids)


def test_children_end_when_their_parent_is_killed() -> None:
    child = f"from processes.parent import die_with_parent; die_with_parent(); {STAYS}"
    parent = f"""
import asyncio, os, sys
from processes.children import Children, Program
async def main():
    argv = (sys.executable, "-c", {child!r})
    await Children([Program("child", argv)], os.environ).watch()
    await asyncio.Event().wait()
asyncio.run(main())
"""
    started = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "up\n"
    started.kill()
    # The child holds the pipe's other end: its end is the end of the output.
    assert started.communicate(timeout=20)[0] == ""


def test_a_program_of_ours_starts_by_fork_and_owes_its_parent_nothing(tmp_path: Path) -> None:
    """The lock a parent holds open, its input and its environment stay its own."""
    parent = """
import asyncio, os, sys, types
from processes.children import Children, Program
secret = os.open("/dev/null", os.O_RDONLY)
os.set_inheritable(secret, True)
def main():
    try:
        held = os.fstat(secret)
    except OSError:
        held = None
    print(held, os.environ.get("GIVEN"), os.environ.get("OWN"), sys.stdin.read(), flush=True)
    raise SystemExit(7)
os.environ["OWN"] = "parent's"
sys.modules["theirs"] = types.SimpleNamespace(run=main)
program = Program("child", (sys.executable, "-c", "raise SystemExit(9)"), module="theirs")
children = Children([program], {"GIVEN": "yes", "PATH": os.environ["PATH"]})
children.launch()
print(children._running["child"].wait())
"""
    ran = subprocess.run(
        [sys.executable, "-c", parent], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert ran.stdout.splitlines() == ["None yes None ", "7"]


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        ("Mendable('bad settings')", 2),
        ("ValueError('a slip')", 1),
        ("SystemExit('words')", 1),
        ("SystemExit", 0),
    ],
)
def test_how_a_fork_ends(raised: str, code: int) -> None:
    parent = f"""
from foundation.errors import Mendable
from processes.forks import Fork
def main():
    raise {raised}
print(Fork(main, {{}}, None).wait())
"""
    ran = subprocess.run(
        [sys.executable, "-c", parent], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    assert ran.stdout == f"{code}\n"
