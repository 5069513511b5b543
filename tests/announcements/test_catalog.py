from __future__ import annotations

import pytest

from announcements import catalog
from announcements.catalog import UnknownPhrase, Utterance, name, tell, voice
from announcements.pacing import Announcement, Said, Topic, Wait
from announcements.spoken import Worded


def announce(topic: Topic, position: int = 0, wait: Wait | None = None) -> Announcement:
    return Announcement(topic, position, wait, Said(0, position, 1))


@pytest.mark.parametrize(
    ("announcement", "english", "spanish"),
    [
        (announce(Topic.NEXT, 1), "You are next in line.", "Usted es la próxima persona en la fila."),
        (announce(Topic.POSITION, 3), "You are number 3 in line.", "Usted es el número 3 en la fila."),
        (
            announce(Topic.MORE_THAN, 10),
            "There are more than ten callers in line.",
            "Hay más de diez personas en la fila.",
        ),
        (
            announce(Topic.COMFORT),
            "Thank you for your patience. You are still in line.",
            "Gracias por su paciencia. Usted sigue en la fila.",
        ),
        (
            announce(Topic.POSITION, 3, (5, 8)),
            "You are number 3 in line. Your remaining wait is about 5 to 8 minutes.",
            "Usted es el número 3 en la fila. Su espera restante es de aproximadamente 5 a 8 minutos.",
        ),
        (
            announce(Topic.NEXT, 1, (0, 1)),
            "You are next in line. Your remaining wait is less than 1 minute.",
            "Usted es la próxima persona en la fila. Su espera restante es de menos de un minuto.",
        ),
        (
            announce(Topic.NEXT, 1, (90, None)),
            "You are next in line. Your remaining wait is more than 90 minutes.",
            "Usted es la próxima persona en la fila. Su espera restante es de más de 90 minutos.",
        ),
    ],
)
def test_an_announcement_in_words(announcement: Announcement, english: str, spanish: str):
    assert tell("en", announcement) == Utterance("en", english)
    assert tell("es", announcement) == Utterance("es", spanish)


def test_a_number_before_a_spanish_noun_loses_its_o():
    assert voice("es", "wait_range", low=15, high=21).text.endswith("15 a veintiún minutos.")
    assert voice("es", "wait_less_than", high=31).text.endswith("menos de treinta y un minutos.")


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("es", "es"), ("es-MX", "es"), ("ES_us", "es"), ("fr", "en"), ("", "en"), ("x" * 999, "en")],
)
def test_whoever_asks_for_another_language_is_spoken_to_in_english(asked: str, spoken: str):
    assert voice(asked, "goodbye").language == spoken


def test_a_language_is_offered_in_itself():
    assert voice("es", "language_offer", key=9).text == "Para español, oprima el 9."


def test_a_name_is_made_plain_and_cannot_be_a_format():
    said = voice("en", "recognised", merchant="  Joe's\n{position} <b>Diner</b>\x00 Inc. ")
    assert said.text == "It looks like you are calling from Joe's position b Diner /b Inc."


def test_a_slip_in_our_code_is_named():
    with pytest.raises(UnknownPhrase, match="no_such_phrase"):
        voice("en", "no_such_phrase")
    with pytest.raises(UnknownPhrase, match="merchant"):
        voice("en", "recognised")
    with pytest.raises(UnknownPhrase, match="position"):
        voice("en", "position")


def test_topics_and_queues_have_names_and_an_unknown_one_is_read_out():
    assert name("en", "topic", "payments") == "payments and card readers"
    assert name("es", "queue", "support") == "el equipo de soporte"
    assert name("en", "queue", "gift-cards") == "the gift cards team"
    assert name("en", "queue", "") == "the support team"
    assert name("en", "topic", "other") == name("en", "topic", "") == "something else"
    assert name("en", "topic", "loyalty_cards") == "loyalty cards"


def test_words_for_choosing():
    assert "card" in catalog.words("en", "topic", "payments")
    assert "español" in catalog.words("en", "language", "es")
    assert catalog.words("en", "topic", "no-such-topic") == ()


def test_two_utterances_join_in_one_language_only():
    assert (voice("en", "goodbye") + voice("en", "goodbye")).text == "Goodbye. Goodbye."
    with pytest.raises(ValueError, match="two languages"):
        voice("en", "goodbye") + voice("es", "goodbye")


@pytest.mark.parametrize(
    ("wait", "english", "spanish"),
    [
        (None, "", ""),
        (
            (5, 8),
            "It is about 5 to 8 minutes until your turn. ",
            "Faltan aproximadamente de 5 a 8 minutos para su turno. ",
        ),
        ((0, 4), "It is less than 4 minutes until your turn. ", "Faltan menos de 4 minutos para su turno. "),
        (
            (90, None),
            "It will be more than 90 minutes until your turn. ",
            "Faltan más de 90 minutos para su turno. ",
        ),
    ],
)
def test_a_callback_is_offered_with_the_wait(wait: Wait | None, english: str, spanish: str):
    offer = "You do not have to hold. To keep your place in line and be called back, press 1."
    assert catalog.offer("en", wait).text == english + offer
    assert catalog.offer("es", wait).text.startswith(spanish + "No tiene que esperar")


def test_an_offer_made_again_or_without_a_number_is_worded_otherwise():
    said = {
        catalog.offer("en", None, again=again, type_number=typed).text
        for again in (True, False)
        for typed in (True, False)
    }
    assert len(said) == 3


def test_words_of_our_own_are_not_cut():
    long = Worded(
        "on Wednesday, September 25, between 11:30 in the morning and 12:45 in the afternoon, Central"
    )
    assert f"We will call you {long}." in catalog.voice("en", "promise_changed_window", when=long).text
    assert str(long) in catalog.sms("en", "later", centre="Corner", when=long, link="https://x.example/c/1")


def test_a_text_is_worded_and_its_link_left_whole():
    link = "https://line.example.com/c/" + "a" * 200 + "~-"
    text = catalog.sms("es", "later", centre="Corner\nSupport", when="hoy a las 4", link=link)
    assert text == f"Corner Support: de acuerdo, le llamaremos hoy a las 4. Para cambiarlo entre en {link}"
    with pytest.raises(UnknownPhrase):
        catalog.sms("en", "no_such_text")
    with pytest.raises(UnknownPhrase):
        catalog.sms("en", "cancelled")
