"""The desk's buttons for callbacks: on the promise in hand, and on the list of those owed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from callbacks.turns import promise_of
from dashboard import actions, promise_actions, status_text
from dashboard.desk import Contact, Fence, press
from dashboard.entrance import Doorway
from dashboard.floor import FloorDep, WhoDep
from dashboard.views import Said

router = APIRouter(route_class=Doorway, include_in_schema=False)

PromiseId = Annotated[str, Form(max_length=32)]
Version = Annotated[int, Form(ge=0, le=10**9)]
Held = Annotated[str, Form(max_length=64)]
"""The contact in hand, when the button stands on its card; else ``promise`` says which."""


@router.post("/desk/call")
async def call(request: Request, floor: FloorDep, who: WhoDep, contact: Contact, fence: Fence) -> Response:
    """Yes: now the merchant is rung."""
    return await press(request, floor, who, actions.accept(floor.rooms, who, contact, fence))


@router.post("/desk/skip")
async def skip(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    contact: Contact,
    fence: Fence,
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    return await press(request, floor, who, promise_actions.skip(floor.rooms, who, contact, fence, reason))


@router.post("/desk/claim")
async def claim(request: Request, floor: FloorDep, who: WhoDep, promise: PromiseId) -> Response:
    return await press(request, floor, who, promise_actions.claim(floor.rooms, who, promise))


@router.post("/desk/later")
async def later(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    version: Version,
    minutes: Annotated[int, Form(ge=0, le=100_000)],
    promise: PromiseId = "",
    contact: Held = "",
) -> Response:
    async def verb() -> Said:
        await promise_actions.later(floor.rooms, who, promise or promise_of(contact), version, minutes)
        return Said("good", f"Later: not before {minutes} minutes from now", "It keeps its place in line.")

    return await press(request, floor, who, verb())


@router.post("/desk/text")
async def text(
    request: Request, floor: FloorDep, who: WhoDep, promise: PromiseId = "", contact: Held = ""
) -> Response:
    verb = status_text.send(floor.rooms, promise or promise_of(contact))
    return await press(request, floor, who, verb)
