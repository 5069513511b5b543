"""Who must not be texted. A number's opt-out and the claim to text it take turns, on either database.

The note in Redis is for a STOP that comes while SQL does not answer: it is kept there, heeded by whoever
sends, and brought into SQL later. Who said STOP and START both is where the last word left them.
"""

from __future__ import annotations

import json
from typing import Any

from redis.asyncio import Redis
from sqlalchemy import bindparam, delete, exists, select, text, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from carrier.tables import InboundText, OptOut, Text
from carrier.text_states import TextState
from foundation.connections import Sql, answering
from foundation.sql import insert_once

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('text to ' || :number, 0))")


async def take_turns(session: AsyncSession, number: str) -> None:
    """Until this transaction ends, no other one settles whether this number may be texted.

    SQLite has one writer at a time anyway. Under PostgreSQL it has to be asked for before anything is read
    that is to be relied on: what another one has committed meanwhile is seen by the next statement.
    """
    if session.get_bind().dialect.name == "postgresql":
        connection = await session.connection()
        await connection.execute(_LOCK, {"number": number})


async def opt_out(session: AsyncSession, number: str, why: str, now_ms: int) -> None:
    """From this commit on no text to this number is claimed; what waits is skipped. A repeat is harmless."""
    await take_turns(session, number)
    await insert_once(session, OptOut(number=number, at_ms=now_ms, why=why[:32]), "number")
    connection = await session.connection()
    await connection.execute(
        update(Text)
        .where(col(Text.number) == number, col(Text.state) == TextState.QUEUED)
        .values(state=TextState.SKIPPED, error="opted out", done_ms=now_ms)
    )


async def opt_in(session: AsyncSession, number: str) -> None:
    """The number may be texted again. What was skipped meanwhile stays skipped."""
    await take_turns(session, number)
    connection = await session.connection()
    await connection.execute(delete(OptOut).where(col(OptOut.number) == number))


async def is_opted_out(session: AsyncSession, number: str) -> bool:
    connection = await session.connection()
    return (await connection.execute(_OPTED_OUT, {"number": number})).first() is not None


def opted_out(number: Any) -> Any:
    """The same as a condition, for a statement that does more."""
    return exists().where(col(OptOut.number) == number)


_OPTED_OUT = select(col(OptOut.number)).where(col(OptOut.number) == bindparam("number"))


async def came_in(session: AsyncSession, row: InboundText) -> bool:
    """Keep a text that came in, once. False: it is here already, as it was."""
    return await insert_once(session, row, "id")


class Notes:
    """What was said while SQL did not answer, in the order in which it came: a Redis list of the centre's."""

    def __init__(self, redis: Redis, centre: str) -> None:
        self._redis = redis
        self._key = f"surgeline:{{{centre}}}:texts:stops"

    async def keep(self, message: str, number: str, *, out: bool, why: str, now_ms: int) -> None:
        """Note what the message (a MessageSid) says. Raises Unavailable: then it may not be noted."""
        note = json.dumps({"message": message, "number": number, "out": out, "why": why, "at_ms": now_ms})
        async with answering():
            await self._redis.rpush(self._key, note)

    async def bring_in(self, sql: Sql) -> int:
        """All that is noted into SQL; how many there were. After this SQL knows everything.

        Raises Unavailable: then what was not brought in stays noted. Twice, or by two at once, is harmless.
        """
        async with answering():
            noted: Any = await self._redis.lrange(self._key, 0, -1)
        for note in noted:
            said = json.loads(note)
            async with sql.session() as session:
                await _bring_in(session, said)
            async with answering():
                await self._redis.lrem(self._key, 1, note)
        return len(noted)


async def _bring_in(session: AsyncSession, said: dict[str, Any]) -> None:
    """Unless it is here already: then a later word may have been said."""
    number, out, why, at_ms = said["number"], said["out"], said["why"], said["at_ms"]
    meant = "stop" if out else "start"
    if not await came_in(
        session, InboundText(id=said["message"], number=number, at_ms=at_ms, body=why, meant=meant)
    ):
        return
    if out:
        await opt_out(session, number, why, at_ms)
    else:
        await opt_in(session, number)
