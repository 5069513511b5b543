"""What the verbs of this package reach for, and how they say no. Built by ``processes``, never changed."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from callbacks.policy import CallbackPolicy
from carrier import numbers
from carrier.numbers import NotDialled
from foundation.clock import Clock
from foundation.connections import Sql
from foundation.errors import SurgelineError
from queueing.hours import Hours
from queueing.keys import Keys
from queueing.line import Line


@dataclass(frozen=True, slots=True)
class Office:
    """The stores and rules of one centre's callbacks."""

    sql: Sql
    redis: Redis
    line: Line
    keys: Keys
    clock: Clock
    policy: CallbackPolicy
    hours: Hours | None
    """When the centre is open; None is always."""
    time_zone: str
    """The centre's, for whoever has none of their own."""
    ours: tuple[str, ...] = ()
    """Our own numbers (E.164): the first is the one merchants see; none of them is ever dialled."""
    public_url: str = ""
    centre_name: str = ""
    secret: str = ""
    """Keys the links that merchants are given."""

    @property
    def centre(self) -> str:
        return self.line.policy.centre

    def why_not_called(self, number: str) -> str | None:
        """Why we do not call this number (E.164), in words; None when we do."""
        return numbers.dialable(number, self.policy.regions, self.ours, fictional=self.policy.rehearsal)

    def refusal(self, number: str) -> NotDialled | None:
        """``why_not_called`` as a code."""
        return numbers.why_not_dialled(
            number, self.policy.regions, self.ours, fictional=self.policy.rehearsal
        )

    def keyed(self, keys: str) -> tuple[str, NotDialled | None]:
        """The number (E.164, "" for none) that was keyed in, and why it is not called."""
        return numbers.keyed(keys, self.policy.regions, self.ours, fictional=self.policy.rehearsal)


class Conflict(SurgelineError):
    """Somebody else was first. ``who``: their login, or "" when it was the line or the merchant."""

    def __init__(self, message: str, who: str = "") -> None:
        super().__init__(message)
        self.who = who
