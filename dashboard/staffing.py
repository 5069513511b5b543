"""Agents needed by half hour, from the calls of the last weeks, beside those the roster plans: for
supervisors who write it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import case, func
from sqlalchemy import select as sql_select
from sqlmodel import col

from dashboard import record
from dashboard.choice import written
from dashboard.entrance import Doorway
from dashboard.floor import FloorDep, WhoDep
from dashboard.rooms import Rooms
from dashboard.staffing_chart import StaffingChart, staffing_chart
from dashboard.views import Said
from queueing import rostered, shifts
from queueing.needed import SLOTS, Slot, Work, at_work, plan
from queueing.states import Disposition
from queueing.tables import Contact

router = APIRouter(route_class=Doorway, include_in_schema=False)

WEEKS, MOST_WEEKS = 4, 8
BAD_DAY = Said("near", "That is no day", "The plan is for tomorrow. Write a day as 2026-03-31.")

Word = Annotated[str, Query(max_length=64)]
Number = Annotated[int, Query(ge=1, le=MOST_WEEKS)]


@dataclass(frozen=True, slots=True)
class Staffing:
    """A day's plan. ``seen``: on how many such days before anybody called. No slots: there is no plan.

    ``planned``: agents of each half hour by the roster; None where there is none.
    """

    day: date
    queue: str
    weeks: int
    seen: int
    work: Work
    slots: Sequence[Slot] = ()
    chart: StaffingChart | None = None
    planned: Sequence[float] | None = None

    @property
    def most(self) -> Slot:
        return max(self.slots, key=lambda slot: slot.agents)

    @property
    def open(self) -> Sequence[Slot]:
        """From the first half hour with a call, or an agent planned, to the last."""
        called = [at for at, slot in enumerate(self.slots) if slot.most or slot.planned]
        return self.slots[called[0] : called[-1] + 1]

    @property
    def hours(self) -> float:
        """Agent hours of the day."""
        return sum(slot.agents for slot in self.slots) / 2

    @property
    def planned_hours(self) -> float:
        return sum(self.planned or ()) / 2

    @property
    def short(self) -> Sequence[Slot]:
        """Where the roster plans too few."""
        return [slot for slot in self.slots if slot.short]

    @property
    def shifts(self) -> Sequence[tuple[int, float]]:
        """The roster where it changes: minutes of the day, agents."""
        planned = self.planned or ()
        return [(at * 30, n) for at, n in enumerate(planned) if n != (planned[at - 1] if at else 0)]

    @property
    def calls(self) -> float:
        return sum(slot.calls for slot in self.slots)

    @property
    def patience_known(self) -> bool:
        return math.isfinite(self.work.patience_s)


@router.get("/staffing")
async def staffing(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    day: Annotated[str, Query(max_length=10)] = "",
    queue: Word = "",
    weeks: Number = WEEKS,
) -> Response:
    """What the half hours of a day will need, as a table and a picture."""
    rooms = floor.rooms
    wanted, said = _wanted(rooms, day)
    told = await staffing_of(rooms, wanted, _known(rooms, queue), weeks)
    return floor.templates.page(
        request,
        "staffing.html",
        here="staffing",
        who=who,
        plan=told,
        said=said,
        queues=[known.name for known in rooms.policy.queues],
        targets=rooms.targets,
        most_weeks=MOST_WEEKS,
        time_zone=rooms.time_zone,
    )


@router.get("/staffing.csv")
async def staffing_csv(
    floor: FloorDep,
    day: Annotated[str, Query(max_length=10)] = "",
    queue: Word = "",
    weeks: Number = WEEKS,
) -> Response:
    """The same for a spreadsheet or a roster program."""
    rooms = floor.rooms
    wanted, _ = _wanted(rooms, day)
    told = await staffing_of(rooms, wanted, _known(rooms, queue), weeks)
    rows = [
        [
            wanted.isoformat(),
            clock_words(slot.minute),
            told.queue or "all",
            f"{slot.calls:.2f}",
            str(slot.most),
            str(slot.agents),
            str(slot.agents_most),
            *map(_cell, (slot.answered, slot.occupancy, slot.were_in, slot.planned)),
        ]
        for slot in told.slots
    ]
    head = ["day", "from", "queue", "calls", "calls_most", "agents", "agents_most"]
    return Response(
        written([[*head, "answered_in_time", "occupancy", "were_in", "planned"], *rows]),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="surgeline-staffing-{wanted}.csv"'},
    )


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


async def staffing_of(rooms: Rooms, day: date, queue: str, weeks: int) -> Staffing:
    """Raises Unavailable when SQL does not answer in time."""
    before = [day - timedelta(weeks=back) for back in range(1, weeks + 8)]
    before = [each for each in before if each < record.today(rooms)][:weeks]
    zone = ZoneInfo(rooms.time_zone)
    edges = {each: _edges(each, zone) for each in before}
    days = {each: await _counts(rooms, edges[each], queue) for each in before}
    seen = [each for each in before if any(days[each])]
    work = await _work(rooms, record.day_span(rooms, min(before), max(before)), queue)
    handling_s = work.mean_handling_s
    planned = await _planned(rooms, _edges(day, zone), queue)
    if not seen or handling_s is None:
        return Staffing(day, queue, weeks, len(seen), work, planned=planned)
    were_in = None if queue else await _were_in(rooms, [edges[each] for each in seen])
    targets = rooms.targets

    def reckon() -> list[Slot]:
        return plan(
            [days[each] for each in seen],
            handling_s,
            work.patience_s,
            answered=min(0.99, targets.answered_pct / 100),
            within_s=targets.within_s,
            were_in=were_in,
            planned=planned,
        )

    slots = await asyncio.to_thread(reckon)
    return Staffing(day, queue, weeks, len(seen), work, slots, staffing_chart(slots), planned)


def clock_words(minute: int) -> str:
    """Minutes of the day as 07:30."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _wanted(rooms: Rooms, day: str) -> tuple[date, Said | None]:
    tomorrow = record.today(rooms) + timedelta(days=1)
    try:
        wanted = date.fromisoformat(day) if day else tomorrow
    except ValueError:
        return tomorrow, BAD_DAY
    return min(max(wanted, tomorrow - timedelta(days=366)), tomorrow + timedelta(days=49)), None


def _known(rooms: Rooms, queue: str) -> str:
    return queue if queue in {known.name for known in rooms.policy.queues} else ""


def _edges(day: date, zone: ZoneInfo) -> list[tuple[int, int]]:
    """The half hours of a day on the centre's clock: one that it skips is empty, one that it repeats long."""
    begins = [datetime.combine(day, time(at // 2, at % 2 * 30), zone) for at in range(SLOTS)]
    begins.append(datetime.combine(day + timedelta(days=1), time(), zone))
    marks = [round(begin.astimezone(UTC).timestamp() * 1000) for begin in begins]
    return list(pairwise(min(marks[at:]) for at in range(len(marks))))


async def _counts(rooms: Rooms, edges: Sequence[tuple[int, int]], queue: str) -> list[int]:
    rows = await record.contact_rows(rooms, edges[0][0], edges[-1][1], queue)
    counts = [0] * len(edges)
    at = 0
    for row in rows:
        if row.turn:
            continue
        while row.entered_ms >= edges[at][1]:
            at += 1
        counts[at] += 1
    return counts


async def _work(rooms: Rooms, span: tuple[int, int], queue: str) -> Work:
    """Handling and patience over all days of the weeks. Waits that ended in a callback count as waited."""
    handled = col(Contact.handling_ms) > 0
    gave_up = (col(Contact.disposition) == Disposition.ABANDONED.value) & (col(Contact.answered_ms).is_(None))
    statement = sql_select(
        func.sum(case((handled, 1), else_=0)),
        func.sum(case((handled, col(Contact.handling_ms)), else_=0)),
        func.sum(case((gave_up & record.CALLS, 1), else_=0)),
        func.sum(case((record.CALLS, func.coalesce(col(Contact.wait_ms), 0)), else_=0)),
    ).where(*record.came_between(*span, queue))
    async with rooms.sql.reading(statement_s=record.REPORT_S) as session:
        count, handling_ms, hung_up, waited_ms = (await (await session.connection()).execute(statement)).one()
    return Work(
        int(count or 0), float(handling_ms or 0) / 1000, int(hung_up or 0), float(waited_ms or 0) / 1000
    )


async def _planned(rooms: Rooms, edges: Sequence[tuple[int, int]], queue: str) -> list[float] | None:
    """By the roster. None without one, and of one queue where it plans them all together."""
    async with rooms.sql.reading() as session:
        found = await rostered.shifts(session)
    begin_s, end_s = edges[0][0] / 1000, edges[-1][1] / 1000
    by_queue = shifts.steps(found, rooms.time_zone, begin_s, end_s)
    wanted = [each for name, each in by_queue.items() if not queue or name == queue]
    if not wanted:
        return None
    return [sum(shifts.average(each, a / 1000, b / 1000) for each in wanted) for a, b in edges]


async def _were_in(rooms: Rooms, days: Sequence[Sequence[tuple[int, int]]]) -> list[float]:
    each = []
    for edges in days:
        spent = await record.presences(rooms, edges[0][0], edges[-1][1])
        each.append(await asyncio.to_thread(at_work, spent, edges))
    return [sum(column) / len(column) for column in zip(*each, strict=True)]
