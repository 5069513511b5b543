"""Incidents, the level and the follow-ups for programs."""

from __future__ import annotations

import pytest

from tests.pages.outage import Outage

API = "/api/v1"
NEW = {"title": "Card payments fail", "words": {"en": "Card payments fail."}, "scope": {"all": True}}


@pytest.fixture
async def lead(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in("lead1")


async def test_the_level_is_set_and_two_close_the_line(lead, sign_in) -> None:
    assert (await lead.get(f"{API}/level")).json()["name"] == "calm"
    told = (await lead.post(f"{API}/level", json={"level": 2, "reason": "calls pile up"})).json()
    assert (told["name"], told["set_by"], told["reason"]) == ("surge", "lead1", "calls pile up")
    assert (await lead.post(f"{API}/level", json={"level": 3})).json()["asked_by"] == "lead1"
    assert (await lead.post(f"{API}/level", json={"level": 3})).json()["level"] == 2
    other = await sign_in("super1")
    assert (await other.post(f"{API}/level", json={"level": 3})).json()["name"] == "closed_to_new"
    assert (await lead.post(f"{API}/level", json={"level": 4})).status_code == 422


async def test_from_calm_the_line_is_not_closed(lead) -> None:
    answer = await lead.post(f"{API}/level", json={"level": 3})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"


async def test_declare_post_and_read(lead, sign_in) -> None:
    made = (await lead.post(f"{API}/incidents", json=NEW)).json()["incident"]
    assert (made["version"], made["state"], made["declared_by"]) == (1, "investigating", "lead1")
    path = f"{API}/incidents/{made['id']}"
    told = {
        "version": 1,
        "words": {"en": "We have found the cause."},
        "state": "identified",
        "next_update_min": 15,
    }
    after = (await lead.post(f"{path}/updates", json=told)).json()
    assert (after["incident"]["state"], len(after["updates"])) == ("identified", 2)
    late = await lead.post(f"{path}/updates", json={**told, "words": {"en": "Something else."}})
    assert late.status_code == 409
    assert (late.json()["who"], late.json()["what"]) == ("lead1", "We have found the cause.")
    agent = await sign_in("agent1")
    assert (await agent.get(f"{API}/incidents?live=true")).json()["incidents"][0]["id"] == made["id"]
    assert (await agent.post(f"{path}/updates", json=told)).status_code == 403
    assert (await lead.get(f"{API}/incidents/IN404")).status_code == 404


@pytest.mark.parametrize(
    "more", [{"scope": {}}, {"scope": {"planets": ["Mars"]}}, {"words": {"en": "<b>"}}, {"severity": "awful"}]
)
async def test_what_does_not_fit(lead, more) -> None:
    answer = await lead.post(f"{API}/incidents", json={**NEW, **more})
    assert answer.status_code == 422
    assert answer.json()["detail"]


async def test_follow_ups(lead, rooms) -> None:
    await Outage(rooms.surge).turned_away(3)
    told = (await lead.get(f"{API}/followups?unfinished=true&count=2")).json()
    assert (told["total"], told["open"], told["next"]) == (3, 3, 2)
    assert told["follow_ups"][0]["number"] == "+1 415 ••• 0000"
    done = await lead.post(f"{API}/followups/CAturned0", json={"verb": "reached", "note": "by phone"})
    assert (done.json()["state"], done.json()["ended_by"]) == ("reached", "lead1")
    again = await lead.post(f"{API}/followups/CAturned0", json={"verb": "unreachable"})
    assert again.status_code == 409
    assert again.json()["what"] == "reached"
    assert (await lead.post(f"{API}/followups/CA404", json={"verb": "reached"})).status_code == 404
    assert (await lead.post(f"{API}/followups/CAturned1", json={"verb": "x"})).status_code == 422


async def test_the_ledger_of_an_incident_is_closed_when_each_row_has_its_end(lead, rooms) -> None:
    row = await Outage(rooms.surge).declare()
    await Outage(rooms.surge).turned_away(1, row.id)
    path = f"{API}/incidents/{row.id}/close"
    early = await lead.post(path, json={})
    assert early.status_code == 422
    assert "1 follow-ups are still open" in early.text
    await lead.post(f"{API}/followups/CAturned0", json={"verb": "reached"})
    closed = await lead.post(path, json={})
    assert closed.status_code == 200
    assert closed.json()["follow_ups"] == {"reached": 1}
    assert (await lead.post(f"{API}/incidents/INnone/close", json={})).status_code == 404
