"""The link in a merchant's text."""

from __future__ import annotations

import pytest

from callbacks import links

PROMISE = "PR0123456789abcdef"
SECRET = "a secret key of the tests, long enough"


def test_a_link_tells_its_promise_and_is_short() -> None:
    url = links.link(SECRET, "https://line.example/", PROMISE)
    assert url.startswith("https://line.example/c/0123456789abcdef.")
    assert len(url) < 80
    assert links.read(SECRET, url.rpartition("/")[2]) == PROMISE


@pytest.mark.parametrize(
    "bent",
    ["", "0123456789abcdef", "0123456789abcdef.", "ffffffffffffffff.{sign}", "0123456789abcdef.{sign}x", "é"],
)
def test_what_was_not_made_here_tells_nothing(bent: str) -> None:
    sign = links.token(SECRET, PROMISE).rpartition(".")[2]
    assert links.read(SECRET, bent.format(sign=sign)) == ""


def test_another_secret_opens_nothing() -> None:
    assert links.read("another secret", links.token(SECRET, PROMISE)) == ""


def test_a_link_is_over_two_days_after_the_promise() -> None:
    assert not links.over(None, 10**13)
    assert not links.over(1000, 1000 + links.GRACE_MS)
    assert links.over(1000, 1001 + links.GRACE_MS)
