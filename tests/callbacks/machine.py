"""Promise, line, SQL and the phone network together: merchants, agents, workers that die, and what must hold.

Here nothing but HTTP is between the office and the double. It is slow, so it is small: how dialling fails is
played out in ``dialing_world``, how the line follows in ``line_world``.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import delete
from sqlmodel import SQLModel, select

from callbacks import dialing, promises
from callbacks.office import Conflict
from callbacks.states import PromiseState, Result
from callbacks.tables import Attempt, CallbackSwitch, Promise, PromiseEvent
from callbacks.turns import promise_of, turn_name
from drill.network.exchange import Phone
from foundation.clock import ManualClock
from foundation.connections import open_redis, open_sql
from foundation.errors import Mendable
from queueing.line import Card
from queueing.states import ContactState, Disposition
from queueing.tables import Contact, ContactEvent
from tests.callbacks.office import Staff, with_network

AGENTS = ["ann", "bob"]
RINGING = ("queued", "initiated", "ringing")
POOLS: dict[str, Sequence[Any]] = {
    "n": range(3),
    "agent": AGENTS,
    "fault": ("",) * 14 + ("late", "died before", "died after", "lost answer", "broken", "busy", "twice"),
    "answers": ("human", "human", "human", "no-answer", "busy"),
    "after_ms": (0, 2_000, 9_000),
    "word": ("", "reached", "machine", "again"),
    "change": ("cancel", "later", "now", "window"),
    "s": (1, 1, 2, 4, 16, 16, 60, 661, 3_700),
    "lost": (False, False, False, False, True),
    "webhook": ("", "", "", "duplicate", "drop"),
}
"""What the rules draw from, by parameter."""


def drawn(*names: str) -> dict[str, Any]:
    return {name: st.sampled_from(POOLS[name]) for name in names}


class Died(BaseException):
    """A worker's end."""


class Dying:
    """A carrier whose asker dies: before it asked, or after."""

    def __init__(self, carrier: Any, *, placed: bool) -> None:
        self.carrier, self.placed = carrier, placed

    async def dial(self, *given: Any, **named: Any) -> str:
        if self.placed:
            await self.carrier.dial(*given, **named)
        raise Died


@contextmanager
def staged(redis_url: str, sql_url: str) -> Iterator[type[Everybody]]:
    """The machine, with an event loop, stores and a network of its own."""
    loop = asyncio.new_event_loop()

    async def opens() -> tuple[Any, Any]:
        sql = open_sql(sql_url)
        async with sql.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)
        redis = open_redis(redis_url, timeout_s=5.0, connect_timeout_s=5.0)
        staff = Staff(redis, sql, ManualClock(1_700_000_000_000))
        network = with_network(staff, timeout_s=2.0, calls_per_second=100.0)
        return await network.__aenter__(), network

    staff, network = loop.run_until_complete(opens())

    class Staged(Everybody):
        stage = (loop, staff)

    async def closes() -> None:
        await network.__aexit__(None, None, None)
        await staff.redis.flushall()
        await staff.redis.aclose()
        await staff.sql.close()

    try:
        yield Staged
    finally:
        loop.run_until_complete(closes())
        loop.close()


class Everybody(RuleBasedStateMachine):
    """``stage`` is set by the test: an event loop, and an office that can ring."""

    stage: ClassVar[tuple[asyncio.AbstractEventLoop, Staff]]
    numbers = 0

    def __init__(self) -> None:
        super().__init__()
        self.loop, self.staff = self.stage
        self.calls = 0
        self.made: set[str] = set()
        self.words = Counter[str]()
        self.late: list[tuple[Attempt, str]] = []

    def wait(self, asked: Awaitable[Any]) -> Any:
        return self.loop.run_until_complete(asked)

    @initialize()
    def open_up(self) -> None:
        Everybody.numbers += 3
        self.phones = [f"+1415556{1000 + (Everybody.numbers + n) % 8999:04}" for n in range(3)]
        self.wait(self._open_up())

    async def _open_up(self) -> None:
        staff = self.staff
        await staff.redis.flushall()
        async with staff.sql.session(statement_s=5) as session:
            for table in (Promise, Attempt, PromiseEvent, CallbackSwitch, Contact, ContactEvent):
                await session.exec(delete(table))
        staff.faults()
        assert staff.rehearsal is not None
        staff.rehearsal.exchange.phones.clear()
        staff.rehearsal.exchange.legs.clear()
        staff.read, staff.talking, staff.hung_up = "-", [], []
        # A new day, in the morning: nobody is in quiet hours before the history is over.
        behind_ms = (staff.now_ms - 1_700_064_000_000) % 86_400_000
        staff.clock.advance(ms=86_400_000 - behind_ms)
        await staff.at_work(*AGENTS)

    # --- merchants ----------------------------------------------------------------------------------

    @rule(**drawn("n"))
    def asks(self, n: int) -> None:
        """Rings in and asks to be rung back; who is owed a call already takes its place."""
        self.wait(self._asks(self.phones[n]))

    async def _asks(self, number: str) -> None:
        if await self._live(number):
            return  # on the line already
        self.calls += 1
        contact = f"CA{Everybody.numbers}x{self.calls}"
        owed = await promises.find(self.staff.cb, number)
        if owed is not None:
            given = {"queue": "support", "band": "p2", "card": Card(caller=number)}
            await promises.came_back(self.staff.cb, owed, contact, now_ms=self.staff.now_ms, **given)
            return
        await self.staff.rings(contact, number)
        made = await self.staff.asks(contact, number)
        self.made.add(made.promise.id)

    @rule(**drawn("n"))
    def hangs_up(self, n: int) -> None:
        """Whoever waits on the line from that number hangs up; the phone that talks is put down."""
        self.wait(self._hangs_up(self.phones[n]))

    async def _hangs_up(self, number: str) -> None:
        for now in await self._live(number):
            await self.staff.line.leave(now.contact, Disposition.ABANDONED, self.staff.now_ms)
        for leg in self.staff.legs(number):
            if leg.status.value == "in-progress":
                self.staff.hangs_up(leg)
        await self.staff.settles()

    @rule(**drawn("n", "change"))
    def changes_mind(self, n: int, change: str) -> None:
        self.wait(self._changes_mind(self.phones[n], change))

    async def _changes_mind(self, number: str, change: str) -> None:
        staff, now_ms = self.staff, self.staff.now_ms
        owed = await promises.find(staff.cb, number)
        if owed is None:
            return
        window = (now_ms + 3_600_000, now_ms + 7_200_000) if change == "window" else None
        try:
            if change == "cancel":
                await promises.cancel(staff.cb, owed.id, "not needed", "merchant", now_ms)
            elif change == "later":
                await promises.later(staff.cb, owed.id, 10, "merchant", now_ms)
            else:
                await promises.reschedule(staff.cb, owed.id, window, "merchant", now_ms)
        except (Conflict, Mendable):
            return

    @rule(**drawn("n", "answers", "after_ms"))
    def phone_is(self, n: int, answers: str, after_ms: int) -> None:
        assert self.staff.rehearsal is not None
        self.staff.rehearsal.exchange.phones[self.phones[n]] = Phone(answers, after_ms, {})

    # --- agents and workers -------------------------------------------------------------------------

    @rule(**drawn("agent", "fault"))
    def accepts(self, agent: str, fault: str) -> None:
        """Says yes to whoever it is asked for: a merchant is dialled, a caller is fetched."""
        self.wait(self._accepts(agent, fault))

    async def _accepts(self, agent: str, fault: str) -> None:
        staff = self.staff
        me = await staff.roster.agent(agent)
        if me is None or me.presence != "reserved":
            return
        turn, fence = me.contact, me.fence
        await staff.line.accept(turn, agent, fence, staff.now_ms, within_ms=staff.policy.dial_ms)
        if not promise_of(turn):
            await self._fetches(turn)
        elif fault != "late":
            for _ in range(2 if fault == "twice" else 1):
                await self._dials(turn, fence, agent, fault)
        else:
            intent = await dialing.intend(staff.cb, turn, fence, agent, staff.now_ms)
            if intent.attempt is not None:
                self.late.append((intent.attempt, intent.number))

    async def _dials(self, turn: str, fence: int, agent: str, fault: str) -> None:
        staff = self.staff
        kind = {"lost answer": "lose_answer", "broken": "fail_before", "busy": "busy"}.get(fault)
        if kind is not None:
            staff.faults({"on": "rest", "kind": kind, "match": "/Calls.json", "method": "POST", "times": 1})
        carrier = staff.carrier
        if fault.startswith("died"):
            carrier = Dying(carrier, placed=fault == "died after")
        with suppress(Died):
            await dialing.begin(staff.cb, carrier, turn, fence, agent, staff.now_ms)
        if kind is not None:
            staff.faults()

    async def _fetches(self, contact: str) -> None:
        staff = self.staff
        now = await staff.line.contact(contact)
        assert now is not None
        if now.card.promise and not await dialing.take_for(staff.cb, now.card.promise, contact, staff.now_ms):
            await staff.line.fail_join(contact, staff.now_ms)
            return
        await staff.line.connect(contact, staff.now_ms)

    @rule()
    def a_paused_worker_wakes(self) -> None:
        for attempt, number in self.late:
            self.wait(dialing.send(self.staff.cb, self.staff.carrier, attempt, number))
        self.late.clear()

    @rule(**drawn("agent", "word"))
    def ends(self, agent: str, word: str) -> None:
        """The talk is over, a word on it is said, and the agent is ready."""
        self.wait(self._ends(agent, word))

    async def _ends(self, agent: str, word: str) -> None:
        staff = self.staff
        me = await staff.roster.agent(agent)
        if me is None:
            return
        if me.contact:
            now = await staff.line.contact(me.contact)
            if now is not None and now.state is ContactState.CONNECTED:
                await staff.line.finish(me.contact, staff.now_ms)
                leg = await dialing.leg_of(staff.cb, me.contact)
                for each in staff.legs(now.card.caller):
                    if each.sid == leg and each.status.value == "in-progress":
                        staff.hangs_up(each)
                if word:
                    from queueing import journal

                    note = {"at_ms": staff.now_ms, "contact": me.contact, "agent": agent, "outcome": word}
                    await journal.write(staff.redis, staff.line.keys, "note", **note)
        await staff.roster.ready(agent, staff.now_ms)
        await staff.settles()

    # --- time, and what is lost ---------------------------------------------------------------------

    @rule(**drawn("s", "lost", "webhook"))
    def time_passes(self, s: int, lost: bool, webhook: str) -> None:
        if webhook:
            share = {"share": 0.5, "match": "/voice/called"}
            self.staff.faults({"on": "webhook", "kind": webhook, **share})
        self.wait(self._passes(s))
        self.staff.faults()
        if lost:
            self.wait(self._loses_redis())

    async def _passes(self, s: int) -> None:
        assert self.staff.rehearsal is not None
        await self.staff.rehearsal.passes(s)
        for _ in range(2):
            await self.staff.keeps()

    async def _loses_redis(self) -> None:
        """Everything in Redis is gone. Calls on the line are adopted again in life; here they hang up."""
        staff = self.staff
        await staff.writes_down()
        for leg in staff.legs_all():
            if leg.status.value == "in-progress":
                staff.hangs_up(leg)
        await staff.settles()
        await staff.writes_down()
        await staff.redis.flushall()
        staff.read = "-"
        await staff.at_work(*AGENTS)

    # --- what must hold -----------------------------------------------------------------------------

    async def _live(self, number: str) -> list[Any]:
        """The calls from that number in the line, which are not legs of ours."""
        found = []
        ours = {leg.sid for leg in self.staff.legs(number)}
        for name in await self.staff.redis.hkeys(self.staff.line.keys.book):
            if name.startswith("CA") and name not in ours:
                now = await self.staff.line.contact(name)
                if now is not None and now.card.caller == number and now.state is not ContactState.ENDED:
                    found.append(now)
        return found

    @invariant()
    def laws(self) -> None:
        if hasattr(self, "phones"):
            self.wait(self._laws())

    async def _laws(self) -> None:
        staff = self.staff
        async with staff.sql.reading(statement_s=5) as session:
            told = {p.id: p for p in await session.exec(select(Promise))}
            attempts = list(await session.exec(select(Attempt)))
        assert self.made <= set(told), "a promise was lost"
        still = [
            p.number for p in told.values() if p.state in ("due_later", "in_line", "dialing", "connected")
        ]
        assert len(still) == len(set(still)), "two open promises for one number"
        for number in self.phones:
            legs = staff.legs(number)
            ringing = [leg for leg in legs if leg.status.value in RINGING]
            assert len(ringing) <= 1, "two phones ring for one promise"
            mine = [a for a in attempts if told[a.promise].number == number]
            talks = [leg for leg in legs if leg.status.value == "in-progress" and leg.sid in staff.talking]
            live = [c for c in await self._live(number) if c.state is ContactState.CONNECTED]
            assert len(talks) + len(live) <= 1, f"two conversations: {talks} {live} {mine}"
            assert len(legs) <= len(mine), "more calls than attempts"
        for promise in told.values():
            mine = [a for a in attempts if a.promise == promise.id]
            assert sorted(a.number for a in mine) == list(range(1, len(mine) + 1))
            assert sum(a.state in ("intent", "sent", "unknown", "answered") for a in mine) <= 1
            counted = [a for a in mine if a.state == "not_reached" and a.result != Result.AGENT_GONE]
            talked = [a for a in mine if a.state == "talked"]
            assert len(counted) <= promise.tries <= len(counted) + len(talked), "tries are miscounted"
            assert (promise.open_number is not None) == (promise.number in still and promise.ended_ms is None)

    def teardown(self) -> None:
        if hasattr(self, "phones"):
            self.wait(self._comes_to_rest())

    async def _comes_to_rest(self) -> None:
        """Everybody puts the phone down and is left alone for a while: then all agrees."""
        staff = self.staff
        staff.faults()
        assert staff.rehearsal is not None
        for agent in AGENTS:
            await staff.roster.off(agent, staff.now_ms)
        for number in self.phones:
            staff.rehearsal.exchange.phones[number] = Phone("no-answer", 0, {})
            await self._hangs_up(number)
        for _ in range(12):
            await self._passes(16)
            for agent in AGENTS:
                await self._ends(agent, "")
                await staff.roster.off(agent, staff.now_ms)
        await self._passes(1_000)
        await self._laws()
        async with staff.sql.reading(statement_s=5) as session:
            told = list(await session.exec(select(Promise)))
            attempts = list(await session.exec(select(Attempt)))
        assert {a.state for a in attempts} <= {"talked", "not_reached", "withdrawn"}, (
            "an attempt is left over"
        )
        stuck = [p.state for p in told if p.state in (PromiseState.DIALING, PromiseState.CONNECTED)]
        assert not stuck, f"a promise is stuck: {stuck}"
        in_line = {turn_name(p.id, p.turn): p for p in told if p.state == PromiseState.IN_LINE}
        order = [name for name in await staff.order() if promise_of(name)]
        assert sorted(order) == sorted(in_line), "the line and SQL disagree"
        tickets = [in_line[name].arrival_us for name in order]
        assert tickets == sorted(tickets), "not in the order of the tickets"
