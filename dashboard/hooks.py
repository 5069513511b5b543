"""What other systems tell us: PagerDuty, and anything that signs the Standard Webhooks way.

What comes in becomes a suggestion on the console and never more: a person decides. Each message counts once.
"""

from __future__ import annotations

import json
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep
from dashboard.hook_signatures import (
    Meant,
    fits_pagerduty,
    fits_standard,
    generic,
    is_of_now,
    pagerduty,
    seconds_ms,
)
from dashboard.problems import Problem
from foundation.errors import Unavailable
from surge.states import Level
from surge.suggestions import suggest

router = APIRouter(route_class=Doorway, include_in_schema=False)
log = structlog.get_logger()

LONGEST_BODY = 256_000
ONCE_S = 24 * 3_600


@router.post("/hooks/pagerduty")
async def from_pagerduty(request: Request, floor: FloorDep) -> Response:
    secrets = _secrets(floor.rooms.pagerduty_secrets)
    body = await _body(request)
    if not fits_pagerduty(secrets, request.headers.get("x-pagerduty-signature", ""), body):
        raise Problem("not-signed")
    try:
        meant, at_ms = pagerduty(_read(body))
    except (ValueError, KeyError):
        return _told("not an event we know")
    if not is_of_now(at_ms, floor.rooms.wall.now_ms()):
        raise Problem("not-signed", "It happened more than five minutes ago, or has no time.")
    return await _take(floor, "pagerduty", meant)


@router.post("/hooks/generic")
async def from_anybody(request: Request, floor: FloorDep) -> Response:
    secrets = _secrets(floor.rooms.hook_secrets)
    body = await _body(request)
    name, at = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    if not fits_standard(secrets, name, at, request.headers.get("webhook-signature", ""), body):
        raise Problem("not-signed")
    if not is_of_now(seconds_ms(at), floor.rooms.wall.now_ms()):
        raise Problem("not-signed", "It was sent more than five minutes ago.")
    try:
        meant = generic(name, _read(body))
    except (ValueError, KeyError) as odd:
        raise Problem("bad-input", "Send JSON with a title, and perhaps why, severity and surge.") from odd
    return await _take(floor, "webhook", meant)


async def _take(floor: Floor, source: str, meant: Meant) -> Response:
    """Write the suggestion down, once. Raises Unavailable: then the sender tries again."""
    if not meant.kind:
        return _told("nothing to suggest")
    once = f"hook:{source}:{meant.id}"
    if not await floor.gate.attempts.once(once, ONCE_S):
        return _told("known already")
    try:
        async with floor.rooms.sql.session() as session:
            await suggest(
                session,
                source=source,
                why=meant.why,
                now_ms=floor.rooms.clock.now_ms(),
                level=Level.SURGE if meant.surge else None,
                title=meant.title,
                severity=meant.severity,
                incident=meant.incident,
            )
    except Unavailable:
        await floor.gate.attempts.forget(once)
        raise
    log.info("a suggestion came in", source=source)
    return _told("suggested")


def _told(what: str) -> Response:
    return JSONResponse({"taken": what}, 202 if what == "suggested" else 200)


def _secrets(secrets: tuple[str, ...]) -> tuple[str, ...]:
    if not secrets:
        raise Problem("not-found", "No secret is set for this door, so it is shut.")
    return secrets


async def _body(request: Request) -> bytes:
    """The raw body. Raises Problem when it is longer than a webhook is."""
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LONGEST_BODY:
        raise Problem("too-large")
    body = await request.body()
    if len(body) > LONGEST_BODY:
        raise Problem("too-large")
    return body


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError as deep:
        raise ValueError("too deep") from deep
