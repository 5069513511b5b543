"""When Twilio could not get an answer from another door."""

from __future__ import annotations

from queueing.states import ContactState
from tests.doors.handset import Handset

FAILED = {"ErrorCode": "11200", "ErrorUrl": "https://voice.example.com/voice/menu?lang=es"}


async def test_a_caller_of_whom_nothing_is_known_is_put_in_the_line(caller, desk):
    shop = caller("+14155550001")
    heard = await shop.post("/voice/fallback", **FAILED)
    assert heard.said == "We are having trouble on our side. Please stay on the line."
    assert heard.one("Enqueue").text == "support.p1"
    assert (await desk.line.contact(shop.sid)).card.merchant == "Corner Bakery"


async def test_a_caller_in_the_line_goes_back_to_the_same_place(caller, desk):
    shop = caller()
    await shop.to_the_line("1")
    before = await desk.line.contact(shop.sid)
    heard = await shop.post("/voice/fallback", **FAILED)
    assert heard.one("Enqueue").text == "payments.p2"
    assert await desk.line.contact(shop.sid) == before


async def test_a_caller_whose_agent_is_waiting_goes_on_to_the_agent(caller, desk, agent, clock):
    await agent("ann")
    shop = caller()
    await shop.to_the_line("1")
    now = await desk.line.contact(shop.sid)
    await desk.line.accept(shop.sid, "ann", now.fence, clock.now_ms())
    heard = await shop.post("/voice/fallback", **FAILED)
    assert heard.one("Conference").text == f"{shop.sid}-{now.fence}"


async def test_a_caller_whose_talk_is_over_is_not_sent_back_into_it(caller, desk, agent, clock):
    """The agent ended it, and the goodbye could not be fetched: the agent will not be in there any more."""
    await agent("ann")
    shop = caller()
    await shop.to_the_line("1")
    fence = (await desk.line.contact(shop.sid)).fence
    await desk.line.accept(shop.sid, "ann", fence, clock.now_ms())
    await desk.line.connect(shop.sid, clock.now_ms())
    url = f"https://voice.example.com/voice/after?lang=en&fence={fence}"
    heard = await shop.post("/voice/fallback", ErrorCode="11200", ErrorUrl=url)
    assert not heard.has("Conference")
    assert heard.verbs[-1] == "Hangup"
    assert (await desk.line.contact(shop.sid)).disposition == "answered"


async def test_a_caller_who_has_gone_is_let_go(caller, desk):
    shop = caller()
    await shop.to_the_line("1")
    heard = await shop.post("/voice/fallback", CallStatus="completed", **FAILED)
    assert heard.verbs == ["Hangup"]
    assert (await desk.line.contact(shop.sid)).state is ContactState.ENDED


async def test_an_agents_leg_is_not_put_in_the_line(web, desk):
    for number, direction in [("client:ann", "inbound"), ("+14155550100", "outbound-api")]:
        heard = await Handset(web, number).post("/voice/fallback", Direction=direction, **FAILED)
        assert heard.verbs == ["Say", "Hangup"]
    assert (await desk.line.look(0)).queues["support"].waiting == 0
