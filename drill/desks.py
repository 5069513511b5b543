"""Who works beside the agents on a bad Saturday: the lead's stand-in, and those who follow up.

They use the product's own API, as the console and the ledger's page do.
"""

from __future__ import annotations

from typing import Any

from drill import saturday
from drill.saturday import Step
from drill.staff import Agent

LOOK_MS = 5_000
ORDER = ("investigating", "identified", "monitoring", "verified", "resolved")
TAKE_MS = 20_000
"""Reaching one merchant, or finding that nobody is there."""
TRIES = 10
ENDS = ("reached", "reached", "reached", "unreachable", "not_wanted")
NOTES = {
    "reached": "Reached by phone: it works again.",
    "unreachable": "Two tries by phone, nobody there.",
    "not_wanted": "Asked not to be called about it.",
}
BY_HAND = ("agreed to no texts", "the text did not arrive")
"""So the ledger marks the rows that no notice comes to."""


class StandIn(Agent):
    """Does what the person at the keyboard has left undone when its time is over, and nothing else."""

    async def work(self) -> None:
        self.begun_ms, self.left = self.clock.now_ms(), list(saturday.STEPS)
        self.closed: set[str] = set()
        await self.at_the_product(self._play)

    async def _play(self) -> None:
        while True:
            past_s = (self.clock.now_ms() - self.begun_ms) / 1000
            while self.left and self.left[0].at_s <= past_s and await self._take(self.left[0]):
                self.left.pop(0)
            if not self.left:
                await self._close()
            await self.clock.sleep(max(LOOK_MS, self.look_ms))

    async def _take(self, step: Step) -> bool:
        """Whether the step is done, by whomever."""
        if step.verb == "level":
            return await self._level(step.level)
        if step.verb == "calm":
            queues = (await self.read("/api/v1/queues"))["queues"]
            few = sum(queue["waiting"] for queue in queues) <= max(queue["agents"] for queue in queues)
            return few and await self._level(0)
        live = await self._live()
        if step.verb == "declare":
            return bool(live) or await self._post(
                "/api/v1/incidents",
                title=saturday.TITLE,
                words=_words(step),
                severity="major",
                scope={"products": [saturday.PRODUCT]},
                topic=saturday.TOPIC,
                do=saturday.DO,
                dont=saturday.DONT,
                next_update_min=10,
            )
        return all([await self._move(row, step) for row in live])

    async def _level(self, level: int) -> bool:
        """The level, at least so high; 0: none."""
        here = int((await self.read("/api/v1/level"))["level"])
        done = here >= level if level else here == 0
        return done or await self._post("/api/v1/level", level=level, reason="The stand-in's turn")

    async def _move(self, row: dict[str, Any], step: Step) -> bool:
        """The incident, moved on unless it is there. Resolved is reached by way of verified."""
        here, there = ORDER.index(row["state"]), ORDER.index(step.verb)
        if here >= there:
            return True
        state = "verified" if step.verb == "resolved" and row["state"] != "verified" else step.verb
        due = None if there >= ORDER.index("verified") else 10
        path = f"/api/v1/incidents/{row['id']}/updates"
        given = {"version": row["version"], "words": _words(step), "state": state, "next_update_min": due}
        return await self._post(path, **given) and state == step.verb

    async def _live(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.read("/api/v1/incidents?live=true"))["incidents"]
        return found

    async def _close(self) -> None:
        """The ledger of each incident that is over, once every row has its end."""
        for row in (await self.read("/api/v1/incidents"))["incidents"]:
            rows = await self.read(f"/api/v1/followups?incident={row['id']}&unfinished=true&count=1")
            if row["state"] != "resolved" or rows["total"] or row["id"] in self.closed:
                continue
            if await self._post(f"/api/v1/incidents/{row['id']}/close"):
                self.closed.add(row["id"])
                self.counts["ledgers closed"] += 1


class Clerk(Agent):
    """Follows up with those to whom no text may go, one after the other, once the incident is over."""

    async def work(self) -> None:
        await self.clock.sleep(saturday.AFTERWARDS_S * 1000)
        await self.at_the_product(self._follow_up)

    async def _follow_up(self) -> None:
        while True:
            rows = (await self.read("/api/v1/followups?state=open&count=100"))["follow_ups"]
            ours = [row for row in rows if not row["incident"] or row["note"].startswith(BY_HAND)]
            if not ours:
                await self.clock.sleep(max(LOOK_MS, self.look_ms))
                continue
            await self._deal_with(self.temper.one_of([row["id"] for row in ours]))

    async def _deal_with(self, row: str) -> None:
        path = f"/api/v1/followups/{row}"
        if not await self._post(path, verb="claim"):
            return
        await self.clock.sleep(TAKE_MS)
        end = self.temper.one_of(list(ENDS))
        for _ in range(TRIES):  # what was claimed is not left lying when the product was slow for a while
            if await self._post(path, verb=end, note=NOTES[end]):
                self.counts["followed up"] += 1
                return
            await self.clock.sleep(max(LOOK_MS, self.look_ms))


def _words(step: Step) -> dict[str, str]:
    return dict(zip(("en", "es"), step.words, strict=True))
