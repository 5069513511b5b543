"""Promises by the JSON API."""

from __future__ import annotations

import pytest

from callbacks.turns import turn_name


@pytest.fixture
async def agent(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in("agent1")


async def test_a_page_of_promises_without_a_whole_number(agent, owing) -> None:
    await owing.owe_many(9)
    told = (await agent.get("/api/v1/promises?count=4")).json()
    assert (told["total"], told["late"], told["next"], len(told["promises"])) == (9, 1, 4, 4)
    assert told["promises"][0]["number"] == "+1 415 ••• 0001"
    assert told["promises"][0]["late"] is True
    assert "555" not in str(told["promises"][0]["number"])
    assert (await agent.get("/api/v1/promises?queue=billing")).json()["total"] == 0
    assert (await agent.get("/api/v1/promises?queue=nowhere")).status_code == 422


async def test_one_promise_and_its_story(agent, owing, rooms) -> None:
    row = await owing.owe(1)
    await agent.post(f"/api/v1/promises/{row.id}/later", json={"version": 0, "minutes": 30})
    told = (await agent.get(f"/api/v1/promises/{row.id}")).json()
    assert (told["promise"]["state"], told["promise"]["version"]) == ("later", 1)
    assert [(one["kind"], one["by"]) for one in told["happened"]] == [
        ("made", "merchant"),
        ("later", "agent1"),
    ]
    missing = await agent.get("/api/v1/promises/PR404")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"


async def test_claim_skip_and_who_was_first(agent, owing, rooms, sign_in, clock) -> None:
    row = await owing.owe(1)
    for login, name in (("agent1", "Ann"), ("agent2", "Omar")):
        await rooms.roster.sign_in(
            login, name=name, skills={"billing": 0}, line="softphone", now_ms=clock.now_ms()
        )
    told = (await agent.post(f"/api/v1/promises/{row.id}/claim")).json()
    assert (told["state"], told["agent"]) == ("asked", "Ann")
    other = await (await sign_in("agent2")).post(f"/api/v1/promises/{row.id}/claim")
    assert other.status_code == 409
    assert other.json()["type"].endswith("promise-moved")
    assert other.json()["who"] == "Ann"
    me = (await agent.get("/api/v1/me")).json()
    assert me["contact"]["id"] == turn_name(row.id, 1)
    skipped = await agent.post(f"/api/v1/promises/{row.id}/skip", json={"fence": me["fence"], "reason": "x"})
    assert skipped.json()["state"] == "in line"


async def test_an_old_version_changes_nothing(agent, owing) -> None:
    row = await owing.owe(1)
    await owing.change(row.id, tries=1)
    answer = await agent.post(f"/api/v1/promises/{row.id}/later", json={"version": 0, "minutes": 30})
    assert answer.status_code == 409
    assert answer.json()["title"] == "The promise has moved on"


async def test_leads_cancel_and_reschedule(agent, owing, sign_in, clock) -> None:
    row = await owing.owe(1)
    lead = await sign_in("lead1")
    path = f"/api/v1/promises/{row.id}"
    assert (await agent.post(f"{path}/cancel", json={"version": 0, "reason": "x"})).status_code == 403
    ends = {"start_ms": clock.now_ms() + 3_600_000, "end_ms": clock.now_ms() + 7_200_000}
    told = (await lead.post(f"{path}/reschedule", json={"version": 0, **ends})).json()
    assert (told["state"], told["by_ms"]) == ("later", ends["end_ms"])
    half = await lead.post(f"{path}/reschedule", json={"version": 1, "start_ms": 1})
    assert half.status_code == 422
    turn = (await lead.post(f"{path}/reschedule", json={"version": 1})).json()
    assert turn["state"] == "in line"
    ended = (await lead.post(f"{path}/cancel", json={"version": 2, "reason": "All is well"})).json()
    assert ended["state"] == "cancelled"
    again = await lead.post(f"{path}/reschedule", json={"version": 3})
    assert again.status_code == 409


async def test_the_document_has_them(agent) -> None:
    paths = (await agent.get("/api/v1/openapi.json")).json()["paths"]
    assert {path.rpartition("promises")[2] for path in paths if "promises" in path} == {
        "",
        "/{promise}",
        "/{promise}/claim",
        "/{promise}/skip",
        "/{promise}/later",
        "/{promise}/cancel",
        "/{promise}/reschedule",
    }
