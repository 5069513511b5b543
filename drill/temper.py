"""How a simulated agent works: seeded choices and times. Pure."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Manner:
    """Shares and times of an ordinary agent. Talk is lognormal, as talk times are found to be."""

    accept_s: tuple[float, float] = (1.0, 4.0)
    talk_mean_s: float = 150.0
    talk_spread: float = 0.6
    wrap_up_s: tuple[float, float] = (5.0, 25.0)
    declines: float = 0.03
    misses: float = 0.02
    holds: float = 0.15
    hold_s: tuple[float, float] = (8.0, 30.0)
    transfers: float = 0.04
    breaks: float = 0.03
    """After a contact, take a break."""
    break_s: tuple[float, float] = (60.0, 240.0)
    reaches: float = 0.93
    """Of the callbacks whose merchant pressed 1: it was the right person, and there was time to talk."""


class Answer(StrEnum):
    """What an agent does when asked."""

    ACCEPT = "accept"
    DECLINE = "decline"
    MISS = "miss"


@dataclass(frozen=True, slots=True)
class Talk:
    """How one talk will go. ``hold_s`` of it on hold; transferred at its end when ``transfers``."""

    talk_s: float
    hold_s: float
    transfers: bool


class Temper:
    """One agent's choices, in the order they are asked for; the same seed, the same choices."""

    def __init__(self, seed: int, manner: Manner | None = None) -> None:
        self.manner = manner or Manner()
        self._chance = random.Random(seed)

    def answer(self) -> Answer:
        drawn = self._chance.random()
        if drawn < self.manner.misses:
            return Answer.MISS
        return Answer.DECLINE if drawn < self.manner.misses + self.manner.declines else Answer.ACCEPT

    def accept_s(self) -> float:
        return self._chance.uniform(*self.manner.accept_s)

    def talk(self) -> Talk:
        spread = self.manner.talk_spread
        talk_s = self._chance.lognormvariate(math.log(self.manner.talk_mean_s) - spread**2 / 2, spread)
        holds = self._chance.random() < self.manner.holds
        hold_s = self._chance.uniform(*self.manner.hold_s) if holds else 0.0
        return Talk(max(8.0, talk_s), min(hold_s, talk_s / 2), self._chance.random() < self.manner.transfers)

    def wrap_up_s(self) -> float:
        return self._chance.uniform(*self.manner.wrap_up_s)

    def break_s(self) -> float:
        """0 when no break is taken now."""
        if self._chance.random() >= self.manner.breaks:
            return 0.0
        return self._chance.uniform(*self.manner.break_s)

    def callback_outcome(self) -> str:
        """The agent's word on a callback in which somebody was met."""
        if self._chance.random() < self.manner.reaches:
            return "reached"
        return self._chance.choice(["machine", "wrong_number", "again"])

    def one_of(self, choices: list[str]) -> str:
        return self._chance.choice(choices)
