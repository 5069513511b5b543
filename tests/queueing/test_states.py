"""The two laws, and the scripts that carry them out: neither may know more than the other."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from foundation.lua import Script
from queueing import presence, states
from queueing.drawing import scripts
from queueing.keys import Keys
from queueing.line import LinePolicy, Queue
from queueing.presence import Presence
from queueing.states import ContactState, IllegalMove, check

ROOT = Path(__file__).parents[2]
CONTACT_ROWS = {(here.value, there.value) for here, after in states.MOVES.items() for there in after}
AGENT_ROWS = {(here.value, there.value) for here, after in presence.MOVES.items() for there in after}


def test_only_ended_is_final_and_every_state_can_be_reached() -> None:
    assert {state for state, after in states.MOVES.items() if not after} == {ContactState.ENDED}
    assert {there for _, there in CONTACT_ROWS} == {state.value for state in ContactState}
    assert {there for _, there in AGENT_ROWS} == {state.value for state in Presence}


@pytest.mark.parametrize(("here", "there"), [*product(ContactState, ContactState)])
def test_a_move_is_lawful_when_it_is_a_row(here: ContactState, there: ContactState) -> None:
    if (here.value, there.value) in CONTACT_ROWS:
        check(here, there)
    else:
        with pytest.raises(IllegalMove):
            check(here, there)


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_a_script_makes_only_lawful_moves(script: Script) -> None:
    assert script.moves <= CONTACT_ROWS | AGENT_ROWS


def test_every_row_of_both_laws_is_carried_out_by_a_script() -> None:
    carried = set().union(*(script.moves for script in scripts()))
    assert carried == CONTACT_ROWS | AGENT_ROWS


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_a_header_says_what_the_script_is_for_and_what_it_costs(script: Script) -> None:
    text = (ROOT / "queueing" / "lua" / f"{script.name}.lua").read_text("utf-8")
    header = text.partition("\n\n")[0]
    assert header.startswith(f"-- {script.name}: ")
    assert "-- Returns " in header
    assert "Cost: " in re.sub(r"\n-- ", " ", header)


@pytest.mark.parametrize("script", scripts(), ids=lambda script: script.name)
def test_every_argument_and_key_of_a_header_is_used(script: Script) -> None:
    body = re.sub(r"--.*", "", script.source).partition(f"local {(script.args or script.keys)[-1]} = ")[2]
    idle = [
        name
        for name in (*script.keys, *script.groups, *script.args)
        if not re.search(rf"\b{name}\b", body.partition("\n")[2])
    ]
    assert not idle


def test_all_keys_of_a_centre_lie_in_one_slot() -> None:
    policy = LinePolicy(centre="east", queues=(Queue("support"), Queue("billing")))
    keys = Keys.of(policy)
    single = [keys.book, keys.agents, keys.due, keys.journal, keys.idle, keys.pulse]
    tags = {re.findall(r"\{(.*?)\}", key)[0] for key in (*single, *keys.waiting)}
    assert tags == {"east"}
