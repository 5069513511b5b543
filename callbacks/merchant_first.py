"""Which merchants to dial now, where the merchant is asked first: as many as will meet an agent, in the order
of their tickets. The pace itself is ``pace``'s.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam, func, select

from callbacks.office import Office
from callbacks.pace import Floor, merchants_to_dial
from callbacks.promises import switches
from callbacks.record import ATTEMPTS, IS_UNDER_WAY, NO_CALL_HOLDS_IT, PROMISES
from callbacks.states import Mode, PromiseState
from queueing import pulse
from queueing.presence import Presence
from queueing.records import Board

SAFETY = 0.8
"""How much of the agents who are expected to be free is relied on."""
PRESS_S = 8
"""From the pick-up until the merchant has pressed 1."""
AHEAD = 1000

_IN_LINE = (
    select(PROMISES.c.id, PROMISES.c.version, PROMISES.c.arrival_us, PROMISES.c.band)
    .where(
        PROMISES.c.state == PromiseState.IN_LINE,
        PROMISES.c.queue == bindparam("queue"),
        PROMISES.c.mode == Mode.MERCHANT_FIRST,
        NO_CALL_HOLDS_IT,
    )
    .order_by(PROMISES.c.arrival_us)
    .limit(AHEAD)
)
_DIALLED = (
    select(func.count())
    .select_from(ATTEMPTS)
    .join(PROMISES, PROMISES.c.id == ATTEMPTS.c.promise)
    .where(IS_UNDER_WAY, ATTEMPTS.c.mode == Mode.MERCHANT_FIRST, PROMISES.c.queue == bindparam("queue"))
)


@dataclass(frozen=True, slots=True)
class Next:
    """A promise whose merchant is to be dialled. ``version`` names this one time."""

    promise: str
    version: int


async def to_dial(cb: Office, now_ms: int) -> list[Next]:
    """The promises to dial now, over all queues that ask the merchant first. No more of a queue than its own
    agents are good for, nor of all than all of them: whoever serves several takes one call. Raises
    Unavailable.
    """
    queues = [q.name for q in cb.line.policy.queues if cb.policy.mode(q.name) is Mode.MERCHANT_FIRST]
    if not queues or not cb.ours or not (await switches(cb)).keeping:
        return []
    board, figures = await cb.line.look(now_ms), await pulse.read(cb.redis, cb.keys)
    floors: list[Floor] = []
    found: list[Any] = []
    for queue in queues:
        handling_s = figures.queues[queue].handling_s if figures and queue in figures.queues else None
        waiting, dialled = await _promises(cb, queue)
        in_order = sorted(waiting, key=lambda promise: _score(cb, promise))
        first = _score(cb, in_order[0]) if in_order else 0
        ahead = await cb.line.waiting(queue, 0, AHEAD) if in_order else []
        floor = replace(
            _floor(cb, board, [queue], handling_s, now_ms),
            dialled=dialled,
            live_ahead=sum(now.score < first for now in ahead),
        )
        floors.append(floor)
        found += in_order[: _count(cb, floor)]
    means = [floor.handling_s for floor in floors if floor.handling_s is not None]
    longest_s = max(means) if len(means) == len(floors) else None
    every = replace(
        _floor(cb, board, queues, longest_s, now_ms),
        dialled=sum(floor.dialled for floor in floors),
        live_ahead=sum(floor.live_ahead for floor in floors),
    )
    in_order = sorted(found, key=lambda promise: _score(cb, promise))
    return [Next(promise.id, promise.version) for promise in in_order[: _count(cb, every)]]


def _floor(cb: Office, board: Board, queues: Collection[str], handling_s: float | None, now_ms: int) -> Floor:
    """The agents who serve any of these queues; nobody is on the way to them yet."""
    mine = [agent for agent in board.agents if not agent.skills.keys().isdisjoint(queues)]
    busy = (Presence.RESERVED, Presence.TALKING, Presence.WRAP_UP)
    return Floor(
        free=sum(agent.presence is Presence.READY for agent in mine),
        talks_s=[(now_ms - agent.since_ms) / 1000 for agent in mine if agent.presence in busy],
        handling_s=handling_s,
        dial_s=cb.policy.ring_s + PRESS_S,
        dialled=0,
        live_ahead=0,
    )


def _count(cb: Office, floor: Floor) -> int:
    return merchants_to_dial(floor, safety=SAFETY, permits=max(1, round(cb.policy.calls_per_s)))


async def _promises(cb: Office, queue: str) -> tuple[Sequence[Any], int]:
    """Those in line whose merchant is asked first, and how many are being dialled, screened or joined."""
    async with cb.sql.reading() as session:
        connection = await session.connection()
        waiting = (await connection.execute(_IN_LINE, {"queue": queue})).all()
        dialled = (await connection.execute(_DIALLED, {"queue": queue})).scalar_one()
        return waiting, int(dialled)


def _score(cb: Office, promise: Any) -> int:
    return int(promise.arrival_us) - cb.line.policy.band(promise.band).head_start_ms * 1000
