"""Promise, line and SQL together: merchants who ask, ring in and hang up, two agents, and Redis that is lost.

Whoever is dialled picks up, does not, or is a machine, at once; how dialling fails is ``dialing_world``'s.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from sqlalchemy import delete
from sqlmodel import select

from callbacks import dialing, picking_up, promises
from callbacks.making import Made
from callbacks.office import Conflict
from callbacks.states import OPEN, PromiseState, Result
from callbacks.tables import Attempt, Promise, PromiseEvent
from callbacks.turns import promise_of, turn_name
from foundation.errors import Mendable
from queueing import journal
from queueing.line import Card
from queueing.records import ContactNow
from queueing.states import ContactState, Disposition
from queueing.tables import Contact, ContactEvent
from tests.callbacks.histories import Rule
from tests.callbacks.office import Staff
from tests.callbacks.wire import TALKS, Wire

AGENTS = ("ann", "bob")
PLACED = "support", "p2"


class LineWorld:
    """Three phones. ``world`` makes the names of a history its own."""

    RULES: ClassVar[dict[str, Rule]] = {
        "asks": Rule(6, {"n": range(3)}),
        "rings_in": Rule(4, {"n": range(3)}),
        "hangs_up": Rule(2, {"n": range(3)}),
        "changes_mind": Rule(2, {"n": range(3), "change": ("cancel", "later", "now", "window")}),
        "accepts": Rule(
            7, {"agent": AGENTS, "what": ("talks", "talks", "busy", "machine", "agent gone", "busy carrier")}
        ),
        "declines": Rule(2, {"agent": AGENTS}),
        "ends": Rule(4, {"agent": AGENTS, "word": ("", "reached", "machine", "again")}),
        "time_passes": Rule(7, {"s": (1, 4, 16, 61, 601, 3_601)}),
        "redis_is_lost": Rule(1),
    }

    def __init__(self, staff: Staff, world: int) -> None:
        self.staff, self.world, self.cb = staff, world, staff.cb
        self.wire = Wire(staff.clock, prefix=f"CA{world}x")
        self.staff.carrier = self.wire
        self.phones = [f"+1415557{1000 + (3 * world + n) % 8999:04}" for n in range(3)]
        self.calls = 0
        self.tickets: dict[str, int] = {}
        """Promise to the ticket it was made with."""

    @property
    def now_ms(self) -> int:
        return self.staff.now_ms

    async def opens(self) -> None:
        await self.staff.redis.flushall()
        async with self.cb.sql.session(statement_s=5) as session:
            for table in (Promise, Attempt, PromiseEvent, Contact, ContactEvent):
                await session.exec(delete(table))
        self.staff.read = "-"
        # A new day, in the morning: nobody is in quiet hours before the history is over.
        self.staff.clock.advance(ms=86_400_000 - (self.now_ms - 1_700_064_000_000) % 86_400_000)
        await self.staff.at_work(*AGENTS)

    # --- merchants -----------------------------------------------------------------------------------

    async def _call(self, n: int) -> ContactNow | None:
        """The call by which that merchant is in the line."""
        for name in await self.staff.redis.hkeys(self.staff.line.keys.book):
            now = await self.staff.line.contact(name) if name.startswith("CA") else None
            if now and now.card.caller == self.phones[n] and now.state is not ContactState.ENDED:
                return now
        return None

    async def asks(self, n: int) -> None:
        """Rings and asks to be rung back; often a second time in the same breath, by text."""
        if await self._call(n) is not None or await promises.find(self.cb, self.phones[n]):
            return
        self.staff.clock.advance(ms=10)
        await self.staff.rings(self._named(), self.phones[n])
        made: Made = await self.staff.asks(f"{self.wire.prefix}in{self.calls}", self.phones[n])
        self.tickets[made.promise.id] = made.promise.arrival_us
        again = await self.staff.asks(number=self.phones[n], made_by="text")
        assert again.promise.id == made.promise.id, "two open promises for one number"

    def _named(self) -> str:
        self.calls += 1
        return f"{self.wire.prefix}in{self.calls}"

    async def rings_in(self, n: int) -> None:
        """Who is owed a call takes its place with a live one."""
        owed = await promises.find(self.cb, self.phones[n])
        if owed is None or await self._call(n) is not None:
            return
        self.staff.clock.advance(ms=10)
        card = Card(caller=self.phones[n])
        at = dict(zip(("queue", "band"), PLACED, strict=True))
        await promises.came_back(self.cb, owed, self._named(), card=card, now_ms=self.now_ms, **at)

    async def hangs_up(self, n: int) -> None:
        call = await self._call(n)
        if call is not None:
            await self.staff.line.leave(call.contact, Disposition.ABANDONED, self.now_ms)

    async def changes_mind(self, n: int, change: str) -> None:
        owed = await promises.find(self.cb, self.phones[n])
        if owed is None:
            return
        with suppress(Conflict, Mendable):
            if change == "cancel":
                await promises.cancel(self.cb, owed.id, "not needed", "merchant", self.now_ms)
            elif change == "later":
                await promises.later(self.cb, owed.id, 10, "merchant", self.now_ms)
            else:
                window = (self.now_ms + 3_600_000, self.now_ms + 7_200_000) if change == "window" else None
                await promises.reschedule(self.cb, owed.id, window, "merchant", self.now_ms)

    # --- agents --------------------------------------------------------------------------------------

    async def accepts(self, agent: str, what: str) -> None:
        """Says yes to whoever it is asked for: a merchant is dialled, a caller is fetched."""
        me = await self.staff.roster.agent(agent)
        if me is None or me.presence != "reserved":
            return
        contact, within_ms = me.contact, self.staff.policy.dial_ms
        await self.staff.line.accept(contact, agent, me.fence, self.now_ms, within_ms=within_ms)
        if promise_of(contact):
            await self._dials(contact, me.fence, agent, what)
        elif what == "agent gone" or not await self._may_fetch(contact):
            await self.staff.line.fail_join(contact, self.now_ms)
        else:
            await self.staff.line.connect(contact, self.now_ms)

    async def _may_fetch(self, contact: str) -> bool:
        owed = (await self.staff.contact(contact)).card.promise
        return not owed or await dialing.take_for(self.cb, owed, contact, self.now_ms)

    async def _dials(self, turn: str, fence: int, agent: str, what: str) -> None:
        self.staff.clock.advance(ms=2)  # the next slot
        self.wire.fault = "busy" if what == "busy carrier" else ""
        attempt = await dialing.begin(self.cb, self.wire, turn, fence, agent, self.now_ms)  # type: ignore[arg-type]
        self.wire.fault = ""
        leg = next(self.wire.of(promise_of(turn)), None)
        if attempt is None or leg is None:
            return
        if what == "agent gone":
            await dialing.agent_gone(self.cb, self.wire, turn, fence, self.now_ms)  # type: ignore[arg-type]
            return
        if what == "busy":
            leg.status = "busy"
            await dialing.over(self.cb, attempt.id, Result.BUSY, self.now_ms, leg.sid)
            return
        leg.status = TALKS
        rang = await dialing.answered(self.cb, attempt.id, leg.sid, self.now_ms)
        if what == "machine":
            leg.status = "completed"
            await picking_up.unattended(self.cb, attempt.id, self.now_ms)
        elif rang and await picking_up.take(self.cb, attempt.id, leg.sid, self.now_ms):
            await self.staff.line.connect(turn, self.now_ms)
        else:
            leg.status = "completed"

    async def declines(self, agent: str) -> None:
        me = await self.staff.roster.agent(agent)
        if me is not None and me.presence == "reserved":
            await self.staff.line.decline(me.contact, agent, me.fence, self.now_ms)

    async def ends(self, agent: str, word: str) -> None:
        """The talk is over, a word on it is said, and the agent is ready."""
        me = await self.staff.roster.agent(agent)
        if me is None:
            return
        now = await self.staff.line.contact(me.contact) if me.contact else None
        if now is not None and now.state is ContactState.CONNECTED:
            await self.staff.line.finish(me.contact, self.now_ms)
            for leg in self.wire.of(promise_of(me.contact)):
                leg.status = "completed"
            if word:
                note = {"at_ms": self.now_ms, "contact": me.contact, "agent": agent, "outcome": word}
                await journal.write(self.staff.redis, self.staff.line.keys, "note", **note)
        await self.staff.roster.ready(agent, self.now_ms)

    # --- time, and what is lost ----------------------------------------------------------------------

    async def time_passes(self, s: int) -> None:
        self.staff.clock.advance(s=s)
        for _ in range(2):
            await self.staff.keeps()

    async def redis_is_lost(self) -> None:
        """Calls on the line are adopted again in life; here they hang up."""
        await self.staff.writes_down()
        for leg in self.wire.legs.values():
            leg.status = "completed" if leg.live else leg.status
        await self.staff.redis.flushall()
        self.staff.read = "-"
        await self.staff.at_work(*AGENTS)

    # --- what must hold ------------------------------------------------------------------------------

    async def _all(self, table: Any) -> list[Any]:
        async with self.cb.sql.reading(statement_s=5) as session:
            return list(await session.exec(select(table)))

    async def laws(self) -> None:
        told = {each.id: each for each in await self._all(Promise)}
        assert set(self.tickets) <= set(told), "a promise was lost"
        numbers = [each.number for each in told.values() if each.state in OPEN]
        assert len(numbers) == len(set(numbers)), "two open promises for one number"
        for promise in told.values():
            assert promise.arrival_us == self.tickets[promise.id], "a promise has another ticket"
            assert (promise.open_number is not None) == (promise.state in OPEN)
        for now in await self.staff.line.waiting(PLACED[0], 0, 1000):
            owner = promise_of(now.contact)
            if owner:
                assert now.arrival_us == self.tickets[owner], "a turn has another ticket"
        talks = [leg.promise for leg in self.wire.legs.values() if leg.status == TALKS]
        talks += [now.card.promise for n in range(3) if (now := await self._talks_live(n))]
        assert len(talks) == len(set(talks)), f"two conversations: {talks}"

    async def _talks_live(self, n: int) -> ContactNow | None:
        now = await self._call(n)
        return now if now and now.card.promise and now.state is ContactState.CONNECTED else None

    async def comes_to_rest(self) -> None:
        """Everybody hangs up and goes home: then the line and SQL agree."""
        for n in range(3):
            await self.hangs_up(n)
        for s in (1, 16, 61, 1_000, 1_000, 16):
            for agent in AGENTS:
                await self.ends(agent, "")
                await self.staff.roster.off(agent, self.now_ms)
            await self.time_passes(s)
            await self.laws()
        left = [a for a in await self._all(Attempt) if a.state not in ("talked", "not_reached", "withdrawn")]
        assert not left, f"an attempt is left over: {left}"
        told: list[Promise] = await self._all(Promise)
        stuck = [p.state for p in told if p.state in (PromiseState.DIALING, PromiseState.CONNECTED)]
        assert not stuck, f"a promise is stuck: {stuck}"
        in_line = [p for p in told if p.state == PromiseState.IN_LINE]
        in_order = [turn_name(p.id, p.turn) for p in sorted(in_line, key=lambda p: p.arrival_us)]
        order = [name for name in await self.staff.order() if promise_of(name)]
        assert order == in_order, "the line and SQL disagree"
