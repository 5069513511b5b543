"""The directive: built from SQL, shown to every door by one small value in Redis, copied to a file.

``show`` and ``publish`` write it; ``BoardGlance`` reads it, wherever it can be read. What was decided while
SQL was away is kept as a note (``notes``) and brought into SQL before the next directive is built.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import bindparam
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier.tables import Text
from carrier.text_record import backlog
from foundation.connections import answering
from foundation.errors import Unavailable
from queueing.tables import ContactEvent
from surge import commitments, record
from surge.directive import Directive, Told
from surge.office import Watch
from surge.states import OVER, Level
from surge.tables import Incident, IncidentUpdate, SurgeState

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from foundation.connections import Breaker

FRESH_MS = 1_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
OVER_MS = 30 * 60_000
"""So long callers on hold are told of an incident's end: longer than the hold loop pauses."""
TEXT_KIND = "incident"
FILE = "directive.json"

log = structlog.get_logger(__name__)


def board_key(centre: str) -> str:
    return f"surgeline:{{{centre}}}:directive"


# --- writing ------------------------------------------------------------------------------------------


async def publish(watch: Watch, now_ms: int) -> Directive:
    """Build the directive from SQL and tell the doors. Raises Unavailable: then the last one stands."""
    async with watch.sql.reading() as session:
        directive = await build(watch, session, now_ms)
    await put(watch, directive)
    return directive


async def show(watch: Watch, now_ms: int) -> Directive | None:
    """Publish after a change that is committed already: what is away now is made good by the next round."""
    try:
        return await publish(watch, now_ms)
    except Unavailable as away:
        log.warning("the directive is not told yet", why=str(away))
        return None


async def put(watch: Watch, directive: Directive) -> None:
    """Into the file copy, then into Redis. Raises Unavailable when Redis is away: the file has it."""
    if watch.data_dir is not None:
        with suppress(OSError):
            await asyncio.to_thread(keep_copy, watch.data_dir, directive)
    async with answering():
        await watch.redis.set(board_key(watch.centre), directive.packed())


async def build(watch: Watch, session: AsyncSession, now_ms: int) -> Directive:
    """What SQL says now."""
    state = await session.get(SurgeState, watch.centre) or SurgeState(centre=watch.centre)
    live = [await told(session, row) for row in await record.live(session)]
    over = [await told(session, row) for row in await record.over_since(session, now_ms - OVER_MS)]
    expired = state.expires_ms is not None and now_ms >= state.expires_ms
    dry_run = state.automatic == "dry_run" and state.set_by == "detector"
    return Directive(
        version=state.version,
        at_ms=now_ms,
        level=Level.CALM if expired else Level(state.level),
        since_ms=state.since_ms,
        expires_ms=state.expires_ms,
        dry_run=dry_run,
        texts_open=await texts_open(watch, session, now_ms),
        incidents=tuple(live),
        over=tuple(over),
        would=await _would(session, max(state.since_ms, now_ms - DAY_MS)) if dry_run else 0,
        due=tuple((row.owner, row.what, row.due_ms) for row in await commitments.due_soon(session, now_ms)),
    )


async def _would(session: AsyncSession, since_ms: int) -> int:
    """The calls that a dry run has spared, as the doors wrote them in the journal."""
    calls = func.count(func.distinct(ContactEvent.contact))
    wanted = select(calls).where(col(ContactEvent.at_ms) >= since_ms, ContactEvent.kind == "spared")
    return (await session.exec(wanted)).one()


async def texts_open(watch: Watch, session: AsyncSession, now_ms: int) -> bool:
    """Whether there is room for more texts: under the hour's cap, and the sender is not behind."""
    policy = watch.policy
    connection = await session.connection()
    sent = (await connection.execute(_LATELY, {"since_ms": now_ms - HOUR_MS})).scalar_one()
    if sent >= policy.text_cap_per_h:
        return False
    behind = await backlog(session, now_ms, policy.text_rate_per_s)
    return behind.ends_ms - now_ms <= policy.text_lag_ms


_LATELY = (
    select(func.count())
    .select_from(Text)
    .where(Text.kind == TEXT_KIND, col(Text.made_ms) > bindparam("since_ms"))
)


async def told(session: AsyncSession, row: Incident) -> Told:
    """The incident as callers are told of it, with what was said last."""
    last = await _words(session, row)
    return Told(
        id=row.id,
        severity=row.severity,
        state=row.state,
        audience=row.audience,
        scope=row.scope,
        version=row.version,
        updated_ms=row.updated_ms,
        words=last.words if last and not outdated(row, last) else {},
        do=row.do,
        dont=row.dont,
        topic=row.topic,
        title=row.title,
        next_update_ms=row.next_update_ms,
        said=last.version if last else 0,
    )


def outdated(row: Incident, last: IncidentUpdate) -> bool:
    """It said that it was over, and it is not."""
    return last.state in OVER and row.state not in OVER


async def _words(session: AsyncSession, row: Incident) -> IncidentUpdate | None:
    return (await session.exec(_LAST_WORDS, params={"incident": row.id})).first()


_LAST_WORDS = (
    select(IncidentUpdate)
    .where(IncidentUpdate.incident == bindparam("incident"))
    .order_by(col(IncidentUpdate.version).desc())
    .limit(1)
)


# --- reading ------------------------------------------------------------------------------------------


async def read(redis: Redis, centre: str, breaker: Breaker | None = None) -> Directive | None:
    """What the doors are told now; None when Redis knows of nothing. Raises Unavailable."""
    async with answering(breaker, enrichment=True):
        text = await redis.get(board_key(centre))
    try:
        return Directive.unpacked(str(text)) if text else None
    except ValueError:
        return None


def keep_copy(data_dir: Path, directive: Directive) -> None:
    """Into the file, whole or not at all. Raises OSError."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / FILE
    beside = path.with_suffix(f".{os.getpid()}.new")
    beside.write_text(directive.packed(), "utf-8")
    beside.replace(path)


def copy_of(data_dir: Path | None) -> Directive | None:
    """The file copy, if there is one that can be read."""
    if data_dir is None:
        return None
    try:
        return Directive.unpacked((data_dir / FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return None


class BoardGlance:
    """The directive, as the doors of one process see it: read once a second at most, whoever asks.

    Redis tells it; without Redis the newest that this process or the file knows, and else it is calm.
    """

    def __init__(
        self, redis: Redis, centre: str, data_dir: Path | None = None, breaker: Breaker | None = None
    ) -> None:
        self._redis, self._centre, self._data_dir, self._breaker = redis, centre, data_dir, breaker
        self._looked_ms = -FRESH_MS
        self._kept: Directive | None = None

    async def directive(self, now_ms: int) -> Directive:
        """Never raises for a store that is away. Ask it for its ``level_at(now_ms)``: levels expire."""
        if not 0 <= now_ms - self._looked_ms < FRESH_MS:
            self._looked_ms = now_ms
            told: Directive | None = None
            with suppress(Unavailable):
                told = await read(self._redis, self._centre, self._breaker)
            if told is None:
                self._take(await asyncio.to_thread(copy_of, self._data_dir))
            elif told != self._kept:
                self._kept = told
                await self._copy(told)
        return self.known

    @property
    def known(self) -> Directive:
        """What was read last, without asking anybody."""
        return self._kept or Directive()

    def _take(self, copy: Directive | None) -> None:
        """The file's, when it is newer: somebody on this machine switched while the stores were away."""
        if copy is not None and (self._kept is None or copy.at_ms > self._kept.at_ms):
            self._kept = copy

    async def _copy(self, told: Directive) -> None:
        if self._data_dir is not None:
            with suppress(OSError):
                await asyncio.to_thread(keep_copy, self._data_dir, told)
