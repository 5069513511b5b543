"""What the door does at each level, and who is never turned away."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surge.directive import Directive, Told
from surge.playbook import TABLE, Decision, Facts, Play, Why, count, decide, kept_for_others
from surge.policy import SurgePolicy
from surge.states import Level, Match

POLICY = SurgePolicy(never_bands=frozenset({"gold"}))
NOW = 1_700_000_000_000
MINUTE = 60_000
TILLS = Told(
    "IN1", "critical", "investigating", "merchants", {"all": True}, 1, NOW, {"en": "Tills are down."}
)
AT_SURGE = Directive(level=Level.SURGE, expires_ms=NOW + MINUTE)
CLOSED = replace(AT_SURGE, level=Level.CLOSED_TO_NEW)
BUSY = Facts(wait_s=3000, agents=10, with_matched=2)


def at(
    directive: Directive = AT_SURGE, match: Match = Match.MATCH, facts: Facts = BUSY, incident=TILLS
) -> Decision:
    return decide(POLICY, directive, incident, match, facts, NOW)


def test_the_table_has_a_row_for_every_level_and_match():
    assert set(TABLE) == set(product(Level, Match))


def test_only_a_match_at_surge_or_above_may_be_turned_to_a_text():
    turned = {row for row, play in TABLE.items() if play.deflects}
    assert turned == {(Level.SURGE, Match.MATCH), (Level.CLOSED_TO_NEW, Match.MATCH)}
    assert {row for row, play in TABLE.items() if not play.join} == {(Level.CLOSED_TO_NEW, Match.MATCH)}


def test_who_may_be_turned_away_is_told_and_asked_first():
    for play in TABLE.values():
        if play.deflects:
            assert play.status_first
            assert play.ask_about
        if play.ask_about:
            assert play.status_first


def test_whoever_may_join_can_always_choose_the_line():
    for play in TABLE.values():
        if play.join and play.offer:
            assert play.offer[-1] == "line"


def test_who_matches_no_incident_is_told_of_none():
    for level in Level:
        play = TABLE[level, Match.NONE]
        assert play.join
        assert not play.status_first
        assert not play.ask_about


def test_at_surge_a_match_is_offered_a_text_a_callback_and_the_line():
    assert at().play == Play(True, True, ("text", "callback", "line"))
    assert at().why is Why.TABLE


def test_closed_to_new_leaves_who_matches_with_a_text_or_a_message():
    assert at(CLOSED).play == Play(True, True, ("text", "message"), join=False)


def test_a_level_that_nobody_renewed_is_over():
    expired = replace(AT_SURGE, expires_ms=NOW)
    assert at(expired).play == Play(status_first=True)


def test_who_says_yes_is_not_asked_again():
    assert at(facts=replace(BUSY, about=True)).play == Play(False, False, ("text", "callback", "line"))


def test_a_maybe_who_says_yes_is_a_match_and_one_who_says_no_is_none():
    assert at(match=Match.MAYBE).play == Play(True, True, ("callback", "line"))
    assert at(match=Match.MAYBE).why is Why.NO_MATCH
    assert "text" in at(match=Match.MAYBE, facts=replace(BUSY, about=True)).play.offer
    for match in (Match.MATCH, Match.MAYBE):
        said_no = at(CLOSED, match, replace(BUSY, about=False))
        assert said_no.why is Why.SOMETHING_ELSE
        assert said_no.play == Play(offer=("callback", "line"))


def test_without_an_incident_nothing_is_told_at_any_level():
    for level in Level:
        decided = decide(POLICY, replace(AT_SURGE, level=level), None, Match.MATCH, BUSY, NOW)
        assert decided.play == TABLE[level, Match.NONE]
        assert decided.why is Why.NO_MATCH


NEVER = [
    ({}, {"severity": "safety"}, Why.NEVER_THIS, "it is about safety: they need a person"),
    ({}, {"severity": "data_loss"}, Why.NEVER_THIS, "it is about data loss: they need a person"),
    (
        {"deflected_ms": NOW - 29 * MINUTE},
        {},
        Why.CALLED_AGAIN,
        "they were turned to a text 29 min ago and call again",
    ),
    (
        {"workaround_failed": True},
        {},
        Why.WORKAROUND_FAILED,
        "they told us that it is still down for them",
    ),
    ({"band": "gold"}, {}, Why.BAND, "callers of gold are never turned away"),
    ({"untextable": "opted_out"}, {}, Why.NO_TEXT, "no text reaches them: opted out"),
]


@pytest.mark.parametrize("directive", [AT_SURGE, CLOSED], ids=["surge", "closed"])
@pytest.mark.parametrize(("facts", "incident", "why", "reason"), NEVER)
def test_never_turned_away(directive: Directive, facts: dict, incident: dict, why: Why, reason: str):
    decided = at(directive, facts=replace(BUSY, **facts), incident=replace(TILLS, **incident))
    assert (decided.why, decided.reason) == (why, reason)
    assert decided.play == Play(True, False, ("callback", "line"))
    assert not decided.would


def test_after_half_an_hour_a_text_is_offered_again():
    assert at(facts=replace(BUSY, deflected_ms=NOW - 30 * MINUTE)).why is Why.TABLE


def test_a_short_wait_needs_no_text():
    short = at(facts=replace(BUSY, wait_s=POLICY.max_wait_s))
    assert (short.why, short.play.offer) == (Why.SHORT_WAIT, ("callback", "line"))
    assert short.reason == "the wait is 15 min, short enough"
    assert at(facts=replace(BUSY, wait_s=POLICY.max_wait_s + 1)).why is Why.TABLE
    assert at(facts=replace(BUSY, wait_s=None)).why is Why.TABLE


def test_agents_are_kept_for_other_matters_even_while_the_wait_is_short():
    """Ten agents, 20 %: eight may be with callers of the incident."""
    assert kept_for_others(POLICY, 10) == 2
    full = at(facts=replace(BUSY, wait_s=60, with_matched=8))
    assert full.why is Why.RESERVE
    assert full.play.deflects
    assert "8 of 10 agents" in full.reason
    assert at(facts=replace(BUSY, wait_s=60, with_matched=7)).why is Why.SHORT_WAIT


@given(st.integers(0, 500), st.integers(0, 99))
def test_the_share_kept_never_takes_the_last_agent(agents: int, share: int):
    kept = kept_for_others(SurgePolicy(reserve_pct=share), agents)
    assert 0 <= kept <= max(0, agents - 1)
    assert kept * 100 >= agents * share or kept == agents - 1


def test_without_room_for_texts_other_ways_are_offered():
    shut = at(replace(AT_SURGE, texts_open=False))
    assert (shut.why, shut.play.offer, shut.play.join) == (Why.TEXTS_SHUT, ("callback", "line"), True)
    closed = at(replace(CLOSED, texts_open=False))
    assert (closed.play.offer, closed.play.join) == (("message",), False)


@pytest.mark.parametrize("directive", [AT_SURGE, CLOSED], ids=["surge", "closed"])
def test_a_dry_run_turns_nobody_away_and_counts_who_would_have_been(directive: Directive):
    dry = replace(directive, dry_run=True)
    decided = at(dry)
    assert decided.would
    assert (decided.why, decided.play) == (Why.DRY_RUN, Play(True, False, ("callback", "line")))
    others = [at(dry, Match.NONE), at(dry, facts=replace(BUSY, band="gold")), at(dry, Match.MAYBE)]
    counted = count([decided, decided, *others])
    assert counted.would == 2
    assert counted.spared == {Why.NO_MATCH: 2, Why.BAND: 1}


FACTS = st.builds(
    Facts,
    st.sampled_from([None, True, False]),
    st.sampled_from(["", "gold", "standard"]),
    st.sampled_from(["", "landline", "opted_out", "withheld"]),
    st.none() | st.integers(NOW - 90 * MINUTE, NOW + MINUTE),
    st.booleans(),
    st.none() | st.floats(0, 10_000),
    st.integers(0, 50),
    st.integers(0, 50),
)
DIRECTIVES = st.builds(
    Directive,
    level=st.sampled_from(Level),
    expires_ms=st.none() | st.integers(NOW - MINUTE, NOW + MINUTE),
    dry_run=st.booleans(),
    texts_open=st.booleans(),
)
GRAVE = st.sampled_from(["safety", "data_loss", "critical", "minor"])


@given(DIRECTIVES, st.sampled_from(Match), FACTS, GRAVE)
def test_whatever_the_facts(directive: Directive, match: Match, facts: Facts, severity: str):
    decided = decide(POLICY, directive, replace(TILLS, severity=severity), match, facts, NOW)
    play = decided.play
    assert decided.reason
    assert play.join or play.offer  # nobody is left with nothing
    if play.deflects:
        assert directive.level_at(NOW) >= Level.SURGE
        assert not directive.dry_run
        assert match is Match.MATCH or (match is Match.MAYBE and facts.about)
        assert facts.about is not False
        assert severity not in ("safety", "data_loss")
        assert not facts.workaround_failed
        assert facts.band != "gold"
        assert not facts.untextable
    if "text" in play.offer:
        assert directive.texts_open
    if match is Match.NONE or facts.about is False:
        assert not play.status_first
    if decided.would:
        assert directive.dry_run
        assert not play.deflects
