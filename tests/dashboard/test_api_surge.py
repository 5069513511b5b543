"""Incidents, the level and the follow-ups for programs."""

from __future__ import annotations

import asyncio

import pytest

from merchants.tables import Merchant
from surge import board
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


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("Payments <b>fail</b>.", "markup"),
        ("Payments fail &amp; fail.", "markup"),
        ("Payments fail 💳.", "pictures"),
        ("Pay\u202ements fail.", "cannot be seen"),
        ("Payments\u0000 fail.", "cannot be seen"),
        ("Payments fail. " * 700, "s to say"),
        ("Some customers cannot pay.", "touches everybody"),
        ("Card payments fail.", "the words of the last update"),
        ("\n \t", "no words"),
    ],
)
async def test_an_update_that_cannot_be_heard_changes_nothing(lead, rooms, words, why) -> None:
    made = (await lead.post(f"{API}/incidents", json=NEW)).json()["incident"]
    path = f"{API}/incidents/{made['id']}"
    before = await board.read(rooms.redis, rooms.surge.centre)
    answer = await lead.post(f"{path}/updates", json={"version": 1, "words": {"en": words}})
    assert answer.status_code == 422
    assert why in answer.json()["detail"]
    for where in ("do", "dont"):
        if why in ("markup", "pictures", "cannot be seen"):
            told = {"version": 1, "words": {"en": "They still fail."}, where: words}
            assert (await lead.post(f"{path}/updates", json=told)).status_code == 422
    told = (await lead.get(path)).json()
    assert (told["incident"]["version"], len(told["updates"])) == (1, 1)
    assert await board.read(rooms.redis, rooms.surge.centre) == before


@pytest.mark.parametrize("title", ["<script>alert(1)</script>", "Cards 💳", "Cards\u202e", "x" * 10_000, " "])
async def test_a_title_that_cannot_be_heard(lead, rooms, title) -> None:
    answer = await lead.post(f"{API}/incidents", json={**NEW, "title": title})
    assert answer.status_code == 422
    assert (await lead.get(f"{API}/incidents")).json()["incidents"] == []


async def test_a_scope_that_matches_nobody_is_named_and_not_declared(lead, rooms) -> None:
    async with rooms.sql.session() as session:
        session.add(Merchant(name="Corner Bakery", key="corner bakery", product="till"))
    nobody = {**NEW, "scope": {"products": ["toaster"]}}
    answer = await lead.post(f"{API}/incidents", json=nobody)
    assert answer.status_code == 422
    assert "touches none of the merchants" in answer.json()["detail"]
    assert (await lead.get(f"{API}/incidents")).json()["incidents"] == []
    row = (await lead.post(f"{API}/incidents", json={**NEW, "scope": {"products": ["till"]}})).json()[
        "incident"
    ]
    edit = {"version": "1", "products": "toaster"}
    page = await lead.post(f"/surge/incidents/{row['id']}/edit", data=edit)
    assert page.status_code == 422
    assert "touches none of the merchants" in page.text
    seen = {"title": "Cards fail", "words.en": "Cards fail.", "products": "toaster"}
    preview = (await lead.post("/surge/preview", data=seen)).text
    assert "touches none of the merchants" in preview
    assert (await lead.get(f"{API}/incidents/{row['id']}")).json()["incident"]["scope"] == {
        "products": ["till"]
    }


async def test_two_leads_post_in_the_same_moment_and_the_second_sees_the_first(lead, sign_in) -> None:
    made = (await lead.post(f"{API}/incidents", json=NEW)).json()["incident"]
    path, other = f"{API}/incidents/{made['id']}/updates", await sign_in("super1")
    words = {"lead1": "We have found the cause.", "super1": "We are still looking."}
    answers = await asyncio.gather(
        *(
            browser.post(path, json={"version": 1, "words": {"en": words[name]}})
            for name, browser in (("lead1", lead), ("super1", other))
        )
    )
    first, second = sorted(answers, key=lambda answer: answer.status_code)
    assert (first.status_code, second.status_code) == (200, 409)
    theirs = first.json()["updates"][0]
    assert (second.json()["who"], second.json()["what"]) == (theirs["by"], theirs["words"]["en"])
    (late,) = set(words) - {theirs["by"]}
    again = await (lead if late == "lead1" else other).post(
        path, json={"version": 2, "words": {"en": words[late]}}
    )
    assert [update["by"] for update in again.json()["updates"]] == [late, theirs["by"], "lead1"]


async def test_an_eta_is_kept_put_off_and_taken_back(lead, clock) -> None:
    asked = {**NEW, "eta_min": 10, "eta_source": "Our host"}
    made = (await lead.post(f"{API}/incidents", json=asked)).json()["incident"]
    assert made["eta_ms"] == clock.now_ms() + 10 * 60_000
    path = f"{API}/incidents/{made['id']}/updates"
    told = []
    for version, more in enumerate(({"eta_min": 30}, {}, {"eta_min": 0}), 1):
        post = {"version": version, "words": {"en": f"Step {version}."}, **more}
        after = (await lead.post(path, json=post)).json()["incident"]
        told.append((after["eta_ms"], after["eta_slips"], after["eta_source"]))
    later = clock.now_ms() + 30 * 60_000
    assert told == [(later, 1, "Our host"), (later, 1, "Our host"), (None, 1, "Our host")]


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
