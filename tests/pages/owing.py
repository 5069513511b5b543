"""Callbacks owed, for the pages' tests: promises in SQL and in the line, and a past with every end."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete
from sqlmodel import col

from callbacks import links
from callbacks.cards import card_of
from callbacks.office import Office
from callbacks.states import AttemptState, PromiseState
from callbacks.tables import Attempt, CallbackSwitch, Promise, PromiseEvent
from callbacks.turns import turn_name
from carrier.tables import OptOut, Text
from dashboard.rooms import FailedJob, QueueOfWork, TextBacklog

MINUTE_MS = 60_000
NAMES = ("Corner Bakery", "Taqueria Luna", "Night Owl Diner", "Bay Books", "Harbour Fish", "Green Fork")
NUMBERS = "+1415556"
TOPICS = ("card_reader", "payout", "login", "new_device")


class Work:
    """Stands in for the queues of work."""

    def __init__(self) -> None:
        self.dead: list[FailedJob] = []
        self.texts = TextBacklog(0, 0, None)
        self.ran: list[str] = []

    async def queues(self) -> list[QueueOfWork]:
        return [QueueOfWork("dials", 3, 1, len(self.dead)), QueueOfWork("texts", 412, 1, 0)]

    async def failed_jobs(self) -> list[FailedJob]:
        return self.dead

    async def run_again(self, job: str) -> bool:
        known = job in [one.id for one in self.dead]
        self.dead = [one for one in self.dead if one.id != job]
        self.ran += [job] if known else []
        return known

    async def backlog(self) -> TextBacklog:
        return self.texts


class Owing:
    """The promises of one house."""

    def __init__(self, office: Office) -> None:
        self.office = office

    async def clear(self) -> None:
        async with self.office.sql.session() as session:
            connection = await session.connection()
            await connection.execute(delete(Promise).where(col(Promise.number).startswith(NUMBERS)))
            for table in (Attempt, Text, OptOut, CallbackSwitch):
                await connection.execute(delete(table))

    async def owe(self, place: int, **given: Any) -> Promise:
        """Promise number ``place``: due, in line when its state is, promised by ``by`` minutes from now."""
        now_ms = self.office.clock.now_ms()
        by, ago = given.pop("by", 20), given.pop("ago", 12)
        number = f"{NUMBERS}{place:04}"
        row = Promise(
            id=f"PR{place:016x}",
            number=number,
            open_number=number,
            arrival_us=(now_ms - ago * MINUTE_MS) * 1000 + place,
            entered_ms=now_ms - ago * MINUTE_MS,
            made_ms=now_ms - ago * MINUTE_MS,
            by_ms=now_ms + by * MINUTE_MS,
            expires_ms=now_ms + 86_400_000,
            **{
                "state": PromiseState.IN_LINE.value,
                "queue": "support",
                "band": "p2",
                "due_ms": now_ms - ago * MINUTE_MS,
                "merchant": NAMES[place % len(NAMES)],
                "merchant_id": 1 + place % 4,
                "tier": "gold" if place % 3 == 0 else "standard",
                "topic": TOPICS[place % len(TOPICS)],
                "turn": 1,
                "texts": True,
                **given,
            },
        )
        async with self.office.sql.session() as session:
            session.add(row)
            session.add(PromiseEvent(promise=row.id, at_ms=now_ms, kind="made", by="merchant"))
        if row.state == PromiseState.IN_LINE:
            await self.office.line.rejoin(
                turn_name(row.id, row.turn),
                queue=row.queue,
                band=row.band,
                arrival_us=row.arrival_us,
                entered_ms=row.entered_ms,
                card=card_of(row),
                now_ms=now_ms,
            )
        return row

    async def owe_many(self, count: int) -> list[Promise]:
        """Late ones, ones in line, later ones: a whole evening."""
        rows = []
        for place in range(1, count + 1):
            later = place % 7 == 5
            due = {"state": PromiseState.DUE_LATER.value, "turn": 0, "windowed": True} if later else {}
            if later:
                due["due_ms"] = self.office.clock.now_ms() + (40 + place) * MINUTE_MS
            by = -6 + place * 4 if not later else 100 + place
            rows.append(await self.owe(place, by=by, ago=30 - min(place, 25), tries=place % 3, **due))
        return rows

    async def tried(self, row: Promise, fence: int, result: str) -> None:
        """An attempt in this turn came to nothing."""
        now_ms = self.office.clock.now_ms()
        async with self.office.sql.session() as session:
            session.add(
                Attempt(
                    id=f"{row.id}-1",
                    promise=row.id,
                    contact=turn_name(row.id, row.turn),
                    fence=fence,
                    state=AttemptState.NOT_REACHED.value,
                    result=result,
                    made_ms=now_ms,
                )
            )
        await self.office.line.not_reached(turn_name(row.id, row.turn), fence, now_ms)

    async def change(self, promise: str, **given: Any) -> None:
        """The promise as somebody else has just changed it."""
        async with self.office.sql.session() as session:
            row = await session.get(Promise, promise)
            assert row is not None
            for name, value in given.items():
                setattr(row, name, value)
            row.version += 1
            session.add(row)
            session.add(PromiseEvent(promise=promise, at_ms=row.made_ms, kind="changed", by="test"))

    def path(self, row: Promise) -> str:
        """The merchant's own page."""
        return f"/c/{links.token(self.office.secret, row.id)}"


def past_promises(now_ms: int) -> list[Promise]:
    """Today's promises that are over, with some of every end."""
    ends = ["kept"] * 14 + ["unreachable", "cancelled", "superseded", "resolved", "expired", "cancelled"]
    rows = []
    for i in range(80):
        state, made = ends[i % len(ends)], now_ms - (90 + i * 3) * MINUTE_MS
        by = made + 25 * MINUTE_MS
        off = [-9, -3, -1, 0, 0, 1, 2, 4, 12, 22, 45, 80][i * 7 % 12] * MINUTE_MS
        rung = None if state in ("cancelled", "superseded", "resolved") else by + off
        rows.append(
            Promise(
                id=f"PR{i + 0xA000:016x}",
                state=state,
                number=f"+1415557{i:04}",
                queue="billing" if i % 4 == 3 else "support",
                band="p2",
                merchant=NAMES[i % len(NAMES)],
                merchant_id=1 + i % 4,
                topic=TOPICS[i % 4],
                made_ms=made,
                due_ms=made,
                by_ms=by,
                first_rung_ms=rung,
                met_ms=rung + 20_000 if rung and state == "kept" else None,
                ended_ms=by + off + 300_000,
                tries=[0, 0, 0, 1, 2][i % 5] if state == "kept" else 3 if state == "unreachable" else 0,
                reason="the merchant's own page" if state == "cancelled" else "",
            )
        )
    return rows
