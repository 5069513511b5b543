"""A promise that a supervisor gives to an agent: first on their desk, and kept for them for a while."""

from __future__ import annotations

from callbacks import lists, promises
from callbacks.owed import in_order
from callbacks.turns import turn_name
from queueing.records import Outcome
from queueing.states import ContactState
from tests.callbacks.office import POLICY, Staff


async def holder(staff: Staff, name: str) -> str:
    now = await staff.contact(name)
    return now.agent if now.state is ContactState.RESERVED else ""


async def given(staff: Staff, *at_work: str) -> str:
    """A promise that waits, given to ann before anybody is at work: its turn."""
    promise = await staff.owed()
    await promises.assign(staff.cb, promise.id, "ann", "sue", staff.now_ms)
    await staff.at_work(*at_work)
    return turn_name(promise.id, 1)


async def test_it_is_offered_to_its_agent_only(staff: Staff) -> None:
    turn = await given(staff, "bob")
    assert await holder(staff, turn) == ""
    await staff.at_work("ann")
    assert await holder(staff, turn) == "ann"


async def test_others_are_asked_for_those_behind_it(staff: Staff) -> None:
    turn = await given(staff)
    await staff.rings("CAnext", "+14155550177")
    await staff.at_work("bob")
    assert (await holder(staff, turn), await holder(staff, "CAnext")) == ("", "bob")
    assert (await staff.order())[0] == turn


async def test_its_agent_may_claim_it_out_of_a_break(staff: Staff) -> None:
    turn = await given(staff, "bob")
    await staff.roster.sign_in("ann", name="ann", skills={"support": 0}, line="phone", now_ms=staff.now_ms)
    outcome, _ = await staff.line.claim(turn, "ann", now_ms=staff.now_ms, lease_ms=60_000)
    assert (outcome, await holder(staff, turn)) == (Outcome.DONE, "ann")


async def test_a_busy_agent_has_it_kept_until_its_time_is_over(staff: Staff) -> None:
    await staff.at_work("ann")
    await staff.rings("CAbusy", "+14155550177")
    now = await staff.contact("CAbusy")
    await staff.line.accept("CAbusy", "ann", now.fence, staff.now_ms)
    await staff.line.connect("CAbusy", staff.now_ms)
    turn = await given(staff, "bob")
    for _ in range(3):
        staff.clock.advance(s=6)
        await staff.keeps()
        assert await holder(staff, turn) == ""
    staff.clock.advance(ms=POLICY.assigned_ms)
    await staff.keeps()
    assert await holder(staff, turn) == "bob"


async def test_an_agent_who_is_not_at_work_keeps_nobody_waiting(staff: Staff) -> None:
    turn = await given(staff, "bob")
    staff.clock.advance(s=6)
    await staff.line.expire(staff.now_ms)
    assert await holder(staff, turn) == "bob"


async def test_declined_by_its_agent_it_is_offered_to_all(staff: Staff) -> None:
    turn = await given(staff, "ann")
    now = await staff.contact(turn)
    await staff.line.decline(turn, "ann", now.fence, staff.now_ms)
    await staff.at_work("bob")
    staff.clock.advance(s=6)
    await staff.line.expire(staff.now_ms)
    assert await holder(staff, turn) != ""


async def test_given_back_it_is_offered_to_all_at_once(staff: Staff) -> None:
    turn = await given(staff, "bob")
    await promises.assign(staff.cb, turn.partition(".")[0], "", "sue", staff.now_ms)
    assert await holder(staff, turn) == "bob"


async def test_it_is_the_first_on_its_agents_desk(staff: Staff) -> None:
    first = await staff.owed("+14155550121", "CA1")
    staff.clock.advance(s=1)
    second = await staff.owed("+14155550122", "CA2")
    await promises.assign(staff.cb, second.id, "ann", "sue", staff.now_ms)
    rows = await lists.owed(staff.sql)
    assert [row.id for row in in_order(rows, {}, staff.now_ms, "ann")] == [second.id, first.id]
    assert [row.id for row in in_order(rows, {}, staff.now_ms, "bob")] == [first.id, second.id]
