"""ACME Technologies, 12 January 2024: told as over after fourteen minutes, and it was not. Whether tills
could go on offline depended on who carried the card payments.

Lessons: "fixed" has been wrong before, so nobody is told before a soak; a relapse stops the notices, and is
told as one; the workaround is told to those for whom it works.
"""

from __future__ import annotations

from surge.states import FollowUpState
from tests.wire.stories.centre import TAKES_THE_TEXT, comes_to

MERCHANTS = """name,numbers,product,rail
Ferry Museum,+1 415 555 0001,ACME Sales,native
Harbour Zoo,+1 415 555 0002,ACME Sales,native
Tower Tours,+1 415 555 0003,ACME Sales,Stripe
"""
MUSEUM, ZOO, TOWER = "+14155550001", "+14155550002", "+14155550003"


async def test_declared_fixed_and_relapsed(centre, clock):
    comes_to(clock, 4, 11, 37)
    acme = await centre(MERCHANTS, cohort=1)
    common = {"severity": "critical", "products": "ACME Sales"}
    native = await acme.lead.declares(
        "Tills down", "Tills on the native rail cannot reach our servers.", rails="native",
        dont="Do not restart the till, it would lose its offline sales", **common,
    )  # fmt: skip
    stripe = await acme.lead.declares(
        "Tills down on Stripe", "Tills that pay by Stripe cannot reach our servers.", rails="Stripe",
        do="Switch offline mode on in the till's settings", **common,
    )  # fmt: skip
    await acme.lead.sets_level(2)

    # Each hears the workaround of their own rail, and no other.
    museum = await acme.calls_in(MUSEUM, **TAKES_THE_TEXT)
    zoo = await acme.calls_in(ZOO, **TAKES_THE_TEXT)
    tower = await acme.calls_in(TOWER, **TAKES_THE_TEXT)
    assert "Important: Do not restart the till" in acme.heard_by(museum)
    assert "Switch offline mode on" not in acme.heard_by(museum) + acme.read_by(ZOO)[0]
    assert "Meanwhile: Switch offline mode on" in acme.heard_by(tower)
    assert "Switch offline mode on in the till's settings" in acme.read_by(TOWER)[0]
    assert [leg.ended for leg in (museum, zoo, tower)] == [True] * 3

    # Declared fixed after fourteen minutes. It is watched first: nobody is told.
    await acme.goes_by(14)
    await acme.lead.says(native, "Service is back for tills on the native rail.", state="verified")
    await acme.goes_by(14)
    assert not [
        text for number in (MUSEUM, ZOO) for text in acme.read_by(number) if "fixed on our side" in text
    ]

    # The soak is over: one stage is told, and says that it is not so. The next stage is not told.
    await acme.goes_by(3)
    assert "fixed on our side: Tills down. Is it working for you?" in acme.read_by(MUSEUM)[-1]
    assert "fixed on our side" not in acme.read_by(ZOO)[-1]
    assert "You are back in line as of your first call" in await acme.texts_back(MUSEUM, "2")
    await acme.goes_by(12)
    assert "fixed on our side" not in acme.read_by(ZOO)[-1]
    assert [line.words for line in await acme.timeline("notices_paused")] == [
        "1 of 1 told in stage 1 say that it is still down"
    ]

    # Reopened: on the phone nobody hears any more that it is back, and who was told so is told the truth.
    await acme.lead.reopens(native)
    other = await acme.calls_in("+14155550009", s=20)
    assert "Service is back" not in acme.heard_by(other)
    await acme.hangs_up(other)
    await acme.lead.says(native, "Our servers fail to start. We start them by hand.", state="identified")
    await acme.passes(30)
    assert "we said this was fixed, and it is not: Tills down." in acme.read_by(MUSEUM)[-1]
    assert "we said" not in acme.read_by(ZOO)[-1]
    assert "Our servers fail to start" in acme.read_by(ZOO)[-1]

    # Fixed for good: a soak of its own, and both are asked. The callback that was promised meanwhile is kept.
    await acme.lead.says(native, "All servers are up and stay up.", state="verified")
    await acme.goes_by(14)
    assert "fixed on our side" not in acme.read_by(ZOO)[-1]
    await acme.goes_by(8)
    assert "fixed on our side" in acme.read_by(ZOO)[-1]
    assert "thank you for telling us" in await acme.texts_back(ZOO, "1")
    assert (await acme.ledger(native))[ZOO].state == FollowUpState.WORKS
    (promise,) = await acme.promises_of(MUSEUM)
    assert promise.ended_ms is None
    # The other rail's incident goes on.
    assert (await acme.lead.sees(stripe)).state == "investigating"
    assert (await acme.ledger(stripe))[TOWER].state == FollowUpState.OPEN
