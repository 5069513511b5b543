"""A message instead of a talk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from announcements import catalog
from foundation.errors import Unavailable
from ivr.app import doors
from queueing.tables import VoiceMessage
from tests.doors.handset import Handset, Web, below, journalled

SID = "RE" + "1" * 32
URL = f"https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/{SID}"


@pytest.fixture
def recording(caller):
    """``shop = await recording()``: a caller who left the line, and hears the tone."""

    async def give(number: str = "+14155550001", web: Web | None = None) -> Handset:
        shop = caller(number)
        shop.web = web or shop.web
        await shop.to_the_line("1")
        await shop.wait()
        await shop.press("*")
        await shop.left("leave")
        return shop

    return give


async def spoken(shop: Handset, **more: str):
    action = below(shop.heard.one("Record").get("action"))
    return await shop.post(action, **({"RecordingUrl": URL, "RecordingDuration": "12", "Digits": "#"} | more))


async def test_a_message_is_kept_before_we_say_so(recording, desk):
    shop = await recording()
    heard = await spoken(shop)
    assert heard.said == "Thank you. We have your message. Goodbye."
    assert heard.verbs[-1] == "Hangup"
    async with desk.sql.reading() as session:
        message = await session.get(VoiceMessage, SID)
    assert (message.contact, message.caller, message.length_s, message.url) == (
        shop.sid,
        "+14155550001",
        12,
        URL,
    )
    event = (await journalled(desk))[-1]
    assert (event.kind, event.fields) == ("message", {"recording": SID, "length_s": "12", "url": URL})


async def test_told_twice_it_is_one_message(recording, desk, web):
    shop = await recording()
    first = await spoken(shop)
    path, form, _ = web.asked[-1]
    assert (await web.twilio(path, form)).body == first.body


async def test_in_spanish_too(recording):
    shop = await recording()
    shop.heard = await shop.post("/voice/message?lang=es")
    heard = await spoken(shop)
    assert heard.said == f"{catalog.voice('es', 'message_thanks').text} {catalog.voice('es', 'goodbye').text}"
    assert heard.languages == ["es-US"]


@pytest.mark.parametrize(
    "nothing",
    [{"RecordingDuration": "0"}, {"RecordingUrl": ""}, {"RecordingDuration": ""}, {"RecordingUrl": "x"}],
)
async def test_silence_is_asked_once_more(recording, desk, nothing):
    shop = await recording()
    heard = await spoken(shop, **nothing)
    assert heard.said.startswith("We did not hear a message. Please try once more. After the tone")
    heard = await spoken(shop, **nothing)
    assert heard.said == "We did not hear a message. Goodbye."
    assert "message" not in [event.kind for event in await journalled(desk)]


async def test_without_sql_the_journal_has_it(recording, desk):
    web = Web(doors(replace(desk, sql=None)))
    shop = await recording(web=web)
    assert (await spoken(shop)).said.startswith("Thank you. We have your message.")


async def test_with_neither_nothing_is_promised(recording, desk):
    class Gone:
        def __getattr__(self, name):
            async def away(*_, **__):
                raise Unavailable("away")

            return away

    shop = await recording()
    shop.web = Web(doors(replace(desk, sql=None, redis=Gone())))
    assert (await spoken(shop)).said == "Goodbye."


async def test_twilio_tells_when_the_recording_can_be_fetched(recording, desk):
    shop = await recording()
    told = {"RecordingSid": SID, "RecordingUrl": URL, "RecordingDuration": "12"}
    await shop.post("/voice/message/recording", RecordingStatus="completed", **told)
    assert (await journalled(desk))[-1].kind == "message"
    before = len(await journalled(desk))
    await shop.post("/voice/message/recording", RecordingStatus="absent", **told)
    assert len(await journalled(desk)) == before


async def test_a_message_may_be_asked_for_directly(caller):
    assert (await caller().post("/voice/message?lang=es")).one("Record").get("maxLength") == "120"
