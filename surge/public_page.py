"""The public status page as bytes: HTML that stands alone in one file, JSON, and RSS. Pure.

Any host can serve what comes out: the styles are inside, there is no script, and links are whole addresses.
Where it is written to a file the wait is left out, because a file grows old; where a process serves it the
wait is of this moment, or silent.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cache
from hashlib import sha256
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as worded
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from announcements.written import written

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Said:
    """One update. ``words``: language to sentence."""

    at_ms: int
    state: str
    words: dict[str, str]
    version: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """One incident as the public sees it. ``scope``: whom it touches; empty: everybody."""

    id: str
    title: str
    severity: str
    state: str
    since_ms: int
    updates: Sequence[Said]
    """The newest first."""
    scope: Sequence[str] = ()
    do: str = ""
    dont: str = ""
    next_update_ms: int | None = None
    resolved_ms: int | None = None

    def words(self, language: str) -> str:
        """What was said last, in the language or in any other."""
        told = self.updates[0].words if self.updates else {}
        return told.get(language) or next(iter(told.values()), "") or self.title


@dataclass(frozen=True, slots=True)
class Status:
    """``wait_min``: low and high, if one calls now; None when nothing honest can be said."""

    centre: str
    zone: str
    at_ms: int
    public_url: str
    live: Sequence[Shown] = ()
    past: Sequence[Shown] = ()
    languages: Sequence[str] = ("en",)
    wait_min: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """What of text-me is shown: "number", "code" (with its ``token``) or "none"; and what was wrong."""

    step: str = "number"
    token: str = ""
    said: str = ""
    fault: str = ""


def news(status: Status) -> str:
    """Marks what is said: incident and version of each that is live. A page that shows another is old."""
    return " ".join(f"{shown.id}.{shown.updates[0].version if shown.updates else 0}" for shown in status.live)


def html(status: Status, language: str = "en", *, form: Form | None = None, stale: bool = False) -> str:
    """The whole page. ``stale``: it is served from a file because nothing newer can be had."""
    zone = ZoneInfo(status.zone)

    def clock(ms: int) -> str:
        pattern = (
            "HH:mm" if status.at_ms - 12 * 60 * MINUTE_MS < ms < status.at_ms + 12 * 60 * MINUTE_MS else ""
        )
        at = datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone)
        return str(worded(at, pattern or "d MMM, HH:mm", locale=language))

    def say(key: str, **values: int | str) -> str:
        return written(language, f"status_{key}", **values)

    given: dict[str, Any] = {
        "status": status,
        "language": language,
        "others": [other for other in status.languages if other != language],
        "form": form or Form(),
        "stale": stale,
        "say": say,
        "clock": clock,
        "iso": lambda ms: datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds"),
        "news": news(status),
        "style": Markup(style()),
    }
    return _environment().get_template("status.html").render(given)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("surge"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def style() -> str:
    """The page's own styles."""
    source, _, _ = PackageLoader("surge").get_source(_environment(), "status.css")
    return source


def style_hash() -> str:
    """For a content security policy: ``'sha256-…'`` of the styles inside the page."""
    return f"'sha256-{b64encode(sha256(style().encode()).digest()).decode()}'"


def as_json(status: Status) -> str:
    """Times are epoch milliseconds, UTC."""
    told = {
        "centre": status.centre,
        "at_ms": status.at_ms,
        "ok": not status.live,
        "wait_min": list(status.wait_min) if status.wait_min else None,
        "incidents": [_told(shown) for shown in status.live],
        "resolved": [_told(shown) for shown in status.past],
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


def _told(shown: Shown) -> dict[str, Any]:
    return {
        "id": shown.id,
        "title": shown.title,
        "severity": shown.severity,
        "state": shown.state,
        "scope": list(shown.scope),
        "since_ms": shown.since_ms,
        "resolved_ms": shown.resolved_ms,
        "next_update_ms": shown.next_update_ms,
        "do": shown.do,
        "dont": shown.dont,
        "words": shown.updates[0].words if shown.updates else {},
        "updates": [
            {"at_ms": said.at_ms, "state": said.state, "words": said.words} for said in shown.updates
        ],
    }


def rss(status: Status, language: str = "en") -> str:
    """RSS 2.0: an item an update, the newest first."""
    items = sorted(
        ((said, shown) for shown in (*status.live, *status.past) for said in shown.updates),
        key=lambda pair: -pair[0].at_ms,
    )
    link = f"{status.public_url}/status"
    title = f"{status.centre}: {written(language, 'status_title')}"
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom">'
        f"<channel><title>{_xml(title)}</title><link>{_xml(link)}</link>"
        f'<atom:link href={quoteattr(link + ".rss")} rel="self" type="application/rss+xml"/>'
        f"<description>{_xml(title)}</description><language>{_xml(language)}</language>"
    )
    return (
        head
        + "".join(_item(said, shown, language, link) for said, shown in items[:50])
        + "</channel></rss>\n"
    )


def _item(said: Said, shown: Shown, language: str, link: str) -> str:
    words = said.words.get(language) or next(iter(said.words.values()), "")
    state = written(language, f"status_state_{said.state}")
    at = format_datetime(datetime.fromtimestamp(said.at_ms / 1000, UTC))
    return (
        f"<item><title>{_xml(f'{state}: {shown.title}')}</title><description>{_xml(words)}</description>"
        f'<pubDate>{at}</pubDate><link>{_xml(link)}</link><guid isPermaLink="false">'
        f"{_xml(f'{shown.id}.{said.version}')}</guid></item>"
    )


def _xml(words: str) -> str:
    """Escaped, and without the characters XML 1.0 cannot hold."""
    return escape("".join(letter for letter in words if letter >= " " or letter in "\t\n"))
