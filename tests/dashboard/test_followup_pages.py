"""The ledger, the notice, dated commitments and the chapter."""

from __future__ import annotations

import pytest

from surge import lists
from surge.states import IncidentState
from tests.pages.outage import Outage


@pytest.fixture
async def lead(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in("lead1")


@pytest.fixture
def outage(rooms) -> Outage:
    return Outage(rooms.surge)


async def state_of(rooms, name: str) -> str:
    row = await lists.follow_up(rooms.sql, name)
    return row.state


async def test_filters_and_counts(lead, outage) -> None:
    row = await outage.declare(scope={"all": True})
    await outage.turned_away(10, row.id)
    page = (await lead.get("/followups")).text
    assert page.count('name="chosen"') == 10
    assert "+1 415 ••• 0001" in page
    assert "4155570001" not in page
    assert (await lead.get("/followups?why=abandoned")).text.count('name="chosen"') == 2
    assert (await lead.get(f"/followups?incident={row.id}&state=open")).text.count('name="chosen"') == 10
    assert "None is like that" in (await lead.get("/followups?state=reached")).text
    assert "Nobody is to be followed up" in (await lead.get("/followups?incident=IN404")).text


async def test_many_are_claimed_reached_and_given_an_end(lead, rooms, outage) -> None:
    await outage.turned_away(4)
    names = ["CAturned0", "CAturned1"]
    claimed = await lead.post("/followups/many", data={"chosen": names, "verb": "claim"})
    assert claimed.headers["location"] == "/followups?done=2"
    assert await state_of(rooms, "CAturned0") == "claimed"
    ended = await lead.post(
        "/followups/many", data={"chosen": names, "verb": "reached", "note": "by  phone", "incident": ""}
    )
    assert ended.headers["location"] == "/followups?done=2"
    row = await lists.follow_up(rooms.sql, "CAturned1")
    assert (row.state, row.ended_by, row.note) == ("reached", "lead1", "by phone")
    again = await lead.post("/followups/many", data={"chosen": [*names, "CAturned2"], "verb": "unreachable"})
    assert again.headers["location"] == "/followups?done=1&not_done=2"


async def test_what_another_has_claimed_is_left_alone(lead, rooms, outage, sign_in) -> None:
    await outage.turned_away(1)
    other = await sign_in("super1")
    await other.post("/followups/many", data={"chosen": ["CAturned0"], "verb": "claim"})
    answer = await lead.post("/followups/many", data={"chosen": ["CAturned0"], "verb": "not_wanted"})
    assert answer.headers["location"] == "/followups?done=0&not_done=1"
    assert await state_of(rooms, "CAturned0") == "claimed"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"verb": "reached"}, "Choose at least one"),
        ({"chosen": ["CAturned0"], "verb": "forget"}, "Say what to do"),
        ({"chosen": [f"CA{place}" for place in range(201)], "verb": "reached"}, "200 follow-ups at most"),
    ],
)
async def test_what_does_not_fit_is_named(lead, rooms, outage, given, words) -> None:
    await outage.turned_away(1)
    answer = await lead.post("/followups/many", data=given)
    assert answer.status_code == 422
    assert words in answer.text
    assert await state_of(rooms, "CAturned0") == "open"


async def test_the_list_closes_only_when_each_has_an_end(lead, rooms, outage) -> None:
    row = await outage.declare(scope={"all": True})
    await outage.turned_away(2, row.id)
    page = (await lead.get(f"/followups?incident={row.id}")).text
    assert "2 are left: the list cannot be closed yet" in page
    early = await lead.post("/followups/close", data={"incident": row.id})
    assert early.status_code == 422
    assert "2 follow-ups are still open" in early.text
    told = {"chosen": ["CAturned0", "CAturned1"], "verb": "reached", "incident": row.id}
    await lead.post("/followups/many", data=told)
    assert (await lead.post("/followups/close", data={"incident": row.id})).status_code == 303
    after = (await lead.get(f"/followups?incident={row.id}&state=")).text
    assert "The list is closed" in after
    assert "100 % done" in after


async def test_the_notice_is_paused_and_goes_on(lead, rooms, outage) -> None:
    row = await outage.declare(scope={"all": True})
    await outage.turned_away(3, row.id)
    assert "Notice that it is over" not in (await lead.get(f"/followups?incident={row.id}")).text
    await outage.say(row, "It works again.", IncidentState.VERIFIED)
    page = (await lead.get(f"/followups?incident={row.id}")).text
    assert "0 still to tell" in page
    assert "3 no text reaches: reach them yourselves" in page
    await lead.post("/followups/notices", data={"incident": row.id, "go": "false"})
    assert "Go on with the notice" in (await lead.get(f"/followups?incident={row.id}")).text
    rooms.clock.advance(s=1)
    await lead.post("/followups/notices", data={"incident": row.id, "go": "true"})
    assert "Pause the notice" in (await lead.get(f"/followups?incident={row.id}")).text
    assert (await lead.post("/followups/notices", data={"incident": "IN404"})).status_code == 422


async def test_a_paused_notice_tells_nobody(lead, rooms, outage) -> None:
    from surge import notices

    row = await outage.declare(scope={"all": True})
    await outage.turned_away(3, row.id)
    await outage.say(row, "It works again.", IncidentState.VERIFIED)
    await lead.post("/followups/notices", data={"incident": row.id, "go": "false"})
    rooms.clock.advance(minutes=60)
    stage = await notices.stage(rooms.surge, row.id, rooms.clock.now_ms())
    assert (stage.paused, stage.tell) == (True, ())


async def test_dated_commitments(lead, rooms, outage) -> None:
    row = await outage.declare(scope={"all": True})
    path = f"/surge/incidents/{row.id}/commitments"
    good = {"what": "Write the post-mortem", "owner": "Lead 1", "due": "2023-11-30"}
    assert (await lead.post(path, data=good)).status_code == 303
    (told,) = await lists.commitments(rooms.sql, row.id)
    assert (told.what, told.owner, told.made_by) == ("Write the post-mortem", "Lead 1", "lead1")
    assert "Write the post-mortem" in (await lead.get("/followups")).text
    assert (await lead.post(f"/surge/commitments/{told.id}/done")).status_code == 303
    assert await lists.commitments(rooms.sql, row.id) == []
    for bad in ({**good, "due": "soon"}, {**good, "what": " "}, {**good, "owner": ""}):
        assert (await lead.post(path, data=bad)).status_code == 422


async def test_the_chapter_as_page_and_as_markdown(lead, rooms, outage, ring_in) -> None:
    await ring_in("CA1")
    row = await outage.declare("Cards fail", scope={"all": True})
    await outage.say(row, "We have found the cause.")
    await outage.turned_away(2, row.id)
    sheet = await lead.get(f"/surge/incidents/{row.id}/chapter.md")
    assert sheet.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "attachment" in sheet.headers["content-disposition"]
    assert sheet.text.startswith("## Support during “Cards fail”")
    assert "We have found the cause." in sheet.text
    page = (await lead.get(f"/surge/incidents/{row.id}")).text
    assert "## Support during" in page
    assert "Who did what" in page


async def test_agents_are_not_let_in(sign_in) -> None:
    browser = await sign_in("agent1")
    for path in ("/surge", "/followups", "/surge/incidents/IN404"):
        assert (await browser.get(path)).status_code == 403
