"""The level: set, confirmed by a second person, undone, renewed, and over by itself.

Each change is one transaction with its line of the timeline, and is shown to the doors before it returns.
"""

from __future__ import annotations

from sqlalchemy import bindparam
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from foundation.errors import Mendable
from surge import board, record
from surge.office import Conflict, Watch
from surge.states import Level, check_level
from surge.tables import SurgeState

SHORTEST_MS = 60_000
LONGEST_MS = 24 * 3_600_000
MODES = ("suggest", "automatic", "dry_run")
DETECTOR = "detector"


async def state(watch: Watch) -> SurgeState:
    """The level as SQL has it; ask ``in_force`` whether it still holds. Raises Unavailable."""
    async with watch.sql.reading() as session:
        found = (await session.exec(_STATE, params={"centre": watch.centre})).first()
        return found or SurgeState(centre=watch.centre, automatic=watch.policy.detector)


_STATE = select(SurgeState).where(SurgeState.centre == bindparam("centre"))
_EXPIRES = select(SurgeState.expires_ms).where(SurgeState.centre == bindparam("centre"))


def in_force(row: SurgeState, now_ms: int) -> Level:
    expired = row.expires_ms is not None and now_ms >= row.expires_ms
    return Level.CALM if expired else Level(row.level)


async def set_level(
    watch: Watch, level: Level, by: str, now_ms: int, *, reason: str = "", for_ms: int | None = None
) -> SurgeState:
    """Set it, for ``for_ms`` (else the policy's time). The level in force already is renewed.

    ``closed_to_new`` is only asked for by this: another person has to ``confirm_second`` it. Raises
    IllegalMove, Mendable for a length of time that is none, Unavailable: then nothing has changed.
    """
    lasts_ms = _lasts(watch, for_ms)
    async with watch.sql.session() as session:
        row = await _locked(watch, session, now_ms)
        here = Level(row.level)
        if level is Level.CLOSED_TO_NEW and here is not level:
            check_level(here, level, people=2)
            row.asked_level, row.asked_by, row.asked_ms = int(level), by, now_ms
            row.version += 1
            record.note(session, "asked", by, now_ms, words=reason, level=int(level))
        else:
            check_level(here, level, people=1)
            _put(session, row, level, by, now_ms, reason, lasts_ms)
    await board.show(watch, now_ms)
    return row


async def confirm_second(watch: Watch, by: str, now_ms: int, *, for_ms: int | None = None) -> SurgeState:
    """The second person says yes. Raises Conflict when nothing is asked for (or no more), Mendable when it
    is the same person, IllegalMove, Unavailable.
    """
    lasts_ms = _lasts(watch, for_ms)
    async with watch.sql.session() as session:
        row = await _locked(watch, session, now_ms)
        asked = row.asked_level
        if asked is None or now_ms - (row.asked_ms or 0) > watch.policy.confirm_ms:
            raise Conflict("Nobody asks to close the line, or it was too long ago: ask again.", row.asked_by)
        if row.asked_by == by:
            raise Mendable("Closing the line takes two people: somebody else has to confirm it.")
        check_level(Level(row.level), Level(asked), people=2)
        both = f"{row.asked_by} and {by}"
        _put(session, row, Level(asked), both, now_ms, "", lasts_ms)
    await board.show(watch, now_ms)
    return row


async def undo(watch: Watch, by: str, now_ms: int) -> SurgeState:
    """Back to the level before the last change, within ``undo_ms`` of it, for the policy's time.

    Raises Conflict when it is too late, IllegalMove where the law has no way back (from calm to closed).
    """
    async with watch.sql.session() as session:
        row = await _locked(watch, session, now_ms)
        before = row.undo_level
        if before is None or now_ms - row.since_ms > watch.policy.undo_ms:
            raise Conflict("It is too late to undo; set the level you want.", row.set_by)
        # Who closed the line were two; taking a slip back needs no two again.
        check_level(Level(row.level), Level(before), people=2)
        _put(session, row, Level(before), by, now_ms, "undone", watch.policy.expires_ms)
        row.undo_level = None
    await board.show(watch, now_ms)
    return row


async def renew(watch: Watch, by: str, now_ms: int, *, for_ms: int | None = None) -> SurgeState:
    """The level in force holds on. Raises Conflict when it is calm already."""
    lasts_ms = _lasts(watch, for_ms)
    async with watch.sql.session() as session:
        row = await _locked(watch, session, now_ms)
        if row.level == Level.CALM:
            raise Conflict("The level is calm; there is nothing to renew.", row.set_by)
        _put(session, row, Level(row.level), by, now_ms, row.reason, lasts_ms)
    await board.show(watch, now_ms)
    return row


async def expire(watch: Watch, now_ms: int) -> bool:
    """One round: a level that nobody renewed is over. True when one was. Raises Unavailable."""
    async with watch.sql.reading() as session:
        connection = await session.connection()
        expires_ms = (await connection.execute(_EXPIRES, {"centre": watch.centre})).scalar()
    if expires_ms is None or now_ms < expires_ms:
        return False
    async with watch.sql.session() as session:
        fresh = await record.locked_state(session, watch.centre, watch.policy.detector)
        if fresh.expires_ms is None or now_ms < fresh.expires_ms:
            return False
        _expired(session, fresh, now_ms)
    await board.show(watch, now_ms)
    return True


async def set_mode(watch: Watch, mode: str, by: str, now_ms: int) -> SurgeState:
    """What the detector may do from now on. Raises Mendable, Unavailable."""
    if mode not in MODES:
        raise Mendable(f"The detector is one of {', '.join(MODES)}.")
    async with watch.sql.session() as session:
        row = await _locked(watch, session, now_ms)
        row.automatic = mode
        row.version += 1
        record.note(session, "detector", by, now_ms, words=mode)
    await board.show(watch, now_ms)
    return row


async def suggest(
    watch: Watch, level: Level, why: str, now_ms: int, *, by: str = DETECTOR, incident: str = ""
) -> bool:
    """What a detector or a webhook thinks: a line of the timeline; carried out when the detector may.

    It never closes the line, and never lowers what a person has set. True when the level changed.
    """
    async with watch.sql.session() as session:
        row = await _locked(watch, session, now_ms)
        here = Level(row.level)
        record.note(session, "suggested", by, now_ms, incident=incident, words=why, level=int(level))
        people = here > level and row.set_by != DETECTOR
        may = by == DETECTOR and row.automatic in ("automatic", "dry_run") and not people
        if not may or level in (here, Level.CLOSED_TO_NEW):
            return False
        check_level(here, level, people=1)
        _put(session, row, level, by, now_ms, why, watch.policy.expires_ms)
    await board.show(watch, now_ms)
    return True


async def _locked(watch: Watch, session: AsyncSession, now_ms: int) -> SurgeState:
    """The state with what has expired taken off it: nobody goes on from a level that is over."""
    row = await record.locked_state(session, watch.centre, watch.policy.detector)
    if row.expires_ms is not None and now_ms >= row.expires_ms:
        _expired(session, row, now_ms)
    return row


def _expired(session: AsyncSession, row: SurgeState, now_ms: int) -> None:
    was = row.level
    row.level, row.since_ms, row.expires_ms = int(Level.CALM), row.expires_ms or now_ms, None
    row.set_by, row.reason, row.undo_level, row.version = "expiry", "nobody renewed it", None, row.version + 1
    row.asked_level, row.asked_by, row.asked_ms = None, "", None
    record.note(session, "level", "expiry", now_ms, words=row.reason, level=row.level, before=was)


def _put(
    session: AsyncSession, row: SurgeState, level: Level, by: str, now_ms: int, reason: str, lasts_ms: int
) -> None:
    before = Level(row.level)
    if before is not level:
        row.undo_level, row.since_ms = int(before), now_ms
    row.level, row.set_by, row.reason = int(level), by, reason
    row.expires_ms = None if level is Level.CALM else now_ms + lasts_ms
    row.asked_level, row.asked_by, row.asked_ms = None, "", None
    row.version += 1
    kind = "renewed" if before is level else "level"
    until = row.expires_ms
    record.note(session, kind, by, now_ms, words=reason, level=int(level), before=int(before), until_ms=until)


def _lasts(watch: Watch, for_ms: int | None) -> int:
    if for_ms is None:
        return watch.policy.expires_ms
    if not SHORTEST_MS <= for_ms <= LONGEST_MS:
        raise Mendable("A level holds for one minute to 24 hours.")
    return for_ms
