"""The rules of one centre's callbacks. Values only; ``processes`` fills them from the centre's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from callbacks.states import Mode
from foundation.errors import Mendable

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """Raises Mendable when the rules cannot be kept together."""

    enabled: bool = True
    """Whether this centre calls back at all. The switches of a day are kept in SQL, not here."""

    offer_wait_ms: int = 3 * MINUTE_MS
    """A callback is offered when the announced wait is longer than this …"""

    offer_after_ms: int = 2 * MINUTE_MS
    """… or when the caller has waited so long."""

    offer_every: int = 3
    """After the first time, at every so many announcements."""

    max_open: int = 500
    """No further offer while so many promises are open."""

    budget_ms: int = 0
    """No further offer while the callbacks in line are more work than the agents do in this time; 0: none."""

    longest_wait_ms: int = 0
    """No offer while the announced wait is longer than this; 0: no limit."""

    number_a_day: int = 3
    """So many promises are made to one number in 24 hours, …"""

    merchant_a_day: int = 10
    """… so many to one merchant, …"""

    block_an_hour: int = 5
    """… and to so many numbers that never asked before, of one block of 10,000, in an hour."""

    text_pause_ms: int = 60 * MINUTE_MS
    """Between two texts of one kind to one number."""

    other_number: bool = False
    """Whether another number than the calling one may be typed (it must then press 1)."""

    regions: frozenset[str] = frozenset({"US", "CA"})
    """Where we call."""

    modes: Mapping[str, Mode] = field(default_factory=dict)
    """Queue to mode; agent first where nothing is said."""

    tries: int = 3
    retry_ms: tuple[int, ...] = (10 * MINUTE_MS, 60 * MINUTE_MS)
    """How long after each try in vain the next one is due; the last of them holds for all that follow."""

    ring_s: int = 25
    """How long the merchant's phone rings."""

    dial_ms: int = 75_000
    """After the agent pressed Call, the two must have met within this: ringing, picking up, pressing 1."""

    claim_ms: int = 120_000
    """How long a claimed promise is held for the agent who claimed it."""

    assigned_ms: int = 10 * MINUTE_MS
    """How long a promise that waits is kept for the agent to whom a supervisor gave it."""

    send_s: int = 5
    """An intent that was not sent within this is not sent any more."""

    settle_s: int = 15
    """An unknown answer is looked up at the carrier so long after the intent: the send deadline and the
    carrier's own have both passed by then."""

    lease_s: int = 30
    """A worker that has not come on for so long is dead."""

    calls_per_s: float = 1.0
    """The account's outgoing calls per second."""

    quiet_from: str = "21:00"
    quiet_to: str = "08:00"
    """Nobody is rung between these, by the merchant's own clock."""

    expires_ms: int = 24 * 60 * MINUTE_MS
    """A promise that is still open so long after its promised time is given to a person as expired."""

    text_rate_per_s: float = 1.0
    """Segments a second that the sending number may send."""

    rehearsal: bool = False
    """The phone network is a simulated one: the numbers kept for fiction may be rung. Never elsewhere."""

    def __post_init__(self) -> None:
        if self.tries < 1 or not self.retry_ms:
            raise Mendable("callbacks: at least one try, and a time after which the next is due.")
        if self.calls_per_s <= 0 or self.text_rate_per_s <= 0:
            raise Mendable("callbacks: calls and texts per second must be more than 0.")
        if min(self.number_a_day, self.merchant_a_day, self.block_an_hour) < 1 or self.text_pause_ms < 0:
            raise Mendable("callbacks: each limit on promises must be 1 or more, text_pause_ms 0 or more.")
        if self.settle_s < self.send_s + 10:
            raise Mendable("callbacks: settle_s must be send_s and the carrier's 10 s, or more.")

    def mode(self, queue: str) -> Mode:
        return self.modes.get(queue, Mode.AGENT_FIRST)

    def retry_after_ms(self, tries: int) -> int:
        """After the ``tries``-th try in vain (from 1), how long until the next."""
        return self.retry_ms[min(max(tries, 1), len(self.retry_ms)) - 1]
