"""STOP: nothing is claimed for sending after the opt-out's commit, on both databases."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from sqlmodel import col, select

from carrier import texts
from carrier.optouts import Notes
from carrier.tables import Text
from carrier.text_states import TextState
from foundation.errors import Unavailable
from tests.carrier.house import House, Interrupted, Scripted
from tests.drill.product import CALLER


async def test_out_and_in_again(house: House) -> None:
    await house.writes()
    await house.stops()
    await house.stops()
    assert await house.state() == "skipped"
    async with house.sql.session() as session:
        await texts.opt_in(session, CALLER)
    assert not await house.opted_out()
    assert await house.sends() is None
    await house.writes("PR2.kept")
    assert await house.sends("PR2.kept") is TextState.SENT


async def test_a_stop_races_with_queued_texts(house: House) -> None:
    """However the two interleave: what is claimed was claimed before the opt-out's commit."""
    for seed in range(100):
        await race(house, random.Random(seed), f"+1415555{seed:04}")


async def race(house: House, dice: random.Random, number: str) -> None:
    names = [f"{number[-4:]}.{each}" for each in range(5)]
    for name in names:
        await house.writes(name, number=number)

    async def pauses() -> None:
        for _ in range(dice.randrange(40)):
            await asyncio.sleep(0)

    async def stops() -> set[str]:
        """What was claimed when the opt-out was as good as committed."""
        await pauses()
        async with house.sql.session() as session:
            await texts.opt_out(session, number, "STOP", house.clock.now_ms())
            await pauses()
            sending = (col(Text.number) == number, col(Text.state) == TextState.SENDING)
            return set(await session.exec(select(Text.id).where(*sending)))

    async def takes(name: str) -> str:
        await pauses()
        async with house.sql.session() as session:
            row = await texts.take(session, name, house.clock.now_ms())
            await pauses()
        return name if row is not None else ""

    before_stop, *claims = await asyncio.gather(stops(), *(takes(name) for name in names))
    assert set(claims) - {""} == before_stop
    for name in names:
        assert await house.state(name) == ("sending" if name in claims else "skipped")
    assert await house.opted_out(number)


@pytest.mark.parametrize("books", ["postgres"], indirect=True)
async def test_an_opt_out_waits_for_a_claim_under_way_and_the_other_way_round(house: House) -> None:
    """The two take turns: whichever is first is committed before the other one looks."""
    await house.writes("PR1.a")
    await house.writes("PR1.b")
    async with house.sql.session() as session:
        assert await texts.take(session, "PR1.a", house.clock.now_ms()) is not None
        stop = asyncio.ensure_future(house.stops())
        await asyncio.wait({stop}, timeout=0.1)
        assert not stop.done()
        await session.commit()
        await stop
    async with house.sql.session() as session:
        await texts.opt_out(session, "+14155550124", "STOP", 1)
        await house.writes("PR1.c", number="+14155550124")
        claim = asyncio.ensure_future(house.sends("PR1.c"))
        await asyncio.wait({claim}, timeout=0.1)
        assert not claim.done()
        await session.commit()
        assert await claim is None
    assert await house.state("PR1.b") == await house.state("PR1.c") == "skipped"


async def test_a_stop_between_the_claim_and_the_carrier_is_heeded(house: House) -> None:
    house.carrier = Scripted()
    await house.writes()
    assert await house.sends(sql=Interrupted(house.sql, house.stops)) is TextState.SKIPPED
    assert house.carrier.asked == []


async def test_a_stop_that_sql_missed_is_heeded_and_brought_in(house: House, redis: Any) -> None:
    notes = Notes(redis, "test")
    await notes.keep("SM1", CALLER, out=True, why="STOP", now_ms=house.clock.now_ms())
    await house.writes()
    assert await house.sends(notes=notes) is None
    assert await house.state() == "skipped"
    assert await house.opted_out()
    assert await notes.bring_in(house.sql) == 0
    await notes.keep("SM2", CALLER, out=True, why="STOP", now_ms=house.clock.now_ms())
    await notes.keep("SM3", CALLER, out=False, why="START", now_ms=house.clock.now_ms())
    assert await notes.bring_in(house.sql) == 2
    assert not await house.opted_out()


async def test_nothing_is_sent_while_the_notes_cannot_be_read(house: House) -> None:
    class Away:
        async def lrange(self, *_: Any) -> Any:
            raise ConnectionError

    house.carrier = Scripted()
    await house.writes()
    with pytest.raises(Unavailable):
        await house.sends(notes=Notes(Away(), "test"))  # type: ignore[arg-type]
    assert house.carrier.asked == []
    assert await house.state() == "queued"
