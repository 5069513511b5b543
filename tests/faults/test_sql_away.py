"""SQL is away: calls are answered into the line and to agents all the same, and the record catches up."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from foundation.clock import monotonic_s
from processes import migrating
from tests.faults.house import House, Rig, measured, rig_in, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

ANN = "+12015550101"


async def day_without_sql(rig: Rig) -> tuple[str, str, float]:
    """One caller is answered and one gives up while SQL is away; the slowest webhook's time in ms."""
    await rig.works("ann", ANN)
    answered = await rig.rings("+12015550131")
    await until(lambda: rig.connected(answered), "caller and agent talk")
    patient = await rig.rings("+12015550132")
    await rig.wait_in_line([patient])
    await rig.hangs_up(answered, patient)
    await rig.goes_home("ann")
    await rig.ended()
    stats = (await rig.network.get("/_double/stats")).json()
    assert sum(door["bad"] for door in stats["webhooks"].values()) == 0
    return answered, patient, max(door["longest_ms"] for door in stats["webhooks"].values())


async def caught_up(rig: Rig, answered: str, patient: str) -> float:
    begun_s = monotonic_s()
    assert await rig.outcomes([answered], 60) == {"answered": 1}
    assert await rig.outcomes([patient], 60) == {"abandoned": 1}
    assert await rig.violations() == []
    return monotonic_s() - begun_s


async def test_another_writer_keeps_the_sqlite_file(rig: Rig) -> None:
    file = rig.house.folder / "surgeline.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answered, patient, slowest_ms = await day_without_sql(rig)
        other.execute("ROLLBACK")
    took_s = await caught_up(rig, answered, patient)
    measured(
        f"SQLite kept by another writer: slowest webhook {slowest_ms:.0f} ms, caught up in {took_s:.1f} s"
    )
    assert slowest_ms < 2_000


async def test_a_directory_stands_where_the_sqlite_file_was(rig: Rig) -> None:
    """Processes that start now cannot open it. Those that had it open are started anew."""
    file = rig.house.folder / "surgeline.db"
    scribe = await rig.pid("scribe")
    os.kill(scribe, signal.SIGKILL)
    away = rig.house.folder / "away"
    away.mkdir()
    there = sorted(rig.house.folder.glob("surgeline.db*"))
    for part in there:
        part.rename(away / part.name)
    file.mkdir()
    try:
        await rig.back("scribe", scribe)
        answered, patient, slowest_ms = await day_without_sql(rig)
    finally:
        shutil.rmtree(file)
        for part in there:
            (away / part.name).rename(part)
    took_s = await caught_up(rig, answered, patient)
    measured(
        f"a directory instead of SQLite: slowest webhook {slowest_ms:.0f} ms, caught up in {took_s:.1f} s"
    )
    assert slowest_ms < 2_000


@pytest.fixture
def on_postgres(postgres_url: str, tmp_path: Path) -> Iterator[House]:
    """A database of its own: other tests of this process leave their tables in the common one."""
    own = postgres_url.replace("@/postgres?", "@/house?")
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS house WITH (FORCE)")
        server.execute("CREATE DATABASE house")
    migrating.upgrade(own)
    house = House(tmp_path, database=own)
    try:
        house.open()
        yield house
    finally:
        house.close()


def postgres_pids(url: str) -> list[int]:
    """The server of this test's own folder, and its children: they are frozen together."""
    folder = url.partition("host=")[2].partition("&")[0]
    head = int((Path(folder) / "data" / "postmaster.pid").read_text().splitlines()[0])
    told = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(head)], capture_output=True, text=True, check=True
    )
    return [head, *map(int, told.stdout.split())]


async def test_postgresql_is_frozen(on_postgres: House, postgres_url: str) -> None:
    async with rig_in(on_postgres) as rig:
        frozen = postgres_pids(postgres_url)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            answered, patient, slowest_ms = await day_without_sql(rig)
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        took_s = await caught_up(rig, answered, patient)
        measured(f"PostgreSQL frozen: slowest webhook {slowest_ms:.0f} ms, caught up in {took_s:.1f} s")
        assert slowest_ms < 2_000
