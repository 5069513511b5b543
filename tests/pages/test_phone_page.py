"""The phone page in a real browser: ring in by hand, hear, press, speak, hang up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from foundation.clock import SystemClock
from tests.drill.loopback import listening
from tests.drill.product import CALLER, Rehearsal

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

INCOMING = (
    "<Gather input='dtmf speech' numDigits='1' action='/voice/menu' timeout='60'>"
    "<Say>How can we help?</Say><Say language='es-US'>Para español, oprima el nueve.</Say></Gather>"
)


class Line:
    """The double and a product to ring, in a thread of their own, on the wall clock."""

    def __init__(self) -> None:
        self.url = ""
        self.rehearsal: Rehearsal | None = None
        self._up = threading.Event()
        self._over: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self.rehearsal = Rehearsal(SystemClock())
        says = self.rehearsal.product.says
        says["/voice/incoming"] = INCOMING
        says["/voice/menu"] = "<Enqueue waitUrl='/voice/wait'>support</Enqueue>"
        says["/voice/wait"] = "<Say>You are next in line.</Say><Play>/clip.wav</Play>"
        says["/sms/incoming"] = "<Message>You are number 3. Reply STATUS at any time.</Message>"
        shop = {"number": CALLER, "name": "Corner Bakery", "note": "gold"}
        self.rehearsal.exchange.directory = [shop]
        async with listening(self.rehearsal.network) as self.url:
            self._up.set()
            await self._over.wait()
        await self.rehearsal.close()

    def __enter__(self) -> Line:
        self._thread.start()
        assert self._up.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._over is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)


@pytest.fixture(scope="module")
def line() -> Iterator[Line]:
    with Line() as line:
        yield line


@pytest.fixture(params=["light", "dark", "phone"])
def page(request: pytest.FixtureRequest, chromium: Browser, line: Line) -> Iterator[Page]:
    look = request.param
    context = chromium.new_context(
        base_url=line.url,
        color_scheme="dark" if look == "dark" else "light",
        viewport={"width": 390, "height": 844} if look == "phone" else {"width": 1200, "height": 800},
        reduced_motion="reduce",
        locale="en-US",
    )
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.goto("/phone")
    page.wait_for_selector("#to option", state="attached")
    page.get_by_label("Sound").uncheck()  # the product of this test has no port to play music from
    yield page
    context.close()
    assert faults == []


def is_accessible(page: Page) -> bool:
    found = Axe().run(page).response["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found] == []


def test_a_person_rings_in_is_heard_and_hangs_up(page: Page) -> None:
    assert is_accessible(page)
    page.get_by_role("button", name="Call").click()
    page.wait_for_selector("#lines .say >> text=Para español")
    assert page.locator("#lines .say p[lang='es-US']").count() == 1
    page.keyboard.press("2")
    page.wait_for_selector("#lines .mine >> text=press 2")
    page.wait_for_selector("#stage >> text=Waiting in the queue")
    page.wait_for_selector("#lines .play >> text=hold music")
    assert is_accessible(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.reload()
    page.wait_for_selector("#lines .say >> text=You are next in line")
    page.get_by_role("button", name="Hang up").click()
    page.wait_for_selector("#stage >> text=Call over")
    assert page.evaluate("document.activeElement.id") == "again"
    page.keyboard.press("Enter")
    assert page.locator("#dial").is_visible()


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_what_is_said_is_heard_and_digits_in_a_field_are_not_keys(page: Page) -> None:
    page.get_by_label("You are").select_option("other")
    page.get_by_label("Your number").fill("+1 (305) 555-0124")
    page.get_by_role("button", name="Call").click()
    page.wait_for_selector("#line >> text=+1 305 555 0124")
    page.wait_for_selector("#lines .gather")
    words = page.get_by_label("Say something")
    words.click()
    words.press_sequentially("till 1")
    assert page.locator("#lines .mine").count() == 0
    words.press("Enter")
    page.wait_for_selector("#lines .mine >> text=till 1")
    page.get_by_role("button", name="Hang up").click()
    page.wait_for_selector("#stage >> text=Call over")


def test_a_person_writes_a_text_and_reads_the_answer(page: Page, request: pytest.FixtureRequest) -> None:
    number = "+1305555" + {"light": "0131", "dark": "0132", "phone": "0133"}[request.node.callspec.id]
    page.get_by_label("You are").select_option("anonymous")
    assert page.get_by_label("Write a text").is_disabled()
    page.get_by_label("You are").select_option("other")
    page.get_by_label("Your number").fill(number)
    page.wait_for_selector(f"#texts-whose >> text=On +1 305 555 {number[-4:]}")
    page.get_by_label("Write a text").fill("Is it my turn?")
    page.get_by_label("Write a text").press("Enter")
    page.wait_for_selector("#texts-lines .mine >> text=Is it my turn?")
    page.wait_for_selector("#texts-lines .theirs >> text=You are number 3.")
    assert page.locator("#texts-lines li").count() == 2
    assert page.get_by_label("Write a text").input_value() == ""
    assert is_accessible(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_label("Your number").fill("+1 305 555 0199")
    page.wait_for_selector("#texts-whose >> text=On +1 305 555 0199")
    assert page.locator("#texts-lines li").count() == 0


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_digit_keys_can_be_switched_off(page: Page) -> None:
    page.get_by_role("button", name="Call").click()
    page.wait_for_selector("#lines .gather")
    page.get_by_label("Digit keys dial").uncheck()
    page.keyboard.press("5")
    page.get_by_role("button", name="7").click()
    page.wait_for_selector("#lines .mine >> text=press 7")
    assert page.locator("#lines .mine").count() == 1
    page.get_by_role("button", name="Hang up").click()
    page.wait_for_selector("#stage >> text=Call over")


@pytest.mark.parametrize("page", ["light"], indirect=True)
def test_it_loads_nothing_from_elsewhere_and_runs_nothing_inline(page: Page, line: Line) -> None:
    answer = page.request.get("/phone")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    loaded = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    assert loaded
    assert all(name.startswith((line.url, "data:")) for name in loaded)
