"""The scribe is killed in the middle of a batch, again and again: every event is in SQL, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from foundation.connections import open_sql
from processes import migrating
from queueing import journal
from queueing.keys import Keys
from queueing.line import Card, Line, LinePolicy
from queueing.states import Disposition
from queueing.tables import Contact, ContactEvent
from tests.faults.house import ROOT, measured, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(120)]

CALLS = 1500
KILLS = 3
# A dead scribe's batch is taken over after 30 s; here after one.
SCRIBE = "from processes import scribe; scribe.ABANDONED_MS = 1000; scribe.run()"


@contextmanager
def scribe(folder: Path, redis_url: str) -> Iterator[subprocess.Popen[bytes]]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SURGELINE_")}
    environ |= {"REDIS_URL": redis_url, "DATABASE_URL": f"sqlite:///{folder}/record.db"}
    environ |= {"SURGELINE_DATA_DIR": str(folder), "SURGELINE_ENV_FILE": "", "PYTHONPATH": str(ROOT)}
    with (folder / "scribe.log").open("ab") as log:
        at_work = subprocess.Popen([sys.executable, "-P", "-c", SCRIBE], env=environ, stdout=log, stderr=log)
    try:
        yield at_work
    finally:
        at_work.kill()
        at_work.wait(10)


async def test_every_event_is_written_exactly_once(tmp_path: Path, redis_server: str, redis: Any) -> None:
    migrating.upgrade(f"sqlite:///{tmp_path}/record.db")
    policy = LinePolicy()
    line, keys = Line(redis, policy), Keys.of(policy)
    await journal.ensure_group(redis, keys, "scribe")
    for n in range(CALLS):
        sid, now_ms = f"CA{n:032x}", 1_700_000_000_000 + n
        await line.enter(sid, queue="support", band="p2", card=Card(), now_ms=now_ms)
        await line.leave(sid, Disposition.ABANDONED, now_ms + 5_000)
    told = {entry_id for entry_id, _ in await redis.xrange(keys.journal)}
    assert len(told) == 2 * CALLS

    async def in_hand() -> int:
        return int((await redis.xpending(keys.journal, "scribe"))["pending"])

    left = []
    for _ in range(KILLS):
        before = await in_hand()
        with scribe(tmp_path, redis_server) as at_work:
            await until(lambda before=before: more_in_hand(in_hand, before), "the scribe has a batch in hand")
            at_work.send_signal(signal.SIGKILL)
            at_work.wait(10)
        left.append(await in_hand())

    async def all_done() -> bool:
        groups = await redis.xinfo_groups(keys.journal)
        mine = next(group for group in groups if group["name"] == "scribe")
        return mine["pending"] == 0 and mine["last-delivered-id"] == max(told, key=order)

    with scribe(tmp_path, redis_server):
        await until(all_done, "the last scribe has written everything", 60)
    sql = open_sql(f"sqlite:///{tmp_path}/record.db")
    async with sql.reading(statement_s=5) as session:
        written = list(await session.exec(select(ContactEvent.id)))
        rows = list(await session.exec(select(Contact)))
    await sql.close()
    measured(f"killed {KILLS} times with {left} events in hand; {len(written)} events written")
    assert sorted(written) == sorted(told)
    assert {(row.disposition, row.ended_ms is not None) for row in rows} == {("abandoned", True)}
    assert len(rows) == CALLS
    assert max(left) > 0  # at least once it was truly in the middle


async def more_in_hand(in_hand: Any, before: int) -> bool:
    return bool(await in_hand() > before)


def order(entry_id: str) -> tuple[int, int]:
    ms, _, seq = entry_id.partition("-")
    return int(ms), int(seq)
