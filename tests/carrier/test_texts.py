"""A text is written once, sent once at most, and followed to its end: on both databases, with the double."""

from __future__ import annotations

import asyncio
import random

import pytest
from sqlmodel import select

from carrier import text_record, texts
from carrier.tables import Text
from carrier.text_states import MOVES, TERMINAL, TextState, before, told
from carrier.texts import LOOK_AFTER_MS, SEND_WITHIN_MS, SURE_AFTER_MS, Backlog
from carrier.twilio_rest import Ambiguous, Busy, Refused
from drill.network.exchange import Phone
from foundation.clock import ManualClock
from foundation.connections import Sql
from foundation.errors import Mendable
from tests.carrier.house import House, Interrupted, Scripted, sent
from tests.drill.product import CALLER, OURS, Rehearsal

LOST = {"on": "rest", "kind": "lose_answer", "match": "/Messages", "method": "POST", "times": 1}
NOT_SENT = {"on": "rest", "kind": "fail_before", "match": "/Messages", "method": "POST", "times": 1}


# --- the law --------------------------------------------------------------------------------------------


def test_every_state_has_its_row_and_ends_are_ends() -> None:
    assert set(MOVES) == set(TextState)
    assert {
        TextState.DELIVERED, TextState.UNDELIVERED, TextState.FAILED, TextState.SKIPPED
    } == TERMINAL  # fmt: skip
    assert TextState.UNKNOWN in before(TextState.QUEUED)
    assert TextState.SENT not in before(TextState.QUEUED)


def test_the_carriers_words() -> None:
    assert told("queued") is TextState.SENT
    assert told("read") is TextState.DELIVERED
    assert told("received") is None


# --- writing --------------------------------------------------------------------------------------------


async def test_the_same_text_is_written_once(house: House) -> None:
    assert await house.writes()
    assert not await house.writes()
    assert (await house.row()).segments == 1
    assert await house.listed(texts.due) == ["PR1.kept"]


async def test_a_text_for_later_is_not_due_and_not_taken(house: House) -> None:
    await house.writes(not_before_ms=house.clock.now_ms() + 60_000)
    assert await house.listed(texts.due) == []
    assert await house.sends() is None
    house.clock.advance(s=60)
    assert await house.listed(texts.due) == ["PR1.kept"]
    assert await house.sends() is TextState.SENT


async def test_who_opted_out_gets_a_skipped_row(house: House) -> None:
    await house.stops()
    assert await house.writes()
    assert await house.state() == "skipped"
    assert await house.sends() is None


@pytest.mark.parametrize("body", ["", "  ", "x" * 1601])
async def test_what_is_no_text_is_refused(house: House, body: str) -> None:
    async with house.sql.session() as session:
        with pytest.raises(Mendable, match="1 to 1600"):
            await texts.write(session, Text(id="t", number=CALLER, kind="kept", body=body))


# --- sending --------------------------------------------------------------------------------------------


async def test_a_text_is_sent_once_and_reported(house: House, rehearsal: Rehearsal) -> None:
    await house.writes()
    assert await house.sends() is TextState.SENT
    assert await house.sends() is None
    row = await house.row()
    assert sent(rehearsal) == [row.message_sid]
    await rehearsal.passes(5)
    reports = rehearsal.product.all("/sms/status")
    assert [each.fields["MessageStatus"] for each in reports] == ["sent", "delivered"]
    assert all(each.url.endswith("/sms/status?text=PR1.kept") for each in reports)
    assert await house.hears(row.message_sid, "delivered")
    assert await house.state() == "delivered"


async def test_a_hundred_workers_send_it_once(house: House, rehearsal: Rehearsal) -> None:
    await house.writes()
    done = await asyncio.gather(*(house.sends() for _ in range(8)), return_exceptions=True)
    assert done.count(TextState.SENT) == 1
    assert len(sent(rehearsal)) == 1


async def test_busy_waits_a_little_and_is_sent_later(house: House, rehearsal: Rehearsal) -> None:
    rehearsal.exchange.courier.faults.replace({"rules": [NOT_SENT | {"kind": "busy"}]})
    await house.writes()
    assert await house.sends() is TextState.QUEUED
    assert await house.sends() is None
    house.clock.advance(s=20)
    assert await house.sends() is TextState.SENT
    assert len(sent(rehearsal)) == 1


async def test_busy_for_two_days_is_given_up(house: House, rehearsal: Rehearsal) -> None:
    rehearsal.exchange.courier.faults.replace({"rules": [NOT_SENT | {"kind": "busy"}]})
    await house.writes(made_ms=house.clock.now_ms() - texts.KEEP_TRYING_MS - 1)
    assert await house.sends() is TextState.FAILED
    assert (await house.row()).error == "given up: busy"


async def test_a_number_that_cannot_be_texted_fails_with_the_code(house: House) -> None:
    await house.writes(number="+15005550009")
    assert await house.sends() is TextState.FAILED
    assert (await house.row()).error == "21614"
    assert not await house.opted_out("+15005550009")


async def test_the_carriers_opt_out_is_ours_from_then_on(house: House) -> None:
    await house.writes(number="+15005550004")
    await house.writes("PR2.kept", number="+15005550004")
    assert await house.sends() is TextState.FAILED
    assert (await house.row()).error == "21610"
    assert await house.opted_out("+15005550004")
    assert await house.state("PR2.kept") == "skipped"


@pytest.mark.parametrize("refused", [Refused(21611, 400, "full"), Refused(20003, 401, "who?")])
async def test_what_is_not_the_texts_fault_waits(house: House, refused: Refused) -> None:
    house.carrier = Scripted(refused)
    await house.writes()
    assert await house.sends() is TextState.QUEUED
    house.clock.advance(s=120)
    assert await house.sends() is TextState.SENT


async def test_a_worker_that_wakes_up_late_sends_nothing(house: House) -> None:
    async def frozen() -> None:
        house.clock.advance(ms=SEND_WITHIN_MS + 1)

    house.carrier = Scripted()
    await house.writes()
    assert await house.sends(sql=Interrupted(house.sql, frozen)) is TextState.QUEUED
    assert house.carrier.asked == []


# --- unknown answers ------------------------------------------------------------------------------------


async def test_a_lost_answer_is_looked_up_and_found(house: House, rehearsal: Rehearsal) -> None:
    rehearsal.exchange.courier.faults.replace({"rules": [LOST]})
    await house.writes()
    assert await house.sends() is TextState.UNKNOWN
    assert await house.settles() is TextState.UNKNOWN
    assert await house.listed(texts.unsettled) == []
    house.clock.advance(ms=SEND_WITHIN_MS + LOOK_AFTER_MS)
    assert await house.listed(texts.unsettled) == ["PR1.kept"]
    assert await house.settles() is TextState.SENT
    assert [(await house.row()).message_sid] == sent(rehearsal)


async def test_what_was_never_sent_is_sent_when_that_is_sure(house: House, rehearsal: Rehearsal) -> None:
    rehearsal.exchange.courier.faults.replace({"rules": [NOT_SENT]})
    await house.writes()
    assert await house.sends() is TextState.UNKNOWN
    house.clock.advance(ms=SEND_WITHIN_MS + LOOK_AFTER_MS)
    assert await house.settles() is TextState.UNKNOWN
    assert await house.listed(texts.unsettled) == []
    house.clock.advance(ms=SURE_AFTER_MS - LOOK_AFTER_MS)
    assert await house.settles() is TextState.QUEUED
    assert await house.sends() is TextState.SENT
    assert len(sent(rehearsal)) == 1


async def test_a_worker_that_died_after_sending_is_recovered(house: House, rehearsal: Rehearsal) -> None:
    """The carrier has it, and nobody wrote that down."""
    await house.writes()
    async with house.sql.session() as session:
        assert await texts.take(session, "PR1.kept", house.clock.now_ms()) is not None
    sid = await house.carrier.text(CALLER, OURS, "It is your turn.")
    house.clock.advance(ms=SEND_WITHIN_MS + LOOK_AFTER_MS)
    assert await house.settles() is TextState.SENT
    assert (await house.row()).message_sid == sid
    assert len(sent(rehearsal)) == 1


async def test_two_unknown_texts_of_the_same_words_are_told_apart(house: House, rehearsal: Rehearsal) -> None:
    """One of them was sent, the other was not: each is accounted for once."""
    rehearsal.exchange.courier.faults.replace({"rules": [LOST, NOT_SENT]})
    await house.writes("PR1.a")
    await house.writes("PR1.b")
    assert [await house.sends("PR1.a"), await house.sends("PR1.b")] == [TextState.UNKNOWN] * 2
    house.clock.advance(ms=SEND_WITHIN_MS + SURE_AFTER_MS)
    assert [await house.settles("PR1.a"), await house.settles("PR1.b")] == [TextState.SENT, TextState.QUEUED]
    assert len(sent(rehearsal)) == 1


async def test_a_list_too_long_to_be_sure_settles_nothing(house: House, rehearsal: Rehearsal) -> None:
    for number in range(3):
        await house.carrier.text(CALLER, OURS, f"other words {number}")
    rehearsal.exchange.courier.faults.replace({"rules": [NOT_SENT]})
    await house.writes()
    await house.sends()
    house.clock.advance(ms=SEND_WITHIN_MS + SURE_AFTER_MS)
    settled = await texts.settle(
        house.sql, house.carrier, "PR1.kept", from_=OURS, now_ms=house.clock.now_ms(), limit=3
    )
    assert settled is TextState.UNKNOWN


async def test_the_report_settles_an_unknown_text_by_itself(house: House) -> None:
    house.carrier = Scripted(Ambiguous("no answer"))
    await house.writes()
    assert await house.sends() is TextState.UNKNOWN
    assert await house.hears("SM1", "delivered", text_id="PR1.kept")
    assert await house.state() == "delivered"
    assert (await house.row()).message_sid == "SM1"


async def test_a_report_before_the_answer_is_not_overwritten(house: House) -> None:
    async def reported_first() -> str:
        assert await house.hears("SM1", "delivered", text_id="PR1.kept")
        return "SM1"

    house.carrier = Scripted(reported_first)
    await house.writes()
    await house.sends()
    assert await house.state() == "delivered"


async def test_a_text_without_a_report_is_asked_for_once(house: House, rehearsal: Rehearsal) -> None:
    await house.writes()
    await house.sends()
    await rehearsal.passes(10)
    house.clock.advance(minutes=15)
    assert await house.listed(texts.unsettled) == ["PR1.kept"]
    assert await house.settles() is TextState.DELIVERED
    await house.writes("PR2.kept")
    house.carrier = Scripted("SM2")
    await house.sends("PR2.kept")
    house.clock.advance(minutes=16)

    async def unreported(sid: str) -> None:
        assert sid == "SM2"

    house.carrier.message = unreported
    assert await house.settles("PR2.kept") is TextState.SENT
    assert await house.listed(texts.unsettled) == []


# --- reports --------------------------------------------------------------------------------------------


async def test_a_landline_is_undelivered_with_its_code(house: House, rehearsal: Rehearsal) -> None:
    rehearsal.exchange.phones[CALLER] = Phone(text_error=30006)
    await house.writes()
    await house.sends()
    await rehearsal.passes(5)
    last = rehearsal.product.last("/sms/status").fields
    assert await house.hears(last["MessageSid"], last["MessageStatus"], last["ErrorCode"])
    row = await house.row()
    assert (row.state, row.error) == ("undelivered", "30006")


@pytest.mark.parametrize("seed", range(12))
async def test_reports_in_any_order_end_alike(house: House, seed: int) -> None:
    house.carrier = Scripted("SM1")
    await house.writes()
    await house.sends()
    reports = ["queued", "sent", "sent", "delivered", "delivered", "sending"]
    random.Random(seed).shuffle(reports)
    for status in reports:
        await house.hears("SM1", status, text_id="PR1.kept")
    assert await house.state() == "delivered"
    assert not await house.hears("SM1", "undelivered", "30003")
    assert not await house.hears("SM1", "no such word")
    assert not await house.hears("SM9", "failed", text_id="PR1.kept")
    assert await house.state() == "delivered"


# --- how much is waiting --------------------------------------------------------------------------------


async def test_the_backlog_ends_when_the_last_has_left(house: House, clock: ManualClock) -> None:
    now_ms = clock.now_ms()

    async def waiting() -> Backlog:
        async with house.sql.reading() as session:
            return await texts.backlog(session, clock.now_ms())

    assert await waiting() == Backlog(0, 0, now_ms)
    for number in range(4):
        await house.writes(f"PR{number}.kept")
    assert await waiting() == Backlog(4, 4, now_ms + 4000)
    await house.writes("PR9.kept", not_before_ms=now_ms + 60_000)
    assert await waiting() == Backlog(5, 5, now_ms + 61_000)
    house.carrier = Scripted("SM0")
    await house.sends("PR0.kept")
    assert (await waiting()).count == 5
    await house.hears("SM0", "sent")
    assert (await waiting()).count == 4


async def test_rows_hold_what_happened_and_no_more(house: House) -> None:
    house.carrier = Scripted(Busy())
    await house.writes()
    await house.sends()
    async with house.sql.reading() as session:
        rows = list(await session.exec(select(Text)))
    assert [(row.id, row.state, row.error) for row in rows] == [("PR1.kept", "queued", "busy")]


async def test_a_second_text_of_a_kind_within_the_pause_is_skipped(sql: Sql) -> None:
    async def written(name: str, kind: str, at_ms: int) -> tuple[str, str]:
        row = Text(id=name, number=CALLER, kind=kind, body="hello", made_ms=at_ms, not_before_ms=at_ms)
        async with sql.session() as session:
            assert await text_record.write(session, row, 3_600_000)
        return row.state, row.error

    assert await written("a", "promised", 1_000_000_000) == ("queued", "")
    assert await written("b", "promised", 1_003_599_999) == ("skipped", "too soon")
    assert await written("c", "not_reached", 1_003_599_999) == ("queued", "")
    assert await written("d", "promised", 1_003_600_000) == ("queued", "")
