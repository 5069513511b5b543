"""Incidents and surges, for the pages' tests: a bad Saturday in SQL, in Redis and in the pulse."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from queueing.pulse import Pulse, publish
from surge import incidents, suggestions, switch
from surge.incidents import NewIncident, Post
from surge.office import Watch
from surge.states import IncidentState, Level
from surge.tables import (
    Commitment,
    Deflection,
    FollowUp,
    Incident,
    IncidentUpdate,
    Subscription,
    SurgeEvent,
    SurgeState,
)
from tests.waits import queue_pulse

MINUTE_MS = 60_000
WORDS = {
    "en": "We know that card payments are failing on tills in the West. Our engineers are repairing it.",
    "es": "Sabemos que los pagos con tarjeta fallan en las cajas del oeste. Nuestros ingenieros lo reparan.",
}
TABLES = (
    Commitment, Deflection, FollowUp, Incident, IncidentUpdate, Subscription, SurgeEvent, SurgeState,
)  # fmt: skip


class Outage:
    """What is wrong in one house."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    async def clear(self) -> None:
        async with self.watch.sql.session() as session:
            connection = await session.connection()
            for table in TABLES:
                await connection.execute(delete(table))

    async def declare(self, title: str = "Card payments fail", **given: Any) -> Incident:
        told = {
            "words": WORDS,
            "severity": "critical",
            "scope": {"products": ["till"]},
            "do": "Switch offline mode on.",
            "dont": "Do not force-quit the app.",
            "next_update_ms": self.now_ms + 12 * MINUTE_MS,
            **given,
        }
        ago = told.pop("ago", 0)
        new = NewIncident(title=title, **told)
        return await incidents.declare(self.watch, new, "lead1", self.now_ms - ago * MINUTE_MS)

    @property
    def now_ms(self) -> int:
        return self.watch.clock.now_ms()

    async def say(self, row: Incident, words: str, state: IncidentState | None = None) -> Incident:
        post = Post(words={"en": words}, state=state, next_update_ms=self.now_ms + 20 * MINUTE_MS)
        return await incidents.post_update(self.watch, row.id, post, row.version, "super1", self.now_ms)

    async def surge(self, level: Level = Level.SURGE) -> None:
        await switch.set_level(self.watch, level, "lead1", self.now_ms, reason="calls pile up")

    async def suggest(self, **given: Any) -> None:
        told = {"source": "detector", "why": "Calls doubled; product till: 71 % of the calls, usually 22 %"}
        async with self.watch.sql.session() as session:
            await suggestions.suggest(session, now_ms=self.now_ms, **{**told, **given})

    async def turned_away(self, count: int, incident: str = "", **given: Any) -> None:
        """Follow-ups: the callers of a bad hour."""
        whys = ("deflected", "abandoned", "deflected", "full", "message")
        names = ("Corner Bakery", "Taqueria Luna", "Night Owl Diner", "Bay Books", "Harbour Fish")
        async with self.watch.sql.session() as session:
            for place in range(count):
                session.add(
                    FollowUp(
                        **{
                            "id": f"CAturned{place}",
                            "incident": incident,
                            "why": whys[place % 5],
                            "state": "open",
                            "number": f"+1415557{place:04}",
                            "merchant": names[place % 5],
                            "tier": "gold" if place % 3 == 0 else "standard",
                            "language": "es" if place % 4 == 1 else "en",
                            "made_ms": self.now_ms - (90 - place) * MINUTE_MS,
                            **given,
                        }
                    )
                )

    async def deflected(self, count: int, incident: str = "") -> None:
        async with self.watch.sql.session() as session:
            for place in range(count):
                session.add(
                    Deflection(
                        id=f"CAdefl{place}",
                        number=f"+1415557{place:04}",
                        incident=incident,
                        level=2,
                        at_ms=self.now_ms,
                        called_again_ms=self.now_ms if place % 10 == 0 else None,
                    )
                )

    async def pulse(self, waiting: int = 31, agents: int = 4, handling_s: float = 240.0) -> None:
        """Live figures, as the sweeper takes them."""
        now = Pulse(self.now_ms, {"support": queue_pulse(waiting, agents, handling_s)})
        await publish(self.watch.redis, self.watch.keys, now)
