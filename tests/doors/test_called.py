"""What a merchant hears whom we call back: at the pick-up, at each key, and after silence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks import dialing, promises, settling
from callbacks.tables import Attempt
from queueing.states import ContactState
from tests.doors.called_back import (
    CONNECTING,
    GONE,
    SORRY,
    TROUBLE,
    AwayLine,
    agent_comes,
    alike,
    conference,
    loses,
    ring,
    with_office,
)
from tests.doors.test_callback import POLICY, AwaySql

GREETING = "This is Corner Pay, calling you back as promised. Press 1 to be connected."
ALREADY = "You are already being helped on another call. Goodbye."
TOO_LATE = "This callback is no longer needed. Goodbye."
STANDS = "All right, nothing has changed. We will call you back. Thank you for calling Corner Pay. Goodbye."
CANCELLED = "Your callback is cancelled. We will not call you. Thank you for calling Corner Pay. Goodbye."


@pytest.fixture
def desk(desk):
    return with_office(desk)


# --- picked up ------------------------------------------------------------------------------------------


async def test_whoever_picks_up_hears_who_calls_and_which_key_connects(rung):
    leg = await rung()
    heard = await leg.picks_up()
    assert heard.said == GREETING
    assert heard.verbs == ["Gather", "Say", "Say", "Redirect"]
    await alike(leg)
    assert (await leg.result())[:2] == ("dialing", "answered")


async def test_in_spanish(rung):
    leg = await rung(language="es")
    assert (await leg.picks_up()).languages == ["es-US"]
    assert (await leg.press("1")).languages == ["es-US"]


async def test_a_leg_of_nobody_hears_that_we_are_in_trouble(rung):
    leg = await rung()
    for attempt in ("", "PR0000000000000000-1", "x" * 400, "'; drop"):
        leg.heard = await leg.post(f"/voice/called?attempt={attempt}")
        while leg.heard.verbs[-1] == "Redirect":
            await leg.say_nothing()
        assert leg.heard.said == SORRY
        assert leg.heard.verbs[-1] == "Hangup"


async def test_a_second_leg_hangs_up(leg):
    other = replace(leg, sid="CA" + "f" * 32)
    heard = await other.picks_up()
    assert (heard.said, heard.verbs[-1]) == (STANDS, "Hangup")
    await leg.press("1")
    assert (await other.picks_up()).said == ALREADY


@pytest.mark.parametrize("why", ["cancelled", "later", "taken"])
async def test_who_picks_up_when_nobody_is_to_be_called(rung, desk, clock, why):
    leg = await rung()
    if why == "cancelled":
        await promises.cancel(desk.office, leg.promise.id, "", "merchant", clock.now_ms())
    elif why == "later":
        await dialing.withdraw(desk.office, leg.attempt.id, "too slow", clock.now_ms())
    else:
        assert await dialing.take_for(desk.office, leg.promise.id, "CA99", clock.now_ms())
    heard = await leg.picks_up()
    assert heard.said == {"cancelled": TOO_LATE, "later": STANDS, "taken": ALREADY}[why]
    assert heard.verbs[-1] == "Hangup"
    await alike(leg)


# --- 1 --------------------------------------------------------------------------------------------------


async def test_one_brings_the_merchant_to_the_agent_who_waits(leg):
    heard = await leg.press("1")
    assert heard.said == CONNECTING
    assert conference(heard) == f"{leg.turn}-{leg.attempt.fence}"
    await alike(leg)
    assert (await leg.now()).held_by == leg.sid


async def test_one_with_the_agent_gone_waits_first_in_line(leg, desk, clock):
    await loses(desk, leg, clock)
    heard = await leg.press("1")
    assert heard.said == f"{GONE} You are first in line."
    await alike(leg)
    assert (await leg.now()).held_by == leg.sid
    assert (await desk.line.contact(leg.turn)).state is ContactState.WAITING


async def test_one_with_another_agent_there_meets_that_one(leg, desk, clock, agent):
    await loses(desk, leg, clock)
    await agent("bob")
    fence = await agent_comes(desk, leg.promise, "bob")
    heard = await leg.press("1")
    assert conference(heard) == f"{leg.turn}-{fence}"
    await alike(leg)


@pytest.mark.parametrize("key", ["1", "2", "3"])
async def test_no_key_counts_while_the_merchant_is_helped_on_another_call(leg, desk, clock, key):
    assert await dialing.take_for(desk.office, leg.promise.id, "CA99", clock.now_ms())
    heard = await leg.press(key)
    assert (heard.said, heard.verbs[-1]) == (ALREADY, "Hangup")
    await alike(leg)
    now = await leg.now()
    assert (now.state, now.held_by) == ("dialing", "CA99")


@pytest.mark.parametrize("key", ["1", "2", "3"])
async def test_the_promise_is_not_called_unneeded_when_only_this_attempt_is_over(leg, desk, clock, key):
    await dialing.withdraw(desk.office, leg.attempt.id, "too slow", clock.now_ms())
    assert (await leg.press(key)).said == STANDS
    assert (await leg.now()).state == "in_line"


async def test_one_after_the_promise_was_cancelled(leg, desk, clock):
    await promises.cancel(desk.office, leg.promise.id, "", "sue", clock.now_ms())
    assert (await leg.press("1")).said == TOO_LATE


@pytest.mark.parametrize("times", [1, 3])
async def test_one_without_sql_is_remembered_until_sql_is_back(leg, times):
    leg.stores(sql=AwaySql())
    await leg.press("1")
    for _ in range(times - 1):
        assert leg.heard.said == TROUBLE
        await leg.say_nothing()
    assert leg.heard.said == TROUBLE
    leg.stores()
    heard = await leg.say_nothing()
    assert heard.said == CONNECTING
    assert (await leg.now()).held_by == leg.sid


@pytest.mark.parametrize("when", ["pick-up", "key"])
async def test_without_sql_for_long_nobody_is_connected(rung, when):
    leg = await rung()
    if when == "key":
        await leg.picks_up()
    leg.stores(sql=AwaySql())
    await (leg.press("1") if when == "key" else leg.picks_up())
    said = [leg.heard.said]
    while leg.heard.verbs[-1] == "Redirect":
        said.append((await leg.say_nothing()).said)
    assert said == [TROUBLE] * 3 + [SORRY]
    assert leg.heard.verbs[-1] == "Hangup"
    assert (await leg.now()).held_by == ""
    leg.stores()
    before_ms = leg.desk.clock.now_ms()
    await leg.is_over()
    assert await leg.result() == ("due_later", "trouble", 0)
    assert (await leg.now()).due_ms == before_ms + POLICY.retry_after_ms(1)


async def test_nobody_is_rung_all_day_by_a_trouble_of_ours(leg, desk):
    """Rung twice as often as the tries, it counts."""
    async with desk.sql.session() as session:
        attempt = await session.get(Attempt, leg.attempt.id)
        attempt.number = 2 * POLICY.tries
    await settling.note_trouble(desk.office, leg.attempt.id)
    await leg.is_over()
    assert await leg.result() == ("due_later", "trouble", 1)


async def test_one_without_the_line_goes_where_the_agent_was(leg, desk):
    leg.stores(line=AwayLine(desk.line))
    assert conference(await leg.press("1")) == f"{leg.turn}-{leg.attempt.fence}"


# --- 2 and 3 --------------------------------------------------------------------------------------------


async def test_two_puts_it_off_and_says_until_when(leg, desk, clock):
    heard = await leg.press("2")
    assert heard.said.startswith("Your callback is changed. We will call you today at ")
    assert heard.verbs[-1] == "Hangup"
    await alike(leg)
    now = await leg.now()
    assert (now.state, now.tries, now.due_ms) == ("due_later", 0, clock.now_ms() + 30 * 60_000)
    assert (await desk.line.contact(leg.turn)).state is ContactState.ENDED
    await leg.is_over()
    assert await leg.result() == ("due_later", "withdrawn", 0)


async def test_three_cancels_it(leg, desk):
    heard = await leg.press("3")
    assert (heard.said, heard.verbs[-1]) == (CANCELLED, "Hangup")
    await alike(leg)
    assert (await leg.now()).state == "cancelled"
    assert (await desk.line.contact(leg.turn)).state is ContactState.ENDED
    await leg.is_over()
    assert await leg.result() == ("cancelled", "withdrawn", 0)


@pytest.mark.parametrize(("key", "state"), [("2", "due_later"), ("3", "cancelled")])
async def test_two_and_three_without_sql_are_remembered(leg, key, state):
    leg.stores(sql=AwaySql())
    assert (await leg.press(key)).said == TROUBLE
    leg.stores()
    await leg.say_nothing()
    assert (await leg.now()).state == state


class ReadOnlySql(AwaySql):
    """A database that goes away between a question and the change that follows from its answer."""

    def __init__(self, sql):
        self.reading = sql.reading


@pytest.mark.parametrize(("key", "state"), [("1", "dialing"), ("2", "due_later"), ("3", "cancelled")])
async def test_a_key_is_not_carried_out_by_halves(leg, desk, key, state):
    leg.stores(sql=ReadOnlySql(desk.sql))
    assert (await leg.press(key)).said == TROUBLE
    leg.stores()
    await leg.say_nothing()
    assert (await leg.now()).state == state


# --- silence --------------------------------------------------------------------------------------------


async def test_silence_is_asked_three_times_and_left_a_message(leg):
    longer = f"{GREETING} To be called later, press 2. If you no longer need this call, press 3."
    for _ in range(2):
        assert (await leg.say_nothing()).said == longer
        await alike(leg)
    heard = await leg.say_nothing()
    assert heard.said.startswith(
        "This is Corner Pay. You asked us to call you back. Nobody pressed 1, so we will try again."
    )
    assert heard.verbs == ["Say", "Hangup"]
    await alike(leg)
    assert await leg.result() == ("due_later", "machine", 1)
    await leg.is_over()
    assert await leg.result() == ("due_later", "machine", 1)


@pytest.mark.parametrize("key", ["9", "*", "#", "12", "\x00", "☎"])
async def test_a_key_that_means_nothing_is_silence(leg, key):
    assert "press 2" in (await leg.press(key)).said


async def test_one_message_is_left_however_many_tries(leg, desk, clock, agent):
    for _ in range(3):
        await leg.say_nothing()
    assert leg.heard.said
    again = await promises.reschedule(desk.office, leg.promise.id, None, "sue", clock.now_ms())
    await desk.roster.ready("ann", clock.now_ms())
    second = await ring(desk, again)
    await second.picks_up()
    for _ in range(3):
        await second.say_nothing()
    assert second.heard.verbs == ["Hangup"]
    await alike(second)


async def test_the_last_try_s_message_promises_nothing(rung, desk):
    policy = replace(desk.office.policy, tries=1)
    leg = await rung(replace(desk, office=replace(desk.office, policy=policy)))
    await leg.picks_up()
    for _ in range(3):
        await leg.say_nothing()
    assert leg.heard.said.startswith(
        "This is Corner Pay. You asked us to call you back, and we could not reach you. Please call us at"
    )
    await alike(leg)
    assert await leg.result() == ("unreachable", "machine", 1)


async def test_nobody_is_told_that_we_will_try_again_who_rang_in_meanwhile(leg, desk, clock):
    assert await dialing.take_for(desk.office, leg.promise.id, "CA99", clock.now_ms())
    for _ in range(3):
        await leg.say_nothing()
    assert leg.heard.verbs == ["Hangup"]
