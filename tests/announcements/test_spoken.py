from __future__ import annotations

import unicodedata
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from announcements.spoken import clock, digits, duration, listed, moment, opening, plain, word, zone_name

OFFICE = {day: (("09:00", "17:00"),) for day in range(5)}
CHICAGO = ZoneInfo("America/Chicago")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Corner Bakery", "Corner Bakery"),
        ("  Tacos\tdel\nSol ", "Tacos del Sol"),
        ("Café Olé & Sons", "Café Olé & Sons"),
        ("Bell\x07Buoy\x00", "Bell Buoy"),
        ("Right\u202eto left", "Right to left"),
        ("Happy ☕ Beans 🎉", "Happy Beans"),
        ("<Say>Hi</Say>", "Say Hi /Say"),
        ("Pasta & Co.", "Pasta & Co"),
        ("\ud800", ""),
        ("", ""),
    ],
)
def test_a_name_is_made_fit_to_be_spoken(text: str, spoken: str):
    assert plain(text) == spoken


def test_a_long_name_is_cut_at_a_word():
    assert plain("Corner Bakery " * 100, longest=30) == "Corner Bakery Corner Bakery"
    assert plain("x" * 1000) == "x" * 80


@given(st.text(max_size=400), st.integers(1, 120))
def test_no_text_gets_through_unfit(text: str, longest: int):
    spoken = plain(text, longest)
    assert len(spoken) <= longest
    assert not any(unicodedata.category(letter).startswith("C") for letter in spoken)
    assert plain(spoken, longest) == spoken


@pytest.mark.parametrize(
    ("hour", "minute", "english", "spanish"),
    [
        (9, 0, "9 in the morning", "las 9 de la mañana"),
        (9, 30, "9:30 in the morning", "las 9 y media de la mañana"),
        (13, 5, "1:05 in the afternoon", "la 1 y 5 de la tarde"),
        (13, 15, "1:15 in the afternoon", "la 1 y cuarto de la tarde"),
        (1, 0, "1 in the morning", "la 1 de la madrugada"),
        (0, 0, "midnight", "las 12 de la noche"),
        (24, 0, "midnight", "las 12 de la noche"),
        (12, 0, "noon", "las 12 del mediodía"),
        (0, 30, "12:30 in the morning", "las 12 y media de la madrugada"),
        (12, 45, "12:45 in the afternoon", "las 12 y 45 de la tarde"),
        (18, 0, "6 in the evening", "las 6 de la tarde"),
        (21, 0, "9 at night", "las 9 de la noche"),
    ],
)
def test_clock_times(hour: int, minute: int, english: str, spanish: str):
    assert clock("en", hour, minute) == english
    assert clock("es", hour, minute) == spanish


@pytest.mark.parametrize("language", ["en", "es"])
@given(st.integers(0, 23), st.integers(0, 59))
def test_every_minute_of_the_day_has_words(language: str, hour: int, minute: int):
    assert clock(language, hour, minute).strip()


@pytest.mark.parametrize(
    ("minutes", "english", "spanish"),
    [
        (0, "1 minute", "un minuto"),
        (1, "1 minute", "un minuto"),
        (21, "21 minutes", "veintiún minutos"),
        (60, "1 hour", "una hora"),
        (61, "1 hour and 1 minute", "una hora y un minuto"),
        (150, "2 hours and 30 minutes", "2 horas y 30 minutos"),
    ],
)
def test_durations(minutes: int, english: str, spanish: str):
    assert duration("en", minutes) == english
    assert duration("es", minutes) == spanish


def test_digits_are_said_in_pairs():
    assert digits("+14155550123") == "1, 4 1, 5 5, 5 5, 0 1, 2 3"
    assert digits("41 55") == "4 1, 5 5"
    assert digits("7") == "7"
    assert digits("no digits") == ""


def test_small_numbers_are_words():
    assert (word("en", 10), word("es", 10), word("fr", 10)) == ("ten", "diez", "ten")
    assert word("en", 137) == "137"


def test_lists():
    assert listed("en", []) == ""
    assert listed("en", ["a"]) == "a"
    assert listed("en", ["a", "b", "c"]) == "a, b and c"
    assert listed("es", ["a", "b"]) == "a y b"


@pytest.mark.parametrize(
    ("at", "english", "spanish"),
    [
        ("2024-03-05T15:00", "today at 3 in the afternoon", "hoy a las 3 de la tarde"),
        ("2024-03-06T09:00", "tomorrow at 9 in the morning", "mañana a las 9 de la mañana"),
        ("2024-03-11T09:00", "on Monday at 9 in the morning", "el lunes a las 9 de la mañana"),
        (
            "2024-03-12T13:00",
            "on Tuesday, March 12, at 1 in the afternoon",
            "el martes 12 de marzo a la 1 de la tarde",
        ),
    ],
)
def test_when_something_is(at: str, english: str, spanish: str):
    now = datetime(2024, 3, 5, 10, tzinfo=CHICAGO)  # a Tuesday
    then = datetime.fromisoformat(at).replace(tzinfo=CHICAGO)
    assert moment("en", then, now) == english
    assert moment("es", then, now) == spanish


def test_office_hours_as_a_sentence():
    assert opening("en", OFFICE, "America/Chicago") == (
        "We are open Monday to Friday from 9 in the morning to 5 in the afternoon, Central Time."
    )
    assert opening("es", OFFICE, "America/Chicago") == (
        "Nuestro horario es: de lunes a viernes de las 9 de la mañana a las 5 de la tarde, hora central."
    )
    assert (
        opening("en", OFFICE) == "We are open Monday to Friday from 9 in the morning to 5 in the afternoon."
    )


def test_days_with_other_hours_are_told_after_them():
    weekly = {**OFFICE, 2: (("09:00", "12:00"), ("14:00", "17:00")), 5: (("10:00", "14:00"),)}
    assert opening("en", weekly) == (
        "We are open Monday, Tuesday, Thursday and Friday from 9 in the morning to 5 in the afternoon, "
        "Wednesday from 9 in the morning to noon and from 2 in the afternoon to 5 in the afternoon "
        "and Saturday from 10 in the morning to 2 in the afternoon."
    )


def test_never_always_and_through_the_night():
    always = {day: (("00:00", "24:00"),) for day in range(7)}
    assert opening("en", {}) == "We have no opening hours at present."
    assert (
        opening("en", always, "UTC") == "We are open every day around the clock, Coordinated Universal Time."
    )
    assert (
        opening("en", {4: (("18:00", "02:00"),)})
        == "We are open Friday from 6 in the evening to 2 in the morning."
    )


def test_time_zones_as_people_call_them():
    assert zone_name("en", "America/New_York") == "Eastern Time"
    assert zone_name("es", "America/New_York") == "hora oriental"
