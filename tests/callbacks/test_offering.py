"""When a callback is offered, when it is not, and what is then said."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from announcements.book import page
from callbacks.offering import Facts, Offer, Refusal, Why, can_be_kept, decide
from callbacks.policy import CallbackPolicy
from carrier.numbers import NotDialled

POLICY = CallbackPolicy()
TYPED = CallbackPolicy(other_number=True)
LONG = Facts(announced_s=600, agents=10, handling_s=300)


def why(facts: Facts, policy: CallbackPolicy = POLICY) -> Why | None:
    decided = decide(policy, facts)
    return decided.why if isinstance(decided, Refusal) else None


def test_offered_when_the_announced_wait_is_over_three_minutes():
    assert why(replace(LONG, announced_s=180)) is Why.SHORT_WAIT
    assert decide(POLICY, replace(LONG, announced_s=180.5)) == Offer()


def test_offered_when_the_caller_has_waited_two_minutes_whatever_is_announced():
    assert why(replace(LONG, announced_s=None, waited_ms=119_999)) is Why.SHORT_WAIT
    assert decide(POLICY, replace(LONG, announced_s=None, waited_ms=120_000)) == Offer()
    assert decide(POLICY, replace(LONG, announced_s=30, waited_ms=120_000)) == Offer()


def test_offered_again_at_every_third_announcement():
    offered, offers = [], 0
    for announcement in range(10):
        facts = replace(
            LONG, announcements=announcement, offers=offers, offered_at=offered[-1] if offered else 0
        )
        if isinstance(decide(POLICY, facts), Offer):
            offered.append(announcement)
            offers += 1
    assert offered == [0, 3, 6, 9]
    assert decide(POLICY, replace(LONG, announcements=3, offers=1)) == Offer(again=True)


def test_who_asks_is_not_told_that_the_wait_is_short():
    asking = replace(LONG, announced_s=None, offers=1, announcements=1, offered_at=1, asked=True)
    assert why(asking) is None
    assert why(replace(asking, asked=False)) is Why.LATELY


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"offering": False}, Why.SWITCHED_OFF),
        ({"keeping": False}, Why.NOT_KEEPING),
        ({"being_asked": True}, Why.BEING_ASKED),
        ({"has_promise": True}, Why.ALREADY),
        ({"withheld": True}, Why.WITHHELD),
        ({"undialable": "premium"}, Why.NOT_DIALABLE),
        ({"open_promises": 500}, Why.CAP),
        ({"open_promises": 20, "max_open": 20}, Why.CAP),
        ({"max_open": 0}, Why.CAP),
        ({"closes_in_ms": 0}, Why.CLOSED),
        ({"closes_in_ms": 29_000}, Why.CLOSING),
        ({"closes_in_ms": 3_600_000, "agents": 0}, Why.CLOSING),
    ],
)
def test_each_reason_not_to_holds_for_who_asks_as_well(changed: dict, expected: Why):
    for asked in (False, True):
        assert why(replace(LONG, asked=asked, **changed)) is expected


def test_a_centre_that_never_calls_back():
    assert why(LONG, CallbackPolicy(enabled=False)) is Why.NEVER


def test_just_below_the_cap_it_is_offered():
    assert why(replace(LONG, open_promises=499)) is None
    assert why(replace(LONG, open_promises=600, max_open=1000)) is None


def test_who_cannot_be_rung_may_type_another_number_where_that_is_allowed():
    assert decide(TYPED, replace(LONG, withheld=True)) == Offer(type_number=True)
    assert decide(TYPED, replace(LONG, undialable="foreign")) == Offer(type_number=True)
    assert decide(TYPED, LONG) == Offer()


def test_the_offer_closes_itself_when_the_work_in_line_is_more_than_the_agents_have_time_for():
    """10 agents, 300 s each, an hour left: 120 contacts can be served."""
    hour = replace(LONG, closes_in_ms=3_600_000)
    assert why(replace(hour, promises=100, live=20)) is None
    assert why(replace(hour, promises=101, live=20)) is Why.CLOSING
    assert why(replace(hour, promises=10_000, handling_s=None)) is None
    assert why(replace(LONG, promises=10_000, closes_in_ms=None)) is None


def test_no_more_is_promised_than_the_agents_can_ring_back_in_the_budget():
    """10 agents, 300 s each, an hour: 120 callbacks, whoever else waits, and of however many queues."""
    hour = CallbackPolicy(budget_ms=3_600_000)
    assert why(replace(LONG, owed_s=119 * 300, live=1000), hour) is None
    assert why(replace(LONG, owed_s=119.5 * 300), hour) is Why.BUDGET
    assert why(replace(LONG, owed_s=0, agents=0), hour) is Why.BUDGET
    assert why(replace(LONG, owed_s=10**6, handling_s=None), hour) is None
    assert why(replace(LONG, owed_s=10**6)) is None
    refused = decide(hour, replace(LONG, owed_s=36_000))
    assert isinstance(refused, Refusal)
    assert refused.reason == "36000 s of callbacks are in line, and the agents have 36000 s for them"


def test_the_budget_is_of_those_who_will_be_there_by_the_roster():
    """Ten agents for half an hour, and twenty after it, or nobody."""
    hour = CallbackPolicy(budget_ms=3_600_000)
    more, none = replace(LONG, plan=((0, 10), (1800, 20))), replace(LONG, plan=((0, 10), (1800, 0)))
    assert why(replace(more, owed_s=53_700), hour) is None
    assert why(replace(more, owed_s=53_701), hour) is Why.BUDGET
    assert why(replace(none, owed_s=17_700), hour) is None
    assert why(replace(none, owed_s=17_701), hour) is Why.BUDGET


def test_a_longest_wait_may_be_set_beyond_which_nothing_is_promised():
    quarter = CallbackPolicy(longest_wait_ms=900_000)
    assert why(replace(LONG, announced_s=900), quarter) is None
    assert why(replace(LONG, announced_s=901), quarter) is Why.TOO_LONG
    assert why(replace(LONG, announced_s=None, waited_ms=120_000), quarter) is None


def test_by_the_roster_those_count_who_will_be_there_until_we_close():
    """An hour left: ten agents for half of it and twenty after, or nobody after."""
    hour = replace(LONG, closes_in_ms=3_600_000, live=1)
    more, none = replace(hour, plan=((0, 10), (1800, 20))), replace(hour, plan=((0, 10), (1800, 0)))
    assert why(replace(more, promises=179)) is None
    assert why(replace(more, promises=180)) is Why.CLOSING
    assert why(replace(none, promises=59)) is None
    assert why(replace(none, promises=60)) is Why.CLOSING
    assert why(replace(hour, agents=0, plan=((0, 0), (1800, 2)), promises=11)) is None


def test_the_reason_is_in_plain_words():
    refused = decide(POLICY, replace(LONG, promises=119, live=2, closes_in_ms=3_600_000))
    assert isinstance(refused, Refusal)
    assert refused.reason == "36300 s of work are in line, and the agents have 36000 s until we close"


@given(
    st.integers(0, 500), st.integers(1, 500), st.integers(0, 50), st.floats(0, 3600), st.integers(0, 10**8)
)
def test_more_work_or_fewer_agents_never_open_what_was_closed(
    promises: int, live: int, agents: int, handling_s: float, left_ms: int
):
    plan, fewer = [(0.0, agents), (1800.0, agents + 2)], [(0.0, max(0, agents - 1)), (1800.0, agents + 2)]
    if not can_be_kept(promises, live, plan, handling_s, left_ms):
        assert not can_be_kept(promises + 1, live, plan, handling_s, left_ms)
        assert not can_be_kept(promises, live + 1, plan, handling_s, left_ms)
        assert not can_be_kept(promises, live, fewer, handling_s, left_ms)
        assert not can_be_kept(promises, live, plan, handling_s, left_ms // 2)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_refusal_that_is_said_has_its_sentence(language: str):
    said = {"promise_not_now", "promise_number_withheld", *(f"number_refused_{why}" for why in NotDialled)}
    for changed in ({"withheld": True}, {"offering": False}, *({"undialable": str(w)} for w in NotDialled)):
        refused = decide(POLICY, replace(LONG, **changed))
        assert isinstance(refused, Refusal)
        assert refused.say in said
    assert said <= set(page(language).voice)
