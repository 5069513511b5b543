"""Every phrase in every language: a missing word is heard by a caller at the worst moment."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Any

import gsm0338  # noqa: F401 - the codec
import pytest

from announcements import catalog
from announcements.book import LANGUAGES, Page, categories, page
from carrier.segments import segments

OTHERS = LANGUAGES[1:]
KEYS = sorted(page("en").voice)
TEXTS = sorted(page("en").sms)
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
    "tries": 2,
    "phone": "four one, five five, five five, four four, seven one",
    "ours": "four one, five five, five five, zero one, zero zero",
    "tried": "today at 2:10 in the afternoon",
    "next": "today at 3:10 in the afternoon",
    "words": "Card payments fail",
    "title": "Registers cannot connect",
    "line": "switch offline mode on",
    "advice": "Switch offline mode on. Do not force-quit the app",
    "age": "10 minutes",
    "at": "today at 2:10 in the afternoon",
    "level": "surge",
    "code": "481 226",
    "link": "https://line.example.com/c/abcdefghijklmnopqrstuvwxyz.ABCDEFGHIJKLMNOPQRSTUVWXYZ",
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
    sections["sms"] = told.sms
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
        said = catalog.voice(language, key, **{**VALUES, "position": number, "high": number, "tries": number})
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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", TEXTS)
def test_every_text_can_be_written(language: str, key: str):
    text = catalog.sms(language, key, **VALUES)
    assert not re.search(r"[{}<>]|\s\s|\.\.", text), text
    assert text.startswith("the Corner Support Line: ")
    assert str(VALUES["link"]) + "." not in text
    assert text.endswith((".", str(VALUES["link"])))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", TEXTS)
def test_texts_keep_to_the_alphabet_that_fits_more_into_one(language: str, key: str):
    """One letter outside GSM 03.38 and a segment holds 70 characters instead of 160."""
    text = page(language).sms[key].replace("{", "").replace("}", "")
    assert text.encode("gsm03.38")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_text_says_how_to_be_left_alone(language: str):
    first = [
        "promised_turn",
        "promised_when",
        "promised_kept",
        "promised_window",
        "help",
        "incident_verified",
    ]
    first += [key for key in TEXTS if key.startswith(("incident_status", "incident_update"))]
    for key in (*first, "incident_neutral", "incident_relapsed"):
        assert "STOP" in page(language).sms[key]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_about_an_incident_is_at_most_two_parts(language: str):
    """With everyday values; the words of an update are counted where they are posted."""
    values = {**VALUES, "link": "https://line.example.com/status", "ours": "+1 415-555-0100"}
    for key in TEXTS:
        if key.startswith("incident_"):
            assert segments(catalog.sms(language, key, **values)) <= 2, key


def test_nothing_is_promised_that_we_do_not_keep():
    """Calls are not strictly in order, and nobody knows that it is only a moment."""
    told = page("en")
    english = " ".join(text for entry in [*told.voice.values(), *told.sms.values()] for text in texts(entry))
    for claim in ("order in which", "order they were received", "shortly", "soon", "moment"):
        assert claim not in english.lower()


def test_no_callback_is_promised_before_it_is_written_down():
    before = [
        key for key in KEYS if key.startswith(("offer", "number_", "when_", "text_", "keys_", "position"))
    ]
    assert len(before) > 20
    for key in before:
        for text in texts(page("en").voice[key]):
            assert "we will call" not in text.lower(), key
        for text in texts(page("es").voice[key]):
            assert "llamaremos" not in text.lower(), key


def test_what_a_word_processor_writes_makes_no_text_dear():
    text = catalog.sms("en", "not_read", centre="Luigi’s – “Best” Pizza", ours="+1 415-555-0100")
    assert segments(text) == 1
