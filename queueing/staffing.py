"""Agents now and to come: signed in by queue, planned by the roster, and how many of them really are at work.

An agent who is signed in and free while somebody waits is not there for us: a share that is learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

Roster = Callable[[float], float] | Iterable[tuple[float, float]]
Plan = Sequence[tuple[float, float]]
"""(s from now, agents from then on), the first at 0."""

HORIZON_S = 12 * 3600.0
GRID_S = 300.0
"""A roster given as a function is asked at so many seconds' distance."""
SETTLES_S = 3600.0
"""More or fewer agents than the roster says: the difference is thought to fade like this."""
READY_WORTH_S = 7200.0
READY_HALF_LIFE_S = 72000.0


class Staff:
    """``shares[mine][theirs]``: the share of the work of queue ``theirs`` done by agents who serve ``mine``
    too.

    None: all agents serve all queues. A queue without a count of its own has that of the whole centre.
    """

    __slots__ = ("_idle_s", "_rosters", "_steps", "_waited_s", "counts", "shares")

    def __init__(self, shares: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self.counts: dict[str, int] = {}
        self.shares = shares
        self._rosters: dict[str, Roster] = {}
        self._steps: dict[str, tuple[float, list[tuple[float, float]]]] = {}
        self._waited_s = READY_WORTH_S
        self._idle_s = 0.0

    def sign(self, queue: str, n: int) -> None:
        self.counts[queue] = max(0, int(n))

    def follow(self, queue: str, roster: Roster | None) -> None:
        self._steps.pop(queue, None)
        if roster is None:
            self._rosters.pop(queue, None)
        else:
            self._rosters[queue] = roster if callable(roster) else sorted(roster)

    def of(self, queue: str) -> int:
        return self.counts[queue] if queue in self.counts else self.counts.get("", 0)

    def share(self, mine: str, theirs: str) -> float:
        if mine == theirs or self.shares is None:
            return 1.0
        return self.shares.get(mine, {}).get(theirs, 0.0)

    # --- who is really there --------------------------------------------------------------------------

    def watch(self, passed: float, busy: int) -> None:
        """Somebody waited for ``passed`` seconds while so many agents were busy.

        Where not all serve all queues, who idles may serve another.
        """
        if self.shares is not None:
            return
        agents = self.counts.get("", 0) or sum(self.counts.values())
        if agents <= 0:
            return
        fade = 0.5 ** (agents * passed / READY_HALF_LIFE_S)
        self._waited_s = self._waited_s * fade + agents * passed
        self._idle_s = self._idle_s * fade + max(0, agents - busy) * passed

    @property
    def ready(self) -> float:
        """The share of those signed in who are at work when somebody waits."""
        return 1 - self._idle_s / max(self._waited_s, READY_WORTH_S)

    # --- who will be there ----------------------------------------------------------------------------

    def plan(self, now: float, queue: str) -> Plan:
        """From those at work now, by the roster where there is one."""
        agents = float(self.of(queue))
        roster = self._rosters.get(queue, self._rosters.get(""))
        if roster is None:
            return [(0.0, agents)]
        here, coming = 0.0, []
        for at, n in self._rostered(now, queue, roster):
            if at <= now:
                here = n
            elif at < now + HORIZON_S:
                coming.append((at - now, n))
        more, plan = agents - here, [(0.0, agents)]
        for at, n in coming:
            planned = max(0.0, n + more * math.exp(-at / SETTLES_S))
            if planned != plan[-1][1]:
                plan.append((at, planned))
        return plan

    def _rostered(self, now: float, queue: str, roster: Roster) -> list[tuple[float, float]]:
        if not callable(roster):
            return roster  # type: ignore[return-value]  # follow() made it a list
        first = math.floor(now / GRID_S) * GRID_S
        kept = self._steps.get(queue)
        if kept is None or kept[0] != first:
            grid = (first + GRID_S * at for at in range(int(HORIZON_S / GRID_S)))
            kept = self._steps[queue] = (first, [(at, float(roster(at))) for at in grid])
        return kept[1]
