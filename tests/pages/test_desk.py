"""An agent at work, with a browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect


def at_work(visit: Any, house: Any) -> Any:
    """A desk that is ready, its stream open."""
    page = visit("agent1", "/desk")
    page.get_by_role("button", name="Go available").click()
    expect(page.locator("#desk")).to_have_attribute("data-presence", "ready")
    return page


def await_keys(page: Any) -> None:
    """For a moment after a change keys are dead: they were meant for what was there before."""
    expect(page.locator("html")).not_to_have_attribute("data-keys-guarded", "")


def test_a_call_with_the_keyboard_alone(visit: Any, house: Any, shoot: Any) -> None:
    page = visit("agent1", "/desk")
    expect(page.locator("[data-live]")).to_have_attribute("data-age", "live")
    page.keyboard.press("g")
    expect(page.get_by_text("Softphone ready")).to_be_visible()
    house.ring_in("CA1")
    accept = page.get_by_role("button", name="Accept")
    expect(accept).to_be_focused()
    expect(page).to_have_title("● Being asked · Desk · Surgeline")
    expect(page.locator("#spoken")).to_have_text("A contact for you: Corner Bakery.")
    page.keyboard.press("Enter")
    expect(page.locator("#work.joined")).to_be_visible()
    expect(page.locator("#captions")).to_contain_text("Hello, our tills are frozen.")
    expect(page.locator("#work")).to_be_focused()
    await_keys(page)
    page.keyboard.press("h")
    expect(page.get_by_role("heading", name="On hold")).to_be_visible()
    await_keys(page)
    page.keyboard.press("h")
    expect(page.get_by_role("heading", name="Connected")).to_be_visible()
    page.get_by_role("button", name="Hang up").focus()
    page.keyboard.press("Enter")
    house.do(house.rooms.line.finish("CA1", house.clock.now_ms()))  # what the phone network would report
    expect(page.get_by_role("radio", name="Resolved")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Restarted the till: h, x and d are only letters here.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#desk")).to_have_attribute("data-presence", "ready")
    assert page.faults == []


def test_what_is_being_typed_stays_while_the_page_moves(visit: Any, house: Any) -> None:
    page = at_work(visit, house)
    house.ring_in("CA1")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("#work.joined")).to_be_visible()
    house.do(house.rooms.line.finish("CA1", house.clock.now_ms()))
    note = page.get_by_label("Note")
    note.fill("half a sente")
    page.get_by_role("radio", name="Passed on").check()
    house.ring_in("CA2", queue="billing")
    expect(page.locator("#line-now")).to_contain_text("longest")
    expect(note).to_have_value("half a sente")
    expect(page.get_by_role("radio", name="Passed on")).to_be_checked()


def test_a_caller_who_hangs_up_leaves_the_desk_by_himself(visit: Any, house: Any) -> None:
    page = at_work(visit, house)
    house.ring_in("CA1")
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    house.caller_hangs_up("CA1")
    expect(page.locator("#desk")).to_have_attribute("data-presence", "ready")
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)


def test_one_desk_per_browser(visit: Any, house: Any) -> None:
    first = at_work(visit, house)
    second = first.context.new_page()
    second.goto("/desk")
    expect(second.get_by_text("Your desk is open in another tab")).to_be_visible()
    second.get_by_role("button", name="Take over here").click()
    expect(second.locator("[data-live]")).to_have_attribute("data-age", "live")
    expect(second.get_by_text("Your desk is open in another tab")).to_be_hidden()
    expect(first.get_by_text("Your desk is open in another tab")).to_be_visible()
    house.ring_in("CA1")
    expect(second.get_by_role("button", name="Accept")).to_be_visible()
    expect(first.get_by_role("button", name="Accept")).to_have_count(0)


def test_keys_can_be_switched_off(visit: Any, house: Any) -> None:
    page = at_work(visit, house)
    page.keyboard.press("?")
    page.get_by_role("checkbox", name="Single keys work").uncheck()
    page.keyboard.press("Escape")
    house.ring_in("CA1")
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
    await_keys(page)
    page.locator("#work").focus()
    page.keyboard.press("a")
    page.get_by_role("button", name="Decline").click()
    expect(page.locator("#desk")).to_have_attribute("data-presence", "ready")
    assert house.do(house.rooms.line.contact("CA1")).passed == ("agent1",)


def test_without_script_every_button_works(visit: Any, house: Any) -> None:
    page = visit("agent1", "/desk", script=False)
    page.get_by_role("button", name="Go available").click()
    assert house.presence("agent1") == "ready"
    house.ring_in("CA1")
    page.goto("/desk")
    page.get_by_role("button", name="Accept").click()
    house.do(house.rooms.line.connect("CA1", house.clock.now_ms()))
    page.goto("/desk")
    page.get_by_role("button", name="Hold").click()
    page.get_by_role("button", name="Take off hold").click()
    page.get_by_role("button", name="Transfer").click()
    assert house.presence("agent1") == "wrap_up"
    page.get_by_label("Needs follow-up").check()
    page.get_by_role("button", name="Done, next contact").click()
    assert house.presence("agent1") == "ready"
    assert page.url == f"{house.url}/desk"


def test_a_reload_in_a_call_finds_the_same_leg(visit: Any, house: Any) -> None:
    page = at_work(visit, house)
    house.ring_in("CA1")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator("#captions")).to_contain_text("Hello")
    page.reload()
    expect(page.locator("#captions")).to_contain_text("Hello")
    assert len(house.legs) == 1


def test_signing_out_elsewhere_closes_this_page(visit: Any, house: Any) -> None:
    page = at_work(visit, house)
    other = page.context.new_page()
    other.goto("/wallboard")
    other.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{house.url}/sign-in", timeout=15_000)
    assert house.presence("agent1") == "off"


def test_the_server_comes_back_and_so_does_the_page(visit: Any, house: Any) -> None:
    page = at_work(visit, house)
    page.context.set_offline(True)
    page.evaluate("document.getElementById('stream')._htmx.sse.reader.cancel()")
    expect(page.locator("#stream")).to_have_js_property("isConnected", True)
    page.context.set_offline(False)
    house.ring_in("CA1")
    expect(page.get_by_role("button", name="Accept")).to_be_visible()
