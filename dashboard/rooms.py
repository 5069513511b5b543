"""What the dashboard may reach for, and how it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import urlsplit

from redis.asyncio import Redis

from callbacks.office import Office
from foundation.clock import Clock, SystemClock
from foundation.connections import Breaker, Sql
from foundation.errors import Mendable
from merchants.sheet import LANGUAGES, TIERS
from queueing.line import Line
from queueing.policy import LinePolicy
from queueing.roster import Roster
from surge.office import Watch


@dataclass(frozen=True, slots=True)
class Softphone:
    """The telephone in the agent's browser.

    ``mint`` makes an access token for one agent; ``url`` is where the double is reached, "" for Twilio.
    """

    kind: Literal["twilio", "double", "none"] = "none"
    mint: Callable[[str], str] | None = None
    url: str = ""

    def __post_init__(self) -> None:
        if self.kind != "none" and self.mint is None:
            raise Mendable("A softphone needs something that mints its tokens.")


@dataclass(frozen=True, slots=True)
class QueueOfWork:
    """One queue of jobs: how many wait, run, and have failed for good."""

    name: str
    waiting: int
    running: int
    failed: int


@dataclass(frozen=True, slots=True)
class FailedJob:
    """A job that is dead: its retries are spent. ``reason`` is the last line of what went wrong."""

    id: str
    queue: str
    does: str
    failed_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class TextBacklog:
    """Texts still to be sent. ``ends_ms``: when the last of them will have gone; None when there is none."""

    count: int
    segments: int
    ends_ms: int | None


class Operations(Protocol):
    """The work behind the scenes, as the operations page sees it. Every call may raise Unavailable."""

    async def queues(self) -> Sequence[QueueOfWork]: ...

    async def failed_jobs(self) -> Sequence[FailedJob]:
        """The newest first."""

    async def run_again(self, job: str) -> bool:
        """Put a dead job back into its queue; False when it is not dead any more."""

    async def backlog(self) -> TextBacklog: ...


@dataclass(frozen=True, slots=True)
class Targets:
    """What the centre wants to keep. Amber shows within a fifth of a target, red past it."""

    answered_pct: int = 80
    within_s: int = 30
    longest_wait_ms: int = 600_000
    abandoned_pct: int = 5


DEFAULT_OUTCOMES = (
    ("resolved", "Resolved"),
    ("follow_up", "Needs follow-up"),
    ("escalated", "Passed on"),
    ("wants_callback", "Wants a callback"),
    ("wrong_number", "Wrong number or nobody there"),
)
"""How a contact may end, in the agent's words: code and what the desk shows."""

DEFAULT_REASONS = ("Break", "Lunch", "Meeting", "Training", "Paperwork")


@dataclass(frozen=True, slots=True)
class Rooms:
    """All that pages and API are made from; ``processes`` fills it.

    ``clock`` is the line's (a demo's may run fast: ``speed`` says how much, so that the browser's clocks keep
    up); ``wall`` is for sessions and links, which are people's time.
    """

    clock: Clock
    line: Line
    roster: Roster
    sql: Sql
    redis: Redis
    policy: LinePolicy
    office: Office
    """What the verbs of callbacks take."""
    surge: Watch
    """What the verbs of incidents and surges take."""
    secret_key: str
    public_url: str
    operations: Operations | None = None
    """The work behind the scenes; None where there is none to see."""
    centre_name: str = "Support line"
    time_zone: str = "UTC"
    region: str = "US"
    tiers: tuple[str, ...] = TIERS
    languages: tuple[str, ...] = LANGUAGES
    softphone: Softphone = Softphone()
    targets: Targets = Targets()
    outcomes: tuple[tuple[str, str], ...] = DEFAULT_OUTCOMES
    reasons: tuple[str, ...] = DEFAULT_REASONS
    speed: float = 1.0
    simulated: bool = False
    wall: Clock = field(default_factory=SystemClock)
    pagerduty_secrets: tuple[str, ...] = ()
    hook_secrets: tuple[str, ...] = ()
    """Any of them may sign what comes in at ``/hooks``; without one, nothing comes in."""
    breaker: Breaker | None = None
    """Before Redis, for the dashboard's own few commands; the line and the roster have theirs."""

    @property
    def secure(self) -> bool:
        """Whether people reach us by https, so that cookies may demand it."""
        return self.public_url.startswith("https:")

    @property
    def origin(self) -> str:
        """Scheme, host and port of the public URL, as a browser's Origin header writes it."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def tag(self) -> str:
        """What the dashboard's own few keys in Redis begin with."""
        return f"surgeline:{{{self.policy.centre}}}"
