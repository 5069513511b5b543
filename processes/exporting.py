"""Our own calls out of SQL, in the form that ``estimates replay`` reads: how true were we?

No number and no name goes out: a call is known by its sid.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from sqlmodel import col, func, or_, select

from dashboard.spells import TURNS, Turn, spells
from foundation.connections import Sql
from foundation.errors import Mendable
from processes.books import books
from processes.centre import read_centre
from processes.settings import Settings
from queueing.figures import PresenceRow
from queueing.journal import Event
from queueing.policy import LinePolicy
from queueing.records import read_skills
from queueing.stays import Stay, stays
from queueing.story import order
from queueing.tables import Contact, ContactEvent

COLUMNS = (
    "call_id", "queue", "band", "entered_s", "answered_s", "abandoned_s", "service_end_s",
    "kind", "key_s", "left_s",
)  # fmt: skip
AT_ONCE = 400
READ_S = 20.0
LOOK_BACK_MS = 24 * 3_600_000
"""Who was in at the first moment came within this time before it."""
_OUT = ("away", "off")


@dataclass(frozen=True, slots=True)
class Exported:
    """``by_queue``: the queues have agents of their own, and the staffing says which."""

    calls: int
    callbacks: int
    agents: int
    by_queue: bool


async def export(
    settings: Settings, calls: Path, agents: Path | None, first: date | None, last: date | None
) -> Exported:
    """The days from ``first`` to ``last`` on the centre's clock, both included; all there are without them.

    Raises Mendable for a file that cannot be written, and where no call came in those days.
    """
    plan = read_centre(settings.surgeline_centre)
    zone = ZoneInfo(plan.written.time_zone)
    from_ms = _midnight(first, zone) if first else 0
    count: Counter[bool] = Counter()
    queues: set[str] = set()
    async with books(settings) as sql:
        to_ms = await _until(sql)
        if last:
            to_ms = min(to_ms, _midnight(last + timedelta(days=1), zone))
        with _writing(calls) as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(COLUMNS)
            async for stay in _stays(sql, from_ms, to_ms):
                rows.writerow(row(stay, plan.policy))
                count[stay.callback] += 1
                queues.add(stay.queue)
                from_ms = from_ms or stay.entered_ms
        if not count:
            raise Mendable("No call came to the line in those days.")
        if agents is None:
            return Exported(count[False], count[True], 0, False)
        events = await _turns(sql, from_ms, to_ms)
    skills = {e.agent: set(read_skills(e.fields.get("skills", ""))) for e in events if e.kind == "agent_in"}
    turns = [Turn(event.agent, event.kind, event.at_ms, order(event.id)) for event in events]
    spent = [spell for spell in spells(turns, to_ms) if spell.to_ms > from_ms]
    owners = _owners({spell.agent for spell in spent if spell.presence not in _OUT}, skills, queues)
    with _writing(agents) as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["time_s", "agents", "queue"] if owners else ["time_s", "agents"])
        for queue in sorted(queues) if owners else [""]:
            own = [spell for spell in spent if not owners or owners[spell.agent] == queue]
            told = [[_seconds(at), n] for at, n in at_work(own, from_ms, to_ms)]
            rows.writerows([*line, queue] if owners else line for line in told)
    return Exported(count[False], count[True], len({spell.agent for spell in spent}), bool(owners))


def row(stay: Stay, policy: LinePolicy) -> list[str]:
    """A band is its number, 0 for the first; ``key_s`` says how far its head start brings it."""
    bands = [band.name for band in policy.bands]
    at = bands.index(stay.band) if stay.band in bands else len(bands)
    head_start_ms = policy.bands[at].head_start_ms if at < len(bands) else 0
    over = (stay.answered_ms, stay.abandoned_ms, stay.freed_ms)
    return [
        stay.contact, stay.queue, str(at), _seconds(stay.entered_ms), *map(_seconds, over),
        "callback" if stay.callback else "call", _seconds(stay.arrival_ms - head_start_ms),
        _seconds(stay.left_ms),
    ]  # fmt: skip


def at_work(spent: Iterable[PresenceRow], from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """From when (ms) how many are at work, between two moments; the first at the first."""
    changes: Counter[int] = Counter({from_ms: 0})
    for spell in spent:
        if spell.presence not in _OUT:
            changes[max(spell.from_ms, from_ms)] += 1
            changes[spell.to_ms] -= 1
    agents = 0
    found: list[tuple[int, int]] = []
    for at in sorted(at for at in changes if at < to_ms):
        agents += changes[at]
        if not found or agents != found[-1][1]:
            found.append((at, agents))
    return found


def _owners(
    agents: Collection[str], skills: Mapping[str, Collection[str]], queues: Collection[str]
) -> dict[str, str]:
    """Each agent's one queue; empty unless all have one only, and each queue has somebody."""
    owners = {agent: next(iter(skills[agent])) for agent in agents if len(skills.get(agent, ())) == 1}
    whole = len(queues) > 1 and len(owners) == len(agents) and set(queues) <= set(owners.values())
    return owners if whole else {}


async def _stays(sql: Sql, from_ms: int, to_ms: int) -> AsyncIterator[Stay]:
    """Of all contacts that came to the line then."""
    after: tuple[int, str] = (from_ms, "")
    while True:
        wanted = (
            select(Contact.entered_ms, Contact.contact)
            .where(
                Contact.queue != "",
                Contact.entered_ms < to_ms,
                or_(
                    col(Contact.entered_ms) > after[0],
                    (col(Contact.entered_ms) == after[0]) & (col(Contact.contact) > after[1]),
                ),
            )
            .order_by(col(Contact.entered_ms), col(Contact.contact))
            .limit(AT_ONCE)
        )
        async with sql.reading(statement_s=READ_S) as session:
            page = list(await session.exec(wanted))
            names = [name for _, name in page]
            found = await session.exec(select(ContactEvent).where(col(ContactEvent.contact).in_(names)))
            by_contact: dict[str, list[Event]] = {}
            for event in found:
                by_contact.setdefault(event.contact, []).append(_event(event))
        for name in names:
            for number, stay in enumerate(stays(by_contact.get(name, ()))):
                if number:
                    stay.contact = f"{name}/{number + 1}"
                yield stay
        if len(page) < AT_ONCE:
            return
        after = (page[-1][0], page[-1][1])


async def _until(sql: Sql) -> int:
    """Up to and with the newest event."""
    async with sql.reading(statement_s=READ_S) as session:
        return ((await session.exec(select(func.max(ContactEvent.at_ms)))).one() or 0) + 1


async def _turns(sql: Sql, from_ms: int, to_ms: int) -> list[Event]:
    """What the agents did, from a day before."""
    wanted = select(ContactEvent).where(
        col(ContactEvent.at_ms) >= from_ms - LOOK_BACK_MS,
        col(ContactEvent.at_ms) < to_ms,
        col(ContactEvent.kind).in_([*TURNS, "agent_in"]),
    )
    async with sql.reading(statement_s=READ_S) as session:
        return [_event(event) for event in await session.exec(wanted)]


def _event(row: ContactEvent) -> Event:
    return Event(row.id, row.kind, row.at_ms, row.contact, row.agent, row.queue, row.band, row.fields)


def _writing(path: Path) -> TextIO:
    try:
        return path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise Mendable(f"{path} cannot be written ({error.strerror}).") from None


def _midnight(day: date, zone: ZoneInfo) -> int:
    return round(datetime.combine(day, time(), zone).timestamp() * 1000)


def _seconds(at_ms: float | None) -> str:
    return "" if at_ms is None else f"{at_ms / 1000:.3f}"
