"""How many ring now, and who, beside the same hour of earlier weeks: the spike detector's food, from SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import col, func, select

from merchants.tables import Merchant
from queueing.names import TURN_PREFIX
from queueing.tables import Contact
from surge.detector import Cluster, Ring, Spike, baseline, clusters, count
from surge.office import Watch

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
WEEK_MS = 7 * 24 * HOUR_MS
WEEKS = 6
LATE_MS = 10_000
"""The scribe is given so long to write a minute's calls down."""
RINGING_MS = 15 * MINUTE_MS
"""What rings is looked for among the calls of so long."""
MOST = 2_000
"""Calls that are looked at, of now and of each earlier week: enough to tell shares by."""


@dataclass(slots=True)
class Spikes:
    """Of one sweeper: it begins anew with the process, which costs a spike a minute or two."""

    watch: Watch
    spike: Spike = field(default_factory=Spike)
    minute: int = 0
    """The last one that was counted, in minutes since the epoch."""
    _hour: int = -1
    _weeks: tuple[dict[int, int], ...] = ()

    async def score(self, now_ms: int) -> float:
        """The detector's sum after the last whole minute; 0 while there are no earlier weeks. Raises
        Unavailable.
        """
        minute = (now_ms - LATE_MS) // MINUTE_MS - 1
        if minute <= self.minute:
            return self.spike.score
        weeks = await self._earlier(minute)
        if not any(weeks):
            self.minute = minute
            return 0.0
        calls = await self._calls(minute * MINUTE_MS, (minute + 1) * MINUTE_MS)
        usual = baseline(weeks, self._of_week(minute * MINUTE_MS))
        self.spike = count(self.spike, calls, usual, self.watch.policy.cusum_alarm)
        self.minute = minute
        return self.spike.score

    async def ringing(self, now_ms: int) -> tuple[Cluster, ...]:
        """What it is that rings, the surest first: product, region, rail, device, menu choice. Nothing while
        there are no earlier weeks. Raises Unavailable.
        """
        hours = [now_ms - back * WEEK_MS for back in range(1, WEEKS + 1)]
        usual = [ring for at in hours for ring in await self._rings(at - HOUR_MS, at + HOUR_MS)]
        return clusters(await self._rings(now_ms - RINGING_MS, now_ms), usual) if usual else ()

    async def _rings(self, from_ms: int, to_ms: int) -> list[Ring]:
        wanted = (
            select(Contact.product, Contact.topic, Merchant)
            .outerjoin(Merchant, col(Merchant.id) == col(Contact.merchant_id))
            .where(*_calls_of(from_ms, to_ms))
            .order_by(col(Contact.entered_ms).desc())
        )
        async with self.watch.sql.reading() as session:
            return [_ring(*row) for row in await session.exec(wanted.limit(MOST))]

    async def _earlier(self, minute: int) -> tuple[dict[int, int], ...]:
        """Calls by hour of the week, an hour before and after now, of each week that has a record."""
        hour = minute // 60
        if hour == self._hour:
            return self._weeks
        weeks: list[dict[int, int]] = []
        async with self.watch.sql.reading() as session:
            first_ms = (await session.exec(select(func.min(Contact.entered_ms)))).one()
        for back in range(1, WEEKS + 1):
            begins = [(hour + step) * HOUR_MS - back * WEEK_MS for step in (-1, 0, 1)]
            known = [at for at in begins if first_ms is not None and first_ms <= at]
            weeks.append({self._of_week(at) // 60: await self._calls(at, at + HOUR_MS) for at in known})
        self._hour, self._weeks = hour, tuple(weeks)
        return self._weeks

    async def _calls(self, from_ms: int, to_ms: int) -> int:
        wanted = select(func.count()).select_from(Contact).where(*_calls_of(from_ms, to_ms))
        async with self.watch.sql.reading() as session:
            return int((await session.exec(wanted)).one())

    def _of_week(self, at_ms: int) -> int:
        """The minute of the week on the centre's clock; 0 is Monday midnight."""
        at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(self.watch.time_zone))
        return at.weekday() * 1440 + at.hour * 60 + at.minute


def _calls_of(from_ms: int, to_ms: int) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Contact.entered_ms) >= from_ms,
        col(Contact.entered_ms) < to_ms,
        col(Contact.contact).not_like(f"{TURN_PREFIX}%"),
    )


def _ring(product: str, topic: str, merchant: Merchant | None) -> Ring:
    if merchant is None:
        return {"product": product, "topic": topic}
    return {
        "product": product or merchant.product,
        "topic": topic,
        "region": merchant.region,
        "rail": merchant.rail,
        "device": [device for device in merchant.device.split(";") if device],
    }
