"""The books of a house that sends texts, with the verbs at hand; and carriers that answer as told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from carrier import texts
from carrier.tables import Text
from carrier.text_states import TextState
from foundation.clock import ManualClock
from foundation.connections import Sql
from tests.drill.product import CALLER, HOOK, OURS, Rehearsal

CALLBACK = f"{HOOK}/sms/status"


class Patient(Sql):
    """The same doors with time for a busy machine."""

    def session(self, *, statement_s: float = 10.0) -> AbstractAsyncContextManager[AsyncSession]:
        return super().session(statement_s=statement_s)

    def reading(self, *, statement_s: float = 10.0) -> AbstractAsyncContextManager[AsyncSession]:
        return super().reading(statement_s=statement_s)


class House:
    """The books, a carrier and a clock, with the verbs at hand."""

    def __init__(self, sql: Sql, carrier: Any, clock: ManualClock) -> None:
        self.sql, self.carrier, self.clock = sql, carrier, clock

    async def writes(self, text_id: str = "PR1.kept", number: str = CALLER, **more: Any) -> bool:
        row = Text(id=text_id, number=number, kind="kept", body="It is your turn.", **more)
        row.made_ms = row.made_ms or self.clock.now_ms()
        async with self.sql.session() as session:
            return await texts.write(session, row)

    async def sends(self, text_id: str = "PR1.kept", **more: Any) -> TextState | None:
        sql = more.pop("sql", self.sql)
        return await texts.send(
            sql, self.carrier, text_id, from_=OURS, callback=CALLBACK, clock=self.clock, **more
        )

    async def settles(self, text_id: str = "PR1.kept") -> TextState | None:
        return await texts.settle(self.sql, self.carrier, text_id, from_=OURS, now_ms=self.clock.now_ms())

    async def hears(self, sid: str, status: str, error: str = "", text_id: str = "") -> bool:
        async with self.sql.session() as session:
            return await texts.delivered(session, sid, status, error, self.clock.now_ms(), text_id=text_id)

    async def stops(self, number: str = CALLER) -> None:
        async with self.sql.session() as session:
            await texts.opt_out(session, number, "STOP", self.clock.now_ms())

    async def row(self, text_id: str = "PR1.kept") -> Text:
        async with self.sql.reading() as session:
            found = await session.get(Text, text_id)
        assert found is not None
        return found

    async def state(self, text_id: str = "PR1.kept") -> str:
        return (await self.row(text_id)).state

    async def opted_out(self, number: str = CALLER) -> bool:
        async with self.sql.reading() as session:
            return await texts.is_opted_out(session, number)

    async def listed(self, verb: Any) -> list[str]:
        async with self.sql.reading() as session:
            return list(await verb(session, self.clock.now_ms()))


def sent(rehearsal: Rehearsal) -> list[str]:
    """The texts the network was given, by SID."""
    return [text.sid for text in rehearsal.exchange.messages.values()]


class Scripted:
    """A carrier that answers as told, and remembers what it was asked to send."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def text(self, to: str, from_: str, body: str, *, status_callback: str | None = None) -> str:
        self.asked.append(to)
        answer = self.answers.pop(0) if self.answers else f"SM{len(self.asked)}"
        if callable(answer):
            answer = await answer()
        if isinstance(answer, Exception):
            raise answer
        return str(answer)

    async def texts(self, **_: Any) -> list[Any]:
        return []


class Interrupted:
    """The books; before something is only looked at in them, something else happens."""

    def __init__(self, sql: Sql, meanwhile: Callable[[], Awaitable[None]]) -> None:
        self.session = sql.session
        self._sql, self._meanwhile = sql, meanwhile

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        await self._meanwhile()
        async with self._sql.reading() as session:
            yield session
