"""Dialling, by itself: promises in SQL, workers that die or are late, and a carrier whose answers are lost.

Merchants are dialled first here, so no promise needs a place in the line. What is asserted is told by a plain
model: which phones ring, who talks with whom, and which messages were left.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import Any, ClassVar

from sqlalchemy import delete
from sqlmodel import select

from callbacks import dialing, keeping, picking_up, promises, reaping, upkeep
from callbacks.office import Conflict
from callbacks.settling import RESULTS
from callbacks.states import OPEN, PromiseState, Result
from callbacks.tables import Attempt, Promise, PromiseEvent
from foundation.errors import Mendable
from queueing.journal import Event
from tests.callbacks.histories import Rule
from tests.callbacks.office import Staff
from tests.callbacks.wire import RINGS, TALKS, Died, Leg, Wire

FAULTS = ("late", "slow", "died before", "died after", "lost answer", "broken", "busy")
RING_MS = 25_000


class DialingWorld:
    """One promise or two at a time, one phone each. ``world`` makes the names of a history its own."""

    RULES: ClassVar[dict[str, Rule]] = {
        "asks": Rule(3, {"n": (0, 1)}),
        "rings": Rule(6, {"n": (0, 1), "fault": ("",) * 14 + FAULTS}),
        "a_late_worker_wakes": Rule(3),
        "picks_up": Rule(5, {"n": (0, 1), "key": ("1", "1", "wait", "")}),
        "presses_1": Rule(3, {"n": (0, 1)}),
        "puts_down": Rule(3, {"n": (0, 1), "how": ("no-answer", "busy"), "told": (True, True, True, False)}),
        "rings_in": Rule(4, {"n": (0, 1)}),
        "talk_ends": Rule(
            3, {"n": (0, 1), "word": ("", "reached", "machine", "again"), "told": (True, False)}
        ),
        "changes_mind": Rule(2, {"n": (0, 1), "change": ("cancel", "later")}),
        "time_passes": Rule(7, {"s": (1, 4, 16, 16, 31, 601, 3_601)}),
    }

    def __init__(self, staff: Staff, world: int) -> None:
        self.staff, self.world = staff, world
        self.cb = staff.cb
        self.wire = Wire(staff.clock, prefix=f"CA{world}x")
        self.phones = [f"+1415556{1000 + (2 * world + n) % 8999:04}" for n in (0, 1)]
        self.late: list[tuple[Attempt, str]] = []
        self.slow: list[tuple[str, str]] = []
        self.journal: list[Event] = []
        self.told = 0
        self.calls: dict[str, str] = {}
        """Promise to the call by which its merchant reached an agent; that talk goes on."""
        self.pressed: set[str] = set()
        """The legs that talk."""
        self.messages: dict[str, set[str]] = defaultdict(set)
        """Promise to the attempts on which a message was left."""
        self.made: set[str] = set()

    @property
    def now_ms(self) -> int:
        return self.staff.now_ms

    async def opens(self) -> None:
        await self.staff.redis.flushall()
        async with self.cb.sql.session(statement_s=5) as session:
            for table in (Promise, Attempt, PromiseEvent):
                await session.exec(delete(table))
        # A new day, in the morning: nobody is in quiet hours before the history is over.
        self.staff.clock.advance(ms=86_400_000 - (self.now_ms - 1_700_064_000_000) % 86_400_000)
        for n in (0, 1):
            await self.asks(n)

    async def _owed(self, n: int) -> Promise | None:
        return await promises.find(self.cb, self.phones[n])

    def _leg(self, n: int, status: str) -> Leg | None:
        return next(
            (x for x in self.wire.legs.values() if (x.to, x.status) == (self.phones[n], status)), None
        )

    def _tell(self, kind: str, contact: str, **fields: str) -> None:
        """A line of the journal, that the scribe has yet to write down."""
        self.told += 1
        where = ("ann", "support", "p2")
        self.journal.append(Event(f"{self.now_ms}-{self.told}", kind, self.now_ms, contact, *where, fields))

    # --- rules ---------------------------------------------------------------------------------------

    async def asks(self, n: int) -> None:
        made = await self.staff.asks(number=self.phones[n], made_by="desk")
        self.made.add(made.promise.id)

    async def rings(self, n: int, fault: str) -> None:
        """A worker dials; it dies, is stopped for a while, or the carrier's answer does not come."""
        owed = await self._owed(n)
        if owed is None:
            return
        intent = await dialing.write_intent(self.cb, owed.id, "", 0, "", self.now_ms)
        if intent.attempt is None:
            return
        if fault == "late":
            self.late.append((intent.attempt, intent.number))
            return
        if fault == "slow":
            named = f"https://here/voice/called?attempt={intent.attempt.id}"
            self.slow.append((intent.attempt.id, await self.wire.dial(intent.number, "", named)))
            return
        self.wire.fault = fault
        with suppress(Died):
            await self._sends(intent.attempt, intent.number)
        self.wire.fault = ""

    async def _sends(self, attempt: Attempt, number: str) -> None:
        self.staff.clock.advance(ms=2)  # the next slot
        await dialing.send(self.cb, self.wire, attempt, number)  # type: ignore[arg-type]

    async def a_late_worker_wakes(self) -> None:
        late, self.late = self.late, []
        for attempt, number in late:
            await self._sends(attempt, number)
        slow, self.slow = self.slow, []
        for attempt_id, sid in slow:
            if not await dialing.note_sent(self.cb, attempt_id, sid, self.now_ms):
                await self.wire.cancel(sid)

    async def picks_up(self, n: int, key: str) -> None:
        """``/voice/called`` and ``/voice/called/key``; no key is pressed by a machine."""
        leg = self._leg(n, RINGS)
        if leg is None:
            return
        leg.status = TALKS
        if not await dialing.answered(self.cb, leg.attempt, leg.sid, self.now_ms):
            await self._leg_ends(leg, "completed", told=True)
        elif key == "1":
            await self.presses_1(n)
        elif not key:
            for _ in range(2):  # the carrier asks twice, now and then
                if await picking_up.unattended(self.cb, leg.attempt, self.now_ms):
                    self.messages[leg.promise].add(leg.attempt)
            await self._leg_ends(leg, "completed", told=True)

    async def presses_1(self, n: int) -> None:
        leg = self._leg(n, TALKS)
        if leg is None or leg.sid in self.pressed:
            return
        if await picking_up.take(self.cb, leg.attempt, leg.sid, self.now_ms):
            self.pressed.add(leg.sid)
            self._tell("connected", leg.sid)
        else:
            await self._leg_ends(leg, "completed", told=True)

    async def puts_down(self, n: int, how: str, told: bool) -> None:
        leg = self._leg(n, RINGS)
        if leg is not None:
            await self._leg_ends(leg, how, told=told)

    async def _leg_ends(self, leg: Leg, how: str, *, told: bool) -> None:
        leg.status = how
        if told:
            await dialing.over(self.cb, leg.attempt, RESULTS[how], self.now_ms, leg.sid)

    async def rings_in(self, n: int) -> None:
        """The merchant rings us and is brought to an agent, unless a call of ours talks with them."""
        owed = await self._owed(n)
        if owed is None or owed.id in self.calls:
            return
        self.told += 1
        contact = f"{self.wire.prefix}in{self.told}"
        if await dialing.take_for(self.cb, owed.id, contact, self.now_ms):
            self.calls[owed.id] = contact
            self._tell("connected", contact)

    async def talk_ends(self, n: int, word: str, told: bool) -> None:
        owed, leg = await self._owed(n), self._leg(n, TALKS)
        call = self.calls.pop(owed.id, None) if owed else None
        for contact in (call, leg.sid if leg else None):
            if contact is None:
                continue
            if leg is None or contact != leg.sid or leg.sid in self.pressed:
                self._tell("ended", contact, disposition="answered")
            if word:
                self._tell("note", contact, outcome=word)
        if leg is not None:
            await self._leg_ends(leg, "completed", told=told)

    async def changes_mind(self, n: int, change: str) -> None:
        owed = await self._owed(n)
        if owed is None:
            return
        with suppress(Conflict, Mendable):
            if change == "cancel":
                await promises.cancel(self.cb, owed.id, "not needed", "merchant", self.now_ms)
            else:
                await promises.later(self.cb, owed.id, 10, "merchant", self.now_ms)

    async def time_passes(self, s: int) -> None:
        """… and the scribe and the keeper work. A phone that has rung long enough rings no more."""
        self.staff.clock.advance(s=s)
        for leg in self.wire.legs.values():
            if leg.status == RINGS and self.now_ms - leg.placed_ms >= RING_MS:
                await self._leg_ends(leg, "no-answer", told=leg.placed_ms % 4 > 0)
        await self._keeps()

    async def _keeps(self) -> None:
        events, self.journal = self.journal, []
        async with self.cb.sql.session(statement_s=5) as session:
            await keeping.follow(session, events, self.cb)
        await upkeep.refill(self.cb, self.now_ms)
        await upkeep.bring_due(self.cb, self.now_ms)
        await reaping.reap(self.cb, self.wire, self.now_ms)  # type: ignore[arg-type]
        await reaping.stop_unwanted(self.cb, self.wire, self.now_ms)  # type: ignore[arg-type]
        await reaping.expire(self.cb, self.now_ms)
        await reaping.tidy(self.cb, self.now_ms)
        over = {each.id for each in await self._all(Promise) if each.state not in OPEN}
        rings = [leg for leg in self.wire.legs.values() if leg.status == RINGS and leg.promise in over]
        unsettled = {a.id for a in await self._all(Attempt) if a.state in ("intent", "unknown")}
        rings = [leg for leg in rings if leg.attempt not in unsettled]
        assert not rings, f"a phone rings for a promise that is over: {rings}"

    # --- what must hold --------------------------------------------------------------------------------

    async def _all(self, table: Any) -> list[Any]:
        async with self.cb.sql.reading(statement_s=5) as session:
            return list(await session.exec(select(table)))

    async def laws(self) -> None:
        told = {each.id: each for each in await self._all(Promise)}
        attempts = await self._all(Attempt)
        assert self.made <= set(told), "a promise was lost"
        for promise in told.values():
            legs = list(self.wire.of(promise.id))
            talks = [leg.sid for leg in legs if leg.sid in self.pressed]
            talks += [self.calls[promise.id]] if promise.id in self.calls else []
            assert len(talks) <= 1, f"two conversations: {talks}"
            assert len(self.messages[promise.id]) <= 1, "a message was left twice"
            mine = [a for a in attempts if a.promise == promise.id]
            assert sorted(a.number for a in mine) == list(range(1, len(mine) + 1))
            under_way = [a for a in mine if a.state in ("intent", "sent", "unknown", "answered")]
            assert len(under_way) <= 1, "two attempts are under way"
            counted = sum(a.state == "not_reached" and a.result != Result.AGENT_GONE for a in mine)
            talked = sum(a.state == "talked" for a in mine)
            assert counted <= promise.tries <= counted + talked, "tries are miscounted"
            assert promise.tries <= self.cb.policy.tries, "tried too often"

    async def comes_to_rest(self) -> None:
        self.late.clear()
        self.slow.clear()
        self.calls.clear()
        for leg in self.wire.legs.values():
            if leg.live:
                await self._leg_ends(leg, "completed" if leg.status == TALKS else "no-answer", told=False)
        for s in (16, 31, 60, 200, 1_000, 200, 60):
            await self.time_passes(s)
            await self.laws()
        left = [a for a in await self._all(Attempt) if a.state not in ("talked", "not_reached", "withdrawn")]
        assert not left, f"an attempt is left over: {left}"
        stuck = [
            p for p in await self._all(Promise) if p.state in (PromiseState.DIALING, PromiseState.CONNECTED)
        ]
        assert not stuck, f"a promise is stuck: {stuck}"
