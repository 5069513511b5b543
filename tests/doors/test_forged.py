"""Forged, altered and replayed webhooks about an incident, and whoever pumps texts: nothing comes of them."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from sqlmodel import select

from callbacks.tables import Promise
from carrier import tables as carrier_tables  # noqa: F401  (made by the fixture sql)
from carrier.tables import InboundText
from drill.network.signing import sign
from ivr import texting
from ivr.app import doors
from surge.states import FollowUpState, Level
from surge.tables import FollowUp
from tests.doors.called_back import SHOP, with_office
from tests.doors.handset import NUMBER, PUBLIC, TOKEN, Handset, Web, below
from tests.doors.incidents import (
    TEXT_OFFER,
    declared,
    deflections,
    level,
    outcome,
    rows,
    texts,
    written_down,
)
from tests.doors.test_incident_texts import turned
from tests.doors.test_texting_commands import Phone
from tests.doors.watched import declare, with_watch

BAKERY = "+14155550001"


@pytest.fixture
async def surge(watch):
    row = await declared(watch)
    await level(watch, Level.SURGE)
    return row


@pytest.fixture
async def offered(caller, surge):
    """A text is offered; 1 would be yes."""
    shop = caller(BAKERY)
    await shop.ring()
    heard = await shop.press("1")
    assert TEXT_OFFER in heard.said
    return shop


def form_of(shop: Handset, **more: str) -> dict[str, str]:
    return {"CallSid": shop.sid, "AccountSid": "AC" + "0" * 32, "From": shop.number, "To": NUMBER} | more


async def sent(web: Web, path: str, form: dict[str, str], signature: str) -> int:
    body = urlencode(form).encode()
    return (await web.ask("POST", path, body, {"x-twilio-signature": signature} if signature else {})).status


@pytest.mark.parametrize("how", ["unsigned", "nonsense", "another token", "another URL", "altered"])
async def test_a_forged_yes_turns_nobody_away(offered, desk, how):
    path = below(offered.heard.one("Gather").get("action"))
    form = form_of(offered, Digits="1")
    signature = {
        "unsigned": "",
        "nonsense": "AAAA",
        "another token": sign("f" * 32, PUBLIC + path, list(form.items())),
        "another URL": sign(TOKEN, PUBLIC + path.replace("asked=1", "asked=2"), list(form.items())),
        "altered": sign(TOKEN, PUBLIC + path, list((form | {"Digits": "2"}).items())),
    }[how]
    assert await sent(offered.web, path, form, signature) == 403
    assert await deflections(desk) == [] == await texts(desk)


async def test_a_yes_that_is_replayed_is_one_text(offered, desk, clock):
    """At once, and when the incident is long told of in other words."""
    first = await offered.press("1")
    path, form, _ = offered.web.asked[-1]
    for minutes in (0, 30):
        clock.advance(minutes=minutes)
        assert (await offered.web.twilio(path, form)).said == first.said
    assert (len(await deflections(desk)), len(await texts(desk))) == (1, 1)
    await written_down(desk)
    assert await outcome(desk, offered.sid) == "deflected"


@pytest.mark.parametrize("signature", ["", "AAAA"])
async def test_a_forged_text_moves_no_follow_up(desk, tmp_path, signature):
    desk = with_office(with_watch(desk, tmp_path))
    await turned(desk, await declare(desk))
    form = {
        "MessageSid": "SM" + "1" * 32,
        "From": SHOP,
        "To": NUMBER,
        "Body": "1",
        "AccountSid": "AC" + "0" * 32,
    }
    assert await sent(Web(doors(desk)), "/sms/incoming", form, signature) == 403
    assert await rows(desk, InboundText) == []
    assert [row.state for row in await rows(desk, FollowUp)] == [FollowUpState.OPEN]


async def test_an_old_text_that_is_replayed_undoes_no_later_one(desk, tmp_path, clock):
    """A "2", then a "1"; the "2" once more a day later is answered as it was, and calls nobody."""
    desk = with_office(with_watch(desk, tmp_path))
    await turned(desk, await declare(desk))
    shop = Phone(desk)
    still_down = await shop.writes("2", sid="SM" + "a" * 32)
    assert "You are back in line" in still_down
    await shop.writes("1")
    clock.advance(minutes=24 * 60)
    assert await shop.writes("2", sid="SM" + "a" * 32) == still_down
    (row,) = await rows(desk, FollowUp)
    assert row.state == FollowUpState.WORKS
    async with desk.sql.reading() as session:
        assert [each.state for each in await session.exec(select(Promise))] == ["resolved"]


# --- pumping --------------------------------------------------------------------------------------------


async def test_a_block_of_numbers_is_texted_so_often_and_then_joins_the_line(surge, desk, watch):
    desk = replace(desk, watch=replace(watch, policy=replace(watch.policy, prefix_cap_per_h=3)))
    web = Web(doors(desk))
    said = []
    for n in range(5):
        shop = Handset(web, f"+1415555{7000 + n}")
        await shop.ring()
        said.append(TEXT_OFFER in (await shop.press("1")).said)
        if shop.heard.has("Gather"):
            await shop.press("1")
        else:
            assert shop.heard.has("Enqueue")
    assert said == [True] * 3 + [False] * 2
    assert len(await texts(desk)) == 3
    # Another block is texted.
    elsewhere = Handset(web, "+12125557000")
    await elsewhere.ring()
    assert TEXT_OFFER in (await elsewhere.press("1")).said


async def test_a_number_that_writes_on_and_on_is_obeyed_and_not_answered(desk, clock):
    desk = with_office(desk)
    shop = Phone(desk)
    answers = [bool(await shop.writes("STATUS")) for _ in range(texting.ANSWERS_PER_H + 3)]
    assert answers == [True] * texting.ANSWERS_PER_H + [False] * 3
    other = Phone(desk, "+14155550001")
    assert await other.writes("STATUS")
    clock.advance(minutes=61)
    assert await shop.writes("STATUS")
