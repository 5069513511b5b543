"""The roster: what a sheet may say, and who is planned when."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from foundation.connections import Sql
from foundation.sheets import BadSheet
from queueing import rostered
from queueing.shifts import Shift, average, read, steps

QUEUES = ("support", "billing")
HEAD = "day,from,to,agents\n"
PARIS = "Europe/Paris"


def at(text: str, zone: str = PARIS) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def planned(content: str, begin: str, end: str, zone: str = PARIS) -> dict[str, list[tuple[float, float]]]:
    """Hours from ``begin`` on and agents, by queue."""
    first = at(begin, zone)
    found = steps(read(content, QUEUES), zone, first, at(end, zone))
    return {
        queue: [((when - first) / 3600, agents) for when, agents in each] for queue, each in found.items()
    }


def test_a_line_is_a_shift_on_each_of_its_days() -> None:
    assert read(HEAD + "Mon,9:00,17:30,6\n", QUEUES) == [Shift("monday", 540, 1050, 6)]
    several = read("Day;From;To;Agents;Queue\nfri-mon;22:00;06:00:00;2;billing\n", QUEUES)
    assert [shift.day for shift in several] == ["friday", "saturday", "sunday", "monday"]
    assert several[0] == Shift("friday", 1320, 1800, 2, "billing")
    assert read(HEAD + "2026-12-24,00:00,24:00,0\n", QUEUES) == [Shift("2026-12-24", 0, 1440, 0)]


def test_what_is_shown_can_be_taken_in_again() -> None:
    shifts = read(HEAD + "mon-fri,9:00,17:30,6\nsat,22:00,2:00,1\n2026-12-24,0:00,24:00,0\n", QUEUES)
    text = "day,from,to,agents,queue\n" + "".join(",".join(shift.cells) + "\n" for shift in shifts)
    assert read(text, QUEUES) == shifts


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("Funday,9:00,17:00,3", "'Funday' is no day; write a weekday"),
        ("24/12/2026,9:00,17:00,3", "'24/12/2026' is no day"),
        ("Mon,9,17:00,3", "'9' is no time of day; write it as 09:00"),
        ("Mon,9:00,25:00,3", "'25:00' is no time of day"),
        ("Mon,24:00,8:00,3", "a shift cannot begin at 24:00"),
        ("Mon,9:00,17:00,2.5", "'2.5' agents; write a whole number"),
        ("Mon,9:00,17:00,", "'' agents; write a whole number"),
        ("Tue,08:00,12:00,4", "tuesday 08:00 to 12:00 is on line 2 too"),
        ("Mon,9:00,17:00,3,more", "it has 5 fields, the header 4"),
    ],
)
def test_a_bad_line_is_named_and_nothing_is_taken(row: str, words: str) -> None:
    with pytest.raises(BadSheet) as bad:
        read(HEAD + f"Tue,8:00,12:00,4\n{row}\n", QUEUES)
    (fault,) = bad.value.faults
    assert fault.line == 3
    assert fault.reason.startswith(words)


def test_queues_are_known_and_named_by_all_lines_or_by_none() -> None:
    head = "day,from,to,agents,queue\n"
    with pytest.raises(BadSheet, match="line 2: there is no queue 'sales'; there are support, billing"):
        read(head + "Mon,9:00,17:00,3,sales\n", QUEUES)
    with pytest.raises(BadSheet, match="line 3: it names no queue, as other lines do"):
        read(head + "Mon,9:00,17:00,3,support\nTue,9:00,17:00,3,\n", QUEUES)
    with pytest.raises(BadSheet, match="line 1: there is no column 'agents'"):
        read("day,from,to\nMon,9:00,17:00\n", QUEUES)
    with pytest.raises(BadSheet, match="line 1: there is no shift"):
        read(HEAD, QUEUES)


def test_shifts_add_up_and_a_date_replaces_its_weekday() -> None:
    sheet = HEAD + "Mon-Fri,8:00,16:00,4\nMon-Fri,12:00,20:00,3\n2026-12-24,9:00,13:00,1\n"
    wednesday = planned(sheet, "2026-12-23T06:00", "2026-12-24T06:00")
    assert wednesday == {"": [(0, 0), (2, 4), (6, 7), (10, 3), (14, 0)]}
    eve = planned(sheet, "2026-12-24T10:00", "2026-12-25T09:00")
    assert eve == {"": [(0, 1), (3, 0), (22, 4)]}
    assert planned(sheet, "2026-12-26T10:00", "2026-12-26T22:00") == {"": [(0, 0)]}


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    sheet = "day,from,to,agents,queue\nSat,22:00,6:00,2,support\nSun,0:00,24:00,1,billing\n"
    found = planned(sheet, "2026-07-05T03:00", "2026-07-06T12:00")  # a Sunday
    assert found == {"support": [(0, 2), (3, 0)], "billing": [(0, 1), (21, 0)]}


def test_a_night_on_which_the_clocks_change_is_as_long_as_it_is() -> None:
    sheet = HEAD + "Sat,22:00,6:00,2\n"
    assert planned(sheet, "2026-03-28T20:00", "2026-03-29T20:00")[""] == [(0, 0), (2, 2), (9, 0)]
    assert planned(sheet, "2026-10-24T20:00", "2026-10-25T20:00")[""] == [(0, 0), (2, 2), (11, 0)]


def test_without_a_roster_nothing_is_planned() -> None:
    assert steps([], PARIS, 0.0, 3600.0) == {}


def test_the_average_over_a_half_hour() -> None:
    steps_ = [(0.0, 4.0), (900.0, 6.0), (3600.0, 0.0)]
    assert average(steps_, 0, 1800) == 5
    assert average(steps_, 1800, 5400) == 3
    assert average(steps_, 1800, 1800) == 0


async def test_the_roster_is_replaced_whole(sql: Sql) -> None:
    first, second = [Shift("monday", 540, 1020, 6), Shift("sunday", 0, 1440, 1)], [Shift("friday", 0, 60, 2)]
    async with sql.session() as session:
        assert await rostered.replace(session, first) == 0
    async with sql.session() as session:
        assert await rostered.replace(session, second) == 2
    async with sql.reading() as session:
        assert await rostered.shifts(session) == second


def test_the_example_is_a_roster() -> None:
    text = (Path(__file__).parents[2] / "examples" / "roster.csv").read_bytes()
    assert len(read(text, QUEUES)) == 13
