"""An agent's day."""

from __future__ import annotations

import pytest

from foundation.errors import Mendable
from queueing.line import Outcome
from queueing.presence import Presence
from tests.queueing.conftest import Centre


async def test_signing_in_is_a_break_until_ready(centre: Centre) -> None:
    await centre.ring("CA1")
    await centre.at_work("ann", ready=False)
    agent = await centre.agent("ann")
    assert (agent.presence, agent.name, agent.line, agent.skills) == (
        "away",
        "Ann",
        "softphone",
        {"support": 0},
    )
    assert await centre.roster.ready("ann", centre.now_ms) is Outcome.DONE
    assert (await centre.agent("ann")).contact == "CA1"
    assert await centre.roster.ready("ann", centre.now_ms) is Outcome.ALREADY


async def test_signing_in_again_changes_nothing_and_writes_nothing(centre: Centre) -> None:
    await centre.at_work("ann")
    before = await centre.kinds()
    await centre.at_work("ann", ready=False)
    assert await centre.kinds() == before
    assert (await centre.agent("ann")).presence is Presence.READY


async def test_new_skills_bring_their_callers_at_once(centre: Centre) -> None:
    await centre.at_work("ann", support=0)
    await centre.ring("CA1", "billing")
    now = await centre.roster.sign_in(
        "ann", name="Ann", skills={"billing": 0}, line="+14155550123", now_ms=centre.now_ms
    )
    assert (now.presence, now.contact, now.line) == (Presence.RESERVED, "CA1", "+14155550123")
    await centre.ring("CA2", "support")
    assert (await centre.contact("CA2")).state == "waiting"


async def test_skills_the_centre_does_not_know_are_left_out(centre: Centre) -> None:
    await centre.at_work("ann", ready=False, support=5, sales=0)
    assert (await centre.agent("ann")).skills == {"support": 5}


@pytest.mark.parametrize("agent", ["", "ann|", "@ann", "a b", "a,b", "a=b"])
async def test_a_login_that_is_none_is_refused(centre: Centre, agent: str) -> None:
    with pytest.raises(Mendable):
        await centre.at_work(agent)
    assert await centre.roster.ready(agent, centre.now_ms) is Outcome.GONE


async def test_a_name_may_be_any_name(centre: Centre) -> None:
    name = 'Agent | "1"\n= ann, bob'
    agent = await centre.roster.sign_in("a", name=name, skills={}, line="softphone", now_ms=centre.now_ms)
    assert agent.name == 'Agent / "1" = ann, bob'
    assert (await centre.told())[-1].fields["name"] == agent.name


async def test_a_break_is_at_once_for_who_idles(centre: Centre) -> None:
    await centre.at_work("ann", support=0, billing=0)
    assert await centre.roster.away("ann", "lunch", centre.now_ms) is Outcome.DONE
    assert await centre.roster.away("ann", "lunch", centre.now_ms) is Outcome.ALREADY
    await centre.ring("CA1")
    await centre.ring("CA2", "billing")
    assert (await centre.agent("ann")).reason == "lunch"
    assert (await centre.contact("CA1")).state == "waiting"


async def test_a_break_while_asked_puts_the_contact_back_for_a_colleague(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.roster.away("ann", "lunch", centre.now_ms)
    assert (await centre.contact("CA1")).state == "waiting"
    assert (await centre.contact("CA1")).passed == ()
    await centre.at_work("bob")
    assert (await centre.contact("CA1")).agent == "bob"


async def test_a_break_while_talking_comes_after_the_wrap_up(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.meet("CA1")
    assert await centre.roster.away("ann", "lunch", centre.now_ms) is Outcome.DONE
    assert (await centre.agent("ann")).after == "away"
    await centre.line.finish("CA1", centre.now_ms)
    assert (await centre.agent("ann")).presence is Presence.WRAP_UP
    centre.clock.advance(s=60)
    await centre.expire()
    agent = await centre.agent("ann")
    assert (agent.presence, agent.reason, agent.after) == (Presence.AWAY, "lunch", "")


async def test_a_wish_for_a_break_can_be_taken_back(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.meet("CA1")
    await centre.roster.away("ann", "lunch", centre.now_ms)
    assert await centre.roster.ready("ann", centre.now_ms) is Outcome.DONE
    assert (await centre.agent("ann")).after == ""


async def test_a_wrap_up_may_be_cut_short(centre: Centre) -> None:
    await centre.at_work("ann")
    await centre.ring("CA1")
    await centre.meet("CA1")
    await centre.line.finish("CA1", centre.now_ms)
    await centre.ring("CA2")
    centre.clock.advance(s=7)
    await centre.roster.ready("ann", centre.now_ms)
    assert (await centre.agent("ann")).contact == "CA2"
    ready = next(e for e in reversed(await centre.told()) if e.kind == "agent_ready")
    assert (ready.contact, ready.fields["wrap_ms"]) == ("CA1", "7000")


async def test_going_home_and_coming_back(centre: Centre) -> None:
    await centre.at_work("ann")
    assert await centre.roster.off("ann", centre.now_ms) is Outcome.DONE
    assert await centre.roster.off("ann", centre.now_ms) is Outcome.ALREADY
    assert await centre.roster.away("ann", "tea", centre.now_ms) is Outcome.REFUSED
    await centre.at_work("ann")
    assert (await centre.agent("ann")).presence is Presence.READY


async def test_who_never_signed_in_is_nobody(centre: Centre) -> None:
    assert await centre.roster.agent("ann") is None
    assert await centre.roster.agents() == []
    for verb in (centre.roster.ready, centre.roster.off):
        assert await verb("ann", centre.now_ms) is Outcome.GONE


async def test_the_roll_is_called_by_login(centre: Centre) -> None:
    for agent in ("cid", "ann", "bob"):
        await centre.at_work(agent, ready=agent == "ann")
    assert [(a.agent, a.presence) for a in await centre.roster.agents()] == [
        ("ann", "ready"),
        ("bob", "away"),
        ("cid", "away"),
    ]
