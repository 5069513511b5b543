"""What a call centre is to its callers, and what their keys and words mean.

Pure: a ``Centre`` is filled from the settings; ``choose`` turns a key or a spoken sentence into a choice.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from announcements import catalog
from queueing.hours import Hours

SLUG = re.compile(r"[a-z0-9_-]{1,32}\Z")
PERSON_KEY = "0"
"""A person, at any time: also while the menu is read out."""
LEAVE_KEY = "*"
"""Out of the line, to record a message."""
CALLBACK_KEY = "1"
"""In the hold loop, after the offer: keep my place and call me back."""
OTHER_LOCATION_KEY = "9"
MOST_HEARD = 500
"""Characters of a spoken sentence that are looked at."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One choice of the menu."""

    id: str
    """A slug: it rides in the URL and in reports, and names the topic in the phrase files."""
    key: str
    """The key on the phone: "1" to "8"."""
    queue: str
    names: Mapping[str, str] = field(default_factory=dict)
    """Language -> how it is spoken inside a sentence, where the phrase files do not say."""
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Language -> what callers may say for it, beside the words of the phrase files."""
    band: str = ""
    """A band of its own, for emergencies; "" leaves it to the merchant's tier."""

    def name(self, language: str) -> str:
        return self.names.get(language) or catalog.name(language, "topic", self.id)

    def words(self, language: str) -> tuple[str, ...]:
        """What callers may say for it."""
        return (
            *self.keywords.get(language, ()),
            *catalog.words(language, "topic", self.id),
            self.name(language),
        )


@dataclass(frozen=True, slots=True)
class Centre:
    """One call centre: its names, choices and rules. Raises ValueError when they contradict each other."""

    name: str
    """As it is spoken: "Corner Pay support"."""
    default_queue: str
    topics: tuple[Topic, ...] = ()
    languages: tuple[str, ...] = catalog.LANGUAGES
    """The first is spoken to callers of whom nothing is known."""
    tiers: Mapping[str, str] = field(default_factory=dict)
    """Merchant tier -> band."""
    default_band: str = "p2"
    hours: Hours | None = None
    """None: always open."""
    language_key: str = "9"
    menu_tries: int = 3
    message_max_s: int = 120

    def __post_init__(self) -> None:
        keys = [PERSON_KEY, self.language_key, *(topic.key for topic in self.topics)]
        if len(set(keys)) != len(keys) or not all(re.fullmatch(r"[0-9]", key) for key in keys):
            raise ValueError(
                f"menu keys must be different digits; 0 and {self.language_key} are taken: {keys[2:]}"
            )
        slugs = [topic.id for topic in self.topics]
        if len(set(slugs)) != len(slugs):
            raise ValueError(f"two topics have one id: {slugs}")
        for slug in (*slugs, self.default_queue, self.default_band, *(topic.queue for topic in self.topics)):
            if not SLUG.match(slug):
                raise ValueError(f"{slug!r} must be 1 to 32 of a-z, 0-9, _ and -")
        strange = [language for language in self.languages if language not in catalog.LANGUAGES]
        if strange or not self.languages:
            raise ValueError(f"there are phrases for {', '.join(catalog.LANGUAGES)} only, not for: {strange}")

    @property
    def language(self) -> str:
        """What is spoken to a caller of whom nothing is known."""
        return self.languages[0]

    def topic(self, slug: str) -> Topic | None:
        return next((topic for topic in self.topics if topic.id == slug), None)

    def other_language(self, language: str) -> str | None:
        """Where the language key leads from ``language``; None when there is one language only."""
        if len(self.languages) < 2:
            return None
        here = self.languages.index(language) if language in self.languages else 0
        return self.languages[(here + 1) % len(self.languages)]


class Meaning(StrEnum):
    """What the caller asked for."""

    TOPIC = "topic"
    PERSON = "person"
    """Anybody: the default queue."""
    LANGUAGE = "language"
    UNCLEAR = "unclear"
    """A key or words that mean nothing here."""
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Choice:
    meaning: Meaning
    topic: Topic | None = None
    language: str = ""


def choose(centre: Centre, language: str, digits: str, speech: str) -> Choice:
    """What a key or a spoken sentence means in the menu. A key outranks words; the first key counts."""
    if digits:
        return _by_key(centre, language, digits[0])
    said = plain(speech[:MOST_HEARD])
    if not said.strip():
        return Choice(Meaning.UNCLEAR if speech.strip() else Meaning.SILENCE)
    return _by_words(centre, language, said)


def _by_key(centre: Centre, language: str, key: str) -> Choice:
    if key == PERSON_KEY:
        return Choice(Meaning.PERSON)
    if key == centre.language_key and (other := centre.other_language(language)):
        return Choice(Meaning.LANGUAGE, language=other)
    topic = next((topic for topic in centre.topics if topic.key == key), None)
    return Choice(Meaning.TOPIC, topic) if topic else Choice(Meaning.UNCLEAR)


def _by_words(centre: Centre, language: str, said: str) -> Choice:
    """The longest word or phrase that was said decides between topics; a language named goes before all."""
    for other in centre.languages:
        if other != language and _longest(_language_words(centre, other), said):
            return Choice(Meaning.LANGUAGE, language=other)
    found = [(_longest(topic.words(language), said), topic) for topic in centre.topics]
    length, topic = max(found, key=lambda candidate: candidate[0], default=(0, None))
    if topic and length:
        return Choice(Meaning.TOPIC, topic)
    person = catalog.words(language, "topic", "other")
    return Choice(Meaning.PERSON if _longest(person, said) else Meaning.UNCLEAR)


def _language_words(centre: Centre, code: str) -> list[str]:
    """What ``code`` is called in each of the centre's languages."""
    return [word for here in centre.languages for word in catalog.words(here, "language", code)]


def hints(centre: Centre, language: str) -> str:
    """Words the speech recogniser should expect, for ``<Gather hints>``: 500 of 100 characters at most."""
    words = [word for topic in centre.topics for word in topic.words(language)]
    words += catalog.words(language, "topic", "other")
    words += [
        word for other in centre.languages if other != language for word in _language_words(centre, other)
    ]
    kept = [" ".join(word.replace(",", " ").split())[:100] for word in words]
    return ", ".join(list(dict.fromkeys(word for word in kept if word))[:500])


def plain(text: str) -> str:
    """Lower case, without accents or punctuation, each word with a space before and behind."""
    letters = unicodedata.normalize("NFKD", text).lower()
    words = re.findall(r"[a-z0-9]+", "".join(c for c in letters if not unicodedata.combining(c)))
    return f" {' '.join(words)} "


def _longest(words: Iterable[str], said: str) -> int:
    """The length of the longest of ``words`` that stands, whole, in ``said`` (already plain)."""
    return max((len(word) for word in map(plain, words) if word.strip() and word in said), default=0)
