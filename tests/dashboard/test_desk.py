"""The agent's buttons, pressed without any script: a form, a redirect, a page."""

from __future__ import annotations

import pytest

from queueing.presence import Presence
from queueing.states import ContactState


@pytest.fixture
async def browser(sign_in):  # type: ignore[no-untyped-def]
    return await sign_in("agent1")


async def press(browser, button: str, **given):  # type: ignore[no-untyped-def]
    return await browser.post(f"/desk/{button}", data=given)


async def presence(rooms, agent: str = "agent1") -> Presence:  # type: ignore[no-untyped-def]
    return (await rooms.roster.agent(agent)).presence


async def test_go_available_then_the_next_contact_is_on_the_desk(browser, rooms, ring_in) -> None:
    answer = await press(browser, "ready", line="softphone")
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    await ring_in("CA1")
    page = (await browser.get("/desk")).text
    assert "A contact for you" in page
    assert "Corner Bakery" in page
    assert "+1 415 ••• 4471" in page
    assert "4155554471" not in page


async def test_a_call_from_accept_to_the_next(browser, rooms, ring_in, clock) -> None:
    await press(browser, "ready")
    await ring_in("CA1")
    await press(browser, "accept", contact="CA1", fence=1)
    assert await presence(rooms) is Presence.TALKING
    assert "Connecting you" in (await browser.get("/desk")).text
    await rooms.line.connect("CA1", clock.now_ms())
    assert "Connected" in (await browser.get("/desk")).text
    await press(browser, "hold", contact="CA1", fence=1)
    assert "Take off hold" in (await browser.get("/desk")).text
    await press(browser, "unhold", contact="CA1", fence=1)
    assert "Take off hold" not in (await browser.get("/desk")).text
    await press(browser, "hang-up", contact="CA1", fence=1)
    await rooms.line.finish("CA1", clock.now_ms())  # the phone network obeys
    assert "Wrap up: Corner Bakery" in (await browser.get("/desk")).text
    answer = await press(browser, "wrap-up", contact="CA1", fence=1, outcome="resolved", note="Restarted it.")
    assert answer.status_code == 303
    assert await presence(rooms) is Presence.READY


async def test_what_was_asked_is_in_the_journal(browser, rooms, ring_in, clock) -> None:
    await press(browser, "ready")
    await ring_in("CA1")
    await press(browser, "accept", contact="CA1", fence=1)
    await rooms.line.connect("CA1", clock.now_ms())
    for button in ("hold", "unhold", "hang-up"):
        await press(browser, button, contact="CA1", fence=1)
    await rooms.line.finish("CA1", clock.now_ms())
    await press(browser, "wrap-up", contact="CA1", fence=1, outcome="resolved", note="a | b\nc")
    entries = await rooms.redis.xrange(rooms.line.keys.journal)
    kinds = [kind for _, entry in entries for kind in entry]
    assert [kind for kind in kinds if kind in ("held", "unheld", "hang_up_asked", "note")] == [
        "held",
        "unheld",
        "hang_up_asked",
        "note",
    ]
    note = next(entry["note"] for _, entry in entries if "note" in entry)
    assert "outcome=resolved" in note
    assert note.endswith("text=a | b c")


async def test_declining_sends_the_contact_back_to_its_place(browser, rooms, ring_in) -> None:
    await press(browser, "ready")
    await ring_in("CA1")
    await press(browser, "decline", contact="CA1", fence=1)
    contact = await rooms.line.contact("CA1")
    assert contact.state is ContactState.WAITING
    assert await presence(rooms) is Presence.READY


async def test_a_contact_that_has_moved_on_is_told_so(browser, rooms, ring_in, clock) -> None:
    await press(browser, "ready")
    await ring_in("CA1")
    answer = await press(browser, "accept", contact="CA1", fence=99)
    assert answer.status_code == 409
    assert "The contact has moved on" in answer.text
    assert "A contact for you" in answer.text, "the page shows how things stand now"


@pytest.mark.parametrize("button", ["hold", "unhold", "hang-up", "transfer", "wrap-up", "accept", "decline"])
async def test_nobody_touches_another_agents_contact(
    button: str, browser, rooms, ring_in, sign_in, clock
) -> None:
    await press(browser, "ready")
    await ring_in("CA1")
    await press(browser, "accept", contact="CA1", fence=1)
    await rooms.line.connect("CA1", clock.now_ms())
    before = await rooms.redis.xlen(rooms.line.keys.journal)
    other = await sign_in("agent2")
    answer = await press(other, button, contact="CA1", fence=1, queue="billing", outcome="resolved")
    assert answer.status_code == 409
    assert await rooms.redis.xlen(rooms.line.keys.journal) == before


async def test_a_transfer_keeps_the_age_and_the_agent_wraps_up(browser, rooms, ring_in, clock) -> None:
    await press(browser, "ready")
    await ring_in("CA1")
    entered = clock.now_ms()
    await press(browser, "accept", contact="CA1", fence=1)
    await rooms.line.connect("CA1", clock.now_ms())
    clock.advance(s=60)
    await press(browser, "transfer", contact="CA1", fence=1, queue="billing")
    contact = await rooms.line.contact("CA1")
    assert (contact.state, contact.queue, contact.entered_ms) == (ContactState.WAITING, "billing", entered)
    assert await presence(rooms) is Presence.WRAP_UP


async def test_an_unknown_queue_is_named(browser, rooms, ring_in, clock) -> None:
    await press(browser, "ready")
    await ring_in("CA1")
    await press(browser, "accept", contact="CA1", fence=1)
    await rooms.line.connect("CA1", clock.now_ms())
    answer = await press(browser, "transfer", contact="CA1", fence=1, queue="nowhere")
    assert answer.status_code == 422
    assert "There is no queue" in answer.text


async def test_away_with_a_reason_and_back(browser, rooms) -> None:
    await press(browser, "ready")
    await press(browser, "away", reason="Lunch")
    assert "Lunch" in (await browser.get("/desk")).text
    await press(browser, "ready")
    assert await presence(rooms) is Presence.READY


async def test_a_break_asked_for_while_talking_comes_afterwards(browser, rooms, ring_in, clock) -> None:
    await press(browser, "ready")
    await ring_in("CA1")
    await press(browser, "accept", contact="CA1", fence=1)
    await rooms.line.connect("CA1", clock.now_ms())
    await press(browser, "away", reason="Break")
    page = (await browser.get("/desk")).text
    assert "Then away." in page
    assert "Stay available" in page


async def test_an_agent_with_a_phone_is_rung_there(sign_in, rooms, ring_in) -> None:
    browser = await sign_in("agent2")
    await press(browser, "ready", line="phone")
    assert (await rooms.roster.agent("agent2")).line == "+14155550177"
    await ring_in("CA1")
    page = (await browser.get("/desk")).text
    assert "Your phone +1 415 ••• 0177 is ringing" in page
    assert 'data-key="a"' not in page


async def test_an_agent_without_a_queue_is_told_whom_to_ask(sign_in, rooms) -> None:
    from dashboard.accounts import Accounts

    await Accounts(rooms.sql).change("agent1", skills={})
    answer = await press(await sign_in("agent1"), "ready")
    assert answer.status_code == 422
    assert "You serve no queue yet" in answer.text


async def test_a_note_that_comes_late_is_still_written(browser, rooms, ring_in, clock) -> None:
    await press(browser, "ready")
    await ring_in("CA1")
    await press(browser, "accept", contact="CA1", fence=1)
    await rooms.line.connect("CA1", clock.now_ms())
    await rooms.line.finish("CA1", clock.now_ms())
    clock.advance(ms=rooms.policy.wrap_up_ms + 1)
    await rooms.line.expire(clock.now_ms())
    assert await presence(rooms) is Presence.READY
    answer = await press(browser, "wrap-up", contact="CA1", fence=1, outcome="follow_up", note="Late.")
    assert answer.status_code == 303
    entries = await rooms.redis.xrange(rooms.line.keys.journal)
    assert sum("note" in entry for _, entry in entries) == 1


async def test_htmx_gets_the_desk_alone(browser) -> None:
    answer = await browser.post("/desk/ready", data={"line": "softphone"}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'id="desk"' in answer.text


async def test_htmx_is_shown_the_way_when_the_session_is_over(sign_in) -> None:
    browser = await sign_in(None)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://desk.test/desk"}
    answer = await browser.post("/desk/ready", headers=headers)
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/sign-in?next=/desk")


async def test_the_last_contacts_of_the_merchant_are_on_the_card(browser, rooms, ring_in, clock) -> None:
    from queueing.tables import Contact

    async with rooms.sql.session() as session:
        session.add(
            Contact(
                contact="CApast",
                queue="support",
                merchant_id=7,
                merchant="Corner Bakery",
                topic="Payout",
                entered_ms=clock.now_ms() - 86_400_000,
                answered_ms=clock.now_ms() - 86_390_000,
                ended_ms=clock.now_ms() - 86_300_000,
                disposition="answered",
                outcome="follow_up",
                note="Waits for a part.",
            )
        )
    await press(browser, "ready")
    await ring_in("CA1")
    page = (await browser.get("/desk")).text
    assert "Before now with this merchant (1)" in page
    assert "Waits for a part." in page
    assert "Needs follow-up" in page


async def test_without_redis_the_desk_stays_and_says_so(browser, rooms, ring_in, monkeypatch) -> None:
    from foundation.errors import Unavailable

    await press(browser, "ready")
    assert (await browser.get("/desk")).status_code == 200

    async def away(*_args: object, **_more: object) -> None:
        raise Unavailable()

    for place, verb in ((rooms.line, "look"), (rooms.roster, "agent"), (rooms.roster, "away")):
        monkeypatch.setattr(place, verb, away)
    page = await browser.get("/desk")
    assert page.status_code == 200
    assert "The line&#39;s memory does not answer" in page.text
    assert "Ready" in page.text
    answer = await press(browser, "away", reason="Lunch")
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text
