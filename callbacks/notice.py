"""What the doors are told of callbacks every two seconds: the switches of the day, and how much is owed.

One small value in Redis, so that the hold loop asks SQL nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from callbacks.office import Office
from callbacks.promises import count_open_in, switches_in
from foundation.connections import Breaker, answering

STALE_MS = 30_000
"""A notice older than this tells nothing of the present: no callback is offered."""


@dataclass(frozen=True, slots=True)
class Notice:
    offering: bool = False
    keeping: bool = False
    max_open: int | None = None
    """A supervisor's cap of today; None is the policy's."""
    open_promises: int = 0

    def packed(self) -> str:
        cap = "" if self.max_open is None else self.max_open
        return f"{int(self.offering)},{int(self.keeping)},{cap},{self.open_promises}"

    @classmethod
    def unpacked(cls, text: str) -> Notice:
        """Whatever is no notice offers nothing."""
        parts = text.split(",")
        if len(parts) != 4 or not parts[3].isdigit():
            return cls()
        return cls(parts[0] == "1", parts[1] == "1", int(parts[2]) if parts[2] else None, int(parts[3]))


def notice_key(centre: str) -> str:
    return f"surgeline:{{{centre}}}:callbacks"


async def publish(cb: Office, now_ms: int) -> Notice:
    """Tell the doors how things stand. Raises Unavailable."""
    async with cb.sql.reading() as session:
        switch, owed = await switches_in(session, cb.centre), await count_open_in(session)
    notice = Notice(switch.offering, switch.keeping, switch.max_open, owed)
    async with answering():
        await cb.redis.set(notice_key(cb.centre), f"{now_ms}|{notice.packed()}", px=STALE_MS * 2)
    return notice


async def read(redis: Redis, centre: str, now_ms: int, breaker: Breaker | None = None) -> Notice:
    """How things stood a moment ago; nothing is offered when nobody says. Raises Unavailable."""
    async with answering(breaker, enrichment=True):
        text = str(await redis.get(notice_key(centre)) or "")
    at, _, packed = text.partition("|")
    if not at.isdigit() or now_ms - int(at) > STALE_MS:
        return Notice()
    return Notice.unpacked(packed)
