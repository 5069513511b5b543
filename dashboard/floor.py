"""What one process of the dashboard keeps, and how a route gets at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from dashboard.auth import Gate, Who
from dashboard.band import Bands
from dashboard.directory import Directory
from dashboard.live import Watch
from dashboard.load import Loads
from dashboard.problems import Problem
from dashboard.rooms import Rooms
from dashboard.templating import Templates


@dataclass(frozen=True, slots=True)
class Floor:
    """The rooms, and this process's memory of them."""

    rooms: Rooms
    gate: Gate
    templates: Templates
    watch: Watch
    bands: Bands
    loads: Loads
    directory: Directory

    @classmethod
    def of(cls, rooms: Rooms) -> Floor:
        return cls(
            rooms,
            Gate(rooms),
            Templates(rooms),
            Watch(rooms),
            Bands(rooms),
            Loads(rooms),
            Directory(rooms),
        )


def the_floor(request: Request) -> Floor:
    floor: Floor = request.state.floor
    return floor


def the_visitor(request: Request) -> Who | None:
    who: Who | None = request.state.who
    return who


def the_person(request: Request) -> Who:
    who = the_visitor(request)
    if who is None:
        raise Problem("not-signed-in")
    return who


FloorDep = Annotated[Floor, Depends(the_floor)]
VisitorDep = Annotated[Who | None, Depends(the_visitor)]
WhoDep = Annotated[Who, Depends(the_person)]
