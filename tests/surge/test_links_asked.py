"""The round that asks each address of the status page."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import httpx2

from processes.links import EVERY_MS, Links, ask
from surge import links, status_page
from surge.public_page import html
from tests.surge.house import House

ALIAS, GONE = "https://status.example.com/", "https://old.example.com/status"


def asking(answer) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.MockTransport(answer), follow_redirects=True)


async def test_a_redirect_is_followed_and_what_fails_is_said() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "old.example.com":
            return httpx2.Response(301, headers={"Location": ALIAS})
        if request.url.host == "away.example.com":
            raise httpx2.ConnectError("no route", request=request)
        if request.url.host == "slow.example.com":
            raise httpx2.ReadTimeout("slow", request=request)
        return httpx2.Response(200, text="x" * 1_000_000)

    async with asking(answer) as asker:
        found = await ask(asker, GONE)
        assert (found.status, len(found.page), found.why) == (200, 256_000, "")
        assert (await ask(asker, "https://away.example.com/")).why == "it cannot be reached (ConnectError)"
        assert (await ask(asker, "https://slow.example.com/")).why == "no answer in 5 s"


async def test_each_minute_every_address_is_looked_at(house: House, monkeypatch) -> None:
    watch = replace(house.watch, policy=replace(house.policy, status_aliases=(ALIAS, GONE)))
    await house.declares()
    asked: list[str] = []

    async def now(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        if request.url.host == "old.example.com":
            return httpx2.Response(404)
        return httpx2.Response(200, text=html(await status_page.status_of(watch, house.now_ms)))

    monkeypatch.setattr("processes.links.client", lambda: asking(now))
    work = Links(watch, Counter())
    for _ in range(2):
        house.clock.advance(ms=EVERY_MS)
        assert await work.look() == EVERY_MS
    assert sorted(asked[:3]) == sorted(["https://line.example.com/status", ALIAS, GONE])
    assert {link.url: link.fault for link in await links.listed(watch)} == {
        "https://line.example.com/status": "",
        ALIAS: "",
        GONE: "it answers 404",
    }
    assert work.counts["links_failing"] == 2
