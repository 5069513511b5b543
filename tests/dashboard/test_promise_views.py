"""Promises into what pages show."""

from __future__ import annotations

import pytest

from carrier.numbers import masked
from dashboard.promise_views import (
    PromiseFacts,
    callback_card,
    guess,
    holders,
    left,
    left_level,
    owed_row,
    owed_view,
    span,
    within,
)
from queueing.presence import Presence
from queueing.records import AgentNow
from tests.callbacks.test_owed import MIN, NOW, owed

PROMISE = "PR00000000000000aa"


def agent(presence: Presence, deadline_ms: int = 0) -> AgentNow:
    return AgentNow(
        "ann", "Ann", presence, NOW, f"{PROMISE}.1", "support", 1, deadline_ms, 0, "", "", "softphone", 0, {}
    )


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "0:00"), (65_000, "1:05"), (600_000, "10 min"), (6_240_000, "1 h 44 min"), (200_000_000, "2 days")],
)
def test_spans(ms: int, words: str) -> None:
    assert span(ms) == words


def test_the_time_left_and_its_level() -> None:
    made, by = NOW - 40 * MIN, NOW + 60 * MIN
    assert (left(by, NOW), left_level(by, made, NOW)) == ("1 h 0 min left", "")
    assert left_level(by, made, by - 19 * MIN) == "near"
    assert (left(by, by + 1_000), left_level(by, made, by + 1_000)) == ("late by 0:01", "past")
    assert left_level(0, made, NOW) == ""


def test_quiet_hours_over_midnight() -> None:
    assert [within(clock, "21:00", "08:00") for clock in ("20:59", "21:00", "07:59", "08:00")] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("result", "talked", "code"),
    [
        ("no_answer", False, "no_answer"),
        ("busy", False, "no_answer"),
        ("machine", False, "machine"),
        ("wrong_number", False, "wrong_number"),
        ("agent_gone", False, "again"),
        ("", True, "reached"),
        ("", False, ""),
        ("nonsense", False, ""),
    ],
)
def test_what_the_system_knows_is_chosen_already(result: str, talked: bool, code: str) -> None:
    assert guess(result, talked)[0] == code


def test_a_card_knows_the_merchants_own_time() -> None:
    facts = PromiseFacts("PR1", 3, "+14155554471", NOW, NOW, False, 1, 3, "America/Los_Angeles", True)
    card = callback_card(facts, masked, now_ms=NOW, talked=False, quiet=("12:00", "16:00"))
    assert (card.there, card.night, card.tries, card.number) == (
        "14:13",
        True,
        "try 2 of 3",
        "+1 415 ••• 4471",
    )


@pytest.mark.parametrize(
    ("presence", "deadline_ms", "state", "said"),
    [
        (Presence.RESERVED, NOW + 1, "in_line", ("asked", "Ann")),
        (Presence.TALKING, NOW + 1, "in_line", ("calling", "Ann")),
        (Presence.TALKING, NOW + 1, "dialing", ("calling", "Ann")),
        (Presence.TALKING, 0, "connected", ("talking", "Ann")),
        (Presence.WRAP_UP, NOW + 1, "in_line", ("in line", "")),
    ],
)
def test_a_row_says_who_has_it(
    presence: Presence, deadline_ms: int, state: str, said: tuple[str, str]
) -> None:
    held = holders([agent(presence, deadline_ms)])
    row = owed_row(owed(PROMISE, state=state), held, masked, now_ms=NOW, most_tries=3)
    assert (row.word, row.who) == said
    assert row.can_claim is (presence is Presence.WRAP_UP)


def test_who_waits_later_or_rang_in_cannot_be_claimed() -> None:
    later = owed_row(owed("a", state="due_later"), {}, masked, now_ms=NOW, most_tries=3)
    rang = owed_row(owed("b", live_contact="CA9"), {}, masked, now_ms=NOW, most_tries=3)
    assert (later.word, later.can_claim, later.can_change) == ("later", False, True)
    assert (rang.word, rang.can_claim) == ("rang in, on hold", False)


def test_where_the_merchant_is_rung_first_there_is_nothing_to_claim() -> None:
    row = owed_row(owed("a", mode="merchant_first"), {}, masked, now_ms=NOW, most_tries=3)
    assert (row.word, row.can_claim, row.can_change) == ("in line", False, True)


def test_a_page_of_the_list_and_the_next_one_of_all() -> None:
    rows = [owed(f"PR{i}", state="dialing" if i == 0 else "in_line") for i in range(7)]
    view = owed_view(rows, {}, masked, now_ms=NOW, most_tries=3, start=5, size=5)
    assert ([row.id for row in view.rows], view.total, view.start) == (["PR5", "PR6"], 7, 5)
    assert view.next is not None
    assert view.next.id == "PR1"
    beyond = owed_view(rows, {}, masked, now_ms=NOW, most_tries=3, start=50, size=5)
    assert beyond.start == 0
