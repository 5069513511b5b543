"""Which names the line takes, and which of them stand for a callback's turn."""

from __future__ import annotations

import pytest

from callbacks.turns import new_promise_id, promise_of, turn_name, turn_of
from foundation.errors import Mendable
from queueing.names import is_turn, must_be_names, nameable


def test_a_turn_is_told_from_a_call_by_its_name() -> None:
    turn = turn_name(new_promise_id(), 3)
    assert nameable(turn)
    assert is_turn(turn)
    assert (promise_of(turn), turn_of(turn)) == (turn.partition(".")[0], 3)
    call = "CA0123456789abcdef0123456789abcdef"
    assert not is_turn(call)
    assert (promise_of(call), turn_of(call)) == ("", 0)


@pytest.mark.parametrize("name", ["PR00000000000000aa", "PR00000000000000aa.0", "PR00000000000000aa.1\n"])
def test_what_only_looks_like_a_turn_is_of_no_promise(name: str) -> None:
    assert promise_of(name) == ""


def test_a_name_that_would_break_a_page_is_refused() -> None:
    must_be_names("CA1", "PR00000000000000aa.1")
    for names in (("",), ("CA1", "a|b")):
        with pytest.raises(Mendable):
            must_be_names(*names)
    with pytest.raises(Mendable):
        must_be_names("CA1", caller_key="~k")
