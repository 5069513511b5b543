"""The incident lead of a drill: the scenario's script, played at the console's own API."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx2

from dashboard.sessions import sign_in_link
from drill.scenarios.written import Declare, Scenario, SetLevel, Step, Update, WorkLedger
from drill.stage.desks import LEADS
from drill.stage.house import PRODUCT, House
from foundation.errors import SurgelineError


class Refused(SurgelineError):
    """The product did not do what the script asks for: the script is wrong, or the product is."""


@dataclass
class Leads:
    """Plays the steps in order. ``done`` says when each was done (epoch milliseconds) and in what words."""

    house: House
    scenario: Scenario
    done: list[tuple[int, str]] = field(default_factory=list)
    incidents: dict[str, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    _desks: dict[str, httpx2.AsyncClient] = field(default_factory=dict)
    _csrf: dict[str, str] = field(default_factory=dict)

    async def play(self, steps: Sequence[Step]) -> None:
        """Raises Refused naming the step that the product did not take."""
        zone = self.scenario.centre.get("time_zone", self.house.stores.plan.written.time_zone)
        async with AsyncExitStack() as stack:
            for step in sorted(steps, key=lambda step: step.at):
                at_ms = self.scenario.ms(step.at, zone)
                await self.house.clock.sleep(at_ms - self.house.now_ms)
                if not self._desks:
                    for lead in LEADS:
                        await self._sit_down(lead, stack)
                await self._take(step)

    async def _sit_down(self, lead: str, stack: AsyncExitStack) -> None:
        self._desks[lead] = await stack.enter_async_context(self.house.client())
        await self._sign_in(lead)

    async def _sign_in(self, lead: str) -> None:
        desk, secret = self._desks[lead], self.house.stores.settings.secret_key
        desk.cookies.clear()
        await desk.get(sign_in_link(secret, PRODUCT, lead, self.house.now_ms))
        me = await desk.get("/api/v1/me")
        if not me.is_success:
            raise Refused(f"{lead} could not sign in: {me.text[:300]}")
        self._csrf[lead] = me.json()["csrf"]

    async def _take(self, step: Step) -> None:
        match step:
            case Declare():
                await self._declare(step)
            case Update():
                await self._update(step)
            case SetLevel():
                await self._post(step.who, "/api/v1/level", level=step.level, reason=step.reason)
                if step.level == 3:
                    other = next(lead for lead in LEADS if lead != step.who)
                    await self._post(other, "/api/v1/level", level=3, reason=step.reason)
                self._note(f"level {step.level}")
            case WorkLedger():
                await self._work_ledger(step)

    async def _declare(self, step: Declare) -> None:
        told = await self._post(
            step.who, "/api/v1/incidents", title=step.title, words=step.words, severity=step.severity,
            audience=step.audience, scope=step.scope, do=step.advice, dont=step.avoid, topic=step.topic,
            next_update_min=step.next_update_minutes,
        )  # fmt: skip
        self.incidents[step.incident] = told["incident"]["id"]
        self._note(f"declared: {step.title}")

    async def _update(self, step: Update) -> None:
        incident = self.incidents[step.incident]
        now = await self._get(step.who, f"/api/v1/incidents/{incident}")
        state = {"state": step.state.value} if step.state else {}
        await self._post(
            step.who, f"/api/v1/incidents/{incident}/updates", version=now["incident"]["version"],
            words=step.words, no_news=step.no_news, next_update_min=step.next_update_minutes,
            do=step.advice, dont=step.avoid, **state,
        )  # fmt: skip
        self._note(step.state.value if step.state else "update")

    # -- follow-ups ----------------------------------------------------------------------------------------

    async def _work_ledger(self, step: WorkLedger) -> None:
        """Some people work the open follow-ups off, the oldest first: three in four are reached."""
        who = f"{step.people} people work" if step.people > 1 else "one person works"
        self._note(f"{who} off the follow-ups")
        pause_ms = step.minutes_each * 60_000 / step.people
        while True:
            told = await self._get(step.who, "/api/v1/followups?unfinished=true&count=50")
            rows = [row for row in told["follow_ups"] if not row.get("claimed_by")]
            if not rows:
                return
            for row in rows:
                await self.house.clock.sleep(pause_ms)
                reached = self.counts["worked off"] % 4 != 3
                verb = "reached" if reached else "unreachable"
                await self._try(step.who, f"/api/v1/followups/{row['id']}", verb=verb, note="rung by hand")
                self.counts["worked off"] += 1

    # -- the console ---------------------------------------------------------------------------------------

    async def _get(self, who: str, path: str) -> Any:
        answer = await self._ask(who, "GET", path)
        if not answer.is_success:
            raise Refused(f"{path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    async def _post(self, who: str, path: str, **given: Any) -> Any:
        answer = await self._try(who, path, **given)
        if not answer.is_success:
            raise Refused(f"The console refused {path}: {answer.status_code} {answer.text[:600]}")
        return answer.json()

    async def _try(self, who: str, path: str, **given: Any) -> httpx2.Response:
        return await self._ask(who, "POST", path, given)

    async def _ask(
        self, who: str, method: str, path: str, given: dict[str, Any] | None = None
    ) -> httpx2.Response:
        """Half an hour without a step ends a session, and so do twelve hours: then they sign in again."""
        for again in (True, False):
            answer = await self._desks[who].request(
                method, path, json=given, headers={"X-CSRF-Token": self._csrf[who]}
            )
            if answer.status_code != 401 or not again:
                break
            await self._sign_in(who)
        return answer

    def _note(self, words: str) -> None:
        self.done.append((self.house.now_ms, words))
