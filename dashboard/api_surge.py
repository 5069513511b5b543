"""The JSON API of incidents, the level and the follow-ups."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from carrier.numbers import masked
from dashboard import followup_actions, surge_actions
from dashboard.answers import PROBLEMS
from dashboard.drafts import LONGEST_SOURCE
from dashboard.entrance import Doorway
from dashboard.floor import Floor, FloorDep, WhoDep
from dashboard.problems import Problem
from dashboard.surge_answers import (
    FollowUpAnswer,
    FollowUpsAnswer,
    IncidentAnswer,
    IncidentsAnswer,
    IncidentStoryAnswer,
    LevelAnswer,
    UpdateAnswer,
)
from foundation.errors import Mendable
from surge import incidents as watched
from surge import lists, switch
from surge.incidents import NewIncident, Post
from surge.lists import Wanted
from surge.matching import Scope
from surge.states import FollowUpState, IncidentState

router = APIRouter(prefix="/api/v1", route_class=Doorway, responses=PROBLEMS)
TAG = "surge"

IncidentId = Annotated[str, Path(max_length=32, description="The incident's name: IN and 8 letters.")]


class Asked(BaseModel):
    model_config = ConfigDict(extra="ignore")


class LevelAsked(Asked):
    """``level`` 3 only asks: a second person has to agree on the console, or by asking for 3 as well."""

    level: int = Field(ge=0, le=3, description="0 calm, 1 watch, 2 surge, 3 closed to new.")
    reason: str = Field("", max_length=160)


class IncidentAsked(Asked):
    title: str = Field(min_length=1, max_length=120)
    words: dict[str, str] = Field(description="Language to the one true sentence.", max_length=8)
    severity: str = Field("major", max_length=16)
    audience: str = Field("merchants", max_length=16)
    scope: dict[str, Any] = Field(description="all, or lists: components, products, regions, rails, …")
    do: str = Field("", max_length=2_000)
    dont: str = Field("", max_length=2_000)
    topic: str = Field("", max_length=64)
    next_update_min: int | None = Field(None, ge=1, le=1_440)
    eta_min: int | None = Field(None, ge=1, le=1_440, description="Said to be fixed in so many minutes.")
    eta_source: str = Field("", max_length=LONGEST_SOURCE, description="Who says so.")


class UpdateAsked(Asked):
    """``version`` comes from the incident; an old one posts nothing and says who was first."""

    version: int = Field(ge=0, le=10**9)
    words: dict[str, str] = Field(max_length=8)
    state: IncidentState | None = None
    do: str | None = Field(None, max_length=2_000)
    dont: str | None = Field(None, max_length=2_000)
    no_news: bool = False
    next_update_min: int | None = Field(None, ge=1, le=1_440)
    eta_min: int | None = Field(None, ge=0, le=1_440, description="As before when left out; 0 takes it back.")
    eta_source: str | None = Field(None, max_length=LONGEST_SOURCE)


class EndAsked(Asked):
    verb: str = Field(max_length=16, description="claim, release, reached, unreachable or not_wanted.")
    note: str = Field("", max_length=followup_actions.LONGEST_NOTE)


# -- the level -------------------------------------------------------------------------------------------


@router.get("/level", tags=[TAG], summary="The level now")
async def level(floor: FloorDep) -> LevelAnswer:
    state = await switch.state(floor.rooms.surge)
    return LevelAnswer.of(state, switch.in_force(state, floor.rooms.clock.now_ms()))


@router.post("/level", tags=[TAG], summary="Set the level, renew it, or ask to close the line")
async def set_level(floor: FloorDep, who: WhoDep, asked: LevelAsked) -> LevelAnswer:
    state = await switch.state(floor.rooms.surge)
    if asked.level == state.asked_level and state.asked_by != who.agent:
        await surge_actions.second(floor, who, agree=True)
    else:
        await surge_actions.set_level(floor, who, asked.level, None, asked.reason)
    return await level(floor)


# -- incidents -------------------------------------------------------------------------------------------


@router.get("/incidents", tags=[TAG], summary="The incidents of now, and those resolved lately")
async def incidents(
    floor: FloorDep,
    live: Annotated[bool, Query(description="Only those that callers are told of.")] = False,
) -> IncidentsAnswer:
    rooms = floor.rooms
    desk = await lists.desk(rooms.sql, rooms.surge.centre, rooms.clock.now_ms())
    rows = desk.live if live else [*desk.live, *desk.resolved]
    return IncidentsAnswer(incidents=[IncidentAnswer.of(row, desk.latest.get(row.id)) for row in rows])


@router.get("/incidents/{incident}", tags=[TAG], summary="One incident, and all that was said of it")
async def incident(floor: FloorDep, incident: IncidentId) -> IncidentStoryAnswer:
    return await _story(floor, incident)


@router.post("/incidents", tags=[TAG], summary="Declare an incident")
async def declare(floor: FloorDep, who: WhoDep, asked: IncidentAsked) -> IncidentStoryAnswer:
    rooms = floor.rooms
    scope = Scope.unpacked(asked.scope)
    if scope.empty:
        raise Mendable("Say whom it touches: all, or at least one list.")
    await surge_actions.reaches_somebody(floor, scope)
    now_ms = rooms.clock.now_ms()
    new = NewIncident(
        title=asked.title,
        words=asked.words,
        severity=asked.severity,
        scope=scope.packed(),
        audience=asked.audience,
        do=asked.do,
        dont=asked.dont,
        topic=asked.topic,
        next_update_ms=_due(asked.next_update_min, now_ms),
        eta_ms=_due(asked.eta_min, now_ms),
        eta_source=asked.eta_source,
    )
    row = await watched.declare(rooms.surge, new, who.agent, now_ms)
    return await _story(floor, row.id)


@router.post("/incidents/{incident}/updates", tags=[TAG], summary="Post an update")
async def update(
    floor: FloorDep, who: WhoDep, incident: IncidentId, asked: UpdateAsked
) -> IncidentStoryAnswer:
    await surge_actions.known(floor, incident)
    now_ms = floor.rooms.clock.now_ms()
    post = Post(
        words=asked.words,
        state=asked.state,
        do=asked.do,
        dont=asked.dont,
        next_update_ms=_due(asked.next_update_min, now_ms),
        eta_ms=0 if asked.eta_min == 0 else _due(asked.eta_min, now_ms),
        eta_source=asked.eta_source,
        no_news=asked.no_news,
    )
    await watched.post_update(floor.rooms.surge, incident, post, asked.version, who.agent, now_ms)
    return await _story(floor, incident)


@router.post("/incidents/{incident}/close", tags=[TAG], summary="Close the ledger: every row has its end")
async def close(floor: FloorDep, who: WhoDep, incident: IncidentId) -> IncidentStoryAnswer:
    await surge_actions.known(floor, incident)
    await followup_actions.close(floor.rooms, who, incident)
    return await _story(floor, incident)


async def _story(floor: Floor, incident: str) -> IncidentStoryAnswer:
    story = await lists.story(floor.rooms.sql, incident)
    if story is None:
        raise Problem("not-found", "There is no such incident.")
    latest = story.updates[0] if story.updates else None
    return IncidentStoryAnswer(
        incident=IncidentAnswer.of(story.incident, latest),
        updates=[UpdateAnswer.of(row) for row in story.updates],
        follow_ups=dict(story.follow_ups),
    )


def _due(minutes: int | None, now_ms: int) -> int | None:
    return None if minutes is None else now_ms + minutes * 60_000


# -- follow-ups ------------------------------------------------------------------------------------------


@router.get("/followups", tags=[TAG], summary="The ledger of those who were not served")
async def followups(
    floor: FloorDep,
    state: Annotated[FollowUpState | None, Query()] = None,
    incident: Annotated[str, Query(max_length=32)] = "",
    unfinished: Annotated[bool, Query(description="Only those without an end.")] = False,
    start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    count: Annotated[int, Query(ge=1, le=100)] = 50,
) -> FollowUpsAnswer:
    wanted = Wanted(state.value if state else "unfinished" if unfinished else "", incident=incident)
    ledger = await lists.ledger(floor.rooms.sql, wanted, start=start, count=count)
    return FollowUpsAnswer(
        total=ledger.total,
        start=start,
        next=start + count if start + count < ledger.total else None,
        open=ledger.open,
        states=dict(ledger.counts),
        follow_ups=[FollowUpAnswer.of(row, masked) for row in ledger.rows],
    )


@router.post("/followups/{followup}", tags=[TAG], summary="Claim one, give it back, or say how it ended")
async def finish(
    floor: FloorDep, who: WhoDep, followup: Annotated[str, Path(max_length=64)], asked: EndAsked
) -> FollowUpAnswer:
    row = await lists.follow_up(floor.rooms.sql, followup)
    if row is None:
        raise Problem("not-found", "There is no such follow-up.")
    told = await followup_actions.many(floor.rooms, who, [followup], asked.verb, asked.note)
    row = await lists.follow_up(floor.rooms.sql, followup)
    assert row is not None
    if not told.done:
        raise Problem(
            "surge-moved",
            "It has an end already, or somebody else deals with it.",
            more={"who": row.claimed_by or row.ended_by, "what": row.state},
        )
    return FollowUpAnswer.of(row, masked)
