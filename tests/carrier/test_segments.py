"""What a text costs: counted as the network counts it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carrier.segments import is_gsm7, segments
from drill.network import texts as network


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 135, 3),
        ("🍕" * 35, 1),
        ("🍕" * 36, 2),
        ("Ñandú", 1),
    ],
)
def test_parts_are_counted_in_the_cheapest_alphabet(body: str, parts: int) -> None:
    assert segments(body) == parts


def test_one_character_makes_a_text_dear() -> None:
    assert is_gsm7("Reply STOP @ £5 {}")
    assert not is_gsm7("Your tablet’s line")


@given(st.text(st.characters(max_codepoint=0x2FFF) | st.sampled_from("€{}[]~^|\\é"), max_size=400))
def test_the_network_counts_the_same(body: str) -> None:
    """The double counts for itself, from the alphabet's table."""
    assert segments(body) == network.segments(body)
