"""The desk's buttons for callbacks, pressed without any script."""

from __future__ import annotations

import pytest

from callbacks.turns import turn_name
from queueing.presence import Presence
from queueing.states import ContactState, Disposition


@pytest.fixture
async def browser(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in("agent1")


async def press(browser, button: str, **given):  # type: ignore[no-untyped-def]
    return await browser.post(f"/desk/{button}", data=given)


async def presence(rooms, agent: str = "agent1") -> Presence:  # type: ignore[no-untyped-def]
    return (await rooms.roster.agent(agent)).presence


async def in_hand(browser, owing, **given):  # type: ignore[no-untyped-def]
    """A promise that agent1 is being asked for; its turn."""
    row = await owing.owe(1, **given)
    await press(browser, "ready")
    return row, turn_name(row.id, 1)


async def test_a_callback_is_on_the_desk_with_the_time_left_and_no_number(browser, rooms, owing) -> None:
    await in_hand(browser, owing)
    page = (await browser.get("/desk")).text
    assert "A callback for you" in page
    assert "20 min left" in page
    assert "+1 415 ••• 0001" in page
    assert "4155560001" not in page
    assert "try 1 of 3" in page


async def test_call_then_the_merchant_is_being_rung_for_as_long_as_a_phone_rings(
    browser, rooms, owing, clock
) -> None:
    _, turn = await in_hand(browser, owing)
    answer = await press(browser, "call", contact=turn, fence=1)
    assert answer.status_code == 303
    contact = await rooms.line.contact(turn)
    assert contact.accepted
    assert contact.deadline_ms == clock.now_ms() + rooms.office.policy.dial_ms
    page = (await browser.get("/desk")).text
    assert "Calling +1 415 ••• 0001…" in page
    assert "ringing" in page


async def test_a_second_press_on_call_changes_nothing(browser, rooms, owing) -> None:
    _, turn = await in_hand(browser, owing)
    await press(browser, "call", contact=turn, fence=1)
    before = await rooms.redis.xlen(rooms.line.keys.journal)
    assert (await press(browser, "call", contact=turn, fence=1)).status_code == 303
    assert await rooms.redis.xlen(rooms.line.keys.journal) == before


async def test_not_reached_is_known_already_when_the_agent_is_asked(browser, rooms, owing) -> None:
    row, turn = await in_hand(browser, owing)
    await press(browser, "call", contact=turn, fence=1)
    await owing.tried(row, 1, "no_answer")
    page = (await browser.get("/desk")).text
    assert "How did the callback go" in page
    assert "Nobody picked up." in page
    chosen = page[page.index('value="no_answer"') :].partition(">")[0]
    assert "data-focus" in chosen
    assert await presence(rooms) is Presence.WRAP_UP


async def test_one_press_ends_it_with_a_disposition_and_a_note(browser, rooms, owing, clock) -> None:
    _, turn = await in_hand(browser, owing)
    await press(browser, "call", contact=turn, fence=1)
    await rooms.line.connect(turn, clock.now_ms())
    await rooms.line.finish(turn, clock.now_ms())
    given = {
        "contact": turn,
        "fence": 1,
        "outcome": "reached",
        "disposition": "resolved",
        "note": "Sells again.",
    }
    assert (await press(browser, "wrap-up", **given)).status_code == 303
    entries = await rooms.redis.xrange(rooms.line.keys.journal)
    note = next(entry["note"] for _, entry in entries if "note" in entry)
    assert "result=reached" in note
    assert "outcome=resolved" in note
    assert await presence(rooms) is Presence.READY


@pytest.mark.parametrize(
    ("field", "code", "words"),
    [("outcome", "resolved", "no outcome"), ("disposition", "x", "no disposition")],
)
async def test_an_outcome_that_is_none_is_named(
    field: str, code: str, words: str, browser, rooms, owing
) -> None:
    row, turn = await in_hand(browser, owing)
    await press(browser, "call", contact=turn, fence=1)
    await owing.tried(row, 1, "busy")
    given = {"contact": turn, "fence": 1, "outcome": "no_answer", field: code}
    answer = await press(browser, "wrap-up", **given)
    assert answer.status_code == 422
    assert f"There is no {field}" in answer.text


async def test_skip_keeps_the_place_and_is_written_down_with_its_reason(browser, rooms, owing) -> None:
    row, turn = await in_hand(browser, owing)
    await press(browser, "skip", contact=turn, fence=1, reason="Needs another   language")
    contact = await rooms.line.contact(turn)
    assert contact.state is ContactState.WAITING
    assert contact.passed == ("agent1",)
    from callbacks import lists

    told = await lists.story(rooms.sql, row.id)
    assert [(one.kind, one.by, one.words) for one in told[1:]] == [
        ("skipped", "agent1", "Needs another language")
    ]


async def test_only_who_holds_it_skips_it(browser, rooms, owing, sign_in) -> None:
    _, turn = await in_hand(browser, owing)
    other = await sign_in("agent2")
    answer = await press(other, "skip", contact=turn, fence=1, reason="mine")
    assert answer.status_code == 409
    assert (await rooms.line.contact(turn)).agent == "agent1"


async def test_later_frees_the_agent_and_sets_the_time(browser, rooms, owing, clock) -> None:
    row, turn = await in_hand(browser, owing)
    answer = await press(browser, "later", contact=turn, fence=1, version=0, minutes=30)
    assert answer.status_code == 200
    assert "not before 30 minutes from now" in answer.text
    from callbacks import lists

    now = await lists.one(rooms.sql, row.id)
    assert (now.state, now.due_ms >= clock.now_ms() + 1_800_000) == ("due_later", True)
    assert (await rooms.line.contact(turn)).disposition == Disposition.SET_ASIDE
    assert await presence(rooms) is Presence.READY


async def test_a_page_that_shows_an_older_promise_changes_nothing(browser, rooms, owing) -> None:
    row = await owing.owe(1)
    await owing.change(row.id, texts=False)
    answer = await press(browser, "later", promise=row.id, version=0, minutes=30)
    assert answer.status_code == 409
    assert "The promise has moved on" in answer.text
    from callbacks import lists

    assert (await lists.one(rooms.sql, row.id)).state == "in_line"


@pytest.mark.parametrize("minutes", ["0", "1441"])
async def test_later_is_a_sensible_number_of_minutes(minutes: str, browser, owing) -> None:
    row = await owing.owe(1)
    answer = await press(browser, "later", promise=row.id, version=0, minutes=minutes)
    assert answer.status_code == 422


async def test_claim_then_a_second_claim_says_who_has_it(browser, rooms, owing, sign_in, clock) -> None:
    row = await owing.owe(1)
    for agent in ("agent1", "agent2"):
        name = "Ann" if agent == "agent1" else "Omar"
        await rooms.roster.sign_in(
            agent, name=name, skills={"billing": 0}, line="softphone", now_ms=clock.now_ms()
        )
    assert (await press(browser, "claim", promise=row.id)).status_code == 303
    assert "A callback for you" in (await browser.get("/desk")).text
    assert (await press(browser, "claim", promise=row.id)).status_code == 303, "twice is once"
    other = await press(await sign_in("agent2"), "claim", promise=row.id)
    assert other.status_code == 409
    assert "Ann has it" in other.text


async def test_nobody_claims_from_outside_the_line(browser, owing) -> None:
    row = await owing.owe(1)
    answer = await press(browser, "claim", promise=row.id)
    assert answer.status_code == 409
    assert (await press(browser, "claim", promise="PR404")).status_code == 404


async def test_the_status_text_goes_out_once_in_ten_minutes_and_never_after_stop(
    browser, rooms, owing, clock
) -> None:
    from sqlmodel import select

    from carrier.tables import OptOut, Text

    row = await owing.owe(1, language="es")
    assert "on its way" in (await press(browser, "text", promise=row.id)).text
    assert "just now" in (await press(browser, "text", promise=row.id)).text
    async with rooms.sql.session() as session:
        texts = (await session.exec(select(Text))).all()
        session.add(OptOut(number=row.number, at_ms=clock.now_ms()))
    assert len(texts) == 1
    assert "no le hemos olvidado" in texts[0].body
    assert "http://desk.test/c/" in texts[0].body
    clock.advance(s=601)
    assert "has said STOP" in (await press(browser, "text", promise=row.id)).text


async def test_who_agreed_to_no_texts_gets_none(browser, owing) -> None:
    row = await owing.owe(1, texts=False)
    assert (await press(browser, "text", promise=row.id)).status_code == 409


async def test_the_list_shows_own_queues_late_ones_first_and_pages(browser, owing) -> None:
    await owing.owe_many(60)
    await owing.owe(99, queue="billing", merchant="Not mine")
    page = (await browser.get("/desk")).text
    assert "60 open" in page
    assert "Not mine" not in page
    assert page.count("<tr data-row=") == 50
    assert page.index(f'data-row="PR{1:016x}"') < page.index(f'data-row="PR{2:016x}"')
    rest = (await browser.get("/desk?owed=50")).text
    assert rest.count("<tr data-row=") == 10
    assert "51–60 of 60" in rest


async def test_without_the_record_the_desk_stays_and_says_so(browser, rooms, monkeypatch) -> None:
    from callbacks import lists
    from foundation.errors import Unavailable

    async def away(*_args: object, **_more: object) -> None:
        raise Unavailable()

    monkeypatch.setattr(lists, "stamp", away)
    page = await browser.get("/desk")
    assert page.status_code == 200
    assert "The record does not answer" in page.text


async def test_the_merchants_past_has_calls_promises_and_texts(browser, rooms, owing, clock) -> None:
    from callbacks.tables import Promise
    from carrier.tables import Text
    from queueing.tables import Contact

    now_ms = clock.now_ms()
    async with rooms.sql.session() as session:
        session.add(
            Contact(contact="CAp", merchant_id=2, queue="support", topic="payout", entered_ms=now_ms - 9)
        )
        session.add(
            Promise(
                id="PRp",
                state="kept",
                number="+1",
                queue="support",
                band="p2",
                merchant_id=2,
                made_ms=now_ms - 8,
            )
        )
        session.add(
            Text(id="t", number="+1", kind="status", promise="PRp", body="We call you.", made_ms=now_ms - 7)
        )
    await in_hand(browser, owing)
    page = (await browser.get("/desk")).text
    assert "Before now with this merchant (3)" in page
    for words in ("Payout · in progress", "kept", "We call you."):
        assert words in page
