"""The drills that were held: one line each in a file of the data directory, and when the next one is due.

A drill is held every quarter; whoever has never held one is due now. Whoever loses the file has lost a
reminder and nothing more.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

QUARTER_MS = 91 * 86_400_000
FOLDER = "drills"
FILE = "history.jsonl"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """``at_ms``: when it was held. ``broken``: the laws that were broken in it. ``card``: the file's name of
    all its figures, in the same folder."""

    at_ms: int
    scenario: str
    title: str
    seed: int
    broken: tuple[str, ...] = ()
    card: str = ""


def due_ms(last: Rehearsal | None) -> int | None:
    """When the next one is due; None: now, there never was one."""
    return None if last is None else last.at_ms + QUARTER_MS


def keep(data_dir: Path, held: Rehearsal, figures: Any) -> Path:
    """Write it down: a line in the history, and its figures in a file of their own, whose path is returned.

    Raises OSError.
    """
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (held.card or f"{held.at_ms}-{held.scenario}-{held.seed}.json")
    path.write_text(json.dumps(figures, ensure_ascii=False), "utf-8")
    line = json.dumps(asdict(held) | {"card": path.name}, ensure_ascii=False)
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    return path


def history(data_dir: Path | None) -> list[Rehearsal]:
    """Those that were held, the latest first. A line that cannot be read is left out."""
    if data_dir is None:
        return []
    try:
        lines = (data_dir / FOLDER / FILE).read_text("utf-8").splitlines()
    except OSError:
        return []
    found = [each for each in map(_read, lines) if each is not None]
    return sorted(found, key=lambda each: each.at_ms, reverse=True)


def _read(line: str) -> Rehearsal | None:
    try:
        told = json.loads(line)
        return Rehearsal(**{**told, "broken": tuple(told.get("broken", ()))})
    except (ValueError, TypeError, AttributeError):
        return None
