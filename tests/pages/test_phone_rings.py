"""The phone page when somebody calls: it rings at the person's, and is picked up or declined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2

from tests.drill.product import ACCOUNT, CALLER, OURS, TOKEN
from tests.pages.test_phone_page import Line, is_accessible, line, page

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["line", "page"]

CALLED = (
    "<Gather numDigits='1' action='/voice/called/key' timeout='30'>"
    "<Say>This is Corner Pay support, calling you back as promised.</Say></Gather>"
)


def calls_back(line: Line) -> str:
    """The product rings the person; the SID of its call."""
    assert line.rehearsal is not None
    says = line.rehearsal.product.says
    says["/voice/called"] = CALLED
    says["/voice/called/key"] = "<Say>We are connecting you.</Say><Pause length='30'/>"
    answer = httpx2.post(
        f"{line.url}/2010-04-01/Accounts/{ACCOUNT.sid}/Calls.json",
        data={"To": CALLER, "From": OURS, "Url": "http://127.0.0.1:8080/voice/called", "Timeout": "25"},
        auth=(ACCOUNT.sid, TOKEN),
    )
    sid: str = answer.json()["sid"]
    return sid


def rang_in(page: Page) -> None:
    """From now on this telephone is in the person's hand."""
    page.get_by_role("button", name="Call").click()
    page.wait_for_selector("#lines .say")
    page.get_by_role("button", name="Hang up").click()
    page.wait_for_selector("#stage >> text=Call over")


def test_a_person_is_rung_back_picks_up_and_presses_a_key(page: Page, line: Line) -> None:
    rang_in(page)
    calls_back(line)
    page.get_by_role("alert").get_by_text("+1 415 555 0100").wait_for()
    assert page.title().startswith("☎")
    assert is_accessible(page)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.get_by_role("button", name="Pick up").click()
    page.wait_for_selector("#lines .say >> text=calling you back as promised")
    assert page.get_by_role("button", name="Pick up").is_hidden()
    page.get_by_role("button", name="1", exact=True).click()
    page.wait_for_selector("#lines .say >> text=We are connecting you")
    assert page.title() == "Phone · Surgeline"
    page.get_by_role("button", name="Hang up").click()
    page.wait_for_selector("#stage >> text=Call over")


def test_it_rings_after_a_reload_too_until_it_is_declined(page: Page, line: Line) -> None:
    rang_in(page)
    # It rings here while the page listens; before that nobody has the telephone in hand.
    with page.expect_response(lambda answer: "/_double/ringing" in answer.url):
        page.reload()
    sid = calls_back(line)
    page.get_by_role("button", name="Decline").click()
    page.get_by_role("button", name="Decline").wait_for(state="hidden")
    assert httpx2.get(f"{line.url}/_double/calls/{sid}").json()["status"] == "busy"
