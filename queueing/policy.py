"""The rules of one contact centre's line: its queues, its bands, and how long each thing may take.

Values only; ``processes`` fills them from the centre's configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from foundation.errors import Mendable
from queueing.bands import DEFAULT_BANDS, Band

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def _named(kind: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Mendable(
            f"{kind} name {name!r}: use 1 to 32 of a-z, 0-9, '-' and '_', beginning with a letter or digit."
        )


@dataclass(frozen=True, slots=True)
class Queue:
    """Callers who need the same agents. Raises Mendable for a name that cannot stand in a key."""

    name: str
    max_waiting: int = 1000
    """So many may wait; one more is told that the line is full."""

    max_wait_ms: int = 5_400_000
    """After so long the caller is offered something better than waiting on."""

    def __post_init__(self) -> None:
        _named("The queue's", self.name)


@dataclass(frozen=True, slots=True)
class LinePolicy:
    """Raises Mendable when the rules cannot be kept together."""

    centre: str = "main"
    queues: tuple[Queue, ...] = (Queue("support"),)
    bands: tuple[Band, ...] = DEFAULT_BANDS

    ring_ms: int = 20_000
    """An agent is asked for so long; then the contact goes back to its place."""

    connect_ms: int = 30_000
    """After the agent said yes, the two must have met within this."""

    wrap_up_ms: int = 60_000
    resume_ms: int = 90_000
    """A caller who dropped out finds the old place again for so long."""

    ask_again_ms: int = 5_000
    """When every agent at work has passed on a contact, they are asked again after this."""

    max_misses: int = 2
    """So many reservations missed in a row put an agent away."""

    forget_ms: int = 3_600_000
    """An ended contact is remembered so long, to answer its late webhooks."""

    def __post_init__(self) -> None:
        _named("The centre's", self.centre)
        for what, names in (
            ("queues", [q.name for q in self.queues]),
            ("bands", [b.name for b in self.bands]),
        ):
            if not names or len(set(names)) < len(names):
                raise Mendable(f"The centre needs {what}, each with its own name; it has {names}.")
        for band in self.bands:
            _named("The band's", band.name)
            if band.head_start_ms < 0:
                raise Mendable(f"Band {band.name}: a head start is 0 ms or more.")

    def queue(self, name: str) -> Queue:
        """The queue of that name. Raises Mendable when the centre has none."""
        for queue in self.queues:
            if queue.name == name:
                return queue
        raise Mendable(f"There is no queue {name!r}; there are {', '.join(q.name for q in self.queues)}.")

    def band(self, name: str) -> Band:
        """The band of that name. Raises Mendable when the centre has none."""
        for band in self.bands:
            if band.name == name:
                return band
        raise Mendable(f"There is no band {name!r}; there are {', '.join(b.name for b in self.bands)}.")
