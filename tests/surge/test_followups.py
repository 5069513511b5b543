"""The ledger: one row for each call that was not served, each with an end, and sums that add up exactly."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import SQLModel

from foundation.clock import ManualClock
from foundation.connections import open_sql
from foundation.errors import Mendable
from merchants.tables import Merchant
from processes.migrating import learn_tables
from queueing.journal import Event
from queueing.line import Card
from queueing.states import Disposition
from surge import desk
from surge.office import Conflict
from surge.states import FOLLOW_UP_MOVES, FollowUpState, IllegalMove
from surge.tables import FollowUp
from tests.surge.house import NUMBER, House

OTHER = "+14155550199"


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (Disposition.FULL, "full"),
        (Disposition.CLOSED, "closed"),
        (Disposition.MESSAGE, "message"),
        (Disposition.DEFLECTED, "deflected"),
    ],
)
async def test_who_was_turned_away_has_a_row(house: House, how: Disposition, why: str) -> None:
    await house.turned_away("CA1", how)
    await house.writes_down()
    row = (await house.ledger())["CA1"]
    assert (row.why, row.state, row.number) == (why, FollowUpState.OPEN, NUMBER)
    assert (await house.tally()).missing == 0


async def test_who_hung_up_has_a_row_unless_at_once(house: House) -> None:
    await house.rings("CA1")
    await house.rings("CA2", OTHER)
    house.clock.advance(s=4)
    await house.hangs_up("CA1")
    house.clock.advance(s=1)
    await house.hangs_up("CA2")
    await house.writes_down()
    assert list(await house.ledger()) == ["CA2"]
    tally = await house.tally()
    assert (tally.offered, tally.short, tally.followed_up, tally.missing) == (2, 1, 1, 0)


async def test_a_row_belongs_to_the_incident_they_rang_about(house: House) -> None:
    row = await house.declares()
    await house.turned_away("CA1", Disposition.FULL)
    await house.writes_down()
    assert (await house.ledger())["CA1"].incident == row.id
    with pytest.raises(Mendable, match="1 follow-ups"):
        await desk.close(house.watch, row.id, "ann", house.now_ms)


async def test_several_calls_of_one_merchant_are_one_row_to_work_on(house: House) -> None:
    for call, number in (("CA1", NUMBER), ("CA2", OTHER)):
        await house.rings(call, number, merchant=7)
        house.clock.advance(s=30)
        await house.hangs_up(call)
    await house.turned_away("CA3", Disposition.FULL, OTHER)
    await house.writes_down()
    states = await house.states()
    assert [states[call] for call in ("CA1", "CA2")] == ["open", "duplicate"]
    assert states["CA3"] == "open"  # who rang is not known, and the number's own row is a duplicate


async def test_answered_later_they_are_served(house: House) -> None:
    await house.turned_away("CA1", Disposition.FULL)
    await house.writes_down()
    house.clock.advance(s=60)
    await house.rings("CA2")
    await house.meets("CA2")
    await house.writes_down()
    assert await house.states() == {"CA1": FollowUpState.SERVED}


@pytest.mark.parametrize("piecemeal", [True, False])
async def test_who_gives_up_after_a_transfer_is_followed_up(house: House, piecemeal: bool) -> None:
    """An agent met them and sent them on, and then nobody came: they were not served."""
    await house.turned_away("CA1", Disposition.FULL)
    await house.writes_down()
    house.clock.advance(s=60)
    await house.rings("CA2")
    await house.meets("CA2")
    house.clock.advance(s=60)
    await house.line.transfer("CA2", "support", None, house.now_ms)
    if piecemeal:
        await house.writes_down()
        assert await house.states() == {"CA1": FollowUpState.SERVED}
    house.clock.advance(s=300)
    await house.hangs_up("CA2")
    await house.writes_down()
    assert await house.states() == {"CA1": FollowUpState.SERVED, "CA2": FollowUpState.OPEN}
    assert (await house.ledger())["CA2"].why == "abandoned"
    tally = await house.tally()
    assert (tally.offered, tally.answered, tally.followed_up, tally.missing) == (2, 0, 2, 0)
    house.clock.advance(s=60)
    await house.rings("CA3")
    await house.meets("CA3", "ann")
    await house.writes_down()
    assert (await house.states())["CA2"] == FollowUpState.SERVED


async def test_a_withheld_number_ends_at_once(house: House) -> None:
    await house.turned_away("CA1", Disposition.CLOSED, "")
    await house.writes_down()
    assert await house.states() == {"CA1": FollowUpState.NOT_WANTED}


async def test_two_people_at_one_row_the_second_is_told_who_has_it(house: House) -> None:
    await house.turned_away("CA1", Disposition.FULL)
    await house.writes_down()
    results = await asyncio.gather(
        *(desk.claim(house.watch, "CA1", by, house.now_ms) for by in ("ann", "bob")), return_exceptions=True
    )
    (conflict,) = [each for each in results if isinstance(each, Conflict)]
    row = (await house.ledger())["CA1"]
    assert conflict.who == row.claimed_by
    await desk.finish(house.watch, "CA1", FollowUpState.REACHED, row.claimed_by, house.now_ms, "rang them")
    assert (await house.ledger())["CA1"].note == "rang them"


async def test_bulk_work_says_what_it_could_not_do(house: House) -> None:
    for index in range(3):
        await house.turned_away(f"CA{index}", Disposition.FULL, f"+1415555{2000 + index}")
    await house.writes_down()
    await desk.claim(house.watch, "CA1", "bob", house.now_ms)
    ids = ["CA0", "CA1", "CA2", "CA9"]
    done = await desk.bulk(house.watch, ids, FollowUpState.REACHED, "ann", house.now_ms)
    assert (done.done, set(done.refused)) == (("CA0", "CA2"), {"CA1", "CA9"})


@pytest.mark.parametrize("here", list(FollowUpState))
@pytest.mark.parametrize("there", list(FollowUpState))
async def test_nobody_at_the_desk_goes_past_the_law(
    house: House, here: FollowUpState, there: FollowUpState
) -> None:
    async with house.sql.session() as session:
        session.add(FollowUp(id="CA1", why="full", state=here.value, number=NUMBER, claimed_by="ann"))
    try:
        await desk.finish(house.watch, "CA1", there, "ann", house.now_ms)
    except (Mendable, Conflict, IllegalMove):
        assert await house.states() == {"CA1": here}
    else:
        assert there is here or there in FOLLOW_UP_MOVES[here]
        assert await house.states() == {"CA1": there}


CALLERS = [(f"+1415555{2000 + n}", merchant) for n, merchant in enumerate([None, None, 1, 1, 2])] + [
    ("", None)
]
ENDS = [
    "abandoned",
    "short",
    "full",
    "closed",
    "message",
    "deflected",
    "promised",
    "answered",
    "waits",
    "turned",
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calls=st.lists(st.tuples(st.sampled_from(CALLERS), st.sampled_from(ENDS)), min_size=1, max_size=12),
    order=st.randoms(use_true_random=False),
    batch=st.integers(1, 7),
)
async def test_the_ledger_adds_up_to_the_calls_offered_exactly(
    redis: Any, tmp_path: Path, calls: Any, order: Any, batch: int
) -> None:
    """Whatever order the scribes write in, and however often they write the same."""
    learn_tables()
    sql = open_sql(f"sqlite:///{tmp_path}/ledger.sqlite3")
    async with sql.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.drop_all)
        await connection.run_sync(SQLModel.metadata.create_all)
    house = House(redis, sql, ManualClock(), tmp_path / "data")
    try:
        events: list[Event] = []
        for index, ((number, merchant), end) in enumerate(calls):
            if end == "turned":
                row = await house.declares() if not await house.lines("declared") else None
                if row is not None and number:
                    await house.deflects(f"CA{index}", row, number, merchant_id=merchant)
            events += _events(f"CA{index}", number, merchant, end, house.now_ms + index * 60_000, len(events))
        order.shuffle(events)
        for start in range(0, len(events), batch):
            for _ in range(2):
                await house.records(events[start : start + batch])
        house.clock.advance(minutes=60)
        tally = await house.tally()
        rows = await house.ledger()
    finally:
        await sql.close()
    assert tally.missing == 0
    assert tally.offered == len(calls)
    heads = (tally.answered, tally.promised, tally.short, tally.under_way, tally.followed_up)
    assert sum(heads) == tally.offered
    assert sum(tally.states.values()) == tally.followed_up
    open_rows = [row for row in rows.values() if row.state == FollowUpState.OPEN]
    merchants = [(row.merchant_id, row.incident) for row in open_rows if row.merchant_id is not None]
    assert len(merchants) == len(set(merchants))


def _events(call: str, number: str, merchant: int | None, end: str, at_ms: int, count: int) -> list[Event]:
    from queueing.records import Card

    card = {"card": Card(caller=number, merchant_id=merchant).packed()}

    def event(offset: int, kind: str, **fields: str) -> Event:
        at = at_ms + offset * 1000
        return Event(f"{at}-{count}", kind, at, call, "ann" * (kind == "connected"), "support", "p2", fields)

    if end in ("closed", "turned"):
        how = "closed" if end == "closed" else "deflected"
        return [event(1, "turned_away", disposition=how, **card)]
    if end == "full":
        return [event(0, "full", **card)]
    entered = event(0, "entered", **card)
    if end == "waits":
        return [entered]
    if end == "answered":
        return [entered, event(9, "connected", wait_ms="9000"), event(20, "ended", disposition="answered")]
    if end == "message":
        left = event(9, "ended", disposition="abandoned")
        return [entered, left, event(15, "message", recording=f"RE{call}")]
    after = 2 if end == "short" else 9
    how = "abandoned" if end == "short" else end
    return [entered, event(after, "ended", disposition=how)]


async def test_who_gave_up_before_anybody_knew_is_followed_up_about_the_incident(house: House) -> None:
    """In the hour before the declaration, when it surely touches them and they asked for nothing else."""
    async with house.sql.session() as session:
        session.add(Merchant(id=7, name="Corner Bakery", key="corner bakery", product="Till 3"))

    async def gives_up(call: str, number: str, **known: Any) -> None:
        card = Card(caller=number, **known)
        await house.line.enter(call, queue="support", band="p2", card=card, now_ms=house.now_ms)
        house.clock.advance(s=30)
        await house.hangs_up(call)

    bakery = {"merchant_id": 7, "merchant": "Corner Bakery"}
    await gives_up("CAlong", "+14155550002", product="Till 3")
    house.clock.advance(minutes=61)
    await gives_up("CAjust", "+14155550001", **bakery)
    await gives_up("CAother", "+14155550003", **bakery, topic="hardware")
    await gives_up("CAstranger", "+14155550004")
    await house.writes_down()
    incident = await house.declares(scope={"products": ["Till 3"]}, topic="payments", audience="both")
    house.clock.advance(minutes=1)
    await gives_up("CAlater", "+14155550005")
    await house.writes_down()
    for _ in range(2):
        await house.watcher.tidy()
    about = {name for name, row in (await house.ledger()).items() if row.incident == incident.id}
    assert about == {"CAjust", "CAlater"}
