"""The trade's figures, from plain rows: what a report and a wallboard show.

Definitions after G. Koole, "Call Center Optimization" (2013), and the COPC vocabulary. A contact counts in
the hour and on the day in which it entered the line, whenever it was answered. All times are epoch
milliseconds; shares are 0 to 1; a figure is None where there is nothing to divide by.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

SERVICE_LEVEL_MS = 30_000
"""The wait within which an answer is in time: the 30 of 80/30."""

SHORT_ABANDON_MS = 5_000
"""Who hangs up sooner has not really asked for service."""


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One contact as the record has it.

    ``outcome`` is its disposition, "" while it is not over; ``answered_ms`` when agent and caller first met,
    ``left_ms`` when it left the line otherwise; ``handling_ms`` talk and wrap-up.
    """

    queue: str
    entered_ms: int
    outcome: str = ""
    answered_ms: int | None = None
    left_ms: int | None = None
    handling_ms: int | None = None
    turn: bool = False
    """A callback's, and nobody's call: the talk took its time, and is counted for nothing else."""


@dataclass(frozen=True, slots=True)
class PresenceRow:
    """A stretch of one agent's time in one presence ("ready", "reserved", "talking", "wrap_up", "away")."""

    agent: str
    presence: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a stretch of time came to."""

    offered: int = 0
    """Calls that entered the line."""

    answered: int = 0
    """Those that an agent met."""

    abandoned: int = 0
    """Hung up while waiting, after the short abandon time."""

    short_abandoned: int = 0
    """Hung up while waiting, within the short abandon time."""

    other: int = 0
    """Ended in another recorded way: a message, a promise, a closed line."""

    waiting: int = 0
    """Neither answered nor over."""

    in_time: int = 0
    """Answered within the service level's time."""

    service_level: float | None = None
    """Answered in time / offered. Who still waits within the time is not counted yet."""

    service_level_without_short: float | None = None
    """Answered in time / (offered - short abandons). Who still waits within the time is not counted yet."""

    abandonment: float | None = None
    """Abandoned / (offered - short abandons)."""

    asa_ms: float | None = None
    """Average speed of answer: sum of the waits of the answered / answered."""

    aht_ms: float | None = None
    """Average handling time: sum of talk and wrap-up / answered contacts whose handling is over.

    Callbacks that came to a talk are among them.
    """

    longest_wait_ms: int | None = None
    """The longest wait of all, also of those who hung up or still wait."""

    occupancy: float | None = None
    """The agents' (talking + wrap-up) / (talking + wrap-up + reserved + ready); breaks are no part."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The figures of an hour or a day; ``starts`` is its beginning in the centre's time zone."""

    starts: datetime
    from_ms: int
    to_ms: int
    figures: Figures


def wait_ms(row: ContactRow, now_ms: int) -> int:
    """How long a contact waited for an agent, or has waited until now."""
    until_ms = row.answered_ms if row.answered_ms is not None else row.left_ms
    return max(0, (now_ms if until_ms is None else until_ms) - row.entered_ms)


def figures(
    contacts: Iterable[ContactRow],
    presences: Iterable[PresenceRow] = (),
    *,
    now_ms: int,
    within_ms: int = SERVICE_LEVEL_MS,
    short_ms: int = SHORT_ABANDON_MS,
) -> Figures:
    """The figures of these contacts and of this time of agents."""
    everything = list(contacts)
    rows = [row for row in everything if not row.turn]
    answered = [row for row in rows if row.answered_ms is not None]
    unanswered = [row for row in rows if row.answered_ms is None]
    waiting = [row for row in unanswered if not row.outcome]
    hung_up = [row for row in unanswered if row.outcome == "abandoned"]
    short = [row for row in hung_up if wait_ms(row, now_ms) < short_ms]
    in_time = sum(wait_ms(row, now_ms) <= within_ms for row in answered)
    undecided = sum(wait_ms(row, now_ms) <= within_ms for row in waiting)
    counted = len(rows) - undecided
    talks = [row for row in everything if row.answered_ms is not None]
    handled = [row.handling_ms for row in talks if row.handling_ms is not None]
    return Figures(
        offered=len(rows),
        answered=len(answered),
        abandoned=len(hung_up) - len(short),
        short_abandoned=len(short),
        other=len(unanswered) - len(waiting) - len(hung_up),
        waiting=len(waiting),
        in_time=in_time,
        service_level=_share(in_time, counted),
        service_level_without_short=_share(in_time, counted - len(short)),
        abandonment=_share(len(hung_up) - len(short), len(rows) - len(short)),
        asa_ms=_share(sum(wait_ms(row, now_ms) for row in answered), len(answered)),
        aht_ms=_share(sum(handled), len(handled)),
        longest_wait_ms=max((wait_ms(row, now_ms) for row in rows), default=None),
        occupancy=occupancy(presences),
    )


def occupancy(presences: Iterable[PresenceRow]) -> float | None:
    """Share of the agents' working time that went to contacts.

    (talking + wrap-up) / (talking + wrap-up + reserved + ready)
    """
    busy = idle = 0
    for row in presences:
        length = max(0, row.to_ms - row.from_ms)
        if row.presence in ("talking", "wrap_up"):
            busy += length
        elif row.presence in ("reserved", "ready"):
            idle += length
    return _share(busy, busy + idle)


def by_hour(
    contacts: Sequence[ContactRow],
    presences: Sequence[PresenceRow] = (),
    *,
    zone: ZoneInfo,
    day: date,
    now_ms: int,
    within_ms: int = SERVICE_LEVEL_MS,
    short_ms: int = SHORT_ABANDON_MS,
) -> list[Stretch]:
    """The figures of each hour of ``day`` on the centre's clock: 23 or 25 of them when the clocks change."""
    start, end = _midnight(day, zone), _midnight(day + timedelta(days=1), zone)
    edges = [start]
    while edges[-1] < end:
        edges.append(min(edges[-1] + timedelta(hours=1), end))
    return _stretches(contacts, presences, edges, zone, now_ms, within_ms, short_ms)


def by_day(
    contacts: Sequence[ContactRow],
    presences: Sequence[PresenceRow] = (),
    *,
    zone: ZoneInfo,
    first: date,
    last: date,
    now_ms: int,
    within_ms: int = SERVICE_LEVEL_MS,
    short_ms: int = SHORT_ABANDON_MS,
) -> list[Stretch]:
    """The figures of each day from ``first`` to ``last``, both included, on the centre's calendar."""
    days = (last - first).days + 1
    edges = [_midnight(first + timedelta(days=day), zone) for day in range(days + 1)]
    return _stretches(contacts, presences, edges, zone, now_ms, within_ms, short_ms)


def _stretches(
    contacts: Sequence[ContactRow],
    presences: Sequence[PresenceRow],
    edges: Sequence[datetime],
    zone: ZoneInfo,
    now_ms: int,
    within_ms: int,
    short_ms: int,
) -> list[Stretch]:
    marks = [round(edge.timestamp() * 1000) for edge in edges]
    these: list[list[ContactRow]] = [[] for _ in marks[1:]]
    times: list[list[PresenceRow]] = [[] for _ in marks[1:]]
    for contact in contacts:
        if marks[0] <= contact.entered_ms < marks[-1]:
            these[bisect_right(marks, contact.entered_ms) - 1].append(contact)
    for presence in presences:
        touched = range(max(bisect_right(marks, presence.from_ms) - 1, 0), bisect_left(marks, presence.to_ms))
        for i in touched[: len(times)]:
            times[i].append(_clipped(presence, marks[i], marks[i + 1]))
    return [
        Stretch(
            edge.astimezone(zone),
            from_ms,
            to_ms,
            figures(these[i], times[i], now_ms=now_ms, within_ms=within_ms, short_ms=short_ms),
        )
        for i, (edge, (from_ms, to_ms)) in enumerate(zip(edges, pairwise(marks), strict=False))
    ]


def _clipped(row: PresenceRow, from_ms: int, to_ms: int) -> PresenceRow:
    return PresenceRow(row.agent, row.presence, max(row.from_ms, from_ms), min(row.to_ms, to_ms))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
