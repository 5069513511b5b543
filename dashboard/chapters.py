"""The support chapter of an incident's post-mortem: the facts, out of the record, for ``surge.chapter``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import func
from sqlalchemy import select as sql_select
from sqlmodel import col

from callbacks.states import OPEN, PromiseState
from callbacks.tables import Promise
from dashboard import record
from dashboard.rooms import Rooms
from dashboard.surge_views import EVENT_WORDS
from queueing import figures as reckoning
from queueing.figures import ContactRow, Figures
from queueing.states import Disposition
from queueing.tables import Contact, ContactEvent
from surge import chapter
from surge.chapter import Due, Facts, Promises, Said, Volume, Waits
from surge.lists import Story
from surge.tables import Deflection

DAY_MS = 24 * 3_600_000
MINUTE_MS = 60_000
WEEK_MS = 7 * DAY_MS
LONGEST_MS = 14 * DAY_MS
"""Of an incident that nobody resolves, the first two weeks are told of."""
MOST_WAITS = 100_000
_TOLD = frozenset({"declared", "level", "moved", "scope", "asked", "ledger_closed"})


async def chapter_of(rooms: Rooms, story: Story) -> str:
    """Markdown. Raises Unavailable when SQL is away."""
    now_ms = rooms.clock.now_ms()
    row = story.incident
    from_ms = row.declared_ms
    to_ms = min(row.resolved_ms or now_ms, from_ms + LONGEST_MS)
    contacts = await record.contact_rows(rooms, from_ms, to_ms + 1, "")
    usual = await record.contact_rows(rooms, from_ms - WEEK_MS, to_ms - WEEK_MS + 1, "")
    total = reckoning.figures(contacts, now_ms=now_ms, within_ms=rooms.targets.within_s * 1000)
    deflected, again = await _deflections(rooms, row.id)
    facts = Facts(
        title=row.title,
        severity=row.severity,
        from_ms=from_ms,
        to_ms=row.resolved_ms,
        time_zone=rooms.time_zone,
        volume=_volume(contacts, usual, total, deflected, to_ms - from_ms),
        said=_said(story),
        waits=await _waits(rooms, from_ms, to_ms),
        promises=await _promises(rooms, from_ms, to_ms),
        called_again=again,
        follow_ups=tuple(sorted(story.follow_ups.items())),
        follow_ups_open=story.open,
        commitments=tuple(Due(c.what, c.owner, c.due_ms, c.done_ms) for c in story.commitments),
        first_said_ms=min((each.at_ms for each in story.updates), default=None),
    )
    return chapter.write(facts, now_ms)


def _volume(
    contacts: Sequence[ContactRow], usual: Sequence[ContactRow], total: Figures, deflected: int, span_ms: int
) -> Volume:
    calls = [row for row in contacts if not row.turn]
    ends = Counter(row.outcome for row in calls)
    minutes = Counter(row.entered_ms // MINUTE_MS for row in calls)
    peak, most = max(minutes.items(), key=lambda pair: pair[1], default=(0, 0))
    before = sum(not row.turn for row in usual)
    promised, messages = ends[Disposition.PROMISED.value], ends[Disposition.MESSAGE.value]
    return Volume(
        offered=total.offered,
        answered=total.answered,
        abandoned=total.abandoned + total.short_abandoned,
        promised=promised,
        deflected=deflected,
        messages=messages,
        other=max(0, total.other - promised - messages - ends[Disposition.DEFLECTED.value]),
        peak_per_min=float(most),
        peak_ms=peak * MINUTE_MS if most else None,
        usual_per_min=before / (span_ms / MINUTE_MS) if before and span_ms >= MINUTE_MS else None,
        service_level=total.service_level,
        service_level_without_short=total.service_level_without_short,
        asa_ms=total.asa_ms,
        longest_wait_ms=round(total.longest_wait_ms) if total.longest_wait_ms is not None else None,
    )


def _said(story: Story) -> tuple[Said, ...]:
    """Updates with their words, and what was done about the level, in order of time."""
    told = [
        Said(each.at_ms, each.state, next(iter(each.words.values()), ""), each.by) for each in story.updates
    ]
    told += [
        Said(each.at_ms, EVENT_WORDS.get(each.kind, each.kind), each.words, each.by)
        for each in story.events
        if each.kind in _TOLD and each.kind != "declared"
    ]
    return tuple(sorted(told, key=lambda each: each.at_ms))


async def _waits(rooms: Rooms, from_ms: int, to_ms: int) -> Waits:
    """What was announced first, against the wait that was had: of those who were answered."""
    told = sql_select(col(ContactEvent.contact), col(ContactEvent.fields)).where(
        col(ContactEvent.kind) == "told", col(ContactEvent.at_ms) >= from_ms, col(ContactEvent.at_ms) <= to_ms
    )
    told = told.order_by(col(ContactEvent.at_ms)).limit(MOST_WAITS)
    had = sql_select(col(Contact.contact), col(Contact.answered_ms) - col(Contact.entered_ms)).where(
        col(Contact.entered_ms) >= from_ms,
        col(Contact.entered_ms) <= to_ms,
        col(Contact.answered_ms).is_not(None),
    )
    async with rooms.sql.reading(statement_s=record.REPORT_S) as session:
        connection = await session.connection()
        announced = (await connection.execute(told)).all()
        waited = {
            str(name): int(wait or 0)
            for name, wait in (await connection.execute(had.limit(MOST_WAITS))).all()
        }
    first: dict[str, int] = {}
    for name, fields in announced:
        high = str((fields or {}).get("high_min", ""))
        if name in waited and high.isdigit():
            first.setdefault(name, int(high))
    longer = sum(waited[name] > high * MINUTE_MS for name, high in first.items())
    return Waits(told=len(first), within=len(first) - longer, longer=longer)


async def _deflections(rooms: Rooms, incident: str) -> tuple[int, int]:
    statement = sql_select(func.count(), func.count(col(Deflection.called_again_ms))).where(
        col(Deflection.incident) == incident
    )
    async with rooms.sql.reading(statement_s=record.REPORT_S) as session:
        told, again = (await (await session.connection()).execute(statement)).one()
    return int(told), int(again)


async def _promises(rooms: Rooms, from_ms: int, to_ms: int) -> Promises:
    """Those made while it lasted."""
    statement = sql_select(col(Promise.state), col(Promise.by_ms), col(Promise.ended_ms)).where(
        col(Promise.made_ms) >= from_ms, col(Promise.made_ms) <= to_ms
    )
    async with rooms.sql.reading(statement_s=record.REPORT_S) as session:
        rows = (await (await session.connection()).execute(statement)).all()
    ends = Counter(str(state) for state, _, _ in rows)
    kept = [(by, ended) for state, by, ended in rows if state == PromiseState.KEPT]
    return Promises(
        made=len(rows),
        kept=len(kept),
        on_time=sum(not by or (ended or 0) <= by for by, ended in kept),
        unreachable=ends[PromiseState.UNREACHABLE.value],
        withdrawn=ends[PromiseState.CANCELLED.value]
        + ends[PromiseState.SUPERSEDED.value]
        + ends[PromiseState.RESOLVED.value],
        expired=ends[PromiseState.EXPIRED.value],
        open=sum(count for state, count in ends.items() if state in {each.value for each in OPEN}),
    )
