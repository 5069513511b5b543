"""How the network asks: signed, in time, tried again, to the fallback, and with Twilio's parameters."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from twilio.request_validator import RequestValidator

from drill.network.legs import Target
from drill.network.webhooks import Patience, is_loopback
from foundation.clock import ManualClock
from tests.drill.product import HOOK, OURS, TOKEN, Answered, Asked, Rehearsal, heard


def is_genuine(asked: Asked) -> bool:
    posted = dict(asked.pairs) if asked.method == "POST" else {}
    return bool(
        RequestValidator(TOKEN).validate(asked.url, posted, asked.headers.get("x-twilio-signature", ""))
    )


async def test_every_request_of_a_call_is_signed(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/a"] = "<Play>/clip.wav?v=%20x</Play><Redirect>/voice/b?q=1%2B1</Redirect>"
    rehearsal.product.says["/voice/b"] = "<Redirect method='GET'>/voice/c?n=&amp;m=é</Redirect>"
    rehearsal.product.says["/voice/c"] = "<Say>Done.</Say>"
    await rehearsal.rings("<Redirect>/voice/a?said_at=17&amp;name=Caf%C3%A9</Redirect>")
    await rehearsal.passes(30)
    assert [asked.path for asked in rehearsal.product.asked] == [
        "/voice/incoming",
        "/voice/a",
        "/clip.wav",
        "/voice/b",
        "/voice/c",
        "/voice/status",
    ]
    assert all(is_genuine(asked) for asked in rehearsal.product.asked)


async def test_the_parameters_are_twilios(rehearsal: Rehearsal) -> None:
    await rehearsal.rings("<Pause/>")
    fields = rehearsal.product.asked[0].fields
    assert fields["CallSid"].startswith("CA")
    assert fields["AccountSid"].startswith("AC")
    assert (fields["From"], fields["Caller"]) == ("+14155550123", "+14155550123")
    assert (fields["To"], fields["Called"]) == (OURS, OURS)
    assert (fields["Direction"], fields["ApiVersion"]) == ("inbound", "2010-04-01")
    assert (fields["FromCity"], fields["FromState"], fields["FromCountry"]) == ("SAN FRANCISCO", "CA", "US")
    assert fields["ToZip"] == "94105"
    assert "StirVerstat" in fields
    headers = rehearsal.product.asked[0].headers
    assert headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert len(headers["i-twilio-idempotency-token"]) == 36


async def test_a_withheld_number_has_no_geography(rehearsal: Rehearsal) -> None:
    await rehearsal.rings("<Pause/>", from_="anonymous")
    fields = rehearsal.product.asked[0].fields
    assert fields["From"] == "anonymous"
    assert "FromCity" not in fields


async def test_a_get_carries_its_parameters_in_the_address(rehearsal: Rehearsal) -> None:
    (number,) = rehearsal.exchange.numbers.values()
    number.voice = Target(f"{HOOK}/voice/get?x=1", "GET")
    await rehearsal.rings()
    asked = rehearsal.product.asked[0]
    assert asked.method == "GET"
    assert asked.url.startswith(f"{HOOK}/voice/get?x=1&CallSid=CA")
    assert is_genuine(asked)


async def test_fifteen_seconds_and_the_fallback_is_asked(rehearsal: Rehearsal, clock: ManualClock) -> None:
    stuck = asyncio.Event()

    async def never(asked: Asked) -> str:
        await stuck.wait()
        return "<Say>Too late.</Say>"

    rehearsal.product.says["/voice/incoming"] = never
    rehearsal.product.says["/voice/fallback"] = "<Say>Please hold.</Say>"
    leg = rehearsal.network.switchboard.ring_in("+14155550123", OURS)
    await turns()
    clock.advance(s=14.9)
    await turns()
    assert heard(leg) == []
    clock.advance(s=0.2)
    await turns()
    assert rehearsal.product.last("/voice/fallback").fields["ErrorCode"] == "11205"
    assert heard(leg) == ["Please hold."]
    assert rehearsal.violations == ["11205 no answer within 15 s"]
    stuck.set()
    await rehearsal.settles()
    assert heard(leg) == ["Please hold."]


async def turns() -> None:
    """Let everybody act; a product that never answers is not waited for."""
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500, 503])
async def test_an_error_answer_goes_straight_to_the_fallback(rehearsal: Rehearsal, status: int) -> None:
    rehearsal.product.says["/voice/incoming"] = Answered("oh no", status=status)
    await rehearsal.rings()
    assert rehearsal.product.paths()[:2] == ["/voice/incoming", "/voice/fallback"]
    assert rehearsal.product.asked[1].fields["ErrorCode"] == "11200"
    assert rehearsal.violations[0] == f"11200 answered {status}"


async def test_a_fragment_changes_patience_and_is_neither_sent_nor_signed(rehearsal: Rehearsal) -> None:
    (number,) = rehearsal.exchange.numbers.values()
    number.voice = Target(f"{HOOK}/voice/incoming?a=1#rc=2&rp=5xx,ct")
    rehearsal.product.says["/voice/incoming"] = [
        Answered("no", status=500),
        Answered("no", status=502),
        "<Say>Third time.</Say>",
    ]
    leg = await rehearsal.rings()
    first, second, third = rehearsal.product.asked[:3]
    assert first.url == f"{HOOK}/voice/incoming?a=1"
    assert is_genuine(third)
    tokens = {asked.headers["i-twilio-idempotency-token"] for asked in (first, second, third)}
    assert len(tokens) == 1
    assert heard(leg) == ["Third time."]


@pytest.mark.parametrize(
    ("fragment", "patience"),
    [
        ("", Patience(15_000, 1, frozenset({"ct"}))),
        ("tt=3000&rc=0", Patience(3_000, 0, frozenset({"ct"}))),
        ("rt=2000", Patience(2_000, 1, frozenset({"ct"}))),
        ("tt=99999&rc=9&rp=nonsense", Patience(15_000, 1, frozenset())),
        ("rc=5&rp=all", Patience(15_000, 5, frozenset({"all"}))),
    ],
)
def test_patience_is_read_from_the_fragment(fragment: str, patience: Patience) -> None:
    assert Patience.of(fragment) == patience


class Flaky(httpx2.AsyncBaseTransport):
    """Cannot be connected to the first ``failures`` times."""

    def __init__(self, app: object, failures: int) -> None:
        self.inner = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]  # an ASGI app
        self.failures = failures

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.failures -= 1
        if self.failures >= 0:
            raise httpx2.ConnectError("refused")
        return await self.inner.handle_async_request(request)


@pytest.mark.parametrize(("failures", "answered_by"), [(1, "/voice/incoming"), (2, "/voice/fallback")])
async def test_a_failed_connection_is_tried_once_more(
    rehearsal: Rehearsal, failures: int, answered_by: str
) -> None:
    courier = rehearsal.exchange.courier
    await courier.client.aclose()
    courier.client = httpx2.AsyncClient(transport=Flaky(rehearsal.product, failures))
    await rehearsal.rings("<Say>Hello.</Say>")
    assert rehearsal.product.paths()[0] == answered_by


async def test_http_redirects_are_followed_ten_times_at_most(rehearsal: Rehearsal) -> None:
    hop = Answered("", status=307, headers={"location": "/voice/incoming"})
    rehearsal.product.says["/voice/incoming"] = [*[hop] * 10, "<Say>There.</Say>"]
    assert heard(await rehearsal.rings()) == ["There."]
    rehearsal.product.says["/voice/incoming"] = hop
    await rehearsal.rings()
    assert "11215 more than 10 redirects" in rehearsal.violations


async def test_a_redirect_with_302_becomes_a_get_and_is_signed_anew(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/incoming"] = Answered("", status=302, headers={"location": "/else?x=1"})
    rehearsal.product.says["/else"] = "<Redirect>relative</Redirect>"
    await rehearsal.rings()
    asked = rehearsal.product.asked[1]
    assert (asked.method, asked.url) == ("GET", f"{HOOK}/else?x=1")
    assert is_genuine(asked)
    assert rehearsal.product.asked[2].path == "/relative"


async def test_cookies_stay_with_the_call(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/next"] = "<Pause/>"
    redirect = "<?xml version='1.0'?><Response><Redirect>/voice/next</Redirect></Response>"
    rehearsal.product.says["/voice/incoming"] = Answered(redirect, headers={"set-cookie": "a=1; Path=/"})
    await rehearsal.rings()
    assert rehearsal.product.last("/voice/next").headers["cookie"] == "a=1"
    await rehearsal.rings()
    assert "cookie" not in rehearsal.product.all("/voice/incoming")[1].headers


async def test_a_bad_answer_to_a_status_callback_is_noted(rehearsal: Rehearsal) -> None:
    rehearsal.product.says["/voice/status"] = Answered("oh no", status=500)
    await rehearsal.rings("<Hangup/>")
    assert rehearsal.violations == ["15003 answered 500"]
    rehearsal.product.says["/voice/status"] = Answered("{}", kind="application/json")
    await rehearsal.rings("<Hangup/>")
    assert rehearsal.violations[-1].startswith("12300")


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("localhost", True),
        ("demo.localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("example.com", False),
        ("10.0.0.1", False),
        ("127.0.0.1.example.com", False),
        ("0.0.0.0", False),
        ("127.evil", False),
    ],
)
def test_which_hosts_are_this_machine(host: str, ours: bool) -> None:
    assert is_loopback(host) is ours


async def test_nobody_beyond_this_machine_is_asked(rehearsal: Rehearsal) -> None:
    await rehearsal.rings("<Redirect>http://example.com/voice</Redirect>")
    assert rehearsal.violations[0] == "11205 the double does not ask beyond this machine"


async def test_unless_told(clock: ManualClock) -> None:
    rehearsal = Rehearsal(clock, allow_remote=True)
    rehearsal.product.says["/voice"] = "<Say>From afar.</Say>"
    leg = await rehearsal.rings("<Redirect>http://example.com/voice</Redirect>")
    assert heard(leg) == ["From afar."]
    await rehearsal.close()
