"""What a caller hears who asks to be called back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks import notice, promises
from callbacks import tables as callback_tables  # noqa: F401  (made by the fixture sql)
from callbacks.office import Office
from callbacks.policy import CallbackPolicy
from carrier import tables as carrier_tables  # noqa: F401  (the same)
from foundation.errors import Unavailable
from ivr.app import doors
from queueing.pulse import Pulse, publish
from queueing.states import ContactState, Disposition
from tests.doors.handset import NUMBER, PUBLIC, Handset, Web
from tests.waits import queue_pulse

POLICY = CallbackPolicy(quiet_from="00:00", quiet_to="00:00", rehearsal=True, other_number=True)
OFFER = "You do not have to hold. To keep your place in line and be called back, press 1."


@pytest.fixture
def desk(desk):
    office = Office(
        sql=desk.sql, redis=desk.redis, line=desk.line, keys=desk.keys, clock=desk.clock, policy=POLICY,
        hours=None, time_zone="America/Los_Angeles", ours=(NUMBER,), public_url=PUBLIC,
        centre_name=desk.centre.name, secret=desk.secret,
    )  # fmt: skip
    return replace(desk, office=office)


@pytest.fixture
async def offered(desk, caller, clock):
    """A caller who has waited for two minutes, and was offered a callback."""

    async def waits(number: str = "+14155550003", desk=desk) -> Handset:
        shop = caller(number)
        shop.web = Web(doors(desk))
        await shop.to_the_line("1")
        await shop.wait()
        while not shop.heard.said or "press 1" not in shop.heard.said:
            clock.advance(s=20)
            assert shop.queue_time < 400, "no callback is offered"
            queues = {queue.name: queue_pulse(1, 0) for queue in desk.policy.queues}
            await publish(desk.redis, desk.keys, Pulse(clock.now_ms(), queues))
            await notice.publish(desk.office, clock.now_ms())
            await shop.listen(20)
        return shop

    return waits


async def alike(shop: Handset) -> None:
    """The last question, asked once more, is answered as before."""
    path, form, heard = shop.web.asked[-1]
    assert (await shop.web.twilio(path, form)).body == heard.body
    shop.heard = heard


async def promised(shop: Handset) -> None:
    for _ in range(3):
        await shop.press("1")
        if shop.heard.verbs == ["Redirect"]:
            await shop.say_nothing()
        await alike(shop)


async def test_offered_after_two_minutes_promised_and_let_go(offered, desk):
    shop = await offered()
    assert shop.queue_time >= 120
    assert OFFER in shop.heard.said
    await shop.press("1")
    heard = await shop.say_nothing()
    assert heard.said.startswith(
        "The number we would call is four one, five five, five five, zero zero, zero three."
    )
    heard = await shop.press("1")
    assert heard.said.startswith(
        "When would you like us to call? To be called when your turn comes, press 1."
    )
    assert await promises.find(desk.office, shop.number) is None
    heard = await shop.press("1")
    assert heard.said.startswith("Thank you. Your place in line is kept. We will call you back at")
    assert heard.said.endswith("Message and data rates may apply.")
    await alike(shop)
    promise = await promises.find(desk.office, shop.number)
    assert (promise.contact, promise.state) == (shop.sid, "in_line")
    heard = await shop.press("2")
    assert heard.said == "All right, we will not text you. You may hang up now. Goodbye."
    assert heard.verbs[-1] == "Hangup"
    await shop.hang_up()
    now = await desk.line.contact(shop.sid)
    assert (now.state, now.disposition) == (ContactState.ENDED, Disposition.PROMISED)


async def test_one_before_any_offer_does_nothing(caller, desk):
    shop = caller()
    await shop.to_the_line("1")
    await shop.wait()
    assert (await shop.press("1")).verbs == ["Redirect"]
    assert "/voice/wait?" in shop.heard.one("Redirect").text


async def test_offered_again_at_every_third_announcement(offered, clock, desk):
    shop = await offered()
    told = []
    for _ in range(30):
        clock.advance(s=10)
        await notice.publish(desk.office, clock.now_ms())
        queues = {queue.name: queue_pulse(1, 0) for queue in desk.policy.queues}
        await publish(desk.redis, desk.keys, Pulse(clock.now_ms(), queues))
        heard = await shop.listen(10)
        if heard.said:
            told.append("press 1" in heard.said)
    assert told[:3] == [False, False, True]


@pytest.mark.parametrize("door", ["", "/confirm", "/number", "/text"])
async def test_odd_keys_lose_nothing(offered, desk, door):
    shop = await offered()
    for digits in ("", "7", "9" * 10_000, "\x00\x07", "☎", "²"):
        await shop.post(f"/voice/callback{door}?lang=en&of=1", Digits=digits)
        assert (await desk.line.contact(shop.sid)).state is ContactState.WAITING
    assert await promises.count_open(desk.office) == 0


@pytest.mark.parametrize("questions", [0, 1])
async def test_star_leaves_from_every_question(offered, desk, questions):
    shop = await offered()
    await shop.press("1")
    await shop.say_nothing()
    for _ in range(questions):
        await shop.press("1")
    assert (await shop.press("*")).verbs == ["Say", "Leave"]


async def test_silence_leads_back_to_the_music(offered):
    shop = await offered()
    await shop.press("1")
    for _ in range(3):
        await shop.say_nothing()
    assert "/voice/wait?" in shop.heard.one("Redirect").text


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("9005551234", "That is not an ordinary phone line, so we cannot call it."),
        ("011442079460958", "That number is in a region we do not call."),
        ("911", "That is an emergency number, so we cannot call it."),
        ("4155550100", "That is our own number, so we cannot call it."),
        ("0", "That is not a complete telephone number."),
    ],
)
async def test_another_number_is_refused_with_the_reason(offered, keys, said):
    shop = await offered()
    await shop.press("1")
    await shop.say_nothing()
    await shop.press("2")
    heard = await shop.press(keys)
    assert heard.said.startswith(said)
    assert keys not in heard.body.decode() or len(keys) < 4


async def test_another_number_is_read_back_and_stands_in_no_url(offered, desk):
    shop = await offered()
    await shop.press("1")
    await shop.say_nothing()
    await shop.press("2")
    heard = await shop.press("4155550177")
    assert heard.said.startswith("You keyed in four one, five five, five five, zero one, seven seven.")
    await alike(shop)
    await shop.press("1")
    await shop.press("1")
    promise = await promises.find(desk.office, "+14155550177")
    assert promise.typed
    assert not any("5550177" in path for path, *_ in shop.web.asked)


async def test_a_withheld_number_is_asked_for_another(offered):
    shop = await offered("anonymous")
    assert "called back at a number you key in" in shop.heard.said
    await shop.press("1")
    heard = await shop.say_nothing()
    assert heard.said.startswith("Your number is hidden from us, so we cannot call you back. Please key in")


async def test_a_number_that_has_a_callback_is_told_so_and_keeps_both_places(offered, desk):
    await promised(await offered())
    other = await offered("+14155559999")
    await other.post("/voice/callback/when?lang=en&of=1", Digits="1", From="+14155550003")
    assert other.heard.said == "You already have a callback with us, and your place in line is kept."
    assert await promises.count_open(desk.office) == 1
    assert (await desk.line.contact(other.sid)).state is ContactState.WAITING


async def test_while_an_agent_is_asked_nothing_is_promised(offered, desk, agent):
    shop = await offered()
    await shop.press("1")
    await shop.say_nothing()
    await shop.press("1")
    await agent("ann")
    heard = await shop.press("1")
    assert heard.said == "An agent may be free for you now. Please stay on the line."
    assert await promises.count_open(desk.office) == 0


class AwaySql:
    """A database that does not answer."""

    def __getattr__(self, name):
        def away(*_, **__):
            raise Unavailable("away")

        return away


async def test_without_sql_nothing_is_promised_and_the_caller_hears_so(offered, desk):
    shop = await offered()
    shop.web = Web(doors(replace(desk, office=replace(desk.office, sql=AwaySql()))))
    await shop.press("1")
    await shop.say_nothing()
    await shop.press("1")
    heard = await shop.press("1")
    assert (
        heard.said == "I am sorry, we could not set up your callback. You have not lost your place in line."
    )
    assert (await desk.line.contact(shop.sid)).state is ContactState.WAITING
    assert await promises.count_open(desk.office) == 0


async def test_in_spanish(caller, offered, desk):
    shop = await offered()
    heard = await shop.post("/voice/callback?lang=es&of=1")
    assert heard.languages == ["es-US"]
    assert (await shop.post("/voice/callback/when?lang=es&of=1", Digits="1")).languages == ["es-US"]
