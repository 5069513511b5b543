"""The phrase files, read once: one page a language, plural forms by the CLDR rules.

How a language is added: write ``phrases/<language>.toml`` with the keys of ``en.toml`` and name it in
``LANGUAGES``, ``catalog.LOCALES`` and ``catalog.VOICES``; the tests say what is missing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from babel import Locale

from foundation.errors import SurgelineError

LANGUAGES: tuple[str, ...] = ("en", "es")
"""The languages we speak. The first is spoken to whoever asks for one we do not."""

Entry = str | Mapping[str, str]
"""A phrase: one text, or a text per plural category beside ``by``, the placeholder that decides."""


class UnknownPhrase(SurgelineError):
    """A phrase was asked for that is in no phrase file, or a value it needs was not given."""


@dataclass(frozen=True, slots=True)
class Page:
    """One language's phrase file, section by section."""

    voice: Mapping[str, Entry]
    sms: Mapping[str, str]
    names: Mapping[str, Mapping[str, str]]
    heard: Mapping[str, Mapping[str, tuple[str, ...]]]
    spoken: Mapping[str, Any]


def known(language: str) -> str:
    """The language we speak to somebody who wants ``language`` ("es-MX" is "es"); the first one if none."""
    short = language.replace("_", "-").split("-")[0].strip().lower()
    return short if short in LANGUAGES else LANGUAGES[0]


@cache
def page(language: str) -> Page:
    """The page of one of ``LANGUAGES``."""
    text = (resources.files("announcements") / "phrases" / f"{language}.toml").read_text("utf-8")
    told = tomllib.loads(text)
    heard = {
        kind: {name: tuple(words) for name, words in names.items()} for kind, names in told["heard"].items()
    }
    return Page(voice=told["voice"], sms=told["sms"], names=told["names"], heard=heard, spoken=told["spoken"])


@cache
def categories(language: str) -> frozenset[str]:
    """The CLDR plural categories of a language: "other", and those that its rules tell apart."""
    return Locale.parse(language).plural_form.tags | {"other"}


def wording(language: str, entry: Entry, values: Mapping[str, int | str]) -> str:
    """The text of ``entry`` with ``values`` set in, in the plural form that the deciding number asks for.

    The deciding number stands before its noun, so it is written as the language counts ("veintiún").
    Raises UnknownPhrase when a value is missing.
    """
    try:
        if isinstance(entry, str):
            return entry.format_map(values)
        number = int(values[entry["by"]])
        text = entry[plural(language, number)]
        return text.format_map({**values, entry["by"]: count(language, number)})
    except (KeyError, ValueError) as missing:
        raise UnknownPhrase(f"a phrase cannot be worded: {missing} is missing or unfit") from missing


def count(language: str, number: int) -> str:
    """``number`` as it is written before a masculine noun: digits, but for the few that change their form."""
    changed: Mapping[str, str] = page(language).spoken["counts"]
    return changed.get(str(number), str(number))


@lru_cache(maxsize=1024)
def plural(language: str, number: int) -> str:
    """The CLDR plural category of ``number``: "one", "other", ..."""
    return str(Locale.parse(language).plural_form(number))
