"""How true the announced waits were: a section of the reports, and a table to download."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import Response

from dashboard import record
from dashboard.choice import Choice, choose, written
from dashboard.entrance import Doorway
from dashboard.floor import FloorDep
from dashboard.rooms import Rooms
from queueing.honesty import Honesty, ToldRow, grouped, honesty, level

router = APIRouter(route_class=Doorway, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ToldReport:
    """The waits told to who came in a stretch of days."""

    total: Honesty
    groups: Sequence[tuple[str, Mapping[str, Honesty]]]


async def told_report(rooms: Rooms, choice: Choice) -> ToldReport:
    """Raises Unavailable when SQL does not answer in time."""
    span = record.day_span(rooms, choice.first, choice.last)
    rows = await record.told_rows(rooms, *span, queue=choice.queue)
    zone = ZoneInfo(rooms.time_zone)

    def hour(row: ToldRow) -> str:
        return datetime.fromtimestamp(row.told_ms / 1000, UTC).astimezone(zone).strftime("%H:00")

    return ToldReport(
        honesty(rows), [("Hour of day", grouped(rows, hour)), ("Wait told", grouped(rows, level))]
    )


@router.get("/reports/waits.csv")
async def waits_csv(
    floor: FloorDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    queue: Annotated[str, Query(max_length=64)] = "",
    by: Annotated[str, Query(max_length=4)] = "",
) -> Response:
    """The told waits by hour of day and by level, and how true they were."""
    choice = choose(floor.rooms, first, last, queue, by)
    told = await told_report(floor.rooms, choice)
    named = [
        ("all", "all", told.total),
        *((by, name, one) for by, each in told.groups for name, one in each.items()),
    ]
    rows = [
        [
            kind,
            name,
            str(one.told),
            str(one.known),
            *map(_cell, (one.in_range, one.late, one.bias_s, one.had_s)),
        ]
        for kind, name, one in named
    ]
    head = ["by", "group", "told", "known", "in_range", "late", "bias_s", "mean_wait_s"]
    name = f"surgeline-waits-{choice.first}-{choice.last}.csv"
    return Response(
        written([head, *rows]),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
