"""The roster's page: imported, shown, taken home, forgotten."""

from __future__ import annotations

import pytest

SHEET = "day,from,to,agents,queue\nMon-Fri,09:00,17:30,6,support\n2026-12-24,22:00,02:00,2,billing\n"
BAD = "day,from,to,agents\nSomeday,09:00,17:00,3\nMonday,09:00,17:00,many\n"


@pytest.fixture
async def supervisor(sign_in):
    return await sign_in("super1")


async def sent(browser, content: str | bytes):
    return await browser.post("/staffing/roster", files={"sheet": ("roster.csv", content, "text/csv")})


async def test_a_roster_is_imported_shown_and_can_be_taken_home(supervisor) -> None:
    assert "No roster yet" in (await supervisor.get("/staffing/roster")).text
    answer = await sent(supervisor, SHEET)
    assert answer.status_code == 200
    assert "6 shifts." in answer.text
    for words in ("Monday", "17:30", "2026-12-24", "02:00", "billing", "support"):
        assert f">{words}<" in answer.text
    home = (await supervisor.get("/staffing/roster.csv")).text
    assert home.splitlines()[1] == "monday,09:00,17:30,6,support"
    again = await sent(supervisor, home)
    assert "6 shifts, in place of 6." in again.text
    assert "Roster</a>" in (await supervisor.get("/staffing")).text


async def test_every_bad_line_is_named_and_the_roster_stays(supervisor) -> None:
    await sent(supervisor, SHEET)
    answer = await sent(supervisor, BAD)
    assert answer.status_code == 422
    assert "line 2: " in answer.text
    assert "line 3: " in answer.text
    assert "2026-12-24" in answer.text


@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff\xfe", b"a;b\n", b"x" * 8_000_001], ids=["empty", "bytes", "odd", "large"]
)
async def test_a_file_that_is_none_is_refused(content, supervisor) -> None:
    answer = await sent(supervisor, content)
    assert answer.status_code == 422
    assert "Nothing was imported" in answer.text


async def test_it_can_be_forgotten(supervisor) -> None:
    await sent(supervisor, SHEET)
    answer = await supervisor.post("/staffing/roster/clear")
    page = answer if answer.status_code == 200 else await supervisor.get(answer.headers["location"])
    assert "The roster is forgotten" in page.text
    assert "No roster yet" in page.text


async def test_agents_have_no_business_here(sign_in) -> None:
    browser = await sign_in("agent1")
    assert (await browser.get("/staffing/roster")).status_code == 403
    assert (await sent(browser, SHEET)).status_code == 403
