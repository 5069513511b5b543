"""What a merchant reads: the page of a callback, and the text an agent sends about one.

The words are in ``written_words/<language>.toml``; nobody else holds words for a merchant's eyes. Pure.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from announcements.book import UnknownPhrase, known


@cache
def _words(language: str) -> dict[str, str]:
    text = (resources.files("announcements") / "written_words" / f"{language}.toml").read_text("utf-8")
    return {key: str(words) for key, words in tomllib.loads(text).items()}


def keys(language: str) -> frozenset[str]:
    return frozenset(_words(language))


def written(language: str, key: str, /, **values: int | str) -> str:
    """The words ``key`` in ``language`` (or in English, when we do not write it) with ``values`` set in.

    Raises UnknownPhrase for an unknown key or a missing value: a slip in our code.
    """
    words = _words(known(language)).get(key)
    if words is None:
        raise UnknownPhrase(f"there are no words {key!r}")
    try:
        return words.format(**values)
    except KeyError as missing:
        raise UnknownPhrase(f"the words {key!r} need {missing}") from None
