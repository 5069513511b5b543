"""The dashboard as one router: pages, live streams, buttons and the JSON API."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from dashboard import (
    admin,
    api,
    api_document,
    api_promises,
    api_surge,
    apidocs,
    desk,
    followup_pages,
    hooks,
    incident_pages,
    merchant_page,
    nowhere,
    operations,
    promise_desk,
    promise_pages,
    promise_report,
    reports,
    roster_pages,
    staffing,
    status_pages,
    streams,
    surge_pages,
    told_report,
)
from dashboard import pages as doors
from dashboard.entrance import guard
from dashboard.floor import Floor
from dashboard.rooms import Rooms, Softphone, Targets

__all__ = ["Rooms", "Softphone", "Targets", "pages"]

MAX_BODY_BYTES = 10_000_000
PARTS = (
    api,
    desk,
    doors,
    promise_desk,
    promise_pages,
    merchant_page,
    surge_pages,
    incident_pages,
    followup_pages,
    status_pages,
    hooks,
    streams,
    reports,
    staffing,
    roster_pages,
    promise_report,
    told_report,
    admin,
    operations,
    api_promises,
    api_surge,
    api_document,
    apidocs,
    nowhere,
)
"""A request tries one route after the other: desks, which ask most, come first."""


def pages(rooms: Rooms) -> APIRouter:
    """Everything people and programs reach by the web. Include it last: it takes every GET nobody else does.

    It needs no middleware: every route guards, answers and dresses itself (``entrance``).
    """
    floor = Floor.of(rooms)
    router = APIRouter(dependencies=[Depends(guard(floor))])
    for part in PARTS:
        router.include_router(part.router, max_body_size=MAX_BODY_BYTES)
    return router
