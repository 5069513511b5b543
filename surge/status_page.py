"""The public status page, written as static files at each post, so that any host can serve it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import structlog

from foundation.errors import Unavailable
from surge import lists
from surge.office import Watch
from surge.public_page import Said, Shown, Status, as_json, html, rss
from surge.states import IncidentState

BACK_MS = 14 * 24 * 3_600_000
FOLDER = "public"
HTML, JSON, RSS = "status.html", "status.json", "status.rss"
log = structlog.get_logger(__name__)


async def status_of(watch: Watch, now_ms: int, wait_min: tuple[int, int] | None = None) -> Status:
    """What the public is shown now. Raises Unavailable when SQL is away."""
    told = await lists.history(watch.sql, now_ms - BACK_MS)
    shown = [_shown(row, updates) for row, updates in told]
    return Status(
        centre=watch.centre_name,
        zone=watch.time_zone,
        at_ms=now_ms,
        public_url=watch.public_url,
        live=[each for each in shown if each.state != IncidentState.RESOLVED],
        past=[each for each in shown if each.state == IncidentState.RESOLVED],
        languages=watch.languages,
        wait_min=wait_min,
    )


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
    """All the files, each whole or not at all. Raises Unavailable, OSError."""
    if watch.data_dir is None:
        return
    status = await status_of(watch, now_ms)
    await asyncio.to_thread(_write, watch.data_dir / FOLDER, files(status))


def files(status: Status) -> dict[str, str]:
    """File name to contents; the page in each language, the first also as ``status.html``."""
    first = status.languages[0]
    pages = {f"status.{language}.html": html(status, language) for language in status.languages}
    return {
        HTML: pages[f"status.{first}.html"],
        **pages,
        JSON: as_json(status),
        RSS: rss(status, first),
    }


def _write(folder: Path, contents: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contents.items():
        beside = folder / f"{name}.{os.getpid()}.new"
        beside.write_text(text, "utf-8")
        beside.replace(folder / name)


def kept(watch: Watch, name: str) -> str | None:
    """A file that was written, or None."""
    if watch.data_dir is None:
        return None
    try:
        return (watch.data_dir / FOLDER / name).read_text("utf-8")
    except OSError:
        return None


def _shown(row: Any, updates: Any) -> Shown:
    scope = row.scope
    named = len(scope.get("merchants", ()))
    lists_of = [
        entry
        for name in ("components", "products", "regions", "rails", "devices")
        for entry in scope.get(name, ())
    ]
    return Shown(
        id=row.id,
        title=row.title,
        severity=row.severity,
        state=row.state,
        since_ms=row.declared_ms,
        updates=[Said(each.at_ms, each.state, each.words, each.version) for each in updates],
        scope=[]
        if scope.get("all")
        else [*lists_of, *([f"{named} merchants"] if named and not lists_of else [])],
        do=row.do,
        dont=row.dont,
        next_update_ms=row.next_update_ms,
        resolved_ms=row.resolved_ms,
    )
