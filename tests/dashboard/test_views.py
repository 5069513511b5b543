from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard import views
from queueing.figures import Figures
from queueing.honesty import Honesty
from queueing.presence import Presence
from queueing.records import AgentNow, Board, QueueNow
from queueing.rungs import Ladder
from tests.waits import ladder

AGENT = AgentNow(
    agent="agent1",
    name="Agent 1",
    presence=Presence.READY,
    since_ms=1_000,
    contact="",
    queue="",
    fence=0,
    deadline_ms=0,
    misses=0,
    after="",
    reason="",
    line="softphone",
    idle_ms=1_000,
    skills={"support": 0},
)


def test_a_wait_is_written_as_a_clock() -> None:
    assert [views.clock(ms) for ms in (0, 999, 61_000, 3_729_000, -5, None)] == [
        "0:00",
        "0:00",
        "1:01",
        "1:02:09",
        "0:00",
        "–",
    ]


@given(st.floats(0, 1))
def test_all_and_nothing_are_said_only_of_all_and_nothing(share: float) -> None:
    assert (views.pct(share) == "100 %") == (share == 1)
    assert (views.pct(share) == "0 %") == (share == 0)


def test_a_figure_turns_amber_near_its_target_and_red_past_it() -> None:
    assert [views.level(value, 100) for value in (None, 0, 79, 80, 100, 101)] == [
        "",
        "",
        "",
        "near",
        "near",
        "past",
    ]
    assert [views.level_least(value, 80) for value in (None, 90, 80, 79, 64, 63)] == [
        "",
        "",
        "",
        "near",
        "near",
        "past",
    ]


def board(**waiting: int) -> Board:
    queues = {
        name: QueueNow(name, number, 1_000 if number else None, 700_000 if number else 0, 2, 1)
        for name, number in waiting.items()
    }
    presences = {Presence.READY: 1, Presence.TALKING: 2, Presence.OFF: 5, Presence.AWAY: 1}
    return Board(701_000, queues, presences, 0, 2, (AGENT,))


def test_the_wallboard_names_nobody() -> None:
    told = views.wall_view(
        board(support=3, billing=0),
        Figures(offered=10, answered=8, service_level=0.7, abandonment=0.045),
        Honesty(),
        answered_pct=80,
        within_s=30,
        longest_wait_ms=600_000,
        abandoned_pct=5,
    )
    assert (told.waiting, told.oldest_ms, told.longest_level) == (3, 1_000, "past")
    assert (told.level_pct, told.level_level, told.abandoned_level) == ("70 %", "near", "near")
    assert (told.ready, told.signed_in) == (1, 4)
    assert "Agent 1" not in repr(told)


def test_the_wallboard_tells_callbacks_from_callers() -> None:
    queues = {"support": QueueNow("support", 7, 1_000, 700_000, 2, 1, promises=2)}
    busy = Board(701_000, queues, {}, 0, 0, ())
    told = views.wall_view(
        busy, Figures(), Honesty(), answered_pct=80, within_s=30, longest_wait_ms=600_000, abandoned_pct=5
    )
    assert (told.waiting, told.promises) == (7, 2)
    assert [(row.waiting, row.promises) for row in views.queue_rows(busy, 600_000)] == [(7, 2)]


def test_an_idle_line_has_no_longest_wait() -> None:
    told = views.wall_view(
        board(support=0),
        Figures(),
        Honesty(),
        answered_pct=80,
        within_s=30,
        longest_wait_ms=600_000,
        abandoned_pct=5,
    )
    assert (told.oldest_ms, told.longest_level, told.level_pct) == (None, "", "–")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0.2, "none"), (40, "0:40 too long"), (-65, "1:05 too short")],
)
def test_how_far_a_told_wait_was_off(seconds: float | None, words: str) -> None:
    assert views.off(seconds) == words


def test_told_waits_are_judged_only_when_there_are_enough() -> None:
    assert views.honest(Honesty(30, 30, in_range=0.74)) == "near"
    assert views.honest(Honesty(30, 30, in_range=0.5)) == "past"
    assert views.honest(Honesty(30, 30, in_range=0.76)) == views.honest(Honesty(30, 19, in_range=0.1)) == ""
    assert views.lateness(Honesty(30, 30, late=0.12)) == views.lateness(Honesty(9, 9, late=0.9)) == ""
    assert views.lateness(Honesty(30, 30, late=0.15)) == "near"
    assert views.lateness(Honesty(30, 30, late=0.3)) == "past"


def test_a_queue_says_what_a_newcomer_is_told_or_why_nothing() -> None:
    told = {"support": ladder(3, 240.0), "billing": Ladder(silence="missed"), "vip": ladder(0, 20.0)}
    queues = {name: QueueNow(name, 1, None, 0, 2, 1) for name in (*told, "new")}
    rows = views.queue_rows(Board(0, queues, {}, 0, 0, ()), 600_000, told)
    assert [row.wait for row in rows] == [
        "wait now 8–24 min",
        "waits not told: they missed too often",
        "wait now under 1 min",
        "",
    ]
