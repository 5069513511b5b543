"""What callers and subscribers are told of an incident."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from announcements.book import LANGUAGES
from carrier.segments import segments
from surge.directive import Told
from surge.playbook import TABLE, Play
from surge.policy import SurgePolicy
from surge.states import Level
from surge.wording import at, level, news, next_update, notice, offers, status, text, untextable

POLICY = SurgePolicy()
MINUTE = 60_000
NOW = round(datetime(2024, 5, 11, 18, 20, tzinfo=UTC).timestamp() * 1000)
ZONE = "America/New_York"
CENTRE = "Corner Support"
LINK = "https://help.corner.example/status"
OURS = "+14155550100"
TOLD = Told(
    "IN1",
    "critical",
    "identified",
    "merchants",
    {"all": True},
    3,
    NOW - 10 * MINUTE,
    {
        "en": "Card payments on Register 4 fail for everybody. We are putting the old version back.",
        "es": "Los pagos con tarjeta en Register 4 fallan para todos. Volvemos al programa anterior.",
    },
    do="Switch offline mode on.",
    dont="Do not force-quit the app.",
    topic="payments",
    title="Card payments fail",
    next_update_ms=NOW + 20 * MINUTE,
)


def said(*utterances) -> str:
    return " ".join(each.text for each in utterances)


def test_the_status_with_its_age():
    assert said(*status("en", TOLD, POLICY, NOW)) == (
        "As of 10 minutes ago: Card payments on Register 4 fail for everybody. We are putting the old "
        "version back. Meanwhile: Switch offline mode on. Important: Do not force-quit the app."
    )


def test_a_maybe_is_told_so():
    first, second = status("en", replace(TOLD, do="", dont=""), POLICY, NOW, maybe=True)
    assert first.text == "This may or may not concern you."
    assert second.text.startswith("As of 10 minutes ago: Card payments")


def test_stale_words_are_not_told():
    old = replace(TOLD, updated_ms=NOW - 25 * MINUTE)
    told = said(*status("en", old, POLICY, NOW))
    assert told.startswith(
        "We know of this problem: Card payments fail. Our last update is 25 minutes old, so "
        "we do not repeat it."
    )
    assert "old version" not in told
    assert "offline mode" in told  # what to do meanwhile does not age so
    assert "old version" not in text("en", old, CENTRE, LINK, ZONE, POLICY, NOW)


def test_another_language_hears_no_foreign_title_but_the_lines_in_theirs():
    spanish = status("es", replace(TOLD, words={"en": "Down."}), POLICY, NOW)
    assert [each.language for each in spanish] == ["es", "en", "en"]
    assert spanish[0].text == "Sabemos de un problema con pagos y lectores de tarjetas."
    nothing = status("es", replace(TOLD, words={}, topic="", do="", dont=""), POLICY, NOW)
    assert said(*nothing) == "Sabemos de un problema de nuestro lado."
    known = status("en", replace(TOLD, words={}, do="", dont=""), POLICY, NOW)
    assert said(*known) == "We know of this problem: Card payments fail."


def test_the_next_update():
    assert next_update("en", TOLD, ZONE, NOW).text == (
        "The next update is due today at 2:40 in the afternoon."
    )
    assert next_update("en", replace(TOLD, next_update_ms=NOW), ZONE, NOW) is None
    assert next_update("en", replace(TOLD, next_update_ms=None), ZONE, NOW) is None


def test_the_offers_at_surge():
    told, keys = offers("en", Play(True, True, ("text", "callback", "line")))
    assert keys == {"1": "text", "2": "callback"}
    assert [each.text for each in told] == [
        "To get a text now and at every update until it is fixed, and not wait on the phone, press 1.",
        "By pressing 1 you agree to these texts. Message and data rates may apply.",
        "To be called back and keep your place in line, press 2.",
        "To wait for a person, just stay on the line.",
    ]


def test_the_offers_when_the_line_is_closed():
    told, keys = offers("en", Play(True, True, ("text", "message"), join=False))
    assert keys == {"1": "text", "2": "message", "3": "other"}
    assert told[0].text == "We are not taking calls about this now."
    assert told[-1].text == "If your call is about something else, press 3."
    assert "stay on the line" not in said(*told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_play_has_words_and_a_key_for_each_offer(language: str):
    for play in TABLE.values():
        told, keys = offers(language, play)
        assert set(keys.values()) == (set(play.offer) - {"line"}) | (set() if play.join else {"other"})
        assert all(f" {key}" in said(*told) for key in keys)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_gets_no_text_is_told_why(language: str):
    whys = [untextable(language, why).text for why in ("landline", "opted_out", "withheld", "", "odd")]
    assert len(set(whys)) == 4
    assert whys[-1] == whys[-2]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["status", "update", "relapsed"])
@pytest.mark.parametrize("lines", [True, False])
def test_texts_stay_within_two_parts_and_say_how_to_stop(language: str, kind: str, lines: bool):
    told = TOLD if lines else replace(TOLD, do="", dont="")
    body = text(language, told, CENTRE, LINK, ZONE, POLICY, NOW, kind=kind)
    assert body.startswith(CENTRE)
    assert body.endswith(LINK)
    assert "STOP" in body
    assert ".." not in body
    assert str(told.words[language]).rstrip(".") in body
    assert ("offline mode" in body) is (lines and kind != "relapsed")
    assert segments(body) <= 2, body


def test_a_status_text_as_it_is_read():
    assert text("en", TOLD, CENTRE, LINK, ZONE, POLICY, NOW) == (
        "Corner Support: Card payments on Register 4 fail for everybody. We are putting the old version "
        "back. Switch offline mode on. Do not force-quit the app. (Update of today at 2:10 in the afternoon) "
        "To be called reply 2, for no more texts STOP. All updates: https://help.corner.example/status"
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", ["verified", "verified_customers", "resolved", "keep"])
def test_notices(language: str, key: str):
    when = at(language, ZONE, NOW + 20 * MINUTE, NOW)
    body = notice(language, key, TOLD, CENTRE, OURS, when)
    assert "Card payments fail" in body
    assert "2" in body
    assert segments(body) <= 2
    assert ("STOP" in body) is key.startswith("verified")
    if key == "keep":
        assert "KEEP" in body
        assert when in body


def test_a_level_in_words():
    assert [level("en", each) for each in Level] == ["calm", "watch", "surge", "closed to new callers"]
    assert level("es", Level.CALM) == "calma"


def test_markup_in_posted_words_reaches_nobody():
    evil = replace(TOLD, words={"en": "Down <break time='9s'/> {now}."}, title="<b>x</b>")
    assert not set("<>{}") & set(said(*status("en", evil, POLICY, NOW)))
    assert not set("<>{}") & set(text("en", evil, CENTRE, LINK, ZONE, POLICY, NOW))


def test_news_on_hold_new_words_then_that_it_is_fixed():
    words = [each.text for each in news("en", TOLD, POLICY, NOW, words=True, fixed=True)]
    assert words[:2] == [
        "Here is an update while you hold.",
        f"As of 10 minutes ago: {TOLD.words['en']}",
    ]
    assert words[-1].startswith("This problem is fixed, as far as we can tell: Card payments fail.")
    (_, fixed) = news("es", TOLD, POLICY, NOW, words=False, fixed=True)
    assert fixed.text.startswith("Hasta donde sabemos, el problema de nuestro lado está resuelto.")
