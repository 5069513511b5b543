"""CPU time of another process, from the kernel's own books.

CPU time, unlike the clock on the wall, hardly moves when the machine is busy with something else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from foundation.errors import Mendable


def cpu_ns(pid: int) -> int:
    """Nanoseconds on a CPU so far, all threads of the process. Raises Mendable where it cannot be read."""
    total = 0
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text("ascii").split()[0])
    except (OSError, ValueError, IndexError) as error:
        raise Mendable(
            "The CPU time of a process cannot be read here: run the benchmark on Linux."
        ) from error
    return total


@dataclass
class Tally:
    """What one kind of operation cost, round by round."""

    ns: int = 0
    done: int = 0
    rounds: list[float] = field(default_factory=list)
    """Microseconds of CPU per operation, one figure a round."""

    @contextmanager
    def counting(self, pid: int, operations: int) -> Iterator[None]:
        """Adds the CPU that ``pid`` spends inside the block, as the cost of so many operations."""
        before = cpu_ns(pid)
        yield
        self.ns += cpu_ns(pid) - before
        self.done += operations

    def close_round(self) -> None:
        if self.done:
            self.rounds.append(self.ns / self.done / 1000)
        self.ns = self.done = 0

    @property
    def us(self) -> float:
        """The median round, in microseconds per operation."""
        return median(self.rounds)


def ratio(tally: Tally, yardstick: Tally) -> float:
    """How many times the yardstick's CPU: the median over rounds of the ratio within a round."""
    return median(a / b for a, b in zip(tally.rounds, yardstick.rounds, strict=True))


def pin(pid: int, cpu: int) -> None:
    """Keep a process on one CPU where there are two or more, so that load and server do not share one."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(pid, {cpu})
