"""What leads do with follow-ups and notices, for the page and the API alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.auth import Who
from dashboard.rooms import Rooms
from foundation.errors import Mendable
from surge import desk, lists
from surge import notices as staged
from surge.lists import Story
from surge.office import Conflict
from surge.states import FollowUpState, IllegalMove

LONGEST_NOTE = 200
_TURNS = ("notices_paused", "notices_resumed")
MOST = desk.AT_ONCE
ENDS = {
    "reached": FollowUpState.REACHED,
    "unreachable": FollowUpState.UNREACHABLE,
    "not_wanted": FollowUpState.NOT_WANTED,
}


@dataclass(frozen=True, slots=True)
class Told:
    """How many were done, and how many had moved on."""

    done: int
    refused: int


async def many(rooms: Rooms, who: Who, chosen: Sequence[str], verb: str, note: str = "") -> Told:
    """``verb``: claim, release, reached, unreachable or not_wanted. Raises Mendable; the note is one line."""
    names = list(dict.fromkeys(chosen))
    if not names:
        raise Mendable("Choose at least one follow-up first.")
    if len(names) > MOST:
        raise Mendable(f"Choose {MOST} follow-ups at most.")
    said, now_ms = " ".join(note.split())[:LONGEST_NOTE], rooms.clock.now_ms()
    if verb in ENDS:
        told = await desk.bulk(rooms.surge, names, ENDS[verb], who.agent, now_ms, said)
        return Told(len(told.done), len(told.refused))
    if verb not in ("claim", "release"):
        raise Mendable("Say what to do with them: claim, reached, unreachable, not wanted or give back.")
    done = 0
    for name in names:
        try:
            if verb == "claim":
                await desk.claim(rooms.surge, name, who.agent, now_ms)
            else:
                await desk.release(rooms.surge, name, who.agent, now_ms)
        except (Conflict, IllegalMove, Mendable):
            continue
        done += 1
    return Told(done, len(names) - done)


async def close(rooms: Rooms, who: Who, incident: str) -> None:
    """Raises Mendable while a follow-up has no end."""
    await desk.close(rooms.surge, incident, who.agent, rooms.clock.now_ms())


# -- the notice that it is over --------------------------------------------------------------------------


async def notices(rooms: Rooms, who: Who, incident: str, *, go: bool) -> None:
    """Pause it, or go on. Raises Mendable for an incident that there is not."""
    now_ms = rooms.clock.now_ms()
    verb = staged.resume if go else staged.pause
    await verb(rooms.surge, incident, who.agent, now_ms)


@dataclass(frozen=True, slots=True)
class Notice:
    """How far the notice of an incident is. ``next_ms``: when it goes on; None: not known, or done.
    ``by_hand``: they agreed to no texts, or theirs did not arrive."""

    told: int
    still_down: int
    left: int
    by_hand: int
    paused: bool
    reason: str
    next_ms: int | None


async def notice_now(rooms: Rooms, story: Story) -> Notice | None:
    """None before the incident is verified."""
    since_ms = story.incident.verified_ms
    if since_ms is None:
        return None
    turns = [each for each in story.events if each.kind in _TURNS and each.at_ms >= since_ms]
    paused = bool(turns) and turns[-1].kind == "notices_paused"
    told = await lists.notice(rooms.sql, story.incident.id)
    policy, now_ms = rooms.surge.policy, rooms.clock.now_ms()
    due_ms = since_ms + policy.soak_ms
    if told.last_told_ms is not None:
        due_ms = told.last_told_ms + policy.cohort_ms
    return Notice(
        told=told.told,
        still_down=told.still_down,
        left=told.left,
        by_hand=told.by_hand,
        paused=paused,
        reason=turns[-1].words if paused else "",
        next_ms=max(due_ms, now_ms),
    )
