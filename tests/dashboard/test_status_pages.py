"""The public page: of this moment, out of its files when the stores are away; and text-me."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from sqlmodel import select

from carrier.tables import Text
from foundation.errors import Unavailable
from surge import lists, status_page
from surge.tables import Subscription
from tests.pages.outage import WORDS, Outage

NUMBER = "+14155552671"


@pytest.fixture
async def anybody(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in(None)


@pytest.fixture
def outage(rooms) -> Outage:
    return Outage(rooms.surge)


async def rows_of(rooms, table):  # type: ignore[no-untyped-def]
    async with rooms.sql.reading() as session:
        return (await session.exec(select(table))).all()


async def test_all_is_well(anybody) -> None:
    page = await anybody.get("/status")
    assert page.status_code == 200
    assert "Everything works, as far as we know" in page.text
    assert "The wait is" not in page.text
    assert "<script" not in page.text
    assert "'unsafe-inline'" not in page.headers["content-security-policy"]


async def test_what_is_wrong_for_whom_and_when_next(anybody, outage) -> None:
    await outage.declare(title="Cards & tills fail")
    page = (await anybody.get("/status")).text
    for words in (
        "Cards &amp; tills fail",
        WORDS["en"],
        "Switch offline mode on.",
        "Do not force-quit",
        "till",
    ):
        assert words in page
    assert "Next update by" in page
    spanish = (await anybody.get("/status?lang=es")).text
    assert WORDS["es"] in spanish
    assert '<html lang="es">' in spanish
    assert '<html lang="en">' in (await anybody.get("/status?lang=xx")).text


async def test_the_honest_wait_and_silence_without_figures(anybody, outage, clock) -> None:
    await outage.declare()
    await outage.pulse(waiting=20, agents=2)
    assert re.search(r"The wait is about \d+ to \d+ min", (await anybody.get("/status")).text)
    clock.advance(s=20)
    assert "The wait is" not in (await anybody.get("/status")).text
    await outage.pulse(waiting=20, agents=0)
    assert "The wait is" not in (await anybody.get("/status")).text


async def test_json_and_rss(anybody, outage) -> None:
    row = await outage.declare(title="Cards & tills fail")
    await outage.say(row, "We have found the cause.")
    told = (await anybody.get("/status.json")).json()
    assert told["ok"] is False
    assert told["incidents"][0]["title"] == "Cards & tills fail"
    assert told["incidents"][0]["updates"][0]["words"]["en"] == "We have found the cause."
    feed = await anybody.get("/status.rss")
    assert feed.headers["content-type"].startswith("application/rss+xml")
    items = ElementTree.fromstring(feed.text).findall("./channel/item")
    assert [item.findtext("title") for item in items] == ["Investigating: Cards & tills fail"] * 2


async def test_it_is_served_from_its_files_when_sql_is_away(anybody, rooms, outage, monkeypatch) -> None:
    await outage.declare()
    folder = rooms.surge.data_dir / "public"
    names = {path.name for path in folder.iterdir()}
    assert {"status.html", "status.en.html", "status.es.html", "status.json", "status.rss"} <= names
    assert "<script" not in (folder / "status.html").read_text("utf-8")

    async def away(*_: object) -> None:
        raise Unavailable()

    monkeypatch.setattr(lists, "history", away)
    assert WORDS["en"] in (await anybody.get("/status")).text
    assert WORDS["es"] in (await anybody.get("/status?lang=es")).text
    assert (await anybody.get("/status.json")).json()["stale"] is True
    assert (await anybody.get("/status.rss")).status_code == 200
    for path in folder.iterdir():
        path.unlink()
    assert (await anybody.get("/status")).status_code == 503


async def test_the_file_holds_no_wait(rooms, outage) -> None:
    await outage.pulse(waiting=20, agents=2)
    await outage.declare()
    assert "The wait is" not in (status_page.kept(rooms.surge, "status.html") or "")
    assert json.loads(status_page.kept(rooms.surge, "status.json") or "{}")["wait_min"] is None


# -- text me ------------------------------------------------------------------------------------------------


async def asked(browser, number: str = NUMBER):  # type: ignore[no-untyped-def]
    return await browser.post("/status/text-me", data={"number": number, "lang": "en"})


def token_in(page) -> str:  # type: ignore[no-untyped-def]
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


async def code_in(rooms) -> str:  # type: ignore[no-untyped-def]
    text = (await rows_of(rooms, Text))[-1]
    found = re.search(r"\b\d{6}\b", text.body)
    assert found
    return found[0]


async def test_a_code_and_only_then_a_subscription(anybody, rooms, outage) -> None:
    row = await outage.declare()
    page = await asked(anybody, "(415) 555-2671")
    assert page.status_code == 200
    assert NUMBER not in page.text
    assert await rows_of(rooms, Subscription) == []
    (text,) = await rows_of(rooms, Text)
    assert (text.number, text.kind, text.state) == (NUMBER, "code", "queued")
    token = token_in(page)
    code = await code_in(rooms)
    wrong = "000000" if code != "000000" else "111111"
    assert (await anybody.post("/status/code", data={"token": token, "code": wrong})).status_code == 422
    done = await anybody.post("/status/code", data={"token": token, "code": f" {code} "})
    assert done.headers["location"] == "/status?lang=en&done=texts"
    (told,) = await rows_of(rooms, Subscription)
    assert (told.incident, told.number, told.consent) == (row.id, NUMBER, "code typed on the status page")
    assert "We text you when something changes" in (await anybody.get("/status?done=texts")).text
    again = await anybody.post("/status/code", data={"token": token, "code": code})
    assert again.status_code == 422


async def test_a_code_cannot_be_guessed(anybody, rooms, outage) -> None:
    await outage.declare()
    token = token_in(await asked(anybody))
    code = await code_in(rooms)
    for guess in range(5):
        await anybody.post("/status/code", data={"token": token, "code": f"9{guess:05}"})
    assert (await anybody.post("/status/code", data={"token": token, "code": code})).status_code == 422
    assert await rows_of(rooms, Subscription) == []


@pytest.mark.parametrize("number", ["", "hello", "911", "+1 900 555 0100", "+7 495 123 45 67", "1" * 60])
async def test_numbers_that_are_not_texted(anybody, rooms, outage, number) -> None:
    await outage.declare()
    page = await asked(anybody, number)
    assert page.status_code == 422
    assert "not a number we can text" in page.text
    assert await rows_of(rooms, Text) == []


async def test_pumping_is_stopped_per_number(anybody, rooms, outage) -> None:
    await outage.declare()
    answers = [(await asked(anybody)).status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
    assert len(await rows_of(rooms, Text)) == 3


async def test_pumping_is_stopped_per_address(anybody, rooms, outage) -> None:
    await outage.declare()
    answers = [(await asked(anybody, f"+1415555{2000 + place}")).status_code for place in range(8)]
    assert answers == [200] * 6 + [429] * 2
    page = await asked(anybody)
    assert "Too many codes" in page.text
    assert int(page.headers["retry-after"]) > 0


async def test_pumping_is_stopped_per_block_and_in_all(anybody, rooms, outage, monkeypatch) -> None:
    from dashboard import status_pages
    from dashboard.attempts import Limit

    await outage.declare()
    monkeypatch.setattr(status_pages, "PER_ADDRESS", Limit(1_000, 3_600))
    answers = [(await asked(anybody, f"+1415555{2100 + place}")).status_code for place in range(22)]
    assert answers == [200] * 20 + [429] * 2
    monkeypatch.setattr(status_pages, "IN_ALL", Limit(21, 3_600))
    spread = [(await asked(anybody, f"+1415{557 + place}2100")).status_code for place in range(3)]
    assert spread.count(429) >= 2


async def test_nothing_is_wrong_so_nobody_is_texted(anybody, rooms) -> None:
    page = await asked(anybody)
    assert "nothing to text you about" in page.text
    assert await rows_of(rooms, Text) == []
