"""Promises about an incident: tagged, matched anew, asked whether they are still wanted, let go or kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlmodel import SQLModel, col, select

from callbacks import needed, promises
from callbacks.making import NewPromise, make
from callbacks.tables import Promise, PromiseEvent
from carrier import text_record
from carrier.optouts import opt_out
from carrier.tables import Text
from foundation.clock import ManualClock
from foundation.connections import Sql, open_sql
from merchants.tables import Merchant
from processes.migrating import learn_tables
from processes.tagged import NOTHING, Said, tag_of
from queueing.line import Card
from queueing.tables import ContactEvent
from surge import deflection, incidents, notices
from surge.matching import Caller
from surge.states import FollowUpState, IncidentState
from surge.tables import Incident, Subscription
from tests.surge.house import NUMBER, House

OTHER = "+14155550199"
VERIFIED, RESOLVED = IncidentState.VERIFIED, IncidentState.RESOLVED
HOUR_MS = 3_600_000


@pytest.fixture(params=["sqlite", "postgres"])
async def house(
    request: pytest.FixtureRequest, redis: Redis, clock: ManualClock, tmp_path: Path
) -> AsyncIterator[House]:
    learn_tables()
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/books.sqlite3" if sqlite else request.getfixturevalue("postgres_url")
    sql: Sql = open_sql(url)
    async with sql.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.drop_all)
        await connection.run_sync(SQLModel.metadata.create_all)
    yield House(redis, sql, clock, tmp_path / "data")
    await sql.close()


async def promised(house: House, number: str = NUMBER, **more: Any) -> Promise:
    """A promise in the line, of a merchant who agreed to texts."""
    card = Card(caller=number, **{name: more.pop(name) for name in ("merchant_id", "topic") if name in more})
    given = {"texts": True} | more
    return (await make(house.cb, NewPromise(number, "support", "p2", card, **given), house.now_ms)).promise


async def tags(house: House) -> dict[str, str]:
    """Number to tag, after a round."""
    await house.watcher.tag()
    wanted = select(Promise).order_by(col(Promise.number))
    async with house.sql.reading() as session:
        return {promise.number: promise.incident for promise in await session.exec(wanted)}


async def is_over(house: House, row: Incident) -> Incident:
    """Verified, and watched for the time of the soak."""
    row = await incidents.move(house.watch, row.id, VERIFIED, row.version, "ann", house.now_ms)
    house.clock.advance(ms=house.policy.soak_ms)
    return row


async def arrives(house: House, promise: Promise) -> None:
    """The question has reached the merchant's phone."""
    (text,) = await asked(house, promise)
    async with house.sql.session() as session:
        await text_record.delivered(session, "SM1", "delivered", "", house.now_ms, text_id=text.id)


async def asked(house: House, promise: Promise) -> list[Text]:
    return [text for text in await house.texts() if text.id.startswith(f"{promise.id}.keep.")]


async def state(house: House, promise: Promise) -> str:
    found = await promises.get(house.cb, promise.id)
    assert found is not None
    return found.state


# --- tags -------------------------------------------------------------------------------------------------


async def test_a_promise_is_tagged_by_its_merchant_and_matched_anew_when_the_scope_changes(
    house: House,
) -> None:
    async with house.sql.session() as session:
        for number, region in ((1, "Texas"), (2, "Maine")):
            session.add(Merchant(id=number, name=f"Shop {number}", key=f"shop {number}", region=region))
    texas, maine = await promised(house, merchant_id=1), await promised(house, OTHER, merchant_id=2)
    row = await house.declares(scope={"regions": ["Texas"]})
    assert await tags(house) == {NUMBER: row.id, OTHER: ""}
    row = await incidents.edit_scope(
        house.watch, row.id, {"regions": ["Maine"]}, row.version, "ann", house.now_ms
    )
    assert await tags(house) == {NUMBER: "", OTHER: row.id}
    told = await promises.history(house.cb, texas.id)
    assert [event.words for event in told if event.kind == needed.TAGGED] == [row.id, "none"]
    assert await state(house, maine) == "in_line"


async def test_every_page_is_matched(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("processes.tagged.PAGE", 2)
    for index in range(5):
        await promised(house, f"+1415{551 + index}2000")
    row = await house.declares()
    assert list((await tags(house)).values()) == [row.id] * 5
    await promised(house)
    house.clock.advance(s=2)
    assert (await tags(house))[NUMBER] == row.id


async def test_who_said_that_it_is_something_else_is_not_tagged(house: House) -> None:
    """Told before they came into the line, and their card does not name it; who is told later has said
    nothing."""
    row = await house.declares()
    about = f'{{"incident":"{row.id}"}}'
    calls = {"CA1": ("entered", "informed", "{}"), "CA2": ("informed", "entered", about)}
    calls["CA3"] = ("informed", "entered", "{}")
    for index, (call, (first, second, card)) in enumerate(calls.items()):
        await promised(house, f"+1415{551 + index}2000", contact=call)
        async with house.sql.session() as session:
            for place, kind in enumerate((first, second)):
                fields = {"incident": row.id} if kind == "informed" else {"card": card}
                session.add(ContactEvent(id=f"{index}-{place}", contact=call, kind=kind, fields=fields))
    assert list((await tags(house)).values()) == [row.id, row.id, ""]


def made(**more: Any) -> Promise:
    given: dict[str, Any] = {
        "id": "PR1", "state": "in_line", "number": NUMBER, "queue": "support", "band": "p2",
        "entered_ms": 10 * HOUR_MS, "made_ms": 10 * HOUR_MS, "topic": "payments",
    }  # fmt: skip
    return Promise(**given | more)


def incident(name: str, **more: Any) -> Incident:
    given: dict[str, Any] = {
        "id": name, "title": name, "state": "identified", "scope": {"all": True},
        "declared_ms": 10 * HOUR_MS, "updated_ms": 10 * HOUR_MS,
    }  # fmt: skip
    return Incident(**given | more)


FIXED = {"state": "verified", "verified_ms": 11 * HOUR_MS}
NOBODY = Caller(topic="payments")


@pytest.mark.parametrize(
    ("live", "promise", "said", "tag"),
    [
        ([incident("A")], made(), NOTHING, "A"),
        ([incident("A", topic="hardware")], made(), NOTHING, ""),
        ([incident("A", topic="hardware")], made(topic=""), NOTHING, "A"),
        ([incident("A", scope={"regions": ["Texas"]})], made(), NOTHING, ""),  # a maybe is no match
        ([incident("A", scope={"regions": ["Texas"]})], made(), Said("A"), "A"),
        ([incident("A")], made(), Said(no={"A"}), ""),
        ([incident("A")], made(entered_ms=9 * HOUR_MS), NOTHING, "A"),
        ([incident("A")], made(entered_ms=9 * HOUR_MS - 1), NOTHING, ""),
        # Who took a callback when it was said to be fixed knows better.
        ([incident("A", **FIXED)], made(made_ms=11 * HOUR_MS), NOTHING, ""),
        ([incident("A", **FIXED)], made(), NOTHING, "A"),
        # What goes on still goes before what is fixed; resolved ones keep theirs.
        ([incident("A", **FIXED), incident("B")], made(incident="A"), NOTHING, "B"),
        ([incident("B", severity="minor"), incident("A")], made(incident="B"), NOTHING, "B"),
        ([incident("B", **FIXED)], made(incident="A"), NOTHING, "A"),
        ([incident("B")], made(incident="A"), NOTHING, "B"),
        ([incident("A", scope={"products": ["Till 9"]})], made(incident="A"), NOTHING, ""),
    ],
)
def test_which_incident_a_promise_is_about(
    live: list[Incident], promise: Promise, said: Said, tag: str
) -> None:
    assert tag_of(live, promise, NOBODY, said) == tag


# --- fixed: is the call still wanted? ---------------------------------------------------------------------


async def test_asked_after_the_soak_and_let_go_when_the_time_told_has_passed_in_silence(house: House) -> None:
    promise, row = await promised(house), await house.declares()
    await tags(house)
    row = await incidents.move(house.watch, row.id, VERIFIED, row.version, "ann", house.now_ms)
    house.clock.advance(ms=house.policy.soak_ms - 1)
    await house.watcher.notify()
    assert await asked(house, promise) == []
    house.clock.advance(ms=1)
    for _ in range(2):
        await house.watcher.notify()
    (text,) = await asked(house, promise)
    assert "Reply KEEP to be called anyway" in text.body
    house.clock.advance(minutes=5)
    await arrives(house, promise)
    house.clock.advance(ms=house.policy.keep_ms - 1)
    await house.watcher.notify()
    assert await state(house, promise) == "in_line"
    house.clock.advance(ms=1)
    await house.watcher.notify()
    now = await promises.get(house.cb, promise.id)
    assert now is not None
    assert (now.state, now.ended_by, now.reason) == (
        "resolved", "line", "fixed; asked whether to call, and not answered",
    )  # fmt: skip
    assert await house.line.waiting("support", 0, 10) == []
    await house.watcher.promises()
    follow_up = (await house.ledger())[promise.id]
    assert (follow_up.why, follow_up.state, follow_up.incident) == ("resolved", FollowUpState.TOLD, row.id)
    house.clock.advance(ms=house.policy.works_ms)
    await house.watcher.tidy()
    assert await house.states() == {promise.id: FollowUpState.WORKS}


async def test_who_was_asked_is_not_texted_once_more_that_it_is_over(house: House) -> None:
    promise, row = await promised(house), await house.declares()
    await tags(house)
    async with house.sql.session() as session:
        for number in (NUMBER, "+14155550199"):
            session.add(Subscription(incident=row.id, number=number, consent="key", made_ms=house.now_ms))
    row = await incidents.move(house.watch, row.id, VERIFIED, row.version, "ann", house.now_ms)
    house.clock.advance(ms=house.policy.soak_ms)
    await house.watcher.notify()
    assert len(await asked(house, promise)) == 1
    await incidents.move(house.watch, row.id, IncidentState.RESOLVED, row.version, "ann", house.now_ms)
    for _ in range(2):
        await house.watcher.notify()
    ended = [text.number for text in await house.texts() if ".ended." in text.id]
    assert ended == ["+14155550199"]
    async with house.sql.reading() as session:
        open_ = select(Subscription).where(col(Subscription.ended_ms).is_(None))
        assert list(await session.exec(open_)) == []


async def test_still_down_after_that_is_back_at_the_first_place(house: House) -> None:
    promise, row = await promised(house), await house.declares()
    await tags(house)
    await is_over(house, row)
    await house.watcher.notify()
    await arrives(house, promise)
    house.clock.advance(ms=house.policy.keep_ms)
    await house.watcher.notify()
    await house.watcher.promises()
    await deflection.still_down(house.watch, NUMBER, house.now_ms)
    await house.watcher.promises()
    again = await promises.find(house.cb, NUMBER)
    assert again is not None
    assert again.id != promise.id
    assert again.arrival_us == promise.arrival_us
    house.clock.advance(ms=house.policy.keep_ms)
    await house.watcher.notify()
    assert await asked(house, again) == []  # who said "still down" is not asked again


async def kept(house: House, promise: Promise) -> None:
    await arrives(house, promise)
    await needed.keep(house.cb, promise.id, "KEEP by text", house.now_ms)


async def not_delivered(house: House, promise: Promise) -> None:
    (text,) = await asked(house, promise)
    async with house.sql.session() as session:
        await text_record.delivered(session, "SM1", "undelivered", "30006", house.now_ms, text_id=text.id)


async def only_sent(house: House, promise: Promise) -> None:
    (text,) = await asked(house, promise)
    async with house.sql.session() as session:
        await text_record.delivered(session, "SM1", "sent", "", house.now_ms, text_id=text.id)


async def relapsed(house: House, promise: Promise) -> None:
    await arrives(house, promise)
    (row,) = await incidents.list_live(house.watch)
    await incidents.move(house.watch, row.id, IncidentState.IDENTIFIED, row.version, "ann", house.now_ms)


async def paused(house: House, promise: Promise) -> None:
    await arrives(house, promise)
    (row,) = await incidents.list_live(house.watch)
    await notices.pause(house.watch, row.id, "ann", house.now_ms)


@pytest.mark.parametrize("what", [kept, not_delivered, only_sent, relapsed, paused])
async def test_a_promise_is_a_promise(house: House, what: Any) -> None:
    promise, row = await promised(house), await house.declares()
    await tags(house)
    await is_over(house, row)
    await house.watcher.notify()
    await what(house, promise)
    house.clock.advance(ms=house.policy.keep_ms)
    await house.watcher.notify()
    assert await state(house, promise) == "in_line"
    assert [now.contact for now in await house.line.waiting("support", 0, 10)] == [f"{promise.id}.1"]


async def test_after_a_relapse_they_are_asked_again(house: House) -> None:
    promise, row = await promised(house), await house.declares()
    await tags(house)
    row = await is_over(house, row)
    await house.watcher.notify()
    row = await incidents.move(
        house.watch, row.id, IncidentState.IDENTIFIED, row.version, "ann", house.now_ms
    )
    house.clock.advance(minutes=1)
    await is_over(house, row)
    await house.watcher.notify()
    assert len(await asked(house, promise)) == 2


async def test_without_consent_after_stop_or_if_the_centre_says_so_nobody_is_asked(house: House) -> None:
    silent, stopped = await promised(house, texts=False), await promised(house, OTHER)
    row = await house.declares()
    await tags(house)
    async with house.sql.session() as session:
        await opt_out(session, OTHER, "STOP", house.now_ms)
    await is_over(house, row)
    await house.watcher.notify()
    assert await asked(house, silent) == []
    assert [text.state for text in await asked(house, stopped)] == ["skipped"]
    house.clock.advance(ms=house.policy.keep_ms)
    await house.watcher.notify()
    assert [await state(house, each) for each in (silent, stopped)] == ["in_line", "in_line"]
    never = house.with_policy(keep_ms=0)
    third = await promised(never, "+14155550155", incident=row.id)
    await never.watcher.notify()
    assert await asked(never, third) == []


async def test_nobody_is_asked_who_may_sleep_before_the_time_is_over(house: House) -> None:
    """Quiet hours begin at 21: an hour to answer must end before."""
    promise, row = await promised(house), await house.declares()
    await tags(house)
    await is_over(house, row)
    local_hour = 20.5
    house.clock.advance(ms=_until(house, local_hour))
    await house.watcher.notify()
    assert await asked(house, promise) == []
    assert await state(house, promise) == "in_line"
    house.clock.advance(ms=_until(house, 8.0))
    await house.watcher.notify()
    assert len(await asked(house, promise)) == 1


def _until(house: House, hour: float) -> int:
    """Milliseconds until it is this hour of the day there."""
    from callbacks.moments import local

    now = local(house.cb.time_zone, house.now_ms)
    here_ms = ((now.hour * 60 + now.minute) * 60 + now.second) * 1000
    return int(hour * HOUR_MS - here_ms) % (24 * HOUR_MS)


async def test_one_that_rings_or_talks_is_left_alone(house: House) -> None:
    promise, row = await promised(house), await house.declares()
    await tags(house)
    await is_over(house, row)
    await house.watcher.notify()
    await arrives(house, promise)
    house.clock.advance(ms=house.policy.keep_ms)
    async with house.sql.session() as session:
        fresh = await session.get(Promise, promise.id)
        assert fresh is not None
        fresh.state = "dialing"
    await house.watcher.notify()
    assert await state(house, promise) == "dialing"


async def test_a_lead_who_resolves_it_alone_leaves_a_row_to_work_on(house: House) -> None:
    promise = await promised(house)
    await promises.resolve(house.cb, [promise.id], "ann", "over", house.now_ms)
    await house.watcher.promises()
    assert await house.states() == {promise.id: FollowUpState.OPEN}


async def test_what_happened_is_in_the_promises_story(house: House) -> None:
    promise, row = await promised(house), await house.declares()
    await tags(house)
    await is_over(house, row)
    await house.watcher.notify()
    await needed.keep(house.cb, promise.id, "KEEP by text", house.now_ms)
    async with house.sql.reading() as session:
        wanted = select(PromiseEvent).where(PromiseEvent.promise == promise.id)
        told = [(e.kind, e.by) for e in await session.exec(wanted.order_by(col(PromiseEvent.id)))]
    assert told == [("made", "merchant"), ("tagged", "line"), ("asked_keep", "line"), ("keep", "merchant")]
