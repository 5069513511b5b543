"""The roster: who is planned to be at work, as shifts of so many agents; read from a sheet, laid out in
time.

The sheet's columns are ``day``, ``from``, ``to``, ``agents`` and, where queues are planned apart, ``queue``.
A day is a weekday ("Monday", "mon"), several in a row ("Mon-Fri"), or a date ("2026-12-24"), whose rows
replace those of its weekday. Times are the centre's; a shift belongs to the day on which it begins and may
run past midnight. Shifts that overlap add up; where no row says anything, nobody is planned. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from foundation.sheets import BadSheet, Fault, records
from queueing.hours import moment

COLUMNS = ("day", "from", "to", "agents", "queue")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MOST_AGENTS = 10_000
DAY_MIN = 1440

_TIME = re.compile(r"(\d{1,2}):([0-5]\d)(?::00)?")

Steps = list[tuple[float, float]]
"""(from when on, how many), the first at the beginning of what was asked for."""


@dataclass(frozen=True, slots=True, order=True)
class Shift:
    """``agents`` at work from minute ``begin`` to minute ``end`` (from midnight; after 1440 on the next day).

    ``day``: "monday" … or a date, "2026-12-24"; ``queue``: "" for all of them.
    """

    day: str
    begin: int
    end: int
    agents: int
    queue: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        """As a row of the sheet."""
        return (self.day, clock(self.begin), clock(self.end), str(self.agents), self.queue)


def clock(minute: int) -> str:
    """Minutes from midnight as 07:30; midnight at the end of a day as 24:00."""
    minute = minute if minute <= DAY_MIN else minute - DAY_MIN
    return f"{minute // 60:02}:{minute % 60:02}"


def read(content: str | bytes, queues: Collection[str]) -> list[Shift]:
    """The shifts of a sheet. Raises BadSheet with every bad line and its reason."""
    faults: list[Fault] = []
    lines: dict[tuple[str, int, int, str], int] = {}
    found: list[Shift] = []
    bare: set[int] = set()
    for line, given in records(content, COLUMNS, COLUMNS[:4], faults):
        reasons: list[str] = []
        for shift in _shifts({name: given.get(name, "").strip() for name in COLUMNS}, queues, reasons):
            first = lines.setdefault((shift.day, shift.begin, shift.end, shift.queue), line)
            if first != line:
                times = f"{shift.day} {clock(shift.begin)} to {clock(shift.end)}"
                reasons.append(f"{times} is on line {first} too; write one line with the sum")
            if not shift.queue:
                bare.add(line)
            found.append(shift)
        faults += [Fault(line, reason) for reason in reasons]
    if bare and len(bare) < len(set(lines.values())):
        words = "it names no queue, as other lines do; either every line names its queue, or none does"
        faults += [Fault(line, words) for line in bare]
    if not found and not faults:
        faults.append(Fault(1, "there is no shift below the header"))
    if faults:
        raise BadSheet(faults)
    return found


def steps(shifts: Iterable[Shift], time_zone: str, from_s: float, to_s: float) -> dict[str, Steps]:
    """Who is planned between two moments (epoch s), by queue, "" for all. Empty without a roster."""
    zone, by_day = ZoneInfo(time_zone), _by_day(shifts)
    changes: dict[str, Counter[float]] = {
        shift.queue: Counter({from_s: 0}) for own in by_day.values() for shift in own
    }
    day = datetime.fromtimestamp(from_s, UTC).astimezone(zone).date() - timedelta(days=1)
    last = datetime.fromtimestamp(to_s, UTC).astimezone(zone).date()
    while changes and day <= last:
        for shift in by_day.get(day.isoformat(), by_day.get(WEEKDAYS[day.weekday()], ())):
            begin = moment(zone, day, shift.begin, first=True).timestamp()
            end = moment(zone, day, shift.end, first=False).timestamp()
            if begin < to_s and from_s < end:
                changes[shift.queue][max(begin, from_s)] += shift.agents
                changes[shift.queue][end] -= shift.agents
        day += timedelta(days=1)
    return {queue: _summed(each, to_s) for queue, each in changes.items()}


def average(planned: Sequence[tuple[float, float]], from_s: float, to_s: float) -> float:
    """Agents between two moments, on average; 0 of no time at all."""
    if to_s <= from_s:
        return 0.0
    ends = [at for at, _ in planned[1:]] + [to_s]
    spent = sum(
        agents * max(0.0, min(end, to_s) - max(at, from_s))
        for (at, agents), end in zip(planned, ends, strict=True)
    )
    return spent / (to_s - from_s)


def _summed(changes: Counter[float], to_s: float) -> Steps:
    agents = 0.0
    found: Steps = []
    for at in sorted(at for at in changes if at < to_s):
        agents += changes[at]
        if not found or agents != found[-1][1]:
            found.append((at, agents))
    return found


def _by_day(shifts: Iterable[Shift]) -> dict[str, list[Shift]]:
    found: dict[str, list[Shift]] = {}
    for shift in shifts:
        found.setdefault(shift.day, []).append(shift)
    return found


def _shifts(given: dict[str, str], queues: Collection[str], reasons: list[str]) -> list[Shift]:
    """One line, for each of its days; what is wrong with it is added to ``reasons``."""
    days = _days(given["day"])
    if not days:
        reasons.append(
            f"{given['day']!r} is no day; write a weekday (Monday), several (Mon-Fri) or a date (2026-12-24)"
        )
    begin, end = _minute(given["from"], reasons), _minute(given["to"], reasons)
    if begin == DAY_MIN:
        reasons.append("a shift cannot begin at 24:00; write 00:00 on the next day")
    agents = int(given["agents"]) if given["agents"].isdecimal() else -1
    if not 0 <= agents <= MOST_AGENTS:
        reasons.append(f"{given['agents']!r} agents; write a whole number from 0 to {MOST_AGENTS}")
    queue = given["queue"]
    if queue and queue not in queues:
        reasons.append(f"there is no queue {queue!r}; there are {', '.join(queues)}")
    if reasons:
        return []
    return [Shift(day, begin, end if end > begin else end + DAY_MIN, agents, queue) for day in days]


def _days(written: str) -> list[str]:
    try:
        return [date.fromisoformat(written).isoformat()]
    except ValueError:
        first, _, last = (part.strip() for part in written.lower().partition("-"))
    ends = [_weekday(first), _weekday(last or first)]
    if None in ends:
        return []
    begin, end = (number for number in ends if number is not None)
    return [WEEKDAYS[(begin + offset) % 7] for offset in range((end - begin) % 7 + 1)]


def _weekday(written: str) -> int | None:
    """Three letters or more tell a weekday."""
    told = [at for at, name in enumerate(WEEKDAYS) if len(written) >= 3 and name.startswith(written)]
    return told[0] if told else None


def _minute(written: str, reasons: list[str]) -> int:
    found = _TIME.fullmatch(written)
    minute = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minute <= DAY_MIN:
        reasons.append(f"{written!r} is no time of day; write it as 09:00")
        return 0
    return minute
