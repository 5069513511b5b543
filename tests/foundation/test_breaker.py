"""When a store stops answering, and how it is taken back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.breaker import Breaker, BreakerRules, BreakerState


@pytest.fixture
def breaker():
    return Breaker("Redis", draw=lambda: 0.5)


def ask(breaker, now_s, *, bad=False, enrichment=False):
    admission = breaker.admit(now_s, enrichment=enrichment)
    if admission:
        breaker.record(admission, now_s, bad=bad)
    return admission is not None


def opened(breaker, at_s=0.0):
    for _ in range(5):
        ask(breaker, at_s, bad=True)
    assert breaker.state is BreakerState.OPEN
    return breaker


def recovered(breaker, at_s=0.0):
    for second in (1, 2, 3):
        assert ask(opened(breaker, at_s) if second == 1 else breaker, at_s + second)
    assert breaker.state is BreakerState.RAMPING
    return breaker


def test_five_failures_in_a_row_open_it(breaker):
    for _ in range(4):
        assert ask(breaker, 0.0, bad=True)
    assert breaker.state is BreakerState.CLOSED
    assert ask(breaker, 0.0, bad=True)
    assert breaker.state is BreakerState.OPEN
    assert not ask(breaker, 0.1)


def test_a_good_answer_breaks_the_row(breaker):
    for _ in range(10):
        for _ in range(4):
            ask(breaker, 0.0, bad=True)
        for _ in range(8):
            ask(breaker, 0.0)
    assert breaker.state is BreakerState.CLOSED


def test_half_of_twenty_bad_within_five_seconds_open_it(breaker):
    for n in range(19):
        ask(breaker, n * 0.2, bad=n % 2 == 0)
    assert breaker.state is BreakerState.CLOSED
    ask(breaker, 3.9, bad=False)
    assert breaker.state is BreakerState.OPEN


def test_old_answers_are_forgotten(breaker):
    for n in range(40):
        ask(breaker, n * 0.5, bad=n % 2 == 0)
    assert breaker.state is BreakerState.CLOSED


def test_while_open_one_call_a_second_is_a_probe_and_never_two_at_once(breaker):
    opened(breaker)
    assert breaker.admit(0.99) is None
    probe = breaker.admit(1.0)
    assert probe is not None
    assert breaker.admit(1.0) is None
    assert breaker.admit(30.0) is None
    breaker.record(probe, 30.0, bad=True)
    assert breaker.admit(30.9) is None
    assert breaker.admit(31.0) is not None


@pytest.mark.parametrize(("draw", "first_s"), [(0.0, 0.5), (0.999, 1.499)])
def test_the_probes_of_many_processes_are_spread(draw, first_s):
    breaker = opened(Breaker("Redis", draw=lambda: draw))
    assert breaker.admit(first_s - 0.01) is None
    assert breaker.admit(first_s) is not None


def test_a_probe_that_was_given_up_lets_another_one_go(breaker):
    opened(breaker)
    breaker.withdraw(breaker.admit(1.0))
    assert breaker.admit(1.0) is not None


def test_three_good_probes_close_it_and_a_bad_one_starts_the_count_again(breaker):
    opened(breaker)
    for second, bad in enumerate([False, False, True, False, False], 1):
        assert ask(breaker, second, bad=bad)
        assert breaker.state is BreakerState.OPEN
    assert ask(breaker, 6)
    assert breaker.state is BreakerState.RAMPING


def test_answers_to_calls_begun_before_it_opened_are_old_news(breaker):
    late = [breaker.admit(0.0) for _ in range(20)]
    opened(breaker)
    for admission in late:
        breaker.record(admission, 0.5, bad=False)
    assert breaker.state is BreakerState.OPEN
    for second in (1, 2, 3):
        ask(breaker, second)
    for admission in late:
        breaker.record(admission, 3.5, bad=True)
    assert breaker.state is BreakerState.RAMPING


def test_enrichment_comes_back_in_steps_over_forty_seconds(breaker):
    recovered(breaker)
    let_through = {}
    for tenth in range(30, 520):
        now_s = tenth / 10
        let_through.setdefault(breaker.share, []).extend(
            ask(breaker, now_s, enrichment=True) for _ in range(10)
        )
    for share, outcomes in let_through.items():
        assert sum(outcomes) / len(outcomes) == pytest.approx(share, abs=0.02)
    assert list(let_through) == [0.10, 0.25, 0.50, 1.0]
    assert breaker.state is BreakerState.CLOSED


def test_what_cannot_be_done_without_is_let_through_at_once(breaker):
    recovered(breaker)
    assert all(ask(breaker, 3.5) for _ in range(100))


def test_a_bad_step_goes_back_one(breaker):
    recovered(breaker)
    ask(breaker, 17.0)
    assert breaker.share == 0.25
    for n in range(20):
        ask(breaker, 18.0 + n / 10, bad=n % 5 == 0)
    ask(breaker, 31.0)
    assert breaker.state is BreakerState.RAMPING
    assert breaker.share == 0.10


def test_failing_again_on_the_way_back_opens_it_again(breaker):
    opened(recovered(breaker), 4.0)
    assert breaker.opened == 2


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans(), st.booleans(), st.booleans()), max_size=300))
def test_a_store_that_answers_again_is_always_taken_back(history):
    breaker, now_s, flying = Breaker("Redis", draw=lambda: 0.5), 0.0, []
    for step_s, bad, enrichment, settle in history:
        now_s += step_s
        if admission := breaker.admit(now_s, enrichment=enrichment):
            flying.append((admission, bad))
        if settle and flying:
            admission, bad = flying.pop(0)
            breaker.record(admission, now_s, bad=bad)
        assert 0 <= breaker.share <= 1
    for admission, _ in flying:
        breaker.withdraw(admission)
    for _ in range(150):
        now_s += 1.5
        ask(breaker, now_s)
    assert breaker.state is BreakerState.CLOSED


def test_the_rules_are_those_of_the_failure_model():
    rules = BreakerRules()
    assert (rules.failures_in_a_row, rules.window_least, rules.window_s, rules.window_bad_share) == (
        5,
        20,
        5,
        0.5,
    )
    assert (rules.slow_s, rules.probe_s, rules.good_probes) == (0.25, 1.0, 3)
