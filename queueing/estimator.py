"""The estimator: how long each contact will still wait, learned from what happens, event by event.

One object per centre, fed by verbs in the order of time and asked at any moment: the same events give the
same numbers. Times in seconds of any epoch; time never goes back, so that a late event counts as of now.
Unknown contacts and repeated events do no harm.

The law is the walk of ``queueing/ladder.py``; what it needs is learned in ``queueing/handling.py`` (handling
times), ``queueing/patience.py``, ``queueing/arrivals.py`` (higher bands still to come) and
``queueing/staffing.py``; ``queueing/calibration.py`` holds what was told against what was had.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from queueing.arrivals import Arrivals, Overtaking
from queueing.calibration import Calibration, Told
from queueing.handling import Handlings
from queueing.ladder import FOREVER, Load, Reach, Segment, through
from queueing.outlook import segments
from queueing.patience import Hazard, Patience
from queueing.places import Place, Places, Tally, tally
from queueing.ranges import Estimate, gamma_range
from queueing.staffing import Roster, Staff

MODEL_ERROR = 0.035
"""Standard deviation of what the law itself gets wrong, as a share of the mean."""

SURGE_ERROR = 0.07
"""The same while calls come much faster than they long did, and nobody knows yet how they differ."""

KEEP_EVERY_S = 20.0
"""At most one estimate in so many seconds is kept to be compared with the wait it became."""

LEAN = 0.05
"""In a surge calls change their nature: after each, so much of the trust goes to the shortest memory."""

FEW = 5
"""Without a prior, nothing is said before so many contacts have been handled."""
REMEMBERED = 4096
"""So many contacts that left are known, to tell a late repeat from a return."""


@dataclass(frozen=True, slots=True)
class Serving:
    """One whom an agent is busy with."""

    place: Place
    since: float


class Estimator:
    """The waits of one centre.

    ``handling_s`` (by queue, or for all) and ``hangup_per_s`` are what is believed at first, for little: some
    contacts teach better. Without ``handling_s`` nothing is said until a few contacts were handled.
    ``roster``: agents over the coming hours, a function of time or steps (from when, how many).
    ``shares``: see ``Staff``; None where all agents serve all queues.
    """

    def __init__(
        self,
        *,
        handling_s: float | Mapping[str, float] | None = None,
        hangup_per_s: float = 1 / 900,
        handling_cv: float = 1.1,
        roster: Roster | None = None,
        shares: Mapping[str, Mapping[str, float]] | None = None,
    ) -> None:
        self.now = -math.inf
        self.staff = Staff(shares)
        self.places = Places()
        self.waiting: dict[Hashable, Place] = {}
        self.serving: dict[Hashable, Serving] = {}
        self.handlings = Handlings(handling_s, handling_cv)
        self.patience = Patience(hangup_per_s)
        self.arrivals = Arrivals()
        self.calibration = Calibration()
        self._left: OrderedDict[Hashable, float] = OrderedDict()
        self._entered = 0
        self._walks: dict[Any, tuple[list[Segment], Hazard, list[Reach]]] = {}
        self._weights: dict[tuple[str, str, str], float] = {}
        self.staff.follow("", roster)

    # --- what happens ---------------------------------------------------------------------------------

    def on_roster(self, t: float, roster: Roster | None, queue: str = "") -> None:
        """The agents planned from now on; None: not known."""
        self._advance(t)
        self.staff.follow(queue, roster)
        self._walks.clear()

    def on_agents(self, t: float, n: int, queue: str = "") -> None:
        """So many are signed in and at work, busy or free; of one queue where they are counted apart."""
        self._advance(t)
        self.staff.sign(queue, n)
        self._walks.clear()

    def on_arrival(
        self,
        t: float,
        contact: Hashable,
        band: int,
        key: Any,
        kind: str = "live",
        queue: str = "",
        since: float | None = None,
    ) -> None:
        """Joins the line; served in ascending key. One who waits already is moved to a new key or kind.

        ``since``: it has waited from then on, unknown to us.
        """
        self._advance(t)
        if contact in self.serving or t <= self._left.get(contact, -math.inf):
            return
        known = self.waiting.get(contact)
        if known is not None:
            self._move(known, key, kind)
            return
        place = self._place(contact, band, key, kind, queue)
        place.born = self.now if since is None else min(since, self.now)
        self._wait(place)
        self.arrivals.arrive(self.now, queue, band, key)
        self._walks.clear()
        if self._free(queue) < 1 and self.calibration.wants(self.now, KEEP_EVERY_S):
            self._keep_in_mind(place)

    def on_convert(self, t: float, contact: Hashable) -> None:
        """Left for a callback: the place is kept, and nobody can hang up any more."""
        self._advance(t)
        place = self.waiting.get(contact)
        if place is not None:
            self._move(place, place.key, "promise")

    def on_abandon(self, t: float, contact: Hashable) -> None:
        """Hung up. Of a promise it means nothing: see ``on_leave``."""
        self._advance(t)
        place = self.waiting.get(contact)
        if place is None or place.kind == "promise":
            return
        if place.kind == "live":
            self.patience.hang_up(self.now - place.born)
        self._leave(place)
        if place.told is not None:
            self.calibration.haunt(place.told)

    def on_leave(self, t: float, contact: Hashable) -> None:
        """Out of the line in any other way (cancelled, moved, closed), which says nothing about patience."""
        self._advance(t)
        place = self.waiting.get(contact)
        if place is not None:
            self._leave(place)

    def on_start(self, t: float, contact: Hashable) -> None:
        """An agent is busy with it from now on, whether it waited here or not."""
        self._advance(t)
        if contact in self.serving or t <= self._left.get(contact, -math.inf):
            return
        place = self.waiting.get(contact)
        if place is None:
            place = self._place(contact, 0, None, "live", "")
        else:
            self._leave(place)
            self._left.pop(contact, None)
            if place.told is not None:
                self.calibration.learn(self.now, place.told)
                place.told = None
            self.calibration.passed(self.now, place.queue, place.rank)
        self.serving[contact] = Serving(place, self.now)
        self.handlings.begin(place.queue, place.kind, place.seq, self.now)
        self._walks.clear()

    def on_return(self, t: float, contact: Hashable) -> None:
        """The agent was asked for it in vain: it is back in its place, and the agent's seconds are lost."""
        self._advance(t)
        call = self.serving.pop(contact, None)
        if call is None:
            return
        place = call.place
        self.handlings.forget(place.queue, place.kind, place.seq)
        self._walks.clear()
        if place.key is not None:  # it had waited here
            self._wait(place)

    def on_end(self, t: float, contact: Hashable) -> None:
        """The agent is free again, wrap-up included."""
        self._advance(t)
        call = self.serving.pop(contact, None)
        if call is None:
            return
        place = call.place
        lean = LEAN if self.arrivals.surging() else 0.0
        self.handlings.end(place.queue, place.kind, place.seq, self.now - call.since, lean)
        self._note_left(contact)
        if not self.waiting:
            self.calibration.idle(self.now)
        self._walks.clear()

    def on_shares(self, t: float, shares: Mapping[str, Mapping[str, float]] | None) -> None:
        """The agents serve other queues than they did: see ``Staff``."""
        self._advance(t)
        self.staff.shares = shares
        self._walks.clear()

    # --- what is asked --------------------------------------------------------------------------------

    def estimate(self, t: float, contact: Hashable) -> Estimate | None:
        """The remaining wait. None when nothing honest can be said.

        That is: not in the line, nobody signed in, too little seen, a line that never ends by the roster, or
        ranges that have missed too often.
        """
        self._advance(t, asked=True)
        place = self.waiting.get(contact)
        return None if place is None else self._estimate(place.queue, place.rank)

    def estimates(self, t: float) -> dict[Hashable, Estimate | None]:
        """The remaining waits of all in the line, the next one first: one walk serves them all."""
        self._advance(t, asked=True)
        return {place.contact: self._estimate(place.queue, place.rank) for place in self.places}

    def newcomer(self, t: float, queue: str, key: Any, *, unsure: bool = False) -> Estimate | None:
        """Of one who would join with this key now; ``unsure``: even where ranges missed, to plan by."""
        self._advance(t, asked=True)
        return self._estimate(queue, (key, self._entered + 1), unsure=unsure)

    def silence(self, queue: str) -> str:
        """Why nothing is said: "nobody" is at work, "few" were seen, ranges "missed" too often; else ""."""
        if self.staff.of(queue) <= 0:
            return "nobody"
        if self.handlings.unknown(FEW):
            return "few"
        return "missed" if self.calibration.lost else ""

    def _estimate(self, queue: str, rank: tuple[Any, int], *, unsure: bool = False) -> Estimate | None:
        if self.silence(queue) not in ("", "missed" if unsure else ""):
            return None
        free = self._free(queue)
        if free >= 1 and free > self.places.ahead(rank):
            return Estimate(0.0, 0.0, 0.0, 0.0)
        moments = self._moments(queue, rank)
        if moments is None:
            return None
        return self._told(*moments)

    def _told(self, mean: float, variance: float) -> Estimate:
        lean, width = self.calibration.corrections(mean)
        error = SURGE_ERROR if self.arrivals.surging() else MODEL_ERROR
        variance += (error * mean) ** 2
        return gamma_range(mean * lean, variance * (lean * width) ** 2)

    # --- the walk -------------------------------------------------------------------------------------

    def _moments(self, queue: str, rank: tuple[Any, int]) -> tuple[float, float] | None:
        """Mean (s) and variance (s^2) of the remaining wait, before calibration; None when it has no end."""
        higher = self.arrivals.overtaking(self.now, rank[0], partial(self.staff.share, queue))
        unit = self.handlings.mean_s(queue, "live")
        profile = (queue, higher)
        if not self._walks:
            self._weights.clear()
        if profile not in self._walks:
            self._walks[profile] = self._begin(queue, higher, unit)
        road, hazard, reaches = self._walks[profile]
        at, inside = self.places.where(rank)
        blocks = self.places.blocks
        while len(reaches) <= at:
            load = self._load(blocks[len(reaches) - 1].sums, queue)
            reaches.append(through(load, reaches[-1], road, hazard, self.now, unit))
        reach = reaches[at]
        if inside:
            load = self._load(tally(blocks[at].places[:inside]), queue)
            reach = through(load, reach, road, hazard, self.now, unit)
        reach = through(
            self._own(reach, hazard, unit, self.staff.of(queue)), reach, road, hazard, self.now, unit
        )
        if reach.at == FOREVER or reach.at <= 0:
            return None
        return reach.at, reach.variance + self._doubt(reach.at, queue, hazard)

    def _begin(
        self, queue: str, higher: Overtaking, unit: float
    ) -> tuple[list[Segment], Hazard, list[Reach]]:
        elapsed = [
            self.now - call.since
            for call in self.serving.values()
            if self.staff.share(queue, call.place.queue) > 0
        ]
        cv2 = self.handlings.spread.cv2
        plan = [(at, n * self.staff.ready) for at, n in self.staff.plan(self.now, queue)]
        hazard = self.patience.hazard
        road = segments(plan, higher, elapsed, unit, cv2, hazard)
        start = Reach(0.0, 0.0, 0)
        leaving = -self._free(queue)
        if leaving > 0:  # more calls than agents: those will sign off, and free nobody
            start = through(Load(0.0, unit * leaving, self.now), start, road, hazard, self.now, unit)
        return road, hazard, [start]

    def _own(self, reach: Reach, hazard: Hazard, unit: float, agents: int) -> Load:
        """One's own step: until an agent is free for this one."""
        if reach.at == FOREVER:
            return Load(0.0, unit, self.now)
        # The walk counts those ahead as a continuous stream: half a step too long where they thin out.
        thinned = (1 - hazard.staying(0.0, reach.at)) / 2
        # The time until a count is reached is longer than the time in which it is reached on average.
        uneven = (self.handlings.spread.cv2 - 1) / 2 * -math.expm1(-reach.at / unit - 1 / agents)
        return Load(0.0, unit * max(0.1, 1 - thinned + uneven), self.now)

    def _doubt(self, mean: float, queue: str, hazard: Hazard) -> float:
        """Variance (s^2) of what is not known exactly: handling time, rate of hanging up."""
        thins = hazard.at(mean / 2) * mean
        elastic = -math.expm1(-thins) / thins if thins > 1e-6 else 1.0
        handling = self.handlings.doubt(queue) * elastic**2
        patience = self.patience.doubt * (1 - elastic) ** 2
        return (handling + patience) * mean**2

    def _load(self, sums: Tally, queue: str) -> Load:
        live = kept = born = 0.0
        for (theirs, kind), (count, births) in sums.items():
            weight = self._weights.get((queue, theirs, kind))
            if weight is None:
                weight = self.handlings.mean_s(theirs, kind) * self.staff.share(queue, theirs)
                self._weights[queue, theirs, kind] = weight
            if kind == "live":
                live += weight * count
                born += weight * births
            else:
                kept += weight * count
        return Load(live, kept, born / live if live else 0.0)

    # --- inside ---------------------------------------------------------------------------------------

    def _free(self, queue: str) -> float:
        """Agents at work and not busy; below nought where some will sign off after their call."""
        agents = self.staff.of(queue)
        if self.staff.shares is None:
            busy = float(len(self.serving))
        else:
            busy = sum(self.staff.share(queue, call.place.queue) for call in self.serving.values())
        if busy >= agents:
            return agents - busy
        return max(0.0, math.floor(agents * self.staff.ready - busy + 0.5))

    def _place(self, contact: Hashable, band: int, key: Any, kind: str, queue: str) -> Place:
        self._entered += 1
        self.handlings.of(queue, kind)  # begun by what is known now, whoever asks when
        return Place(contact, key, self._entered, band, kind, queue, self.now)

    def _keep_in_mind(self, place: Place) -> None:
        moments = self._moments(place.queue, place.rank) if self.staff.of(place.queue) > 0 else None
        if moments is not None:
            said = self._told(*moments)
            place.told = Told(self.now, said.p10, said.p90, moments[0], place.queue, place.rank)

    def _wait(self, place: Place) -> None:
        self.waiting[place.contact] = place
        self.places.add(place)
        if place.kind == "live":
            self.patience.begin(place)

    def _move(self, place: Place, key: Any, kind: str) -> None:
        if place.key == key and place.kind == kind:
            return
        self.places.remove(place)
        if place.kind == "live" and kind != "live":
            self.patience.end(place)
        place.key, place.kind = key, kind
        self.handlings.of(place.queue, kind)
        self.places.add(place)
        self._walks.clear()

    def _leave(self, place: Place) -> None:
        self.places.remove(place)
        del self.waiting[place.contact]
        if place.kind == "live":
            self.patience.end(place)
        self._note_left(place.contact)
        self._walks.clear()

    def _note_left(self, contact: Hashable) -> None:
        self._left[contact] = self.now
        if len(self._left) > REMEMBERED:
            self._left.popitem(last=False)

    def _advance(self, t: float, *, asked: bool = False) -> None:
        passed = t - self.now
        if not passed > 0 or math.isinf(t):
            return
        if passed < math.inf:
            self.arrivals.expose(passed)
            self.handlings.expose(passed, t)
            if self.waiting:
                self.staff.watch(passed, len(self.serving))
        self.now = t
        self.patience.advance(t, passed, fit=not asked)
        self._walks.clear()
