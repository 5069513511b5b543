"""The walk from the head of the line to a place in it: when is it reached, and how surely.

"Fluid survival": each contact ahead is still there at time t with probability S(t) and then takes an agent
for its handling time; promises do not hang up. Through a block of neighbours the walk is solved in closed
form: with live work A, other work B (both in agent-seconds), hazard h and drain D (agents less those that
higher bands take), dt/df = (A S e^(-h t) + B) / D over the block's fraction f, so that y = e^(h t) obeys
dy/df = h (A S + B y) / D. The drain is constant over a segment: staff that changes, higher bands that no
longer overtake, and calls that already last longer or shorter than usual each begin a new one.

Variance per caller, as in the plain form: V <- V (1 - h x)^2 + S (e2 + 1/d^2) - x^2, summed over the block.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from queueing.patience import Hazard

FOREVER = math.inf


class Segment(NamedTuple):
    """Until ``end`` (s from now): ``drain`` agents' worth for us; ``step_var``: e2 in s^2 for one contact."""

    end: float
    drain: float
    step_var: float


class Load(NamedTuple):
    """What a block asks: agent-seconds of those who may hang up and of those who don't, their mean birth
    (s).
    """

    live: float
    kept: float
    born: float


class Reach(NamedTuple):
    """Where the walk is: ``at`` s from now, with that variance, in the given segment."""

    at: float
    variance: float
    segment: int


def through(
    load: Load, reach: Reach, segments: Sequence[Segment], hazard: Hazard, now: float, unit: float
) -> Reach:
    """The walk past one block. ``unit``: mean handling time (s), what one contact counts in the variance.

    ``at`` is infinite when the line is never drained that far.
    """
    live, kept = load.live, load.kept
    at, variance, index = reach.at, reach.variance, reach.segment
    age = max(0.0, now - load.born)
    last = len(segments) - 1
    while live + kept > 1e-9:
        if at == FOREVER:
            break
        segment = segments[index]
        drain = segment.drain
        here = live * hazard.staying(age, at) if live > 0 else 0.0
        h = hazard.at(age + at) if live > 0 else 0.0
        took, part = _crossing(here, kept, h, drain, segment.end - at)
        if took == FOREVER and index == last:
            return Reach(FOREVER, variance, index)
        if took == FOREVER:
            took = segment.end - at
        elif part > 0:
            # In the middle of what is crossed: who is still there, and how much of a step's variance remains.
            thins = h * took * (here / (here + kept))
            survive = here / live * math.exp(-h * took / 2) if live > 0 else 0.0
            one = unit / drain
            steps = live * survive * (segment.step_var + (1 - survive) * one * one) + kept * segment.step_var
            variance = variance * math.exp(-2 * thins) + part * steps / unit * math.exp(-thins)
        at += took
        live *= 1 - part
        kept *= 1 - part
        if part < 1 and index < last:
            index += 1
        elif part < 1:
            break
    return Reach(at, variance, index)


def _crossing(here: float, kept: float, h: float, drain: float, room: float) -> tuple[float, float]:
    """Seconds taken and fraction of the block done, within the ``room`` that the segment leaves."""
    if drain <= 0:
        return (room, 0.0) if room < FOREVER else (FOREVER, 0.0)
    plain = (here + kept) / drain
    if h * plain < 1e-4:
        return (plain, 1.0) if plain <= room else (room, room / plain)
    if kept < 1e-6 * here:
        grows = h * here / drain
        took = math.log1p(grows) / h
        return (took, 1.0) if took <= room else (room, math.expm1(h * room) / grows)
    q, r = here / kept, h * kept / drain
    took = math.log1p((1 + q) * math.expm1(r)) / h if r < 500 else FOREVER
    if took <= room:
        return took, 1.0
    return room, math.log1p(math.expm1(h * room) / (1 + q)) / r
