"""Everything on one box: it comes up, mends itself, and goes without leaving anything. Real processes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("web", "worker", "sweeper", "scribe")

pytestmark = [pytest.mark.faults, pytest.mark.timeout(180)]


class Served:
    """`surgeline serve` in a folder of its own, and what its programs say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with contextlib.closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            listen = f"127.0.0.1:{probe.getsockname()[1]}"
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TWILIO_", "SURGELINE_", "REDIS_URL", "DATABASE_URL"))
        }
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "processes", "serve", "--listen", listen],
            cwd=folder,
            env={**clean, "PYTHONPATH": str(ROOT), "SURGELINE_PUBLIC_URL": f"http://{listen}"},
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, *events: str) -> list[dict[str, object]]:
        """Read the log until each event was said; what was read."""
        assert self.process.stderr is not None
        missing, read = list(events), []
        while missing:
            line = self.process.stderr.readline()
            assert line, f"it ended before it said {missing}"
            told = json.loads(line)
            read.append(told)
            if told["event"] in missing:
                missing.remove(told["event"])
        return read

    def children(self) -> list[int]:
        """The processes below it."""
        listed = subprocess.run(["ps", "-eo", "pid,ppid"], capture_output=True, text=True, check=True).stdout
        rows = [tuple(map(int, row)) for row in re.findall(r"(\d+)\s+(\d+)", listed)]
        return [pid for pid, parent in rows if parent == self.process.pid]

    def rest(self) -> str:
        """All that is said until nobody holds the log open any more: all of them have ended then."""
        assert self.process.stderr is not None
        return self.process.stderr.read()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    left = served.children()
    served.process.kill()
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    served.rest()
    served.process.wait()
    assert served.process.stderr is not None
    served.process.stderr.close()


def test_it_serves_mends_itself_and_ends_clean(served: Served) -> None:
    served.until("listening", "sweeping", "writing")
    program = next(pid for pid in served.children() if b"processes" in command_of(pid))
    os.kill(program, signal.SIGKILL)
    ended = served.until("program ended, starting it again")[-1]
    assert ended["code"] == -signal.SIGKILL
    served.process.terminate()
    assert served.process.wait(30) == 0
    assert "Traceback" not in served.rest()


def command_of(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@pytest.mark.skipif(sys.platform != "linux", reason="watches processes by pidfd")
def test_killed_it_takes_everything_with_it(served: Served) -> None:
    served.until("listening", "sweeping", "writing")
    watched = [os.pidfd_open(pid) for pid in served.children()]
    assert len(watched) == len(PARTS) + 1  # and its Redis
    served.process.kill()
    ended = [bool(select.select([watch], [], [], 30)[0]) for watch in watched]
    for watch in watched:
        os.close(watch)
    assert all(ended)
