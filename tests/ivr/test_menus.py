"""Keys and words, and what they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.menus import Centre, Choice, Meaning, Topic, choose, hints

PAYMENTS = Topic("payments", "1", "payments")
HARDWARE = Topic("hardware", "2", "hardware", keywords={"en": ("cash drawer",)})
OUTAGE = Topic("outage", "3", "support", names={"en": "an outage", "es": "una caída"}, band="p0",
               keywords={"en": ("everything is down",), "es": ("no funciona nada",)})  # fmt: skip
CENTRE = Centre("Corner Pay", "support", (PAYMENTS, HARDWARE, OUTAGE))


@pytest.mark.parametrize(
    ("digits", "choice"),
    [
        ("1", Choice(Meaning.TOPIC, PAYMENTS)),
        ("2", Choice(Meaning.TOPIC, HARDWARE)),
        ("0", Choice(Meaning.PERSON)),
        ("9", Choice(Meaning.LANGUAGE, language="es")),
        ("7", Choice(Meaning.UNCLEAR)),
        ("*", Choice(Meaning.UNCLEAR)),
        ("#", Choice(Meaning.UNCLEAR)),
        ("é", Choice(Meaning.UNCLEAR)),
        ("12", Choice(Meaning.TOPIC, PAYMENTS)),
    ],
)
def test_keys(digits, choice):
    assert choose(CENTRE, "en", digits, "") == choice


@pytest.mark.parametrize(
    ("language", "speech", "choice"),
    [
        ("en", "My card reader is dead.", Choice(Meaning.TOPIC, PAYMENTS)),
        ("en", "the CASH DRAWER won't open", Choice(Meaning.TOPIC, HARDWARE)),
        ("en", "Everything is down!", Choice(Meaning.TOPIC, OUTAGE)),
        ("es", "No funciona nada", Choice(Meaning.TOPIC, OUTAGE)),
        ("es", "una caida", Choice(Meaning.TOPIC, OUTAGE)),
        ("en", "let me talk to a person", Choice(Meaning.PERSON)),
        ("en", "español, por favor", Choice(Meaning.LANGUAGE, language="es")),
        ("en", "Spanish please", Choice(Meaning.LANGUAGE, language="es")),
        ("es", "English", Choice(Meaning.LANGUAGE, language="en")),
        ("en", "repayment", Choice(Meaning.UNCLEAR)),
        ("en", "", Choice(Meaning.SILENCE)),
        ("en", "   ", Choice(Meaning.SILENCE)),
        ("en", "\x00\x07", Choice(Meaning.UNCLEAR)),
        ("en", "x" * 10_000, Choice(Meaning.UNCLEAR)),
        ("en", "я не понимаю", Choice(Meaning.UNCLEAR)),
    ],
)
def test_words(language, speech, choice):
    assert choose(CENTRE, language, "", speech) == choice


def test_a_key_outranks_words():
    assert choose(CENTRE, "en", "1", "hardware") == Choice(Meaning.TOPIC, PAYMENTS)


def test_one_language_has_no_language_key():
    alone = Centre("Corner Pay", "support", (PAYMENTS,), languages=("en",))
    assert choose(alone, "en", "9", "") == Choice(Meaning.UNCLEAR)
    assert alone.other_language("en") is None


@given(st.text(max_size=20), st.text(max_size=80), st.text(max_size=5))
def test_anything_is_understood_somehow(digits, speech, language):
    assert choose(CENTRE, language, digits, speech).meaning in Meaning


def test_hints_name_topics_and_languages_and_stay_within_twilios_limits():
    many = tuple(
        Topic(f"t{n}", str(n), "support", keywords={"en": tuple(f"w{n}-{i}" * 30 for i in range(200))})
        for n in range(1, 9)
    )
    told = hints(Centre("Corner Pay", "support", many), "en").split(", ")
    assert len(told) <= 500
    assert max(map(len, told)) <= 100
    ours = hints(CENTRE, "en").split(", ")
    assert {"cash drawer", "spanish", "person"} <= set(ours)


@pytest.mark.parametrize(
    "wrong",
    [
        {"topics": (PAYMENTS, Topic("other", "1", "support"))},
        {"topics": (Topic("other", "0", "support"),)},
        {"topics": (Topic("other", "9", "support"),)},
        {"topics": (Topic("other", "12", "support"),)},
        {"topics": (Topic("No Slug", "1", "support"),)},
        {"topics": (PAYMENTS, Topic("payments", "2", "support"))},
        {"default_queue": "Støtte"},
        {"languages": ("en", "tlh")},
        {"languages": ()},
    ],
)
def test_a_contradictory_centre_is_refused(wrong):
    with pytest.raises(ValueError, match=r".+"):
        Centre(**{"name": "Corner Pay", "default_queue": "support", "topics": (PAYMENTS,)} | wrong)
