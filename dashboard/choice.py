"""What a report is about, as its address says; and tables as a spreadsheet reads them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from dashboard import record
from dashboard.rooms import Rooms
from dashboard.views import Said

LONGEST_DAYS = 366
HOURLY_DAYS = 14


@dataclass(frozen=True, slots=True)
class Choice:
    """What a report is about. ``said`` tells what was wrong with the question, if anything."""

    first: date
    last: date
    queue: str
    by: str
    said: Said | None = None

    def query(self, **more: str | int) -> str:
        told = {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "queue": self.queue,
            "by": self.by,
        }
        return urlencode({name: value for name, value in {**told, **more}.items() if value != ""})


def choose(rooms: Rooms, first: str, last: str, queue: str, by: str) -> Choice:
    """The report that was asked for; where the question does not fit, the nearest, and a word on it."""
    today = record.today(rooms)
    said = None
    try:
        start = date.fromisoformat(first) if first else today
        end = date.fromisoformat(last) if last else start if first else today
    except ValueError:
        start = end = today
        said = Said("past", "That is no date", "Write it as 2026-11-22. Today is shown instead.")
    if end < start:
        start, end = end, start
    if (end - start).days >= LONGEST_DAYS:
        start = end - timedelta(days=LONGEST_DAYS - 1)
        said = Said("near", "That is more than a year", "The last year of it is shown.")
    if queue and queue not in [known.name for known in rooms.policy.queues]:
        said = Said("past", "There is no such queue", "Every queue is shown.")
        queue = ""
    days = (end - start).days + 1
    by = by if by in ("hour", "day") else "hour" if days <= 2 else "day"
    if by == "hour" and days > HOURLY_DAYS:
        by = "day"
        said = Said("near", "Hours are shown for two weeks at most", "The days are shown instead.")
    return Choice(start, end, queue, by, said)


def written(rows: Iterable[Sequence[str]]) -> str:
    """CSV (RFC 4180) that a spreadsheet does not take for formulas."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return out.getvalue()


def harmless(cell: str) -> str:
    """A cell that begins like a formula is given a quote before it; a plain number is none."""
    if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not cell[1:].replace(".", "", 1).isdigit():
        return f"'{cell}"
    return cell
