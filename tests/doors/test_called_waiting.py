"""What a merchant hears whom we called back and who waits on the line, has talked, or is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from callbacks import promises
from ivr.app import DOORS
from ivr.doorway import Doorway
from queueing.states import ContactState
from tests.doors.called_back import (
    GONE,
    SORRY,
    AwayLine,
    agent_comes,
    alike,
    conference,
    talks,
    with_office,
)
from tests.doors.handset import Web


@pytest.fixture
def desk(desk):
    return with_office(desk)


# --- the leg is over ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "result"),
    [
        ("busy", ("due_later", "busy", 1)),
        ("no-answer", ("due_later", "no_answer", 1)),
        ("failed", ("due_later", "failed", 1)),
        ("canceled", ("in_line", "agent_gone", 0)),
        ("completed", ("due_later", "hung_up", 1)),
        ("ringing", ("dialing", "sent", 0)),
        ("", ("dialing", "sent", 0)),
    ],
)
async def test_how_a_leg_ended(rung, word, result):
    leg = await rung()
    for _ in range(2):
        assert (await leg.is_over(word)).verbs == []
        assert await leg.result() == result


async def test_the_end_of_a_leg_that_is_not_the_attempt_s_means_nothing(leg):
    await replace(leg, sid="CA" + "f" * 32).is_over()
    assert await leg.result() == ("dialing", "answered", 0)


async def test_hung_up_before_a_key(leg, desk):
    await leg.is_over()
    assert await leg.result() == ("due_later", "hung_up", 1)
    assert (await desk.line.contact(leg.turn)).state is ContactState.ENDED


async def test_hung_up_after_a_talk_is_a_talk(leg, desk, clock):
    await talks(desk, leg, clock)
    await leg.is_over()
    assert await leg.result() == ("connected", "talked", 0)
    assert (await desk.line.contact(leg.turn)).state is ContactState.ENDED


async def test_who_waits_in_vain_and_hangs_up_keeps_the_place(waiting, desk):
    await waiting.is_over()
    assert await waiting.result() == ("in_line", "agent_gone", 0)
    assert (await desk.line.contact(waiting.turn)).state is ContactState.WAITING


# --- on the line ----------------------------------------------------------------------------------------


async def test_music_clip_after_clip_until_an_agent_comes(waiting, desk, agent):
    clips = []
    for _ in range(3):
        heard = await waiting.say_nothing()
        assert heard.verbs == ["Play", "Redirect"]
        clips += heard.clips
    assert len(set(clips)) == 3
    await agent("bob")
    fence = await agent_comes(desk, waiting.promise, "bob")
    heard = await waiting.door("connect", f"&fence={fence}")
    assert conference(heard) == f"{waiting.turn}-{fence}"
    await alike(waiting)


async def test_music_goes_on_without_the_line(waiting, desk):
    waiting.stores(line=AwayLine(desk.line))
    assert (await waiting.say_nothing()).verbs == ["Play", "Redirect"]


async def test_who_waits_for_a_promise_that_is_over_hears_goodbye(waiting, desk, clock):
    await promises.cancel(desk.office, waiting.promise.id, "", "sue", clock.now_ms())
    heard = await waiting.say_nothing()
    assert heard.said == "Thank you for calling Corner Pay. Goodbye."
    assert heard.verbs[-1] == "Hangup"


async def test_a_turn_that_the_line_forgot_is_owed_by_this_very_call(waiting, desk):
    await desk.redis.flushdb()
    heard = await waiting.say_nothing()
    assert heard.said == GONE
    assert heard.has("Enqueue")
    now = await desk.line.contact(waiting.sid)
    assert (now.state, now.arrival_us) == (ContactState.WAITING, waiting.promise.arrival_us)
    assert (await waiting.wait()).has("Play")


async def test_connect_without_a_turn_says_sorry(leg):
    heard = await leg.post("/voice/called/connect?turn=x&fence=1")
    assert (heard.said, heard.verbs[-1]) == (SORRY, "Hangup")


# --- after the conference -------------------------------------------------------------------------------


async def test_goodbye_after_the_talk(leg, desk, clock):
    await talks(desk, leg, clock)
    heard = await leg.door("after", f"&fence={leg.attempt.fence}")
    assert heard.said == "Thank you for calling Corner Pay. Goodbye."
    assert heard.verbs[-1] == "Hangup"
    await alike(leg)


async def test_the_agent_is_lost_before_they_met(leg, desk):
    await desk.roster.away("ann", "", desk.clock.now_ms())
    await leg.press("1")
    heard = await leg.door("after", f"&fence={leg.attempt.fence}")
    assert heard.said == f"{GONE} You are first in line."
    await alike(leg)
    assert "/voice/called/hold?" in heard.one("Redirect").text


async def test_a_transfer_is_told_and_waits(leg, desk, clock):
    await talks(desk, leg, clock)
    await desk.line.transfer(leg.turn, "support", None, clock.now_ms(), leg.attempt.fence)
    assert (await leg.door("after", f"&fence={leg.attempt.fence}")).said == ""
    heard = await leg.door("after", "&why=transfer")
    assert heard.said.startswith("You are being transferred to the support team.")
    assert "q=support" in heard.one("Redirect").text
    await alike(leg)
    leg.heard = heard
    assert (await leg.say_nothing()).verbs == ["Play", "Redirect"]


@pytest.mark.parametrize(
    ("s", "met", "verb"), [(10, "", "Redirect"), (60, "", "Hangup"), (10, "1", "Hangup")]
)
async def test_after_a_conference_without_the_line(leg, desk, clock, s, met, verb):
    since_ms = clock.now_ms()
    clock.advance(s=s)
    leg.stores(line=AwayLine(desk.line))
    heard = await leg.door("after", f"&fence=1&since={since_ms}&met={met}")
    assert heard.verbs[-1] == verb


@pytest.mark.parametrize("door", ["after", "hold"])
async def test_a_leg_that_is_over_is_answered_with_a_hang_up_or_music(waiting, door):
    carried = f"lang=en&attempt={waiting.attempt.id}&turn={waiting.turn}&fence=1"
    heard = await waiting.post(f"/voice/called/{door}?{carried}", CallStatus="completed")
    assert heard.verbs[0] in ("Hangup", "Play")


# --- last resorts ---------------------------------------------------------------------------------------

OURS = [each for each in DOORS if each.path.startswith("/voice/called")]


@pytest.mark.parametrize("door", OURS, ids=[each.path for each in OURS])
async def test_a_broken_door(leg, desk, door):
    async def broken(*_):
        raise ZeroDivisionError

    leg.web = Web(Doorway(desk, replace(door, answer=broken)))
    with capture_logs():
        heard = await leg.post(f"{door.path}?lang=en&attempt={leg.attempt.id}&turn={leg.turn}&clip=2")
    last = heard.verbs[-1] if heard.verbs else ""
    assert last == {"status": "", "called": "Hangup", "key": "Hangup"}.get(
        door.path.rsplit("/")[-1], "Redirect"
    )
    if last == "Redirect":  # the merchant is kept, and the next question knows whose leg it is
        assert f"attempt={leg.attempt.id}&turn={leg.turn}" in heard.one("Redirect").text
