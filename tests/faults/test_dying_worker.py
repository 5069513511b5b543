"""The worker that dials is killed at each point of an attempt, again and again, while merchants are rung.

The supervisor starts the worker anew; the sweeper's reaper finds out at the carrier what became of what the
dead one had in hand. No promise is lost, nobody is rung twice for one attempt, and nobody talks twice.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlmodel import col, select

from callbacks import promises
from callbacks.making import NewPromise
from callbacks.office import Office
from callbacks.states import ATTEMPT_OPEN, AttemptState, PromiseState
from callbacks.tables import Attempt, Promise
from callbacks.turns import promise_of
from foundation.clock import monotonic_s
from foundation.errors import Unavailable
from processes.centre import read_centre
from queueing.presence import Presence
from queueing.records import Card
from queueing.tables import ContactEvent
from tests.faults import dying_at
from tests.faults.house import OURS, Rig, measured, pause, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]

TIMES = int(os.environ.get("SURGELINE_FAULTS_TIMES", 50 if os.environ.get("SURGELINE_FAULTS") else 1))
"""Deaths at each point: few in the suite, all in ``make faults``."""
AGENTS = {f"agent{n}": f"+12025552{n:03d}" for n in range(24)}
AT_ONCE = 24
"""So many promises are open while deaths are owed."""
SETTLED_WITHIN_S = 60
"""By the product's clock, from the intent on."""
HOUSE = {
    "speed": 5,
    "told": {"SURGELINE_WORKERS": "3"},
    "hook": "tests.faults.dying_at",
    "more": """
[callbacks]
tries = 2
retry_minutes = [1]
calls_per_second = 5
quiet_hours = "04:00-04:01"
number_a_day = 1000
merchant_a_day = 1000
block_an_hour = 10000
""",
}
NUMBERS = (f"+1201555{n}" for n in itertools.count(2000))
PHONES = ("human",) * 7 + ("busy", "no-answer", "failed")
LOSE_ANSWERS = {
    "on": "rest",
    "kind": "lose_answer",
    "match": "/Calls.json$",
    "method": "POST",
    "share": 0.5,
}


@dataclass
class Watch:
    """What is seen, time and again, while it goes on."""

    rig: Rig
    unsettled: dict[str, float] = field(default_factory=dict)
    """How long after its intent (s) an attempt was last seen without anybody knowing what became of it."""
    settled: dict[str, float] = field(default_factory=dict)
    """And how long after it was first seen that it was known."""
    at_once: Counter[str] = field(default_factory=Counter)
    """The most legs at once that a merchant had picked up."""

    async def look(self) -> None:
        async with self.rig.sql.reading(statement_s=5) as session:
            rows = list(await session.exec(select(Attempt)))
            now_ms = self.rig.clock.now_ms()
        for row in rows:
            age_s = (now_ms - row.made_ms) / 1000
            if row.state in (AttemptState.INTENT, AttemptState.UNKNOWN):
                self.unsettled[row.id] = age_s
            elif row.id not in self.settled:
                self.settled[row.id] = age_s
        talking = (c["to"] for c in await self.rig.calls() if c["status"] == "in-progress")
        self.at_once |= Counter(talking)

    async def on(self) -> None:
        while True:
            with suppress(Unavailable):
                await self.look()
            await pause(0.2)


@asynccontextmanager
async def watched(rig: Rig) -> AsyncIterator[Watch]:
    watch = Watch(rig)
    going = asyncio.create_task(watch.on())
    try:
        yield watch
    finally:
        going.cancel()
        with suppress(asyncio.CancelledError):
            await going


def office_of(rig: Rig) -> Office:
    plan = read_centre(rig.house.settings.surgeline_centre)
    return Office(
        sql=rig.sql,
        redis=rig.redis,
        line=rig.line,
        keys=rig.line.keys,
        clock=rig.clock,
        policy=plan.callbacks,
        hours=None,
        time_zone="UTC",
        ours=(OURS,),
        public_url=rig.house.product,
    )


async def owe_one(rig: Rig, cb: Office, dice: random.Random) -> Promise | None:
    """One more merchant is promised a call; what the telephone will do is the dice's."""
    number = next(NUMBERS)
    phone: dict[str, Any] = {"answers": dice.choice(PHONES), "after_ms": dice.choice((500, 2000, 6000))}
    script = {"hang_up": {"stage": "talking", "after_s": 3}}
    phone |= {"keys": "1", "script": script} if phone["answers"] == "human" else {}
    (await rig.network.post(f"/_double/phones/{number}", json=phone)).raise_for_status()
    with suppress(Unavailable):  # SQLite was busy: nothing was promised
        request = NewPromise(number, "support", "p2", Card(caller=number), made_by="web")
        return (await promises.make(cb, request, rig.clock.now_ms())).promise
    return None


async def agents_work(rig: Rig) -> None:
    """Whoever was taken off for phones that did not ring comes back."""
    board = await rig.line.look(rig.clock.now_ms())
    there = {agent.agent: agent.presence for agent in board.agents}
    for login, number in AGENTS.items():
        if login not in there:
            await rig.works(login, number)
        elif there[login] in (Presence.AWAY, Presence.OFF):
            await rig.roster.ready(login, rig.clock.now_ms())


async def still_open(rig: Rig, ids: list[str]) -> list[Promise]:
    async with rig.sql.reading(statement_s=5) as session:
        wanted = select(Promise).where(col(Promise.id).in_(ids), col(Promise.open_number).is_not(None))
        return list(await session.exec(wanted))


def deaths(rig: Rig) -> list[dict[str, Any]]:
    told = rig.house.folder / "dying" / dying_at.DEATHS
    lines = told.read_text().splitlines() if told.exists() else []
    return [json.loads(line) for line in lines]


async def ring_until_dead(rig: Rig, cb: Office, points: Collection[str], dice: random.Random) -> list[str]:
    """Promises are made and kept until the worker has died as often as it should; all their ids."""
    owed: list[str] = []

    async def enough() -> bool:
        await agents_work(rig)
        died = Counter(death["point"] for death in deaths(rig))
        if all(died[point] >= TIMES for point in points):
            return True
        for _ in range(AT_ONCE - len(await still_open(rig, owed))):
            if made := await owe_one(rig, cb, dice):
                owed.append(made.id)
        return False

    await until(enough, f"the worker has died {TIMES} times at each point", 90 + 6 * TIMES * len(points))
    return owed


async def all_over(rig: Rig, owed: list[str]) -> None:
    async def none() -> bool:
        await agents_work(rig)
        return not await still_open(rig, owed)

    try:
        await until(none, "every promise has ended", 120)
    except AssertionError as late:
        left = [await story(rig, promise) for promise in await still_open(rig, owed)]
        raise AssertionError(f"{late}:\n" + "\n".join(left)) from late


async def story(rig: Rig, promise: Promise) -> str:
    """All that is known of a promise that does not end."""
    cb = office_of(rig)
    lines = [f"{promise.id} {promise.state} tries={promise.tries} live={promise.live_contact}"]
    lines[0] += f" held={promise.held_by}"
    lines += [f"  {each.at_ms} {each.kind} {each.words}" for each in await promises.history(cb, promise.id)]
    attempts = await promises.attempts(cb, promise.id)
    lines += [f"  {a.id} {a.state} {a.result} {a.call_sid} {a.made_ms} {a.ended_ms}" for a in attempts]
    names = {promise.live_contact, promise.held_by, *(a.call_sid for a in attempts)} - {""}
    names |= {f"{promise.id}.{turn}" for turn in range(1, promise.turn + 1)}
    for name in sorted(names):
        now = await rig.line.contact(name)
        lines.append(f"  {name} {now and (now.state, now.disposition, now.agent, now.accepted)}")
    calls = [call for call in await rig.calls(active=False) if call["to"] == promise.number]
    lines += [f"  {c['sid']} {c['status']} {c['stage']} {c['created_ms']} {c['ended_ms']}" for c in calls]
    async with rig.sql.reading(statement_s=5) as session:
        told = select(ContactEvent).where(col(ContactEvent.contact).in_(names)).order_by(ContactEvent.at_ms)
        rows = list(await session.exec(told))
    return "\n".join(lines + [f"  {e.at_ms} {e.contact[-9:]} {e.kind} {e.agent} {e.fields}" for e in rows])


async def nothing_lost_nothing_twice(rig: Rig, owed: list[str], watch: Watch) -> dict[str, Any]:
    """The laws, by the record and by the network's own account; some figures."""
    async with rig.sql.reading(statement_s=10) as session:
        rows = await session.exec(select(Promise).where(col(Promise.id).in_(owed)))
        ended = {row.id: row for row in rows}
        found = await session.exec(select(Attempt).where(col(Attempt.promise).in_(owed)))
        attempts = sorted(found, key=lambda attempt: attempt.number)
    assert set(ended) == set(owed)
    states = Counter(promise.state for promise in ended.values())
    assert set(states) <= {PromiseState.KEPT, PromiseState.UNREACHABLE}, states
    assert not [a.id for a in attempts if a.state in ATTEMPT_OPEN]

    calls = await rig.calls(active=False)
    whose = {attempt.call_sid: attempt.promise for attempt in attempts if attempt.call_sid}
    talks = Counter(
        promise_of(event.contact) or whose.get(event.contact, "") for event in await rig.written("connected")
    )
    rung = 0
    for promise in ended.values():
        mine = [attempt for attempt in attempts if attempt.promise == promise.id]
        legs = sorted(call["created_ms"] for call in calls if call["to"] == promise.number)
        begins = [attempt.made_ms for attempt in mine]
        for begin, end in itertools.pairwise([*begins, 1 << 60]):
            assert sum(begin <= at_ms < end for at_ms in legs) <= 1, "rung twice for one attempt"
        assert not [at_ms for at_ms in legs if at_ms < begins[0]]
        sids = [attempt.call_sid for attempt in mine if attempt.call_sid]
        assert len(sids) == len(set(sids))
        kept = promise.state == PromiseState.KEPT
        assert talks[promise.id] == kept, (promise.model_dump(), talks[promise.id])
        assert sum(attempt.state == AttemptState.TALKED for attempt in mine) == kept
        assert watch.at_once[promise.number] <= 1, "two conversations"
        rung += len(legs)
    late = {name: s for name, s in watch.unsettled.items() if s > SETTLED_WITHIN_S}
    assert not late
    return {"promises": dict(states), "attempts": Counter(a.state for a in attempts), "rung": rung}


def unknown_for(watch: Watch) -> list[float]:
    """Of the attempts seen unsettled after their send deadline: how long after the intent they were known."""
    return [watch.settled[name] for name, s in watch.unsettled.items() if s > 5 and name in watch.settled]


def percentiles(seconds: list[float]) -> str:
    if not seconds:
        return "none was unknown"
    told = sorted(seconds)
    at = {pct: told[min(len(told) - 1, len(told) * pct // 100)] for pct in (50, 90, 99)}
    return (
        f"{len(told)}: " + ", ".join(f"p{pct} {s:.1f} s" for pct, s in at.items()) + f", max {told[-1]:.1f} s"
    )


@pytest.mark.parametrize(
    "points",
    [[point for point in dying_at.POINTS if point != dying_at.UNKNOWN], [dying_at.UNKNOWN]],
    ids=["at every point", "while answers are lost"],
)
async def test_the_worker_dies(rig: Rig, points: list[str]) -> None:
    cb, place = office_of(rig), rig.house.folder / "dying"
    begun_s = monotonic_s()
    await agents_work(rig)
    if dying_at.UNKNOWN in points:
        await rig.faults(LOSE_ANSWERS)
    for point in points:
        dying_at.owe(place, point, TIMES)
    async with watched(rig) as watch:
        owed = await ring_until_dead(rig, cb, points, random.Random(points[0]))
        await rig.faults()
        await all_over(rig, owed)
        await watch.look()
    told = await nothing_lost_nothing_twice(rig, owed, watch)
    for point in points:
        died = [death for death in deaths(rig) if death["point"] == point]
        assert len(died) == TIMES
        named = {death["attempt"] for death in died} & watch.unsettled.keys() & watch.settled.keys()
        settled = percentiles([watch.settled[name] for name in named])
        measured(f"{point}: {len(died)} deaths; known again after {settled}")
    measured(
        f"{len(owed)} promises {told['promises']}, {sum(told['attempts'].values())} attempts "
        f"{dict(told['attempts'])}, {told['rung']} calls, {monotonic_s() - begun_s:.0f} s; of all attempts "
        f"that were unknown for a while, known after {percentiles(unknown_for(watch))}"
    )
