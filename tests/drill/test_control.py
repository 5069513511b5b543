"""The double's own routes: what the phone page, the desk and the drill steer it with."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VideoGrant, VoiceGrant

from foundation.clock import ManualClock
from tests.drill.product import ACCOUNT, CALLER, OURS, Rehearsal


@pytest.fixture
async def client(rehearsal: Rehearsal) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=rehearsal.network), base_url="http://127.0.0.1:8081"
    ) as client:
        yield client


async def test_somebody_rings_in_presses_speaks_and_hangs_up(
    rehearsal: Rehearsal, client: httpx2.AsyncClient
) -> None:
    rehearsal.product.says["/voice/incoming"] = "<Gather numDigits='2' action='/m' timeout='30'/>"
    rehearsal.product.says["/m"] = "<Gather input='speech' action='/s' speechTimeout='1' timeout='30'/>"
    rehearsal.product.says["/s"] = "<Say language='es-US'>Gracias.</Say><Pause length='60'/>"
    rung = await client.post("/_double/calls", json={"from": CALLER, "to": OURS, "label": "by hand"})
    assert rung.status_code == 201
    path = f"/_double/calls/{rung.json()['sid']}"
    await rehearsal.settles()
    assert (await client.post(f"{path}/press", json={"digits": "12"})).json() == {"heard": True}
    await rehearsal.settles()
    assert (await client.post(f"{path}/press", json={"digits": "1"})).json() == {"heard": False}
    assert (await client.post(f"{path}/speak", json={"text": "hola"})).json() == {"heard": True}
    await rehearsal.passes(2)
    call = (await client.get(path)).json()
    assert (call["from"], call["to"], call["label"], call["stage"]) == (CALLER, OURS, "by hand", "menu")
    assert call["status"] == "in-progress"
    said = next(line for line in call["transcript"] if line["kind"] == "say")
    assert (said["text"], said["language"]) == ("Gracias.", "es-US")
    assert (await client.post(f"{path}/hang_up")).json() == {"status": "completed"}
    assert (await client.get(path)).json()["stage"] == "ended"
    assert (await client.get("/_double/calls?active=1")).json() == {"calls": []}
    assert len((await client.get("/_double/calls")).json()["calls"]) == 1


async def test_the_transcript_streams_as_it_grows(rehearsal: Rehearsal, client: httpx2.AsyncClient) -> None:
    leg = await rehearsal.rings("<Say>Hello.</Say><Pause length='9'/>")
    await rehearsal.passes(10)
    text = (await client.get(f"/_double/calls/{leg.sid}/events")).text
    events = [dict(row.split(": ", 1) for row in block.split("\n")) for block in text.strip().split("\n\n")]
    said = [json.loads(event["data"]) for event in events if event["event"] == "line"]
    assert ["say", "Hello."] in [[line["kind"], line["text"]] for line in said]
    assert events[-1]["event"] == "ended"
    again = (
        await client.get(f"/_double/calls/{leg.sid}/events", headers={"Last-Event-ID": str(len(said))})
    ).text
    assert "event: line" not in again


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/_double/calls", {"to": "+14155559999"}, "not a number of this account"),
        ("/_double/calls", {"script": {"patience": 1}}, "a script has no patience"),
        ("/_double/calls", {"script": "wait"}, "script must be an object"),
        ("/_double/phones/+14155550199", {"answers": "perhaps"}, "answers is"),
        ("/_double/phones/+14155550199", {"then": ["perhaps"]}, "answers is"),
        ("/_double/phones/+14155550199", {"then": "machine"}, "then is a list"),
        ("/_double/faults", {"rules": [{"on": "x"}]}, "webhook"),
        ("/_double/clock", {"advance_ms": -1}, "advance_ms"),
        ("/_double/directory", {"callers": [{"name": "no number"}]}, "a number"),
        ("/_double/clients/connect", {"params": "x"}, "params must be an object"),
    ],
)
async def test_nonsense_is_refused_with_a_reason(
    client: httpx2.AsyncClient, path: str, body: dict[str, object], says: str
) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == 400
    assert says in answer.json()["error"]


async def test_what_is_no_json_is_refused(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/_double/calls", content="{")).status_code == 400
    assert (await client.post("/_double/calls", content="[]")).status_code == 400


async def test_an_unknown_call_is_not_found(client: httpx2.AsyncClient) -> None:
    for path in ("", "/events"):
        assert (await client.get(f"/_double/calls/CA0{path}")).status_code == 404
    assert (await client.post("/_double/calls/CA0/hang_up")).status_code == 404


async def test_a_page_from_elsewhere_may_not_drive_it(client: httpx2.AsyncClient) -> None:
    foreign = {"Origin": "https://example.com"}
    assert (await client.post("/_double/calls", json={}, headers=foreign)).status_code == 403
    assert (await client.get("/_double/calls", headers={"Host": "example.com"})).status_code == 403
    ours = {"Origin": "http://localhost:8080", "Access-Control-Request-Method": "POST"}
    preflight = await client.options("/_double/calls", headers=ours)
    assert preflight.headers["access-control-allow-origin"] == "http://localhost:8080"
    refused = await client.options("/_double/calls", headers={**ours, **foreign})
    assert "access-control-allow-origin" not in refused.headers


async def test_time_passes_when_told(rehearsal: Rehearsal, client: httpx2.AsyncClient) -> None:
    leg = await rehearsal.rings("<Pause length='30'/>")
    before = (await client.get("/_double/clock")).json()["now_ms"]
    after = (await client.post("/_double/clock", json={"advance_ms": 31_000})).json()["now_ms"]
    assert after - before == 31_000
    assert leg.ended
    assert leg.ended_ms == before + 30_000


async def test_violations_are_listed_and_forgotten(rehearsal: Rehearsal, client: httpx2.AsyncClient) -> None:
    await rehearsal.rings("<Speak/>")
    found = (await client.get("/_double/violations")).json()
    assert found["count"] == len(found["violations"]) > 0
    first = found["violations"][0]
    assert (first["code"], first["kind"], first["url"]) == (
        12200,
        "twiml",
        "http://127.0.0.1:8080/voice/incoming",
    )
    assert (await client.delete("/_double/violations")).json() == {"count": 0, "violations": []}


async def test_stats_count_calls_and_webhooks(rehearsal: Rehearsal, client: httpx2.AsyncClient) -> None:
    rehearsal.product.says["/voice/wait"] = "<Play>/clip.wav</Play>"
    await rehearsal.rings("<Enqueue waitUrl='/voice/wait'>support.p1</Enqueue>")
    stats = (await client.get("/_double/stats")).json()
    assert stats["active_calls"] == 1
    assert stats["waiting"] == {"support.p1": 1}
    assert stats["stages"] == {"queue": 1}
    assert stats["counts"]["calls inbound"] == 1
    assert stats["webhooks"]["/voice/incoming"]["count"] == 1


async def test_telephones_are_told_how_to_behave(rehearsal: Rehearsal, client: httpx2.AsyncClient) -> None:
    number = "+14155550199"
    told = await client.post(
        f"/_double/phones/{number}", json={"answers": True, "after_ms": 1000, "keys": "1"}
    )
    assert told.json() == {
        "answers": "human",
        "after_ms": 1000,
        "script": {"presses": [{"when": ".", "digits": "1"}]},
        "text_error": None,
        "then": [],
    }
    rehearsal.product.says["/answer"] = "<Gather numDigits='1' action='/yes'><Say>Press 1.</Say></Gather>"
    rehearsal.product.says["/yes"] = "<Hangup/>"
    await rehearsal.post("Calls", To=number, From=OURS, Url="http://127.0.0.1:8080/answer")
    await rehearsal.passes(4)
    assert rehearsal.product.last("/yes").fields["Digits"] == "1"
    assert (await client.get("/_double/phones/+14155550198")).json()["answers"] == "human"


async def test_the_directory_is_what_the_page_offers(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/_double/directory")).json() == {"callers": [], "numbers": [OURS]}
    shop = {"number": CALLER, "name": "Corner Bakery", "note": "gold"}
    assert (await client.post("/_double/directory", json={"callers": [shop]})).json()["callers"] == [shop]


def token(
    clock: ManualClock,
    *,
    identity: str | None = "agent1",
    secret: str = ACCOUNT.key_secret,
    key: str = ACCOUNT.key_sid,
    account: str = ACCOUNT.sid,
    app: str = ACCOUNT.app_sid,
    ttl_s: int = 3600,
    voice: bool = True,
) -> str:
    now_s = clock.now_ms() // 1000
    made = AccessToken(
        account, key, secret, identity=identity, nbf=now_s - max(0, -ttl_s), valid_until=now_s + ttl_s
    )
    made.add_grant(VoiceGrant(outgoing_application_sid=app) if voice else VideoGrant(room="x"))
    return str(made.to_jwt())


async def test_a_softphone_with_a_good_token_dials_in(
    rehearsal: Rehearsal, client: httpx2.AsyncClient, clock: ManualClock
) -> None:
    asked = {"token": token(clock), "params": {"contact": "CA1", "fence": 3}}
    answer = await client.post("/_double/clients/connect", json=asked)
    assert answer.status_code == 201
    await rehearsal.settles()
    fields = rehearsal.product.last("/voice/agent").fields
    assert (fields["From"], fields["To"], fields["Direction"]) == ("client:agent1", "", "inbound")
    assert (fields["contact"], fields["fence"]) == ("CA1", "3")
    assert fields["ApplicationSid"] == ACCOUNT.app_sid


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"secret": "x" * 32}, "does not hold"),
        ({"key": "SK" + "0" * 32}, "another key"),
        ({"account": "AC" + "0" * 32}, "another account"),
        ({"ttl_s": -10}, "expired"),
        ({"ttl_s": 100_000}, "a day at most"),
        ({"identity": None}, "no identity"),
        ({"identity": "agent one"}, "characters"),
        ({"app": "AP" + "0" * 32}, "application"),
        ({"app": ""}, "no voice grant"),
        ({"voice": False}, "no voice grant"),
    ],
)
async def test_a_softphone_without_is_refused(
    rehearsal: Rehearsal,
    client: httpx2.AsyncClient,
    clock: ManualClock,
    wrong: dict[str, object],
    says: str,
) -> None:
    asked = {"token": token(clock, **wrong)}  # type: ignore[arg-type]  # one wrong thing at a time
    answer = await client.post("/_double/clients/connect", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (401, 20101)
    assert says in answer.json()["error"]
    assert rehearsal.product.asked == []


async def test_what_is_no_token_is_refused(client: httpx2.AsyncClient) -> None:
    for nonsense in ("", "a.b.c", "x"):
        assert (await client.post("/_double/clients/connect", json={"token": nonsense})).status_code == 401
