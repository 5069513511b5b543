"""The page of all states is in step with the laws it is drawn from."""

from __future__ import annotations

from pathlib import Path

from callbacks.states import ATTEMPT_MOVES, MOVES
from processes.states_page import page

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_page_is_in_step() -> None:
    assert PAGE.read_text("utf-8") == page(), "see processes/states_page.py"


def test_every_move_of_a_promise_and_of_an_attempt_is_drawn() -> None:
    drawn = page().partition("## A promise")[2]
    promise, _, attempt = drawn.partition("## An attempt")
    for law, part in ((MOVES, promise), (ATTEMPT_MOVES, attempt)):
        moves = {f"    {here} --> {there}" for here, theres in law.items() for there in theres}
        assert moves <= set(part.splitlines())


def test_states_say_what_they_mean() -> None:
    assert "| in_line | In the line with the live calls" in page()
    assert "| unreachable | Every try was made, in vain. |" in page()
