"""How long contacts occupy an agent: the mean by queue and kind, and the spread.

The mean is agent-seconds over completions, calls in progress included, so that a call which does not end
counts at once. A few very long calls would make it jump: seconds beyond three means count with a long memory,
those below with the memory that the moment asks for.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice

from queueing.learning import Rate
from queueing.renewals import below

CAP = 3.0
"""In mean handling times: seconds of one call beyond it count as its tail."""

MEMORIES = ((40.0, 0.04), (160.0, 0.12), (1000.0, 0.84))
"""Half-lives in completions, and how far each is trusted before anything was seen."""


YOUNG = 100
"""So many of the latest calls are looked at one by one."""


class Handling:
    """One queue and kind. ``expose`` and ``begin``/``end`` keep the seconds; ``mean_s`` is what they say."""

    __slots__ = ("_ended", "_owed", "beyond", "calls", "rate", "whole")

    def __init__(self, prior_s: float, cv: float, worth: float = 4.0) -> None:
        tail = whole_per_capped(cv**2)
        self.rate = Rate(tail / prior_s, worth, MEMORIES, 1 / max(1.0, 0.6 + 0.4 * cv**2))
        self.whole, self.beyond = 60.0 * prior_s, 60.0 * prior_s * (1 - 1 / tail)
        self._ended = 0
        self._owed = 0.0
        self.calls: OrderedDict[int, float] = OrderedDict()
        """Those in progress and not beyond the cap, by number: since when."""

    @property
    def mean_s(self) -> float:
        return self.whole / (self.whole - self.beyond) / self.rate.less(self._owed)

    def begin(self, number: int, t: float) -> None:
        self.calls[number] = t

    def expose(self, passed: float, busy: int, t: float) -> None:
        """``busy`` calls went on for ``passed`` seconds until ``t``."""
        under = len(self.calls) * passed
        cap_s = CAP * self.mean_s
        while self.calls:
            number, since = next(iter(self.calls.items()))
            if t - since < cap_s:
                break
            del self.calls[number]
            under -= min(passed, t - since - cap_s)
        self.rate.expose(under)
        self.whole += busy * passed
        self.beyond += busy * passed - under
        self._owe(t, cap_s / CAP)

    def _owe(self, t: float, mean_s: float) -> None:
        """Seconds that count as not yet spent: few calls end when they have just begun.

        Where many begin at once, their first minutes without an end say nothing of the mean; in the long run
        there are always some as young, and what the sums hold is right as it is.
        """
        count = len(self.calls)
        ages = ((t - since) / mean_s for since in islice(reversed(self.calls.values()), YOUNG))
        owed = sum(min(age, 0.14, (0.75 - age) * 0.4) for age in ages if age < 0.75)
        usual = 0.055 * count * min(1.0, self._ended / (2 * count)) if count else 0.0
        self._owed = (owed * max(1.0, count / YOUNG) - usual) * mean_s

    def forget(self, number: int) -> None:
        """It was no call after all; its seconds were spent all the same."""
        self.calls.pop(number, None)

    def end(self, number: int, lean: float = 0.0) -> None:
        self.calls.pop(number, None)
        self.rate.happen(lean)
        self._ended += 1
        self.whole *= 0.999
        self.beyond *= 0.999


@lru_cache(maxsize=64)
def whole_per_capped(cv2: float) -> float:
    """Mean over the mean of what lies below the cap, log-normal."""
    sigma = math.sqrt(math.log(1 + cv2))
    z = (math.log(CAP) + sigma**2 / 2) / sigma
    capped = below(z - sigma) + CAP * (1 - below(z))
    return 1 / capped


class Spread:
    """The squared coefficient of variation of handling times."""

    __slots__ = ("_ratios", "_seen", "_squares")

    def __init__(self, cv: float, worth: float = 60.0) -> None:
        self._seen = self._ratios = worth
        self._squares = worth * (1 + cv**2)

    def learn(self, ratio: float) -> None:
        """``ratio``: one handling time over the mean."""
        ratio = min(ratio, 8.0)
        self._seen = self._seen * 0.998 + 1
        self._ratios = self._ratios * 0.998 + ratio
        self._squares = self._squares * 0.998 + ratio**2

    @property
    def cv2(self) -> float:
        return min(4.0, max(0.1, self._squares * self._seen / self._ratios**2 - 1))


class Handlings:
    """The handling times of a centre, by queue and kind.

    ``prior_s``: what is believed at first, for all or by queue ("" for the others); None: nothing is.
    """

    DEFAULT_S = 300.0
    PROMISED = 0.87
    """A promise's share of a call's handling time: some are not reached, after a minute of dialling."""

    __slots__ = ("_cv", "_each", "_prior_s", "busy", "ended", "spread")

    def __init__(self, prior_s: float | Mapping[str, float] | None, cv: float) -> None:
        self._prior_s, self._cv = prior_s, cv
        self._each: dict[tuple[str, str], Handling] = {}
        self.busy: dict[tuple[str, str], int] = {}
        self.spread = Spread(cv)
        self.ended = 0

    def unknown(self, few: int) -> bool:
        return self._prior_s is None and self.ended < few

    def of(self, queue: str, kind: str) -> Handling:
        found = self._each.get((queue, kind))
        if found is None:
            found = self._each[queue, kind] = Handling(self._first_s(queue, kind), self._cv)
        return found

    def _first_s(self, queue: str, kind: str) -> float:
        if kind != "live":
            return self.mean_s(queue, "live") * (self.PROMISED if kind == "promise" else 1.0)
        if isinstance(self._prior_s, Mapping):
            return self._prior_s.get(queue, self._prior_s.get("", self.DEFAULT_S))
        return self._prior_s if self._prior_s else self.DEFAULT_S

    def mean_s(self, queue: str, kind: str) -> float:
        return self.of(queue, kind).mean_s

    def doubt(self, queue: str) -> float:
        """Relative variance of a queue's mean handling time."""
        return self.of(queue, "live").rate.doubt * self.spread.cv2

    def begin(self, queue: str, kind: str, number: int, t: float) -> None:
        self.of(queue, kind).begin(number, t)
        self.busy[queue, kind] = self.busy.get((queue, kind), 0) + 1

    def end(self, queue: str, kind: str, number: int, lasted: float, lean: float) -> None:
        handling = self.of(queue, kind)
        if kind == "live":
            self.spread.learn(lasted / handling.mean_s)
        handling.end(number, lean)
        self.busy[queue, kind] -= 1
        self.ended += 1

    def forget(self, queue: str, kind: str, number: int) -> None:
        self.of(queue, kind).forget(number)
        self.busy[queue, kind] -= 1

    def expose(self, passed: float, t: float) -> None:
        for of, busy in self.busy.items():
            if busy:
                self._each[of].expose(passed, busy, t)
