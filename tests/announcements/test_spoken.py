from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from announcements.spoken import (
    Worded,
    clock,
    digits,
    duration,
    in_pairs,
    listed,
    moment,
    opening,
    plain,
    window,
    word,
    written,
    zone_name,
)

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
    assert zone_name("en", "America/Denver") == "Mountain Time"
    assert zone_name("en", "America/Phoenix") == "Mountain Standard Time"


@pytest.mark.parametrize(
    ("number", "english", "spanish"),
    [
        (
            "+14155554471",
            "four one, five five, five five, four four, seven one",
            "cuatro uno, cinco cinco, cinco cinco, cuatro cuatro, siete uno",
        ),
        (
            "+442079460958",
            "plus four four, two zero, seven nine, four six, zero nine, five eight",
            "más cuatro cuatro, dos cero, siete nueve, cuatro seis, cero nueve, cinco ocho",
        ),
        (
            "+33123456789",
            "plus three three, one, two three, four five, six seven, eight nine",
            "más tres tres, uno, dos tres, cuatro cinco, seis siete, ocho nueve",
        ),
        ("anonymous", "", ""),
        ("client:agent1", "", ""),
        ("4155554471", "", ""),
        ("", "", ""),
    ],
)
def test_a_number_is_read_back_in_pairs(number: str, english: str, spanish: str):
    assert in_pairs(number, "en") == english
    assert in_pairs(number, "es") == spanish


@pytest.mark.parametrize("language", ["en", "es"])
@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_every_digit_is_read_back_in_its_order(language: str, number: str):
    names = [word(language, digit) for digit in range(10)]
    heard = "".join(
        str(names.index(name))
        for name in in_pairs(number, language).replace(",", "").split()
        if name in names
    )
    assert heard == number[1:] or f"1{heard}" == number[1:]
    assert isinstance(in_pairs(number, language), Worded)


def test_a_number_is_written_as_people_write_it():
    assert written("+14155554471") == "+1 415-555-4471"
    assert written("+442079460958") == "+44 20 7946 0958"
    assert written("anonymous") == ""


@pytest.mark.parametrize(
    ("start", "end", "english", "spanish"),
    [
        (
            "05T14:00",
            "05T16:00",
            "today between 2 and 4 in the afternoon",
            "hoy entre las 2 y las 4 de la tarde",
        ),
        (
            "06T14:00",
            "06T15:00",
            "tomorrow between 2 and 3 in the afternoon",
            "mañana entre las 2 y las 3 de la tarde",
        ),
        (
            "06T11:00",
            "06T13:00",
            "tomorrow between 11 in the morning and 1 in the afternoon",
            "mañana entre las 11 de la mañana y la 1 de la tarde",
        ),
        (
            "08T11:00",
            "08T12:00",
            "on Friday between 11 in the morning and noon",
            "el viernes entre las 11 de la mañana y las 12 del mediodía",
        ),
        (
            "08T12:00",
            "08T14:00",
            "on Friday between noon and 2 in the afternoon",
            "el viernes entre las 12 del mediodía y las 2 de la tarde",
        ),
        (
            "12T09:30",
            "12T11:15",
            "on Tuesday, March 12, between 9:30 and 11:15 in the morning",
            "el martes 12 de marzo entre las 9 y media y las 11 y cuarto de la mañana",
        ),
        (
            "05T13:00",
            "05T13:30",
            "today between 1 and 1:30 in the afternoon",
            "hoy entre la 1 y la 1 y media de la tarde",
        ),
        (
            "05T22:00",
            "06T00:00",
            "today between 10 at night and midnight",
            "hoy entre las 10 de la noche y las 12 de la noche",
        ),
        (
            "05T16:30",
            "06T09:00",
            "from today at 4:30 in the afternoon to tomorrow at 9 in the morning",
            "desde hoy a las 4 y media de la tarde hasta mañana a las 9 de la mañana",
        ),
    ],
)
def test_time_windows(start: str, end: str, english: str, spanish: str):
    now = datetime(2024, 3, 5, 10, tzinfo=CHICAGO)  # a Tuesday
    opens, closes = (
        datetime.fromisoformat(f"2024-03-{text}").replace(tzinfo=CHICAGO) for text in (start, end)
    )
    assert window("en", opens, closes, now) == english
    assert window("es", opens, closes, now) == spanish


def test_a_window_in_a_time_zone_that_is_named():
    now = datetime(2024, 3, 5, 10, tzinfo=CHICAGO)
    start, end = now.replace(hour=14), now.replace(hour=16)
    assert window("en", start, end, now, "America/Chicago").endswith("in the afternoon, Central Time")
    assert window("es", start, end, now, "America/Chicago").endswith("de la tarde, hora central")


QUARTERS = st.builds(
    lambda quarter: datetime(2024, 3, 5) + timedelta(minutes=15 * quarter),  # noqa: DTZ001
    st.integers(0, 10 * 96),
)


@pytest.mark.parametrize("language", ["en", "es"])
@given(QUARTERS, QUARTERS, st.integers(1, 8), st.integers(1, 8))
def test_no_two_windows_sound_alike(language: str, one: datetime, other: datetime, long: int, short: int):
    now = datetime(2024, 3, 5)  # noqa: DTZ001
    first = (one, one + timedelta(minutes=15 * long))
    second = (other, other + timedelta(minutes=15 * short))
    if first != second:
        assert window(language, *first, now) != window(language, *second, now)


@pytest.mark.parametrize("language", ["en", "es"])
@given(QUARTERS)
def test_no_two_windows_of_one_length_at_other_times_of_the_day_sound_alike(language: str, start: datetime):
    now = datetime(2024, 3, 5)  # noqa: DTZ001
    opposite = start + timedelta(hours=12)
    hour = timedelta(hours=1)
    assert window(language, start, start + hour, now) != window(language, opposite, opposite + hour, now)


def test_yesterday_is_called_by_its_date():
    now = datetime(2024, 3, 5, 10, tzinfo=CHICAGO)
    assert moment("en", now - timedelta(days=1), now) == "on Monday, March 4, at 10 in the morning"
