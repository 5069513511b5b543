"""The slip a caller carries from door to door: what is known so far, in the query string of each URL.

The carrier signs every URL it asks for, so a slip cannot be forged, needs no store, and makes a repeated
webhook answer as the first did. It never holds a phone number. Whatever cannot be read is as if not there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ivr.menus import SLUG, Centre

_HEARD = re.compile(r"[A-Za-z0-9.~-]{1,1500}\Z")


@dataclass(frozen=True, slots=True)
class Slip:
    language: str
    merchant: int = 0
    """0: not recognised."""
    location: int = 0
    topic: str = ""
    queue: str = ""
    band: str = ""
    tries: int = 0
    """How often the caller has been asked in vain, at this stage."""
    known_language: bool = False
    """The caller chose the language, or the merchant's is known."""
    heard: str = ""
    """What the caller has been told of incidents, packed (``ivr.heard``)."""

    def query(self) -> str:
        """Ready to stand in a URL; what is not known is left out."""
        parts = [f"lang={self.language}"]
        parts += [f"m={self.merchant}"] if self.merchant else []
        parts += [f"loc={self.location}"] if self.location else []
        parts += [f"topic={self.topic}"] if self.topic else []
        parts += [f"q={self.queue}"] if self.queue else []
        parts += [f"b={self.band}"] if self.band else []
        parts += [f"t={self.tries}"] if self.tries else []
        parts += ["own=1"] if self.known_language else []
        parts += [f"heard={self.heard}"] if self.heard else []
        return "&".join(parts)


def read(centre: Centre, query: Mapping[str, str]) -> Slip:
    """The slip in a request's query."""
    language = query.get("lang", "")
    return Slip(
        language=language if language in centre.languages else centre.language,
        merchant=whole(query.get("m", "")),
        location=whole(query.get("loc", "")),
        topic=_slug(query.get("topic", "")),
        queue=_slug(query.get("q", "")),
        band=_slug(query.get("b", "")),
        tries=min(whole(query.get("t", "")), 99),
        known_language=query.get("own") == "1",
        heard=_heard(query.get("heard", "")),
    )


def whole(text: str) -> int:
    """A whole number of at most 15 digits, else 0."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 15 else 0


def _heard(text: str) -> str:
    return text if text and _HEARD.match(text) else ""


def _slug(text: str) -> str:
    return text if text and SLUG.match(text) else ""
