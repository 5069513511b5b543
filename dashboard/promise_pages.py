"""Every open promise, for leads and up: filters, many at once, and the two switches of the day."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from callbacks import promises
from callbacks.office import Conflict
from callbacks.owed import chosen, counts
from callbacks.states import PromiseState
from carrier.numbers import masked
from dashboard import promise_actions
from dashboard.auth import Who
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, WhoDep
from dashboard.live import Look
from dashboard.owing import ordered, who_has
from dashboard.promise_views import STATE_WORDS, owed_view
from dashboard.reports import pager
from dashboard.scene import TROUBLE
from dashboard.views import Said
from foundation.errors import Mendable

router = APIRouter(route_class=Doorway, include_in_schema=False)

PAGE = 50
STATES = (PromiseState.IN_LINE, PromiseState.DUE_LATER, PromiseState.DIALING, PromiseState.CONNECTED)
MOST_OPEN = 100_000

Chosen = Annotated[list[str], Form(default_factory=list)]
Name = Annotated[str, Query(max_length=64)]
Word = Annotated[str, Form(max_length=200)]


@router.get("/callbacks")
async def callbacks(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    state: Name = "",
    queue: Name = "",
    late: bool = False,
    start: Annotated[int, Query(ge=0, le=100_000)] = 0,
    done: Annotated[int, Query(ge=-1, le=100_000)] = -1,
    switched: bool = False,
) -> Response:
    said = Said("good", f"Done: {done} {'promise' if done == 1 else 'promises'}") if done >= 0 else None
    if switched:
        said = Said("good", "Switched", "It holds at once, on the phone, in texts and on the web.")
    asked = {"state": state, "queue": queue, "late": "true" if late else ""}
    return await _page(request, floor, who, asked, start=start, said=said)


@router.post("/callbacks/move")
async def move(request: Request, floor: FloorDep, who: WhoDep, promise: Chosen, queue: Word = "") -> Response:
    return await _do(request, floor, who, promise_actions.move(floor.rooms, who, promise, queue))


@router.post("/callbacks/cancel")
async def cancel(
    request: Request, floor: FloorDep, who: WhoDep, promise: Chosen, reason: Word = ""
) -> Response:
    return await _do(request, floor, who, promise_actions.cancel(floor.rooms, who, promise, reason))


@router.post("/callbacks/assign")
async def assign(
    request: Request, floor: FloorDep, who: WhoDep, promise: Chosen, agent: Word = ""
) -> Response:
    async def verb() -> int:
        known = [account.agent for account in await floor.gate.accounts.all() if account.active]
        if agent and agent not in known:
            raise Mendable("There is no such agent, or the account is shut.")
        return await promise_actions.assign(floor.rooms, who, promise, agent)

    return await _do(request, floor, who, verb())


@router.post("/callbacks/switch")
async def switch(
    request: Request,
    floor: FloorDep,
    who: WhoDep,
    offering: Annotated[bool | None, Form()] = None,
    keeping: Annotated[bool | None, Form()] = None,
    max_open: Annotated[int | None, Form(ge=-1, le=MOST_OPEN)] = None,
) -> Response:
    """One of the switches, or today's cap (-1: the centre's own)."""
    rooms = floor.rooms
    try:
        await promises.switch(
            rooms.office,
            who.agent,
            rooms.clock.now_ms(),
            offering=offering,
            keeping=keeping,
            max_open=max_open,
        )
    except Mendable as bad:
        said = Said("past", "Nothing was switched", str(bad))
        return await _page(request, floor, who, {}, said=said, status=422)
    return RedirectResponse("/callbacks?switched=true", 303)


async def _do(request: Request, floor: Floor, who: Who, verb: Awaitable[int]) -> Response:
    """Do it to those chosen; show the page anew, or what is wrong."""
    try:
        count = await verb
    except Mendable as bad:
        said = Said("past", "Nothing was changed", str(bad))
        return await _page(request, floor, who, {}, said=said, status=422)
    except Conflict as other:
        said = Said("near", "Somebody was first", str(other))
        return await _page(request, floor, who, {}, said=said, status=409)
    return RedirectResponse(f"/callbacks?done={count}", 303)


async def _page(
    request: Request,
    floor: Floor,
    who: Who,
    asked: dict[str, str],
    *,
    start: int = 0,
    said: Said | None = None,
    status: int = 200,
) -> Response:
    rooms = floor.rooms
    look = await floor.watch.now(at_most_ms=0)
    accounts = [account for account in await floor.gate.accounts.all() if account.active]
    return floor.templates.page(
        request,
        "callbacks.html",
        here="callbacks",
        who=who,
        status=status,
        said=said,
        trouble=TROUBLE.get(look.trouble),
        asked={"state": "", "queue": "", **asked, "late": bool(asked.get("late"))},
        query=_query(asked),
        states=[(one.value, STATE_WORDS[one]) for one in STATES],
        queues=[known.name for known in rooms.policy.queues],
        agents=[(account.agent, account.name) for account in accounts],
        **await sheet(floor, look, asked, start),
    )


async def sheet(floor: Floor, look: Look, asked: Mapping[str, str], start: int) -> dict[str, Any]:
    """What the parts that move are given: the counts, the switches, and a page of the promises ``asked`` for
    (state, queue, late). Raises Unavailable."""
    rooms = floor.rooms
    now_ms = rooms.clock.now_ms()
    state, queue = asked.get("state", ""), asked.get("queue", "")
    wanted = chosen(
        look.owed or (),
        now_ms=now_ms,
        queues=[queue] if queue else None,
        state=state if state in STATES else "",
        late=bool(asked.get("late")),
    )
    view = owed_view(
        ordered(rooms, look, wanted),
        who_has(look),
        masked,
        now_ms=now_ms,
        most_tries=rooms.office.policy.tries,
        start=start,
        size=PAGE,
    )
    switches = await promises.switches(rooms.office)
    return {
        "counts": counts(look.owed or (), now_ms),
        "view": replace(view, known=look.owed is not None),
        "switches": switches,
        "cap": rooms.office.policy.max_open if switches.max_open is None else switches.max_open,
        "page": pager(view.start, PAGE, view.total, len(view.rows), "/callbacks", _query(asked)),
    }


def _query(asked: Mapping[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})
