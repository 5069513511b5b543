"""An office of callbacks on a real line and a real database, with the phone-network double to ring through.

Between the office and the double is nothing but HTTP; the doors here are as small as doors can be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from redis.asyncio import Redis
from sqlmodel import select

from callbacks import dialing, keeping, picking_up, promises, reaping, upkeep
from callbacks.making import Made, NewPromise
from callbacks.office import Office
from callbacks.policy import CallbackPolicy
from callbacks.settling import RESULTS
from callbacks.states import AttemptState, Mode, PromiseState
from callbacks.tables import Attempt, Promise
from callbacks.turns import promise_of, turn_name
from carrier.twilio_rest import Carrier, Refused
from drill.network import people
from drill.network.exchange import Phone
from foundation.clock import ManualClock
from foundation.connections import Sql
from queueing import journal, ledger
from queueing.line import Card, Line, LinePolicy, Queue
from queueing.records import ContactNow, Entry
from queueing.roster import Roster
from queueing.states import Disposition
from tests.drill.loopback import listening
from tests.drill.product import ACCOUNT, HOOK, OURS, Asked, Rehearsal

LINE = LinePolicy(queues=(Queue("support", max_waiting=1000), Queue("billing", max_waiting=1000)))
POLICY = CallbackPolicy(calls_per_s=1000, number_a_day=1000, merchant_a_day=1000, block_an_hour=1000)
ANN_MS = POLICY.dial_ms
NUMBER = "+14155550123"


@dataclass
class Staff:
    """An office, and everybody around it. Verbs take the time from the clock."""

    redis: Redis
    sql: Sql
    clock: ManualClock
    policy: CallbackPolicy = POLICY
    line_policy: LinePolicy = LINE
    rehearsal: Rehearsal | None = None
    carrier: Any = None
    read: str = "-"
    hung_up: list[str] = field(default_factory=list)
    """Legs that were picked up and told to hang up."""
    talking: list[str] = field(default_factory=list)
    """Legs that won."""

    def __post_init__(self) -> None:
        self.line = Line(self.redis, self.line_policy)
        self.roster = Roster(self.redis, self.line_policy)
        self.cb = Office(
            sql=self.sql,
            redis=self.redis,
            line=self.line,
            keys=self.line.keys,
            clock=self.clock,
            policy=self.policy,
            hours=None,
            time_zone="America/Los_Angeles",
            ours=(OURS,),
            public_url=HOOK,
        )

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    # --- people -------------------------------------------------------------------------------------

    async def rings(self, contact: str, number: str = NUMBER, queue: str = "support") -> Entry:
        card = Card(caller=number, merchant="Corner Bakery")
        return await self.line.enter(contact, queue=queue, band="p2", card=card, now_ms=self.now_ms)

    async def asks(self, contact: str = "", number: str = NUMBER, **more: Any) -> Made:
        """A promise is asked for, in the call ``contact`` or elsewhere."""
        queue = more.pop("queue", "support")
        request = NewPromise(number, queue, "p2", Card(caller=number), contact=contact, **more)
        return await promises.make(self.cb, request, self.now_ms)

    async def owed(self, number: str = NUMBER, contact: str = "CA1") -> Promise:
        """Somebody rang in and was promised a call; their own leg is over."""
        await self.rings(contact, number)
        made = await self.asks(contact, number)
        await self.writes_down()
        return await self.promise(made.promise.id)

    async def at_work(self, *agents: str) -> None:
        for agent in agents:
            await self.roster.sign_in(
                agent, name=agent, skills={"support": 0}, line="softphone", now_ms=self.now_ms
            )
            await self.roster.ready(agent, self.now_ms)

    async def presses_call(self, promise: Promise, agent: str = "ann") -> tuple[str, int]:
        """The agent who is asked for the promise's turn presses Call: the turn and its fence."""
        turn = turn_name(promise.id, promise.turn)
        now = await self.contact(turn)
        assert now.agent == agent, f"{agent} is not asked for it: {now}"
        await self.line.accept(turn, agent, now.fence, self.now_ms, within_ms=self.policy.dial_ms)
        return turn, now.fence

    async def dials(self, promise: Promise, agent: str = "ann") -> Attempt | None:
        """The agent presses Call, and a worker does all of it."""
        turn, fence = await self.presses_call(promise, agent)
        return await dialing.begin(self.cb, self.carrier, turn, fence, agent, self.now_ms)

    # --- the record ---------------------------------------------------------------------------------

    async def writes_down(self) -> None:
        """The scribe's work on all that is new in the journal."""
        entries = await self.redis.xrange(self.line.keys.journal, self.read)
        if not entries:
            return
        self.read = f"({entries[-1][0]}"
        events = [journal.unpacked(entry_id, entry) for entry_id, entry in entries]
        async with self.sql.session(statement_s=5) as session:
            fresh = await ledger.record(session, events)
            await keeping.follow(session, fresh, self.cb)

    async def promise(self, promise_id: str) -> Promise:
        found = await promises.get(self.cb, promise_id)
        assert found is not None
        return found

    async def state(self, promise: Promise) -> str:
        return (await self.promise(promise.id)).state

    async def attempts(self, promise: Promise) -> list[Attempt]:
        return await promises.attempts(self.cb, promise.id)

    async def attempt_states(self, promise: Promise) -> list[str]:
        return [attempt.state for attempt in await self.attempts(promise)]

    async def contact(self, name: str) -> ContactNow:
        now = await self.line.contact(name)
        assert now is not None, name
        return now

    async def order(self, queue: str = "support") -> list[str]:
        return [now.contact for now in await self.line.waiting(queue, 0, 1000)]

    # --- the keeper ---------------------------------------------------------------------------------

    async def keeps(self) -> None:
        """One of every round of the keeper."""
        await self.writes_down()
        await self.line.expire(self.now_ms)
        await upkeep.refill(self.cb, self.now_ms)
        await upkeep.bring_due(self.cb, self.now_ms)
        await upkeep.put_right(self.cb, self.now_ms)
        if self.carrier is not None:
            await reaping.reap(self.cb, self.carrier, self.now_ms)
            await reaping.stop_unwanted(self.cb, self.carrier, self.now_ms)
            await reaping.end_talks(self.cb, self.carrier, self.now_ms)
        await reaping.expire(self.cb, self.now_ms)
        await reaping.tidy(self.cb, self.now_ms)
        await self.settles()

    # --- the network --------------------------------------------------------------------------------

    def phone(
        self, number: str = NUMBER, answers: str = "human", after_ms: int = 2000, **script: Any
    ) -> None:
        assert self.rehearsal is not None
        self.rehearsal.exchange.phones[number] = Phone(answers, after_ms, dict(script))

    def faults(self, *rules: dict[str, Any]) -> None:
        assert self.rehearsal is not None
        self.rehearsal.exchange.courier.faults.replace({"seed": 0, "rules": list(rules)})

    async def refuses_calls(self) -> None:
        """The carrier says no to whatever is dialled."""

        async def dial(*_given: object, **_named: object) -> str:
            raise Refused(21211, 400, "invalid number")

        self.carrier.dial = dial

    async def passes(self, s: float) -> None:
        """Second by second, the network works and the keeper looks."""
        for _ in range(round(s)):
            if self.rehearsal is not None:
                await self.rehearsal.passes(1)
            else:
                self.clock.advance(s=1)
            await self.keeps()

    async def settles(self) -> None:
        if self.rehearsal is not None:
            await self.rehearsal.settles()

    def legs(self, number: str = NUMBER) -> list[Any]:
        """The calls that we made to this number."""
        assert self.rehearsal is not None
        return [leg for leg in self.rehearsal.exchange.legs.values() if leg.to == number]

    def legs_all(self) -> list[Any]:
        """All calls that we made."""
        assert self.rehearsal is not None
        return list(self.rehearsal.exchange.legs.values())

    def hangs_up(self, leg: Any) -> None:
        assert self.rehearsal is not None
        people.hang_up(self.rehearsal.exchange, leg)


async def door(staff: Staff, asked: Asked) -> str:
    """``/voice/called``, and 1 is pressed at once: whoever wins meets the agent, any other leg hangs up."""
    attempt_id = parse_qs(urlsplit(asked.url).query)["attempt"][0]
    sid = asked.fields["CallSid"]
    rang = await dialing.answered(staff.cb, attempt_id, sid, staff.now_ms)
    if not rang or not await picking_up.take(staff.cb, attempt_id, sid, staff.now_ms):
        staff.hung_up.append(sid)
        return "<Hangup/>"
    if sid not in staff.talking:
        staff.talking.append(sid)
    for attempt in await promises.attempts(staff.cb, attempt_id.rpartition("-")[0]):
        if attempt.id == attempt_id and promise_of(attempt.contact):
            await staff.line.connect(attempt.contact, staff.now_ms)
        elif attempt.id == attempt_id and attempt.mode == Mode.MERCHANT_FIRST:
            await dialing.join_line(staff.cb, attempt_id, sid, staff.now_ms)
    return '<Say>Hello</Say><Pause length="600"/>'


async def status_door(staff: Staff, asked: Asked) -> str:
    """``/voice/called/status``: the leg is over."""
    attempt_id = parse_qs(urlsplit(asked.url).query)["attempt"][0]
    result = RESULTS.get(asked.fields["CallStatus"])
    if result is not None:
        sid = asked.fields["CallSid"]
        await staff.line.leave(
            sid, Disposition.ABANDONED, staff.now_ms
        )  # dialled first, it stands there itself
        await dialing.over(staff.cb, attempt_id, result, staff.now_ms, sid)
        turn = next((a.contact for a in await _all(staff.sql) if a.id == attempt_id), "")
        now = await staff.line.contact(turn) if turn else None
        if now is not None and now.state == "connected" and sid in staff.talking:
            await staff.line.finish(turn, staff.now_ms)
    return ""


async def _all(sql: Sql) -> list[Attempt]:
    async with sql.reading() as session:
        return list(await session.exec(select(Attempt)))


@asynccontextmanager
async def with_network(staff: Staff, timeout_s: float = 10.0, **more: Any) -> AsyncIterator[Staff]:
    """The office can ring: the double stands behind a real port."""
    rehearsal = Rehearsal(staff.clock, **more)

    async def called(asked: Asked) -> str:
        return await door(staff, asked)

    async def status(asked: Asked) -> str:
        return await status_door(staff, asked)

    rehearsal.product.says["/voice/called"] = called
    rehearsal.product.says["/voice/called/status"] = status
    staff.rehearsal = rehearsal
    async with listening(rehearsal.network) as url:
        staff.carrier = Carrier(ACCOUNT.sid, ACCOUNT.token, api_base_url=url, timeout_s=timeout_s)
        try:
            yield staff
        finally:
            await staff.carrier.close()
            await rehearsal.close()


__all__ = ["ANN_MS", "NUMBER", "AttemptState", "Disposition", "PromiseState", "Staff", "with_network"]
