"""The telephone in the browser, as Twilio's SDK is asked to be it. The SDK itself is only loaded: it would
ring out into the world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.pages.house import House

STAND_IN = """
window.Twilio = { Device: class {
  constructor(token, options) {
    window.device = this;
    Object.assign(this, { token, options, heard: {}, updates: [] });
  }
  on(name, act) { this.heard[name] = act; }
  updateToken(token) { this.updates.push(token); }
  async connect(asked) {
    this.asked = asked;
    const call = { heard: {}, on(name, act) { this.heard[name] = act; },
      disconnect() { this.gone = true; this.heard.disconnect(); }, mute(on) { this.muted = on; } };
    window.call = call;
    return call;
  }
  destroy() {}
} };
"""


@pytest.fixture(scope="module")
def furnished(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(redis_server, tmp_path_factory.mktemp("twilio"), softphone="twilio")
    house.start()
    house.furnish()
    yield house
    house.stop()


def test_the_sdk_is_ours_and_loads_under_the_policy(visit: Any, house: House) -> None:
    page = visit("agent1", "/desk")
    assert page.evaluate("typeof Twilio.Device") == "function"
    expect(page.locator("[data-live]")).to_have_attribute("data-age", "live")
    assert page.faults == []


def test_it_dials_in_after_accept_and_never_before(visit: Any, house: House) -> None:
    page = visit(None, "/sign-in")
    page.route(
        "**/vendor/twilio-voice-*.js",
        lambda route: route.fulfill(body=STAND_IN, content_type="text/javascript"),
    )
    page.goto(house.sign_in_link("agent1"))
    assert page.evaluate("window.device") is None, "sound needs a click first"
    page.get_by_role("button", name="Go available").click()
    expect(page.get_by_text("Softphone ready")).to_be_visible()
    assert page.evaluate("device.token") == "token-for-agent1"
    tones = set(page.evaluate("Object.values(device.options.sounds)"))
    assert len(tones) == 1
    assert "/assets/" in tones.pop(), "no sound comes from elsewhere"

    house.ring_in("CA1")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Softphone is dialling in")).to_be_visible()
    assert page.evaluate("device.asked") == {"params": {"contact": "CA1", "fence": "1"}}
    house.do(house.rooms.line.connect("CA1", house.clock.now_ms()))
    page.evaluate("call.heard.accept()")
    expect(page.get_by_text("Softphone in the call")).to_be_visible()
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("call.muted")

    page.evaluate("device.heard.tokenWillExpire()")
    assert page.evaluate("device.updates") == ["token-for-agent1"]

    house.do(house.rooms.line.finish("CA1", house.clock.now_ms()))
    expect(page.locator("#desk")).to_have_attribute("data-presence", "wrap_up")
    expect(page.get_by_text("Softphone ready")).to_be_visible()
    assert page.evaluate("call.gone")


def test_a_softphone_that_fails_says_so(visit: Any, house: House) -> None:
    page = visit(None, "/sign-in")
    page.route(
        "**/vendor/twilio-voice-*.js",
        lambda route: route.fulfill(body=STAND_IN, content_type="text/javascript"),
    )
    page.goto(house.sign_in_link("agent1"))
    page.get_by_role("button", name="Go available").click()
    expect(page.get_by_text("Softphone ready")).to_be_visible()
    page.evaluate("device.heard.error({ message: 'no microphone' })")
    expect(page.get_by_text("Softphone failed: no microphone")).to_be_visible()
