"""The staffing page: what such days needed, for those who write the roster."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.record import today
from dashboard.staffing import _edges, staffing_of
from queueing import rostered
from queueing.shifts import Shift
from queueing.tables import Contact, ContactEvent
from tests.dashboard.test_reports import contact, write_down

WEEK_MS = 7 * 24 * 3_600_000


def such_days(rooms, day: date, *, calls: int, weeks: int = 2, hour: int = 9) -> list[Contact]:  # type: ignore[no-untyped-def]
    """So many calls from ``hour`` on in one half hour of each of the last such days."""
    made = []
    for back in range(1, weeks + 1):
        begin = datetime.combine(day - timedelta(weeks=back), datetime.min.time(), ZoneInfo(rooms.time_zone))
        for number in range(calls):
            at = round(begin.timestamp() * 1000) + hour * 3_600_000 + number * 1_000
            made.append(contact(f"CA{back}n{number}", at))
    return made


async def test_a_day_is_planned_by_such_days_before(sign_in, rooms) -> None:
    tomorrow = today(rooms) + timedelta(days=1)
    await write_down(rooms, *such_days(rooms, tomorrow, calls=60))
    browser = await sign_in("super1")
    page = (await browser.get("/staffing")).text
    assert "Agents needed on" in page
    assert "on 2 such days, on average" in page
    assert "not known: planned as if nobody hung up" in page
    told = await staffing_of(rooms, tomorrow, "", 4)
    nine = told.slots[18]
    assert (nine.calls, nine.most, told.seen, told.calls) == (60, 60, 2, 60)
    assert nine.agents >= 60 * 80 / 1800
    assert told.most == nine
    table = list(csv.DictReader(io.StringIO((await browser.get("/staffing.csv")).text)))
    assert len(table) == 48
    assert (table[18]["from"], table[18]["agents"], table[17]["agents"]) == ("09:00", str(nine.agents), "0")


async def test_of_one_queue_only_its_calls_count_and_nobody_knows_who_was_in(sign_in, rooms) -> None:
    tomorrow = today(rooms) + timedelta(days=1)
    await write_down(rooms, *such_days(rooms, tomorrow, calls=10))
    page = (await (await sign_in("super1")).get("/staffing", params={"queue": "billing"})).text
    assert "No plan can be made yet" in page
    page = (await (await sign_in("super1")).get("/staffing", params={"queue": "support", "weeks": 1})).text
    assert "on 1 such day, on average" in page
    assert "Were in" not in page


async def test_callbacks_are_no_calls_but_their_talks_take_time(rooms) -> None:
    tomorrow = today(rooms) + timedelta(days=1)
    days = such_days(rooms, tomorrow, calls=4)
    turn = contact("PR00000000000000aa.1", days[0].entered_ms)
    turn.handling_ms = 800_000
    await write_down(rooms, *days, turn)
    told = await staffing_of(rooms, tomorrow, "", 4)
    assert told.calls == 4
    assert told.work.mean_handling_s == pytest.approx((8 * 80 + 800) / 9)


async def test_who_was_in_stands_beside_what_was_needed(rooms) -> None:
    tomorrow = today(rooms) + timedelta(days=1)
    days = such_days(rooms, tomorrow, calls=4, weeks=1)
    begin = days[0].entered_ms
    turns = [("agent_ready", 0), ("agent_off", 900)]
    events = tuple(
        ContactEvent(id=f"{begin + s * 1000}-0", kind=kind, at_ms=begin + s * 1000, agent="agent1")
        for kind, s in turns
    )
    await write_down(rooms, *days, events=events)
    told = await staffing_of(rooms, tomorrow, "", 1)
    assert [slot.were_in for slot in told.slots[17:20]] == [0.0, 0.5, 0.0]
    assert told.chart is not None
    assert told.chart.were_in


async def test_the_roster_stands_beside_what_is_needed(sign_in, rooms) -> None:
    tomorrow = today(rooms) + timedelta(days=1)
    day = tomorrow.isoformat()
    browser = await sign_in("super1")
    async with rooms.sql.session() as session:
        await rostered.replace(session, [Shift(day, 540, 555, 2), Shift(day, 600, 720, 6)])
    page = (await browser.get("/staffing")).text
    assert "No plan can be made yet" in page
    assert ">10:00<" in page
    await write_down(rooms, *such_days(rooms, tomorrow, calls=60))
    told = await staffing_of(rooms, tomorrow, "", 4)
    assert [slot.planned for slot in told.slots[17:24]] == [0, 1, 0, 6, 6, 6, 6]
    assert [slot.minute for slot in told.short] == [540]
    assert (told.planned_hours, [slot.minute for slot in told.open][-1]) == (12.5, 690)
    page = (await browser.get("/staffing")).text
    assert "12.5 by the roster" in page
    assert "first at 09:00" in page
    table = list(csv.DictReader(io.StringIO((await browser.get("/staffing.csv")).text)))
    assert [row["planned"] for row in table[18:21]] == ["1", "0", "6"]
    one = await staffing_of(rooms, tomorrow, "support", 4)
    assert one.planned is None
    apart = Shift(day, 540, 720, 2, "support"), Shift(day, 540, 720, 3, "billing")
    async with rooms.sql.session() as session:
        await rostered.replace(session, apart)
    both, one = [(await staffing_of(rooms, tomorrow, queue, 4)).planned for queue in ("", "support")]
    assert both is not None
    assert one is not None
    assert (both[18], one[18]) == (5, 2)


async def test_without_such_days_there_is_no_plan(sign_in, rooms, clock) -> None:
    await write_down(rooms, contact("CA1", clock.now_ms() - 3 * 24 * 3_600_000))
    page = (await (await sign_in("super1")).get("/staffing", params={"day": "nonsense"})).text
    assert "No plan can be made yet" in page
    assert "That is no day" in page


async def test_agents_and_leads_do_not_write_rosters(sign_in) -> None:
    assert (await (await sign_in("lead1")).get("/staffing")).status_code == 403


def test_the_half_hours_of_days_on_which_the_clocks_change() -> None:
    zone = ZoneInfo("America/New_York")
    forward, back = _edges(date(2026, 3, 8), zone), _edges(date(2026, 11, 1), zone)
    lengths = [(end - begin) // 60_000 for begin, end in forward]
    assert lengths[4:6] == [0, 0]
    assert (sum(lengths), set(lengths[:4] + lengths[6:])) == (23 * 60, {30})
    lengths = [(end - begin) // 60_000 for begin, end in back]
    assert sum(lengths) == 25 * 60
