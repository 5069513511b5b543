"""What a merchant reads."""

from __future__ import annotations

import pytest

from announcements.book import LANGUAGES, UnknownPhrase
from announcements.written import keys, written


def test_every_language_has_the_same_words() -> None:
    assert {language: keys(language) for language in LANGUAGES} == dict.fromkeys(LANGUAGES, keys("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_values_are_set_in_and_no_language_is_left_out(language: str) -> None:
    assert "2" in written(language, "place_of", position=2, waiting=9)
    assert written("fr", "title") == written("en", "title")


def test_a_slip_is_named() -> None:
    with pytest.raises(UnknownPhrase, match="no_such"):
        written("en", "no_such")
    with pytest.raises(UnknownPhrase, match="waiting"):
        written("en", "place_of", position=2)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_status_text_does_not_use_the_carriers_own_words(language: str) -> None:
    """STOP and its kin would be taken for an order by the carrier when a merchant repeats them."""
    told = written(language, "status_text", centre="Shop", time="14:05", link="https://x.example/c/1").upper()
    assert not {"STOP", "CANCEL", "END", "QUIT", "UNSUBSCRIBE"} & set(told.split())
