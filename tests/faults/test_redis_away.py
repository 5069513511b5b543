"""Redis freezes, or dies and comes back empty: callers lose announcements for a while, and nothing else."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import statistics
from itertools import count
from pathlib import Path
from xml.etree import ElementTree

import pytest

from foundation.clock import monotonic_s
from queueing.tables import Contact
from tests.faults.house import Rig, measured, pause, until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

POSITION = re.compile(r"next in line|number \w+ in line|more than .* in line", re.IGNORECASE)
FROZEN_S = 5.0
CALLERS = 20
STRANGER = "CA" + "e" * 32
MOST_CONNECTIONS = 200
"""Five processes with pools of 20 and 10, RQ's own, and the test's."""


def webhooks(caller: str, n: int) -> list[tuple[str, dict[str, str]]]:
    """One of each kind, as Twilio would ask now about a caller who waits, and about one who is new."""
    waits = {"CallSid": caller, "QueueTime": "300", "QueuePosition": "3"}
    return [
        (f"/voice/wait?lang=en&q=support&b=p2&clip={n}", waits),
        (f"/voice/wait/key?lang=en&q=support&b=p2&clip={n}", {**waits, "Digits": "5"}),
        (f"/voice/incoming?n={n}", {"CallSid": STRANGER, "From": "+12015550199"}),
        (f"/voice/menu?lang=en&t={n % 2}", {"CallSid": STRANGER, "Digits": ""}),
        (f"/voice/connecting?lang=en&clip={n}", {"CallSid": caller}),
        (f"/voice/conference?contact={caller}&fence={n + 50}", {"StatusCallbackEvent": "participant-join"}),
    ]


def connections(socket_path: Path) -> int:
    """The server's ends of connections to the Redis socket, accepted or not."""
    return Path("/proc/net/unix").read_text().count(str(socket_path))


async def answered(rig: Rig, path: str, fields: dict[str, str]) -> tuple[float, str]:
    """Ask, and hold the answer to the law: 200, and TwiML. How long it took, and what was said."""
    begun_s = monotonic_s()
    answer = await rig.asks(path, **fields)
    took_s = monotonic_s() - begun_s
    assert answer.status_code == 200, (path, answer.status_code)
    assert ElementTree.fromstring(answer.content).tag == "Response", path
    return took_s, answer.text


async def position_told(rig: Rig, caller: str, n: int) -> bool:
    _, said = await answered(rig, *webhooks(caller, n)[0])
    return POSITION.search(said) is not None


async def test_while_redis_is_frozen_every_webhook_is_answered_and_no_position_is_made_up(rig: Rig) -> None:
    sids = [await rig.rings() for _ in range(CALLERS)]
    await rig.wait_in_line(sids)
    before = await rig.waiting()
    questions = count(1)
    await until(lambda: position_told(rig, before[0], next(questions)), "positions are told")
    quiet = connections(rig.house.redis.socket_path)
    redis_pid = await rig.pid("redis")

    os.kill(redis_pid, signal.SIGSTOP)
    took: list[float] = []
    most, frozen_ms = 0, rig.clock.now_ms()
    try:
        end_s = monotonic_s() + FROZEN_S
        while monotonic_s() < end_s:
            n = next(questions)
            asked = webhooks(before[n % CALLERS], n)
            told = await asyncio.gather(*(answered(rig, path, fields) for path, fields in asked))
            took += [each[0] for each in told]
            assert not POSITION.search(" ".join(said for _, said in told))
            most = max(most, connections(rig.house.redis.socket_path))
            await pause(0.05)
        thawed_ms = rig.clock.now_ms()
    finally:
        os.kill(redis_pid, signal.SIGCONT)
    begun_s = monotonic_s()
    await until(lambda: position_told(rig, before[0], next(questions)), "positions are told again", 20)
    back_s = monotonic_s() - begun_s
    p99_s = statistics.quantiles(took, n=100)[98]
    measured(
        f"frozen {FROZEN_S} s: {len(took)} webhooks, p50 {statistics.median(took) * 1000:.0f} ms, "
        f"p99 {p99_s * 1000:.0f} ms, longest {max(took) * 1000:.0f} ms; connections {quiet} before, "
        f"{most} at most; positions back {back_s:.1f} s after"
    )
    assert max(took) < 2
    assert most < MOST_CONNECTIONS
    for sid in sids:  # what the callers themselves heard: a clip fetched before may end in a first word
        call = await rig.call(sid)
        heard = [
            line["text"]
            for line in call["transcript"]
            if line["kind"] == "say" and frozen_ms + 5_000 < line["at_ms"] < thawed_ms
        ]
        assert not POSITION.search(" ".join(heard))
        assert call["stage"] == "queue"
    assert await rig.waiting() == before
    await rig.hangs_up(*sids)
    await rig.ended()
    assert await rig.outcomes(sids) == {"abandoned": CALLERS}
    assert await rig.violations() == []


async def hear_music(rig: Rig, sids: list[str]) -> bool:
    told = [await rig.call(sid) for sid in sids]
    return all(any(line["kind"] == "play" for line in call["transcript"]) for call in told)


async def test_redis_dies_and_comes_back_empty_and_the_line_is_rebuilt_from_who_is_there(rig: Rig) -> None:
    await rig.works("ann", "+12015550101")
    talking = await rig.rings()
    await until(lambda: rig.connected(talking), "two are talking")
    await rig.goes_home("ann")
    sids = [await rig.rings() for _ in range(50)]
    await rig.wait_in_line(sids)
    before = await rig.waiting()
    # From the hold loop's first answer on, the caller's own URL tells since when; before, Twilio does.
    await until(lambda: hear_music(rig, sids), "all hear music")

    redis_pid = await rig.pid("redis")
    await rig.redis.flushall()
    os.kill(redis_pid, signal.SIGKILL)
    begun_s = monotonic_s()
    await until(rig.redis.ping, "Redis is back")
    assert await rig.pid("redis") != redis_pid
    up_s = monotonic_s() - begun_s
    await rig.wait_in_line(sids)
    rebuilt_s = monotonic_s() - begun_s
    at_first = await rig.waiting()
    moved = [abs(before.index(sid) - at_first.index(sid)) for sid in sids]

    async def in_order() -> bool:
        return await rig.waiting() == before

    # Twilio's own list tells the order to the second; each caller's next question puts it right.
    await until(in_order, "they stand in the order they came in", 40)
    ordered_s = monotonic_s() - begun_s
    now_ms = rig.clock.now_ms()
    ages = [now_ms - (await rig.contact(sid)).entered_ms for sid in sids]
    measured(
        f"Redis up again after {up_s:.1f} s, all 50 in line after {rebuilt_s:.1f} s, at first moved by "
        f"{statistics.mean(moved):.1f} places on average, {max(moved)} at most, and in order after "
        f"{ordered_s:.1f} s"
    )
    assert min(ages) > ordered_s * rig.clock.speed * 1000  # they waited before, and are as old as they were

    await rig.hangs_up(talking, *before[25:])
    for n in range(6):
        await rig.works(f"agent{n}", f"+1201555011{n}", script={"hang_up": {"after_s": 25}})
    await rig.ended(90)
    told = await rig.outcomes([talking, *sids])
    assert told["answered"] + told["abandoned"] == 51
    assert told["answered"] >= 20
    for sid in sids:
        assert len(await rig.met(sid)) <= 1
    async with rig.sql.reading() as session:
        row = await session.get(Contact, talking)
        assert row is not None
        assert row.disposition == "answered"
    assert await rig.violations() == []
