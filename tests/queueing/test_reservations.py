"""An agent is asked, says yes, no or nothing; the contact is never lost and never served twice."""

from __future__ import annotations

import asyncio

from queueing.line import Outcome
from queueing.presence import Presence
from queueing.states import Disposition
from tests.queueing.conftest import Centre


async def test_who_has_idled_longest_is_asked_first(centre: Centre) -> None:
    await centre.at_work("ann")
    centre.clock.advance(s=1)
    await centre.at_work("bob")
    await centre.ring("CA1")
    await centre.ring("CA2")
    assert (await centre.contact("CA1")).agent == "ann"
    assert (await centre.contact("CA2")).agent == "bob"


async def test_a_handicapped_agent_is_asked_as_if_it_had_idled_less(centre: Centre) -> None:
    await centre.at_work("new", support=30_000)
    centre.clock.advance(s=10)
    await centre.at_work("old", support=0)
    await centre.ring("CA1")
    assert (await centre.contact("CA1")).agent == "old"


async def test_an_agent_of_several_queues_takes_who_is_first_over_all_of_them(centre: Centre) -> None:
    await centre.ring("second", "support")
    centre.clock.advance(s=-5)
    await centre.ring("first", "billing", band="p1")
    await centre.at_work("ann", support=0, billing=0)
    assert (await centre.agent("ann")).contact == "first"


async def test_a_handicap_makes_a_queue_wait_longer_for_this_agent(centre: Centre) -> None:
    await centre.ring("first", "billing")
    centre.clock.advance(s=20)
    await centre.ring("second", "support")
    await centre.at_work("ann", support=0, billing=30_000)
    assert (await centre.agent("ann")).contact == "second"


async def test_a_yes_counts_once_and_only_for_the_agent_who_is_asked(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    now_ms = centre.now_ms
    assert await centre.line.accept("CA1", "bob", 1, now_ms) is Outcome.STALE
    assert await centre.line.accept("CA1", "ann", 2, now_ms) is Outcome.STALE
    both = await asyncio.gather(*(centre.line.accept("CA1", "ann", 1, now_ms) for _ in range(2)))
    assert sorted(both) == [Outcome.ALREADY, Outcome.DONE]
    agent = await centre.agent("ann")
    assert (agent.presence, agent.deadline_ms) == (Presence.TALKING, now_ms + 30_000)


async def test_the_two_meet_and_part_and_the_agent_wraps_up(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    assert await centre.line.connect("CA1", centre.now_ms) is Outcome.REFUSED
    await centre.meet("CA1")
    assert await centre.line.connect("CA1", centre.now_ms) is Outcome.ALREADY
    centre.clock.advance(s=120)
    assert await centre.line.finish("CA1", centre.now_ms) is Outcome.DONE
    assert await centre.line.finish("CA1", centre.now_ms) is Outcome.ALREADY
    centre.clock.advance(s=60)
    assert [(e.kind, e.contact, e.agent) for e in await centre.expire()] == [("wrapped", "CA1", "ann")]
    ready = (await centre.told())[-1]
    assert (ready.kind, ready.contact, ready.fields["wrap_ms"]) == ("agent_ready", "CA1", "60000")
    assert ready.fields["handling_ms"] == "180000"
    assert (await centre.agent("ann")).presence is Presence.READY


async def test_a_no_sends_the_contact_back_to_its_place_and_to_another(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.ring("CA2")
    before = await centre.contact("CA1")
    assert await centre.line.decline("CA1", "ann", 1, centre.now_ms) is Outcome.DONE
    assert await centre.line.decline("CA1", "ann", 1, centre.now_ms) is Outcome.ALREADY
    after = await centre.contact("CA1")
    assert (after.state, after.score, after.position) == ("waiting", before.score, 1)
    assert (await centre.agent("ann")).contact == "CA2"
    await centre.at_work("bob")
    assert (await centre.contact("CA1")).agent == "bob"
    assert (await centre.contact("CA1")).fence == 2


async def test_a_no_may_come_with_a_break(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.line.decline("CA1", "ann", 1, centre.now_ms, away=True)
    agent = await centre.agent("ann")
    assert (agent.presence, agent.reason, agent.contact) == (Presence.AWAY, "declined", "")


async def test_after_a_yes_there_is_no_no(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.line.accept("CA1", "ann", 1, centre.now_ms)
    assert await centre.line.decline("CA1", "ann", 1, centre.now_ms) is Outcome.REFUSED


async def test_no_answer_sends_the_contact_to_another_and_twice_the_agent_away(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.ring("CA2")
    centre.clock.advance(ms=19_999)
    assert await centre.expire() == []
    centre.clock.advance(ms=1)
    assert [(e.kind, e.contact, e.agent) for e in await centre.expire()] == [("missed", "CA1", "ann")]
    agent = await centre.agent("ann")
    assert (agent.presence, agent.contact, agent.misses) == (Presence.RESERVED, "CA2", 1)
    centre.clock.advance(s=20)
    await centre.expire()
    agent = await centre.agent("ann")
    assert (agent.presence, agent.reason, agent.misses) == (Presence.AWAY, "missed", 0)
    assert await centre.order() == ["CA1", "CA2"]


async def test_a_yes_between_two_misses_is_forgiving(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.ring("CA2")
    centre.clock.advance(s=20)
    await centre.expire()
    await centre.meet("CA2")
    assert (await centre.agent("ann")).misses == 0


async def test_a_late_yes_loses_to_the_next_agent(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    centre.clock.advance(s=20)
    await centre.at_work("bob")
    await centre.expire()
    assert (await centre.contact("CA1")).agent == "bob"
    assert await centre.line.accept("CA1", "ann", 1, centre.now_ms) is Outcome.STALE


async def test_two_who_cannot_be_joined_are_parted(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    assert await centre.line.fail_join("CA1", centre.now_ms) is Outcome.REFUSED
    await centre.line.accept("CA1", "ann", 1, centre.now_ms)
    assert await centre.line.fail_join("CA1", centre.now_ms) is Outcome.DONE
    assert await centre.line.fail_join("CA1", centre.now_ms) is Outcome.ALREADY
    assert (await centre.contact("CA1")).passed == ("ann",)
    assert (await centre.agent("ann")).presence is Presence.READY


async def test_who_does_not_meet_in_time_is_parted_by_the_sweeper(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.line.accept("CA1", "ann", 1, centre.now_ms)
    centre.clock.advance(s=30)
    assert [e.kind for e in await centre.expire()] == ["unjoined"]
    assert await centre.line.connect("CA1", centre.now_ms) is Outcome.STALE


async def test_a_caller_whom_everybody_passed_on_is_offered_to_them_again(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.at_work("bob")
    await centre.ring("CA1")
    for _ in ("ann", "bob"):
        held = await centre.contact("CA1")
        await centre.line.decline("CA1", held.agent, held.fence, centre.now_ms)
    assert (await centre.contact("CA1")).state == "waiting"
    assert {(await centre.agent(agent)).presence for agent in ("ann", "bob")} == {Presence.READY}
    centre.clock.advance(s=5)
    assert [e.kind for e in await centre.expire()] == ["reopened"]
    assert (await centre.contact("CA1")).state == "reserved"


async def test_who_passed_is_not_asked_again_while_a_colleague_may_still_come(centre: Centre) -> None:
    await centre.at_work("bob", billing=0, support=0)
    await centre.ring("other", "billing")
    await centre.meet("other")
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.line.decline("CA1", "ann", 1, centre.now_ms)
    for _ in range(5):
        centre.clock.advance(s=5)
        assert await centre.expire() == []
    await centre.line.finish("other", centre.now_ms)
    await centre.roster.ready("bob", centre.now_ms)
    assert (await centre.contact("CA1")).agent == "bob"


async def test_ended_contacts_are_forgotten_after_a_while(centre: Centre) -> None:
    await centre.ring("CA1")
    await centre.line.hold("CA1", ask="a", facts="", now_ms=centre.now_ms)
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    centre.clock.advance(minutes=60)
    assert [(e.kind, e.contact) for e in await centre.expire()] == [("forgotten", "CA1")]
    assert await centre.line.contact("CA1") is None
    assert await centre.redis.hkeys(centre.keys.book) == ["#"]


async def test_what_falls_due_is_done_in_order_and_not_all_at_once(centre: Centre) -> None:
    for number in range(5):
        await centre.ring(f"CA{number}")
        await centre.line.leave(f"CA{number}", Disposition.ABANDONED, centre.now_ms)
        centre.clock.advance(ms=1)
    centre.clock.advance(minutes=61)
    assert [e.contact for e in await centre.line.expire(centre.now_ms, limit=3)] == ["CA0", "CA1", "CA2"]
    assert [e.contact for e in await centre.line.expire(centre.now_ms, limit=3)] == ["CA3", "CA4"]
