"""How many merchants to dial now, so that whoever picks up meets an agent; and when the next dial may go out.

Pure. The rule is careful: nobody is dialled for an agent who is only hoped for, and every doubt is rounded
down.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from foundation.errors import Mendable


@dataclass(frozen=True, slots=True)
class Floor:
    """The agents of one queue, and who is on the way to them."""

    free: int
    """Agents who are ready and asked by nobody."""
    talks_s: Sequence[float | None]
    """For each busy agent: how long this contact has taken so far, None where that is not known."""
    handling_s: float | None
    """Mean time one contact occupies an agent, wrap-up included; None when it is not known."""
    dial_s: float
    """How long it takes from dialling until a merchant has pressed 1."""
    dialled: int
    """Merchants being dialled, screened or waiting for an agent after pressing 1."""
    live_ahead: int
    """Live callers in line before the first promise: the next agents are theirs."""


def expected_free(floor: Floor) -> float:
    """How many of the busy agents are expected to be free within ``dial_s`` (T), of handling time m.

    The sum over the talks of the lesser of

    - 1 - exp(-T / m), the plain rate, also where it is not known how long the talk has lasted; and
    - 1 - S(e + T) / S(e) with S(t) = (1 + 2t/m) exp(-2t/m): handling times by the Erlang law of two stages
      with mean m, for a talk that has lasted e. A talk that has just begun is less likely to end than the
      plain rate says; that a long one is more likely to is not relied on.

    0 when the handling time is not known.
    """
    mean, dial = floor.handling_s, floor.dial_s
    if mean is None or not math.isfinite(mean) or mean <= 0 or dial <= 0:
        return 0.0
    plain = -math.expm1(-dial / mean)
    return math.fsum(min(plain, _ends_within(dial, spent, mean)) for spent in floor.talks_s)


def merchants_to_dial(floor: Floor, *, safety: float, permits: int) -> int:
    """How many merchants to dial now, at most ``permits`` (the calls that the account may place now).

    floor(free + safety x expected_free) - dialled - live_ahead, never below 0. Free agents count in full:
    the doubt is in the others. Raises Mendable unless 0 <= safety <= 1.
    """
    if not 0 <= safety <= 1:
        raise Mendable("callbacks: the safety of the pace must be from 0 to 1.")
    agents = floor.free + math.floor(safety * expected_free(floor) + 1e-9)
    return max(0, min(agents - floor.dialled - floor.live_ahead, permits))


@dataclass(frozen=True, slots=True)
class Permit:
    """``wait_ms`` until one more dial may go out (0: now), and the instant to remember once it has gone."""

    wait_ms: int
    remember_ms: int


def next_permit(remembered_ms: int, calls_per_s: float, now_ms: int) -> Permit:
    """When the next dial may go out at ``calls_per_s``; ``remembered_ms`` is of the last Permit, 0 of none.

    The generic cell rate algorithm without a burst: the remembered instant is the earliest of the next dial;
    after a dial at t it is t + 1/rate, rounded up to the millisecond, so that the rate is never passed in
    any span of time. An instant more than one gap ahead (a clock that was put back) counts as one gap.
    Remember only when the dial goes out.
    """
    gap_ms = gap_between_ms(calls_per_s)
    at_ms = max(now_ms, min(remembered_ms, now_ms + gap_ms))
    return Permit(at_ms - now_ms, at_ms + gap_ms)


def gap_between_ms(calls_per_s: float) -> int:
    """Milliseconds from one dial to the next. Raises Mendable unless the rate is more than 0."""
    if not calls_per_s > 0:
        raise Mendable("callbacks: calls per second must be more than 0.")
    return math.ceil(1000 / calls_per_s)


def _ends_within(dial_s: float, spent_s: float | None, mean_s: float) -> float:
    """How likely a talk that has lasted ``spent_s`` ends within ``dial_s``; 1 where that is not known."""
    if spent_s is None:
        return 1.0
    spent, more = 2 * max(spent_s, 0) / mean_s, 2 * dial_s / mean_s
    return 1 - (1 + spent + more) / (1 + spent) * math.exp(-more)
