"""Agents by half hour: the fewest that keep the target, and who was in."""

from __future__ import annotations

import math

import pytest

from queueing.capacity import Load, answered_within
from queueing.figures import PresenceRow
from queueing.needed import FEW_HANG_UPS, SLOT_S, SLOTS, Work, at_work, plan

QUIET = [0] * SLOTS


def day(**calls: int) -> list[int]:
    counts = list(QUIET)
    for slot, count in calls.items():
        counts[int(slot[1:])] = count
    return counts


@pytest.mark.parametrize("patience_s", [600.0, math.inf])
def test_as_many_as_keep_the_target_and_not_one_more(patience_s: float) -> None:
    slots = plan([day(s20=60), day(s20=40)], 240.0, patience_s, answered=0.8, within_s=30)
    slot = slots[20]
    assert (slot.minute, slot.calls, slot.most) == (600, 50, 60)
    load = Load(50 / SLOT_S, 240.0, patience_s)
    assert answered_within(load, slot.agents, 30) >= 0.8 > answered_within(load, slot.agents - 1, 30)
    busiest = Load(60 / SLOT_S, 240.0, patience_s)
    assert (
        answered_within(busiest, slot.agents_most, 30)
        >= 0.8
        > answered_within(busiest, slot.agents_most - 1, 30)
    )
    assert slot.answered == answered_within(load, slot.agents, 30)
    assert (slot.abandoned == 0) == math.isinf(patience_s)


def test_nobody_is_needed_where_nobody_calls() -> None:
    slots = plan([QUIET, day(s3=1)], 240.0, math.inf, answered=0.8, within_s=30)
    assert [slot.agents for slot in slots].count(0) == SLOTS - 1
    assert (slots[0].answered, slots[0].agents_most) == (None, 0)
    assert (slots[3].calls, slots[3].agents, slots[3].agents_most) == (0.5, 1, 1)


def test_patience_is_known_only_after_some_hang_ups() -> None:
    assert Work(10, 2400.0, FEW_HANG_UPS - 1, 9_000.0).patience_s == math.inf
    assert Work(10, 2400.0, FEW_HANG_UPS, 9_000.0).patience_s == 450.0
    assert Work(10, 2400.0, 0, 0.0).mean_handling_s == 240.0
    assert Work(0, 0.0, 0, 0.0).mean_handling_s is None


def test_who_was_in_is_counted_by_the_time_they_were() -> None:
    slots = [(0, 1000), (1000, 2000), (2000, 2000)]
    rows = [
        PresenceRow("ann", "ready", 500, 1500),
        PresenceRow("ann", "away", 1500, 2000),
        PresenceRow("bob", "talking", -500, 3000),
    ]
    assert at_work(rows, slots) == [1.5, 1.5, 0.0]
