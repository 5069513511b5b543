from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.choice import choose, harmless, written
from dashboard.record import contacts_between, report, today
from dashboard.reports import pager
from queueing.pulse import Pulse, publish
from queueing.tables import Contact, ContactEvent
from tests.waits import queue_pulse

CALLER = "+14155554471"


async def write_down(rooms, *contacts: Contact, events: tuple[ContactEvent, ...] = ()) -> None:  # type: ignore[no-untyped-def]
    async with rooms.sql.session() as session:
        session.add_all([*contacts, *events])


def contact(
    name: str, entered_ms: int, *, ends: str = "answered", wait_s: int = 10, queue: str = "support"
) -> Contact:
    met = entered_ms + wait_s * 1000
    return Contact(
        contact=name,
        queue=queue,
        merchant="Corner Bakery",
        caller=CALLER,
        topic="till",
        entered_ms=entered_ms,
        answered_ms=met if ends == "answered" else None,
        ended_ms=met + 60_000 if ends == "answered" else met,
        handling_ms=80_000 if ends == "answered" else 0,
        disposition=ends,
        agent="agent1" if ends == "answered" else "",
    )


async def test_a_day_by_hour_with_its_totals(sign_in, rooms, clock) -> None:
    now = clock.now_ms()
    await write_down(
        rooms,
        contact("CA1", now - 1_000_000),
        contact("CA2", now - 4_000_000, ends="abandoned", wait_s=50),
        contact("CA3", now - 4_000_000, ends="abandoned", wait_s=2),
    )
    page = (await (await sign_in("lead1")).get("/reports")).text
    assert "<svg" in page
    assert "By hour, in the time zone UTC" in page
    assert "1 answered and 2 abandoned of 3 offered" in page
    assert "1:20" in page, "the handling time"


async def test_callbacks_are_no_calls_of_the_report_but_their_talks_take_time(sign_in, rooms, clock) -> None:
    now = clock.now_ms()
    await write_down(
        rooms,
        contact("CA1", now - 1_000_000),
        contact("PR00000000000000aa.1", now - 1_000_000, ends="not_reached", wait_s=900),
        contact("PR00000000000000aa.2", now - 1_000_000, wait_s=900),
    )
    browser = await sign_in("lead1")
    page = (await browser.get("/reports")).text
    assert "1 answered and 0 abandoned of 1 offered" in page
    whole = await report(rooms, first=today(rooms), last=today(rooms), queue="", by="hour")
    assert (whole.total.offered, whole.total.aht_ms, whole.total.asa_ms) == (1, 80_000, 10_000)
    rows, total = await contacts_between(rooms, now - 3_600_000, now)
    assert ([row.contact for row in rows], total) == (["CA1"], 1)


async def test_occupancy_comes_from_the_agents_time(sign_in, rooms, clock) -> None:
    now = clock.now_ms()
    turns = [
        ("agent_ready", 3_000),
        ("reserved", 2_000),
        ("accepted", 1_900),
        ("wrap_up", 400),
        ("agent_ready", 100),
    ]
    events = tuple(
        ContactEvent(id=f"{now - ago_s * 1000}-0", kind=kind, at_ms=now - ago_s * 1000, agent="agent1")
        for kind, ago_s in turns
    )
    await write_down(rooms, contact("CA1", now - 2_000_000), events=events)
    told = (await (await sign_in("lead1")).get("/api/v1/figures")).json()["total"]
    assert told["occupancy"] == pytest.approx(1_800 / 3_000)


async def test_a_report_of_one_queue(sign_in, rooms, clock) -> None:
    await write_down(
        rooms, contact("CA1", clock.now_ms() - 9_000), contact("CA2", clock.now_ms() - 8_000, queue="billing")
    )
    browser = await sign_in("lead1")
    page = (await browser.get("/reports", params={"queue": "billing"})).text
    assert "1 answered and 0 abandoned of 1 offered" in page
    assert "an agent’s idle time belongs to no one queue" in page
    assert 'data-label="Occupancy"' not in page
    whole = (await browser.get("/reports")).text
    assert "belongs to no one queue" not in whole
    assert whole.count('data-label="Occupancy"') == 24


async def test_an_empty_report_says_so(sign_in) -> None:
    page = (await (await sign_in("lead1")).get("/reports", params={"from": "2001-01-01"})).text
    assert "Nobody called in this time" in page


async def test_the_csv_is_what_the_page_shows(sign_in, rooms, clock) -> None:
    await write_down(rooms, contact("CA1", clock.now_ms() - 9_000))
    answer = await (await sign_in("lead1")).get("/reports.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 23
    assert (rows[22]["offered"], rows[22]["service_level"], rows[22]["asa_ms"]) == ("1", "1", "10000")
    assert rows[0]["service_level"] == ""
    assert rows[22]["starts"] == "2023-11-14T22:00:00+00:00"


@given(st.text(max_size=20))
def test_no_cell_is_a_formula(cell: str) -> None:
    told = harmless(cell)
    assert told.removeprefix("'") == cell or told == cell
    if told[:1] in ("=", "+", "@", "\t", "\r"):
        assert told[1:].replace(".", "", 1).isdigit()


def test_cells_that_would_be_formulas_are_quoted() -> None:
    assert written([["=1+1", "+cmd|' /C calc'!A0", "@x", "-2+3", "-5", "plain"]]) == (
        "'=1+1,'+cmd|' /C calc'!A0,'@x,'-2+3,-5,plain\r\n"
    )


def test_a_question_that_does_not_fit_is_answered_and_said(rooms) -> None:
    assert choose(rooms, "nonsense", "", "", "").said.title == "That is no date"
    assert choose(rooms, "2023-01-01", "2023-01-09", "nowhere", "").said.title == "There is no such queue"
    long = choose(rooms, "2019-01-01", "2023-01-01", "", "day")
    assert (long.last - long.first).days == 365
    hours = choose(rooms, "2023-01-01", "2023-02-01", "", "hour")
    assert (hours.by, hours.said is not None) == ("day", True)
    turned = choose(rooms, "2023-02-01", "2023-01-01", "", "")
    assert (turned.first, turned.last) == (date(2023, 1, 1), date(2023, 2, 1))
    assert choose(rooms, "", "", "", "").first == date(2023, 11, 14)


def test_a_long_list_is_read_page_by_page() -> None:
    first = pager(0, 50, 120, 50, "/contacts", "day=x")
    assert (first.first, first.last, first.pages, first.before, first.after) == (
        1,
        50,
        3,
        "",
        "/contacts?day=x&start=50",
    )
    last = pager(100, 50, 120, 20, "/contacts", "")
    assert (last.first, last.last, last.before, last.after) == (101, 120, "/contacts?start=50", "")


async def test_contacts_of_a_day_are_listed_masked(sign_in, rooms, clock) -> None:
    await write_down(rooms, *[contact(f"CA{i}", clock.now_ms() - i * 1000) for i in range(60)])
    page = (await (await sign_in("super1")).get("/contacts")).text
    assert page.count("<tr>") == 51
    assert "1–50 of 60" in page
    assert CALLER not in page
    more = (await (await sign_in("lead1")).get("/contacts", params={"start": 50})).text
    assert more.count("<tr>") == 11
    assert (
        "No contacts here"
        in (await (await sign_in("lead1")).get("/contacts", params={"end": "message"})).text
    )


@pytest.mark.parametrize(("person", "number"), [("lead1", "+1 415 ••• 4471"), ("super1", CALLER)])
async def test_a_contact_and_what_happened_to_it(person, number, sign_in, rooms, clock) -> None:
    now = clock.now_ms()
    await write_down(
        rooms,
        contact("CA1", now - 60_000),
        events=(
            ContactEvent(id="2-0", contact="CA1", kind="told", at_ms=now - 40_000, fields={"position": "3"}),
            ContactEvent(id="1-0", contact="CA1", kind="entered", at_ms=now - 60_000, queue="support"),
            ContactEvent(id="3-0", contact="CA1", kind="something_new", at_ms=now, agent="agent1"),
        ),
    )
    page = (await (await sign_in(person)).get("/contacts/CA1")).text
    assert number in page
    assert (
        page.index("Entered the line")
        < page.index("Was told the place in line")
        < page.index("Something new")
    )
    assert "place 3" in page


async def test_a_contact_nobody_knows(sign_in) -> None:
    answer = await (await sign_in("lead1")).get("/contacts/CAnobody")
    assert answer.status_code == 404
    assert "The record has no such contact" in answer.text


async def test_what_a_caller_said_is_text_and_nothing_else(sign_in, rooms, clock) -> None:
    row = contact("CA1", clock.now_ms())
    row.merchant = "<script>alert(1)</script>"
    row.note = '"><img src=x onerror=alert(1)>'
    await write_down(rooms, row)
    for path in ("/contacts", "/contacts/CA1"):
        page = (await (await sign_in("lead1")).get(path)).text
        assert "<script>alert" not in page
        assert "<img" not in page


def told(name: str, now: int, low: int, high: int | None, had_s: int, ends: str = "answered") -> Contact:
    one = contact(name, now - 3_000_000, ends=ends, wait_s=had_s + 20)
    one.told_at_ms, one.told_low_min, one.told_high_min = one.entered_ms + 20_000, low, high
    return one


async def test_how_true_the_announced_waits_were(sign_in, rooms, clock) -> None:
    now = clock.now_ms()
    await write_down(
        rooms,
        told("CA1", now, 2, 5, 200),
        told("CA2", now, 2, 5, 400),
        told("CA3", now, 10, 15, 30, ends="abandoned"),
        contact("CA4", now - 1_000_000),
    )
    browser = await sign_in("lead1")
    page = (await browser.get("/reports")).text
    assert "How true the announced waits were" in page
    assert "callers, by the first they heard" in page
    table = list(csv.DictReader(io.StringIO((await browser.get("/reports/waits.csv")).text)))
    assert table[0] == {
        "by": "all",
        "group": "all",
        "told": "3",
        "known": "2",
        "in_range": "0.5",
        "late": "0.5",
        "bias_s": "-90",
        "mean_wait_s": "300",
    }
    assert [(line["by"], line["group"], line["told"]) for line in table[2:]] == [
        ("Wait told", "02–05 min", "2"),
        ("Wait told", "10–20 min", "1"),
    ]


async def test_no_wait_announced_is_said(sign_in, rooms, clock) -> None:
    await write_down(rooms, contact("CA1", clock.now_ms() - 9_000))
    assert "No wait was announced in this time" in (await (await sign_in("lead1")).get("/reports")).text


async def test_the_wallboard_tells_how_true_todays_waits_were_and_what_is_told_now(
    sign_in, rooms, clock, redis
) -> None:
    now = clock.now_ms()
    await write_down(rooms, told("CA1", now, 2, 5, 200), told("CA2", now, 2, 5, 400))
    queues = {"support": queue_pulse(4, 1), "billing": queue_pulse(0, 0)}
    await publish(redis, rooms.line.keys, Pulse(now, queues))
    page = (await (await sign_in("agent1")).get("/wallboard")).text
    assert "Told waits that held today" in page
    assert "50 % longer, off by 1:30 too short" in page
    assert "wait now 10–30 min" in page
    assert "nobody at work" in page
