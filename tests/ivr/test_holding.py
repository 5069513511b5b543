"""Which queue at Twilio holds a call."""

from __future__ import annotations

from collections import Counter

import pytest

from ivr.holding import LARGEST, held_for, hold_queue, hold_queues
from queueing.policy import LinePolicy, Queue

SMALL = LinePolicy()
LARGE = LinePolicy(queues=(Queue("support", max_waiting=20_000), Queue("payments")))


def test_a_queue_that_fits_has_one_by_its_own_name() -> None:
    assert hold_queue(SMALL, "support", "p1", "CA1") == "support.p1"
    assert list(hold_queues(SMALL)) == ["support.p0", "support.p1", "support.p2"]


def test_where_more_may_wait_than_twilio_holds_there_are_several() -> None:
    names = [name for name, where in hold_queues(LARGE).items() if where == ("support", "p2")]
    assert names == [f"support.p2.{number}" for number in (1, 2, 3, 4, 5)]
    assert hold_queues(LARGE)["payments.p2"] == ("payments", "p2")


def test_none_fills_when_as_many_wait_as_may_and_all_in_one_band() -> None:
    calls = [f"CA{number:032x}" for number in range(20_000)]
    sizes = Counter(hold_queue(LARGE, "support", "p2", call) for call in calls)
    assert len(sizes) == 5
    assert max(sizes.values()) < LARGEST * 0.9


def test_a_call_finds_its_queue_again_by_its_name_alone() -> None:
    first = hold_queue(LARGE, "support", "p2", "CA77")
    assert hold_queue(LARGE, "support", "p2", "CA77") == first
    assert first in hold_queues(LARGE)


def test_the_name_at_twilio_tells_queue_and_band() -> None:
    assert {name: held_for(LARGE, name) for name in hold_queues(LARGE)} == hold_queues(LARGE)


@pytest.mark.parametrize("name", ["support.p2", "support.p2.1", "support.p2.9"])
def test_callers_are_recognised_in_a_queue_of_another_count_of_queues(name: str) -> None:
    """``max_waiting`` was changed while they waited: they wait on where they are."""
    assert held_for(SMALL, name) == held_for(LARGE, name) == ("support", "p2")


@pytest.mark.parametrize(
    "name", ["", "support", "support.p9", "sales.p2", "support.p2.", "support.p2.x", "."]
)
def test_somebody_elses_queue_is_not_ours(name: str) -> None:
    assert held_for(SMALL, name) is None
