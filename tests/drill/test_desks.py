"""The stand-in does what the person has left undone, and no more; the clerks take what no text reaches."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import httpx2
import pytest

from drill import saturday
from drill.desks import Clerk, StandIn
from drill.repliers import Repliers
from drill.saturday import STEPS
from drill.staff import Agent, Identity
from drill.temper import Temper
from foundation.clock import ManualClock

ROW = {"id": "IN1", "version": 3, "state": "investigating"}


class Product:
    """What the API tells, and what it is asked to do."""

    def __init__(self, **told: Any) -> None:
        self.told = {"level": {"level": 0}, "incidents": [], "queues": [], "follow_ups": []} | told
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.statuses: list[int] = []
        """Of the next posts, where they are not 200."""

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        name = request.url.path.removeprefix("/api/v1/")
        if request.method == "POST":
            self.posted.append((name, json.loads(request.content)))
            return httpx2.Response(self.statuses.pop(0) if self.statuses else 200, json={})
        return httpx2.Response(200, json=self.told[name] if name == "level" else self._listed(name))

    def _listed(self, name: str) -> dict[str, Any]:
        key = {"followups": "follow_ups"}.get(name, name)
        return {key: self.told[key], "total": len(self.told[key])}

    def seat(self, kind: type[Agent]) -> Any:
        client = httpx2.AsyncClient(transport=httpx2.MockTransport(self.answer), base_url="http://product")
        who = Identity("standin", "", "", "lead")
        return kind(who, client, client, ManualClock(), Temper(1), Counter())


def step(verb: str) -> saturday.Step:
    return next(each for each in STEPS if each.verb == verb)


async def test_it_declares_only_when_nobody_has() -> None:
    nobody, somebody = Product(), Product(incidents=[ROW])
    assert await nobody.seat(StandIn)._take(step("declare"))
    assert await somebody.seat(StandIn)._take(step("declare"))
    ((path, given),) = nobody.posted
    assert (path, given["scope"], set(given["words"])) == (
        "incidents",
        {"products": ["Register 3"]},
        {"en", "es"},
    )
    assert somebody.posted == []


@pytest.mark.parametrize(("here", "asked"), [(0, 1), (1, 1), (2, 0), (3, 0)])
async def test_it_presses_only_when_the_level_is_lower(here: int, asked: int) -> None:
    product = Product(level={"level": here})
    assert await product.seat(StandIn)._take(step("level"))
    assert [given["level"] for _, given in product.posted] == [2] * asked


async def test_it_moves_an_incident_on_and_never_back() -> None:
    product = Product(incidents=[ROW, {"id": "IN2", "version": 1, "state": "monitoring"}])
    assert await product.seat(StandIn)._take(step("identified"))
    ((path, given),) = product.posted
    assert (path, given["version"], given["state"]) == ("incidents/IN1/updates", 3, "identified")


async def test_resolved_goes_by_way_of_verified() -> None:
    product = Product(incidents=[ROW])
    stand_in = product.seat(StandIn)
    assert not await stand_in._take(step("resolved"))
    product.told["incidents"] = [{**ROW, "state": "verified"}]
    assert await stand_in._take(step("resolved"))
    assert [given["state"] for _, given in product.posted] == ["verified", "resolved"]


async def test_the_surge_ends_when_few_wait() -> None:
    product = Product(
        level={"level": 2}, queues=[{"waiting": 30, "agents": 12}, {"waiting": 1, "agents": 12}]
    )
    stand_in = product.seat(StandIn)
    assert not await stand_in._take(step("calm"))
    product.told["queues"] = [{"waiting": 9, "agents": 12}]
    assert await stand_in._take(step("calm"))
    assert [given["level"] for _, given in product.posted] == [0]


async def test_the_ledger_is_closed_once_and_only_when_it_is_worked_off() -> None:
    product = Product(incidents=[{**ROW, "state": "resolved"}], follow_ups=[{"id": "CA1"}])
    stand_in = product.seat(StandIn)
    stand_in.closed = set()
    await stand_in._close()
    assert product.posted == []
    product.told["follow_ups"] = []
    for _ in range(2):
        await stand_in._close()
    assert [path for path, _ in product.posted] == ["incidents/IN1/close"]


async def test_a_clerk_claims_a_row_and_gives_it_an_end() -> None:
    product = Product()
    clerk = product.seat(Clerk)
    clerk.clock.sleep = _at_once
    await clerk._deal_with("CA1")
    assert [path for path, _ in product.posted] == ["followups/CA1", "followups/CA1"]
    assert product.posted[0][1]["verb"] == "claim"
    assert product.posted[1][1]["verb"] in ("reached", "unreachable", "not_wanted")
    assert product.posted[1][1]["note"]


async def test_a_clerk_leaves_no_claimed_row_lying_when_the_product_is_slow() -> None:
    product = Product()
    product.statuses = [200, 503, 503, 200]
    clerk = product.seat(Clerk)
    clerk.clock.sleep = _at_once
    await clerk._deal_with("CA1")
    assert len(product.posted) == 4
    assert clerk.counts["followed up"] == 1


async def test_a_text_is_read_once() -> None:
    body = (
        "Corner Pay: fixed on our side: X. Is it working for you? Reply 1 if it works, 2 if it is still down."
    )
    texts = [
        {"sid": "SM1", "status": "delivered", "body": body},
        {"sid": "SM2", "status": "sent", "body": body},
        {"sid": "SM3", "status": "delivered", "body": "Corner Pay: all right, we will call you."},
    ]
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"texts": texts}))
    client = httpx2.AsyncClient(transport=transport, base_url="http://network")
    repliers = Repliers(client, ManualClock(), random.randrange(9), Counter(), 1.0)
    assert [text["sid"] for text in await repliers._arrived()] == ["SM1"]
    texts[1]["status"] = "delivered"
    assert [text["sid"] for text in await repliers._arrived()] == ["SM2"]


async def _at_once(ms: float) -> None:
    return None
