"""The roster: what is planned, a sheet that takes its place, and the sheet to take home. For supervisors."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from dashboard.auth import Who
from dashboard.choice import written
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, WhoDep
from dashboard.uploads import content_of, refused
from dashboard.views import Said
from foundation.errors import Mendable
from queueing import rostered, shifts
from queueing.shifts import Shift

router = APIRouter(route_class=Doorway, include_in_schema=False)

DONE = {
    "cleared": Said("good", "The roster is forgotten", "Waits are told from who is in now."),
}


@router.get("/staffing/roster")
async def roster(request: Request, floor: FloorDep, who: WhoDep, done: str = "") -> Response:
    return await _page(request, floor, who, said=DONE.get(done))


@router.post("/staffing/roster")
async def import_roster(
    request: Request, floor: FloorDep, who: WhoDep, sheet: Annotated[UploadFile, File()]
) -> Response:
    """All of the file in place of the roster before, or, when a line is bad, nothing and every bad line."""
    try:
        found = shifts.read(await content_of(sheet), [queue.name for queue in floor.rooms.policy.queues])
    except Mendable as bad:
        return await _page(request, floor, who, said=refused(bad), status=422)
    async with floor.rooms.sql.session() as session:
        gone = await rostered.replace(session, found)
    words = f"{len(found)} shifts" + (f", in place of {gone}." if gone else ".")
    return await _page(request, floor, who, said=Said("good", "Imported", words))


@router.post("/staffing/roster/clear")
async def clear_roster(floor: FloorDep) -> Response:
    async with floor.rooms.sql.session() as session:
        await rostered.replace(session, [])
    return RedirectResponse("/staffing/roster?done=cleared", 303)


@router.get("/staffing/roster.csv")
async def roster_csv(floor: FloorDep) -> Response:
    """As a file that can be imported again."""
    rows = [list(shift.cells) for shift in await _known(floor)]
    return Response(
        written([list(shifts.COLUMNS), *rows]),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="surgeline-roster.csv"'},
    )


async def _known(floor: Floor) -> list[Shift]:
    async with floor.rooms.sql.reading() as session:
        return await rostered.shifts(session)


async def _page(
    request: Request, floor: Floor, who: Who, *, said: Said | None = None, status: int = 200
) -> Response:
    return floor.templates.page(
        request,
        "roster.html",
        here="staffing",
        who=who,
        status=status,
        said=said,
        shifts=await _known(floor),
        queues=[queue.name for queue in floor.rooms.policy.queues],
        time_zone=floor.rooms.time_zone,
    )
