"""A level that was switched while SQL did not answer: in force at once, and brought into SQL later.

The note is kept in Redis, or in a file of this machine's data directory when Redis is away too. A decision
that SQL knows and that is later than the note stands.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

from foundation.connections import answering
from foundation.errors import Unavailable
from surge import board, record, switch
from surge.directive import Directive
from surge.office import Watch
from surge.states import Level, check_level

FILE = "switched.jsonl"


def notes_key(centre: str) -> str:
    return f"surgeline:{{{centre}}}:surge:switched"


async def switch_anyhow(
    watch: Watch,
    level: Level,
    by: str,
    now_ms: int,
    *,
    within_s: float,
    reason: str = "",
    for_ms: int | None = None,
) -> tuple[Directive, str]:
    """By SQL when it answers within ``within_s``, else by what does; the directive, and where it was written:
    "sql", "redis" or "file". Raises IllegalMove, and Unavailable when nothing answers.
    """
    try:
        async with asyncio.timeout(within_s):
            await switch.set_level(watch, level, by, now_ms, reason=reason, for_ms=for_ms)
            async with watch.sql.reading() as session:
                return await board.build(watch, session, now_ms), "sql"
    except (Unavailable, TimeoutError):
        return await switch_without_sql(watch, level, by, now_ms, reason=reason, for_ms=for_ms)


async def switch_without_sql(
    watch: Watch, level: Level, by: str, now_ms: int, *, reason: str = "", for_ms: int | None = None
) -> tuple[Directive, str]:
    """Switch the doors, and note it down for SQL; the directive, and where it was written: "redis" or "file".

    Raises IllegalMove for closing the line: that takes two people and the record. Raises Unavailable when
    there is neither Redis nor a data directory.
    """
    lasts_ms = for_ms or watch.policy.expires_ms
    before, redis_answers = await _known(watch)
    if level is Level.CLOSED_TO_NEW:
        check_level(Level.SURGE, level, people=1)
    directive = replace(
        before,
        at_ms=now_ms,
        level=level,
        since_ms=now_ms,
        expires_ms=None if level is Level.CALM else now_ms + lasts_ms,
        dry_run=False,
    )
    note = json.dumps({"level": int(level), "by": by, "reason": reason, "at_ms": now_ms, "for_ms": lasts_ms})
    if redis_answers:
        with suppress(Unavailable):
            async with answering():
                await watch.redis.rpush(notes_key(watch.centre), note)
            await board.put(watch, directive)
            return directive, "redis"
    if watch.data_dir is None:
        raise Unavailable("neither Redis nor SQL answers, and there is no data directory to switch by")
    await asyncio.to_thread(_append, watch, note)
    await asyncio.to_thread(board.keep_copy, watch.data_dir, directive)
    return directive, "file"


async def bring_in(watch: Watch, now_ms: int) -> int:
    """One round: what was noted, into SQL; how many there were. Twice is harmless. Raises Unavailable."""
    count = 0
    if watch.data_dir is not None:
        for note in await asyncio.to_thread(_file_notes, watch):
            await _obey(watch, json.loads(note), now_ms)
            await asyncio.to_thread(_drop, watch, note)
            count += 1
    async with answering():
        noted: Any = await watch.redis.lrange(notes_key(watch.centre), 0, -1)
    for note in noted:
        await _obey(watch, json.loads(note), now_ms)
        async with answering():
            await watch.redis.lrem(notes_key(watch.centre), 1, note)
        count += 1
    return count


async def _obey(watch: Watch, note: dict[str, Any], now_ms: int) -> None:
    row = await switch.state(watch)
    late = row.since_ms > note["at_ms"]
    left_ms = note["at_ms"] + note["for_ms"] - now_ms
    wanted = Level(note["level"])
    if late or (wanted is not Level.CALM and left_ms < switch.SHORTEST_MS):
        async with watch.sql.session() as session:
            words = "switched while SQL was away; over since" if not late else "overruled by a later decision"
            record.note(session, "switched", note["by"], note["at_ms"], words=words, level=int(wanted))
        return
    held_ms = min(max(switch.SHORTEST_MS, left_ms), switch.LONGEST_MS)
    reason = note["reason"] or "switched while SQL was away"
    await switch.set_level(watch, wanted, note["by"], now_ms, reason=reason, for_ms=held_ms)


async def _known(watch: Watch) -> tuple[Directive, bool]:
    """What is in force as far as can be told, and whether Redis answers."""
    copy = await asyncio.to_thread(board.copy_of, watch.data_dir)
    try:
        told = await board.read(watch.redis, watch.centre)
    except Unavailable:
        return copy or Directive(), False
    return told or copy or Directive(), True


def _append(watch: Watch, note: str) -> None:
    assert watch.data_dir is not None
    watch.data_dir.mkdir(parents=True, exist_ok=True)
    with (watch.data_dir / FILE).open("a", encoding="utf-8") as file:
        file.write(note + "\n")


def _file_notes(watch: Watch) -> list[str]:
    assert watch.data_dir is not None
    try:
        return (watch.data_dir / FILE).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []


def _drop(watch: Watch, note: str) -> None:
    assert watch.data_dir is not None
    path = watch.data_dir / FILE
    left = [line for line in _file_notes(watch) if line != note]
    if left:
        path.write_text("".join(f"{line}\n" for line in left), "utf-8")
    else:
        path.unlink(missing_ok=True)
