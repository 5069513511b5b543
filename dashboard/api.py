"""The JSON API: the line for programs, and what a desk that is not our page needs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from carrier.numbers import masked
from dashboard import actions, record
from dashboard.access import sees_numbers
from dashboard.answers import (
    PROBLEMS,
    AgentAnswer,
    AgentsAnswer,
    ContactAnswer,
    ContactsAnswer,
    DayAnswer,
    FiguresAnswer,
    MeAnswer,
    QueueAnswer,
    QueuesAnswer,
    RecordAnswer,
    SoftphoneAnswer,
    StretchAnswer,
)
from dashboard.auth import Who
from dashboard.entrance import Doorway
from dashboard.floor import FloorDep, WhoDep
from dashboard.problems import Problem
from dashboard.rows import RecordRow
from dashboard.scene import is_held
from foundation.errors import Unavailable
from queueing.presence import Presence

router = APIRouter(prefix="/api/v1", route_class=Doorway, responses=PROBLEMS)

ContactId = Annotated[str, Path(max_length=64, description="The CallSid of the caller's call.")]


class Asked(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Fenced(Asked):
    """A move on a contact in hand. ``fence`` comes from GET /api/v1/me; an old one changes nothing."""

    fence: int = Field(ge=0, le=10**9)


class TransferAsked(Fenced):
    queue: str = Field(max_length=64)


class WrapUpAsked(Fenced):
    outcome: str = Field(max_length=40)
    note: str = Field("", max_length=actions.LONGEST_NOTE)


class ReadyAsked(Asked):
    line: str = Field("", max_length=16, description='"softphone", "phone", or "" for what there is.')


class AwayAsked(Asked):
    reason: str = Field("", max_length=actions.LONGEST_REASON)


# -- you -------------------------------------------------------------------------------------------------


@router.get("/me", tags=["you"], summary="You, and the contact in your hand")
async def me(floor: FloorDep, who: WhoDep) -> MeAnswer:
    rooms = floor.rooms
    agent = await rooms.roster.agent(who.agent)
    contact, held = None, False
    if agent and agent.contact:
        now = await rooms.line.contact(agent.contact)
        contact = ContactAnswer.of(now, _number(who)) if now else None
        held = agent.presence is Presence.TALKING and await is_held(rooms, agent)
    return MeAnswer.of(who, agent, contact, held=held)


@router.post("/me/ready", tags=["you"], summary="Take contacts")
async def ready(floor: FloorDep, who: WhoDep, asked: ReadyAsked | None = None) -> MeAnswer:
    await actions.go_ready(floor.rooms, who, asked.line if asked else "")
    return await me(floor, who)


@router.post("/me/away", tags=["you"], summary="Take a break, at once or after the talk")
async def away(floor: FloorDep, who: WhoDep, asked: AwayAsked | None = None) -> MeAnswer:
    await actions.go_away(floor.rooms, who, asked.reason if asked else "")
    return await me(floor, who)


@router.post("/me/off", tags=["you"], summary="Leave the line, at once or after the talk")
async def off(floor: FloorDep, who: WhoDep) -> MeAnswer:
    await actions.go_off(floor.rooms, who)
    return await me(floor, who)


@router.get("/softphone", tags=["you"], summary="A token for the telephone in the browser")
async def softphone(floor: FloorDep, who: WhoDep) -> SoftphoneAnswer:
    phone = floor.rooms.softphone
    token = phone.mint(who.agent) if phone.mint else ""
    return SoftphoneAnswer(kind=phone.kind, token=token, url=phone.url)


# -- the contact in hand ---------------------------------------------------------------------------------


@router.post("/contacts/{contact}/accept", tags=["contact in hand"], summary="Say yes")
async def accept(floor: FloorDep, who: WhoDep, contact: ContactId, asked: Fenced) -> MeAnswer:
    await actions.accept(floor.rooms, who, contact, asked.fence)
    return await me(floor, who)


@router.post("/contacts/{contact}/decline", tags=["contact in hand"], summary="Say no; it keeps its place")
async def decline(floor: FloorDep, who: WhoDep, contact: ContactId, asked: Fenced) -> MeAnswer:
    await actions.decline(floor.rooms, who, contact, asked.fence)
    return await me(floor, who)


@router.post("/contacts/{contact}/hold", tags=["contact in hand"], summary="Music for the caller")
async def hold(floor: FloorDep, who: WhoDep, contact: ContactId, asked: Fenced) -> MeAnswer:
    await actions.hold(floor.rooms, who, contact, asked.fence)
    return await me(floor, who)


@router.post("/contacts/{contact}/unhold", tags=["contact in hand"], summary="Back to the caller")
async def unhold(floor: FloorDep, who: WhoDep, contact: ContactId, asked: Fenced) -> MeAnswer:
    await actions.unhold(floor.rooms, who, contact, asked.fence)
    return await me(floor, who)


@router.post("/contacts/{contact}/transfer", tags=["contact in hand"], summary="To another queue, age kept")
async def transfer(floor: FloorDep, who: WhoDep, contact: ContactId, asked: TransferAsked) -> MeAnswer:
    await actions.transfer(floor.rooms, who, contact, asked.fence, asked.queue)
    return await me(floor, who)


@router.post("/contacts/{contact}/hang-up", tags=["contact in hand"], summary="End the call")
async def hang_up(floor: FloorDep, who: WhoDep, contact: ContactId, asked: Fenced) -> MeAnswer:
    await actions.hang_up(floor.rooms, who, contact, asked.fence)
    return await me(floor, who)


@router.post("/contacts/{contact}/wrap-up", tags=["contact in hand"], summary="Write down how it ended")
async def wrap_up(floor: FloorDep, who: WhoDep, contact: ContactId, asked: WrapUpAsked) -> MeAnswer:
    await actions.wrap_up(floor.rooms, who, contact, asked.fence, asked.outcome, asked.note)
    return await me(floor, who)


# -- the line --------------------------------------------------------------------------------------------


@router.get("/queues", tags=["line"], summary="Every queue at a glance")
async def queues(floor: FloorDep) -> QueuesAnswer:
    look = await floor.watch.now()
    if look.board is None:
        raise Unavailable()
    told = [QueueAnswer.of(now) for now in look.board.queues.values()]
    return QueuesAnswer(at_ms=look.board.at_ms, age_ms=look.age_ms, queues=told)


@router.get("/contacts", tags=["line"], summary="Who waits now in a queue, or a day's contacts")
async def contacts(
    floor: FloorDep,
    who: WhoDep,
    queue: Annotated[str, Query(max_length=64, description='"" with a day: every queue.')] = "",
    day: Annotated[date | None, Query(description="A day of the record; without it, who waits now.")] = None,
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    count: Annotated[int, Query(ge=1, le=100)] = 50,
) -> ContactsAnswer:
    rooms, number = floor.rooms, _number(who)
    if day is not None:
        span = record.day_span(rooms, day)
        rows, total = await record.contacts_between(rooms, *span, queue=queue, start=start, count=count)
        told = [record_answer(row, number) for row in rows]
        return ContactsAnswer(total=total, start=start, next=_next(start, count, total), record=told)
    name = rooms.policy.queue(queue or rooms.policy.queues[0].name).name
    waiting = await rooms.line.waiting(name, start, count)
    look = await floor.watch.now()
    total = max(start + len(waiting), look.board.queues[name].waiting if look.board else 0)
    answers = [ContactAnswer.of(now, number) for now in waiting]
    return ContactsAnswer(
        total=total, start=start, next=_next(start, count, total) if waiting else None, waiting=answers
    )


def _next(start: int, count: int, total: int) -> int | None:
    return start + count if start + count < total else None


@router.get("/contacts/{contact}", tags=["line"], summary="One contact that the line still knows")
async def contact(floor: FloorDep, who: WhoDep, contact: ContactId) -> ContactAnswer:
    now = await floor.rooms.line.contact(contact)
    if now is None:
        raise Problem(
            "not-found", "The line knows no such contact; ended ones are in the record of their day."
        )
    return ContactAnswer.of(now, _number(who))


@router.get("/agents", tags=["line"], summary="Everyone who ever came to work, as they stand")
async def agents(floor: FloorDep) -> AgentsAnswer:
    told = [AgentAnswer.of(now) for now in await floor.rooms.roster.agents()]
    return AgentsAnswer(at_ms=floor.rooms.clock.now_ms(), agents=told)


@router.get("/figures", tags=["line"], summary="A day's figures, hour by hour")
async def figures(
    floor: FloorDep,
    day: Annotated[date | None, Query(description="In the centre's time zone; without it, today.")] = None,
    queue: Annotated[str, Query(max_length=64)] = "",
) -> DayAnswer:
    rooms = floor.rooms
    day = day or record.today(rooms)
    if queue:
        rooms.policy.queue(queue)
    told = await record.report(rooms, first=day, last=day, queue=queue, by="hour")
    return DayAnswer(
        day=day.isoformat(),
        time_zone=rooms.time_zone,
        queue=queue,
        total=FiguresAnswer.of(told.total),
        hours=[StretchAnswer.of(stretch) for stretch in told.stretches],
    )


def _number(who: Who) -> Any:
    return str if sees_numbers(who.role) else masked


def record_answer(row: RecordRow, number: Any) -> RecordAnswer:
    return RecordAnswer(
        id=row.contact,
        queue=row.queue,
        band=row.band,
        merchant=row.merchant,
        tier=row.tier,
        topic=row.topic,
        language=row.language,
        caller=number(row.caller) if row.caller else "",
        entered_ms=row.entered_ms,
        answered_ms=row.answered_ms,
        ended_ms=row.ended_ms,
        disposition=row.disposition,
        agent=row.agent,
        outcome=row.outcome,
        note=row.note,
    )
