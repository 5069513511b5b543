"""Webhooks: what is signed and fresh becomes one suggestion; what is forged or replayed becomes nothing."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from surge import suggestions, switch
from surge.states import Level

SECRET, OLD = "a pagerduty secret", "the secret before"


@pytest.fixture
async def sender(rooms, sign_in):  # type: ignore[no-untyped-def]
    object.__setattr__(rooms, "pagerduty_secrets", (SECRET, OLD))
    object.__setattr__(
        rooms, "hook_secrets", ("whsec_" + b64encode(b"k" * 24).decode(), "plain generic secret")
    )
    return await sign_in(None)


def event(wall: Any, ago_s: int = 0, **more: Any) -> bytes:
    at = datetime.fromtimestamp(wall.now_ms() / 1000 - ago_s, UTC).isoformat()
    data = {
        "id": "PD1",
        "title": "Card API errors",
        "priority": {"summary": "P1"},
        "service": {"summary": "cards"},
    }
    told = {"id": "01EVENT", "event_type": "incident.triggered", "occurred_at": at, "data": data, **more}
    return json.dumps({"event": told}).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-PagerDuty-Signature": "v1=" + hmac.new(secret.encode(), body, sha256).hexdigest()}


async def found(rooms):  # type: ignore[no-untyped-def]
    return await suggestions.open_now(rooms.sql, rooms.clock.now_ms())


async def test_pagerduty_becomes_a_suggestion_and_never_more(sender, rooms, wall) -> None:
    body = event(wall)
    answer = await sender.post("/hooks/pagerduty", content=body, headers=signed(body))
    assert (answer.status_code, answer.json()) == (202, {"taken": "suggested"})
    (told,) = await found(rooms)
    assert (told.source, told.title, told.level, told.severity) == (
        "pagerduty", "Card API errors", Level.SURGE, "critical",
    )  # fmt: skip
    assert told.why == "PagerDuty: Card API errors (P1, on cards)"
    assert (await switch.state(rooms.surge)).level == 0


async def test_the_same_message_counts_once(sender, rooms, wall) -> None:
    body = event(wall)
    await sender.post("/hooks/pagerduty", content=body, headers=signed(body))
    again = await sender.post("/hooks/pagerduty", content=body, headers=signed(body))
    assert again.json() == {"taken": "known already"}
    assert len(await found(rooms)) == 1


async def test_any_secret_signs_and_any_signature_may_fit(sender, wall) -> None:
    body = event(wall)
    header = {"X-PagerDuty-Signature": "v1=00, v2=xx, " + signed(body, OLD)["X-PagerDuty-Signature"]}
    assert (await sender.post("/hooks/pagerduty", content=body, headers=header)).status_code == 202


@pytest.mark.parametrize("header", [{}, {"X-PagerDuty-Signature": "v1="}, {"X-PagerDuty-Signature": "é"}])
async def test_unsigned_or_forged(sender, rooms, wall, header) -> None:
    body = event(wall)
    told = {name: value.encode() for name, value in header.items()}
    answer = await sender.post("/hooks/pagerduty", content=body, headers=told)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    other = await sender.post("/hooks/pagerduty", content=body + b" ", headers=signed(body))
    assert other.status_code == 401
    assert await found(rooms) == []


@pytest.mark.parametrize("ago_s", [301, -301])
async def test_replayed_late(sender, rooms, wall, ago_s) -> None:
    body = event(wall, ago_s=ago_s)
    assert (await sender.post("/hooks/pagerduty", content=body, headers=signed(body))).status_code == 401
    assert await found(rooms) == []


@pytest.mark.parametrize("body", [b"", b"[]", b'{"event": 1}', b"[" * 50_000, b'{"event": {"id": ""}}'])
async def test_signed_nonsense(sender, rooms, body) -> None:
    answer = await sender.post("/hooks/pagerduty", content=body, headers=signed(body))
    assert answer.status_code in (200, 401)
    assert await found(rooms) == []


async def test_other_events_suggest_nothing(sender, rooms, wall) -> None:
    body = event(wall, event_type="incident.annotated")
    answer = await sender.post("/hooks/pagerduty", content=body, headers=signed(body))
    assert answer.json() == {"taken": "nothing to suggest"}
    assert await found(rooms) == []


async def test_too_long(sender) -> None:
    body = b"x" * 300_000
    assert (await sender.post("/hooks/pagerduty", content=body, headers=signed(body))).status_code == 413


async def test_without_a_secret_the_door_is_shut(sign_in, wall) -> None:
    body = event(wall)
    browser = await sign_in(None)
    assert (await browser.post("/hooks/pagerduty", content=body, headers=signed(body, ""))).status_code == 404
    assert (await browser.post("/hooks/generic", content=b"{}")).status_code == 404


def standard(
    body: bytes, wall: Any, *, key: bytes = b"k" * 24, name: str = "msg_1", ago_s: int = 0
) -> dict[str, str]:
    at = str(wall.now_ms() // 1000 - ago_s)
    made = hmac.new(key, f"{name}.{at}.".encode() + body, sha256).digest()
    told = {"webhook-id": name, "webhook-timestamp": at}
    return {**told, "webhook-signature": f"v1,AAAA v1,{b64encode(made).decode()}"}


async def test_generic(sender, rooms, wall) -> None:
    body = json.dumps({"type": "alert", "data": {"title": "Queue \u0007grows\n<b>", "surge": True}}).encode()
    answer = await sender.post("/hooks/generic", content=body, headers=standard(body, wall))
    assert answer.status_code == 202
    (told,) = await found(rooms)
    assert (told.source, told.title, told.level) == ("webhook", "Queue grows <b>", Level.SURGE)
    plain = standard(body, wall, key=b"plain generic secret", name="msg_2")
    assert (await sender.post("/hooks/generic", content=body, headers=plain)).status_code == 202


async def test_generic_forged_replayed_or_empty(sender, rooms, wall) -> None:
    body = b'{"title": "Payments fail"}'
    forged = standard(body, wall, key=b"guess")
    assert (await sender.post("/hooks/generic", content=body, headers=forged)).status_code == 401
    old = standard(body, wall, ago_s=301)
    assert (await sender.post("/hooks/generic", content=body, headers=old)).status_code == 401
    other_id = {**standard(body, wall), "webhook-id": "msg_9"}
    assert (await sender.post("/hooks/generic", content=body, headers=other_id)).status_code == 401
    nothing = b'{"why": "no title"}'
    assert (
        await sender.post("/hooks/generic", content=nothing, headers=standard(nothing, wall))
    ).status_code == 422
    assert await found(rooms) == []


async def test_the_suggestion_is_on_the_console_without_markup(sender, sign_in, wall) -> None:
    body = event(wall, data={"id": "PD2", "title": "<script>alert(1)</script>", "urgency": "high"})
    await sender.post("/hooks/pagerduty", content=body, headers=signed(body))
    page = (await (await sign_in("lead1")).get("/surge")).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
