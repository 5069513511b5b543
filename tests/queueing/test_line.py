"""What a caller lives through, verb by verb, on a real server."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from foundation.errors import Mendable, Unavailable
from queueing.line import Card, EntryOutcome, Line, Outcome, Queue
from queueing.presence import Presence
from queueing.states import ContactState, Disposition
from queueing.story import told_from
from tests.queueing.conftest import POLICY, Centre

# --- entering ---------------------------------------------------------------------------------------


async def test_callers_wait_in_the_order_they_came(centre: Centre) -> None:
    for contact in ("CA1", "CA2", "CA3"):
        entry = await centre.ring(contact)
        assert entry.outcome is EntryOutcome.ENTERED
        assert entry.state is ContactState.WAITING
    assert (entry.position, entry.waiting) == (3, 3)
    assert await centre.order() == ["CA1", "CA2", "CA3"]
    assert await centre.line.position("CA2") == 2


async def test_a_repeated_webhook_does_not_enter_twice(centre: Centre) -> None:
    await centre.ring("CA1")
    await centre.ring("CA2")
    again = await centre.ring("CA1")
    assert (again.outcome, again.state, again.position, again.waiting) == ("already", "waiting", 1, 2)
    assert await centre.kinds() == ["entered", "entered"]


async def test_a_repeat_after_a_transfer_tells_where_it_is_now(centre: Centre) -> None:
    await centre.ring("CA1", "billing")
    await centre.ring("CA2", "support")
    await centre.line.transfer("CA2", "billing", None, centre.now_ms)
    again = await centre.ring("CA2", "support")
    assert (again.outcome, again.queue, again.position, again.waiting) == ("already", "billing", 2, 2)


async def test_a_better_band_goes_before_those_who_came_within_its_head_start(centre: Centre) -> None:
    await centre.ring("early")
    centre.clock.advance(minutes=9)
    await centre.ring("late")
    centre.clock.advance(minutes=2)
    entry = await centre.ring("gold", band="p1")
    assert entry.position == 2
    assert await centre.order() == ["early", "gold", "late"]


async def test_one_more_than_may_wait_is_told_that_the_line_is_full(centre: Centre) -> None:
    centre = centre.but(queues=(Queue("support", max_waiting=2),))
    await centre.ring("CA1")
    await centre.ring("CA2")
    entry = await centre.ring("CA3", caller="+14155550123")
    assert (entry.outcome, entry.position, entry.waiting) == (EntryOutcome.FULL, 0, 2)
    assert await centre.line.contact("CA3") is None
    full = (await centre.told())[-1]
    assert (full.kind, full.contact) == ("full", "CA3")
    assert Card.unpacked(full.fields["card"]).caller == "+14155550123"


async def test_a_full_line_is_no_line_for_whom_an_agent_is_free(centre: Centre) -> None:
    centre = centre.but(queues=(Queue("support", max_waiting=0),))
    await centre.at_work("ann")
    assert (await centre.ring("CA1")).outcome is EntryOutcome.RESERVED
    assert (await centre.ring("CA2")).outcome is EntryOutcome.FULL


async def test_a_late_webhook_of_an_ended_contact_finds_it_ended(centre: Centre) -> None:
    await centre.ring("CA1")
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    assert (await centre.ring("CA1")).outcome is EntryOutcome.ENDED


async def test_the_order_does_not_mind_a_host_whose_clock_is_behind(centre: Centre) -> None:
    await centre.ring("CA1")
    centre.clock.advance(ms=-5_000)
    await centre.ring("CA2")
    assert await centre.order() == ["CA1", "CA2"]


async def test_who_waited_unseen_by_the_line_gets_the_place_of_that_time(centre: Centre) -> None:
    """Redis was away; Twilio held the call, and knows since when."""
    centre = centre.but(queues=(Queue("support", max_waiting=1),))
    await centre.ring("CA1")
    entry = await centre.line.enter(
        "CA2",
        queue="support",
        band="p2",
        card=Card(),
        now_ms=centre.now_ms,
        arrived_ms=centre.now_ms - 30_000,
    )
    assert (entry.outcome, entry.position) == (EntryOutcome.ENTERED, 1)
    assert (await centre.contact("CA2")).entered_ms == centre.now_ms - 30_000
    assert (await centre.told())[-1].fields["since"] == str(centre.now_ms - 30_000)


async def test_who_came_earlier_than_the_line_knew_is_moved_up_and_never_back(centre: Centre) -> None:
    """The line was rebuilt from Twilio's queue; now the caller's own memory tells."""
    for contact in ("CA1", "CA2"):
        await centre.ring(contact)
    came_ms, card = centre.now_ms - 30_000, Card(caller="+14155550123")
    given = {"queue": "support", "band": "p2", "card": card, "now_ms": centre.now_ms}
    entry = await centre.line.enter("CA2", arrived_ms=came_ms, after_us=7, **given)
    assert (entry.outcome, entry.position) == (EntryOutcome.ALREADY, 1)
    moved = await centre.contact("CA2")
    assert (moved.arrival_us, moved.entered_ms, moved.card) == (came_ms * 1000 + 7, came_ms, card)
    for later_us in (7, 8):
        await centre.line.enter("CA2", arrived_ms=came_ms, after_us=later_us, **given)
    assert await centre.contact("CA2") == moved
    told = (await centre.told())[2:]
    assert [(event.kind, event.fields["since"]) for event in told] == [("backdated", str(came_ms))]
    assert told_from(await centre.told()).entered_ms == came_ms


async def test_the_card_travels_unread(centre: Centre) -> None:
    card = Card(
        caller="+14155550123", merchant_id=7, merchant='Bäckerei | "Eck"', note="a|b||c\n", language="es"
    )
    await centre.line.enter("CA1", queue="support", band="p2", card=card, now_ms=centre.now_ms)
    await centre.at_work("ann")
    await centre.meet("CA1")
    assert (await centre.contact("CA1")).card == card
    assert Card.unpacked((await centre.told())[0].fields["card"]) == card


@pytest.mark.parametrize("contact", ["", "@ann", "#", "?CA1", "~key", "a|b", "CA 1", "x" * 65])
async def test_what_cannot_be_a_contact_does_not_enter_and_is_not_known(centre: Centre, contact: str) -> None:
    with pytest.raises(Mendable):
        await centre.ring(contact)
    line, now_ms = centre.line, centre.now_ms
    assert await line.contact(contact) is None
    assert await line.position(contact) is None
    assert await line.hold(contact, ask="a", facts="", now_ms=now_ms) is None
    assert await line.leave(contact, Disposition.ABANDONED, now_ms) is Outcome.GONE
    assert await line.accept(contact, "ann", 1, now_ms) is Outcome.GONE


async def test_an_unknown_queue_or_band_is_refused_in_words(centre: Centre) -> None:
    with pytest.raises(Mendable, match="no queue 'sales'"):
        await centre.ring("CA1", queue="sales")
    with pytest.raises(Mendable, match="no band 'p9'"):
        await centre.ring("CA1", band="p9")


# --- the hold loop ----------------------------------------------------------------------------------


async def test_the_hold_loop_tells_place_age_and_facts(centre: Centre) -> None:
    await centre.ring("CA1")
    await centre.ring("CA2")
    entered_ms = centre.now_ms
    centre.clock.advance(s=20)
    hold = await centre.line.hold("CA2", ask="f1", facts='{"a|b":1}', now_ms=centre.now_ms)
    assert hold is not None
    assert (hold.position, hold.waiting, hold.queue, hold.band) == (2, 2, "support", "p2")
    assert (hold.entered_ms, hold.asked_ms) == (entered_ms, entered_ms + 20_000)
    assert (hold.facts, hold.repeat, hold.over_max_wait) == ('{"a|b":1}', False, False)


async def test_a_repeated_question_is_answered_from_what_the_first_was(centre: Centre) -> None:
    await centre.ring("CA1")
    await centre.ring("CA2")
    first = await centre.line.hold("CA2", ask="f1", facts="then", now_ms=centre.now_ms)
    assert first is not None
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    centre.clock.advance(s=3)
    again = await centre.line.hold("CA2", ask="f1", facts="now", now_ms=centre.now_ms)
    assert again is not None
    assert again.repeat
    assert (again.position, again.asked_ms, again.facts) == (2, first.asked_ms, "then")
    other = await centre.line.hold("CA2", ask="f2", facts="now", now_ms=centre.now_ms)
    assert other is not None
    assert (other.position, other.repeat, other.facts) == (1, False, "now")


async def test_who_waits_longer_than_is_bearable_is_marked(centre: Centre) -> None:
    centre = centre.but(queues=(Queue("support", max_wait_ms=60_000),))
    await centre.ring("CA1")
    centre.clock.advance(ms=59_999)
    hold = await centre.line.hold("CA1", ask="f1", facts="", now_ms=centre.now_ms)
    assert hold is not None
    assert not hold.over_max_wait
    centre.clock.advance(ms=1)
    hold = await centre.line.hold("CA1", ask="f2", facts="", now_ms=centre.now_ms)
    assert hold is not None
    assert hold.over_max_wait


# --- leaving ----------------------------------------------------------------------------------------


async def test_a_hang_up_while_waiting_is_an_abandon_once(centre: Centre) -> None:
    await centre.ring("CA1")
    centre.clock.advance(s=40)
    assert await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms) is Outcome.DONE
    assert await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms) is Outcome.ALREADY
    ended = (await centre.told())[-1]
    assert ended.fields == {"disposition": "abandoned", "wait_ms": "40000", "talk_ms": "0"}
    assert await centre.order() == []


async def test_a_hang_up_while_the_agent_is_asked_frees_the_agent_who_keeps_its_turn(centre: Centre) -> None:
    await centre.at_work("ann")
    centre.clock.advance(s=1)
    await centre.at_work("bob")
    await centre.ring("CA1")
    assert (await centre.contact("CA1")).agent == "ann"
    centre.clock.advance(s=5)
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    assert (await centre.agent("ann")).presence is Presence.READY
    await centre.ring("CA2")
    assert (await centre.contact("CA2")).agent == "ann"


async def test_a_hang_up_while_talking_is_an_answered_call(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.meet("CA1")
    centre.clock.advance(s=90)
    assert await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms) is Outcome.DONE
    assert (await centre.contact("CA1")).disposition == "answered"
    assert (await centre.agent("ann")).presence is Presence.WRAP_UP


async def test_a_dropped_caller_finds_the_old_place_again(centre: Centre) -> None:
    ring = {"queue": "support", "band": "p2", "card": Card(topic="tills"), "caller_key": "k1"}
    entered_ms = centre.now_ms
    await centre.line.enter("CA1", **ring, now_ms=centre.now_ms)
    await centre.ring("CA2")
    centre.clock.advance(s=10)
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    centre.clock.advance(s=89)
    kept = await centre.line.kept_place("k1", centre.now_ms)
    assert kept is not None
    assert (kept.queue, kept.entered_ms, kept.card.topic) == ("support", entered_ms, "tills")
    entry = await centre.line.enter("CA3", **ring, now_ms=centre.now_ms)
    assert (entry.position, entry.resumed) == (1, True)
    assert (await centre.contact("CA3")).entered_ms == entered_ms
    again = await centre.line.enter("CA4", **ring, now_ms=centre.now_ms)
    assert (again.position, again.resumed) == (3, False)


async def test_a_dropped_caller_who_comes_too_late_begins_anew(centre: Centre) -> None:
    ring = {"queue": "support", "band": "p2", "card": Card(), "caller_key": "k1"}
    await centre.line.enter("CA1", **ring, now_ms=centre.now_ms)
    await centre.ring("CA2")
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    centre.clock.advance(ms=90_001)
    assert await centre.line.kept_place("k1", centre.now_ms) is None
    entry = await centre.line.enter("CA3", **ring, now_ms=centre.now_ms)
    assert (entry.position, entry.resumed) == (2, False)


async def test_a_kept_place_is_good_even_when_the_line_is_full(centre: Centre) -> None:
    centre = centre.but(queues=(Queue("support", max_waiting=1),))
    ring = {"queue": "support", "band": "p2", "card": Card(), "caller_key": "k1"}
    await centre.line.enter("CA1", **ring, now_ms=centre.now_ms)
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    await centre.ring("CA2")
    assert (await centre.line.enter("CA3", **ring, now_ms=centre.now_ms)).position == 1


async def test_a_way_out_by_choice_keeps_no_place(centre: Centre) -> None:
    ring = {"queue": "support", "band": "p2", "card": Card(), "caller_key": "k1"}
    await centre.line.enter("CA1", **ring, now_ms=centre.now_ms)
    await centre.line.leave("CA1", Disposition.MESSAGE, centre.now_ms)
    assert await centre.line.kept_place("k1", centre.now_ms) is None


# --- moving -----------------------------------------------------------------------------------------


async def test_a_transfer_keeps_the_age(centre: Centre) -> None:
    await centre.ring("old")
    centre.clock.advance(s=60)
    await centre.ring("young", "billing")
    assert await centre.line.transfer("old", "billing", None, centre.now_ms) is Outcome.DONE
    assert await centre.line.transfer("old", "billing", None, centre.now_ms) is Outcome.ALREADY
    assert await centre.order("billing") == ["old", "young"]
    assert await centre.order("support") == []
    moved = (await centre.told())[-1]
    assert (moved.kind, moved.queue, moved.fields["from_queue"]) == ("transferred", "billing", "support")


async def test_an_agent_transfers_a_talk_and_wraps_up(centre: Centre) -> None:
    await centre.at_work("ann", support=0, billing=0)
    await centre.ring("CA1")
    talk = await centre.meet("CA1")
    assert await centre.line.transfer("CA1", "billing", "p1", centre.now_ms, talk.fence + 1) is Outcome.STALE
    assert await centre.line.transfer("CA1", "billing", "p1", centre.now_ms, talk.fence) is Outcome.DONE
    moved = await centre.contact("CA1")
    assert (moved.state, moved.queue, moved.band, moved.passed) == ("waiting", "billing", "p1", ("ann",))
    assert (await centre.agent("ann")).presence is Presence.WRAP_UP


async def test_a_transfer_meets_an_idle_agent_of_the_other_queue_at_once(centre: Centre) -> None:
    await centre.ring("CA1")
    await centre.at_work("bob", billing=0)
    await centre.line.transfer("CA1", "billing", None, centre.now_ms)
    assert (await centre.agent("bob")).contact == "CA1"


async def test_a_reserved_contact_is_not_transferred_away_from_its_agent(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    assert await centre.line.transfer("CA1", "billing", None, centre.now_ms) is Outcome.REFUSED


async def test_a_band_change_moves_the_caller_and_keeps_the_arrival(centre: Centre) -> None:
    await centre.ring("CA1")
    await centre.ring("CA2")
    before = await centre.contact("CA2")
    assert await centre.line.set_band("CA2", "p1", centre.now_ms) is Outcome.DONE
    assert await centre.line.set_band("CA2", "p1", centre.now_ms) is Outcome.ALREADY
    assert await centre.order() == ["CA2", "CA1"]
    assert (await centre.contact("CA2")).arrival_us == before.arrival_us


# --- looking ----------------------------------------------------------------------------------------


async def test_the_board_counts_everybody_once(centre: Centre) -> None:
    await centre.ring("oldest")
    centre.clock.advance(s=30)
    await centre.ring("gold", band="p1")
    await centre.ring("talking", "billing")
    await centre.at_work("bob", billing=0)
    await centre.meet("talking")
    await centre.at_work("ann")
    await centre.at_work("cid", ready=False)
    board = await centre.line.look(centre.now_ms)
    support, billing = board.queues["support"], board.queues["billing"]
    assert (support.waiting, support.longest_wait_ms, support.agents, support.ready) == (1, 30_000, 1, 0)
    assert (billing.waiting, billing.longest_wait_ms, billing.agents) == (0, 0, 1)
    assert (board.reserved, board.connected) == (1, 1)
    assert board.presences[Presence.AWAY] == board.presences[Presence.TALKING] == 1
    assert [agent.agent for agent in board.agents] == ["ann", "bob", "cid"]


async def test_the_longest_wait_is_found_behind_those_who_overtook(centre: Centre) -> None:
    await centre.ring("oldest")
    centre.clock.advance(minutes=5)
    for number in range(130):
        await centre.ring(f"gold{number}", band="p1") if number < 100 else None
    board = await centre.line.look(centre.now_ms)
    assert board.queues["support"].longest_wait_ms == 300_000
    assert await centre.line.position("oldest") == 100


async def test_the_line_is_read_in_pages_with_positions(centre: Centre) -> None:
    for number in range(5):
        await centre.ring(f"CA{number}")
    page = await centre.line.waiting("support", start=2, count=2)
    assert [(c.contact, c.position) for c in page] == [("CA2", 3), ("CA3", 4)]
    assert await centre.line.waiting("support", start=9) == []


# --- the store --------------------------------------------------------------------------------------


async def test_a_store_that_is_gone_is_told_from_a_wrong_answer() -> None:
    from foundation.connections import open_redis

    nowhere = open_redis("unix:///nonexistent/redis.sock?db=0")
    line = Line(nowhere, POLICY)
    with pytest.raises(Unavailable):
        await line.position("CA1")
    await nowhere.aclose()


async def test_a_server_that_forgot_its_scripts_is_told_again(centre: Centre, redis: Redis) -> None:
    await centre.ring("CA1")
    await redis.script_flush()
    assert (await centre.ring("CA2")).position == 2
    await redis.script_flush()
    assert await centre.line.position("CA2") == 2
    assert len(await centre.told()) == 2
