"""Three earlier weeks of a rehearsal, made up: without them the detector knows no usual hour."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sqlalchemy import insert
from sqlmodel import select

from foundation.connections import Sql
from merchants.tables import Merchant
from processes.spikes import HOUR_MS, WEEK_MS
from queueing.states import Disposition
from queueing.tables import Contact

WEEKS = 3
HOURS = (-1, 3)
"""Around the present one: what the detector compares with, and as long as a demo may run."""
PREFIX = "CAearlier"
"""Of these calls' names: none of them is the network's."""


async def write_weeks(
    sql: Sql, now_ms: int, per_minute: float, queues: dict[str, str], agents: Sequence[str], seed: int
) -> int:
    """``per_minute`` calls at these hours of each earlier week, all answered; how many. ``queues``: menu
    choice to queue."""
    chance = random.Random(seed)
    async with sql.session(statement_s=20) as session:
        merchants = list(await session.exec(select(Merchant)))
        rows: list[dict[str, object]] = []
        for week in range(1, WEEKS + 1):
            at_ms = (now_ms // HOUR_MS + HOURS[0]) * HOUR_MS - week * WEEK_MS
            end_ms = at_ms + (HOURS[1] - HOURS[0]) * HOUR_MS
            while (
                per_minute > 0 and (at_ms := at_ms + round(chance.expovariate(per_minute / 60_000))) < end_ms
            ):
                rows.append(_call(chance, f"{PREFIX}{len(rows):08}", at_ms, merchants, queues, agents))
        if rows:
            await (await session.connection()).execute(insert(Contact), rows)
    return len(rows)


def _call(
    chance: random.Random,
    name: str,
    at_ms: int,
    merchants: Sequence[Merchant],
    queues: dict[str, str],
    agents: Sequence[str],
) -> dict[str, object]:
    who, topic = chance.choice(merchants), chance.choice(sorted(queues))
    wait_ms, talk_ms = round(chance.expovariate(1 / 15_000)), round(chance.gammavariate(3, 50_000))
    return Contact(
        contact=name,
        queue=queues[topic],
        last_queue=queues[topic],
        topic=topic,
        merchant_id=who.id,
        merchant=who.name,
        tier=who.tier,
        product=who.product,
        language=who.language,
        entered_ms=at_ms,
        answered_ms=at_ms + wait_ms,
        ended_ms=at_ms + wait_ms + talk_ms,
        disposition=Disposition.ANSWERED.value,
        agent=chance.choice(list(agents)),
        wait_ms=wait_ms,
        talk_ms=talk_ms,
        wrap_ms=15_000,
        handling_ms=talk_ms + 15_000,
        outcome="resolved",
    ).model_dump()
