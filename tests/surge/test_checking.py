"""What an update must pass before anybody hears it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from announcements.spoken import plain
from surge.checking import Draft, Finding, Kind, age_min, check, heard, is_stale, spoken_s, stopped, tidy

GOOD = "Card payments on Register 4 fail for everybody. We know why and are putting the old version back."
DRAFT = Draft({"en": GOOD}, "Switch offline mode on.", "Do not force-quit the app.", scope_all=True)


def found(words: str, draft: Draft = DRAFT, language: str = "en") -> dict[Kind, Finding]:
    return {each.kind: each for each in check(replace(draft, words={language: words}, languages=(language,)))}


def stops(words: str, draft: Draft = DRAFT, language: str = "en") -> set[Kind]:
    return {kind for kind, finding in found(words, draft, language).items() if finding.stops}


def test_a_good_update_passes_without_a_word():
    assert check(DRAFT) == ()


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("", Kind.EMPTY),
        (" \r\n ", Kind.EMPTY),
        ("Payments\x00 are down.", Kind.CONTROL),
        ("Payments \u202eare down.", Kind.CONTROL),
        ("Payments\u2028are down.", Kind.CONTROL),
        ("Payments \ud800 are down.", Kind.CONTROL),
        ("Payments are down 😀", Kind.PICTURE),
        ("Payments are down ❤️", Kind.PICTURE),
        ("The fridge is at 40°.", Kind.PICTURE),
        ("Payments are down 1\ufe0f\u20e3", Kind.PICTURE),
        ("Payments are <b>down</b>.", Kind.MARKUP),
        ("Payments are **down**.", Kind.MARKUP),
        ("Payments are {{down}}.", Kind.MARKUP),
        ("Payments are down &lt;", Kind.MARKUP),
        ("Payments are [down](x).", Kind.MARKUP),
        ("x" * 301, Kind.TOO_LONG),
        ("Down. " * 2000, Kind.TOO_LONG),
    ],
)
def test_what_cannot_be_carried_is_stopped(words: str, kind: Kind):
    assert kind in stops(words)
    assert stopped(check(replace(DRAFT, words={"en": words})))


@pytest.mark.parametrize(
    "words",
    [
        "Tom & Jerry's fridge is at 40 degrees and rising.",
        "Los pagos con tarjeta no funcionan: ¡no reinicie la aplicación!",
        "Reader #4 shows error 12; restart it (once).",
        "  Payments\r\nare down.  ",
        "Caf\u0065\u0301 terminals are down.",
    ],
)
def test_ordinary_words_pass(words: str):
    assert not stops(words)


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("Some customers may be experiencing issues accessing their online store.", "en"),
        ("A small number of merchants cannot log in.", "en"),
        ("Several online stores are down.", "en"),
        ("A subset of users are affected.", "en"),
        ("Algunos clientes no pueden cobrar.", "es"),
        ("Varios comercios no pueden cobrar.", "es"),
    ],
)
def test_some_is_not_said_when_it_is_everybody(words: str, language: str):
    assert stops(words, DRAFT, language) == {Kind.UNDERSTATED}
    assert not stops(words, replace(DRAFT, scope_all=False), language)


def test_the_same_paragraph_five_times_is_stopped():
    """As one vendor's page had it for three hours."""
    draft = replace(DRAFT, last={"en": GOOD})
    assert stops(GOOD, draft) == {Kind.SAME}
    assert stops(GOOD.upper().replace(".", " !"), draft) == {Kind.SAME}
    assert not stops(GOOD, replace(draft, no_news=True))
    assert not stops(GOOD + " It is taking longer than we thought.", draft)
    assert not stops(GOOD, replace(DRAFT, last={"es": GOOD}))


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("It will be fixed in about 20 minutes.", "en"),
        ("It will be solved in just a few minutes.", "en"),
        ("We expect it back by 9:30 pm.", "en"),
        ("Should be up within the hour.", "en"),
        ("Volverá en 20 minutos.", "es"),
        ("Volverá antes de las 9.", "es"),
    ],
)
def test_after_two_slips_no_time_is_quoted(words: str, language: str):
    assert Kind.ETA not in found(words, replace(DRAFT, eta_slips=1), language)
    warned = found(words, replace(DRAFT, eta_slips=2), language)[Kind.ETA]
    assert not warned.stops
    assert "slipped" in warned.message


def test_no_time_in_it_no_warning():
    assert Kind.ETA not in found("The 2 databases in Ohio are slow.", replace(DRAFT, eta_slips=5))


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("A fix went in a few minutes ago.", "en"),
        ("It will be back soon.", "en"),
        ("Any moment now it is back.", "en"),
        ("Hace unos minutos falló el pago.", "es"),
        ("Pronto volverá.", "es"),
    ],
)
def test_words_that_stop_being_true_by_themselves_are_warned_of(words: str, language: str):
    assert not found(words, DRAFT, language)[Kind.AGES].stops


def test_as_soon_as_is_no_promise():
    assert found("We tell you as soon as we know.") == {}


def test_long_words_and_links_are_warned_of():
    assert set(found("Down. " * 40)) == {Kind.LONG}
    assert set(found("See https://status.example.com for more on the tills.")) == {Kind.LINK}


def test_a_text_in_three_parts_is_warned_of():
    dear = check(DRAFT, {"en": "x" * 400})
    assert [(each.kind, each.stops) for each in dear] == [(Kind.DEAR, False)]
    assert "3 parts" in dear[0].message


def test_a_language_without_words_is_named_and_does_not_stop_the_other():
    only_english = check(replace(DRAFT, languages=("en", "es")))
    assert [(each.kind, each.stops, each.where) for each in only_english] == [(Kind.LANGUAGE, False, "es")]
    assert stopped(check(replace(DRAFT, languages=("es", "en"))))


@pytest.mark.parametrize("where", ["do", "dont"])
def test_do_and_dont_lines_are_held_to_the_same(where: str):
    for line in ("<b>Restart</b>", "Restart 😀", "x" * 121):
        faults = check(replace(DRAFT, **{where: line}))
        assert {fault.where for fault in faults} == {where}
        assert stopped(faults)
    assert check(replace(DRAFT, **{where: ""})) == ()


def test_what_it_comes_to():
    assert heard("x" * 150).spoken_s == 10
    assert heard("x" * 160).segments == 1
    assert heard("x" * 161).segments == 2
    assert heard("x", "y" * 400).segments == 3
    assert heard("").segments == 1
    assert spoken_s("  ") == 0


def test_the_age_is_never_told_younger_than_it_is():
    assert age_min(0, 0) == 1
    assert age_min(0, 60_001) == 2
    assert age_min(0, 600_000) == 10
    assert age_min(5000, 0) == 1
    assert not is_stale(0, 20 * 60_000, 20 * 60_000)
    assert is_stale(0, 20 * 60_000, 20 * 60_000 + 1)


@given(st.text(max_size=400))
@example("0\u16800")
def test_what_passes_is_spoken_as_it_was_written(words: str):
    """Nothing that passes is altered on its way to a voice, but for the ends."""
    if not stops(words):
        line = tidy(words)
        assert plain(line, 1000) == line.strip(" .,;:-")
