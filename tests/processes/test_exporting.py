"""Our own calls as a history: what went out can be replayed, and says what was."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlmodel import select

from drill.replay.history import History, read_calls, read_staff
from drill.replay.report import report
from drill.replay.run import OURS, replay
from foundation.clock import ManualClock
from foundation.errors import Mendable
from processes.books import books
from processes.exporting import Exported, export
from processes.settings import Settings
from queueing import ledger
from queueing.presence import Presence
from queueing.states import Disposition
from queueing.tables import Contact
from tests.queueing.conftest import Centre

TWO = '[[queue]]\nname = "support"\n[[queue]]\nname = "billing"\n'


@pytest.fixture
async def centre(redis: Redis, clock: ManualClock) -> Centre:
    return Centre(redis, clock)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "centre.toml"
    file.write_text(TWO)
    return Settings(surgeline_data_dir=tmp_path, surgeline_centre=file)


async def a_morning(centre: Centre, settings: Settings) -> None:
    """Two agents and three hours of calls, in steps of half a minute; all of it is written down."""
    rng = random.Random(7)
    await centre.at_work("ann")
    await centre.at_work("bob")
    for step in range(360):
        if rng.random() < 0.33:
            await centre.ring(f"CA{step}", band=rng.choice(["p1", "p2", "p2", "p2"]))
        if step == 200:
            await centre.roster.off("bob", centre.now_ms)
        for agent in ("ann", "bob"):
            there = await centre.agent(agent)
            if there.presence is Presence.RESERVED and rng.random() < 0.9:
                await centre.meet(there.contact)
            elif there.presence is Presence.TALKING and rng.random() < 0.25:
                if rng.random() < 0.1:
                    await centre.line.transfer(there.contact, "support", "p1", centre.now_ms)
                else:
                    await centre.line.finish(there.contact, centre.now_ms)
        waiting = await centre.order()
        if len(waiting) > 3 and not waiting[-1].startswith("PR") and rng.random() < 0.1:
            card = (await centre.contact(waiting[-1])).card
            await centre.line.promise(waiting[-1], f"PR{step:016x}.1", card=card, now_ms=centre.now_ms)
        elif waiting and not waiting[0].startswith("PR") and rng.random() < 0.05:
            await centre.line.leave(waiting[0], Disposition.ABANDONED, centre.now_ms)
        centre.clock.advance(s=30)
        await centre.expire()
        if (await centre.agent("ann")).presence is Presence.AWAY:
            await centre.roster.ready("ann", centre.now_ms)
    async with books(settings) as sql, sql.session(statement_s=10) as session:
        await ledger.record(session, await centre.told())


def read(calls: Path, agents: Path) -> History:
    history = read_calls(calls.read_text())
    history.staff, troubles = read_staff(agents.read_text())
    history.troubles += troubles
    return history


async def test_what_is_exported_can_be_replayed_and_no_row_is_bad(
    centre: Centre, settings: Settings, tmp_path: Path
) -> None:
    calls, agents = tmp_path / "calls.csv", tmp_path / "agents.csv"
    await a_morning(centre, settings)
    done = await export(settings, calls, agents, None, None)
    history = read(calls, agents)
    assert history.troubles == []
    assert done.agents == 2
    assert list(history.staff) == [""]
    assert {n for _, n in history.staff[""]} >= {1, 2}
    kinds = [call.kind for call in history.calls]
    assert (kinds.count("live"), kinds.count("promise")) == (done.calls, done.callbacks)
    assert done.callbacks > 5
    turns = [call.id for call in history.calls if call.kind == "promise" and "/" not in call.id]
    assert sum(call.left is not None for call in history.calls) == len(turns)
    assert any("/2" in call.id for call in history.calls)  # a transfer
    async with books(settings) as sql, sql.reading() as session:
        rows = {row.contact: row for row in await session.exec(select(Contact))}
    assert {call.id for call in history.calls if "/" not in call.id} == set(rows)
    for call in history.calls:
        if "/" not in call.id and call.answered is not None:
            row = rows[call.id]
            assert (call.entered * 1000, call.answered * 1000) == pytest.approx(
                (row.entered_ms, row.answered_ms)
            )
    told = report(replay(history).asked)
    assert told.total is not None
    assert told.asked == done.calls
    assert told.total[OURS].calls > 40
    assert told.total[OURS].rrmse < 1


async def test_only_the_days_that_are_asked_for(centre: Centre, settings: Settings, tmp_path: Path) -> None:
    calls = tmp_path / "calls.csv"
    await centre.at_work("ann")
    for day in range(3):
        await centre.ring(f"CA{day}")
        await centre.meet(f"CA{day}")
        await centre.line.finish(f"CA{day}", centre.now_ms)
        await centre.roster.ready("ann", centre.now_ms)
        centre.clock.advance(s=86_400)
    async with books(settings) as sql, sql.session() as session:
        await ledger.record(session, await centre.told())
    second = datetime.fromtimestamp(centre.now_ms / 1000, UTC).date() - timedelta(days=2)
    assert await export(settings, calls, None, second, second) == Exported(1, 0, 0, False)
    assert [call.id for call in read_calls(calls.read_text()).calls] == ["CA1"]
    with pytest.raises(Mendable, match="No call came"):
        await export(settings, calls, None, date(2001, 1, 1), date(2001, 1, 2))
    with pytest.raises(Mendable, match="cannot be written"):
        await export(settings, tmp_path / "no" / "calls.csv", None, None, None)


async def test_queues_with_agents_of_their_own_are_told_apart(
    centre: Centre, settings: Settings, tmp_path: Path
) -> None:
    calls, agents = tmp_path / "calls.csv", tmp_path / "agents.csv"
    await centre.at_work("ann", support=0)
    await centre.at_work("bob", billing=0)
    await centre.ring("CA1", "support", caller="+14155550123")
    await centre.ring("CA2", "billing")
    centre.clock.advance(s=60)
    async with books(settings) as sql, sql.session() as session:
        await ledger.record(session, await centre.told())
    assert (await export(settings, calls, agents, None, None)).by_queue
    history = read(calls, agents)
    assert (history.troubles, list(history.staff)) == ([], ["billing", "support"])
    assert "4155550123" not in calls.read_text()
    await centre.at_work("cy", support=0, billing=0)
    centre.clock.advance(s=60)
    async with books(settings) as sql, sql.session() as session:
        await ledger.record(session, await centre.told())
    assert not (await export(settings, calls, agents, None, None)).by_queue
    assert read(calls, agents).staff[""][-1][1] == 3
