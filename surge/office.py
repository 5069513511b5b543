"""What the verbs of this package reach for, and how they say no. Built by ``processes``, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis

from foundation.clock import Clock
from foundation.connections import Sql
from foundation.errors import SurgelineError
from queueing.hours import Hours
from queueing.keys import Keys
from queueing.line import Line
from surge.policy import SurgePolicy


@dataclass(frozen=True, slots=True)
class Watch:
    """The stores and rules of one centre's incident watch."""

    sql: Sql
    redis: Redis
    line: Line
    keys: Keys
    clock: Clock
    policy: SurgePolicy
    hours: Hours | None
    time_zone: str
    languages: tuple[str, ...] = ("en",)
    centre_name: str = ""
    public_url: str = ""
    ours: tuple[str, ...] = ()
    """Our own numbers (E.164): texts come from the first."""
    data_dir: Path | None = None
    """Where the directive's local copy and the public status page are kept."""
    secret: str = ""

    @property
    def centre(self) -> str:
        return self.line.policy.centre


class Conflict(SurgelineError):
    """Somebody else was first. ``who`` did ``what``: shown before it is replaced."""

    def __init__(self, message: str, who: str = "", what: str = "") -> None:
        super().__init__(message)
        self.who, self.what = who, what
