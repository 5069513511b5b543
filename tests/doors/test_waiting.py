"""What a waiting caller hears."""

from __future__ import annotations

from dataclasses import replace

import pytest

from announcements import catalog
from foundation.breaker import Breaker, BreakerRules, BreakerState
from foundation.errors import Unavailable
from ivr.app import doors
from queueing.line import Card, Line
from queueing.pulse import Pulse
from queueing.pulse import publish as publish_pulse
from queueing.states import ContactState, Disposition
from tests.doors.handset import Handset, Web, journalled
from tests.waits import queue_pulse


@pytest.fixture
def listen(clock):
    """``await listen(shop, 10)``: ten seconds later, the next question."""

    async def onward(shop: Handset, seconds: int):
        clock.advance(s=seconds)
        return await shop.listen(seconds)

    return onward


async def in_line(caller, count: int) -> list[Handset]:
    shops = [caller() for _ in range(count)]
    for shop in shops:
        await shop.to_the_line("1")
        await shop.wait()
    return shops


async def test_music_first_and_the_first_word_after_twenty_seconds(caller, listen):
    _, shop = await in_line(caller, 2)
    assert shop.heard.said == ""
    assert shop.heard.clips == ["hold-1.wav", "hold-2.wav"]
    heard = await listen(shop, 20)
    assert (
        heard.said
        == "You are number 2 in line. To leave the line and record a message for us instead, press star."
    )
    assert heard.clips[0] == "hold-3.wav"


async def test_then_every_ninety_seconds_with_comfort_in_between_never(caller, listen):
    _, shop = await in_line(caller, 2)
    told = [(await listen(shop, 20)).said]
    for _ in range(9):
        told.append((await listen(shop, 10)).said)
    assert [bool(words) for words in told] == [True, *[False] * 8, True]
    assert told[-1] == "You are number 2 in line."


async def test_a_better_place_is_told_sooner_and_a_worse_one_never(caller, listen, desk, clock):
    ahead, shop = await in_line(caller, 2)
    await listen(shop, 20)
    await ahead.hang_up()
    assert (await listen(shop, 20)).said == ""  # not within 45 s of the last word
    assert (await listen(shop, 25)).said.startswith("You are next in line.")
    gold = caller("+14155550001")
    await gold.to_the_line("1")
    assert (await listen(shop, 90)).said == "Thank you for your patience. You are still in line."


async def test_the_wait_is_told_as_a_range_when_there_are_honest_figures(caller, listen, desk, redis, clock):
    *_, shop = await in_line(caller, 4)
    clock.advance(s=20)
    figures = queue_pulse(waiting=4, agents=2)
    await publish(redis, desk, Pulse(at_ms=clock.now_ms(), queues={"payments": figures}))
    heard = await shop.listen(20)
    assert heard.said.startswith("You are number 4 in line. Your remaining wait is about 4 to 15 minutes.")


async def test_figures_of_yesterday_tell_no_wait(caller, listen, desk, redis, clock):
    figures = queue_pulse(waiting=4, agents=2)
    await publish(redis, desk, Pulse(at_ms=clock.now_ms() - 60_000, queues={"payments": figures}))
    *_, shop = await in_line(caller, 2)
    assert "wait" not in (await listen(shop, 20)).said


async def test_nobody_at_work_means_silence_about_the_wait(caller, listen, desk, redis, clock):
    figures = queue_pulse(waiting=4, agents=0)
    await publish(redis, desk, Pulse(at_ms=clock.now_ms() + 15_000, queues={"payments": figures}))
    *_, shop = await in_line(caller, 2)
    assert "wait" not in (await listen(shop, 20)).said


async def publish(redis, desk, pulse: Pulse) -> None:
    await publish_pulse(redis, desk.keys, pulse)


async def test_spanish_is_kept(caller, listen):
    shop = caller()
    await shop.ring()
    await shop.press("9")
    await shop.press("1")
    await shop.wait()
    heard = await listen(shop, 20)
    assert heard.said == " ".join(
        catalog.voice("es", key, position=1).text for key in ("position", "keys_while_waiting")
    )
    assert heard.languages == ["es-US"]


async def test_while_an_agent_is_asked_there_is_only_music(caller, listen, agent):
    await agent("ann")
    shop = caller()
    await shop.to_the_line("1")
    await shop.wait()
    for _ in range(4):
        heard = await listen(shop, 10)
        assert (heard.said, len(heard.clips)) == ("", 1)


async def test_star_leaves_the_line_to_record_a_message(caller, listen, desk):
    (shop,) = await in_line(caller, 1)
    heard = await shop.press("*")
    assert heard.said == "All right. You are leaving the line to record a message."
    assert heard.verbs == ["Say", "Leave"]
    heard = await shop.left("leave")
    assert heard.said.startswith("After the tone")
    assert heard.has("Record")
    assert (await desk.line.contact(shop.sid)).state is ContactState.ENDED


@pytest.mark.parametrize("key", ["0", "1", "5", "#", "", "☎"])
async def test_any_other_key_goes_on_with_the_music_and_its_memory(caller, listen, key):
    (shop,) = await in_line(caller, 1)
    await listen(shop, 20)
    await shop.press(key)
    heard = await listen(shop, 5)
    assert heard.said == ""
    assert heard.clips


async def test_star_does_not_take_a_caller_from_an_agent_who_is_being_asked(caller, agent):
    await agent("ann")
    shop = caller()
    await shop.to_the_line("1")
    await shop.wait()
    assert (await shop.press("*")).verbs == ["Redirect"]


async def test_after_the_longest_wait_a_message_is_taken(caller, listen, desk):
    (shop,) = await in_line(caller, 1)
    heard = await listen(shop, 5400)
    assert heard.said.startswith("I am sorry that nobody has been able to take your call.")
    assert heard.verbs == ["Say", "Leave"]
    assert (await shop.left("leave")).has("Record")


async def test_a_repeat_is_answered_alike_though_the_line_has_moved(caller, clock, web):
    ahead, shop = await in_line(caller, 2)
    clock.advance(s=20)
    heard = await shop.listen(20)
    path, form, _ = web.asked[-1]
    await ahead.hang_up()
    clock.advance(s=3)
    assert (await web.twilio(path, form)).body == heard.body


async def test_a_place_told_is_on_record_once(caller, clock, web, redis, desk):
    (shop,) = await in_line(caller, 1)
    clock.advance(s=20)
    await shop.listen(20)
    path, form, _ = web.asked[-1]
    await web.twilio(path, form)
    told = [event for event in await journalled(desk) if event.kind == "told"]
    assert [(event.contact, event.fields["position"]) for event in told] == [(shop.sid, "1")]


async def test_a_caller_the_line_has_forgotten_is_put_back_into_it(caller, listen, redis, desk):
    (shop,) = await in_line(caller, 1)
    await redis.flushall()
    assert (await listen(shop, 10)).clips
    now = await desk.line.contact(shop.sid)
    assert (now.state, now.queue, now.card.topic) == (ContactState.WAITING, "payments", "payments")


async def test_a_late_question_after_the_end_is_answered_politely(caller, listen):
    (shop,) = await in_line(caller, 1)
    await shop.hang_up()
    heard = await shop.wait(QueueTime="30")
    assert heard.said == "Thank you for calling Corner Pay. Goodbye."
    assert heard.verbs == ["Say", "Hangup"]


class AwayLine:
    """The line of a store that does not answer."""

    def __getattr__(self, name):
        async def away(*_, **__):
            raise Unavailable("away")

        return away


async def test_without_the_line_there_is_music_and_comfort_and_no_position(desk, clock):
    web = Web(doors(replace(desk, line=AwayLine())))
    shop = Handset(web, "+14155559999")
    assert (await shop.to_the_line("1")).one("Enqueue").text == "payments.p2"
    assert (await shop.wait()).said == ""
    told = []
    for _ in range(12):
        clock.advance(s=10)
        told.append((await shop.listen(10)).said)
    assert [words for words in told if words] == [
        "Thank you for your patience. You are still in line. "
        "To leave the line and record a message for us instead, press star.",
        "Thank you for your patience. You are still in line.",
    ]
    assert (await shop.press("*")).verbs == ["Say", "Leave"]
    assert (await shop.left("leave")).has("Record")


async def test_the_line_makes_up_for_what_it_missed(desk, caller, clock):
    web = Web(doors(replace(desk, line=AwayLine())))
    shop = Handset(web, "+14155550001")
    await shop.to_the_line("1")
    shop.web = caller().web
    await shop.wait()
    now = await desk.line.contact(shop.sid)
    assert (now.state, now.queue, now.band, now.card.merchant) == (
        ContactState.WAITING, "payments", "p1", "Corner Bakery",
    )  # fmt: skip


async def test_a_forgotten_caller_is_put_back_while_the_figures_are_not_asked_for_yet(
    desk, caller, redis, listen
):
    """After an outage the figures come back last; the caller's place must not wait for them."""
    breaker = Breaker("redis", BreakerRules(1, probe_s=0, good_probes=1, ramp_s=1e9))
    for bad in (True, False):
        breaker.record(breaker.admit(0), 0, bad=bad)
    assert breaker.state is BreakerState.RAMPING
    recovering = replace(desk, line=Line(redis, desk.policy, breaker), redis_breaker=breaker)
    shop = caller()
    shop.web = Web(doors(recovering))
    await shop.to_the_line("1")
    await redis.flushall()
    await shop.wait()
    assert await desk.line.position(shop.sid) == 1


async def test_a_line_rebuilt_by_twilios_coarser_word_is_put_right_by_the_callers_own(
    caller, desk, redis, clock
):
    """As old as they are, in the order they came, and the agent sees who it is."""
    shops = await in_line(caller, 3)
    before = [(await desk.line.contact(shop.sid)).arrival_us for shop in shops]
    assert len(set(before)) == 3  # though all came in one millisecond
    await redis.flushall()
    clock.advance(s=20)
    for shop in reversed(shops):
        await desk.line.enter(
            shop.sid,
            queue="payments",
            band="p2",
            card=Card(),
            now_ms=clock.now_ms(),
            arrived_ms=before[0] // 1000 + 7_000,
        )
    for shop in shops:
        await shop.listen(20)
    assert [now.contact for now in await desk.line.waiting("payments")] == [shop.sid for shop in shops]
    there = [await desk.line.contact(shop.sid) for shop in shops]
    assert [now.arrival_us for now in there] == before
    assert {now.card.caller for now in there} == {"+14155559999"}
    kinds = [event.kind for event in await journalled(desk)]
    assert kinds == ["entered"] * 3 + ["backdated"] * 3
    path, form, heard = shops[0].web.asked[-3]
    assert (await shops[0].web.twilio(path, form)).body == heard.body
    assert len(await journalled(desk)) == 6


async def test_a_repeat_of_the_menu_does_not_move_the_caller(caller, web, desk):
    shop = caller()
    heard = await shop.to_the_line("1")
    path, form, _ = web.asked[-1]
    assert (await web.twilio(path, form)).body == heard.body
    assert (await desk.line.look(0)).queues["payments"].waiting == 1


async def test_a_caller_whose_contact_ended_cannot_come_in_again(caller, desk, clock):
    shop = caller()
    await shop.to_the_line("1")
    await desk.line.leave(shop.sid, Disposition.ABANDONED, clock.now_ms())
    assert (await shop.post("/voice/menu?lang=en", Digits="1")).verbs == ["Say", "Hangup"]
