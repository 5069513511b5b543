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


async def served(url: str, arrivals: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Band and arrival (µs) of each caller in the order an agent was given them."""
    redis = open_redis(url, timeout_s=5.0, connect_timeout_s=5.0)
    await redis.flushall()
    line, roster = Line(redis, POLICY), Roster(redis, POLICY)
    now_ms = START_MS
    for number, (band, gap_ms) in enumerate(arrivals):
        now_ms += gap_ms
        await line.enter(f"CA{number}", queue="support", band=band, card=Card(), now_ms=now_ms)
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
