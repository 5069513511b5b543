"""Texts and STOP: what is written, claimed, stopped, sent late and looked up, and who must hear nothing."""

from __future__ import annotations

from typing import Any, ClassVar

from sqlalchemy import delete
from sqlmodel import select

from carrier import texts
from carrier.answers import Ambiguous, Busy, Message
from carrier.tables import OptOut, Text
from foundation.clock import ManualClock
from foundation.connections import Sql
from tests.callbacks.histories import Rule

NUMBERS = ("+14155550101", "+14155550102")
FAULTS = ("busy", "lost answer", "never sent")


class StopWorld:
    """Two numbers. The model: who has said STOP, and what the carrier was given."""

    RULES: ClassVar[dict[str, Rule]] = {
        "is_written": Rule(5, {"n": (0, 1)}),
        "says_stop": Rule(2, {"n": (0, 1), "when": ("now", "now", "while sending")}),
        "says_start": Rule(2, {"n": (0, 1)}),
        "is_sent": Rule(6, {"fault": ("",) * 8 + FAULTS}),
        "is_looked_up": Rule(2),
        "time_passes": Rule(4, {"s": (1, 6, 16, 40)}),
    }

    def __init__(self, sql: Sql, clock: ManualClock) -> None:
        self.sql, self.clock = sql, clock
        self.stopped: set[str] = set()
        self.given: list[Message] = []
        self.written = 0
        self.fault = ""

    async def opens(self) -> None:
        async with self.sql.session() as session:
            for table in (Text, OptOut):
                await session.exec(delete(table))

    # --- the carrier ---------------------------------------------------------------------------------

    async def text(self, to: str, from_: str, body: str, **_named: Any) -> str:
        assert to not in self.stopped, "a text was sent after STOP"
        assert all(each.body != body for each in self.given), "a text was sent twice"
        fault, self.fault = self.fault, ""
        if fault == "busy":
            raise Busy("too many requests")
        if fault == "never sent":
            raise Ambiguous("no answer")
        sid = f"SM{len(self.given)}"
        now_ms = self.clock.now_ms()
        self.given.append(Message(sid, to, from_, body, "delivered", "outbound-api", now_ms, ""))
        if fault == "lost answer":
            raise Ambiguous("no answer")
        return sid

    async def texts(self, *, to: str, **_named: Any) -> list[Message]:
        return [each for each in reversed(self.given) if each.to == to]

    async def message(self, sid: str) -> Message | None:
        return next((each for each in self.given if each.sid == sid), None)

    # --- rules ---------------------------------------------------------------------------------------

    async def is_written(self, n: int) -> None:
        self.written += 1
        now_ms = self.clock.now_ms()
        row = Text(id=f"t{self.written}", number=NUMBERS[n], kind="promise", body=f"text {self.written}")
        row.made_ms = row.not_before_ms = now_ms
        async with self.sql.session() as session:
            await texts.write(session, row)

    async def says_stop(self, n: int, when: str) -> None:
        if when == "while sending":
            await self.is_sent("", meanwhile=n)
            return
        async with self.sql.session() as session:
            await texts.opt_out(session, NUMBERS[n], "STOP", self.clock.now_ms())
        self.stopped.add(NUMBERS[n])

    async def says_start(self, n: int) -> None:
        async with self.sql.session() as session:
            await texts.opt_in(session, NUMBERS[n])
        self.stopped.discard(NUMBERS[n])

    async def is_sent(self, fault: str, meanwhile: int | None = None) -> None:
        """A worker sends what is due; ``meanwhile``: that number says STOP between listing and sending."""
        async with self.sql.reading() as session:
            ids = await texts.due(session, self.clock.now_ms())
        if meanwhile is not None:
            await self.says_stop(meanwhile, "now")
        self.fault = fault
        more: dict[str, Any] = {"from_": "+14155550000", "callback": "https://here/sms/status"}
        for text_id in ids:
            await texts.send(self.sql, self, text_id, clock=self.clock, **more)  # type: ignore[arg-type]
        self.fault = ""

    async def is_looked_up(self) -> None:
        now_ms = self.clock.now_ms()
        async with self.sql.reading() as session:
            ids = await texts.unsettled(session, now_ms)
        for text_id in ids:
            await texts.settle(self.sql, self, text_id, from_="+14155550000", now_ms=now_ms)  # type: ignore[arg-type]

    async def time_passes(self, s: int) -> None:
        self.clock.advance(s=s)

    # --- what must hold ------------------------------------------------------------------------------

    async def laws(self) -> None:
        async with self.sql.reading() as session:
            rows = list(await session.exec(select(Text)))
        assert len(rows) == self.written, "a text was lost"
        waiting = [row.id for row in rows if row.state == "queued" and row.number in self.stopped]
        assert not [w for w in waiting if not self._may_wait(w, rows)], f"texts wait after STOP: {waiting}"

    @staticmethod
    def _may_wait(text_id: str, rows: list[Text]) -> bool:
        """Put back by a worker that had it in hand: skipped when it is next taken up."""
        return any(row.id == text_id and row.error for row in rows)

    async def comes_to_rest(self) -> None:
        for _ in range(6):
            self.clock.advance(s=60)
            await self.is_sent("")
            await self.is_looked_up()
        async with self.sql.reading() as session:
            left = [
                row
                for row in await session.exec(select(Text))
                if row.state in ("queued", "sending", "unknown")
            ]
        assert not left, f"texts are left over: {left}"
