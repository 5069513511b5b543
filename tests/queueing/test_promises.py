"""A promise's place in the line, verb by verb, on a real server."""

from __future__ import annotations

import pytest

from foundation.errors import Mendable
from queueing.estimates import Estimator
from queueing.feed import Feed
from queueing.line import Card, Entry, Outcome, Queue
from queueing.presence import Presence
from queueing.priors import Priors
from queueing.records import EntryOutcome
from queueing.states import ContactState, Disposition
from queueing.story import told_from
from tests.queueing.conftest import Centre

TURN = "PR00000000000000aa.1"
CARD = Card(promise="PR00000000000000aa")


async def promise(centre: Centre, contact: str, turn: str = TURN) -> Entry:
    return await centre.line.promise(contact, turn, card=CARD, now_ms=centre.now_ms)


async def rejoin(centre: Centre, contact: str, arrival_us: int, **other: str) -> Entry:
    return await centre.line.rejoin(
        contact,
        queue=other.get("queue", "support"),
        band=other.get("band", "p2"),
        arrival_us=arrival_us,
        entered_ms=centre.now_ms - 60_000,
        card=CARD,
        now_ms=centre.now_ms,
    )


async def take_up(centre: Centre, contact: str, turn: str = TURN, **other: str) -> Entry:
    return await centre.line.take_up(
        contact,
        turn,
        queue=other.get("queue", "support"),
        band=other.get("band", "p2"),
        card=CARD,
        caller_key=other.get("caller_key", ""),
        now_ms=centre.now_ms,
    )


# --- promise ----------------------------------------------------------------------------------------


async def test_a_turn_takes_exactly_the_place_of_the_call(centre: Centre) -> None:
    for contact in ("CA1", "CA2", "CA3"):
        await centre.ring(contact)
    before = await centre.contact("CA2")
    centre.clock.advance(s=30)
    entry = await promise(centre, "CA2")
    assert (entry.outcome, entry.state, entry.position, entry.waiting) == ("entered", "waiting", 2, 3)
    assert entry.arrival_us == before.arrival_us
    assert await centre.order() == ["CA1", TURN, "CA3"]
    turn = await centre.contact(TURN)
    assert (turn.score, turn.entered_ms, turn.band, turn.queue) == (
        *(before.score, before.entered_ms, before.band, before.queue),
    )
    assert turn.card == CARD
    ended, entered = (await centre.told())[-2:]
    assert (ended.kind, ended.contact, ended.fields["disposition"]) == ("ended", "CA2", "promised")
    assert (entered.kind, entered.contact) == ("entered", TURN)
    assert entered.fields["arrival"] == str(before.arrival_us)
    assert entered.fields["resumed"] == "0"
    assert Card.unpacked(entered.fields["card"]) == CARD


async def test_a_promise_twice_is_one(centre: Centre) -> None:
    await centre.ring("CA1")
    await promise(centre, "CA1")
    told = await centre.kinds()
    again = await promise(centre, "CA1")
    assert (again.outcome, again.state, again.position) == (EntryOutcome.ALREADY, ContactState.WAITING, 1)
    await centre.line.leave(TURN, Disposition.SET_ASIDE, centre.now_ms)
    late = await promise(centre, "CA1")
    assert (late.outcome, late.state) == (EntryOutcome.ALREADY, ContactState.ENDED)
    assert (await centre.kinds())[:-1] == told


async def test_an_agent_being_asked_for_the_call_comes_first(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    assert (await promise(centre, "CA1")).outcome is EntryOutcome.RESERVED
    await centre.meet("CA1")
    talking = await promise(centre, "CA1")
    assert (talking.outcome, talking.state) == (EntryOutcome.RESERVED, ContactState.CONNECTED)
    assert await centre.line.contact(TURN) is None


async def test_no_promise_is_made_to_a_call_that_is_over_or_unknown(centre: Centre) -> None:
    assert (await promise(centre, "CA1")).outcome is EntryOutcome.GONE
    await centre.ring("CA1")
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    told = await centre.kinds()
    assert (await promise(centre, "CA1")).outcome is EntryOutcome.ENDED
    assert await centre.line.contact(TURN) is None
    assert await centre.kinds() == told


async def test_an_idle_agent_who_passed_on_the_call_is_asked_for_the_turn_at_once(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.line.decline("CA1", "ann", 1, centre.now_ms)
    entry = await promise(centre, "CA1")
    assert (entry.outcome, entry.state, entry.position) == ("entered", "reserved", 0)
    assert (await centre.agent("ann")).contact == TURN
    assert await centre.order() == []


# --- rejoin -----------------------------------------------------------------------------------------


async def test_a_turn_that_is_due_stands_at_its_old_ticket_even_in_a_full_line(centre: Centre) -> None:
    centre = centre.but(queues=(Queue("support", max_waiting=2),))
    ticket_us = (centre.now_ms - 1_000) * 1000 + 7
    await centre.ring("CA1")
    await centre.ring("CA2")
    entry = await rejoin(centre, TURN, ticket_us)
    assert (entry.outcome, entry.position, entry.waiting, entry.arrival_us) == ("entered", 1, 3, ticket_us)
    assert (await centre.told())[-1].fields["since"] == str(centre.now_ms - 60_000)
    again = await rejoin(centre, TURN, ticket_us)
    assert (again.outcome, again.position) == (EntryOutcome.ALREADY, 1)
    await centre.line.leave(TURN, Disposition.SET_ASIDE, centre.now_ms)
    assert (await rejoin(centre, TURN, ticket_us)).outcome is EntryOutcome.ENDED


async def test_without_a_ticket_it_gets_a_new_one_behind_everybody(centre: Centre) -> None:
    await centre.ring("CA1")
    entry = await rejoin(centre, TURN, 0)
    assert (entry.position, entry.arrival_us) == (2, (await centre.contact("CA1")).arrival_us + 1)
    await centre.ring("CA2")
    assert await centre.order() == ["CA1", TURN, "CA2"]


async def test_who_comes_after_a_ticket_stands_behind_it(centre: Centre) -> None:
    """Redis was lost, and with it the arrival clock; the host's clock is a little behind."""
    await rejoin(centre, TURN, (centre.now_ms + 5) * 1000)
    await centre.ring("CA1")
    assert await centre.order() == [TURN, "CA1"]


async def test_a_turn_meets_an_idle_agent_at_once(centre: Centre) -> None:
    await centre.at_work("ann")
    entry = await rejoin(centre, TURN, centre.now_ms * 1000)
    assert (entry.outcome, entry.state) == (EntryOutcome.RESERVED, ContactState.RESERVED)
    assert (await centre.agent("ann")).contact == TURN


async def test_nonsense_is_refused_in_words(centre: Centre) -> None:
    with pytest.raises(Mendable, match="no queue"):
        await rejoin(centre, TURN, 1, queue="sales")
    with pytest.raises(Mendable, match="no band"):
        await take_up(centre, "CA1", band="p9")
    for name in ("", "a|b"):
        with pytest.raises(Mendable):
            await promise(centre, "CA1", name)
        with pytest.raises(Mendable):
            await take_up(centre, name)
        with pytest.raises(Mendable):
            await take_up(centre, "CA1", name)


# --- take_up ----------------------------------------------------------------------------------------


async def test_who_rings_in_has_the_turns_place(centre: Centre) -> None:
    for contact in ("CA1", "CA2"):
        await centre.ring(contact)
    await promise(centre, "CA1")
    centre.clock.advance(minutes=3)
    entry = await take_up(centre, "CA3")
    assert (entry.outcome, entry.position, entry.waiting, entry.resumed) == ("entered", 1, 2, True)
    assert await centre.order() == ["CA3", "CA2"]
    assert (await centre.contact("CA3")).entered_ms == centre.now_ms
    assert (await centre.contact(TURN)).disposition == Disposition.SET_ASIDE
    ended, entered = (await centre.told())[-2:]
    assert (ended.kind, ended.contact, entered.kind, entered.contact) == ("ended", TURN, "entered", "CA3")
    assert (entered.fields["turn"], entered.fields["resumed"]) == (TURN, "1")
    again = await take_up(centre, "CA3")
    assert (again.outcome, again.position) == (EntryOutcome.ALREADY, 1)
    await centre.line.leave("CA3", Disposition.ABANDONED, centre.now_ms)
    assert (await take_up(centre, "CA3")).outcome is EntryOutcome.ENDED


async def test_an_own_place_that_is_better_is_kept(centre: Centre) -> None:
    await centre.ring("CA1")
    await promise(centre, "CA1")
    entry = await take_up(centre, "CA2", band="p1")
    assert (entry.band, entry.resumed) == ("p1", False)
    turn, contact = await centre.contact(TURN), await centre.contact("CA2")
    assert contact.score < turn.score
    assert turn.disposition == Disposition.SET_ASIDE


async def test_the_agent_who_was_asked_for_the_turn_is_free_and_takes_the_caller(centre: Centre) -> None:
    await centre.ring("CA1")
    await promise(centre, "CA1")
    await centre.at_work("ann")
    assert (await centre.agent("ann")).contact == TURN
    entry = await take_up(centre, "CA2")
    assert (entry.outcome, entry.position) == (EntryOutcome.RESERVED, 0)
    assert (await centre.agent("ann")).contact == "CA2"
    assert (await centre.kinds())[-4:] == ["ended", "released", "entered", "reserved"]


async def test_a_turn_whose_agent_said_yes_is_left_to_the_agent(centre: Centre) -> None:
    await centre.ring("CA1")
    await promise(centre, "CA1")
    ticket_us = (await centre.contact(TURN)).arrival_us
    await centre.at_work("ann")
    await centre.line.accept(TURN, "ann", 1, centre.now_ms)
    centre.clock.advance(s=5)
    await centre.ring("CA2")
    entry = await take_up(centre, "CA3")
    assert (entry.position, entry.arrival_us) == (1, ticket_us)
    assert (await centre.contact(TURN)).state is ContactState.RESERVED


async def test_without_a_turn_it_is_an_ordinary_arrival(centre: Centre) -> None:
    centre = centre.but(queues=(Queue("support", max_waiting=1),))
    entry = await take_up(centre, "CA1")
    assert (entry.outcome, entry.position, entry.resumed) == ("entered", 1, False)
    full = await take_up(centre, "CA2")
    assert (full.outcome, full.waiting) == (EntryOutcome.FULL, 1)
    assert await centre.line.contact("CA2") is None
    await promise(centre, "CA1")
    await rejoin(centre, "CA3", centre.now_ms * 1000)
    assert (await take_up(centre, "CA2")).outcome is EntryOutcome.ENTERED


async def test_a_caller_who_dropped_out_meanwhile_has_the_better_of_both_places(centre: Centre) -> None:
    ring = {"queue": "support", "band": "p2", "card": Card(), "caller_key": "k1"}
    await centre.line.enter("CA1", **ring, now_ms=centre.now_ms)
    await centre.ring("CA2")
    await centre.line.leave("CA1", Disposition.ABANDONED, centre.now_ms)
    entry = await take_up(centre, "CA3", caller_key="k1")
    assert (entry.position, entry.resumed) == (1, True)
    assert await centre.line.kept_place("k1", centre.now_ms) is None


async def test_no_verb_leaves_anything_behind(centre: Centre) -> None:
    await centre.ring("CA1")
    await promise(centre, "CA1")
    await take_up(centre, "CA2")
    assert await centre.line.leave("CA2", Disposition.ABANDONED, centre.now_ms) is Outcome.DONE
    await centre.at_work("ann")
    assert (await centre.agent("ann")).presence is Presence.READY
    centre.clock.advance(ms=centre.policy.forget_ms)
    assert sorted(e.contact for e in await centre.expire()) == ["CA1", "CA2", TURN]
    assert set(await centre.redis.hkeys(centre.keys.book)) == {"@ann", "#"}


# --- the record and the figures -----------------------------------------------------------------------


async def test_the_board_tells_callbacks_from_callers(centre: Centre) -> None:
    """Who waits for a callback does not hold on: the longest wait is a caller's."""
    await centre.ring("CA1")
    centre.clock.advance(minutes=5)
    await centre.ring("CA2")
    await centre.ring("CA3", "billing")
    await promise(centre, "CA1")
    await promise(centre, "CA3", "PR00000000000000bb.1")
    board = await centre.line.look(centre.now_ms)
    support, billing = board.queues["support"], board.queues["billing"]
    assert (support.waiting, support.promises, support.longest_wait_ms) == (2, 1, 0)
    assert support.oldest_entered_ms == centre.now_ms
    assert (billing.waiting, billing.promises, billing.oldest_entered_ms) == (1, 1, None)


async def test_all_callbacks_of_a_long_line_are_counted(centre: Centre) -> None:
    centre = centre.but(queues=(Queue("support", max_waiting=5_000),))
    for number in range(1_200):
        await centre.ring(f"CA{number}")
        if number % 3 == 0:
            await promise(centre, f"CA{number}", f"PR{number:016x}.1")
    board = await centre.line.look(centre.now_ms)
    assert (board.queues["support"].waiting, board.queues["support"].promises) == (1_200, 400)


async def test_nothing_is_learned_about_patience_from_who_cannot_hang_up(centre: Centre) -> None:
    await centre.ring("CA1")
    centre.clock.advance(s=30)
    await promise(centre, "CA1")
    await centre.ring("CA2")
    centre.clock.advance(minutes=60)
    await centre.line.leave(TURN, Disposition.SET_ASIDE, centre.now_ms)
    feed = Feed(centre.policy, Priors().estimator())
    feed.take(await centre.told())
    taken = feed.pulse(await centre.line.look(centre.now_ms), "me")
    assert (taken.queues["support"].waiting, taken.queues["support"].promises) == (1, 0)
    alone = Estimator()
    alone.on_arrival(0, "CA1", 2, 0)
    alone.on_leave(30, "CA1")
    alone.on_arrival(30, "CA2", 2, 30)
    alone.on_agents(3630, 0)
    assert feed.estimator.patience.pooled == pytest.approx(alone.patience.pooled, rel=1e-6)


async def test_the_time_a_callback_takes_an_agent_is_learned(centre: Centre) -> None:
    await centre.ring("CA1")
    await promise(centre, "CA1")
    await centre.at_work("ann")
    await centre.meet(TURN)
    centre.clock.advance(s=90)
    await centre.line.finish(TURN, centre.now_ms)
    await centre.roster.ready("ann", centre.now_ms)
    feed = Feed(centre.policy, Priors({"": 300.0}).estimator())
    feed.take(await centre.told())
    before = Priors({"": 300.0}).estimator().handlings
    assert feed.estimator.handlings.ended == 1
    assert feed.estimator.handlings.mean_s("support", "promise") < before.mean_s("support", "promise")
    assert feed.estimator.handlings.mean_s("support", "live") == before.mean_s("support", "live")


async def test_the_story_of_a_turn_begins_when_it_comes_into_the_line(centre: Centre) -> None:
    await rejoin(centre, TURN, centre.now_ms * 1000)
    await rejoin(centre, "CA1", centre.now_ms * 1000)
    by_contact = {event.contact: told_from([event]) for event in await centre.told()}
    assert by_contact[TURN].entered_ms == centre.now_ms
    assert by_contact["CA1"].entered_ms == centre.now_ms - 60_000
