"""Programs run side by side: started, started again when they die, and ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import structlog

import processes
from foundation.clock import Clock, SystemClock
from processes.forks import Fork, Running
from processes.parent import VARIABLE

FIRST_DELAY_MS = 500
LONGEST_DELAY_MS = 30_000
BUDGET = 10
"""Deaths within BUDGET_MS after which a program is tried only every LONGEST_DELAY_MS."""
BUDGET_MS = 600_000
MISUSED = 2
"""The exit code of a program whose settings are wrong: starting it again would not mend them."""
KILL_S = 0.5
"""At the least so long is waited after SIGTERM before SIGKILL."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. Programs of a lower ``stage`` are ended first."""

    name: str
    argv: tuple[str, ...]
    stage: int = 0
    log_file: Path | None = None
    module: str = ""
    """The same program as a module of ours with a ``run()``, for a first start by fork."""


def ours(name: str, *arguments: str, stage: int = 0, log_file: Path | None = None) -> Program:
    """The Surgeline command ``name`` as a program."""
    argv = (sys.executable, "-P", "-m", "processes", name, *arguments)
    return Program(name, argv, stage=stage, log_file=log_file)


def restart_delay_ms(deaths_ms: Sequence[int], now_ms: int) -> int:
    """How long to wait before the next start, given when the program died before: doubling, then level."""
    recent = sum(1 for at_ms in deaths_ms if now_ms - at_ms < BUDGET_MS)
    if recent > BUDGET:
        return LONGEST_DELAY_MS
    return int(min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** max(0, recent - 1)))


class Children:
    """The programs of one parent, all ended before ``stop`` returns."""

    def __init__(
        self, programs: Sequence[Program], environ: Mapping[str, str], clock: Clock | None = None
    ) -> None:
        self._programs = programs
        root = str(Path(processes.__file__).parent.parent)
        path = os.pathsep.join(part for part in (root, environ.get("PYTHONPATH", "")) if part)
        self._environ = {**environ, "PYTHONPATH": path, VARIABLE: str(os.getpid())}
        self._clock = clock or SystemClock()
        self._running: dict[str, Running] = {}
        self._ended: dict[str, asyncio.Future[int]] = {}
        self._watchers: list[asyncio.Task[None]] = []
        self.restarts: dict[str, int] = {}
        self.failed = asyncio.Event()
        """Set when a program cannot run at all: its settings are wrong."""

    def launch(self, *names: str) -> None:
        """Start the programs of these names (all) that do not run yet; by fork while the parent may.

        To be called before there is an event loop. What a program needs is imported just before its fork,
        so that the earlier ones are on their way meanwhile. Raises OSError when one cannot be executed.
        """
        # Elsewhere than on Linux the system's own libraries may not survive a fork.
        alone = sys.platform == "linux" and threading.active_count() == 1 and not _has_loop()
        for program in self._programs:
            if program.name not in self._running and (not names or program.name in names):
                self._start(program, by_fork=alone)

    async def watch(self) -> None:
        """Start what does not run yet, and keep every program running."""
        self.launch()
        for program in self._programs:
            self._ended[program.name] = _end_of(self._running[program.name])
            self._watchers.append(asyncio.create_task(self._keep(program)))

    def pid(self, name: str) -> int:
        """The process id of a program. Raises KeyError before it was started."""
        return self._running[name].pid

    async def stop(self, grace_s: float = 15.0) -> list[str]:
        """End all, lowest stage first, within ``grace_s``; the names of those that had to be killed."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        for name in self._running.keys() - self._ended.keys():
            self._ended[name] = _end_of(self._running[name])
        killed: list[str] = []
        loop = asyncio.get_running_loop()
        end_s = loop.time() + grace_s
        for stage in sorted({program.stage for program in self._programs}):
            names = [p.name for p in self._programs if p.stage == stage and p.name in self._running]
            for name in names:
                self._signal(name, signal.SIGTERM)
            for name in names:
                left_s = max(KILL_S, end_s - loop.time())
                await asyncio.wait([self._ended[name]], timeout=left_s)
                if not self._ended[name].done():
                    killed.append(name)
                    self._signal(name, signal.SIGKILL)
                    await self._ended[name]
        return killed

    def _start(self, program: Program, *, by_fork: bool) -> None:
        if by_fork and program.module:
            main = import_module(program.module).run
            self._running[program.name] = Fork(main, self._environ, program.log_file)
            return
        with contextlib.ExitStack() as stack:
            out = stack.enter_context(program.log_file.open("ab")) if program.log_file else None
            self._running[program.name] = subprocess.Popen(
                program.argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self._environ,
                process_group=0,  # Ctrl-C reaches the parent only: it ends the children in order
            )

    async def _keep(self, program: Program) -> None:
        deaths_ms: list[int] = []
        while True:
            ended = self._ended[program.name]
            await asyncio.wait([ended])  # to be cancelled without cancelling the future
            code = ended.result()
            if code == MISUSED:
                log.error("program cannot run", program=program.name, code=code)
                self.failed.set()
                return
            now_ms = self._clock.now_ms()
            deaths_ms = [*deaths_ms[-BUDGET:], now_ms]
            delay_ms = restart_delay_ms(deaths_ms, now_ms)
            log.error("program ended, starting it again", program=program.name, code=code, delay_ms=delay_ms)
            await self._clock.sleep(delay_ms)
            self.restarts[program.name] = self.restarts.get(program.name, 0) + 1
            self._start(program, by_fork=False)
            self._ended[program.name] = _end_of(self._running[program.name])

    def _signal(self, name: str, which: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._running[name].send_signal(which)


def _has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _end_of(running: Running) -> asyncio.Future[int]:
    """Done, with the exit code, when the process has ended. A thread waits for it."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def settle(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    def wait() -> None:
        code = running.wait()
        with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits any more
            loop.call_soon_threadsafe(settle, code)

    threading.Thread(target=wait, name=f"wait {running.pid}", daemon=True).start()
    return ended
