"""An agent takes a callback, dials, and reaches nobody: the turn's way through its reservation."""

from __future__ import annotations

import pytest

from queueing.line import Card, Outcome
from queueing.presence import Presence
from queueing.states import ContactState, Disposition
from tests.queueing.conftest import Centre

TURN = "PR00000000000000aa.1"
LEASE_MS = 120_000


async def waiting_turn(centre: Centre) -> None:
    await centre.ring("CA0")
    await centre.ring("CA1")
    await centre.line.promise("CA1", TURN, card=Card(promise="PR00000000000000aa"), now_ms=centre.now_ms)


async def claim(centre: Centre, agent: str) -> tuple[Outcome, str]:
    return await centre.line.claim(TURN, agent, now_ms=centre.now_ms, lease_ms=LEASE_MS)


async def test_an_agent_takes_a_turn_out_of_the_order(centre: Centre) -> None:
    await waiting_turn(centre)
    await centre.at_work("ann", ready=False)
    assert await claim(centre, "ann") == (Outcome.DONE, "ann")
    assert await claim(centre, "ann") == (Outcome.ALREADY, "ann")
    turn, ann = await centre.contact(TURN), await centre.agent("ann")
    assert (turn.state, turn.agent, turn.deadline_ms) == ("reserved", "ann", centre.now_ms + LEASE_MS)
    assert (ann.presence, ann.contact, ann.fence) == ("reserved", TURN, turn.fence)
    assert await centre.order() == ["CA0"]
    told = (await centre.told())[-1]
    assert (told.kind, told.contact, told.agent) == ("reserved", TURN, "ann")
    assert (told.fields["claimed"], told.fields["from"]) == ("1", "away")


async def test_who_comes_second_is_told_who_has_it(centre: Centre) -> None:
    await waiting_turn(centre)
    for agent in ("ann", "bob"):
        await centre.at_work(agent, ready=False)
    await claim(centre, "ann")
    assert await claim(centre, "bob") == (Outcome.STALE, "ann")
    await centre.meet(TURN)
    assert await claim(centre, "bob") == (Outcome.STALE, "ann")
    await centre.line.finish(TURN, centre.now_ms)
    assert await claim(centre, "bob") == (Outcome.STALE, "")
    assert (await centre.agent("bob")).presence is Presence.AWAY


async def test_only_who_is_free_to_dial_takes_one(centre: Centre) -> None:
    await waiting_turn(centre)
    assert await claim(centre, "nobody") == (Outcome.REFUSED, "")
    await centre.at_work("ann")
    assert (await centre.agent("ann")).contact == "CA0"
    assert await claim(centre, "ann") == (Outcome.REFUSED, "")
    await centre.meet("CA0")
    assert await claim(centre, "ann") == (Outcome.REFUSED, "")
    await centre.at_work("bob", ready=False)
    await centre.roster.off("bob", centre.now_ms)
    assert await claim(centre, "bob") == (Outcome.REFUSED, "")
    assert (await centre.contact(TURN)).state is ContactState.WAITING
    gone = await centre.line.claim("PR00000000000000bb.1", "ann", now_ms=centre.now_ms, lease_ms=LEASE_MS)
    assert gone == (Outcome.GONE, "")


async def test_whoever_wraps_up_is_done_with_the_last_one_first(centre: Centre) -> None:
    await waiting_turn(centre)
    await centre.at_work("ann")
    await centre.meet("CA0")
    await centre.line.finish("CA0", centre.now_ms)
    centre.clock.advance(s=7)
    assert (await claim(centre, "ann"))[0] is Outcome.DONE
    wrapped, reserved = (await centre.told())[-2:]
    assert (wrapped.kind, wrapped.contact, wrapped.fields["wrap_ms"]) == ("agent_ready", "CA0", "7000")
    assert (reserved.kind, reserved.contact) == ("reserved", TURN)


async def test_an_idle_agent_who_takes_one_idles_no_more(centre: Centre) -> None:
    await waiting_turn(centre)
    await centre.line.leave("CA0", Disposition.ABANDONED, centre.now_ms)
    await centre.at_work("ann", billing=0)
    await claim(centre, "ann")
    assert (await centre.ring("CA2", "billing")).position == 1
    assert (await centre.agent("ann")).contact == TURN


async def test_a_claim_nobody_accepts_lapses_to_the_old_place(centre: Centre) -> None:
    await waiting_turn(centre)
    await centre.ring("CA2")
    await centre.at_work("ann", billing=0)
    await claim(centre, "ann")
    centre.clock.advance(ms=LEASE_MS)
    assert [(e.kind, e.contact, e.agent) for e in await centre.expire()] == [("missed", TURN, "ann")]
    assert await centre.order() == ["CA0", TURN, "CA2"]


async def test_dialling_may_take_longer_than_joining_a_call(centre: Centre) -> None:
    await waiting_turn(centre)
    await centre.at_work("ann", billing=0)
    await claim(centre, "ann")
    assert await centre.line.accept(TURN, "ann", 1, centre.now_ms, within_ms=90_000) is Outcome.DONE
    assert (await centre.contact(TURN)).deadline_ms == centre.now_ms + 90_000
    assert await centre.line.accept(TURN, "ann", 1, centre.now_ms, within_ms=5) is Outcome.ALREADY
    centre.clock.advance(ms=89_999)
    assert await centre.expire() == []
    centre.clock.advance(ms=1)
    assert [e.kind for e in await centre.expire()] == ["unjoined"]
    assert (await centre.contact(TURN)).state is ContactState.WAITING


async def test_a_merchant_not_reached_ends_the_turn_and_the_agent_wraps_up(centre: Centre) -> None:
    await waiting_turn(centre)
    await centre.at_work("ann", billing=0)
    await claim(centre, "ann")
    line = centre.line
    assert await line.not_reached(TURN, 1, centre.now_ms) is Outcome.STALE, "nobody has said yes"
    await line.accept(TURN, "ann", 1, centre.now_ms)
    assert await line.not_reached(TURN, 2, centre.now_ms) is Outcome.STALE
    centre.clock.advance(s=25)
    assert await line.not_reached(TURN, 1, centre.now_ms) is Outcome.DONE
    assert await line.not_reached(TURN, 1, centre.now_ms) is Outcome.ALREADY
    turn, ann = await centre.contact(TURN), await centre.agent("ann")
    assert (turn.state, turn.disposition, turn.agent) == ("ended", "not_reached", "ann")
    assert (ann.presence, ann.contact) == ("wrap_up", TURN)
    ended, wrap_up = (await centre.told())[-2:]
    assert (ended.kind, ended.fields["disposition"], ended.fields["talk_ms"]) == ("ended", "not_reached", "0")
    assert wrap_up.kind == "wrap_up"
    await centre.roster.ready("ann", centre.now_ms)
    assert (await centre.told())[-1].fields["handling_ms"] == "25000"


@pytest.mark.parametrize("talking", [False, True])
async def test_not_reached_leaves_alone_who_waits_and_who_talks(centre: Centre, talking: bool) -> None:
    await waiting_turn(centre)
    if talking:
        await centre.at_work("ann", billing=0)
        await claim(centre, "ann")
        await centre.meet(TURN)
    before = await centre.contact(TURN)
    assert await centre.line.not_reached(TURN, before.fence, centre.now_ms) is Outcome.STALE
    assert await centre.contact(TURN) == before
    assert await centre.line.not_reached("PR00000000000000bb.1", 1, centre.now_ms) is Outcome.GONE


async def test_a_turn_set_aside_while_dialled_frees_its_agent(centre: Centre) -> None:
    await waiting_turn(centre)
    await centre.at_work("ann", billing=0)
    await claim(centre, "ann")
    await centre.line.accept(TURN, "ann", 1, centre.now_ms)
    assert await centre.line.leave(TURN, Disposition.SET_ASIDE, centre.now_ms) is Outcome.DONE
    assert (await centre.agent("ann")).presence is Presence.READY
    assert (await centre.contact(TURN)).disposition == "set_aside"
