"""The arithmetic of the card, and the laws it looks for: each broken law is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks.figures import Row as PromiseRow
from callbacks.states import PromiseState
from drill import reading
from drill.laws import at_work, broken
from drill.scorecard import Call, Facts, FollowUpRow, card, differing
from queueing.journal import Event

MINUTE = 60_000


def call(sid, outcome, at=0, *, answered=None, ended=None, number=None, **more):
    return Call(
        sid, number or f"+1212555{sid}", at * MINUTE, outcome, "support",
        None if answered is None else round(answered * MINUTE),
        None if ended is None else round(ended * MINUTE), **more,
    )  # fmt: skip


def facts(*calls, **more):
    given = {
        "begins_ms": 0,
        "ends_ms": 10 * MINUTE,
        "calls": calls,
        "rang": [each.sid for each in calls],
        "outcomes": {each.sid: 1 for each in calls},
        "follow_ups": [
            FollowUpRow(each.sid, each.outcome, "open", False) for each in calls if each.outcome != "answered"
        ],
    }
    return Facts(**(given | more))


A = call("1", "answered", 0, answered=0.4, ended=5)
B = call("2", "answered", 1, answered=9, ended=12)
C = call("3", "abandoned", 2, ended=6)
SHORT = call("4", "abandoned", 3, ended=3.05)
TEXT = call("5", "deflected", 4, ended=5)


def laws_of(told):
    return {law["law"].split()[0]: law["held"] for law in card(told)["laws"]}


def test_calls_and_waits_are_counted():
    told = card(facts(A, B, C, SHORT, TEXT))
    calls, waits = told["calls"], told["waits"]
    assert (calls["rang"], calls["answered"], calls["abandoned"], calls["short_abandoned"]) == (5, 2, 2, 1)
    assert calls["service_level"] == 0.25  # one in 30 s, of four that did not hang up at once
    assert calls["abandoned_share"] == 0.25
    assert (waits["answered"]["p50_s"], waits["answered"]["max_s"]) == (24, 480)
    assert waits["abandoned"] == {"count": 1, "mean_s": 240, "p50_s": 240, "p90_s": 240, "max_s": 240}


def test_a_person_who_rings_twice_is_one_person():
    again = replace(B, number=C.number)
    people = card(facts(A, again, C, TEXT, kept_numbers={TEXT.number}))["people"]
    assert (people["rang"], people["served"], people["informed"], people["without"]) == (3, 3, 0, 0)
    assert people["calls_each"] == pytest.approx(1.3333)


def test_what_was_announced_is_held_to_what_came():
    told = [(1, 5), (9, 20), (None, 1), (10, None)]
    calls = [
        replace(A, sid=str(i), entered_ms=0, answered_ms=round(8.2 * MINUTE), told_ms=0, told=each)
        for i, each in enumerate(told)
    ]
    announced = card(facts(*calls))["announced"]
    assert announced["told_and_answered"] == 4
    assert (announced["late_share"], announced["within_share"], announced["early_share"]) == (0.5, 0.25, 0.25)


def test_promises_are_counted_by_the_products_own_rules():
    rows = [
        PromiseRow(PromiseState.KEPT, "support", 0, 0, 30 * MINUTE, MINUTE, 20 * MINUTE),
        PromiseRow(PromiseState.KEPT, "support", 0, 0, 30 * MINUTE, MINUTE, 40 * MINUTE),
        PromiseRow(PromiseState.UNREACHABLE, "support", 0, 0, 0),
    ]
    promises = card(facts(A, promises=rows))["promises"]
    assert (promises["made"], promises["on_time"], promises["late"], promises["vain"]) == (3, 1, 1, 1)
    assert promises["waits"]["p50_s"] == 1200


def test_five_minutes_show_who_rang_and_who_still_waited_at_their_end():
    first, second = card(facts(A, B, C, agents=[(0, 2), (6 * MINUTE, 4)]))["slots"]
    assert (first["rang"], first["line"], first["longest_s"], first["agents"]) == (3, 2, 240, 2)
    assert (second["rang"], second["line"], second["agents"]) == (0, 0, 4)


# -- the laws ----------------------------------------------------------------------------------------------


def test_a_clean_run_holds_every_law():
    told = card(facts(A, B, C, TEXT))
    assert told["held"]
    assert differing([told]) == []


@pytest.mark.parametrize(
    ("change", "law"),
    [
        ({"outcomes": {"1": 2, "3": 1}}, "Every"),
        ({"outcomes": {"1": 1}}, "Every"),
        ({"rang": ["1", "3", "9"]}, "The"),
        ({"follow_ups": []}, "The"),
        ({"unkept": ["PR1"]}, "The"),
        ({"broken": {"twice": ["PR2"]}}, "Nobody"),
        ({"broken": {"order": ["7 before 6"]}}, "First"),
        ({"breaches": ["12200 a bad document"]}, "Twilio's"),
    ],
)
def test_each_broken_law_is_seen(change, law):
    told = card(facts(A, C, **change))
    assert not told["held"]
    assert [each for each in differing([told]) if each.startswith(law)], differing([told])


def test_an_outcome_that_is_none_does_not_add_up():
    assert not card(facts(A, replace(C, outcome="")))["held"]


def test_who_hung_up_at_once_is_owed_nothing():
    assert card(facts(A, SHORT, follow_ups=[]))["held"]


# -- the journal -------------------------------------------------------------------------------------------


def event(kind, contact="", agent="", at=0, band="p2", **fields):
    return Event(f"{at}-0", kind, at, contact, agent, "support", band, {k: str(v) for k, v in fields.items()})


ENTERED = [event("entered", "CA1", arrival=10), event("entered", "CA2", arrival=20)]


def test_who_comes_first_is_asked_for_first():
    assert broken([*ENTERED, event("reserved", "CA1"), event("reserved", "CA2")])["order"] == []


def test_who_is_overtaken_is_found():
    assert broken([*ENTERED, event("reserved", "CA2")])["order"] == ["CA2 before CA1"]


@pytest.mark.parametrize(
    "excuse",
    [
        [event("ended", "CA1")],
        [event("reserved", "CA1"), event("declined", "CA1")],
        [event("band_changed", "CA1")],
        [event("transferred", "CA1")],
    ],
)
def test_an_overtaking_that_is_explained_is_none(excuse):
    assert broken([*ENTERED, *excuse, event("reserved", "CA2")])["order"] == []


def test_bands_are_lines_of_their_own():
    other = event("entered", "CA3", arrival=30, band="p1")
    assert broken([*ENTERED, other, event("reserved", "CA3", band="p1")])["order"] == []


def test_who_meets_two_agents_is_found_unless_passed_on():
    twice = [event("connected", "CA1", at=1), event("connected", "CA1", at=2)]
    assert broken(twice)["twice"] == ["CA1"]
    assert broken([twice[0], event("transferred", "CA1"), twice[1]])["twice"] == []


def test_a_promise_kept_in_two_turns_is_found():
    name = "PR0123456789abcdef"
    turns = [event("connected", f"{name}.1"), event("connected", f"{name}.2")]
    assert broken(turns)["twice"] == [name]


@pytest.mark.parametrize("word", ["machine", "wrong_number", "again"])
def test_a_promise_whose_agent_says_that_it_was_in_vain_is_rung_once_more(word):
    """A drill of the flood took such a promise for one that was kept twice."""
    name = "PR0123456789abcdef"
    first, second = event("connected", f"{name}.1"), event("connected", f"{name}.2")
    assert broken([first, event("note", f"{name}.1", outcome=word), second])["twice"] == []
    kept = event("note", f"{name}.1", outcome="reached")
    assert broken([first, kept, second])["twice"] == [name]


def test_a_broken_law_is_said_before_all_figures():
    clean, twice = card(facts(call("CA1", "answered"))), card(facts(broken={"twice": ["CA1"]}))
    assert reading.broken({"runs": [{"card": clean}]}) == ""
    assert reading.broken({"runs": [{"card": clean}, {"card": twice}]}) == "Not held: Nobody is served twice."


def test_who_is_at_work():
    steps = at_work(
        [
            event("agent_ready", agent="ann", at=1),
            event("agent_ready", agent="bob", at=2),
            event("reserved", "CA1", agent="ann", at=3),
            event("agent_away", agent="ann", at=4),
            event("agent_off", agent="bob", at=5),
        ]
    )
    assert steps == [(1, 1), (2, 2), (4, 1), (5, 0)]
