"""First come, first served within a band; and nobody is passed by who came more than the head start later."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.connections import open_redis
from queueing.line import Card, Line, LinePolicy
from queueing.roster import Roster
from queueing.states import Disposition

POLICY = LinePolicy()
START_MS = 1_700_000_000_000
ARRIVALS = st.lists(
    st.tuples(st.sampled_from([band.name for band in POLICY.bands]), st.integers(0, 400_000)),
    min_size=2,
    max_size=25,
)


async def _take_way(line: Line, contact: str, way: str, turn: str, now_ms: int) -> None:
    """Off the phone, and into the line again at the same ticket."""
    if way == "waits":
        return
    there = await line.contact(contact)
    assert there is not None
    await line.promise(contact, f"{turn}.1", card=Card(), now_ms=now_ms)
    if way == "due_later":
        await line.leave(f"{turn}.1", Disposition.SET_ASIDE, now_ms)
        await line.rejoin(
            f"{turn}.2", queue=there.queue, band=there.band, arrival_us=there.arrival_us,
            entered_ms=there.entered_ms, card=Card(), now_ms=now_ms,
        )  # fmt: skip
    if way == "rings_in":
        ring = {"queue": there.queue, "band": "p2", "card": Card(), "now_ms": now_ms}
        await line.take_up(f"{contact}-again", f"{turn}.1", **ring)


async def served(
    url: str, arrivals: list[tuple[str, int]], ways: list[str] | None = None
) -> list[tuple[str, int]]:
    """Band and arrival (µs) of each caller in the order an agent was given them."""
    redis = open_redis(url, timeout_s=5.0, connect_timeout_s=5.0)
    await redis.flushall()
    line, roster = Line(redis, POLICY), Roster(redis, POLICY)
    now_ms = START_MS
    for number, (band, gap_ms) in enumerate(arrivals):
        now_ms += gap_ms
        await line.enter(f"CA{number}", queue="support", band=band, card=Card(), now_ms=now_ms)
    for number, way in enumerate((ways or [])[: len(arrivals)]):
        await _take_way(line, f"CA{number}", way, f"PR{number:016x}", now_ms)
    await roster.sign_in("ann", name="Ann", skills={"support": 0}, line="softphone", now_ms=now_ms)
    await roster.ready("ann", now_ms)
    order = []
    while (agent := await roster.agent("ann")) is not None and agent.contact:
        contact = await line.contact(agent.contact)
        assert contact is not None
        order.append((contact.band, contact.arrival_us))
        await line.leave(contact.contact, Disposition.ABANDONED, now_ms)
    await redis.aclose()
    return order


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrivals=ARRIVALS)
def test_nobody_is_passed_by_who_came_later_than_the_head_start(
    redis_server: str, arrivals: list[tuple[str, int]]
) -> None:
    order = asyncio.run(served(redis_server, arrivals))
    assert len(order) == len(arrivals), "somebody was lost, or served twice"
    head_start_us = {band.name: band.head_start_ms * 1000 for band in POLICY.bands}
    for place, (band, arrival_us) in enumerate(order):
        for later_band, earlier_us in order[place + 1 :]:
            if earlier_us < arrival_us:  # was passed
                assert arrival_us - earlier_us <= head_start_us[band] - head_start_us[later_band]
                assert band != later_band


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arrivals=ARRIVALS,
    ways=st.lists(st.sampled_from(["waits", "promised", "due_later", "rings_in"]), min_size=25, max_size=25),
)
def test_callbacks_and_callers_are_one_line(
    redis_server: str, arrivals: list[tuple[str, int]], ways: list[str]
) -> None:
    """Whoever leaves the phone for a callback, in whichever way, is served where the call would have been."""
    stayed = asyncio.run(served(redis_server, arrivals))
    assert asyncio.run(served(redis_server, arrivals, ways)) == stayed
