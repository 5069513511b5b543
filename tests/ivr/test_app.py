"""The frame of the doors: who may ask, how, and what happens when a door of ours is broken."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from foundation.clock import ManualClock
from foundation.errors import Unavailable
from ivr import doorway
from ivr.app import DOORS, doors
from ivr.desk import Budget, Desk
from ivr.doorway import Door, Doorway
from ivr.menus import Centre
from queueing.line import LinePolicy
from tests.doors.handset import ACCOUNT, PUBLIC, TOKEN, Handset, Web

PATHS = [door.path for door in DOORS]


class Absent:
    """A store that does not answer, whatever it is asked."""

    def __getattr__(self, name):
        async def away(*_, **__):
            raise Unavailable("away")

        return away


@pytest.fixture
def desk() -> Desk:
    """A desk without any store: what is heard now is made from the request alone."""
    return Desk(
        clock=ManualClock(),
        line=Absent(),
        roster=Absent(),
        redis=Absent(),
        sql=None,
        policy=LinePolicy(),
        centre=Centre("Corner Pay", "support"),
        public_url=PUBLIC,
        auth_tokens=(TOKEN,),
        secret="a secret of the tests",
        account_sid=ACCOUNT,
    )


@pytest.fixture(autouse=True)
def quiet():
    """What breaks here breaks on purpose: the stacks of it need not be drawn."""
    with capture_logs():
        yield


@pytest.fixture
def web(desk) -> Web:
    return Web(doors(desk))


@pytest.mark.parametrize("path", PATHS)
async def test_a_forged_request_is_refused(web, path):
    for header in ({}, {"x-twilio-signature": "A" * 28}, {"x-twilio-signature": ""}):
        reply = await web.ask("POST", path, b"CallSid=CA1&From=%2B14155550001", header)
        assert reply.status == 403


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_only_post_is_answered(web, path, method):
    reply = await web.ask(method, path)
    assert (reply.status, reply.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", PATHS)
async def test_with_no_store_at_all_every_door_answers(web, path):
    """R5: a process that has just started, and reaches nothing, serves calls."""
    for more in ({}, {"Digits": "1"}, {"Digits": "*"}, {"QueueResult": "leave"}, {"CallStatus": "completed"}):
        await Handset(web).post(path, **more)


async def test_what_is_signed_for_another_account_is_refused(web):
    with pytest.raises(AssertionError, match="403"):
        await Handset(web).post("/voice/incoming", AccountSid="AC" + "1" * 32)


async def test_what_is_signed_for_another_url_is_refused(web):
    handset = Handset(web)
    await handset.ring()
    path, form, _ = web.asked[-1]
    with pytest.raises(AssertionError, match="403"):
        await Web(doors_at(web, "https://elsewhere.example.com")).twilio(path, form)


def doors_at(web: Web, public_url: str):
    front = web.app
    desk = front._doors["/voice/wait"]._desk
    return doors(replace(desk, public_url=public_url))


async def test_a_host_header_changes_nothing(web):
    reply = await web.ask("POST", "/voice/wait", b"", {"host": "evil", "x-forwarded-host": "evil"})
    assert reply.status == 403


async def test_a_body_beyond_twilios_longest_is_refused(web):
    reply = await web.ask("POST", "/voice/menu", b"SpeechResult=" + b"a" * 66_000)
    assert reply.status == 413


@pytest.mark.parametrize(
    "path", ["/voice", "/voice/", "/voice/nowhere", "/voice/wait/", "/VOICE/wait", "/static/music/"]
)
async def test_there_is_no_other_door(web, path):
    assert (await web.ask("POST", path)).status in (404, 405)


async def test_music_may_be_kept_for_a_year(web, desk):
    reply = await web.ask("GET", f"/static/music/{desk.clips[0]}")
    assert reply.status == 200
    assert reply.headers["content-type"] in ("audio/x-wav", "audio/wav", "audio/vnd.wave", "audio/mpeg")
    assert "immutable" in reply.headers["cache-control"]


@pytest.mark.parametrize("clip", ["none.wav", "..%2F..%2Fapp.py", "compose.py"])
async def test_nothing_else_is_handed_out(web, clip):
    assert (await web.ask("GET", f"/static/music/{clip}")).status == 404


def broken(desk: Desk, answer) -> dict[str, Web]:
    """Each door with its answer replaced."""
    return {door.path: Web(Doorway(desk, Door(door.path, answer, door.last_resort))) for door in DOORS}


async def test_a_broken_door_still_says_what_is_true(desk):
    async def fail(desk, visit):
        raise RuntimeError("a slip of ours")

    webs = broken(desk, fail)
    heard = await Handset(webs["/voice/menu"]).post("/voice/menu?lang=es&topic=payments&b=p1")
    assert heard.said.startswith("Tenemos un problema") or heard.languages == ["es-US"]
    assert heard.one("Enqueue").text == "support.p1"
    assert (await Handset(webs["/voice/wait"]).post("/voice/wait")).verbs == ["Play", "Play"]
    assert (await Handset(webs["/voice/agent"]).post("/voice/agent")).verbs == ["Say", "Hangup"]
    assert (await Handset(webs["/voice/status"]).post("/voice/status")).verbs == []


@pytest.mark.parametrize(("met", "verb"), [("", "Enqueue"), ("&met=1", "Hangup")])
async def test_without_the_line_whoever_was_talked_with_is_not_held_again(web, met, verb):
    heard = await Handset(web).post(f"/voice/after?lang=en&q=support&fence=1{met}")
    assert heard.verbs[-1] == verb


async def test_so_does_every_other(desk):
    async def fail(desk, visit):
        raise RuntimeError("a slip of ours")

    for path, web in broken(desk, fail).items():
        await Handset(web).post(path)


async def test_a_door_that_does_not_come_to_an_end_is_given_up(desk):
    async def hang(desk, visit):
        await asyncio.Event().wait()

    impatient = replace(desk, budget=Budget(whole_s=0.01))
    with capture_logs() as logs:
        heard = await Handset(broken(impatient, hang)["/voice/menu"]).post("/voice/menu")
    assert heard.has("Enqueue")
    assert [(line["event"], line["log_level"]) for line in logs] == [("door_late", "warning")]


async def test_a_deadline_inside_a_door_is_a_slip_of_ours(desk):
    async def late(desk, visit):
        raise TimeoutError

    with capture_logs() as logs:
        await Handset(broken(desk, late)["/voice/menu"]).post("/voice/menu")
    assert [(line["event"], line["log_level"]) for line in logs] == [("door_broken", "error")]


async def test_a_store_that_does_not_come_to_an_end_is_done_without(desk):
    class Frozen:
        def __getattr__(self, name):
            async def freeze(*_, **__):
                await asyncio.Event().wait()

            return freeze

    frozen = replace(desk, line=Frozen(), budget=Budget(enrich_s=0.01))
    heard = await Handset(Web(doors(frozen))).post("/voice/wait", QueueTime="10")
    assert heard.clips


async def test_a_slip_while_enriching_costs_the_caller_nothing(desk):
    class Wrong:
        def __getattr__(self, name):
            async def slip(*_, **__):
                raise KeyError("a slip of ours")

            return slip

    heard = await Handset(Web(doors(replace(desk, line=Wrong())))).post("/voice/incoming")
    assert "How can we help?" in heard.said


async def test_a_body_in_parts_is_one_body(desk, web):
    handset = Handset(web)
    await handset.ring()
    path, form, heard = web.asked[-1]
    from urllib.parse import urlencode

    from drill.network.signing import sign

    body = urlencode(form).encode()
    parts = [body[:10], body[10:11], body[11:]]
    messages = iter([{"body": part, "more_body": i < 2} for i, part in enumerate(parts)])
    sent: list[dict] = []

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    signature = sign(TOKEN, PUBLIC + path, form.items())
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
             "headers": [(b"x-twilio-signature", signature.encode())]}  # fmt: skip
    await Doorway(desk, DOORS[0])(scope, receive, send)
    assert sent[1]["body"] == heard.body


async def test_a_flood_without_end_is_cut_off():
    async def receive():
        return {"body": b"x" * 10_000, "more_body": True}

    with pytest.raises(doorway.Oversized):
        await doorway._body(receive)
