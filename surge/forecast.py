"""The next hour, minute by minute, with and without a level: what the button will do, before it is pressed.

Pure. A fluid model: calls come, agents serve, those who wait hang up at a steady rate, and some of those who
were not served ring again. It is an outlook for choosing, not a promise to anybody.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from queueing.staffing import Plan, agents_at
from surge.policy import SurgePolicy
from surge.states import Level

MINUTES = 60
REDIAL_AFTER_MIN = 10


@dataclass(frozen=True, slots=True)
class Now:
    """The line at present. Raises nothing: what is absurd counts as 0."""

    calls_per_min: float
    handling_s: float
    agents: int
    waiting: int = 0
    hangup_per_s: float = 1 / 600
    """Hang-ups per second of waiting (theta)."""
    matched_share: float = 0.0
    """Of the calls, those that surely match an incident."""
    takes_text: float = 0.6
    """Of those who are offered a text instead, who take it. An assumption, until it has been measured."""
    redials: float = 0.6
    """Of those who hang up, who ring again. An assumption, as the next."""
    redials_told: float = 0.2
    """Of those who were told and texted, who ring again."""
    plan: Plan = ()
    """The agents of the hour, by the roster; (): they stay as many."""


@dataclass(frozen=True, slots=True)
class Minute:
    """At the end of minute ``at`` (1 to 60), but for ``abandoned`` and ``texts``, which are in it."""

    at: int
    calls: float
    waiting: float
    wait_s: float
    """A newcomer's, by the agents of that minute; infinite when nobody serves."""
    abandoned: float
    texts: float
    load: float
    """Offered load over capacity: of those who join the line; infinite when nobody serves."""
    agents: float


@dataclass(frozen=True, slots=True)
class Outlook:
    level: Level
    minutes: tuple[Minute, ...]

    @property
    def calls(self) -> float:
        return sum(minute.calls for minute in self.minutes)

    @property
    def abandoned(self) -> float:
        return sum(minute.abandoned for minute in self.minutes)

    @property
    def texts(self) -> float:
        return sum(minute.texts for minute in self.minutes)

    @property
    def longest_wait_s(self) -> float:
        return max(minute.wait_s for minute in self.minutes)

    @property
    def last_wait_s(self) -> float:
        return self.minutes[-1].wait_s


def compare(policy: SurgePolicy, now: Now, level: Level) -> tuple[Outlook, Outlook]:
    """The next hour without and with ``level``, from the same moment."""
    return outlook(policy, now, Level.CALM), outlook(policy, now, level)


def outlook(policy: SurgePolicy, now: Now, level: Level) -> Outlook:
    """The next hour at ``level``.

    Each minute: calls = now's and those who ring again 10 min after they were not served; at surge, while a
    newcomer's wait is above ``max_wait_s``, ``takes_text`` of the matched ones take a text, at closed_to_new
    all of them; of n who join in the minute and q who wait, the line drains at c + theta q.
    wait = ln(1 + theta q / c) / theta.
    """
    theta = max(0.0, now.hangup_per_s) * 60
    again: deque[float] = deque([0.0] * REDIAL_AFTER_MIN)
    waiting, minutes = float(max(0, now.waiting)), []
    for at in range(1, MINUTES + 1):
        agents = agents_at(now.plan, (at - 1) * 60) if now.plan else now.agents
        capacity = max(0.0, agents) * 60 / now.handling_s if now.handling_s > 0 else 0.0
        calls = max(0.0, now.calls_per_min) + again.popleft()
        texts = calls * _turned(policy, now, level, _wait_s(waiting, capacity, theta))
        joined = calls - texts
        after, abandoned = _drained(waiting, joined, capacity, theta)
        again.append(now.redials * abandoned + now.redials_told * texts)
        waiting = after
        offered = joined / capacity if capacity else math.inf if joined else 0.0
        wait_s = _wait_s(waiting, capacity, theta)
        minutes.append(Minute(at, calls, waiting, wait_s, abandoned, texts, offered, agents))
    return Outlook(level, tuple(minutes))


def _turned(policy: SurgePolicy, now: Now, level: Level, wait_s: float) -> float:
    """The share of the calls that leave with a text."""
    if level is Level.CLOSED_TO_NEW:
        return now.matched_share
    if level is Level.SURGE and wait_s > policy.max_wait_s:
        return now.matched_share * now.takes_text
    return 0.0


def _drained(waiting: float, joined: float, capacity: float, theta: float) -> tuple[float, float]:
    """Who waits a minute later, and who hung up in it; in steps, so that nobody leaves who is not there."""
    steps, abandoned = 6, 0.0
    for _ in range(steps):
        waiting += joined / steps
        gone = waiting * -math.expm1(-theta / steps)
        left = max(0.0, waiting - capacity / steps)  # agents first: the head of the line is served
        gone = min(gone, left)
        abandoned += gone
        waiting = left - gone
    return waiting, abandoned


def _wait_s(waiting: float, capacity: float, theta: float) -> float:
    if waiting <= 0:
        return 0.0
    if capacity <= 0:
        return math.inf
    minutes = math.log1p(theta * waiting / capacity) / theta if theta > 0 else waiting / capacity
    return minutes * 60
