"""The work behind the scenes, for administrators: queues of jobs, dead ones, and texts still to go."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from dashboard.entrance import Doorway
from dashboard.floor import FloorDep, WhoDep
from dashboard.rooms import FailedJob, QueueOfWork, TextBacklog
from dashboard.views import Said
from foundation.errors import Unavailable
from surge import links
from surge.links import Link

router = APIRouter(route_class=Doorway, include_in_schema=False)

DONE = {
    "again": Said("good", "It runs again", "It is back in its queue; if it fails, it is listed anew."),
    "gone": Said("near", "That job is not dead any more", "Somebody ran it again, or it was cleared."),
}
AWAY = Said("near", "The queues do not answer", "Work goes on where it can; look again in a moment.")
AWAY_SQL = Said(
    "near", "The record does not answer", "Addresses of the status page are not shown; look again soon."
)


@router.get("/admin/operations")
async def look(request: Request, floor: FloorDep, who: WhoDep, done: str = "") -> Response:
    queues: list[QueueOfWork] = []
    dead: list[FailedJob] = []
    backlog: TextBacklog | None = None
    said, work = DONE.get(done), floor.rooms.operations
    if work is not None:
        try:
            queues, dead = list(await work.queues()), list(await work.failed_jobs())
            backlog = await work.backlog()
        except Unavailable:
            said = AWAY
    addresses: list[Link] = []
    try:
        addresses = await links.listed(floor.rooms.surge)
    except Unavailable:
        said = said or AWAY_SQL
    return floor.templates.page(
        request,
        "operations.html",
        here="admin",
        who=who,
        tab="operations",
        said=said,
        known=work is not None,
        queues=queues,
        dead=dead,
        backlog=backlog,
        links=addresses,
    )


@router.post("/admin/operations/{job}/again")
async def again(floor: FloorDep, who: WhoDep, job: Annotated[str, Path(max_length=200)]) -> Response:
    """Once more, from the beginning of its retries. What it does is done once, however often it runs."""
    work = floor.rooms.operations
    ran = await work.run_again(job) if work is not None else False
    return RedirectResponse(f"/admin/operations?done={'again' if ran else 'gone'}", 303)
