"""Callbacks with a browser: the whole desk by keyboard alone, and rows that hold still."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from callbacks.turns import turn_name
from tests.pages.test_desk import await_keys


def at_desk(visit: Any, house: Any, count: int = 0) -> Any:
    """A desk whose stream is open, with so many promises owed. Nobody is asked for them yet."""
    if count:
        house.do(house.owing.owe_many(count))
    page = visit("agent1", "/desk")
    expect(page.locator("[data-live]")).to_have_attribute("data-age", "live")
    if count:
        # What another test owed may stand in the first answer still: its list is a second old.
        expect(page.locator("[data-row]")).to_have_count(count)
    return page


def promise_state(house: Any, promise: str) -> str:
    from callbacks import lists

    row = house.do(lists.one(house.sql, promise))
    assert row is not None
    return str(row.state)


def noted(house: Any) -> str:
    """What the agent wrote down last."""
    entries = house.do(house.redis.xrange(house.rooms.line.keys.journal))
    return str([entry["note"] for _, entry in entries if "note" in entry][-1])


def test_a_callback_with_the_keyboard_alone(visit: Any, house: Any) -> None:
    row = house.do(house.owing.owe(1))
    turn = turn_name(row.id, 1)
    page = at_desk(visit, house)
    page.keyboard.press("g")
    expect(page.get_by_role("button", name="Call", exact=True)).to_be_focused()
    expect(page.locator("#spoken")).to_have_text("A callback for you: Taqueria Luna.")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Calling +1 415 ••• 0001…")).to_be_visible()
    expect(page.get_by_text("Softphone in the call")).to_be_visible()
    house.do(house.rooms.line.connect(turn, house.clock.now_ms()))  # picked up, pressed 1
    expect(page.get_by_role("heading", name="Connected")).to_be_visible()
    await_keys(page)
    page.keyboard.press("x")
    house.do(house.rooms.line.finish(turn, house.clock.now_ms()))
    expect(page.get_by_role("button", name="Reached")).to_be_focused()
    await_keys(page)
    page.keyboard.press("n")
    page.keyboard.type("Sells again: 1, c and x are only letters here.")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="No answer")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).to_have_attribute("data-presence", "ready")
    note = next(
        entry["note"]
        for _, entry in house.do(house.redis.xrange(house.rooms.line.keys.journal))
        if "note" in entry
    )
    assert "result=reached" in note
    assert "Sells again: 1, c and x are only letters here." in note
    assert page.faults == []


def test_what_is_known_needs_one_key(visit: Any, house: Any) -> None:
    row = house.do(house.owing.owe(1))
    page = at_desk(visit, house)
    page.keyboard.press("g")
    expect(page.get_by_role("button", name="Call", exact=True)).to_be_focused()
    await_keys(page)
    page.keyboard.press("c")
    expect(page.get_by_role("heading", name="Calling")).to_be_visible()
    house.do(house.owing.tried(row, 1, "machine"))
    expect(page.get_by_role("button", name="Machine")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).not_to_have_attribute("data-presence", "wrap_up")
    notes = [
        entry for _, entry in house.do(house.redis.xrange(house.rooms.line.keys.journal)) if "note" in entry
    ]
    assert "result=machine" in notes[0]["note"]


def test_later_skip_and_text_by_single_keys(visit: Any, house: Any) -> None:
    for place in (1, 2):
        house.do(house.owing.owe(place))
    page = at_desk(visit, house)
    page.keyboard.press("g")
    expect(page.get_by_role("button", name="Call", exact=True)).to_be_visible()
    await_keys(page)
    page.keyboard.press("s")
    expect(page.locator("#notes")).to_contain_text("The status text is on its way")
    page.keyboard.press("l")
    expect(page.locator("#notes")).to_contain_text("not before 30 minutes from now")
    assert promise_state(house, f"PR{1:016x}") == "due_later"
    expect(page.locator("#desk")).to_have_attribute("data-contact", f"PR{2:016x}.1")
    await_keys(page)
    page.keyboard.press("k")
    expect(page.locator("#desk")).to_have_attribute("data-presence", "ready")
    assert house.do(house.rooms.line.contact(f"PR{2:016x}.1")).passed == ("agent1",)


def test_claim_from_the_list_with_the_keyboard(visit: Any, house: Any) -> None:
    house.do(house.owing.owe_many(4))
    now_ms = house.clock.now_ms()
    house.do(
        house.rooms.roster.sign_in(
            "agent1", name="Agent 1", skills={"support": 0}, line="softphone", now_ms=now_ms
        )
    )
    page = at_desk(visit, house)
    expect(page.get_by_role("button", name="Claim Taqueria Luna")).to_be_enabled()
    page.keyboard.press("o")
    expect(page.locator("#owed-list")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Claim Taqueria Luna")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="A callback for you")).to_be_visible()
    expect(page.locator(f'[data-row="PR{1:016x}"]')).to_contain_text("asked: Agent 1")


def test_a_second_claim_says_who_has_it(visit: Any, house: Any) -> None:
    house.do(house.owing.owe_many(3))
    now_ms, roster = house.clock.now_ms(), house.rooms.roster
    for agent, name in (("agent1", "Agent 1"), ("agent2", "Omar")):
        serving: dict[str, Any] = {"skills": {"support": 0}, "line": "softphone", "now_ms": now_ms}
        house.do(roster.sign_in(agent, name=name, **serving))
    page = at_desk(visit, house)
    page.locator("#owed-list").hover()
    house.do(house.rooms.line.claim(f"PR{2:016x}.1", "agent2", now_ms=now_ms, lease_ms=60_000))
    page.get_by_role("button", name="Claim Night Owl Diner").click()
    expect(page.locator("#notes")).to_contain_text("Omar has it")
    expect(page.locator(f'[data-row="PR{2:016x}"]')).to_contain_text("asked: Omar")


def order_of(page: Any) -> list[str]:
    told: list[str] = page.locator("[data-row]").evaluate_all("rows => rows.map((row) => row.dataset.row)")
    return told


def test_rows_hold_still_under_the_pointer(visit: Any, house: Any) -> None:
    page = at_desk(visit, house, 9)
    row = page.locator(f'[data-row="PR{4:016x}"]')
    row.hover()
    before, place = order_of(page), row.bounding_box()
    house.do(house.owing.owe(30, by=-20, merchant="Later Late"))
    house.do(house.owing.change(f"PR{1:016x}", state="cancelled", open_number=None))
    house.do(house.owing.change(f"PR{6:016x}", tries=2))
    expect(page.get_by_role("button", name="3 changes")).to_be_visible()
    assert order_of(page) == before
    assert row.bounding_box() == place
    page.get_by_role("button", name="3 changes").click()
    expect(page.locator("[data-row]").first).to_contain_text("Later Late")
    expect(page.locator(f'[data-row="PR{1:016x}"]')).to_have_count(0)
    expect(page.locator("#owed-changes")).to_be_hidden()


def test_rows_hold_still_while_the_focus_is_in_them_and_follow_when_it_leaves(visit: Any, house: Any) -> None:
    page = at_desk(visit, house, 5)
    button = page.get_by_role("button", name="Text Night Owl Diner")
    button.focus()
    house.do(house.owing.owe(30, by=-20, merchant="Later Late"))
    expect(page.get_by_role("button", name="1 change")).to_be_visible()
    expect(button).to_be_focused()
    button.evaluate("(button) => button.blur()")
    expect(page.locator("[data-row]").first).to_contain_text("Later Late")


def test_rows_hold_still_when_the_desk_above_them_grows(visit: Any, house: Any) -> None:
    page = at_desk(visit, house, 40)
    page.get_by_role("button", name="Go available").click()
    house.do(house.rooms.roster.away("agent1", "Break", house.clock.now_ms()))
    row = page.locator(f'[data-row="PR{20:016x}"]')
    row.hover()
    place = row.bounding_box()["y"]
    page.evaluate("document.getElementById('notes').innerHTML = '<div class=note><p>x</p><p>y</p></div>'")
    page.wait_for_function(
        f"Math.abs(document.querySelector('[data-row=PR{20:016x}]').getBoundingClientRect().y - {place}) < 2"
    )


def test_two_quick_presses_are_one(visit: Any, house: Any) -> None:
    page = at_desk(visit, house, 3)
    page.get_by_role("button", name="Later Taqueria Luna").dblclick()
    expect(page.locator("#notes")).to_contain_text("not before 10 minutes from now")
    expect(page.locator("#notes")).not_to_contain_text("moved on")
    assert promise_state(house, f"PR{1:016x}") == "due_later"


def test_without_script_a_callback_can_be_kept(visit: Any, house: Any) -> None:
    row = house.do(house.owing.owe(1))
    page = visit("agent1", "/desk", script=False)
    page.get_by_role("button", name="Go available").click()
    page.goto("/desk")
    page.get_by_role("button", name="Call", exact=True).click()
    house.do(house.owing.tried(row, 1, "no_answer"))
    page.goto("/desk")
    page.get_by_role("button", name="No answer").click()
    assert house.presence("agent1") == "ready"


def test_a_merchant_without_script_moves_and_cancels(visit: Any, house: Any) -> None:
    row = house.do(house.owing.owe(1))
    page = visit(None, house.owing.path(row), script=False)
    page.get_by_role("button", name="In an hour").click()
    expect(page.get_by_text("Done. We call you later.")).to_be_visible()
    page.get_by_role("button", name="As soon as it is my turn").click()
    expect(page.get_by_text("Done. We call you as soon as it is your turn.")).to_be_visible()
    assert promise_state(house, row.id) == "in_line"
    page.get_by_role("button", name="Cancel the call").click()
    expect(page.get_by_role("heading", name="This callback is cancelled")).to_be_visible()
    assert promise_state(house, row.id) == "cancelled"


def test_a_lead_chooses_many(visit: Any, house: Any) -> None:
    house.do(house.owing.owe_many(4))
    page = visit("lead1", "/callbacks")
    page.get_by_label("Choose all on this page").check()
    expect(page.locator("[data-chosen]")).to_have_text("(4)")
    page.get_by_label("Cancel, because").fill("The outage is over")
    page.get_by_role("button", name="Cancel them").click()
    expect(page.get_by_text("Done: 4 promises")).to_be_visible()
    expect(page.get_by_text("No callback is owed")).to_be_visible()


def at_callbacks(visit: Any, house: Any, count: int) -> Any:
    house.do(house.owing.owe_many(count))
    page = visit("lead1", "/callbacks")
    expect(page.locator("[data-live]")).to_have_attribute("data-age", "live")
    expect(page.locator("[data-row]")).to_have_count(count)
    return page


def test_a_leads_list_moves_by_itself_and_holds_still_under_the_pointer(visit: Any, house: Any) -> None:
    page = at_callbacks(visit, house, 5)
    house.do(house.owing.owe(29, by=-30, merchant="Latest Of All"))
    expect(page.locator("[data-row]").first).to_contain_text("Latest Of All")
    expect(page).to_have_title("(2) Callbacks · Surgeline")
    row = page.locator(f'[data-row="PR{2:016x}"]')
    row.hover()
    before, place = order_of(page), row.bounding_box()
    house.do(house.owing.owe(30, by=-60, ago=90, merchant="Later Still"))
    expect(page.get_by_role("button", name="1 change")).to_be_visible()
    assert (order_of(page), row.bounding_box()) == (before, place)
    page.get_by_role("button", name="1 change").click()
    expect(page.locator("[data-row]").first).to_contain_text("Later Still")
    assert page.faults == []


def test_what_a_lead_has_chosen_stays_chosen_when_the_list_moves(visit: Any, house: Any) -> None:
    page = at_callbacks(visit, house, 4)
    for place in (1, 2):
        page.locator(f'[data-row="PR{place:016x}"] input').check()
    house.do(house.owing.change(f"PR{2:016x}", state="cancelled", open_number=None))
    house.do(house.owing.owe(30, by=-60, ago=90, merchant="Later Still"))
    expect(page.get_by_role("button", name="2 changes")).to_be_visible()
    expect(page.locator("[data-chosen]")).to_have_text("(2)")
    page.get_by_label("Cancel, because").click()  # away from the list: it moves
    expect(page.locator("[data-row]").first).to_contain_text("Later Still")
    expect(page.locator("[data-chosen]")).to_have_text("(1)")
    page.get_by_label("Cancel, because").fill("They rang")
    page.get_by_role("button", name="Cancel them").click()
    expect(page.get_by_text("Done: 1 promise")).to_be_visible()
    assert promise_state(house, f"PR{1:016x}") == "cancelled"
    assert promise_state(house, f"PR{3:016x}") == "in_line"


def test_a_switch_that_somebody_else_turned_moves_when_nobody_is_at_it(visit: Any, house: Any) -> None:
    from callbacks import promises

    page = at_callbacks(visit, house, 2)
    page.get_by_label("Cap").focus()
    page.keyboard.type("12")
    try:
        house.do(promises.switch(house.rooms.office, "lead2", house.clock.now_ms(), offering=False))
        for place in (29, 30):  # after the second the page has heard of the switch
            house.do(house.owing.owe(place))
            expect(page.locator("[data-row]")).to_have_count(place - 26)
        expect(page.get_by_role("button", name="Stop offering callbacks")).to_be_visible()
        page.get_by_label("Cap").evaluate("(box) => box.blur()")
        expect(page.get_by_role("button", name="Offer callbacks")).to_be_visible()
        expect(page.get_by_text("Last changed by lead2")).to_be_visible()
    finally:
        house.do(promises.switch(house.rooms.office, "lead2", house.clock.now_ms(), offering=True))
