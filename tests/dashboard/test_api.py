"""The line for programs."""

from __future__ import annotations

import json

import pytest
from openapi_spec_validator import validate

from dashboard.api_document import document


async def test_a_simulated_agents_day(sign_in, rooms, ring_in, clock) -> None:
    """What drill's staff does, by HTTP alone."""
    browser = await sign_in("agent1", csrf=False)
    me = (await browser.get("/api/v1/me")).json()
    assert (me["presence"], me["contact"], me["role"]) == ("off", None, "agent")
    browser.headers["X-CSRF-Token"] = me["csrf"]

    assert (await browser.post("/api/v1/me/ready")).json()["presence"] == "ready"
    await ring_in("CA1")
    me = (await browser.get("/api/v1/me")).json()
    assert (me["presence"], me["contact"]["id"], me["contact"]["merchant"]) == (
        "reserved",
        "CA1",
        "Corner Bakery",
    )
    assert me["deadline_ms"] == clock.now_ms() + rooms.policy.ring_ms

    me = (await browser.post("/api/v1/contacts/CA1/accept", json={"fence": me["fence"]})).json()
    assert me["presence"] == "talking"
    await rooms.line.connect("CA1", clock.now_ms())
    me = (await browser.post("/api/v1/contacts/CA1/hold", json={"fence": me["fence"]})).json()
    assert me["held"]
    me = (await browser.post("/api/v1/contacts/CA1/unhold", json={"fence": me["fence"]})).json()
    assert not me["held"]
    assert (
        await browser.post("/api/v1/contacts/CA1/hang-up", json={"fence": me["fence"]})
    ).status_code == 200
    await rooms.line.finish("CA1", clock.now_ms())
    wrap = {"fence": me["fence"], "outcome": "resolved", "note": "Done."}
    assert (await browser.post("/api/v1/contacts/CA1/wrap-up", json=wrap)).json()["presence"] == "ready"
    assert (await browser.post("/api/v1/me/away", json={"reason": "Lunch"})).json()["reason"] == "Lunch"
    assert (await browser.post("/api/v1/me/off")).json()["presence"] == "off"


@pytest.mark.parametrize(
    ("wish", "given", "then"), [("away", {"reason": "Lunch"}, ("away", "Lunch")), ("off", {}, ("off", ""))]
)
async def test_who_asked_to_go_after_the_talk_goes_when_it_is_written_down(
    wish, given, then, sign_in, ring_in, rooms, clock
) -> None:
    browser = await sign_in("agent1")
    await browser.post("/api/v1/me/ready")
    await ring_in("CA1")
    await ring_in("CA2")
    await browser.post("/api/v1/contacts/CA1/accept", json={"fence": 1})
    await rooms.line.connect("CA1", clock.now_ms())
    assert (await browser.post(f"/api/v1/me/{wish}", json=given)).json()["after"] == wish
    await rooms.line.finish("CA1", clock.now_ms())
    wrap = {"fence": 1, "outcome": "resolved", "note": "Done."}
    me = (await browser.post("/api/v1/contacts/CA1/wrap-up", json=wrap)).json()
    assert (me["presence"], me["reason"], me["contact"]) == (*then, None)


async def test_a_move_that_comes_twice_is_done_once(sign_in, ring_in) -> None:
    browser = await sign_in("agent1")
    await browser.post("/api/v1/me/ready")
    await ring_in("CA1")
    for _ in range(2):
        assert (await browser.post("/api/v1/contacts/CA1/accept", json={"fence": 1})).status_code == 200


async def test_errors_are_problem_details(sign_in, ring_in) -> None:
    browser = await sign_in("agent1")
    await browser.post("/api/v1/me/ready")
    await ring_in("CA1")
    answer = await browser.post("/api/v1/contacts/CA1/accept", json={"fence": 9})
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert (told["status"], told["type"]) == (409, "/api/docs#problem-lost-race")
    assert told["title"]
    assert told["detail"]
    assert told["mend"]
    assert told["instance"] == "/api/v1/contacts/CA1/accept"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/api/v1/contacts/CA1/accept", b"{}", 422, "not-understood"),
        ("POST", "/api/v1/contacts/CA1/accept", b"{not json", 422, "not-understood"),
        ("POST", "/api/v1/contacts/CA1/accept", b'{"fence": "x"}', 422, "not-understood"),
        ("POST", "/api/v1/contacts/CA404/accept", b'{"fence": 1}', 404, "not-found"),
        ("POST", "/api/v1/contacts/a|b/accept", b'{"fence": 1}', 404, "not-found"),
        ("POST", "/api/v1/contacts/CA1/wrap-up", b'{"fence": 1, "outcome": "odd"}', 422, "bad-input"),
        ("GET", "/api/v1/nothing", b"", 404, "not-found"),
        ("DELETE", "/api/v1/queues", b"", 405, "wrong-method"),
        ("PUT", "/api/v1/contacts/CA1/accept", b"", 405, "wrong-method"),
        ("GET", "/api/v1/contacts?count=1000", b"", 422, "not-understood"),
        ("GET", "/api/v1/contacts?day=yesterday", b"", 422, "not-understood"),
        ("GET", "/api/v1/contacts?queue=nowhere", b"", 422, "bad-input"),
    ],
)
async def test_what_bad_input_gets(method, path, body, status, kind, sign_in) -> None:
    browser = await sign_in("admin1")
    answer = await browser.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/api/docs#problem-{kind}"


async def test_what_was_sent_is_not_repeated(sign_in) -> None:
    browser = await sign_in("agent1")
    answer = await browser.post("/api/v1/contacts/CA1/accept", json={"fence": "+14155554471"})
    assert "4155554471" not in answer.text
    assert answer.json()["errors"][0]["field"] == "body.fence"


async def test_a_wrong_method_is_told_the_right_one(sign_in) -> None:
    answer = await (await sign_in("agent1")).delete("/api/v1/contacts/CA1/accept")
    assert answer.headers["allow"] == "POST"


async def test_queues_agents_and_waiting_contacts(sign_in, rooms, ring_in, clock) -> None:
    await ring_in("CA1")
    clock.advance(s=10)
    await ring_in("CA2")
    lead = await sign_in("lead1")
    told = (await lead.get("/api/v1/queues")).json()
    assert [(queue["queue"], queue["waiting"]) for queue in told["queues"]] == [
        ("support", 2),
        ("billing", 0),
    ]
    page = (await lead.get("/api/v1/contacts", params={"queue": "support", "count": 1})).json()
    assert [(one["id"], one["position"]) for one in page["waiting"]] == [("CA1", 1)]
    assert (page["total"], page["next"]) == (2, 1)
    page = (await lead.get("/api/v1/contacts", params={"queue": "support", "count": 1, "start": 1})).json()
    assert ([one["id"] for one in page["waiting"]], page["next"]) == (["CA2"], None)
    await rooms.roster.sign_in(
        "agent2", name="Agent 2", skills={"billing": 0}, line="+14155550177", now_ms=clock.now_ms()
    )
    agents = (await lead.get("/api/v1/agents")).json()["agents"]
    assert [(one["agent"], one["line"]) for one in agents] == [("agent2", "phone")]
    assert "4155550177" not in json.dumps(agents)


@pytest.mark.parametrize(("person", "caller"), [("lead1", "+1 415 ••• 4471"), ("super1", "+14155554471")])
async def test_numbers_are_shown_to_those_who_need_them(person, caller, sign_in, ring_in) -> None:
    await ring_in("CA1")
    answer = await (await sign_in(person)).get("/api/v1/contacts/CA1")
    assert answer.json()["caller"] == caller


async def test_a_days_figures(sign_in, rooms, clock) -> None:
    from queueing.tables import Contact

    async with rooms.sql.session() as session:
        for i, (ends, wait_s) in enumerate(
            [("answered", 10), ("answered", 50), ("abandoned", 3), ("abandoned", 40)]
        ):
            entered = clock.now_ms() - 600_000 + i
            met = entered + wait_s * 1000
            session.add(
                Contact(
                    contact=f"CA{i}",
                    queue="support",
                    caller="+14155554471",
                    entered_ms=entered,
                    answered_ms=met if ends == "answered" else None,
                    ended_ms=met + 60_000 if ends == "answered" else met,
                    handling_ms=90_000 if ends == "answered" else 0,
                    disposition=ends,
                )
            )
        session.add(Contact(contact="CAclosed", entered_ms=clock.now_ms() - 1, disposition="closed"))
    lead = await sign_in("lead1")
    told = (await lead.get("/api/v1/figures")).json()
    assert told["day"] == "2023-11-14"
    total = told["total"]
    assert (total["offered"], total["answered"], total["abandoned"], total["short_abandoned"]) == (4, 2, 1, 1)
    assert (total["service_level"], total["asa_ms"], total["aht_ms"]) == (0.25, 30_000, 90_000)
    assert sum(hour["figures"]["offered"] for hour in told["hours"]) == 4
    page = (await lead.get("/api/v1/contacts", params={"day": "2023-11-14", "count": 2})).json()
    assert (page["total"], page["next"], len(page["record"])) == (5, 2, 2)
    assert "4155554471" not in json.dumps(page)


async def test_the_softphone_gets_its_token(sign_in) -> None:
    told = (await (await sign_in("agent1")).get("/api/v1/softphone")).json()
    assert told == {"kind": "double", "token": "token-for-agent1", "url": "http://127.0.0.1:8081"}


async def test_the_document_is_openapi_3_1_and_open_to_all(sign_in) -> None:
    told = (await (await sign_in(None)).get("/api/v1/openapi.json")).json()
    assert told["openapi"] == "3.1.0"
    validate(told)


async def test_every_problem_is_explained_on_the_apis_page(sign_in) -> None:
    from dashboard.problems import KINDS

    page = (await (await sign_in(None)).get("/api/docs")).text
    for kind in KINDS:
        assert f'id="problem-{kind}"' in page
    for path in document()["paths"]:
        assert path in page
    assert "//" not in page.replace("http://www.w3.org", ""), "nothing is loaded from elsewhere"


async def test_too_much_at_once(sign_in) -> None:
    browser = await sign_in("agent1")
    answer = await browser.post(
        "/api/v1/me/away", content=b"x" * 10_000_001, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 413


async def test_a_store_that_is_away_is_a_503(sign_in, rooms, monkeypatch) -> None:
    from foundation.errors import Unavailable

    async def away(*_args: object) -> None:
        raise Unavailable()

    monkeypatch.setattr(rooms.roster, "agent", away)
    answer = await (await sign_in("agent1")).get("/api/v1/me")
    assert (answer.status_code, answer.json()["type"]) == (503, "/api/docs#problem-away")
    assert answer.headers["retry-after"] == "5"


async def test_what_breaks_is_a_500_that_tells_nothing(sign_in, rooms, monkeypatch) -> None:
    async def broken(*_args: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(rooms.roster, "agent", broken)
    answer = await (await sign_in("agent1")).get("/api/v1/me")
    assert (answer.status_code, answer.json()["type"]) == (500, "/api/docs#problem-failed")
    assert "secret" not in answer.text
