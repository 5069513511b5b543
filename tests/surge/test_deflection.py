"""Turned to a text: written down before it is spoken, once a call, and never to who cannot be texted."""

from __future__ import annotations

import asyncio

import pytest

from callbacks import promises
from carrier.optouts import opt_out
from carrier.tables import Text
from foundation.connections import open_sql
from foundation.errors import Unavailable
from surge import deflection
from surge.board import TEXT_KIND
from surge.states import FollowUpState
from surge.tables import Deflection, Subscription
from tests.surge.house import NUMBER, OURS, House


async def count(house: House, table: type) -> int:
    from sqlmodel import func, select

    async with house.sql.reading() as session:
        return (await session.exec(select(func.count()).select_from(table))).one()


async def test_all_of_it_is_written_at_once_and_only_once(house: House) -> None:
    row = await house.declares(do="Switch offline mode on.")
    results = await asyncio.gather(*(house.deflects("CA1", row) for _ in range(3)))
    assert [each.fresh for each in results].count(True) == 1
    assert all(each.done and each.texted for each in results)
    assert [await count(house, table) for table in (Deflection, Text, Subscription)] == [1, 1, 1]
    assert (await house.ledger())["CA1"].incident == row.id
    (text,) = await house.texts()
    assert text.id == "CA1.status"
    assert "Card payments are down everywhere." in text.body


async def test_when_sql_is_away_nobody_is_turned_away(house: House) -> None:
    row = await house.declares()
    lost = open_sql("postgresql://nobody@127.0.0.1:9/none")
    alone = House(house.redis, lost, house.clock, house.data_dir)
    with pytest.raises(Unavailable):
        await alone.deflects("CA1", row)
    assert await house.ledger() == {}
    await lost.close()


async def landline(house: House) -> None:
    async with house.sql.session() as session:
        session.add(
            Text(
                id="old", number=NUMBER, kind="promise", body="x", state="undelivered", error="30006",
                made_ms=house.now_ms - 1, done_ms=house.now_ms,
            )
        )  # fmt: skip


async def opted_out(house: House) -> None:
    async with house.sql.session() as session:
        await opt_out(session, NUMBER, "STOP", house.now_ms)


@pytest.mark.parametrize(("why", "number"), [("landline", NUMBER), ("opted_out", NUMBER), ("withheld", "")])
async def test_who_cannot_be_texted_is_not_offered_one(house: House, why: str, number: str) -> None:
    row = await house.declares()
    await {"landline": landline, "opted_out": opted_out}.get(why, lambda _house: asyncio.sleep(0))(house)
    assert await deflection.untextable(house.watch, number, house.now_ms) == why
    outcome = await house.deflects("CA1", row, number)
    assert (outcome.done, outcome.texted, outcome.why) == (False, False, why)
    assert await house.ledger() == {}


async def test_a_closed_line_follows_up_whom_no_text_reaches(house: House) -> None:
    row = await house.declares()
    await landline(house)
    outcome = await house.deflects("CA1", row, kind="closed")
    assert (outcome.done, outcome.texted, outcome.why) == (True, False, "landline")
    assert (await house.ledger())["CA1"].why == "closed"


@pytest.mark.parametrize("number", [OURS, "+447700900123", "+19005550123"])
async def test_our_own_and_dear_numbers_are_not_texted(house: House, number: str) -> None:
    assert await deflection.untextable(house.watch, number, house.now_ms) != ""


async def test_pumping_is_limited_by_number_by_prefix_and_by_the_hour(house: House) -> None:
    async def after(number: str, texts: list[str]) -> str:
        async with house.sql.session() as session:
            for index, to in enumerate(texts):
                session.add(
                    Text(
                        id=f"{len(texts)}.{index}{to}", number=to, kind=TEXT_KIND, body="x",
                        state="delivered", made_ms=house.now_ms,
                    )
                )  # fmt: skip
        return await deflection.untextable(house.watch, number, house.now_ms)

    policy = house.policy
    assert await after("+14155550111", ["+14155550111"] * (policy.number_cap_per_h - 1)) == ""
    assert await after("+14155550111", ["+14155550111"]) == "limited"
    assert await after("+14155550999", [f"+1415555{n:04}" for n in range(2000, 2060)]) == "limited"
    assert await deflection.untextable(house.watch, "+12125550123", house.now_ms) == ""
    capped = house.with_policy(text_cap_per_h=10)
    assert await deflection.untextable(capped.watch, "+12125550123", house.now_ms) == "shut"
    house.clock.advance(minutes=60)
    assert await deflection.untextable(capped.watch, "+14155550111", house.now_ms) == ""


async def test_who_rings_again_within_half_an_hour_is_known_and_noted_once(house: House) -> None:
    row = await house.declares()
    await house.deflects("CA1", row)
    house.clock.advance(minutes=29)
    for _ in range(2):
        found = await deflection.called_again(house.watch, NUMBER, "CA2", house.now_ms)
        assert found is not None
        assert found.called_again_ms == house.now_ms
    assert len(await house.lines("called_again")) == 1
    assert await deflection.called_again(house.watch, NUMBER, "CA1", house.now_ms) is None
    house.clock.advance(minutes=1)
    assert await deflection.called_again(house.watch, NUMBER, "CA3", house.now_ms) is None


async def test_still_down_is_promised_a_call_at_the_place_they_had(house: House) -> None:
    row = await house.declares()
    arrival_us = (house.now_ms - 60_000) * 1000
    await house.deflects("CA1", row, arrival_us=arrival_us)
    house.clock.advance(minutes=5)
    for _ in range(2):
        wish = await deflection.still_down(house.watch, NUMBER, house.now_ms)
        assert wish is not None
        await house.watcher.promises()
    follow_up = (await house.ledger())["CA1"]
    promise = await promises.get(house.cb, follow_up.promise)
    assert promise is not None
    assert (promise.arrival_us, promise.number) == (arrival_us, NUMBER)
    assert len(await house.lines("still_down")) == 1
    assert await deflection.failed_for(house.watch, NUMBER)


async def test_it_works_ends_it_and_still_down_afterwards_opens_it_again(house: House) -> None:
    row = await house.declares()
    await house.deflects("CA1", row)
    for _ in range(2):
        assert await deflection.works(house.watch, NUMBER, house.now_ms) is not None
    assert await house.states() == {"CA1": FollowUpState.WORKS}
    await deflection.still_down(house.watch, NUMBER, house.now_ms)
    assert await house.states() == {"CA1": FollowUpState.OPEN}
    assert await deflection.works(house.watch, "+14155559999", house.now_ms) is None
