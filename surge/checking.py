"""What the words of an update must pass before anybody hears them: faults stop it, warnings are shown.

Pure. Words are spoken on the phone, sent as a text and shown on a page: what one of these cannot carry is a
fault for all three.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from carrier.segments import segments

SPOKEN_PER_S = 15
"""Characters a second, at a voice's ordinary pace."""
LONGEST_S = 20.0
"""Longer words are not taken …"""
LONG_S = 12.0
"""… and above this they are warned of: who matches is to know within 15 s of the answer."""
LINE_LONGEST = 120
"""Characters of a do or a don't line."""
MOST_SEGMENTS = 2


class Kind(StrEnum):
    EMPTY = "empty"
    CONTROL = "control"
    MARKUP = "markup"
    PICTURE = "picture"
    TOO_LONG = "too_long"
    LONG = "long"
    LINK = "link"
    DEAR = "dear"
    """More segments than two."""
    SAME = "same"
    UNDERSTATED = "understated"
    AGES = "ages"
    """It stops being true by itself: "a few minutes ago", "shortly"."""
    ETA = "eta"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Finding:
    kind: Kind
    message: str
    """What is wrong and what to do, in one sentence."""
    stops: bool = True
    """False: a warning, which a person may pass over."""
    where: str = ""
    """A language, "do" or "dont"."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An update that is about to be posted. Words by language; ``last`` are those of the update before."""

    words: Mapping[str, str]
    do: str = ""
    dont: str = ""
    no_news: bool = False
    """Marked as "nothing new": the same words are allowed."""
    last: Mapping[str, str] = field(default_factory=dict)
    scope_all: bool = False
    eta_slips: int = 0
    languages: tuple[str, ...] = ("en",)
    """Those the centre speaks; the first must have words."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an update comes to in one language: spoken seconds, and parts of a text."""

    spoken_s: float
    segments: int


def check(draft: Draft, bodies: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """Everything that is to be said of a draft; it may be posted when none of it ``stops``.

    ``bodies``: language to the whole text that would be sent; the words alone are counted without it.
    """
    found: list[Finding] = []
    for language in draft.languages:
        words = tidy(draft.words.get(language, ""))
        if not words:
            found.append(_missing(language, draft.languages))
            continue
        body = (bodies or {}).get(language, words)
        for finding in (*carried(words), *_length(words, body), *_true(words, draft, language)):
            found.append(Finding(finding.kind, finding.message, finding.stops, language))
    for where, line in (("do", tidy(draft.do)), ("dont", tidy(draft.dont))):
        found += [Finding(each.kind, each.message, each.stops, where) for each in _line(line)]
    return tuple(found)


def stopped(findings: Iterable[Finding]) -> bool:
    return any(finding.stops for finding in findings)


def heard(words: str, body: str = "") -> Heard:
    """How long it is spoken, and in how many parts ``body`` (the words alone without one) is sent."""
    return Heard(spoken_s(words), segments(body or tidy(words) or " "))


def spoken_s(words: str) -> float:
    """About how many seconds a voice needs."""
    return round(len(tidy(words)) / SPOKEN_PER_S, 1)


_BLANKS = re.compile(r"[ \t\r\n\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
"""Every character that Unicode calls a space: a voice makes one blank of them."""


def tidy(words: str) -> str:
    """One line, single spaces: what a text box adds at its ends and line breaks is nobody's fault."""
    return " ".join(_BLANKS.split(words)).strip()


def is_stale(updated_ms: int, stale_ms: int, now_ms: int) -> bool:
    """Too old to be read out: neutral words take its place."""
    return now_ms - updated_ms > stale_ms


def age_min(updated_ms: int, now_ms: int) -> int:
    """The age that is told, in minutes; at least 1, and never less than it is."""
    return max(1, -(-(now_ms - updated_ms) // 60_000))


_MARKUP = re.compile(r"[<>{}\[\]|\\^~`]|\*\*|__|&(#\d+|#x[0-9a-f]+|[a-z]{2,8});", re.IGNORECASE)
_LINK = re.compile(r"https?:|www\.|\b[a-z0-9-]+\.(com|net|org|io|example)\b", re.IGNORECASE)
_UNDERSTATED = re.compile(
    r"\b((some|a few|few|certain|several|a (small )?(number|subset|portion|percentage) of)( \w+)?"
    r" (customers?|merchants?|users?|stores?|shops?|locations?|people|callers?|businesses)"
    r"|(algunos|algunas|unos|unas|unos pocos|ciertos|ciertas|varios|varias|una parte de los)"
    r" (clientes|comercios|comerciantes|usuarios|tiendas|locales|negocios|personas))\b",
    re.IGNORECASE,
)
_AGES = re.compile(
    r"\b(just now|right now|\w+ (minutes?|hours?|moments?) ago|shortly|soon(?! as)|any (minute|moment)"
    r"|momentarily|asap|hace \w+ (momentos?|minutos?|horas?)|ahora mismo|en breve|(?<!tan )pronto)\b",
    re.IGNORECASE,
)
_UNIT = r"(min(ute)?s?|hours?|minutos?|horas?)"
_ETA = re.compile(
    rf"\b((with)?in (the next |about |under |an? |just |a few |less than )*(\w+[ -])?{_UNIT}\b"
    rf"|(by|before|until|around) (about )?\d{{1,2}}(:\d\d)?( ?[ap]\.?m\b| o'clock|\b)"
    rf"|en (menos de |unos |unas |aproximadamente )?(\w+ )?(minutos?|horas?)\b"
    rf"|(antes de|hacia|para) las? \d)",
    re.IGNORECASE,
)


def _missing(language: str, languages: Sequence[str]) -> Finding:
    if language == languages[0]:
        return Finding(Kind.EMPTY, "There are no words; write one true sentence.", True, language)
    message = f"There are no words in {language}; those callers hear neutral words instead."
    return Finding(Kind.LANGUAGE, message, False, language)


def carried(words: str) -> Iterator[Finding]:
    """What phone, text and page can carry."""
    kinds = {letter: unicodedata.category(letter) for letter in words}
    odd = [letter for letter, kind in kinds.items() if kind[0] == "C" or kind in ("Zl", "Zp")]
    if odd:
        code = f"U+{ord(odd[0]):04X}"
        yield Finding(Kind.CONTROL, f"There are characters that cannot be seen ({code}); type it anew.")
    if any(_picture(letter, kind) for letter, kind in kinds.items()):
        yield Finding(Kind.PICTURE, "There are pictures or signs in it that nobody can hear; use words.")
    if markup := _MARKUP.search(words):
        yield Finding(Kind.MARKUP, f"There is markup in it ({markup[0]}); use plain words.")
    if _LINK.search(words):
        yield Finding(Kind.LINK, "Leave the link out: the text and the page carry it.", False)


def _picture(letter: str, kind: str) -> bool:
    variation = "\ufe00" <= letter <= "\ufe0f"
    return variation or (kind in ("So", "Me") or (kind == "Sk" and letter > "\u00b8"))


def _length(words: str, body: str) -> Iterator[Finding]:
    seconds = spoken_s(words)
    if seconds > LONGEST_S:
        most = round(LONGEST_S * SPOKEN_PER_S)
        yield Finding(Kind.TOO_LONG, f"It takes {seconds:.0f} s to say; keep to {most} characters.")
    elif seconds > LONG_S:
        yield Finding(Kind.LONG, f"It takes {seconds:.0f} s to say; callers should know sooner.", False)
    if seconds <= LONGEST_S and (parts := segments(body)) > MOST_SEGMENTS:
        yield Finding(Kind.DEAR, f"The text is sent in {parts} parts; shorter words make it two.", False)


def _true(words: str, draft: Draft, language: str) -> Iterator[Finding]:
    """What would not be honest."""
    if not draft.no_news and _alike(words) == _alike(draft.last.get(language, "")):
        yield Finding(Kind.SAME, "These are the words of the last update; say what is new, or mark no news.")
    if draft.scope_all and (said := _UNDERSTATED.search(words)):
        yield Finding(Kind.UNDERSTATED, f'It says "{said[0]}", and it touches everybody; say so.')
    if said := _AGES.search(words):
        message = f'"{said[0]}" stops being true by itself; callers are told the age of what they hear.'
        yield Finding(Kind.AGES, message, False)
    if draft.eta_slips >= 2 and (said := _ETA.search(words)):
        message = f'It quotes a time ("{said[0]}"), and the last two slipped; say what to do meanwhile.'
        yield Finding(Kind.ETA, message, False)


def _line(line: str) -> Iterator[Finding]:
    if line:
        yield from carried(line)
    if len(line) > LINE_LONGEST:
        yield Finding(Kind.TOO_LONG, f"It is {len(line)} characters long; keep to {LINE_LONGEST}.")


def _alike(words: str) -> str:
    """For comparing: letters and figures alone."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", words).casefold() if letter.isalnum())
