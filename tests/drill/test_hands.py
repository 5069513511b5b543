"""A telephone in a person's hand: it rings there, and is picked up, declined, or rings out."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from drill.network.exchange import Phone
from tests.drill.product import OURS, Rehearsal

MINE = "+14155550155"


@pytest.fixture
async def client(rehearsal: Rehearsal) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=rehearsal.network), base_url="http://127.0.0.1:8081"
    ) as client:
        yield client


@pytest.fixture
async def page(rehearsal: Rehearsal) -> AsyncIterator[AsyncIterator[str]]:
    """The stream that a phone page reads, its first event read already."""
    watching = rehearsal.exchange.hands.watch({MINE})
    assert read(await anext(watching)) == []
    yield watching
    await watching.aclose()  # type: ignore[attr-defined]


def read(event: str) -> Any:
    name, data = event.strip().split("\n")
    assert name == "event: ringing"
    return json.loads(data.removeprefix("data: "))


async def rung(rehearsal: Rehearsal, number: str = MINE) -> str:
    """The product calls; the SID of its call."""
    answer = await rehearsal.post(
        "Calls", To=number, From=OURS, Url="http://127.0.0.1:8080/called", Timeout=25
    )
    sid: str = answer.json()["sid"]
    return sid


async def test_it_rings_on_the_page_until_it_is_picked_up(
    rehearsal: Rehearsal, client: httpx2.AsyncClient, page: AsyncIterator[str]
) -> None:
    rehearsal.product.says["/called"] = "<Say>Good news.</Say><Pause length='60'/>"
    sid = await rung(rehearsal)
    assert read(await anext(page)) == [{"sid": sid, "from": OURS, "to": MINE}]
    await rehearsal.passes(20)
    assert rehearsal.product.all("/called") == []
    assert (await client.post(f"/_double/calls/{sid}/pick_up")).json() == {"picked_up": True}
    assert read(await anext(page)) == []
    await rehearsal.passes(1)
    assert rehearsal.product.last("/called").fields["CallSid"] == sid
    assert (await client.post(f"/_double/calls/{sid}/pick_up")).json() == {"picked_up": False}


async def test_declined_is_busy(
    rehearsal: Rehearsal, client: httpx2.AsyncClient, page: AsyncIterator[str]
) -> None:
    sid = await rung(rehearsal)
    await client.post(f"/_double/calls/{sid}/hang_up")
    await rehearsal.settles()
    assert (await client.get(f"/_double/calls/{sid}")).json()["status"] == "busy"


async def test_nobody_picks_up_for_the_person(rehearsal: Rehearsal, page: AsyncIterator[str]) -> None:
    """However the telephone was told to behave before."""
    rehearsal.exchange.phones[MINE] = Phone("human", 1_000)
    sid = await rung(rehearsal)
    await rehearsal.passes(26)
    assert rehearsal.exchange.legs[sid].status == "no-answer"


async def test_put_down_it_behaves_as_before(rehearsal: Rehearsal) -> None:
    rehearsal.exchange.phones[MINE] = Phone("busy")
    watching = rehearsal.exchange.hands.watch({MINE})
    await anext(watching)
    await watching.aclose()  # type: ignore[attr-defined]
    sid = await rung(rehearsal)
    await rehearsal.passes(3)
    assert rehearsal.exchange.legs[sid].status == "busy"


async def test_another_try_may_go_otherwise(rehearsal: Rehearsal) -> None:
    rehearsal.exchange.phones[MINE] = Phone("no-answer", then=["machine", "busy"])
    statuses = []
    for _ in range(4):
        sid = await rung(rehearsal)
        await rehearsal.passes(30)
        leg = rehearsal.exchange.legs[sid]
        statuses.append("machine" if leg.machine else leg.status.value)
    assert statuses == ["no-answer", "machine", "busy", "busy"]


async def test_which_telephone_has_to_be_said(client: httpx2.AsyncClient) -> None:
    assert "number is missing" in (await client.get("/_double/ringing")).json()["error"]
