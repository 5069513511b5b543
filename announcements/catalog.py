"""Every sentence we can say, in every language we speak.

The sentences are in ``phrases/<language>.toml``; nobody else holds words for a caller. Pure: a key and
values in, an ``Utterance`` out. What comes from people (a merchant's name) is made ``plain`` on the way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from announcements.book import LANGUAGES, UnknownPhrase, known, page, wording
from announcements.pacing import Announcement, Topic, Wait
from announcements.spoken import Worded, plain, word

__all__ = [
    "LANGUAGES", "LOCALES", "VOICES", "UnknownPhrase", "Utterance", "known", "name", "offer", "sms", "tell",
    "voice", "words",
]  # fmt: skip

LOCALES: dict[str, str] = {"en": "en-US", "es": "es-US"}
"""Language to the locale of ``<Say language>`` and of speech recognition."""

VOICES: dict[str, str] = {"en": "Polly.Joanna-Neural", "es": "Polly.Lupe-Neural"}
"""Language to the voice of ``<Say voice>``."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words to be spoken, and the language they are in: one of ``LANGUAGES``."""

    language: str
    text: str

    def __add__(self, other: Utterance) -> Utterance:
        """Both, one after the other. The languages must be the same."""
        if other.language != self.language:
            raise ValueError(f"one breath in two languages: {self.language} and {other.language}")
        return Utterance(self.language, f"{self.text} {other.text}")


def voice(language: str, key: str, /, **values: int | str) -> Utterance:
    """The phrase ``key`` in ``language`` (or in English, when we do not speak it) with ``values`` set in.

    Values of type ``str`` are made plain (``spoken.plain``), but for those that are our own (``Worded``).
    Raises UnknownPhrase for an unknown key or a missing value: a slip in our code, never in what callers say.
    """
    language = known(language)
    entry = page(language).voice.get(key)
    if entry is None:
        raise UnknownPhrase(f"there is no phrase {key!r}")
    return Utterance(language, wording(language, entry, _clean(values)))


def sms(language: str, key: str, /, **values: int | str) -> str:
    """The text message ``key`` in ``language`` with ``values`` set in; ``link`` is ours and set in as it is.

    Raises UnknownPhrase as ``voice`` does.
    """
    language = known(language)
    entry = page(language).sms.get(key)
    if entry is None:
        raise UnknownPhrase(f"there is no text message {key!r}")
    if "link" in values:
        values["link"] = Worded(values["link"])
    return wording(language, entry, _clean(values)).translate(_TYPED_AS)


_TYPED_AS = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "}
)
"""What a word processor writes, as a text's cheap alphabet has it: one such character makes a text dear."""


def name(language: str, kind: str, code: str) -> str:
    """What a "topic" or a "queue" is called inside a sentence: ``name("en", "topic", "payments")``.

    A code without a name of its own is read out as it is written ("gift-cards": "the gift cards team").
    """
    names = page(known(language)).names[kind]
    readable = plain(re.sub(r"[-_.]+", " ", code))
    if code in names and (kind == "topic" or code != "other"):
        return names[code]
    if kind == "topic":
        return readable or names["other"]
    return names["other"].format(name=readable) if readable else names["support"]


def words(language: str, kind: str, code: str) -> tuple[str, ...]:
    """What a caller may say for a "topic" or a "language", in lower case; nothing for an unknown code."""
    return page(known(language)).heard[kind].get(code, ())


def offer(language: str, wait: Wait | None, *, again: bool = False, type_number: bool = False) -> Utterance:
    """The offer of a callback, after the wait if one is to be told (as ``Announcement.wait``)."""
    said = voice(language, "offer_type" if type_number else "offer_again" if again else "offer")
    if wait is None:
        return said
    return _wait(language, "offer_wait", wait) + said


def tell(language: str, announcement: Announcement) -> Utterance:
    """An announcement of ``pacing`` in words: where the caller stands, then the wait if one is to be told."""
    match announcement.topic:
        case Topic.NEXT:
            said = voice(language, "position", position=1)
        case Topic.POSITION:
            said = voice(language, "position", position=announcement.position)
        case Topic.MORE_THAN:
            said = voice(language, "more_than", number=word(known(language), announcement.position))
        case Topic.COMFORT:
            said = voice(language, "comfort")
    if announcement.wait is None:
        return said
    return said + _wait(language, "wait", announcement.wait)


def _wait(language: str, key: str, wait: Wait) -> Utterance:
    low, high = wait
    if high is None:
        return voice(language, f"{key}_over", low=low)
    if low == 0:
        return voice(language, f"{key}_less_than", high=high)
    return voice(language, f"{key}_range", low=low, high=high)


def _clean(values: Mapping[str, int | str]) -> dict[str, int | str]:
    """What comes from people, made plain."""
    return {
        name: plain(value) if isinstance(value, str) and not isinstance(value, Worded) else value
        for name, value in values.items()
    }
