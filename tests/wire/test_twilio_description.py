"""Every answer of the double is held against Twilio's own API description, field by field."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate

from drill.network.rest.description import description, find, operations, resolve
from drill.network.rest.door import ACTS, MODELLED
from foundation.clock import ManualClock
from tests.drill.product import ACCOUNT, CALLER, HOOK, OURS, Rehearsal

RFC_2822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d:\d\d \+0000"
)
# Twilio's own examples have relative addresses under "format: uri", and dates RFC 3339 has not.
LOOSE_FORMATS = {"uri", "http-method", "phone-number", "date-time", "endpoint", "uri-map", "currency"}
ROOT = f"/2010-04-01/Accounts/{ACCOUNT.sid}"


@pytest.fixture
async def rehearsal(clock: ManualClock) -> AsyncIterator[Rehearsal]:
    rehearsal = Rehearsal(clock)
    yield rehearsal
    await rehearsal.close()


class Wire:
    """Asks the double and holds each answer against the description."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal
        self.seen: set[str] = set()

    async def __call__(self, method: str, path: str, status: int = 200, **fields: Any) -> Any:
        url = f"{ROOT}{path}.json"
        if method == "GET":
            answer = await self.rehearsal.rest.get(url, params=fields)
        elif method == "POST":
            answer = await self.rehearsal.rest.post(url, data=fields)
        else:
            answer = await self.rehearsal.rest.delete(url)
        await self.rehearsal.settles()
        assert answer.status_code == status, answer.text
        found = find(method, url)
        assert found is not None
        return self.held(found[0].name, method, answer)

    def held(self, name: str, method: str, answer: httpx2.Response) -> Any:
        self.seen.add(name)
        entry = next(
            entry
            for methods in description()["paths"].values()
            for entry in methods.values()
            if isinstance(entry, dict) and entry.get("operationId") == name
        )
        assert str(answer.status_code) in entry["responses"], f"{name} never answers {answer.status_code}"
        if answer.status_code == 204:
            assert answer.content == b""
            return None
        schema = entry["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
        body = answer.json()
        conforms(body, schema, name)
        return body


def conforms(body: Any, schema: dict[str, Any], where: str) -> None:
    """Types, enums, patterns, dates; no field that Twilio has not, none left out."""
    whole = {**schema, "components": description()["components"]}
    faults = [f"{list(fault.path)}: {fault.message}" for fault in OAS30Validator(whole).iter_errors(body)]
    assert not faults, f"{where}: {faults}"
    complete(body, schema, where)


def complete(body: Any, schema: dict[str, Any], where: str) -> None:
    schema = resolve(schema)
    if isinstance(body, list):
        for each in body:
            complete(each, schema["items"], where)
    if isinstance(body, dict) and schema.get("properties"):
        optional = {"reason_conference_ended"} - set(body)
        assert set(body) == set(schema["properties"]) - optional, (
            f"{where}: {set(body) ^ set(schema['properties'])}"
        )
        for name, value in body.items():
            wanted = resolve(schema["properties"][name])
            if wanted.get("format") == "date-time-rfc-2822" and value is not None:
                assert RFC_2822.fullmatch(value), f"{where}.{name}: {value!r}"
            complete(value, wanted, f"{where}.{name}")


def test_the_description_is_sound() -> None:
    validate(description())


def test_what_the_double_acts_out_is_described() -> None:
    described = {operation.name: operation for operation in operations()}
    assert set(ACTS) <= set(described)
    for name, modelled in MODELLED.items():
        assert modelled <= set(described[name].in_form), name


async def test_every_answer_is_as_described(rehearsal: Rehearsal) -> None:
    wire = Wire(rehearsal)
    says = rehearsal.product.says
    says["/wait"] = "<Play>/clip.wav</Play>"
    says["/connect"] = (
        "<Dial><Conference participantLabel='caller'>c1</Conference></Dial><Record action='/x'/>"
    )
    says["/x"] = "<Hangup/>"
    queue = await wire("POST", "/Queues", 201, FriendlyName="support.p1", MaxSize="5000")
    await wire("GET", "/Queues", PageSize="1")
    caller = await rehearsal.rings("<Enqueue waitUrl='/wait'>support.p1</Enqueue>")
    await rehearsal.passes(30)
    await wire("GET", f"/Queues/{queue['sid']}")
    await wire("POST", f"/Queues/{queue['sid']}", MaxSize="4000")
    await wire("GET", f"/Queues/{queue['sid']}/Members")
    member = await wire("GET", f"/Queues/{queue['sid']}/Members/Front")
    assert (member["call_sid"], member["position"], member["wait_time"]) == (caller.sid, 1, 30)
    await wire("GET", f"/Queues/{queue['sid']}/Members/{caller.sid}")
    await wire("GET", "/Calls")
    await wire("POST", f"/Queues/{queue['sid']}/Members/Front", Url=f"{HOOK}/connect")
    await wire("GET", "/Conferences", FriendlyName="c1")
    await rehearsal.rings("<Dial><Conference endConferenceOnExit='true'>c1</Conference></Dial>")
    (room,) = (await wire("GET", "/Conferences"))["conferences"]
    path = f"/Conferences/{room['sid']}"
    await wire("GET", path)
    await wire("GET", f"{path}/Participants")
    await wire("GET", f"{path}/Participants/{caller.sid}")
    await wire("POST", f"{path}/Participants/{caller.sid}", Hold="true")
    await wire("DELETE", f"{path}/Participants/caller", 204)
    caller.keypad.speak("call me back please")
    await rehearsal.passes(9)
    await wire("POST", path, Status="completed")
    await wire("GET", f"/Recordings/{rehearsal.product.last('/x').fields['RecordingSid']}")
    await wire("GET", f"/Calls/{caller.sid}")
    placed = await wire("POST", "/Calls", 201, To="+14155550177", From=OURS, Url=f"{HOOK}/x")
    assert (placed["status"], placed["queue_time"]) == ("queued", "0")
    await wire("POST", f"/Calls/{placed['sid']}", Status="canceled")
    text = await wire("POST", "/Messages", 201, To=CALLER, From=OURS, Body="We are back.")
    await rehearsal.passes(5)
    assert (await wire("GET", f"/Messages/{text['sid']}"))["status"] == "delivered"
    await wire("GET", "/Messages", To=CALLER)
    (number,) = (await wire("GET", "/IncomingPhoneNumbers"))["incoming_phone_numbers"]
    await wire("GET", f"/IncomingPhoneNumbers/{number['sid']}")
    await wire("POST", f"/IncomingPhoneNumbers/{number['sid']}", VoiceUrl=f"{HOOK}/a")
    await wire("DELETE", f"/Queues/{queue['sid']}", 204)
    account = await rehearsal.rest.get(f"{ROOT}.json")
    wire.held("FetchAccount", "GET", account)
    assert wire.seen == set(ACTS)
    assert rehearsal.violations == []


REFUSED = [
    ("GET", "/Nonsense", {}, 404, 20404),
    ("GET", "/Calls/CA1", {}, 404, 20404),
    ("GET", "/Calls/CA" + "0" * 32, {}, 404, 20404),
    ("GET", "/Queues/QU" + "0" * 32 + "/Members", {}, 404, 20404),
    ("GET", "/Calls", {"Colour": "red"}, 400, 20001),
    ("GET", "/Calls", {"Status": "happy"}, 400, 20001),
    ("GET", "/Calls", {"PageSize": "5000"}, 400, 20001),
    ("GET", "/Calls", {"StartTime": "yesterday"}, 400, 20001),
    ("POST", "/Calls", {"From": OURS, "Url": HOOK}, 400, 21201),
    ("POST", "/Calls", {"To": CALLER, "Url": HOOK}, 400, 21213),
    ("POST", "/Calls", {"To": CALLER, "From": OURS}, 400, 21205),
    ("POST", "/Calls", {"To": CALLER, "From": OURS, "Url": "voice"}, 400, 21205),
    ("POST", "/Calls", {"To": "5550123", "From": OURS, "Url": HOOK}, 400, 21217),
    ("POST", "/Calls", {"To": CALLER, "From": "+14155559999", "Url": HOOK}, 400, 21210),
    ("POST", "/Calls", {"To": CALLER, "From": OURS, "Url": HOOK, "Timeout": "soon"}, 400, 20001),
    ("POST", "/Calls", {"To": CALLER, "From": OURS, "Url": HOOK, "Tiemout": "9"}, 400, 20001),
    (
        "POST",
        "/Calls",
        {"To": CALLER, "From": OURS, "Url": HOOK, "StatusCallback": "http://my_host/x"},
        400,
        21609,
    ),
    ("POST", "/Calls", {"To": CALLER, "From": OURS, "Twiml": "x" * 4001}, 400, 20001),
    ("POST", "/Queues", {}, 400, 20001),
    ("POST", "/Queues", {"FriendlyName": "q", "MaxSize": "5001"}, 400, 20001),
    ("POST", "/Queues", {"FriendlyName": "q" * 65}, 400, 20001),
    ("POST", "/Messages", {"To": CALLER, "From": OURS}, 400, 21602),
    ("POST", "/Messages", {"To": CALLER, "From": OURS, "Body": "x" * 1601}, 400, 21617),
    ("POST", "/Messages", {"To": CALLER, "From": "+14155559999", "Body": "x"}, 400, 21606),
    ("POST", "/Messages", {"To": "+15005550004", "From": OURS, "Body": "x"}, 400, 21610),
    ("POST", "/Messages", {"To": "me", "From": OURS, "Body": "x"}, 400, 21211),
]


@pytest.mark.parametrize(("method", "path", "fields", "status", "code"), REFUSED)
async def test_what_twilio_refuses_is_refused_with_its_code(
    rehearsal: Rehearsal, method: str, path: str, fields: dict[str, str], status: int, code: int
) -> None:
    given: dict[str, Any] = {"params": fields} if method == "GET" else {"data": fields}
    answer = await rehearsal.rest.request(method, f"{ROOT}{path}.json", **given)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == {"code", "message", "more_info", "status"}
    assert answer.json()["more_info"] == f"https://www.twilio.com/docs/errors/{code}"


@pytest.mark.parametrize(
    ("method", "path", "fields"),
    [
        ("GET", "/Nonsense", {}),
        ("POST", "/Conferences/CF" + "0" * 32 + "/Participants", {"From": OURS, "To": CALLER}),
        ("POST", "/Calls", {"To": CALLER, "From": OURS, "Url": HOOK, "Tiemout": "9"}),
        ("POST", "/Calls", {"To": CALLER, "From": OURS, "Url": HOOK, "Record": "true"}),
        ("POST", "/Calls", {"To": CALLER, "From": OURS, "Url": HOOK, "StatusCallbackEvent": "done"}),
    ],
)
async def test_what_the_description_has_not_or_the_double_does_not_act_on_is_noted(
    rehearsal: Rehearsal, method: str, path: str, fields: dict[str, str]
) -> None:
    given: dict[str, Any] = {"params": fields} if method == "GET" else {"data": fields}
    await rehearsal.rest.request(method, f"{ROOT}{path}.json", **given)
    assert len(rehearsal.violations) == 1


async def test_another_api_of_twilios_is_not_acted_out(rehearsal: Rehearsal) -> None:
    answer = await rehearsal.rest.get("/v1/Services")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
    assert rehearsal.violations == ["20404 GET /v1/Services is not an operation the double knows"]


async def test_lists_are_paged_as_twilio_pages(rehearsal: Rehearsal) -> None:
    names = [f"queue{i}" for i in range(5)]
    for name in names:
        await rehearsal.post("Queues", FriendlyName=name)
    url, seen = f"{ROOT}/Queues.json?PageSize=2", []
    while url:
        page = (await rehearsal.rest.get(url)).json()
        seen += [queue["friendly_name"] for queue in page["queues"]]
        assert page["page_size"] == 2
        url = page["next_page_uri"]
    assert seen == names
    assert page["previous_page_uri"] is not None
