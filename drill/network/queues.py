"""Twilio's call queue: first in, first out; who stands where, and for how long."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from drill.network.legs import Leg

_tickets = count(1)


@dataclass(eq=False)
class Member:
    """One call in a queue."""

    leg: Leg
    entered_ms: int
    ticket: int
    wanted: asyncio.Future[Any]
    """Set by a ``<Dial><Queue>`` that takes this call."""


@dataclass(eq=False)
class CallQueue:
    """A queue. Position 1 is the front."""

    sid: str
    name: str
    max_size: int
    created_ms: int
    updated_ms: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _members: dict[str, Member] = field(default_factory=dict)
    _tickets: list[int] = field(default_factory=list)
    _entered_sum_ms: int = 0

    def __len__(self) -> int:
        return len(self._members)

    @property
    def members(self) -> list[Member]:
        """From the front."""
        return list(self._members.values())

    def enter(self, leg: Leg, now_ms: int) -> Member:
        member = Member(leg, now_ms, next(_tickets), asyncio.get_running_loop().create_future())
        self._members[leg.sid] = member
        self._tickets.append(member.ticket)
        self._entered_sum_ms += now_ms
        leg.queue = self
        self.arrived.set()
        return member

    def remove(self, leg: Leg) -> Member | None:
        """The member that was taken out, or None when the call was not in this queue any more."""
        member = self._members.pop(leg.sid, None)
        if member is not None:
            del self._tickets[bisect_left(self._tickets, member.ticket)]
            self._entered_sum_ms -= member.entered_ms
            leg.queue = None
        if not self._members:
            self.arrived.clear()
        return member

    def member(self, sid: str) -> Member | None:
        """By CallSid, or ``Front``."""
        if sid == "Front":
            return next(iter(self._members.values()), None)
        return self._members.get(sid)

    def position(self, member: Member) -> int:
        return bisect_left(self._tickets, member.ticket) + 1

    def average_wait_s(self, now_ms: int) -> int:
        """The mean time the present members have waited so far: Twilio's AvgQueueTime."""
        if not self._members:
            return 0
        return round((now_ms - self._entered_sum_ms / len(self._members)) / 1000)
