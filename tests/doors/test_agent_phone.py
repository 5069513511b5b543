"""An agent who works by telephone."""

from __future__ import annotations

import pytest

from queueing.presence import Presence
from queueing.states import ContactState
from tests.doors.handset import Handset

PHONE = "+14155550150"


@pytest.fixture
def rung(caller, agent, desk, web):
    """``shop, phone, errand = await rung()``: a caller is reserved for ann, and her telephone rings."""

    async def give(number: str = "+14155550001"):
        await agent("ann", PHONE)
        shop = caller(number)
        await shop.to_the_line("1")
        now = await desk.line.contact(shop.sid)
        phone = Handset(web, "+14155550100", sid="CA" + "b" * 32)
        return shop, phone, f"contact={shop.sid}&agent=ann&fence={now.fence}"

    return give


async def test_the_agent_hears_who_it_is_and_presses_one(rung, desk):
    shop, phone, errand = await rung()
    heard = await phone.post(f"/voice/agent/answer?{errand}", Direction="outbound-api")
    assert heard.said.startswith(
        "A call from Corner Bakery. It is about payments and card readers. To take it, press 1."
    )
    heard = await phone.press("1")
    assert heard.said == "Thank you. Connecting you with the caller."
    assert heard.one("Conference").get("participantLabel") == "agent"
    now = await desk.line.contact(shop.sid)
    assert (now.state, now.accepted) == (ContactState.RESERVED, True)
    path, form, first = phone.web.asked[-1]
    assert (await phone.web.twilio(path, form)).body == first.body


async def test_a_stranger_is_announced_as_one(rung):
    _, phone, errand = await rung("anonymous")
    heard = await phone.post(f"/voice/agent/answer?{errand}")
    assert heard.said.startswith("A call from a number we do not know.")


@pytest.mark.parametrize("key", ["2", "0", "#", ""])
async def test_any_other_key_offers_the_caller_to_somebody_else(rung, desk, key):
    shop, phone, errand = await rung()
    await phone.post(f"/voice/agent/answer?{errand}")
    heard = await phone.press(key)
    assert heard.said.startswith("You did not press 1.")
    now = await desk.line.contact(shop.sid)
    assert (now.state, now.passed) == (ContactState.WAITING, ("ann",))
    assert (await desk.roster.agent("ann")).presence is Presence.READY


async def test_too_late_is_told(rung, desk, clock):
    shop, phone, errand = await rung()
    await phone.post(f"/voice/agent/answer?{errand}")
    await shop.hang_up()
    assert (await phone.press("1")).said == "This call is no longer waiting for you. Goodbye."
    assert (await phone.post(f"/voice/agent/answer?{errand}")).verbs == ["Say", "Hangup"]


@pytest.mark.parametrize(
    ("status", "presence"), [("busy", "away"), ("failed", "away"), ("no-answer", "reserved")]
)
async def test_a_telephone_that_cannot_be_reached(rung, desk, status, presence):
    shop, phone, errand = await rung()
    await phone.post(f"/voice/agent/status?{errand}", CallStatus=status, Direction="outbound-api")
    assert (await desk.roster.agent("ann")).presence == presence
    assert (await desk.line.contact(shop.sid)).state != ContactState.ENDED


async def test_an_agent_who_hangs_up_while_joining_gives_the_caller_back(rung, desk):
    shop, phone, errand = await rung()
    await phone.post(f"/voice/agent/answer?{errand}")
    await phone.press("1")
    await phone.post(f"/voice/agent/status?{errand}", CallStatus="completed", Direction="outbound-api")
    assert (await desk.line.contact(shop.sid)).state is ContactState.WAITING


async def test_an_agent_waiting_for_a_caller_who_has_gone_is_told(rung, desk):
    shop, phone, errand = await rung()
    await phone.post(f"/voice/agent/answer?{errand}")
    await phone.press("1")
    await shop.hang_up()
    heard = await phone.post(f"/voice/agent/after?{errand}")
    assert heard.said == "The caller has hung up."


@pytest.mark.parametrize(
    "errand", ["", "contact=CA1", "contact=@ann&agent=ann&fence=1", "contact=CA1&agent=%00&fence=x"]
)
@pytest.mark.parametrize("door", ["answer", "accept", "after", "status"])
async def test_odd_errands_are_turned_down(web, door, errand):
    heard = await Handset(web).post(
        f"/voice/agent/{door}?{errand}".rstrip("?"), Digits="1", CallStatus="completed"
    )
    assert heard.verbs in ([], ["Hangup"], ["Say", "Hangup"])
