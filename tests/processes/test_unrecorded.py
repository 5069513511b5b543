"""A call that is over has an outcome on record, though no webhook told us of its end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis.asyncio import Redis
from sqlmodel import col, select

from carrier.twilio_rest import Call, Carrier
from foundation.clock import ManualClock
from foundation.connections import Sql
from foundation.errors import Unavailable
from processes import unrecorded as module
from processes.unrecorded import BACK_MS, OUTCOMES, SETTLE_MS, Unrecorded
from queueing import journal, ledger
from queueing.keys import Keys
from queueing.line import Line
from queueing.policy import LinePolicy
from queueing.presence import Presence
from queueing.records import Card
from queueing.roster import Roster
from queueing.states import ContactState, Disposition
from queueing.tables import Contact, ContactEvent

POLICY = LinePolicy()
KEYS = Keys.of(POLICY)
OURS = "+14155550100"
SCRIBE = "scribe"


class Twilio(Carrier):
    """Twilio as a list of calls."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__("AC" + "0" * 32, "token")
        self.clock = clock
        self.listed: dict[str, Call] = {}

    def rung(self, sid: str, direction: str = "inbound", *, dated: bool = True) -> None:
        """A call that began now and goes on."""
        began_ms = self.clock.now_ms() if dated else None
        self.listed[sid] = Call(sid, OURS, "+12015550199", "in-progress", direction, began_ms)

    def over(self, sid: str, status: str = "completed") -> None:
        self.listed[sid] = replace(self.listed[sid], status=status)

    async def calls(
        self, *, to: str | None = None, from_: str | None = None, since_ms: int | None = None, limit: int = 0
    ) -> list[Call]:
        assert to == OURS
        assert since_ms == self.clock.now_ms() - BACK_MS
        found = [call for call in self.listed.values() if (call.started_ms or since_ms) >= since_ms]
        return found[-limit:]


@pytest.fixture
def twilio(clock: ManualClock) -> Twilio:
    return Twilio(clock)


@pytest.fixture
def line(redis: Redis) -> Line:
    return Line(redis, POLICY)


@pytest.fixture
def unrecorded(twilio: Twilio, line: Line, redis: Redis, sql: Sql, clock: ManualClock) -> Unrecorded:
    return Unrecorded(twilio, line, sql, clock, OURS)


async def look_twice(unrecorded: Unrecorded, clock: ManualClock) -> list[str]:
    clock.advance(ms=SETTLE_MS)
    assert await unrecorded.look() == []  # one look is not believed
    clock.advance(s=30)
    return await unrecorded.look()


async def outcomes(redis: Redis) -> list[tuple[str, str, str]]:
    """Kind, contact and disposition of every outcome in the journal."""
    entries = await redis.xrange(KEYS.journal)
    told = [journal.unpacked(entry_id, entry) for entry_id, entry in entries]
    return [(e.kind, e.contact, e.fields.get("disposition", "")) for e in told if e.kind in OUTCOMES]


async def write_down(redis: Redis, sql: Sql) -> None:
    """The scribe's part."""
    await journal.ensure_group(redis, KEYS, SCRIBE)
    async with sql.session() as session:
        await ledger.record(session, await journal.read(redis, KEYS, SCRIBE, "one"))


async def wait(line: Line, twilio: Twilio, clock: ManualClock, contact: str = "CA1") -> None:
    twilio.rung(contact)
    await line.enter(contact, queue="support", band="p2", card=Card(), now_ms=clock.now_ms())


async def test_a_call_that_never_joined_the_line_was_given_up(
    unrecorded: Unrecorded, twilio: Twilio, clock: ManualClock, redis: Redis, sql: Sql
) -> None:
    twilio.rung("CA1")
    twilio.over("CA1", "no-answer")
    assert await look_twice(unrecorded, clock) == ["CA1"]
    assert await outcomes(redis) == [("turned_away", "CA1", "abandoned")]
    await write_down(redis, sql)
    async with sql.reading() as session:
        row = await session.get(Contact, "CA1")
    assert row is not None
    assert (row.disposition, row.ended_ms) == ("abandoned", clock.now_ms())


async def test_a_leads_call_is_no_callers(twilio: Twilio, line: Line, sql: Sql, clock: ManualClock) -> None:
    twilio.rung("CA1")
    twilio.over("CA1")
    theirs = {twilio.listed["CA1"].from_}
    assert await look_twice(Unrecorded(twilio, line, sql, clock, OURS, theirs), clock) == []
    assert await look_twice(Unrecorded(twilio, line, sql, clock, OURS, {"+19995550100"}), clock) == ["CA1"]


async def test_the_outcome_is_given_once(
    unrecorded: Unrecorded, twilio: Twilio, clock: ManualClock, redis: Redis, sql: Sql
) -> None:
    """Whatever the scribe's pace, and by two sweepers as by one."""
    twilio.rung("CA1")
    twilio.over("CA1")
    other = Unrecorded(twilio, unrecorded.line, sql, clock, OURS)
    assert await look_twice(unrecorded, clock) == ["CA1"]
    assert await look_twice(other, clock) == []
    await write_down(redis, sql)
    assert await look_twice(Unrecorded(twilio, unrecorded.line, sql, clock, OURS), clock) == []
    assert await outcomes(redis) == [("turned_away", "CA1", "abandoned")]


async def test_a_talk_that_ended_unnoticed_frees_its_agent(
    unrecorded: Unrecorded, twilio: Twilio, line: Line, clock: ManualClock, redis: Redis
) -> None:
    roster = Roster(redis, POLICY)
    await roster.sign_in("ann", name="Ann", skills={"support": 0}, line="softphone", now_ms=clock.now_ms())
    await roster.ready("ann", clock.now_ms())
    await wait(line, twilio, clock)
    asked = await line.contact("CA1")
    assert asked is not None
    await line.accept("CA1", "ann", asked.fence, clock.now_ms())
    await line.connect("CA1", clock.now_ms())
    twilio.over("CA1")
    assert await look_twice(unrecorded, clock) == ["CA1"]
    assert await outcomes(redis) == [("ended", "CA1", "answered")]
    ann = await roster.agent("ann")
    assert ann is not None
    assert ann.presence is Presence.WRAP_UP


async def test_a_wait_that_ended_unnoticed_was_given_up(
    unrecorded: Unrecorded, twilio: Twilio, line: Line, clock: ManualClock
) -> None:
    await wait(line, twilio, clock)
    twilio.over("CA1", "failed")
    assert await look_twice(unrecorded, clock) == ["CA1"]
    now = await line.contact("CA1")
    assert now is not None
    assert (now.state, now.disposition) == (ContactState.ENDED, Disposition.ABANDONED)


async def test_what_lives_or_is_young_or_is_not_a_callers_is_left_alone(
    unrecorded: Unrecorded, twilio: Twilio, line: Line, clock: ManualClock, redis: Redis
) -> None:
    await wait(line, twilio, clock, "CAwaits")
    for sid, status in (("CArings", "ringing"), ("CAqueued", "queued")):
        twilio.rung(sid)
        twilio.over(sid, status)
    twilio.rung("CAagent", "outbound-api")
    twilio.over("CAagent")
    assert await look_twice(unrecorded, clock) == []
    twilio.rung("CAyoung")
    twilio.over("CAyoung")
    for _ in range(2):
        clock.advance(ms=SETTLE_MS // 2 - 1)
        assert await unrecorded.look() == []
    assert await outcomes(redis) == []


async def test_a_call_without_a_date_is_not_young(
    unrecorded: Unrecorded, twilio: Twilio, clock: ManualClock
) -> None:
    """It was never answered: Twilio gives no time of its start."""
    twilio.rung("CA1", dated=False)
    twilio.over("CA1", "busy")
    assert await look_twice(unrecorded, clock) == ["CA1"]


async def test_what_has_its_outcome_is_left_alone(
    unrecorded: Unrecorded, twilio: Twilio, line: Line, clock: ManualClock, redis: Redis, sql: Sql
) -> None:
    await wait(line, twilio, clock, "CAended")  # by the line
    await line.leave("CAended", Disposition.ABANDONED, clock.now_ms())
    twilio.rung("CAclaimed")  # by a door, whose line of the journal is on its way
    await line.turn_away("CAclaimed", Disposition.CLOSED, Card(), clock.now_ms(), over=False)
    twilio.rung("CAclosed")  # by the record alone: the line has forgotten
    closed = {"contact": "CAclosed", "card": Card().packed(), "disposition": "closed"}
    await journal.write(redis, KEYS, "turned_away", at_ms=clock.now_ms(), **closed)
    await write_down(redis, sql)
    before = await outcomes(redis)
    for sid in ("CAended", "CAclaimed", "CAclosed"):
        twilio.over(sid)
    assert await look_twice(unrecorded, clock) == []
    assert await outcomes(redis) == before


async def test_an_outcome_that_redis_lost_before_it_was_written_down_is_made_good(
    unrecorded: Unrecorded, twilio: Twilio, line: Line, clock: ManualClock, redis: Redis
) -> None:
    await wait(line, twilio, clock)
    await line.leave("CA1", Disposition.ABANDONED, clock.now_ms())
    twilio.over("CA1")
    assert await look_twice(unrecorded, clock) == []
    await redis.flushall()
    assert await unrecorded.look() == ["CA1"]
    assert await outcomes(redis) == [("turned_away", "CA1", "abandoned")]


async def test_a_look_that_failed_is_made_up_for(
    unrecorded: Unrecorded, twilio: Twilio, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio.rung("CA1")
    twilio.over("CA1")

    async def away(*_given: object) -> set[str]:
        raise Unavailable("sql gave no answer")

    with monkeypatch.context() as silent:
        silent.setattr(unrecorded, "_recorded", away)
        clock.advance(ms=SETTLE_MS)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await unrecorded.look()
    await unrecorded.look()
    assert await unrecorded.look() == ["CA1"]


async def test_what_is_remembered_has_an_end(
    unrecorded: Unrecorded,
    twilio: Twilio,
    clock: ManualClock,
    redis: Redis,
    sql: Sql,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 2)
    for n in range(5):
        twilio.rung(f"CA{n}")
        twilio.over(f"CA{n}")
    assert len(await look_twice(unrecorded, clock)) == 5
    await write_down(redis, sql)
    assert await unrecorded.look() == []
    assert len(unrecorded._over) == 2
    async with sql.reading() as session:
        kinds = list(await session.exec(select(col(ContactEvent.kind))))
    assert kinds == ["turned_away"] * 5
