"""The public status page as three files (HTML, JSON, RSS), written at each post: any host can serve them.

No script, nothing loaded from elsewhere; what people wrote is escaped.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from sqlmodel import col, select

from foundation.errors import Unavailable
from surge import record
from surge.office import Watch
from surge.states import LIVE
from surge.tables import Incident, IncidentUpdate

BACK_MS = 7 * 24 * 3_600_000
"""How long a resolved incident stays on the page."""
HTML, JSON, RSS = "status.html", "status.json", "status.rss"
FOLDER = "public"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """One incident with everything that was said of it, the latest first."""

    incident: Incident
    updates: tuple[IncidentUpdate, ...]

    @property
    def live(self) -> bool:
        return self.incident.state in set(LIVE)

    def words(self, language: str) -> str:
        return self.updates[0].words.get(language, "") if self.updates else self.incident.title


async def show(watch: Watch, now_ms: int) -> bool:
    """Write the files after a change; False when it must be done by the next round."""
    if watch.data_dir is None:
        return False
    try:
        await write(watch, now_ms)
    except (Unavailable, OSError) as away:
        log.warning("the status page is not written", why=type(away).__name__)
        return False
    return True


async def write(watch: Watch, now_ms: int) -> None:
    """All three files, each whole or not at all. Raises Unavailable, OSError."""
    if watch.data_dir is None:
        return
    told = await gathered(watch, now_ms)
    files = {
        HTML: page(watch, told, now_ms),
        JSON: as_json(watch, told, now_ms),
        RSS: feed(watch, told, now_ms),
    }
    await asyncio.to_thread(_put, watch.data_dir / FOLDER, files)


async def gathered(watch: Watch, now_ms: int) -> list[Shown]:
    """The live incidents, then those resolved lately. Raises Unavailable."""
    async with watch.sql.reading() as session:
        rows = await record.live(session)
        lately = select(Incident).where(col(Incident.resolved_ms) > now_ms - BACK_MS)
        rows += list(await session.exec(lately.order_by(col(Incident.resolved_ms).desc())))
        said = await session.exec(
            select(IncidentUpdate)
            .where(col(IncidentUpdate.incident).in_([row.id for row in rows]))
            .order_by(col(IncidentUpdate.version).desc())
        )
        by_incident: dict[str, list[IncidentUpdate]] = {}
        for each in said:
            by_incident.setdefault(each.incident, []).append(each)
    return [Shown(row, tuple(by_incident.get(row.id, ()))) for row in rows]


def page(watch: Watch, told: Sequence[Shown], now_ms: int) -> str:
    """The page: what is wrong is the largest thing on it."""
    live = [each for each in told if each.live]
    name = escape(watch.centre_name or "Status")
    head = "".join(_section(watch, each) for each in live) or (
        "<section><h1>Everything works, as far as we know.</h1></section>"
    )
    past = "".join(_section(watch, each, past=True) for each in told if not each.live)
    earlier = f"<h2>Over</h2>{past}" if past else ""
    return (
        f'<!doctype html><html lang="{escape(watch.languages[0])}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="refresh" content="60">'
        f"<title>{name}: status</title>"
        '<link rel="alternate" type="application/rss+xml" href="status.rss" title="Status">'
        f"<style>{_STYLE}</style></head><body><header><p>{name}</p></header><main>{head}{earlier}</main>"
        f"<footer><p>Written {_at(watch, now_ms)}. This page renews itself every minute.</p></footer>"
        "</body></html>\n"
    )


def as_json(watch: Watch, told: Sequence[Shown], now_ms: int) -> str:
    """For programs: ``{"at", "ok", "incidents": [...]}``; times are ISO 8601, UTC."""
    incidents = [
        {
            "id": each.incident.id,
            "title": each.incident.title,
            "state": each.incident.state,
            "severity": each.incident.severity,
            "audience": each.incident.audience,
            "words": each.updates[0].words if each.updates else {},
            "do": each.incident.do,
            "dont": each.incident.dont,
            "updated": _iso(each.incident.updated_ms),
            "next_update": _iso(each.incident.next_update_ms),
            "resolved": _iso(each.incident.resolved_ms),
            "updates": [
                {"state": said.state, "words": said.words, "at": _iso(said.at_ms)} for said in each.updates
            ],
        }
        for each in told
    ]
    answer = {"at": _iso(now_ms), "ok": not any(each.live for each in told), "incidents": incidents}
    return json.dumps(answer, ensure_ascii=False, indent=1) + "\n"


def feed(watch: Watch, told: Sequence[Shown], now_ms: int) -> str:
    """RSS 2.0: an item for each thing that was said."""
    link, language = escape(f"{watch.public_url}/status"), watch.languages[0]
    items = [
        f"<item><title>{escape(each.incident.title)}: {escape(said.state)}</title>"
        f"<description>{escape(said.words.get(language, ''))}</description><link>{link}</link>"
        f'<guid isPermaLink="false">{escape(said.incident)}.{said.version}</guid>'
        f"<pubDate>{_mailed(said.at_ms)}</pubDate></item>"
        for each in told
        for said in each.updates
    ]
    name = escape(watch.centre_name or "Status")
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
        f"<title>{name}: status</title><link>{link}</link><description>{name}</description>"
        f"<lastBuildDate>{_mailed(now_ms)}</lastBuildDate>{''.join(items)}</channel></rss>\n"
    )


def _section(watch: Watch, each: Shown, past: bool = False) -> str:
    row, level = each.incident, "h3" if past else "h1"
    lines = []
    for language in watch.languages:
        if words := each.words(language) if each.updates else "":
            tag = level if language == watch.languages[0] else "p"
            lines.append(f'<{tag} lang="{escape(language)}">{escape(words)}</{tag}>')
    lines += [f'<p class="do">✓ {escape(row.do)}</p>'] if row.do else []
    lines += [f'<p class="dont">✗ {escape(row.dont)}</p>'] if row.dont else []
    upcoming = row.next_update_ms if each.live else None
    following = f" Next update {_at(watch, upcoming)}." if upcoming else ""
    lines.append(
        f"<p>{escape(row.title)}: {escape(row.state)}. Said {_at(watch, row.updated_ms)}.{following}</p>"
    )
    said = "".join(
        f"<li>{_at(watch, old.at_ms)}: {escape(old.words.get(watch.languages[0], ''))}</li>"
        for old in each.updates[1:]
    )
    before = f"<details><summary>Said before</summary><ul>{said}</ul></details>" if said else ""
    return f"<section>{''.join(lines)}{before}</section>"


_STYLE = (
    ":root{color-scheme:light dark}body{font:1.125rem/1.5 system-ui,sans-serif;max-width:44rem;"
    "margin:0 auto;padding:1rem}h1{font-size:1.75rem;line-height:1.25}section{border-top:1px solid;"
    "padding:1rem 0}h3{font-size:1.125rem}"
)


def _at(watch: Watch, at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    local = at.astimezone(ZoneInfo(watch.time_zone))
    return f'<time datetime="{at.isoformat(timespec="seconds")}">{local:%Y-%m-%d %H:%M %Z}</time>'


def _iso(at_ms: int | None) -> str | None:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds") if at_ms else None


def _mailed(at_ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(at_ms / 1000, UTC))


def _put(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        beside = folder / f"{name}.{os.getpid()}.new"
        beside.write_text(content, "utf-8")
        beside.replace(folder / name)
