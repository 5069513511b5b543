"""What a live page is sent, and when it is sent nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

import pytest

from callbacks import promises
from dashboard.accounts import Accounts
from dashboard.auth import Who
from dashboard.floor import Floor
from dashboard.live import message, midnight_ms
from dashboard.streams import (
    CHECK_LOOKS,
    PULSE_LOOKS,
    CallbackParts,
    DeskParts,
    WallParts,
    follow,
    read_mark,
    write_mark,
)
from foundation.clock import ManualClock
from foundation.errors import Unavailable


@pytest.fixture
def floor(rooms) -> Floor:  # type: ignore[no-untyped-def]
    return Floor.of(rooms)


@pytest.fixture
async def who(floor: Floor, wall: ManualClock) -> Who:
    account = await floor.gate.accounts.find("agent1", wall.now_ms())
    assert account is not None
    found = await floor.gate.stands(floor.gate.seals.begin("agent1", account.stamp, wall.now_ms()))
    assert found is not None
    return found


class Reader:
    """Reads a stream while the clock goes on."""

    def __init__(self, stream: AsyncIterator[bytes], wall: ManualClock) -> None:
        self.stream, self.wall = stream, wall

    async def next(self) -> str:
        asked = asyncio.ensure_future(anext(self.stream))
        while not asked.done():
            self.wall.advance(ms=50)
            await asyncio.sleep(0)
        return asked.result().decode()

    async def until(self, word: str) -> str:
        while word not in (told := await self.next()):
            pass
        return told


async def test_a_new_reader_is_sent_everything_at_once(floor, who, wall) -> None:
    async with aclosing(follow(floor, who, DeskParts(floor, who), {})) as stream:
        reader = Reader(stream, wall)
        assert (await reader.next()).startswith("event: pulse\n")
        owed = await reader.next()
        assert owed.startswith("event: owed\n")
        assert "desk:" not in owed.rpartition("\nid: ")[2], "what was not sent yet is not marked as had"
        told = await reader.next()
        for part in ("trouble", "desk", "line-now"):
            assert f'hx-target="#{part}"' in told
        assert "\nid: " in told


async def test_a_promise_that_changes_is_sent_as_an_event_of_its_own(floor, who, wall, owing) -> None:
    async with aclosing(follow(floor, who, DeskParts(floor, who), {})) as stream:
        reader = Reader(stream, wall)
        assert "No callback is owed" in await reader.until("event: owed")
        row = await owing.owe(1)
        assert row.id in await reader.until("event: owed")
        await owing.change(row.id, tries=2)
        assert "2 / 3" in await reader.until("event: owed")


async def test_the_page_of_every_promise_moves_by_itself(floor, who, wall, rooms, owing) -> None:
    asked = {"state": "", "queue": "billing", "late": ""}
    async with aclosing(follow(floor, who, CallbackParts(floor, who, asked, 0), {})) as stream:
        reader = Reader(stream, wall)
        assert "No callback is owed" in await reader.until("event: owed")
        assert "Stop offering callbacks" in await reader.until("event: switches")
        assert 'hx-target="#promises-now"' in await reader.next()
        await owing.owe(1)
        row = await owing.owe(2, queue="billing", by=-5)
        told = await reader.until("event: owed")
        assert told.count("data-row=") == 1, "only those asked for"
        assert row.id in told
        assert 'data-title="(1) Callbacks · Surgeline"' in told
        now = await reader.next()
        assert 'hx-target="#promises-now"' in now
        await promises.switch(rooms.office, "lead1", rooms.clock.now_ms(), offering=False)
        assert "Offer callbacks" in await reader.until("event: switches")


async def test_the_page_of_every_promise_without_sql_says_so_and_is_not_empty(
    floor, who, wall, rooms, monkeypatch
) -> None:
    async def away(*_given):
        raise Unavailable("away")

    with monkeypatch.context() as silent:
        silent.setattr("dashboard.promise_pages.promises.switches", away)
        source = CallbackParts(floor, who, {"state": "", "queue": "", "late": ""}, 0)
        parts = await source(await floor.watch.now())
    assert set(parts) == {"trouble", "band"}, "what stands there stays"
    parts = await source(replace(await floor.watch.now(), owed=None))
    assert "The record does not answer" in parts["owed"][1]()


async def test_a_contact_reaches_the_desk_and_only_what_changed_is_sent(
    floor, who, wall, rooms, clock, ring_in
) -> None:
    await rooms.roster.sign_in(
        "agent1", name="Agent 1", skills={"support": 0}, line="softphone", now_ms=clock.now_ms()
    )
    await rooms.roster.ready("agent1", clock.now_ms())
    async with aclosing(follow(floor, who, DeskParts(floor, who), {})) as stream:
        reader = Reader(stream, wall)
        await reader.until("hx-partial")
        await ring_in("CA1")
        told = await reader.until("hx-partial")
        assert "A contact for you" in told
        assert 'hx-target="#trouble"' not in told


async def test_an_unchanged_page_is_sent_only_its_pulse(floor, who, wall, clock) -> None:
    async with aclosing(follow(floor, who, DeskParts(floor, who), {})) as stream:
        reader = Reader(stream, wall)
        await reader.until("hx-partial")
        clock.advance(s=40)  # waits grow, but their clocks tick in the browser
        for _ in range(3):
            assert (await reader.next()).startswith("event: pulse")


async def test_who_comes_back_is_not_sent_what_it_has(floor, who, wall) -> None:
    async with aclosing(follow(floor, who, DeskParts(floor, who), {})) as stream:
        told = await Reader(stream, wall).until("hx-partial")
    mark = told.split("\nid: ")[1].strip()
    async with aclosing(follow(floor, who, DeskParts(floor, who), read_mark(mark))) as stream:
        reader = Reader(stream, wall)
        for _ in range(3):
            assert (await reader.next()).startswith("event: pulse")


@pytest.mark.parametrize("shut", ["signed out", "deactivated"])
async def test_the_stream_ends_with_the_session(shut, floor, who, wall, rooms) -> None:
    async with aclosing(follow(floor, who, DeskParts(floor, who), {})) as stream:
        reader = Reader(stream, wall)
        await reader.until("hx-partial")
        if shut == "deactivated":
            await Accounts(rooms.sql).change("agent1", active=False)
        else:
            await floor.gate.attempts.once(f"ended:{who.session.sid}", 60)  # on another process
        told = [await reader.next() for _ in range(CHECK_LOOKS // PULSE_LOOKS)]
        while "event: over" not in told[-1]:
            told.append(await reader.next())
        assert len(told) <= CHECK_LOOKS, "a look is a second: it ends within five"
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_without_redis_the_page_says_so_and_grows_old(floor, who, wall, rooms, monkeypatch) -> None:
    async with aclosing(follow(floor, None, WallParts(floor, None), {})) as stream:
        reader = Reader(stream, wall)
        await reader.until("hx-partial")

        async def away(*_args: object) -> None:
            raise Unavailable()

        monkeypatch.setattr(rooms.line, "look", away)
        told = await reader.until("hx-partial")
        assert "does not answer" in told
        assert 'hx-target="#board"' not in told
        wall.advance(s=30)
        pulse = await reader.until('"trouble":"redis"')
        assert int(pulse.split('"age_ms":')[1].split(",")[0]) >= 30_000


async def test_nobody_looks_when_nobody_watches(floor, wall, rooms, monkeypatch) -> None:
    looks = 0
    look = rooms.line.look

    async def counted(now_ms: int):  # type: ignore[no-untyped-def]
        nonlocal looks
        looks += 1
        return await look(now_ms)

    monkeypatch.setattr(rooms.line, "look", counted)
    async with aclosing(follow(floor, None, WallParts(floor, None), {})) as stream:
        await Reader(stream, wall).until("hx-partial")
    seen = looks
    for _ in range(50):
        wall.advance(s=1)
        await asyncio.sleep(0)
    assert looks == seen


async def test_two_readers_share_one_look(floor, wall, rooms) -> None:
    async with (
        aclosing(follow(floor, None, WallParts(floor, None), {})) as one,
        aclosing(follow(floor, None, WallParts(floor, None), {})) as two,
    ):
        await Reader(one, wall).until("hx-partial")
        await Reader(two, wall).until("hx-partial")
        assert len([task for task in asyncio.all_tasks() if task.get_name() == "dashboard look"]) == 1
    assert not [
        task for task in asyncio.all_tasks() if task.get_name() == "dashboard look" and not task.done()
    ]


@pytest.mark.parametrize("nonsense", ["", "x", ":::", ",,,", "desk", "🙂:1", "a:" * 900])
def test_a_nonsense_mark_tells_of_nothing_we_have(nonsense: str) -> None:
    assert "desk" not in read_mark(nonsense)


def test_a_mark_comes_back() -> None:
    known = {"desk": "0123456789ab", "line-now": "ba9876543210"}
    assert read_mark(write_mark(known)) == known


def test_an_event_is_framed() -> None:
    assert message("one\ntwo", event="pulse", mark="m") == b"event: pulse\ndata: one\ndata: two\nid: m\n\n"
    assert message("") == b"data: \n\n"


def test_the_day_begins_where_the_centre_is() -> None:
    noon = 1_700_049_600_000  # 2023-11-15 12:00 UTC, 06:00 in Chicago
    assert midnight_ms(noon, "UTC") == 1_700_006_400_000
    assert midnight_ms(noon, "America/Chicago") == 1_700_028_000_000


@pytest.mark.parametrize(
    ("page", "person", "status"),
    [("desk", None, 401), ("odd", "agent1", 404), ("callbacks", None, 401), ("callbacks", "agent1", 403)],
)
async def test_a_stream_is_asked_who_it_is_for(page, person, status, sign_in) -> None:
    browser = await sign_in(person)
    answer = await browser.get("/events", params={"page": page}, headers={"HX-Request": "true"})
    assert answer.status_code == status
