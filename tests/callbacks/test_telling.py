"""The texts about a promise: each told once, to whoever agreed, and nothing in them that is not known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlmodel import select

from callbacks import dialing, promises, reaping, telling
from callbacks.promises import Place
from callbacks.states import PromiseState, Result
from carrier import tables as carrier_tables  # noqa: F401  (made by the fixtures sql and books)
from carrier import texts
from carrier.tables import Text
from foundation.errors import Unavailable
from tests.callbacks.office import NUMBER, Staff

HOUR_MS = 3_600_000
KEPT = "Corner Pay: your place in line is kept. We will call you when your turn comes."


@pytest.fixture
def staff(redis, sql, clock) -> Staff:
    return named(Staff(redis, sql, clock))


def named(staff: Staff) -> Staff:
    staff.cb = replace(staff.cb, centre_name="Corner Pay", secret="a secret of the tests")
    return staff


async def written(staff) -> list[Text]:
    async with staff.sql.reading() as session:
        return list(await session.exec(select(Text).order_by(Text.made_ms, Text.id)))


async def bodies(staff) -> list[str]:
    return [text.body for text in await written(staff)]


async def agreed(staff, **more):
    """Promised, and texts are welcome."""
    made = await staff.asks(texts=True, **more)
    return made.promise


async def in_vain(staff, promise, agent="ann", result=Result.NO_ANSWER):
    """One try that reaches nobody."""
    turn, fence = await staff.presses_call(promise, agent)
    intent = await dialing.write_intent(staff.cb, promise.id, turn, fence, agent, staff.now_ms)
    await dialing.over(staff.cb, intent.attempt.id, result, staff.now_ms)
    await staff.writes_down()


class AwayLine:
    """A line that does not answer."""

    def __init__(self, line):
        self.policy, self.keys = line.policy, line.keys

    async def contact(self, name):
        raise Unavailable("away")


# --- what was promised ----------------------------------------------------------------------------------


async def test_who_agrees_is_told_the_place_and_how_to_be_left_alone(staff):
    await staff.asks(number="+14155550188")
    staff.clock.advance(s=1)
    promise = (await staff.asks()).promise
    for _ in range(3):
        assert await telling.agree(staff.cb, promise.id, staff.now_ms)
    (text,) = await written(staff)
    assert (text.id, text.number, text.promise) == (f"{promise.id}.promised", NUMBER, promise.id)
    assert text.body.startswith("Corner Pay: your place in line is kept, you are number 2.")
    assert "STOP for no more texts" in text.body
    assert text.body.endswith(telling.link(staff.cb, promise))
    assert (await staff.promise(promise.id)).texts


@pytest.mark.parametrize("over", ["cancelled", "never made"])
async def test_nobody_agrees_to_texts_about_nothing(staff, over):
    promise = (await staff.asks()).promise
    await promises.cancel(staff.cb, promise.id, "", "merchant", staff.now_ms)
    named_id = promise.id if over == "cancelled" else "PR0000000000000000"
    assert not await telling.agree(staff.cb, named_id, staff.now_ms)
    assert await written(staff) == []


@pytest.mark.parametrize("told", [False, True])
async def test_without_the_line_no_place_is_told(staff, told):
    """``told``: the merchant was also told until when to expect the call."""
    promise = (await staff.asks(told_by_ms=staff.now_ms + HOUR_MS if told else None)).promise
    staff.cb = replace(staff.cb, line=AwayLine(staff.line))
    assert await telling.agree(staff.cb, promise.id, staff.now_ms)
    (body,) = await bodies(staff)
    assert body.startswith(f"{KEPT} Reply STATUS, LATER or NOCALL, or STOP for no more texts.")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("told", [False, True])
@pytest.mark.parametrize("state", [PromiseState.IN_LINE, PromiseState.RESERVED])
async def test_a_place_that_is_not_known_is_nobody_s_first(staff, language, told, state):
    promise = (
        await staff.asks(language=language, told_by_ms=staff.now_ms + HOUR_MS if told else None)
    ).promise
    nowhere = Place(0, 0, state, promise.due_ms, promise.by_ms)
    for text in (telling.promised, telling.status):
        said = text(staff.cb, promise, nowhere, staff.now_ms)
        assert "1" not in said.rpartition("http")[0], said
        kept = {"en": KEPT, "es": "Corner Pay: su lugar en la fila queda guardado."}
        assert said.startswith(kept[language])


async def test_a_place_that_is_known_is_told_with_the_time(staff):
    promise = (await staff.asks(told_by_ms=staff.now_ms + HOUR_MS)).promise
    where = await promises.place(staff.cb, promise)
    for text in (telling.promised, telling.status):
        said = text(staff.cb, promise, where, staff.now_ms)
        assert "you are number 1" in said
        assert "We expect to call you" in said


# --- news -----------------------------------------------------------------------------------------------


async def test_not_reached_is_told_once_however_often_the_round_runs(staff):
    promise = await agreed(staff)
    await staff.at_work("ann")
    await in_vain(staff, promise)
    assert [await telling.tell_news(staff.cb, staff.now_ms) for _ in range(3)] == [1, 0, 0]
    (body,) = await bodies(staff)
    assert body.startswith("Corner Pay: we called you today at ")
    assert "We will try again today at " in body


async def test_both_databases_know_what_was_told(redis, books, clock):
    staff = named(Staff(redis, books, clock))
    promise = await agreed(staff)
    await promises.cancel(staff.cb, promise.id, "", "sue", staff.now_ms)
    assert [await telling.tell_news(staff.cb, staff.now_ms) for _ in range(2)] == [1, 0]
    assert await bodies(staff) == ["Corner Pay: your callback is cancelled. We will not call you."]


async def test_the_last_try_promises_no_other(staff):
    promise = await agreed(staff)
    await staff.at_work("ann")
    await in_vain(staff, promise, result=Result.REFUSED)
    await telling.tell_news(staff.cb, staff.now_ms)
    (body,) = await bodies(staff)
    assert "We will not try again. Please call us at" in body


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Corner Pay: sorry, we did not manage to call you back in time, and will not try again. "),
        ("es", "Corner Pay: lo sentimos, no logramos llamarle a tiempo y no volveremos a intentarlo. "),
    ],
)
async def test_what_was_not_kept_in_its_time_is_told_once_with_how_to_ring_back(staff, language, said):
    promise = await agreed(staff, language=language)
    await staff.asks(number="+14155550188")  # nobody agreed here
    staff.clock.advance(ms=staff.policy.expires_ms)
    assert await reaping.expire(staff.cb, staff.now_ms) == 2
    assert await staff.state(promise) == PromiseState.EXPIRED
    assert [await telling.tell_news(staff.cb, staff.now_ms) for _ in range(2)] == [1, 0]
    (text,) = await written(staff)
    assert (text.number, text.kind) == (NUMBER, "expired")
    assert text.body.startswith(said)
    assert "+1 415-555-0100" in text.body


@pytest.mark.parametrize(("by", "count"), [("sue", 1), ("merchant", 0)])
async def test_a_callback_that_an_incidents_end_made_needless_is_told_once(staff, by, count):
    promise = await agreed(staff)
    await promises.resolve(staff.cb, [promise.id], by, "the incident is over", staff.now_ms)
    assert [await telling.tell_news(staff.cb, staff.now_ms) for _ in range(2)] == [count, 0]
    for body in await bodies(staff):
        assert body.startswith(
            "Corner Pay: the problem you called about is over, so we will not call you back."
        )
        assert "+1 415-555-0100" in body


@pytest.mark.parametrize(("by", "count"), [("merchant", 0), ("sue", 1), ("line", 1)])
async def test_what_merchants_did_themselves_is_not_told_again(staff, by, count):
    promise = await agreed(staff)
    await promises.later(staff.cb, promise.id, 30, by, staff.now_ms)
    assert await telling.tell_news(staff.cb, staff.now_ms) == count
    window = (staff.now_ms + HOUR_MS, staff.now_ms + 2 * HOUR_MS)
    await promises.reschedule(staff.cb, promise.id, window, by, staff.now_ms)
    assert await telling.tell_news(staff.cb, staff.now_ms) == count
    await promises.cancel(staff.cb, promise.id, "", by, staff.now_ms)
    assert await telling.tell_news(staff.cb, staff.now_ms) == count


async def test_nobody_is_texted_who_did_not_agree(staff):
    promise = (await staff.asks()).promise
    await promises.cancel(staff.cb, promise.id, "", "sue", staff.now_ms)
    assert await telling.tell_news(staff.cb, staff.now_ms) == 0


async def test_who_has_opted_out_gets_nothing(staff):
    promise = await agreed(staff)
    async with staff.sql.session() as session:
        await texts.opt_out(session, NUMBER, "STOP", staff.now_ms)
    await telling.agree(staff.cb, promise.id, staff.now_ms)
    await promises.cancel(staff.cb, promise.id, "", "sue", staff.now_ms)
    assert [await telling.tell_news(staff.cb, staff.now_ms) for _ in range(2)] == [1, 0]
    assert [text.state for text in await written(staff)] == ["skipped", "skipped"]


async def test_in_spanish(staff):
    promise = await agreed(staff, language="es")
    await staff.at_work("ann")
    await in_vain(staff, promise)
    await telling.tell_news(staff.cb, staff.now_ms)
    staff.clock.advance(minutes=1)
    await promises.cancel(staff.cb, promise.id, "", "sue", staff.now_ms)
    await telling.tell_news(staff.cb, staff.now_ms)
    tried, cancelled = await bodies(staff)
    assert tried.startswith("Corner Pay: le llamamos hoy a la")
    assert cancelled == "Corner Pay: su llamada queda cancelada. No le llamaremos."


# --- news that have grown old ---------------------------------------------------------------------------


async def test_only_the_last_of_several_news_is_told(staff):
    """Nobody told them meanwhile; who is cancelled is not told of the next try."""
    promise = await agreed(staff)
    await staff.at_work("ann")
    await in_vain(staff, promise)
    await promises.later(staff.cb, promise.id, 60, "sue", staff.now_ms)
    await promises.cancel(staff.cb, promise.id, "", "sue", staff.now_ms)
    assert [await telling.tell_news(staff.cb, staff.now_ms) for _ in range(3)] == [1, 0, 0]
    assert await bodies(staff) == ["Corner Pay: your callback is cancelled. We will not call you."]


async def test_a_next_try_is_not_told_when_it_is_no_news_any_more(staff):
    promise = await agreed(staff)
    await staff.at_work("ann")
    await in_vain(staff, promise)
    await promises.cancel(staff.cb, promise.id, "", "merchant", staff.now_ms)
    assert await telling.tell_news(staff.cb, staff.now_ms) == 0


async def test_a_next_try_that_is_due_already_is_not_told_as_one_to_come(staff):
    promise = await agreed(staff)
    await staff.at_work("ann")
    await in_vain(staff, promise)
    staff.clock.advance(minutes=11)
    await staff.keeps()
    assert await staff.state(promise) == PromiseState.IN_LINE
    assert await telling.tell_news(staff.cb, staff.now_ms) == 0


async def test_who_is_put_back_into_the_line_is_told_no_time(staff):
    start_ms = staff.now_ms + HOUR_MS
    promise = await agreed(staff, window=(start_ms, start_ms + HOUR_MS))
    await promises.reschedule(staff.cb, promise.id, None, "sue", staff.now_ms)
    assert await telling.tell_news(staff.cb, staff.now_ms) == 1
    (body,) = await bodies(staff)
    assert body.startswith(KEPT)


async def test_what_is_long_past_is_told_no_more(staff):
    promise = await agreed(staff)
    await promises.cancel(staff.cb, promise.id, "", "sue", staff.now_ms)
    staff.clock.advance(minutes=361)
    assert await telling.tell_news(staff.cb, staff.now_ms) == 0
