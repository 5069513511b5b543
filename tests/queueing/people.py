"""Who is in the pencil line: callers, agents, kept places. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Caller:
    """A contact."""

    id: str
    state: str
    queue: str
    band: str
    head_start_us: int
    arrival_us: int
    entered_ms: int
    caller_key: str
    agent: str = ""
    fence: int = 0
    deadline_ms: int = 0
    accepted: bool = False
    passed: list[str] = field(default_factory=list)
    answered_ms: int = 0
    disposition: str = ""

    kept_for: str = ""
    """The one agent who may take it: all others have as good as passed on it."""

    @property
    def score(self) -> int:
        return self.arrival_us - self.head_start_us

    def has_passed(self, agent: str) -> bool:
        return self.kept_for not in ("", agent) or agent in self.passed

    def ask_all(self) -> None:
        """Nobody has passed on it."""
        self.passed, self.kept_for = [], ""


@dataclass
class Worker:
    """An agent."""

    id: str
    skills: dict[str, int]
    presence: str = "off"
    since_ms: int = 0
    contact: str = ""
    queue: str = ""
    fence: int = 0
    deadline_ms: int = 0
    misses: int = 0
    after: str = ""
    reason: str = ""
    idle_ms: int = 0


@dataclass
class Place:
    """What is kept for a caller who dropped out."""

    arrival_us: int
    entered_ms: int
    dropped_ms: int
