"""What a door may reach for. Built once per process, handed to every door, never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from announcements.pacing import Pacing
from foundation.clock import Clock
from ivr.glance import Glance
from ivr.holding import LONGEST_NAME, hold_queues
from ivr.legs import Legs
from ivr.menus import Centre
from ivr.music import CLIPS
from ivr.signature import Algorithm, SignatureCheck
from queueing.keys import Keys
from surge.board import BoardGlance

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from callbacks.office import Office
    from foundation.connections import Breaker, Sql
    from queueing.line import Line
    from queueing.policy import LinePolicy
    from queueing.roster import Roster
    from surge.office import Watch


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a webhook may take, in seconds. Twilio gives up after 15."""

    look_up_s: float = 0.25
    """Asking SQL who rings."""
    enrich_s: float = 0.4
    """All stores together; after that the base answer is given."""
    whole_s: float = 2.0
    """The request in all, its body included; after that the last resort is given."""


@dataclass(frozen=True)
class Desk:
    clock: Clock
    line: Line
    roster: Roster
    redis: Redis
    sql: Sql | None
    policy: LinePolicy
    centre: Centre
    public_url: str
    """Scheme, host, port and path prefix under which Twilio reaches us, without a final slash."""
    auth_tokens: tuple[str, ...]
    """What Twilio signs with; during a rotation the next one too."""
    secret: str
    """Keys the fingerprint of a caller's number."""
    account_sid: str = ""
    """"" takes any account that signs with our tokens."""
    algorithm: Algorithm = "sha1"
    pacing: Pacing = field(default_factory=Pacing)
    budget: Budget = field(default_factory=Budget)
    redis_breaker: Breaker | None = None
    sql_breaker: Breaker | None = None
    clips: tuple[str, ...] = CLIPS
    office: Office | None = None
    """Where callbacks are promised; without one none are offered."""
    watch: Watch | None = None
    """Whom incidents and surges are told of; without one nobody hears of any."""
    toggle_pin_hash: str = field(default="", repr=False)
    """Of the PIN by which a lead switches the level by phone; "" : nobody does."""

    def __post_init__(self) -> None:
        for name, (queue, band) in hold_queues(self.policy).items():
            if len(name) > LONGEST_NAME:
                raise ValueError(f"queue {queue} and band {band}: too long together for Twilio")

    @cached_property
    def signature(self) -> SignatureCheck:
        return SignatureCheck(self.auth_tokens, self.public_url, self.algorithm)

    @cached_property
    def keys(self) -> Keys:
        return Keys.of(self.policy)

    @cached_property
    def glance(self) -> Glance:
        return Glance(self.redis, self.keys, self.redis_breaker, self.policy.centre if self.office else "")

    @cached_property
    def board(self) -> BoardGlance:
        data_dir = self.watch.data_dir if self.watch else None
        return BoardGlance(self.redis, self.policy.centre, data_dir, self.redis_breaker)

    @cached_property
    def legs(self) -> Legs:
        return Legs(self.redis, self.policy.centre, self.redis_breaker)

    def url(self, path_and_query: str) -> str:
        """As Twilio is to ask for it."""
        return f"{self.public_url}{path_and_query}"

    def clip(self, number: int) -> str:
        """The URL of the ``number``-th clip of music; after the last the first is played again."""
        return f"{self.public_url}/static/music/{self.clips[number % len(self.clips)]}"
