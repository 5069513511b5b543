"""Texts to our own people: once for each update that is old, and for what they said they would do."""

from __future__ import annotations

from typing import Any

from carrier.tables import Text
from queueing.tables import AgentAccount
from surge import commitments
from tests.surge.house import House

PHONE = "+14155550177"


async def account(house: House, agent: str, phone: str = PHONE, **more: Any) -> None:
    async with house.sql.session() as session:
        session.add(AgentAccount(**{"agent": agent, "name": agent, "role": "lead", "phone": phone} | more))


async def texted(house: House) -> list[Text]:
    return [text for text in await house.texts() if text.kind == "lead"]


async def nags(house: House) -> None:
    house.clock.advance(ms=house.policy.nag_ms)
    for _ in range(2):
        await house.watcher.nag()


async def test_who_posted_last_is_texted_once_for_each_update_that_is_old(house: House) -> None:
    await account(house, "bob")
    row = await house.declares("ann")
    row = await house.says(row, "The cause is found.", by="bob")
    house.clock.advance(ms=house.policy.stale_ms)
    await nags(house)
    await nags(house)
    (text,) = await texted(house)
    assert text.number == PHONE
    assert text.body == (
        "Corner Support: the update on this is 25 minutes old, so callers hear neutral words: Payments. "
        "Post one at https://line.example.com/surge"
    )
    assert len(await house.lines("nag")) == 2
    await house.says(row, "It is being repaired.", by="bob")
    house.clock.advance(ms=house.policy.stale_ms)
    await nags(house)
    assert len(await texted(house)) == 2


async def test_an_update_that_is_due_and_not_stale_is_no_reason_to_say_it_is_old(house: House) -> None:
    await account(house, "ann")
    await house.declares(next_update_ms=house.now_ms + 60_000)
    await nags(house)
    assert len(await house.lines("nag")) == 1
    assert await texted(house) == []


async def test_who_has_no_phone_or_no_account_is_not_texted(house: House) -> None:
    await account(house, "ann", phone="")
    await account(house, "bob", active=False)
    for agent in ("cy1", "cy2"):
        await account(house, agent, name="Cy")  # which of the two?
    for by in ("ann", "bob", "Cy", "detector"):
        await house.declares(by)
    house.clock.advance(ms=house.policy.stale_ms)
    await nags(house)
    assert len(await house.lines("nag")) == 4
    assert await texted(house) == []


async def test_what_is_promised_by_a_date_is_recalled_a_day_before_and_when_due(
    house: House,
) -> None:
    await account(house, "ann", name="Ann Lee")
    row, day = await house.declares("bob"), commitments.DAY_MS
    await commitments.make(
        house.watch, row.id, "Post-mortem", "Ann Lee", house.now_ms + 2 * day, "bob", house.now_ms
    )
    told = []
    for _ in range(8):
        await house.watcher.remind()
        told.append(len(await texted(house)))
        house.clock.advance(ms=day // 2)
    assert told == [0, 0, 1, 1, 2, 2, 2, 2]
    before, due = await texted(house)
    assert before.body.startswith("Corner Support: due tomorrow at ")
    assert due.body.startswith("Corner Support: due today at ")
    assert (
        f": Post-mortem. To mark it done go to https://line.example.com/surge/incidents/{row.id}" in due.body
    )
