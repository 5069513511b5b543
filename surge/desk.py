"""The follow-ups as people work on them: taken, given back, finished, in bulk; the list, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.errors import Mendable
from surge import followups, record
from surge.office import Conflict, Watch
from surge.states import FOLLOW_UP_ENDS, FollowUpState, check_follow_up
from surge.tables import FollowUp

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Done:
    """What came of bulk work: the ids that were carried out, and why the others were not."""

    done: tuple[str, ...]
    refused: dict[str, str]


async def listed(
    watch: Watch, *, incident: str | None = None, states: Sequence[str] = (), start: int = 0, most: int = 50
) -> list[FollowUp]:
    """The oldest first; without ``states`` those that are open. Raises Unavailable."""
    wanted = select(FollowUp).where(col(FollowUp.state).in_(states or followups.OPEN_WORDS))
    if incident is not None:
        wanted = wanted.where(FollowUp.incident == incident)
    wanted = wanted.order_by(col(FollowUp.made_ms), col(FollowUp.id)).offset(start).limit(most)
    async with watch.sql.reading() as session:
        return list(await session.exec(wanted))


async def counts(watch: Watch, incident: str) -> dict[str, int]:
    """The incident's rows by state. Raises Unavailable."""
    async with watch.sql.reading() as session:
        return await followups.counts(session, incident)


async def claim(watch: Watch, follow_up: str, by: str, now_ms: int) -> FollowUp:
    """Take it: nobody else works on it. Raises Conflict with ``who`` has it or ended it, Mendable."""
    async with watch.sql.session() as session:
        row = await _locked(session, follow_up)
        if row.state == FollowUpState.CLAIMED and row.claimed_by == by:
            return row
        _free_for(row, by)
        _go(row, FollowUpState.CLAIMED, by, now_ms, "")
        row.claimed_by = by
        return row


async def release(watch: Watch, follow_up: str, by: str, now_ms: int) -> FollowUp:
    """Give it back. Raises Conflict when it is not theirs."""
    async with watch.sql.session() as session:
        row = await _locked(session, follow_up)
        if row.state == FollowUpState.OPEN:
            return row
        _free_for(row, by)
        _go(row, FollowUpState.OPEN, by, now_ms, "")
        row.claimed_by = ""
        return row


async def finish(
    watch: Watch, follow_up: str, state: FollowUpState, by: str, now_ms: int, note: str = ""
) -> FollowUp:
    """It has an end. Finished alike already, nothing happens. Raises Conflict, IllegalMove, Mendable."""
    async with watch.sql.session() as session:
        row = await _locked(session, follow_up)
        _finish(row, state, by, now_ms, note)
        return row


async def bulk(
    watch: Watch, ids: Sequence[str], state: FollowUpState, by: str, now_ms: int, note: str = ""
) -> Done:
    """The same end for several, each for itself. Raises Mendable for too many, Unavailable: none was done."""
    if len(ids) > AT_ONCE:
        raise Mendable(f"At most {AT_ONCE} at once.")
    done, refused = [], {}
    async with watch.sql.session() as session:
        found = await record.locked_by_id(session, ids)
        rows = {row.id: row for row in found}
        for each in dict.fromkeys(ids):
            row = rows.get(each)
            try:
                if row is None:
                    raise Mendable("There is no such follow-up.")
                _finish(row, state, by, now_ms, note)
                done.append(each)
            except (Conflict, Mendable) as no:
                refused[each] = str(no)
        if done:
            record.note(session, "bulk", by, now_ms, words=note, state=state.value, count=len(done))
    return Done(tuple(done), refused)


async def close(watch: Watch, incident: str, by: str, now_ms: int) -> None:
    """The incident's list is worked off. Raises Mendable while a row is open."""
    async with watch.sql.session() as session:
        await record.locked_incident(session, incident)
        await followups.must_be_closed(session, incident)
        if await record.events(session, incident, ("ledger_closed",)):
            return
        told = await followups.counts(session, incident)
        record.note(session, "ledger_closed", by, now_ms, incident=incident, rows=told)


def _finish(row: FollowUp, state: FollowUpState, by: str, now_ms: int, note: str) -> None:
    if state not in FOLLOW_UP_ENDS:
        raise Mendable(f"{state} is no end of a follow-up.")
    if row.state == state:
        return
    _free_for(row, by)
    _go(row, state, by, now_ms, note)


def _free_for(row: FollowUp, by: str) -> None:
    if row.state not in followups.OPEN_WORDS:
        raise Conflict(f"It has ended already: {row.state}.", row.ended_by, row.note)
    if row.state == FollowUpState.CLAIMED and row.claimed_by not in ("", by):
        raise Conflict(f"{row.claimed_by} deals with it.", row.claimed_by)


def _go(row: FollowUp, state: FollowUpState, by: str, now_ms: int, note: str) -> None:
    check_follow_up(FollowUpState(row.state), state)
    row.state, row.note = state.value, note or row.note
    if state in FOLLOW_UP_ENDS:
        row.ended_ms, row.ended_by = now_ms, by


async def _locked(session: AsyncSession, follow_up: str) -> FollowUp:
    rows = await record.locked_by_id(session, (follow_up,))
    if not rows:
        raise Mendable("There is no such follow-up; it may have been removed.")
    return rows[0]


async def silent_ones_work(watch: Watch, now_ms: int) -> int:
    """One round: who was told that it is over, and has not answered for ``works_ms``, it works for."""
    asked = {"until_ms": now_ms - watch.policy.works_ms}
    async with watch.sql.reading() as session:
        connection = await session.connection()
        if (await connection.execute(_ONE_SILENT, asked)).first() is None:
            return 0
    async with watch.sql.session() as session:
        rows = await record.locked_follow_ups(session, _SILENT, most=AT_ONCE, params=asked)
        for row in rows:
            _go(row, FollowUpState.WORKS, followups.BY_LINE, now_ms, "told, and did not answer")
        return len(rows)


# Nobody is told before their row is made; those times have the index.
_SILENT = (
    (col(FollowUp.state) == FollowUpState.TOLD)
    & (col(FollowUp.made_ms) <= bindparam("until_ms"))
    & (col(FollowUp.told_ms) <= bindparam("until_ms"))
)
_ONE_SILENT = select(FollowUp.id).where(_SILENT).limit(1)
