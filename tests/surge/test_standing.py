"""The small questions find what reading the whole ledger finds."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sqlmodel import col, select

from carrier.tables import Text
from surge import merging, notices
from surge.cohorts import Row, Stage, next_stage
from surge.states import FollowUpState, IncidentState
from surge.tables import FollowUp, Incident, Subscription, SurgeEvent
from tests.surge.house import House

NUMBERS = ["", *(f"+1415555010{figure}" for figure in range(6))]
STATES = [*(["open"] * 5), *(["told"] * 3), "claimed", "duplicate", "works", "served"]
MINUTE = 60_000


def ledger(incident: str, now_ms: int, chance: random.Random) -> list[FollowUp]:
    def made(name: str) -> FollowUp:
        state, wished = chance.choice(STATES), chance.random() < 0.2
        told = state in ("told", "works") or chance.random() < 0.1
        return FollowUp(
            id=name, incident=incident, why="full", state=state, number=chance.choice(NUMBERS),
            merchant_id=chance.choice([None, None, 1, 2, 3]), arrival_us=chance.randrange(9), made_ms=1,
            cohort=chance.randint(1, 2) if told else 0, told_ms=now_ms if told else None,
            wants_call_ms=now_ms - chance.randrange(9) if wished else None,
            note=chance.choice(["", "still down"]),
        )  # fmt: skip

    return [made(f"{incident}.{index}") for index in range(chance.randrange(9))]


def whole(rows: Sequence[FollowUp], subscribed: set[str]) -> list[Row]:
    """Each row as ``next_stage`` wants it, by plain looking."""
    whose = {row.id: f"merchant {row.merchant_id}" if row.merchant_id else row.number for row in rows}
    agreed = {whose[row.id] for row in rows if row.number in subscribed}
    return [
        Row(
            row.id, whose[row.id], row.arrival_us,
            open=row.state == "open" and whose[row.id] in agreed and row.wants_call_ms is None,
            cohort=row.cohort, told_ms=row.told_ms, still_down_ms=row.wants_call_ms,
        )
        for row in rows
    ]  # fmt: skip


async def test_a_round_decides_what_the_whole_ledger_decides(house: House) -> None:
    house, chance = house.with_policy(cohort=2, pause_pct=30), random.Random(4)
    expected: dict[str, tuple[Stage, list[FollowUp], set[str]]] = {}
    now_ms = house.now_ms
    async with house.sql.session(statement_s=5) as session:
        for name in (f"IN{index:02}" for index in range(80)):
            verified_ms = now_ms - chance.choice([14, 15, 40]) * MINUTE
            state = chance.choice([*["verified", "resolved"] * 3, "monitoring"])
            session.add(Incident(id=name, title=name, state=state, verified_ms=verified_ms))
            last_ms = now_ms - chance.choice([4, 5]) * MINUTE
            rows, subscribed = ledger(name, last_ms, chance), set(chance.sample(NUMBERS[1:], 3))
            session.add_all([*rows, *(Subscription(incident=name, number=each) for each in subscribed)])
            resumed_ms = chance.choice([0, last_ms - 4])
            if resumed_ms:
                session.add(SurgeEvent(at_ms=resumed_ms, kind="notices_resumed", incident=name))
            over_ms = None if state == "monitoring" else verified_ms
            stage = next_stage(house.policy, whole(rows, subscribed), over_ms, now_ms, resumed_ms=resumed_ms)
            expected[name] = stage, rows, subscribed
    found = {name: await notices.stage(house.watch, name, now_ms) for name in expected}
    assert found == {name: stage for name, (stage, _, _) in expected.items()}
    assert (
        len({(bool(stage.tell), stage.paused, stage.done, stage.reason[:9]) for stage in found.values()}) > 5
    )
    after = await house.ledger()
    for stage, rows, subscribed in expected.values():
        agreed = {row.id for row, each in zip(rows, whole(rows, subscribed), strict=True) if each.open}
        for row in rows:
            assert (after[row.id].state == "told") is (row.state == "told" or row.id in stage.tell)
            silent = row.state == "open" and not row.note and row.wants_call_ms is None
            if silent and stage.reason != "it is not verified":
                assert (after[row.id].note == notices.NO_CONSENT) is (row.id not in agreed)
    assert {line.incident for line in await house.lines("notices_paused")} == {
        name for name, stage in found.items() if stage.paused
    }


async def test_every_two_rows_of_one_merchant_are_found(house: House) -> None:
    chance, expected = random.Random(5), {}
    async with house.sql.session(statement_s=5) as session:
        for name in (f"IN{index:03}" for index in range(300)):
            rows = ledger(name, house.now_ms, chance)
            session.add_all(rows)
            expected |= merging.extra(rows)
    assert len(expected) > 100
    assert await merging.merge(house.watch, house.now_ms) == len(expected)
    assert await merging.merge(house.watch, house.now_ms) == 0
    after = await house.ledger()
    assert {name for name, row in after.items() if row.note == merging.MERGED} == set(expected)


async def test_a_look_that_finds_nothing_to_do_holds_nobody_up(house: House) -> None:
    """Neither the incident nor SQLite's one writer: it only reads."""
    row = await house.declares()
    await house.deflects("CA1", row)
    async with house.sql.session() as session:
        held = (await session.exec(select(Incident).where(Incident.id == row.id).with_for_update())).one()
        held.state, held.verified_ms = IncidentState.VERIFIED.value, house.now_ms
    async with house.sql.session() as session:
        await session.exec(select(Incident).where(Incident.id == row.id).with_for_update())
        stage = await notices.stage(house.watch, row.id, house.now_ms)
        assert stage == Stage(due_ms=stage.due_ms, reason="the fix is being watched first")
        assert await merging.merge(house.watch, house.now_ms) == 0
    async with house.sql.reading() as session:
        over = await session.exec(select(Text.id).where(col(Text.id).contains(".over.")))
        assert over.all() == []
    assert await house.states() == {"CA1": FollowUpState.OPEN}
