"""The JSON API of promises to ring back. To press Call is to accept the contact in hand."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from callbacks import lists
from callbacks.owed import Owed, chosen
from callbacks.states import OPEN, PromiseState
from callbacks.tables import Promise
from callbacks.turns import turn_name
from carrier.numbers import masked
from dashboard import promise_actions
from dashboard.answers import PROBLEMS
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, WhoDep
from dashboard.live import Look
from dashboard.owing import ordered, who_has
from dashboard.problems import Problem
from dashboard.promise_answers import (
    HappenedAnswer,
    PromiseAnswer,
    PromisesAnswer,
    PromiseStoryAnswer,
    promise_answer,
)
from dashboard.promise_views import STATE_WORDS, owed_row

router = APIRouter(prefix="/api/v1/promises", route_class=Doorway, responses=PROBLEMS)
TAG = "promises"

PromiseId = Annotated[str, Path(max_length=32, description="The promise's name, PR and 16 letters.")]


class Changed(BaseModel):
    """A change of a promise. ``version`` comes from the promise; an old one changes nothing."""

    model_config = ConfigDict(extra="ignore")

    version: int = Field(ge=0, le=10**9)


class LaterAsked(Changed):
    minutes: int = Field(ge=1, le=1_440)


class CancelAsked(Changed):
    reason: str = Field(min_length=1, max_length=promise_actions.LONGEST_REASON)


class RescheduleAsked(Changed):
    """Both ends of the new window, or neither: then it is called as soon as it is its turn."""

    start_ms: int | None = Field(None, ge=0, le=10**14)
    end_ms: int | None = Field(None, ge=0, le=10**14)


class SkipAsked(BaseModel):
    """``fence`` comes from GET /api/v1/me: only who holds it may skip it."""

    model_config = ConfigDict(extra="ignore")

    fence: int = Field(ge=0, le=10**9)
    reason: str = Field("", max_length=promise_actions.LONGEST_REASON)


@router.get("", tags=[TAG], summary="The callbacks owed")
async def promises(
    floor: FloorDep,
    queue: Annotated[str, Query(max_length=64, description='"": every queue.')] = "",
    state: Annotated[PromiseState | None, Query(description="Only those that the record has so.")] = None,
    late: Annotated[bool, Query(description="Only those past what was promised.")] = False,
    start: Annotated[int, Query(ge=0, le=100_000)] = 0,
    count: Annotated[int, Query(ge=1, le=100)] = 50,
) -> PromisesAnswer:
    rooms = floor.rooms
    if queue:
        rooms.policy.queue(queue)
    now_ms = rooms.clock.now_ms()
    look = await floor.watch.now()
    rows = chosen(
        await lists.owed(rooms.sql),
        now_ms=now_ms,
        queues=[queue] if queue else None,
        state=state.value if state else "",
        late=late,
    )
    page = ordered(rooms, look, rows)[start : start + count]
    return PromisesAnswer(
        total=len(rows),
        late=sum(row.late(now_ms) for row in rows),
        start=start,
        next=start + count if start + count < len(rows) else None,
        promises=[_told(floor, look, row) for row in page],
    )


@router.get("/{promise}", tags=[TAG], summary="One promise and its story")
async def promise(floor: FloorDep, promise: PromiseId) -> PromiseStoryAnswer:
    row = await promise_actions.one(floor.rooms, promise)
    happened = await lists.story(floor.rooms.sql, row.id)
    answer = await _answer(floor, row)
    return PromiseStoryAnswer(promise=answer, happened=[HappenedAnswer.of(told) for told in happened])


@router.post("/{promise}/claim", tags=[TAG], summary="Take one that waits in line")
async def claim(floor: FloorDep, who: WhoDep, promise: PromiseId) -> PromiseAnswer:
    return await _changed(floor, promise, promise_actions.claim(floor.rooms, who, promise))


@router.post("/{promise}/skip", tags=[TAG], summary="Another agent is asked; it keeps its place")
async def skip(floor: FloorDep, who: WhoDep, promise: PromiseId, asked: SkipAsked) -> PromiseAnswer:
    row = await promise_actions.one(floor.rooms, promise)
    contact = turn_name(row.id, max(row.turn, 1))
    return await _changed(
        floor, promise, promise_actions.skip(floor.rooms, who, contact, asked.fence, asked.reason)
    )


@router.post("/{promise}/later", tags=[TAG], summary="Not before so many minutes from now")
async def later(floor: FloorDep, who: WhoDep, promise: PromiseId, asked: LaterAsked) -> PromiseAnswer:
    verb = promise_actions.later(floor.rooms, who, promise, asked.version, asked.minutes)
    return await _changed(floor, promise, verb)


@router.post("/{promise}/cancel", tags=[TAG], summary="No call any more")
async def cancel(floor: FloorDep, who: WhoDep, promise: PromiseId, asked: CancelAsked) -> PromiseAnswer:
    await promise_actions.one(floor.rooms, promise, asked.version)
    return await _changed(floor, promise, promise_actions.cancel(floor.rooms, who, [promise], asked.reason))


@router.post("/{promise}/reschedule", tags=[TAG], summary="Another window, or as soon as it is its turn")
async def reschedule(
    floor: FloorDep, who: WhoDep, promise: PromiseId, asked: RescheduleAsked
) -> PromiseAnswer:
    if (asked.start_ms is None) != (asked.end_ms is None):
        raise Problem("bad-input", "Send both start_ms and end_ms, or neither.")
    window = (
        (asked.start_ms, asked.end_ms) if asked.start_ms is not None and asked.end_ms is not None else None
    )
    verb = promise_actions.reschedule(floor.rooms, who, promise, asked.version, window)
    return await _changed(floor, promise, verb)


async def _changed(floor: Floor, promise: str, verb: Awaitable[object]) -> PromiseAnswer:
    """Do it and tell how the promise stands then."""
    await verb
    return await _answer(floor, await promise_actions.one(floor.rooms, promise))


async def _answer(floor: Floor, row: Promise) -> PromiseAnswer:
    """As it stands this moment: who has it is read anew."""
    look = await floor.watch.now(at_most_ms=0)
    told = _told(floor, look, lists.owed_of(row))
    return (
        told if row.state in OPEN else told.model_copy(update={"state": STATE_WORDS[row.state], "agent": ""})
    )


def _told(floor: Floor, look: Look, row: Owed) -> PromiseAnswer:
    rooms = floor.rooms
    shown = owed_row(
        row,
        who_has(look),
        masked,
        now_ms=rooms.clock.now_ms(),
        most_tries=rooms.office.policy.tries,
    )
    return promise_answer(row, shown)
