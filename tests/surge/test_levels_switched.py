"""The level: who may set it, how it is taken back, how it ends, and what doors know without stores."""

from __future__ import annotations

import asyncio

import pytest

from foundation.connections import open_redis, open_sql
from foundation.errors import Mendable, Unavailable
from surge import aside, board, switch
from surge.board import BoardGlance
from surge.office import Conflict
from surge.states import LEVEL_MOVES, IllegalMove, Level
from tests.surge.house import House

AWAY = "redis://127.0.0.1:9/0"


async def level_of(house: House) -> Level:
    return switch.in_force(await switch.state(house.watch), house.now_ms)


async def told(house: House) -> Level:
    directive = await board.read(house.redis, house.watch.centre)
    assert directive is not None
    return directive.level_at(house.now_ms)


@pytest.mark.parametrize("here", list(Level))
@pytest.mark.parametrize("there", list(Level))
async def test_the_level_goes_where_the_table_says(house: House, here: Level, there: Level) -> None:
    if here is not Level.CALM:
        await switch.set_level(house.watch, Level.SURGE, "ann", house.now_ms)
    if here is Level.CLOSED_TO_NEW:
        await switch.set_level(house.watch, here, "ann", house.now_ms)
        await switch.confirm_second(house.watch, "bob", house.now_ms)
    elif here is Level.WATCH:
        await switch.set_level(house.watch, here, "ann", house.now_ms)
    if there != here and there not in LEVEL_MOVES[here]:
        with pytest.raises(IllegalMove):
            await switch.set_level(house.watch, there, "ann", house.now_ms)
        assert await level_of(house) is here
        return
    await switch.set_level(house.watch, there, "ann", house.now_ms)
    closing = there is Level.CLOSED_TO_NEW and here is not there
    assert await level_of(house) is (here if closing else there)
    assert await told(house) is (here if closing else there)


async def test_closing_takes_another_person_within_ten_minutes(house: House) -> None:
    await switch.set_level(house.watch, Level.SURGE, "ann", house.now_ms)
    await switch.set_level(house.watch, Level.CLOSED_TO_NEW, "ann", house.now_ms)
    with pytest.raises(Mendable):
        await switch.confirm_second(house.watch, "ann", house.now_ms)
    house.clock.advance(ms=house.policy.confirm_ms + 1)
    with pytest.raises(Conflict):
        await switch.confirm_second(house.watch, "bob", house.now_ms)
    assert await level_of(house) is Level.SURGE


async def test_of_two_seconders_one_closes_it(house: House) -> None:
    await switch.set_level(house.watch, Level.SURGE, "ann", house.now_ms)
    await switch.set_level(house.watch, Level.CLOSED_TO_NEW, "ann", house.now_ms)
    results = await asyncio.gather(
        *(switch.confirm_second(house.watch, by, house.now_ms) for by in ("bob", "cat")),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Conflict) for each in results) == 1
    assert await told(house) is Level.CLOSED_TO_NEW
    assert len(await house.lines("level")) == 2


async def test_undo_goes_back_within_ten_seconds(house: House) -> None:
    await switch.set_level(house.watch, Level.SURGE, "ann", house.now_ms)
    house.clock.advance(s=10)
    await switch.undo(house.watch, "ann", house.now_ms)
    assert await told(house) is Level.CALM
    await switch.set_level(house.watch, Level.SURGE, "ann", house.now_ms)
    house.clock.advance(s=11)
    with pytest.raises(Conflict):
        await switch.undo(house.watch, "ann", house.now_ms)


async def test_every_level_ends_and_the_doors_know_it_without_anybody(house: House) -> None:
    await switch.set_level(house.watch, Level.SURGE, "ann", house.now_ms)
    house.clock.advance(ms=house.policy.expires_ms - 1)
    await switch.renew(house.watch, "ann", house.now_ms)
    house.clock.advance(ms=house.policy.expires_ms - 1)
    assert await told(house) is Level.SURGE
    house.clock.advance(ms=1)
    assert await told(house) is Level.CALM
    assert await switch.expire(house.watch, house.now_ms)
    assert not await switch.expire(house.watch, house.now_ms)
    assert (await house.lines("level"))[-1].by == "expiry"


async def test_the_detector_suggests_and_acts_only_where_it_may(house: House) -> None:
    assert not await switch.suggest(house.watch, Level.SURGE, "calls", house.now_ms)
    assert await level_of(house) is Level.CALM
    await switch.set_mode(house.watch, "dry_run", "ann", house.now_ms)
    assert await switch.suggest(house.watch, Level.SURGE, "calls", house.now_ms)
    directive = await board.publish(house.watch, house.now_ms)
    assert (directive.level, directive.dry_run) == (Level.SURGE, True)
    await switch.set_level(house.watch, Level.SURGE, "ann", house.now_ms)
    assert not (await board.publish(house.watch, house.now_ms)).dry_run
    await switch.set_mode(house.watch, "automatic", "ann", house.now_ms)
    assert not await switch.suggest(house.watch, Level.CALM, "quiet", house.now_ms)


async def test_a_door_knows_within_two_seconds_and_after_a_restart_without_any_store(house: House) -> None:
    glance = BoardGlance(house.redis, house.watch.centre, house.data_dir)
    assert (await glance.directive(house.now_ms)).level is Level.CALM
    await switch.set_level(house.watch, Level.SURGE, "ann", house.now_ms)
    house.clock.advance(ms=1_000)
    assert (await glance.directive(house.now_ms)).level is Level.SURGE
    gone = open_redis(AWAY)
    again = BoardGlance(gone, house.watch.centre, house.data_dir)
    assert (await again.directive(house.now_ms)).level is Level.SURGE
    nothing = BoardGlance(gone, house.watch.centre, house.data_dir / "elsewhere")
    assert (await nothing.directive(house.now_ms)).level is Level.CALM
    await gone.aclose()


async def test_redis_that_lost_everything_is_told_again(house: House) -> None:
    await switch.set_level(house.watch, Level.SURGE, "ann", house.now_ms)
    await house.redis.flushdb()
    glance = BoardGlance(house.redis, house.watch.centre, house.data_dir)
    assert (await glance.directive(house.now_ms)).level is Level.SURGE
    await house.watcher.publish()
    assert await told(house) is Level.SURGE


async def test_switched_without_sql_it_holds_at_once_and_sql_learns_of_it(house: House) -> None:
    lost = open_sql("postgresql://nobody@127.0.0.1:9/none")
    alone = House(house.redis, lost, house.clock, house.data_dir)
    with pytest.raises(Unavailable):
        await switch.set_level(alone.watch, Level.SURGE, "cli", house.now_ms)
    _, where = await aside.switch_without_sql(alone.watch, Level.SURGE, "cli", house.now_ms)
    assert where == "redis"
    assert await told(house) is Level.SURGE
    await house.watcher.publish()
    assert (await switch.state(house.watch)).set_by == "cli"
    assert await told(house) is Level.SURGE
    assert await aside.bring_in(house.watch, house.now_ms) == 0
    await lost.close()


async def test_switched_without_any_store_the_file_serves_and_is_brought_in_later(house: House) -> None:
    gone, lost = open_redis(AWAY), open_sql("postgresql://nobody@127.0.0.1:9/none")
    alone = House(gone, lost, house.clock, house.data_dir)
    glance = BoardGlance(gone, house.watch.centre, house.data_dir)
    assert (await glance.directive(house.now_ms)).level is Level.CALM
    _, where = await aside.switch_without_sql(alone.watch, Level.SURGE, "cli", house.now_ms)
    assert where == "file"
    house.clock.advance(s=1)
    assert (await glance.directive(house.now_ms)).level is Level.SURGE
    await house.watcher.publish()
    assert await level_of(house) is Level.SURGE
    assert not (house.data_dir / aside.FILE).exists()
    await gone.aclose()
    await lost.close()


async def test_a_later_decision_overrules_what_was_noted(house: House) -> None:
    await aside.switch_without_sql(house.watch, Level.SURGE, "cli", house.now_ms)
    house.clock.advance(s=5)
    await switch.set_level(house.watch, Level.WATCH, "ann", house.now_ms)
    await house.watcher.publish()
    assert await level_of(house) is Level.WATCH
