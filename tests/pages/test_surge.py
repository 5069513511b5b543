"""The console, the ledger and the status page by hand: by keyboard, without script, and live."""

from __future__ import annotations

from typing import Any

import pytest

from surge import incidents, lists, switch
from surge.states import Level


@pytest.fixture
def outage(house: Any) -> Any:
    house.do(house.outage.clear())
    yield house.outage
    house.do(house.outage.clear())
    house.do(house.redis.flushall())


def level(house: Any) -> Level:
    state = house.do(switch.state(house.surge))
    return switch.in_force(state, house.clock.now_ms())


def test_surge_on_and_undone_by_keyboard(house: Any, outage: Any, visit: Any) -> None:
    page = visit("lead1", "/surge")
    page.get_by_role("button", name="Turn surge on").focus()
    page.keyboard.press("Enter")
    undo = page.get_by_role("button", name="Undo: back to calm")
    undo.wait_for()
    assert level(house) is Level.SURGE
    page.locator("#band").get_by_text("Surge on since").wait_for()
    undo.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Turn surge on").wait_for()
    assert level(house) is Level.CALM
    assert page.faults == []


def test_everything_without_script(house: Any, outage: Any, visit: Any) -> None:
    """A lead on a phone at three in the morning, and a browser that runs nothing."""
    page = visit("lead1", "/surge", phone=True, dark=True, script=False)
    page.get_by_role("button", name="Turn surge on").click()
    assert level(house) is Level.SURGE
    page.locator("#title").fill("Card payments fail")
    page.locator("#new-en").fill("Card payments fail for everybody. We are repairing it.")
    page.get_by_label("Everybody").first.check()
    page.locator("#new-form").get_by_role("button", name="Preview").click()
    assert page.get_by_text("1 SMS segment").is_visible()
    assert page.locator("#new-en").input_value() == "Card payments fail for everybody. We are repairing it."
    page.locator("#new-form").get_by_role("button", name="Declare it").click()
    (row,) = house.do(incidents.list_live(house.surge))
    page.locator("#say-en").fill("We have found the cause.")
    page.locator("#state").select_option("identified")
    page.get_by_role("button", name="Post update").click()
    assert house.do(incidents.get(house.surge, row.id)).state == "identified"
    page.goto("/status")
    assert page.get_by_text("We have found the cause.").first.is_visible()


def test_the_preview_follows_the_typing_and_what_another_says_appears(
    house: Any, outage: Any, visit: Any
) -> None:
    row = house.do(outage.declare(scope={"all": True}))
    page = visit("lead1", "/surge")
    page.locator('[data-live][data-age="live"]').wait_for()
    page.locator("#say-en").fill("Some customers cannot pay.")
    page.get_by_text("and it touches everybody; say so").wait_for()
    assert page.locator("[data-listen]").first.is_visible()
    house.do(outage.say(row, "We have found the cause."))
    page.locator("#surge-said").get_by_text("“We have found the cause.”").wait_for()
    assert page.locator("#say-en").input_value() == "Some customers cannot pay."
    page.locator("#say-en").fill("Nobody can pay by card yet.")
    page.get_by_role("button", name="Post update").click()
    page.get_by_text("super1 said meanwhile:").wait_for()
    page.get_by_role("button", name="Post update").click()
    page.get_by_text("Posted", exact=True).first.wait_for()
    story = house.do(lists.story(house.sql, row.id))
    assert story.updates[0].words["en"] == "Nobody can pay by card yet."


def test_the_surge_of_another_appears_on_the_desk(house: Any, outage: Any, visit: Any) -> None:
    page = visit("agent1", "/desk")
    page.locator('[data-live][data-age="live"]').wait_for()
    house.do(outage.declare())
    house.do(outage.surge())
    page.locator("#band summary").click()
    page.locator("#band").get_by_text("Switch offline mode on.").wait_for()
    assert page.faults == []


def test_many_follow_ups_by_keyboard(house: Any, outage: Any, visit: Any) -> None:
    house.do(outage.turned_away(4))
    page = visit("lead1", "/followups")
    page.locator("[data-choose-all]").focus()
    page.keyboard.press("Space")
    page.get_by_text("(4)").wait_for()
    page.get_by_role("button", name="Reached").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Done: 4 follow-ups").wait_for()
    assert house.do(lists.follow_up(house.sql, "CAturned3")).state == "reached"


def test_text_me_without_script(house: Any, outage: Any, visit: Any) -> None:
    house.do(outage.declare())
    page = visit(None, "/status", script=False)
    page.get_by_label("Mobile number").fill("+1 415 555 2671")
    page.get_by_role("button", name="Text me updates").click()
    assert page.get_by_label("The code from our text").is_visible()
    assert "2671" not in page.url
