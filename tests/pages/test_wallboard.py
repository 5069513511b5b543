"""The wallboard lives, says how old it is, and needs nobody signed in."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect


def test_the_board_moves_by_itself(visit: Any, house: Any) -> None:
    page = visit("lead1", "/wallboard")
    expect(page.locator("[data-live]")).to_have_attribute("data-age", "live")
    expect(page.locator(".longest .figure")).to_contain_text("0:00")
    house.ring_in("CA1", ago_s=700)
    expect(page.locator(".longest")).to_contain_text("1 waiting")
    expect(page.locator(".longest.past")).to_be_visible()
    first = page.locator(".longest wait-clock").inner_text()
    expect(page.locator(".longest wait-clock")).not_to_have_text(first)
    assert page.faults == []


def test_a_screen_needs_no_sign_in(visit: Any, house: Any, shoot: Any) -> None:
    page = visit(None, house.screen_link(), dark=True)
    expect(page.locator("[data-live]")).to_have_attribute("data-age", "live")
    house.ring_in("CA1")
    expect(page.locator(".longest")).to_contain_text("1 waiting")
    expect(page.get_by_role("link", name="Sign in")).to_have_count(0)
    shoot(page, "wallboard-screen-dark")


def test_old_figures_turn_amber_then_grey(visit: Any, house: Any, shoot: Any) -> None:
    page = visit("lead1", "/wallboard")
    badge = page.locator("[data-live]")
    expect(badge).to_have_attribute("data-age", "live")
    page.clock.install()
    page.context.set_offline(True)
    page.evaluate("document.getElementById('stream')._htmx.sse.reader.cancel()")
    page.clock.fast_forward(12_000)
    expect(badge).to_have_attribute("data-age", "near")
    expect(badge).to_contain_text("s old")
    page.clock.fast_forward(25_000)
    expect(badge).to_have_attribute("data-age", "stale")
    shoot(page, "wallboard-stale")


def test_light_and_dark_at_a_click(visit: Any, house: Any) -> None:
    page = visit("lead1", "/wallboard")
    toggle = page.get_by_role("button", name="Change between light and dark")
    toggle.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    toggle.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_a_slow_network_does_not_leave_the_page_dead(visit: Any, house: Any) -> None:
    """htmx may start before its extension has arrived."""
    page = visit("lead1", "/reports")
    late: list[Any] = []
    page.route("**/vendor/hx-sse-*.js", lambda route: late.append(route))
    with page.expect_response("**/vendor/htmx-*.js"):
        page.goto("/wallboard", wait_until="commit")
    expect(page.locator(".longest")).to_be_visible()
    page.evaluate("async () => { while (!window.htmx) await new Promise(requestAnimationFrame); }")
    page.evaluate("new Promise(requestAnimationFrame)")
    late[0].continue_()
    expect(page.locator("[data-live]")).to_have_attribute("data-age", "live")
