"""People who write to us, and what their telephones get."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from twilio.request_validator import RequestValidator

from drill.network.exchange import Phone
from drill.network.handsets import ANSWERS
from drill.network.legs import Target
from tests.drill.product import CALLER, HOOK, OURS, TOKEN, Answered, Rehearsal


@pytest.fixture
async def client(rehearsal: Rehearsal) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=rehearsal.network), base_url="http://127.0.0.1:8081"
    ) as client:
        yield client


class Handset:
    """The caller's telephone."""

    def __init__(self, rehearsal: Rehearsal, client: httpx2.AsyncClient) -> None:
        self.rehearsal, self.client = rehearsal, client

    async def writes(self, body: str, answer: str | Answered | None = None) -> str:
        if answer is not None:
            self.rehearsal.product.says["/sms/incoming"] = answer
        told = await self.client.post("/_double/texts", json={"from": CALLER, "body": body})
        assert told.status_code == 201, told.text
        await self.rehearsal.passes(6)
        sid: str = told.json()["sid"]
        return sid

    async def got(self) -> list[str]:
        return [text["body"] for text in await self.shows() if text["direction"] != "inbound"]

    async def shows(self) -> list[dict[str, str]]:
        found = (await self.client.get("/_double/texts", params={"number": CALLER})).json()["texts"]
        texts: list[dict[str, str]] = found
        return texts


@pytest.fixture
def handset(rehearsal: Rehearsal, client: httpx2.AsyncClient) -> Handset:
    return Handset(rehearsal, client)


async def test_a_text_in_is_told_signed_and_answered(rehearsal: Rehearsal, handset: Handset) -> None:
    sid = await handset.writes("Is it my turn? ñ", "<Message>Soon &amp; surely.</Message>")
    asked = rehearsal.product.last("/sms/incoming")
    assert asked.fields["MessageSid"] == asked.fields["SmsSid"] == sid
    assert (asked.fields["From"], asked.fields["To"]) == (CALLER, OURS)
    assert (asked.fields["Body"], asked.fields["NumMedia"]) == ("Is it my turn? ñ", "0")
    signature = asked.headers["x-twilio-signature"]
    assert RequestValidator(TOKEN).validate(f"{HOOK}/sms/incoming", asked.fields, signature)
    assert [(text["direction"], text["body"]) for text in await handset.shows()] == [
        ("inbound", "Is it my turn? ñ"),
        ("outbound-reply", "Soon & surely."),
    ]
    assert rehearsal.violations == []


async def test_plain_text_is_sent_as_it_stands_and_nothing_is_nothing(
    rehearsal: Rehearsal, handset: Handset
) -> None:
    await handset.writes("a", Answered("oops, a traceback", kind="text/plain"))
    await handset.writes("b", Answered("", kind=None, status=204))
    await handset.writes("c", "")
    assert await handset.got() == ["oops, a traceback"]
    assert rehearsal.violations == []


@pytest.mark.parametrize(
    ("answer", "breach"),
    [
        ("<Say>Hello.</Say>", "12200 Response/Say: not allowed inside <Response>"),
        ("<Message/>", "12200 Response/Message: wants either a text or a <Body> or <Media>"),
        ("<Message loud='yes'>x</Message>", "12200 Response/Message: no attribute 'loud' on this element"),
        ("<Message><Body>x</Body><Media>/a.png</Media></Message>", "0 the double does not act out <Media>"),
        (Answered("{}", kind="application/json"), "12300 the content type is 'application/json'"),
        (Answered("<Response><Message>", kind="text/xml"), "12100 not well-formed XML"),
        (f"<Message>{'x' * 1601}</Message>", "21617 a reply of 1601 characters"),
    ],
)
async def test_an_answer_is_read_strictly(
    rehearsal: Rehearsal, handset: Handset, answer: str | Answered, breach: str
) -> None:
    await handset.writes("hello", answer)
    assert rehearsal.violations[0].startswith(breach)


async def test_a_body_redirects_and_other_receivers(rehearsal: Rehearsal, handset: Handset) -> None:
    rehearsal.product.says["/sms/next"] = (
        "<Message to='+14155550177' statusCallback='/sms/status'>For you.</Message>"
    )
    await handset.writes("go", "<Message><Body>First.</Body></Message><Redirect>/sms/next</Redirect>")
    assert await handset.got() == ["First."]
    told = rehearsal.product.all("/sms/status")
    assert [each.fields["MessageStatus"] for each in told] == ["sent", "delivered"]
    assert told[0].fields["To"] == "+14155550177"


async def test_stop_is_obeyed_by_the_network_before_us(rehearsal: Rehearsal, handset: Handset) -> None:
    await handset.writes(" stop ", "")
    assert rehearsal.product.last("/sms/incoming").fields["Body"] == " stop "
    assert await handset.got() == [ANSWERS["STOP"]]
    refused = await rehearsal.post("Messages", To=CALLER, From=OURS, Body="Your turn.")
    assert refused.json()["code"] == 21610
    await handset.writes("hello", "<Message>We must not.</Message>")
    assert rehearsal.violations == ["21610 an answer to a number that has opted out"]
    await handset.writes("START", "")
    assert (await rehearsal.post("Messages", To=CALLER, From=OURS, Body="Your turn.")).status_code == 201
    await rehearsal.passes(5)
    assert await handset.got() == [ANSWERS["STOP"], ANSWERS["START"], "Your turn."]


async def test_only_the_whole_text_is_a_word(rehearsal: Rehearsal, handset: Handset) -> None:
    await handset.writes("STOP please", "")
    await handset.writes("help", "")
    assert await handset.got() == [ANSWERS["HELP"]]
    assert rehearsal.exchange.opted_out == set()


async def test_a_landline_gets_nothing_and_that_is_said(
    rehearsal: Rehearsal, handset: Handset, client: httpx2.AsyncClient
) -> None:
    told = await client.post(f"/_double/phones/{CALLER}", json={"text_error": 30006})
    assert told.json()["text_error"] == 30006
    assert rehearsal.exchange.phones[CALLER] == Phone(text_error=30006)
    made = await rehearsal.post(
        "Messages", To=CALLER, From=OURS, Body="Hello.", StatusCallback=f"{HOOK}/sms/status"
    )
    await rehearsal.passes(5)
    last = rehearsal.product.last("/sms/status").fields
    assert (last["MessageStatus"], last["ErrorCode"]) == ("undelivered", "30006")
    shown = await rehearsal.get(f"Messages/{made.json()['sid']}")
    assert (shown["status"], shown["error_code"]) == ("undelivered", 30006)
    assert await handset.got() == []
    wrong = await client.post(f"/_double/phones/{CALLER}", json={"text_error": "no"})
    assert wrong.status_code == 400


async def test_the_fallback_is_asked_when_the_door_is_broken(rehearsal: Rehearsal, handset: Handset) -> None:
    (ours,) = rehearsal.exchange.numbers.values()
    ours.sms_fallback = Target(f"{HOOK}/sms/fallback")
    rehearsal.product.says["/sms/fallback"] = "<Message>We are not well.</Message>"
    await handset.writes("hello", Answered("broken", status=500))
    asked = rehearsal.product.last("/sms/fallback").fields
    assert (asked["ErrorCode"], asked["ErrorUrl"]) == ("11200", f"{HOOK}/sms/incoming")
    assert await handset.got() == ["We are not well."]
    assert rehearsal.violations == ["11200 answered 500"]


@pytest.mark.parametrize(
    ("kind", "asked", "got"), [("duplicate", 2, 1), ("drop", 0, 0), ("lose_answer", 1, 0)]
)
async def test_the_network_plays_its_tricks_on_texts_too(
    rehearsal: Rehearsal, handset: Handset, kind: str, asked: int, got: int
) -> None:
    rule = {"on": "webhook", "kind": kind, "match": "/sms/incoming"}
    rehearsal.exchange.courier.faults.replace({"rules": [rule]})
    await handset.writes("hello", "<Message>Hello to you.</Message>")
    assert len(rehearsal.product.all("/sms/incoming")) == asked
    assert len(await handset.got()) == got


async def test_a_late_answer_is_no_answer(rehearsal: Rehearsal, handset: Handset) -> None:
    rule = {"on": "webhook", "kind": "delay", "match": "/sms/incoming", "ms": 16_000}
    rehearsal.exchange.courier.faults.replace({"rules": [rule]})
    await handset.writes("hello", "<Message>Too late.</Message>")
    await rehearsal.passes(30)
    assert len(rehearsal.product.all("/sms/incoming")) == 1
    assert await handset.got() == []


@pytest.mark.parametrize(
    "asked",
    [
        {"body": "x"},
        {"from": CALLER},
        {"from": CALLER, "body": "x" * 1601},
        {"from": CALLER, "to": "+1", "body": "x"},
    ],
)
async def test_what_is_no_text_is_refused(client: httpx2.AsyncClient, asked: dict[str, str]) -> None:
    assert (await client.post("/_double/texts", json=asked)).status_code == 400


async def test_all_texts_are_listed(
    rehearsal: Rehearsal, handset: Handset, client: httpx2.AsyncClient
) -> None:
    await handset.writes("hello", "<Message>Hello to you.</Message>")
    assert len((await client.get("/_double/texts")).json()["texts"]) == 2
    listed = (await rehearsal.get("Messages", To=OURS))["messages"]
    assert [(each["direction"], each["status"]) for each in listed] == [("inbound", "received")]
