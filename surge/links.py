"""Whether the addresses at which people look for our news show it, and who hears when they do not.

The page's own address and every alias that people are used to (``status_aliases``). In a surge a dead alias
sends the people who looked first to the phone after all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape

from sqlmodel import col, select

from foundation.sql import insert_once
from surge import leads, record
from surge.office import Watch
from surge.public_page import Status, news
from surge.tables import StatusLink

LATE_MS = 5 * 60_000
"""A copy on another host may be so old."""
LOOKS = 2
"""So many looks in a row must fail before anybody is told: one may be a hiccup."""
_OURS = re.compile(r'<meta name="written" content="[^"]*">')
_NEWS = re.compile(r'<meta name="news" content="([^"]*)">')


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address gave: a status and the beginning of the page, or why it gave none."""

    status: int = 0
    page: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page of ours is to show: the mark of its news, and since when."""

    news: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Link:
    """One address as it was last looked at. ``fault``: "" while it shows the news."""

    url: str
    fault: str = ""
    since_ms: int = 0
    looked_ms: int = 0
    """0: never yet."""


def addresses(watch: Watch) -> list[str]:
    """All that is looked at, our own first."""
    return list(dict.fromkeys([f"{watch.public_url}/status", *watch.policy.status_aliases]))


def wanted(status: Status) -> Shown:
    """What every address is to show now."""
    live = [said.at_ms for shown in status.live for said in shown.updates[:1]]
    over = [shown.resolved_ms or 0 for shown in status.past]
    return Shown(news(status), max([*live, *over], default=0))


def fault_of(answer: Answer, shown: Shown | None, now_ms: int) -> str:
    """What is wrong with it in a few words; "" when nothing is. ``shown`` None: any news will do."""
    if answer.why:
        return answer.why
    if not 200 <= answer.status < 300:
        return f"it answers {answer.status}"
    if not _OURS.search(answer.page):
        return "it is not our status page"
    if shown is None:
        return ""
    found = _NEWS.search(answer.page)
    if unescape(found[1] if found else "") != shown.news and now_ms - shown.since_ms > LATE_MS:
        return "it shows old news"
    return ""


async def looked(watch: Watch, url: str, fault: str, now_ms: int) -> str:
    """Write down one look. "broken" or "mended" when the leads are to hear of it, else "".

    A line of the timeline and a text to each lead who has a phone: once for each time it breaks. Raises
    Unavailable.
    """
    async with watch.sql.session() as session:
        await insert_once(session, StatusLink(url=url), "url")
        row = (
            await session.exec(select(StatusLink).where(col(StatusLink.url) == url).with_for_update())
        ).one()
        told = row.failed >= LOOKS
        row.looked_ms = now_ms
        row.failed = row.failed + 1 if fault else 0
        if fault and row.failed == 1:
            row.since_ms = now_ms
        row.fault = fault
        if fault and not told and row.failed >= LOOKS:
            record.note(session, "link_broken", "line", now_ms, words=f"{url}: {fault}")
            await leads.text_link(watch, session, url, row.since_ms, now_ms)
            return "broken"
        if told and not fault:
            record.note(session, "link_mended", "line", now_ms, words=url)
            return "mended"
    return ""


async def listed(watch: Watch) -> list[Link]:
    """Each address with its fault, once the fault has stood for ``LOOKS``. Raises Unavailable."""
    async with watch.sql.reading() as session:
        rows = (await session.exec(select(StatusLink))).all()
    known = {row.url: row for row in rows}
    return [_link(url, known.get(url)) for url in addresses(watch)]


def _link(url: str, row: StatusLink | None) -> Link:
    if row is None:
        return Link(url)
    broken = row.failed >= LOOKS
    return Link(url, row.fault if broken else "", row.since_ms if broken else 0, row.looked_ms)
