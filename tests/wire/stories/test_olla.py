"""Olla, 7 October 2020: every online store was down for four and a half hours; customers who wanted to order
rang, and the retailers. The page said "some customers" five times over. Afterwards each was followed up.

Lessons: two audiences, each told in its own words; "some" is not said when it is all, nor the same thing
twice; each caller has an end on record, by the list, not by memory.
"""

from __future__ import annotations

from surge.states import FollowUpState
from tests.wire.stories.centre import ABOUT_THIS, TAKES_THE_TEXT, comes_to

MERCHANTS = """name,numbers,product
Green Door,+1 415 555 0001,Online store
Leaf and Co,+1 415 555 0002,Online store
"""
DOOR, LEAF = "+14155550001", "+14155550002"
CUSTOMER, OTHER = "+14155550041", "+14155550042"
DOWN = "All online stores are down. The retailers' dashboard works."


async def test_two_audiences_each_followed_up(centre, clock):
    comes_to(clock, 2, 17, 6)
    olla = await centre(MERCHANTS)
    lead = olla.lead
    incident = await lead.declares("Online stores down", DOWN, all="1", audience="both", severity="critical")
    await lead.sets_level(2)

    # What was said five times then cannot be said once here.
    some = "Some customers may be experiencing issues accessing their online store."
    assert "it touches everybody; say so" in await lead.warnings(incident, some)
    assert "These are the words of the last update" in await lead.warnings(incident, DOWN)

    for number in (DOOR, CUSTOMER, OTHER):
        leg = await olla.calls_in(number, **TAKES_THE_TEXT)
        assert DOWN in olla.heard_by(leg)
        assert leg.ended
    hidden = await olla.calls_in("anonymous", presses=[ABOUT_THIS])
    assert "get a text" not in olla.heard_by(hidden)
    leaf = await olla.calls_in(LEAF, presses=[ABOUT_THIS])
    for leg in (hidden, leaf):
        assert not leg.ended
        await olla.hangs_up(leg)
    await olla.passes(5)

    # Repaired: a retailer is asked whether it works, a customer is asked to order anew.
    await olla.goes_by(90)
    await lead.says(incident, "All online stores are open again.", state="verified")
    await olla.goes_by(19)
    assert "Is it working for you? Reply 1 if it works" in olla.read_by(DOOR)[-1]
    for number in (CUSTOMER, OTHER):
        assert "You can place your order again. If that does not work, reply 2." in olla.read_by(number)[-1]
    await olla.texts_back(DOOR, "1")
    assert "You are back in line" in await olla.texts_back(OTHER, "2")
    await lead.says(incident, "All online stores have stayed open.", state="resolved")
    await olla.goes_by(25 * 60, step_s=3600 * 5)

    ledger = await olla.ledger(incident)
    assert {number: (row.audience, row.state) for number, row in ledger.items()} == {
        DOOR: ("merchants", FollowUpState.WORKS),
        LEAF: ("merchants", FollowUpState.OPEN),
        CUSTOMER: ("customers", FollowUpState.WORKS),
        OTHER: ("customers", FollowUpState.OPEN),
        "": ("customers", FollowUpState.NOT_WANTED),
    }
    page = await lead.opens(f"/followups?incident={incident.id}&audience=customers&state=unfinished")
    assert "Customers" in page or "Their customers" in page
    assert "Leaf and Co" not in page
    assert "Check your order or your card once more." in page
