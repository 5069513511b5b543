"""Caller and agent meet, and what comes after."""

from __future__ import annotations

import itertools

import pytest

from announcements import catalog
from queueing.presence import Presence
from queueing.records import ContactNow
from queueing.states import ContactState, Disposition
from tests.doors.handset import Handset, below, journalled

AGENT_LEG = "CA" + "a" * 32


@pytest.fixture
def accepted(caller, agent, desk, clock):
    """``shop, now = await accepted()``: a caller whose agent has just said yes."""

    async def give(number: str = "+14155550001", line: str = "softphone") -> tuple[Handset, ContactNow]:
        await agent("ann", line)
        shop = caller(number)
        await shop.to_the_line("1")
        if shop.enqueued is None:  # the key was for one of its locations
            await shop.press("1")
        now = await desk.line.contact(shop.sid)
        await desk.line.accept(shop.sid, "ann", now.fence, clock.now_ms())
        now = await desk.line.contact(shop.sid)
        assert now.accepted
        return shop, now

    return give


@pytest.fixture
def meet(web, accepted):
    """``shop, ann, now = await meet()``: both in the conference, and Twilio has told of it."""

    async def together() -> tuple[Handset, Handset, ContactNow]:
        shop, now = await accepted()
        await shop.post(connect_url(now))
        ann = softphone(web)
        await ann.post("/voice/agent", contact=shop.sid, fence=str(now.fence))
        for event in ("participant-join", "conference-start"):
            await conference(web, now, event, "agent" if event == "participant-join" else "")
        return shop, ann, now

    return together


def softphone(web, login: str = "ann") -> Handset:
    return Handset(web, f"client:{login}", sid=AGENT_LEG)


def connect_url(now: ContactNow, door: str = "connect", more: str = "") -> str:
    return f"/voice/{door}?lang=en&q={now.queue}&b={now.band}&fence={now.fence}{more}"


async def conference(web, now: ContactNow, event: str, label: str = "", fence: int = 0):
    twilio = Handset(web, sid=now.contact)
    more = {"ParticipantLabel": label} if label else {}
    return await twilio.post(
        f"/voice/conference?contact={now.contact}&fence={fence or now.fence}",
        StatusCallbackEvent=event, FriendlyName=f"{now.contact}-{now.fence}", SequenceNumber="1", **more,
    )  # fmt: skip


async def test_the_caller_is_brought_into_a_conference_of_this_reservation(accepted):
    shop, now = await accepted()
    heard = await shop.post(connect_url(now))
    room = heard.one("Conference")
    assert room.text == f"{shop.sid}-{now.fence}"
    assert (room.get("participantLabel"), room.get("endConferenceOnExit")) == ("caller", "true")
    assert room.get("statusCallbackEvent") == "start end join leave"


async def test_alone_in_there_the_caller_hears_that_it_is_being_connected_then_music(accepted):
    shop, now = await accepted()
    room = (await shop.post(connect_url(now))).one("Conference")
    heard = await shop.post(below(room.get("waitUrl")))
    assert heard.said == "Thank you for waiting. We are connecting you with an agent now."
    heard = await shop.say_nothing()
    assert (heard.said, heard.clips) == ("", ["hold-2.wav"])


async def test_in_spanish_it_all_stays_spanish(web, accepted, desk, clock):
    shop, now = await accepted("+14155550002")
    heard = await shop.post(f"/voice/connecting?lang={now.card.language}")
    assert heard.said == catalog.voice("es", "connecting").text
    heard = await shop.post(connect_url(now, "after"), DialCallStatus="answered")
    assert heard.said == catalog.voice("es", "agent_lost").text
    heard = await shop.post(connect_url(now, "requeue", "&why=transfer"))
    assert heard.said == catalog.voice("es", "transfer", queue=catalog.name("es", "queue", "payments")).text
    await shop.hang_up()
    heard = await shop.post(connect_url(now, "after"))
    assert heard.said == catalog.voice("es", "call_over", centre="Corner Pay").text


async def test_a_held_caller_hears_so(web, accepted):
    shop, _ = await accepted()
    heard = await shop.post("/voice/connecting?lang=es&held=1")
    assert heard.said == catalog.voice("es", "hold_by_agent").text
    assert "held=1" in (await shop.say_nothing()).one("Redirect").text


async def test_the_softphone_that_accepted_is_let_in(web, accepted, desk):
    shop, now = await accepted()
    heard = await softphone(web).post("/voice/agent", contact=shop.sid, fence=str(now.fence))
    room = heard.one("Conference")
    assert (room.text, room.get("participantLabel")) == (f"{shop.sid}-{now.fence}", "agent")
    assert await desk.legs.agent(shop.sid, now.fence) == AGENT_LEG


@pytest.mark.parametrize(
    ("login", "fence", "contact"),
    [
        ("bob", "1", ""),
        ("ann", "2", ""),
        ("ann", "", ""),
        ("ann", "x", ""),
        ("ann", "1", "CAunknown"),
        ("", "1", ""),
    ],
)
async def test_nobody_else_is(web, accepted, login, fence, contact):
    shop, _ = await accepted()
    heard = await softphone(web, login).post("/voice/agent", contact=contact or shop.sid, fence=fence)
    assert heard.said == "This call is no longer waiting for you. Goodbye."
    assert heard.verbs == ["Say", "Hangup"]


async def test_they_have_met_when_the_conference_starts(meet, desk):
    shop, _, _ = await meet()
    assert (await desk.line.contact(shop.sid)).state is ContactState.CONNECTED


async def test_they_have_met_when_both_have_joined_though_word_of_the_start_is_lost(web, accepted, desk):
    shop, now = await accepted()
    await conference(web, now, "participant-join", "agent")
    await conference(web, now, "participant-join", "agent")
    assert (await desk.line.contact(shop.sid)).state is ContactState.RESERVED
    await conference(web, now, "participant-join", "caller")
    assert (await desk.line.contact(shop.sid)).state is ContactState.CONNECTED


async def test_the_agent_hangs_up_and_the_caller_hears_goodbye(meet, desk, web):
    shop, ann, now = await meet()
    await ann.post(below(ann.heard.one("Dial").get("action")), CallStatus="completed")
    heard = await shop.post(connect_url(now, "after"), DialCallStatus="answered")
    assert heard.said == "Thank you for calling Corner Pay. Goodbye."
    assert heard.verbs == ["Say", "Hangup"]
    await outcome(desk, shop, Disposition.ANSWERED, Presence.WRAP_UP)


async def test_the_caller_hangs_up_and_the_agent_wraps_up(meet, desk, web):
    shop, ann, now = await meet()
    await shop.post(connect_url(now, "after"), CallStatus="completed", DialCallStatus="answered")
    heard = await ann.post(below(ann.heard.one("Dial").get("action")))
    assert heard.verbs == ["Hangup"]
    await shop.post("/voice/status", CallStatus="completed")
    await outcome(desk, shop, Disposition.ANSWERED, Presence.WRAP_UP)


async def outcome(desk, shop: Handset, disposition: Disposition, presence: Presence) -> None:
    now = await desk.line.contact(shop.sid)
    assert (now.state, now.disposition) == (ContactState.ENDED, disposition)
    assert (await desk.roster.agent("ann")).presence is presence


async def test_the_last_words_of_a_talk_may_come_in_any_order_and_twice(meet, desk, web, redis):
    last = (
        lambda shop, ann, now: conference(web, now, "participant-leave", "caller"),
        lambda shop, ann, now: conference(web, now, "conference-end"),
        lambda shop, ann, now: shop.post("/voice/status", CallStatus="completed"),
        lambda shop, ann, now: shop.post(connect_url(now, "after"), CallStatus="completed"),
        lambda shop, ann, now: ann.post("/voice/agent/status", CallStatus="completed"),
    )
    for order in itertools.permutations(last):
        await redis.flushall()
        shop, ann, now = await meet()
        for word in order:
            await word(shop, ann, now)
        for word in order[:2]:
            await word(shop, ann, now)
        await outcome(desk, shop, Disposition.ANSWERED, Presence.WRAP_UP)
        kinds = [event.kind for event in await journalled(desk)]
        assert (kinds.count("ended"), kinds.count("wrap_up")) == (1, 1)


async def test_the_last_words_of_a_caller_who_gave_up_too(caller, desk, redis):
    last = (
        lambda shop: shop.left("hangup", CallStatus="completed"),
        lambda shop: shop.post("/voice/status", CallStatus="completed"),
        lambda shop: shop.wait(QueueTime="50", CallStatus="completed"),
    )
    for order in itertools.permutations(last):
        await redis.flushall()
        shop = caller("anonymous")
        await shop.to_the_line()
        for word in (*order, *order):
            await word(shop)
        now = await desk.line.contact(shop.sid)
        assert (now.state, now.disposition) == (ContactState.ENDED, Disposition.ABANDONED)


async def test_an_agent_lost_on_the_way_puts_the_caller_back_in_the_old_place(accepted, web, desk, clock):
    shop, now = await accepted()
    await shop.post(connect_url(now))
    ann = softphone(web)
    await ann.post("/voice/agent", contact=shop.sid, fence=str(now.fence))
    await ann.post("/voice/agent/status", CallStatus="completed")
    back = await desk.line.contact(shop.sid)
    assert (back.state, back.score) == (ContactState.WAITING, now.score)
    heard = await shop.post(connect_url(now, "after"), DialCallStatus="answered")
    assert heard.said.startswith("I am sorry, we could not connect you with that agent. You are back in line")
    assert heard.one("Enqueue").text == "payments.p1"
    assert await desk.legs.is_back(shop.sid, now.fence)


async def test_the_conference_ending_under_a_caller_not_yet_met_does_the_same(accepted, desk):
    shop, now = await accepted()
    await shop.post(connect_url(now))
    first = await shop.post(connect_url(now, "after"), DialCallStatus="answered")
    assert first.said.startswith("I am sorry, we could not connect you with that agent.")
    again = await shop.post(connect_url(now, "after"), DialCallStatus="answered")
    assert again.body == first.body
    assert (await desk.line.contact(shop.sid)).state is ContactState.WAITING


async def test_fetched_back_by_the_carrier_the_caller_hears_why(accepted, desk, clock):
    shop, now = await accepted()
    await desk.line.fail_join(shop.sid, clock.now_ms())
    heard = await shop.post(connect_url(now, "requeue", "&why=lost"))
    assert heard.said.startswith("I am sorry, we could not connect you with that agent.")
    assert heard.one("Enqueue").text == "payments.p1"


async def test_a_transfer_keeps_the_age_and_says_where_to(meet, desk, clock, web):
    shop, _, now = await meet()
    await desk.line.transfer(shop.sid, "support", None, clock.now_ms())
    heard = await shop.post(connect_url(now, "requeue", "&why=transfer"))
    assert heard.said == (
        "You are being transferred to the support team. The time you have already waited still counts."
    )
    assert heard.one("Enqueue").text == "support.p1"
    await conference(
        web, now, "conference-end"
    )  # the first agent's conference: late word of it means nothing
    after = await desk.line.contact(shop.sid)
    assert (after.state, after.entered_ms) == (ContactState.WAITING, now.entered_ms)


async def test_word_of_an_earlier_reservation_means_nothing(meet, desk, web):
    shop, _, now = await meet()
    await conference(web, now, "conference-end", fence=now.fence + 1)
    assert (await desk.line.contact(shop.sid)).state is ContactState.CONNECTED


async def test_brought_to_a_conference_that_is_no_more_the_caller_is_held_again(accepted, desk, clock):
    shop, now = await accepted()
    await desk.line.fail_join(shop.sid, clock.now_ms())
    heard = await shop.post(connect_url(now))
    assert heard.said.startswith("We are still connecting you.")
    assert heard.has("Enqueue")


@pytest.mark.parametrize("door", ["connect", "after", "requeue", "connecting"])
async def test_after_the_end_every_door_says_goodbye(meet, desk, clock, door):
    shop, _, now = await meet()
    await shop.post("/voice/status", CallStatus="completed")
    heard = await shop.post(connect_url(now, door))
    assert heard.verbs[-1] in ("Hangup", "Redirect")
