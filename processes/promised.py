"""What became of a demo's promises to ring back: each is open and has its place, or has ended lawfully."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlmodel import col, select

from callbacks.states import OPEN, AttemptState, Mode, PromiseState
from callbacks.tables import Attempt, Promise
from callbacks.turns import turn_name
from carrier.tables import Text
from foundation.connections import Sql
from queueing.line import Line
from queueing.states import ContactState, Disposition
from queueing.tables import Contact


@dataclass(frozen=True, slots=True)
class Owed:
    """Promises by state, attempts by how they ended, texts by state, and what is not as it should be."""

    states: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    texts: Counter[str] = field(default_factory=Counter)
    vanished: tuple[str, ...] = ()

    def shown(self) -> dict[str, object]:
        return {
            "made": self.states.total(),
            "open": sum(self.states[state] for state in OPEN),
            **{state.value: self.states[state] for state in PromiseState if state not in OPEN},
            "attempts": dict(self.attempts),
            "texts": dict(self.texts),
            "vanished": list(self.vanished),
        }


async def owed(sql: Sql, line: Line) -> Owed:
    """Raises Unavailable. A promise that is on its way from one place to the next seems to have vanished:
    look again before it is believed.
    """
    async with sql.reading(statement_s=5) as session:
        promises = list(await session.exec(select(Promise)))
        attempts = list(await session.exec(select(Attempt)))
        texts = list(await session.exec(select(Text.state)))
        left = await session.exec(
            select(Contact.contact).where(col(Contact.disposition) == Disposition.PROMISED.value)
        )
        promised = set(left)
    vanished = promised - {promise.contact for promise in promises}
    tried = {attempt.promise for attempt in attempts if attempt.state not in _OVER}
    for promise in promises:
        if not await _has_its_place(line, promise, tried):
            vanished.add(promise.id)
    return Owed(
        Counter(promise.state for promise in promises),
        Counter(attempt.result or attempt.state for attempt in attempts),
        Counter(texts),
        tuple(sorted(vanished)),
    )


_OVER = (AttemptState.NOT_REACHED, AttemptState.WITHDRAWN)


async def _has_its_place(line: Line, promise: Promise, tried: Iterable[str]) -> bool:
    """Open: due later, in the line, or being called. Ended: at a time, by somebody, its number free."""
    state = PromiseState(promise.state)
    if state not in OPEN:
        return bool(promise.ended_ms and promise.ended_by) and promise.open_number is None
    if promise.open_number != promise.number:
        return False
    if state is PromiseState.DUE_LATER:
        return promise.due_ms > 0
    if state is PromiseState.DIALING:
        return promise.id in tried
    if state is PromiseState.CONNECTED:
        return bool(promise.held_by)
    holder = promise.live_contact or turn_name(promise.id, promise.turn)
    if promise.mode == Mode.MERCHANT_FIRST and not promise.live_contact:
        return promise.arrival_us > 0
    now = await line.contact(holder)
    return now is not None and now.state in (ContactState.WAITING, ContactState.RESERVED)
