"""The addresses of the status page: what counts as showing the news, and who hears when one does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from carrier.tables import Text
from queueing.tables import AgentAccount
from surge import links, status_page
from surge.links import LATE_MS, Answer, Shown, fault_of
from surge.public_page import html
from surge.states import IncidentState
from tests.surge.house import House

NOW_MS = 1_700_000_000_000
URL = "https://status.example.com/"


def page(news: str) -> str:
    return f'<html><meta name="written" content="2023-11-14"><meta name="news" content="{news}"></html>'


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(200, page("IN1.2")), ""),
        (Answer(200, page("IN1.1")), "it shows old news"),
        (Answer(200, page("")), "it shows old news"),
        (Answer(404, "no such breadcrumb"), "it answers 404"),
        (Answer(503, page("IN1.2")), "it answers 503"),
        (Answer(200, "<title>Buy this domain</title>"), "it is not our status page"),
        (Answer(200, ""), "it is not our status page"),
        (Answer(why="no answer in 5 s"), "no answer in 5 s"),
    ],
)
def test_what_is_wrong_with_an_answer(answer: Answer, fault: str) -> None:
    assert fault_of(answer, Shown("IN1.2", NOW_MS - LATE_MS - 1), NOW_MS) == fault


def test_a_copy_may_be_late_for_a_while() -> None:
    shown = Shown("IN1.2", NOW_MS - LATE_MS)
    assert fault_of(Answer(200, page("IN1.1")), shown, NOW_MS) == ""
    assert fault_of(Answer(200, page("IN1.1")), shown, NOW_MS + 1) == "it shows old news"


async def test_the_page_that_we_write_passes_until_there_are_other_news(house: House) -> None:
    row = await house.declares()
    before = html(await status_page.status_of(house.watch, house.now_ms))
    house.clock.advance(ms=60_000)
    row = await house.says(row, "The cause is found.")
    shown = links.wanted(await status_page.status_of(house.watch, house.now_ms))
    assert shown == Shown(f"{row.id}.2", house.now_ms)
    house.clock.advance(ms=LATE_MS + 1)
    now = html(await status_page.status_of(house.watch, house.now_ms), "es")
    assert fault_of(Answer(200, now), shown, house.now_ms) == ""
    assert fault_of(Answer(200, before), shown, house.now_ms) == "it shows old news"


async def test_that_it_is_over_is_news_too(house: House) -> None:
    row = await house.declares()
    before = html(await status_page.status_of(house.watch, house.now_ms))
    house.clock.advance(ms=60_000)
    for state in (IncidentState.VERIFIED, IncidentState.RESOLVED):
        row = await house.says(row, f"It is {state}.", state=state)
    house.clock.advance(ms=LATE_MS + 1)
    shown = links.wanted(await status_page.status_of(house.watch, house.now_ms))
    assert shown.news == ""
    assert fault_of(Answer(200, before), shown, house.now_ms) == "it shows old news"


async def texts_to_leads(house: House) -> list[Text]:
    return [text for text in await house.texts() if text.kind == "lead"]


async def account(house: House, agent: str, phone: str, role: str = "lead") -> None:
    async with house.sql.session() as session:
        session.add(AgentAccount(agent=agent, name=agent, role=role, phone=phone))


async def test_two_failed_looks_warn_once_and_a_good_one_mends(house: House) -> None:
    await account(house, "ann", "+14155550171")
    await account(house, "bob", "+14155550172")
    await account(house, "cid", "")
    await account(house, "dee", "+14155550173", role="agent")
    watch = replace(house.watch, policy=replace(house.policy, status_aliases=(URL,)))

    async def look(fault: str) -> str:
        house.clock.advance(ms=60_000)
        return await links.looked(watch, URL, fault, house.now_ms)

    assert await look("it answers 404") == ""
    assert [link.fault for link in await links.listed(watch)] == ["", ""]
    first_ms = house.now_ms
    assert await look("it answers 502") == "broken"
    assert await look("it answers 502") == ""
    ours, alias = await links.listed(watch)
    assert (ours.url, ours.looked_ms) == ("https://line.example.com/status", 0)
    assert (alias.url, alias.fault, alias.since_ms) == (URL, "it answers 502", first_ms)
    texts = await texts_to_leads(house)
    assert sorted(text.number for text in texts) == ["+14155550171", "+14155550172"]
    assert texts[0].body == (
        "Corner Support: our news cannot be seen at an address where callers look. "
        f"Mend it, or tell them another one: {URL}"
    )
    assert await look("") == "mended"
    assert [link.fault for link in await links.listed(watch)] == ["", ""]
    assert [line.words for line in await house.lines("link_broken")] == [f"{URL}: it answers 502"]
    assert len(await house.lines("link_mended")) == 1
    await look("it answers 404")
    assert await look("it answers 404") == "broken"
    assert len(await texts_to_leads(house)) == 4


async def test_one_failed_look_is_a_hiccup(house: House) -> None:
    for fault in ("no answer in 5 s", "", "no answer in 5 s", ""):
        house.clock.advance(ms=60_000)
        assert await links.looked(house.watch, URL, fault, house.now_ms) == ""
    assert await house.lines("link_broken") == []


async def test_an_address_that_is_no_longer_looked_at_is_not_listed(house: House) -> None:
    for _ in range(2):
        await links.looked(house.watch, URL, "it answers 404", house.now_ms)
    assert [link.url for link in await links.listed(house.watch)] == ["https://line.example.com/status"]
