"""Every phrase in every language: a missing word is heard by a caller at the worst moment."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from announcements import catalog
from announcements.book import LANGUAGES, Page, categories, page

OTHERS = LANGUAGES[1:]
KEYS = sorted(page("en").voice)
VALUES: dict[str, int | str] = {
    "centre": "the Corner Support Line",
    "merchant": "Corner Bakery",
    "location": "Main Street",
    "topic": "payments",
    "queue": "the support team",
    "holiday": "New Year's Day",
    "when": "tomorrow at 9 in the morning",
    "number": "ten",
    "key": 4,
    "position": 3,
    "low": 5,
    "high": 8,
}


def texts(entry: str | Mapping[str, str]) -> list[str]:
    return [entry] if isinstance(entry, str) else [text for form, text in entry.items() if form != "by"]


def placeholders(entry: str | Mapping[str, str]) -> set[str]:
    return {name for text in texts(entry) for _, name, _, _ in string.Formatter().parse(text) if name}


def phrases(section: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every phrase or word list of a section with its path; a plural table is one phrase."""
    for key, entry in section.items():
        if isinstance(entry, Mapping) and "by" not in entry:
            yield from phrases(entry, f"{path}{key}.")
        else:
            yield f"{path}{key}", entry


def everything(told: Page) -> dict[str, Any]:
    sections = {"voice": told.voice, "names": told.names, "heard": told.heard, "spoken": told.spoken}
    return dict(phrases(sections))


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_says_the_same_things(language: str):
    loose = {path for path in everything(page(language)) if not path.startswith("spoken.counts.")}
    assert loose == {path for path in everything(page("en")) if not path.startswith("spoken.counts.")}


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_fills_in_the_same_values(language: str):
    english = everything(page("en"))
    for path, entry in everything(page(language)).items():
        if isinstance(entry, str | Mapping) and path in english:
            assert placeholders(entry) == placeholders(english[path]), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_every_form_the_language_tells_apart(language: str):
    for path, entry in everything(page(language)).items():
        if isinstance(entry, Mapping):
            assert set(entry) == categories(language) | {"by"}, path
            assert entry["by"] in placeholders(entry), path


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", KEYS)
def test_every_sentence_can_be_said(language: str, key: str):
    entry = page(language).voice[key]
    numbers = (1, 2, 8, 1_000_000) if isinstance(entry, Mapping) else (8,)
    for number in numbers:
        said = catalog.voice(language, key, **{**VALUES, "position": number, "high": number})
        assert said.language == language
        assert not re.search(r"[{}<>&]|\s\s|\.\.", said.text), said.text
        assert said.text[-1] in ".?!"
        assert said.text == said.text.strip()
        assert said.text[0].isupper() or said.text[0] in "¿¡"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_voice_and_a_locale(language: str):
    assert catalog.LOCALES[language].startswith(f"{language}-")
    assert catalog.VOICES[language].startswith("Polly.")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_heard_means_one_thing(language: str):
    for kind, choices in page(language).heard.items():
        words = [word for listed in choices.values() for word in listed]
        assert len(words) == len(set(words)), kind
        assert all(word == word.lower().strip() for word in words)


def test_nothing_is_promised_that_we_do_not_keep():
    """No callback exists yet, calls are not strictly in order, and nobody knows that it is only a moment."""
    english = " ".join(text for entry in page("en").voice.values() for text in texts(entry)).lower()
    for claim in ("call you back", "order in which", "order they were received", "shortly", "soon", "moment"):
        assert claim not in english
