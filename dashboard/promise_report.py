"""What became of the promises: a section of the reports, and the same for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy import select as sql_select
from sqlmodel import col

from callbacks import figures
from callbacks.figures import Bucket, Row, Tally
from callbacks.states import PromiseState
from callbacks.tables import Promise
from dashboard import record
from dashboard.charts import Histogram, histogram
from dashboard.choice import Choice, choose, written
from dashboard.entrance import Doorway
from dashboard.floor import FloorDep
from dashboard.rooms import Rooms

router = APIRouter(route_class=Doorway, include_in_schema=False)

MOST = 200_000
COUNTS = ("made", "on_time", "late", "unreachable", "cancelled", "superseded", "resolved", "expired", "open")
WORDS: Mapping[str, str] = {
    "made": "Made",
    "on_time": "Kept on time",
    "late": "Kept late",
    "unreachable": "Unreachable",
    "cancelled": "Cancelled",
    "superseded": "They rang first",
    "resolved": "Resolved",
    "expired": "Expired",
    "open": "Still open",
}


@dataclass(frozen=True, slots=True)
class PromiseReport:
    """The promises made in a stretch of days."""

    total: Tally
    queues: Mapping[str, Tally]
    stretches: Mapping[str, Tally]
    buckets: Sequence[Bucket]
    tries: Mapping[int, int]
    chart: Histogram


async def promise_report(rooms: Rooms, choice: Choice) -> PromiseReport:
    """Raises Unavailable when SQL does not answer in time."""
    rows = await _rows(rooms, choice)
    key = figures.by_hour(rooms.time_zone) if choice.by == "hour" else figures.by_day(rooms.time_zone)
    buckets = figures.punctuality(rows)
    return PromiseReport(
        total=figures.tally(rows),
        queues=figures.grouped(rows, figures.by_queue),
        stretches=figures.grouped(rows, key),
        buckets=buckets,
        tries=figures.tries(rows),
        chart=histogram([(bucket_words(one), one.count, _level(one)) for one in buckets]),
    )


async def _rows(rooms: Rooms, choice: Choice) -> list[Row]:
    from_ms, to_ms = record.day_span(rooms, choice.first, choice.last)
    wanted = (
        col(Promise.state),
        col(Promise.queue),
        col(Promise.made_ms),
        col(Promise.windowed),
        col(Promise.due_ms),
        col(Promise.by_ms),
        col(Promise.first_rung_ms),
        col(Promise.met_ms),
        col(Promise.tries),
    )
    clauses = [col(Promise.made_ms) >= from_ms, col(Promise.made_ms) < to_ms]
    if choice.queue:
        clauses.append(col(Promise.queue) == choice.queue)
    statement = sql_select(*wanted).where(*clauses).order_by(col(Promise.made_ms)).limit(MOST)
    async with rooms.sql.reading(statement_s=record.REPORT_S) as session:
        found = (await (await session.connection()).execute(statement)).all()
    return [
        Row(PromiseState(state), its_queue, made, due if windowed else made, by, rung, met, tries)
        for state, its_queue, made, windowed, due, by, rung, met, tries in found
    ]


def bucket_words(bucket: Bucket) -> str:
    """A bucket of the histogram: "5–15 min late", "over 60 min early", "in time"."""
    low, high = bucket.over_min, bucket.to_min
    if low == high == 0:
        return "in time"
    if low is None:
        return f"over {-(high or 0)} min early"
    if high is None:
        return f"over {low} min late"
    return f"{low}–{high} min late" if high > 0 else f"{-high}–{-low} min early"


def _level(bucket: Bucket) -> str:
    if bucket.to_min == 0 == bucket.over_min:
        return ""
    return "near" if bucket.to_min is not None and bucket.to_min <= 0 else "past"


@router.get("/reports/callbacks.csv")
async def promises_csv(
    floor: FloorDep,
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    queue: Annotated[str, Query(max_length=64)] = "",
    by: Annotated[str, Query(max_length=4)] = "",
) -> Response:
    """The promises made in each hour or day, and what became of them."""
    choice = choose(floor.rooms, first, last, queue, by)
    told = await promise_report(floor.rooms, choice)
    rows = [
        [starts, choice.queue or "all", *(str(getattr(tally, name)) for name in COUNTS)]
        for starts, tally in told.stretches.items()
    ]
    name = f"surgeline-callbacks-{choice.first}-{choice.last}-{choice.by}.csv"
    return Response(
        written([["starts", "queue", *COUNTS], *rows]),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
