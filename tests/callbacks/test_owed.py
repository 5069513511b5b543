"""In which order promises are owed, and which of them are late."""

from __future__ import annotations

from typing import Any

from callbacks.owed import Owed, chosen, counts, in_order

NOW = 1_700_000_000_000
MIN = 60_000


def owed(name: str, **given: Any) -> Owed:
    told: dict[str, Any] = {
        "state": "in_line",
        "number": "+14155550100",
        "queue": "support",
        "band": "p2",
        "arrival_us": NOW * 1000,
        "made_ms": NOW - 30 * MIN,
        "due_ms": NOW - 30 * MIN,
        "by_ms": NOW + 10 * MIN,
        "windowed": False,
        "language": "en",
        "time_zone": "",
        "merchant": "",
        "location": "",
        "tier": "",
        "topic": "",
        "turn": 1,
        "tries": 0,
        "agent": "",
        "contact": "CA1",
        "live_contact": "",
        "texts": False,
        "version": 0,
    }
    return Owed(id=name, **(told | given))


def names(rows: list[Owed]) -> list[str]:
    return [row.id for row in rows]


def test_the_late_ones_come_first_the_latest_of_all_before() -> None:
    rows = [owed("soon"), owed("late", by_ms=NOW - MIN), owed("latest", by_ms=NOW - 9 * MIN)]
    assert names(in_order(rows, {}, NOW)) == ["latest", "late", "soon"]


def test_then_by_place_where_a_head_start_counts_and_then_as_due() -> None:
    rows = [
        owed("later", state="due_later", due_ms=NOW + 60 * MIN, by_ms=NOW + 90 * MIN),
        owed("sooner", state="due_later", due_ms=NOW + 30 * MIN, by_ms=NOW + 90 * MIN),
        owed("plain", arrival_us=(NOW - 5 * MIN) * 1000),
        owed("gold", band="p1", arrival_us=NOW * 1000),
    ]
    assert names(in_order(rows, {"p1": 10 * MIN}, NOW)) == ["gold", "plain", "sooner", "later"]


def test_nothing_is_late_without_a_time_before_its_due_time_or_while_they_talk() -> None:
    assert not owed("untold", by_ms=0).late(NOW)
    assert not owed("put off", state="due_later", by_ms=NOW - MIN, due_ms=NOW + MIN).late(NOW)
    assert not owed("talking", state="connected", by_ms=NOW - MIN).late(NOW)
    assert not owed("on the dot", by_ms=NOW).late(NOW)
    assert owed("late", by_ms=NOW - 1).late(NOW)


def test_the_call_in_which_it_was_made_is_no_ringing_in() -> None:
    assert not owed("made", live_contact="CA1").rang_in
    assert owed("back", live_contact="CA2").rang_in


def test_counts_and_choice() -> None:
    rows = [
        owed("a", by_ms=NOW - 1),
        owed("b", state="due_later", queue="billing"),
        owed("c", state="dialing"),
        owed("d", state="connected"),
    ]
    told = counts(rows, NOW)
    assert (told.open, told.late, told.in_line, told.later, told.calling) == (4, 1, 1, 1, 2)
    assert names(chosen(rows, now_ms=NOW, queues=["billing"])) == ["b"]
    assert names(chosen(rows, now_ms=NOW, state="dialing")) == ["c"]
    assert names(chosen(rows, now_ms=NOW, late=True)) == ["a"]
