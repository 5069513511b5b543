"""A call history as it comes out of a telephone system: CSV in, calls and staffing out, bad rows by name.

``call_id,queue,band,entered_s,answered_s,abandoned_s,service_end_s``, one row a call, seconds of any epoch;
an empty field did not happen. Columns may stand in any order, others are left alone. ``service_end_s`` is
when the agent was free again, wrap-up included. A band is a number (0 is served first, before all others) or
the name of one of our bands, with its head start. Our own export has three columns more: ``kind`` ("call", or
"callback", which nobody hangs up and nobody is told of), ``key_s`` (by which it was served, where that is
not the band's) and ``left_s`` (left otherwise: for a callback, with a text).

Staffing: ``time_s,agents``, and ``queue`` where queues have agents of their own.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from foundation.errors import Mendable
from queueing.bands import DEFAULT_BANDS

COLUMNS = ("call_id", "queue", "band", "entered_s", "answered_s", "abandoned_s", "service_end_s")
STAFF_COLUMNS = ("time_s", "agents")
STRICT_S = 1e10
"""What a numbered band is worth in the order: more than any time, so the higher one always goes first."""
_KINDS = {"": "live", "call": "live", "callback": "promise"}
_HEAD_STARTS = {band.name: (at, band.head_start_ms / 1000) for at, band in enumerate(DEFAULT_BANDS)}


@dataclass(frozen=True, slots=True)
class Call:
    """One row. Served in ascending ``key`` (s). ``line`` is the row's line in the file, from 1."""

    line: int
    id: str
    queue: str
    band: int
    key: float
    entered: float
    answered: float | None
    abandoned: float | None
    ended: float | None
    kind: str = "live"
    left: float | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """A row that is left out, and what to mend."""

    file: str
    line: int
    what: str


@dataclass(slots=True)
class History:
    """``calls`` in the order of entering; ``staff`` by queue, "" for all, in the order of time."""

    calls: list[Call]
    staff: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)


def read_calls(text: str, name: str = "calls") -> History:
    """The calls of a file. Raises Mendable when it is no call history at all."""
    history = History([])
    seen: dict[str, int] = {}
    styles: set[bool] = set()
    for line, row in _rows(text, COLUMNS, name):
        try:
            call = _call(line, row)
            if call.id in seen:
                raise ValueError(f"call_id {call.id} stands in line {seen[call.id]} too: keep one of them")
        except ValueError as fault:
            history.troubles.append(Trouble(name, line, str(fault)))
            continue
        seen[call.id] = line
        styles.add(row["band"] in _HEAD_STARTS)
        history.calls.append(call)
    if len(styles) > 1:
        raise Mendable(
            f"{name}: bands are numbers in some rows and names in others. Use numbers (0 first), or "
            f"{', '.join(_HEAD_STARTS)}."
        )
    history.calls.sort(key=lambda call: call.entered)
    _leave_out_the_endless(history, name)
    return history


def read_staff(text: str, name: str = "agents") -> tuple[dict[str, list[tuple[float, int]]], list[Trouble]]:
    """Agents signed in, by queue ("" for all): from when, how many. Raises Mendable for another file."""
    staff: dict[str, list[tuple[float, int]]] = {}
    troubles = []
    for line, row in _rows(text, STAFF_COLUMNS, name):
        try:
            at, agents = _seconds(row, "time_s"), _seconds(row, "agents")
            if at is None or agents is None or agents < 0 or agents != int(agents):
                raise ValueError("time_s and agents must both be there, agents a whole number from 0")
        except ValueError as fault:
            troubles.append(Trouble(name, line, str(fault)))
            continue
        staff.setdefault(row.get("queue", ""), []).append((at, int(agents)))
    if not staff:
        raise Mendable(f"{name} holds no staffing: rows are time_s,agents.")
    if len(staff) > 1 and "" in staff:
        raise Mendable(f"{name}: either every row names its queue, or none does.")
    for steps in staff.values():
        steps.sort()
    return staff, troubles


def _rows(text: str, wanted: Sequence[str], name: str) -> Iterator[tuple[int, dict[str, str]]]:
    header = text.lstrip("\ufeff").split("\n", 1)[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), delimiter=delimiter, restkey="", restval="")
    try:
        have = [column.strip() for column in reader.fieldnames or ()]
        missing = [column for column in wanted if column not in have]
        if missing:
            raise Mendable(
                f"{name} has no column {', '.join(missing)}. Its first line must be {','.join(wanted)}."
            )
        reader.fieldnames = have
        for row in reader:
            told = {key: value.strip() for key, value in row.items() if isinstance(value, str)}
            if any(told.values()):
                yield reader.line_num, told
    except csv.Error as fault:
        raise Mendable(f"{name}, line {reader.line_num}: {fault}.") from None


def _call(line: int, row: dict[str, str]) -> Call:
    """Raises ValueError that says what to mend."""
    times = {name: _seconds(row, name) for name in (*COLUMNS[3:], "left_s", "key_s")}
    entered, answered = times["entered_s"], times["answered_s"]
    abandoned, ended, left = times["abandoned_s"], times["service_end_s"], times["left_s"]
    if not row["call_id"]:
        raise ValueError("call_id is empty: every call needs its own")
    if entered is None:
        raise ValueError("entered_s is empty: say when the call joined the line")
    over = [name for name in ("answered_s", "abandoned_s", "left_s") if times[name] is not None]
    if len(over) > 1:
        raise ValueError(f"{' and '.join(over)} are both given: keep the one that happened")
    if ended is not None and answered is None:
        raise ValueError("service_end_s is given without answered_s: add it, or empty service_end_s")
    for earlier, later in (
        ("entered_s", "answered_s"),
        ("entered_s", "abandoned_s"),
        ("entered_s", "left_s"),
        ("answered_s", "service_end_s"),
    ):
        first, second = times[earlier], times[later]
        if first is not None and second is not None and second < first:
            raise ValueError(f"{later} {second:g} is before {earlier} {first:g}: mend one of them")
    if row.get("kind", "") not in _KINDS:
        raise ValueError(f"kind {row['kind']!r}: write call or callback")
    band, key = _order(row["band"], entered)
    key = key if times["key_s"] is None else times["key_s"]
    kind = _KINDS[row.get("kind", "")]
    return Call(
        line, row["call_id"], row["queue"], band, key, entered, answered, abandoned, ended, kind, left
    )


def _order(band: str, entered: float) -> tuple[int, float]:
    if band in _HEAD_STARTS:
        at, head_start_s = _HEAD_STARTS[band]
        return at, entered - head_start_s
    if band and not band.isdecimal():
        raise ValueError(f"band {band!r}: write a number, 0 for who is served first, or one of our names")
    return int(band or 0), int(band or 0) * STRICT_S + entered


def _seconds(row: dict[str, str], name: str) -> float | None:
    if not row.get(name):
        return None
    try:
        seconds = float(row[name])
    except ValueError:
        raise ValueError(f"{name} {row[name]!r} is no number: write seconds, as 1714567890.5") from None
    if not math.isfinite(seconds) or abs(seconds) > STRICT_S / 2:
        raise ValueError(f"{name} {row[name]!r} is out of range: write seconds, not milliseconds")
    return seconds


def _leave_out_the_endless(history: History, name: str) -> None:
    """A call without an end is believed while it may still last, at the end of the history; not before.

    That is, for twice the longest that had an end; and it waits, whatever its age, while none after it is
    taken.
    """
    last_answered: dict[tuple[str, int], float] = {}
    longest, longest_wait, until = 0.0, 0.0, -math.inf
    for call in history.calls:
        if call.answered is not None:
            of = (call.queue, call.band)
            last_answered[of] = max(last_answered.get(of, -math.inf), call.key)
            longest_wait = max(longest_wait, call.answered - call.entered)
            if call.ended is not None:
                longest = max(longest, call.ended - call.answered)
        until = max(until, *_moments(call))
    kept = []
    for call in history.calls:
        waits = call.answered is None and call.abandoned is None and call.left is None
        talks = call.answered is not None and call.ended is None
        passed = call.key < last_answered.get((call.queue, call.band), -math.inf)
        if waits and passed and until - call.entered > 2 * longest_wait:
            what = "neither answered nor abandoned, yet calls after it were: say when it left (abandoned_s)"
        elif talks and until - (call.answered or 0.0) > 2 * longest:
            what = "answered and never over, though the history goes on: say when (service_end_s)"
        else:
            kept.append(call)
            continue
        history.troubles.append(Trouble(name, call.line, what))
    history.calls = kept
    history.troubles.sort(key=lambda trouble: trouble.line)


def _moments(call: Call) -> Iterable[float]:
    moments = (call.entered, call.answered, call.abandoned, call.left, call.ended)
    return (at for at in moments if at is not None)
