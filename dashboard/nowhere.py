"""The last route of all: an address that is nowhere gets a page, not a riddle."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from dashboard.entrance import Doorway
from dashboard.problems import Problem

router = APIRouter(route_class=Doorway, include_in_schema=False)


@router.get("/{rest:path}")
async def nowhere(rest: str) -> Response:
    raise Problem("not-found")
