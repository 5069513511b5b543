"""A real browser on real pages. Skipped where there is no Chromium, except where CI promised one.

Browser and product live as long as one file's tests: the browser's driver keeps an event loop running in this
thread, in which no test of another file could run its own, and other files empty the Redis they share.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

    from tests.pages.house import House

SHOTS = Path(__file__).parent / "screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.pages)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    found = next(
        (path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path), None
    )
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Chromium on PATH")
        pytest.skip("no Chromium on PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--mute-audio"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def furnished(redis_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    from tests.pages.house import House

    house = House(redis_server, tmp_path_factory.mktemp("pages"))
    house.start()
    house.furnish()
    yield house
    house.stop()


@pytest.fixture
def house(furnished: House) -> House:
    """The house with nobody in line and nobody at work."""
    furnished.empty_line()
    return furnished


Visit = Callable[..., "Page"]


@pytest.fixture
def visit(chromium: Browser, house: House) -> Iterator[Visit]:
    """``visit("agent1", "/desk", dark=True, phone=True)``: a page in a browser of its own."""
    contexts: list[BrowserContext] = []

    def open_page(
        agent: str | None, path: str, *, dark: bool = False, phone: bool = False, script: bool = True
    ) -> Page:
        context = chromium.new_context(
            base_url=house.url,
            color_scheme="dark" if dark else "light",
            viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 800},
            java_script_enabled=script,
            locale="en-GB",
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.faults = []  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.faults.append(str(error)))  # type: ignore[attr-defined]
        page.on(
            "console",
            lambda said: page.faults.append(said.text) if "Content Security Policy" in said.text else None,  # type: ignore[attr-defined]
        )
        if agent is not None:
            page.goto(house.sign_in_link(agent))
        if page.url != f"{house.url}{path}":
            page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def shoot() -> Callable[[Page, str], None]:
    """Keep a picture of the page, for people to look at."""

    def take(page: Page, name: str) -> None:
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)

    return take
