"""What people do to promises, for the desk, the supervisors' page and the API alike.

``version`` is of the promise as its page showed it: an older one changes nothing (Conflict).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from callbacks import lists, promises
from callbacks.office import Conflict
from callbacks.states import Mode
from callbacks.tables import Promise
from callbacks.turns import promise_of, turn_name
from dashboard.auth import Who
from dashboard.problems import Problem
from dashboard.promise_views import LATER_MINUTES
from dashboard.rooms import Rooms
from foundation.errors import Mendable
from queueing.records import Outcome

LONGEST_REASON = 160
MOST_AT_ONCE = 500

Verb = Callable[[str], Awaitable[Any]]


async def one(rooms: Rooms, promise: str, version: int | None = None) -> Promise:
    """The promise. Raises Problem when there is none, Conflict when the page showed an older one."""
    row = await lists.one(rooms.sql, promise)
    if row is None:
        raise Problem("not-found", "There is no such promise.")
    if version is not None and row.version != version:
        raise Conflict("It was changed since this page showed it. Look again, then decide.")
    return row


async def claim(rooms: Rooms, who: Who, promise: str) -> None:
    """Take a promise that waits in line. Raises Conflict, naming who has it when another was first."""
    row = await one(rooms, promise)
    if row.mode == Mode.MERCHANT_FIRST:
        raise Problem("not-now", "In this queue the merchant is rung first: nobody claims it.")
    turn = turn_name(row.id, max(row.turn, 1))
    lease_ms = rooms.office.policy.claim_ms
    now_ms = rooms.clock.now_ms()
    outcome, other = await rooms.line.claim(turn, who.agent, now_ms=now_ms, lease_ms=lease_ms)
    if outcome in (Outcome.DONE, Outcome.ALREADY):
        return
    if outcome is Outcome.STALE and other:
        name = await _name(rooms, other)
        raise Conflict(f"{row.merchant or 'This callback'} was claimed first by {name}.", name)
    if outcome is Outcome.REFUSED:
        raise Problem("not-now", "Go available, and finish what you have in hand, before you claim another.")
    raise Conflict("It does not wait in line now.")


async def _name(rooms: Rooms, login: str) -> str:
    agent = await rooms.roster.agent(login)
    return agent.name or login if agent else login


async def skip(rooms: Rooms, who: Who, contact: str, fence: int, reason: str) -> None:
    """Another agent is asked; the promise keeps its place."""
    now_ms = rooms.clock.now_ms()
    told = said(reason) or "no reason given"
    await promises.skip(rooms.office, _promise(contact), who.agent, fence, told, now_ms)


async def later(rooms: Rooms, who: Who, promise: str, version: int, minutes: int) -> None:
    """Not before so many minutes from now. Raises Mendable for another number than 1 to 1,440."""
    if not 1 <= minutes <= 1_440:
        raise Mendable(f"Later is 1 to 1,440 minutes; {', '.join(map(str, LATER_MINUTES))} are usual.")
    await one(rooms, promise, version)
    await promises.later(rooms.office, promise, minutes, who.agent, rooms.clock.now_ms())


async def reschedule(
    rooms: Rooms, who: Who, promise: str, version: int, window: tuple[int, int] | None
) -> None:
    """Another time window, or None: as soon as it is its turn."""
    await one(rooms, promise, version)
    await promises.reschedule(rooms.office, promise, window, who.agent, rooms.clock.now_ms())


async def cancel(rooms: Rooms, who: Who, chosen: Sequence[str], reason: str) -> int:
    """No call any more. Raises Mendable without a reason; returns how many were still open."""
    told = said(reason)
    if not told:
        raise Mendable("Give a reason: it stands in each promise's story.")
    return await _each(rooms, chosen, lambda promise: promises.cancel(
        rooms.office, promise, told, who.agent, rooms.clock.now_ms()
    ))  # fmt: skip


async def assign(rooms: Rooms, who: Who, chosen: Sequence[str], agent: str) -> int:
    """Give promises to one agent; "" gives them back to all. Raises Mendable for nobody known."""
    return await _each(rooms, chosen, lambda promise: promises.assign(
        rooms.office, promise, agent, who.agent, rooms.clock.now_ms()
    ))  # fmt: skip


async def move(rooms: Rooms, who: Who, chosen: Sequence[str], queue: str) -> int:
    """Into another queue, with their tickets. Raises Mendable for an unknown queue."""
    rooms.policy.queue(queue)
    told = _some(chosen)
    await promises.move(rooms.office, told, queue, who.agent, rooms.clock.now_ms())
    return len(told)


async def _each(rooms: Rooms, chosen: Sequence[str], verb: Verb) -> int:
    """The verb on each; who has moved on meanwhile is left out and not counted."""
    done = 0
    for promise in _some(chosen):
        try:
            await verb(promise)
        except Conflict:
            continue
        done += 1
    return done


def _some(chosen: Sequence[str]) -> list[str]:
    told = list(dict.fromkeys(chosen))
    if not told:
        raise Mendable("Choose at least one promise first.")
    if len(told) > MOST_AT_ONCE:
        raise Mendable(f"Choose {MOST_AT_ONCE} promises at most.")
    return told


def said(words: str) -> str:
    """A reason on one line, shortened."""
    return " ".join(words.split())[:LONGEST_REASON]


def _promise(contact: str) -> str:
    promise = promise_of(contact)
    if not promise:
        raise Problem("not-now", "This contact is a call, not a callback.")
    return promise
