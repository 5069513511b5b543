"""Reports and the record of contacts, for leads and up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from carrier.numbers import masked
from dashboard import record
from dashboard.access import sees_numbers
from dashboard.charts import Point, volume_chart
from dashboard.choice import Choice, choose, written
from dashboard.entrance import Doorway
from dashboard.floor import FloorDep, WhoDep
from dashboard.problems import Problem
from dashboard.promise_report import WORDS, promise_report
from dashboard.told_report import told_report
from dashboard.views import END_WORDS, event_words
from queueing.figures import Figures, Stretch

router = APIRouter(route_class=Doorway, include_in_schema=False)

PAGE = 50
ROWS = 96

Day = Annotated[str, Query(max_length=10)]
Name = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    href: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a page of a long list lies; "before" is towards the newer end."""

    first: int
    last: int
    total: int
    pages: int
    before: str
    after: str


def pager(start: int, size: int, total: int, shown: int, address: str, query: str) -> Pager:
    def at(place: int) -> str:
        return f"{address}?{query}{'&' if query else ''}start={place}"

    return Pager(
        first=start + 1 if shown else 0,
        last=start + shown,
        total=total,
        pages=-(-total // size),
        before=at(max(0, start - size)) if start > 0 else "",
        after=at(start + size) if start + shown < total else "",
    )


@router.get("/reports")
async def reports(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    queue: Name = "",
    by: Annotated[str, Query(max_length=4)] = "",
    start: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    rooms = floor.rooms
    choice = choose(rooms, first, last, queue, by)
    told = await record.report(rooms, first=choice.first, last=choice.last, queue=choice.queue, by=choice.by)
    promised = await promise_report(rooms, choice)
    waits = await told_report(rooms, choice)
    rows = [_row(stretch, choice) for stretch in told.stretches]
    points = [
        Point(row.label, row.figures.answered, row.figures.abandoned + row.figures.short_abandoned, share)
        for row, share in zip(
            rows, [stretch.figures.service_level for stretch in told.stretches], strict=True
        )
    ]
    shown = rows[start : start + ROWS]
    return floor.templates.page(
        request,
        "reports.html",
        here="reports",
        who=who,
        choice=choice,
        queues=[known.name for known in rooms.policy.queues],
        total=told.total,
        rows=shown,
        chart=volume_chart(points[:400], rooms.targets.answered_pct),
        targets=rooms.targets,
        promised=promised,
        promise_words=WORDS,
        told=waits,
        page=pager(start, ROWS, len(rows), len(shown), "/reports", choice.query()),
        time_zone=rooms.time_zone,
    )


def _row(stretch: Stretch, choice: Choice) -> Row:
    if choice.by == "day":
        day = stretch.starts.date().isoformat()
        query = urlencode(
            {"from": day, "to": day, "by": "hour", **({"queue": choice.queue} if choice.queue else {})}
        )
        return Row(stretch.starts.strftime("%a %-d %b"), f"/reports?{query}", stretch.figures)
    several = choice.first != choice.last
    return Row(stretch.starts.strftime("%-d %b %H:%M" if several else "%H:%M"), "", stretch.figures)


_COLUMNS = (
    "offered",
    "answered",
    "abandoned",
    "short_abandoned",
    "other",
    "in_time",
    "service_level",
    "service_level_without_short",
    "abandonment",
    "asa_ms",
    "aht_ms",
    "longest_wait_ms",
    "occupancy",
)


@router.get("/reports.csv")
async def reports_csv(
    floor: FloorDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    queue: Name = "",
    by: Annotated[str, Query(max_length=4)] = "",
) -> Response:
    """The same report for a spreadsheet. Times in ms, shares 0 to 1, empty where there is nothing to say."""
    rooms = floor.rooms
    choice = choose(rooms, first, last, queue, by)
    told = await record.report(rooms, first=choice.first, last=choice.last, queue=choice.queue, by=choice.by)
    rows = [
        [stretch.starts.isoformat(), choice.queue or "all", *_cells(stretch.figures)]
        for stretch in told.stretches
    ]
    name = f"surgeline-{choice.first}-{choice.last}-{choice.by}.csv"
    return Response(
        written([["starts", "queue", *_COLUMNS], *rows]),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _cells(figures: Figures) -> list[str]:
    values: list[float | int | None] = [getattr(figures, name) for name in _COLUMNS]
    return [
        "" if value is None else f"{value:.4g}" if isinstance(value, float) and value <= 1 else f"{value:.0f}"
        for value in values
    ]


# -- contacts --------------------------------------------------------------------------------------------


@router.get("/contacts")
async def contacts(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    day: Day = "",
    queue: Name = "",
    end: Annotated[str, Query(max_length=20)] = "",
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Response:
    rooms = floor.rooms
    choice = choose(rooms, day, day, queue, "hour")
    end = end if end in END_WORDS else ""
    span = record.day_span(rooms, choice.first)
    rows, total = await record.contacts_between(
        rooms, *span, queue=choice.queue, disposition=end, start=start, count=PAGE
    )
    filters = {"day": choice.first.isoformat(), "queue": choice.queue, "end": end}
    query = urlencode({name: value for name, value in filters.items() if value})
    return floor.templates.page(
        request,
        "contacts.html",
        here="contacts",
        who=who,
        choice=choice,
        end=end,
        ends=[(key, word) for key, word in END_WORDS.items() if key],
        queues=[known.name for known in rooms.policy.queues],
        rows=[record.listed(rooms, row, masked) for row in rows],
        page=pager(start, PAGE, total, len(rows), "/contacts", query),
    )


@router.get("/contacts/{contact}")
async def contact(request: Request, floor: FloorDep, who: WhoDep, contact: str) -> Response:
    row = await record.one(floor.rooms, contact)
    if row is None:
        raise Problem(
            "not-found", "The record has no such contact. A call just begun appears after a moment."
        )
    events = await record.events_of(floor.rooms, contact)
    return floor.templates.page(
        request,
        "contact.html",
        here="contacts",
        who=who,
        row=record.listed(floor.rooms, row, str if sees_numbers(who.role) else masked),
        events=[(event.at_ms, event_words(event.kind), event.details, event.kind) for event in events],
    )
