"""The usual ways to announce a wait, by the same verbs: each says one number, without a range."""

from __future__ import annotations

from collections import deque

from queueing.estimates import Estimate


def point(seconds: float) -> Estimate:
    return Estimate(seconds, seconds, seconds, seconds)


class Rival:
    """What all of them watch: who waits since when, and the waits of those who were taken."""

    def __init__(self, handling_s: float) -> None:
        self.waiting: dict[int, tuple[float, float]] = {}  # contact -> (key, arrived)
        self.agents = 0
        self.handling_s = handling_s

    def on_agents(self, t: float, n: int) -> None:
        self.agents = n

    def on_arrival(self, t: float, contact: int, band: int, key: float, kind: str) -> None:
        self.waiting[contact] = (key, t)

    def on_convert(self, t: float, contact: int) -> None:
        pass

    def on_abandon(self, t: float, contact: int) -> None:
        self.waiting.pop(contact, None)

    def on_start(self, t: float, contact: int) -> None:
        _, arrived = self.waiting.pop(contact)
        self.took(t - arrived)

    def on_end(self, t: float, contact: int) -> None:
        pass

    def took(self, wait_s: float) -> None:
        pass

    def estimate(self, t: float, contact: int) -> Estimate | None:
        said = self.say(t, contact)
        return None if said is None else point(said)

    def say(self, t: float, contact: int) -> float | None:
        raise NotImplementedError


class Asterisk(Rival):
    """A quarter of each new wait: holdtime = (3 holdtime + wait) / 4."""

    holdtime = 0.0

    def took(self, wait_s: float) -> None:
        self.holdtime = (3 * self.holdtime + wait_s) / 4

    def say(self, t: float, contact: int) -> float | None:
        return self.holdtime


class LastToEnter(Rival):
    """The wait of the last who was taken."""

    last = 0.0

    def took(self, wait_s: float) -> None:
        self.last = wait_s

    def say(self, t: float, contact: int) -> float | None:
        return self.last


class HeadOfLine(Rival):
    """How long the first in line has waited."""

    def say(self, t: float, contact: int) -> float | None:
        _, arrived = min(self.waiting.values())
        return t - arrived


class LastTen(Rival):
    """The mean wait of the last ten who were taken."""

    def __init__(self, handling_s: float) -> None:
        super().__init__(handling_s)
        self.ten: deque[float] = deque([0.0], maxlen=10)

    def took(self, wait_s: float) -> None:
        self.ten.append(wait_s)

    def say(self, t: float, contact: int) -> float | None:
        return sum(self.ten) / len(self.ten)


class StillWaiting(Rival):
    """Twilio's average: the mean age of those who wait now."""

    def say(self, t: float, contact: int) -> float | None:
        return sum(t - arrived for _, arrived in self.waiting.values()) / len(self.waiting)


class Position(Rival):
    """Place in line x handling time / agents, as if nobody ever hung up."""

    def say(self, t: float, contact: int) -> float | None:
        key = self.waiting[contact]
        place = sum(other <= key for other in self.waiting.values())
        return place * self.handling_s / self.agents if self.agents else None


RIVALS: dict[str, type[Rival]] = {
    "Asterisk": Asterisk,
    "last wait": LastToEnter,
    "head of line": HeadOfLine,
    "last ten": LastTen,
    "Twilio": StillWaiting,
    "position": Position,
}
