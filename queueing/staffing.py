"""Agents now and to come: signed in by queue, planned by the roster, and how many of them really are at work.

An agent who is signed in and free while somebody waits is not there for us: a share that is learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

Roster = Callable[[float], float] | Iterable[tuple[float, float]]
Plan = Sequence[tuple[float, float]]
"""(s from now, agents from then on), the first at 0; empty where nobody planned."""

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

    def rostered(self, queue: str) -> bool:
        """Whether a roster tells of this queue's agents; "" of all."""
        return queue in self._rosters or "" in self._rosters

    def plan(self, now: float, queue: str) -> Plan:
        """From those at work now, by the roster where there is one.

        By a roster of the whole centre a queue gets the share that it has of those at work now.
        """
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
        whole = self.counts.get("", 0) if queue in self.counts and queue not in self._rosters else 0
        part = agents / whole if whole else 1.0
        more, plan = agents - here * part, [(0.0, agents)]
        for at, n in coming:
            planned = max(0.0, n * part + more * math.exp(-at / SETTLES_S))
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


def agents_at(plan: Plan, at: float) -> float:
    """How many there are ``at`` seconds from now, by a plan that is not empty."""
    return [agents for begins, agents in plan if begins <= max(at, 0.0)][-1]


def agent_seconds(plan: Plan, until: float) -> float:
    """What they can work from now on, in seconds, for so many seconds."""
    ends = [begins for begins, _ in plan[1:]] + [math.inf]
    spans = zip(plan, ends, strict=True)
    return sum(agents * max(0.0, min(end, until) - begins) for (begins, agents), end in spans)


def together(plans: Sequence[Plan], agents: int) -> Plan:
    """The plans of queues as one; who serves two stands in both, so it begins with the ``agents`` of now."""
    sums = [
        (at, sum(agents_at(plan, at) for plan in plans)) for at in sorted({at for p in plans for at, _ in p})
    ]
    part = agents / sums[0][1] if agents and sums and sums[0][1] else 1.0
    return [(at, count * part) for at, count in sums]


def packed(plan: Plan) -> str:
    """One word of text: ``0:12,3600:16``."""
    return ",".join(f"{at:.0f}:{agents:.4g}" for at, agents in plan)


def unpacked(text: str) -> Plan:
    """What is no plan is an empty one."""
    try:
        pairs = [step.split(":") for step in text.split(",") if step]
        return tuple((float(at), float(agents)) for at, agents in pairs)
    except ValueError:
        return ()
