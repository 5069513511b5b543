"""The people who serve the line: who is at work, in which presence, for which queues.

Each verb is one script; a repeat is harmless. Every verb raises Unavailable when Redis does not answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from redis.asyncio import Redis

from foundation.breaker import Breaker
from foundation.errors import Mendable
from queueing.names import nameable
from queueing.policy import LinePolicy
from queueing.presence import Presence
from queueing.records import AgentNow, Card, ContactNow, Outcome, pack_skills
from queueing.scripts import Scripts

__all__ = ["AgentNow", "Outcome", "Roster"]


class Roster:
    """The roster of one centre."""

    def __init__(self, redis: Redis, policy: LinePolicy, breaker: Breaker | None = None) -> None:
        self.policy = policy
        self._run = Scripts(redis, policy, breaker, ("sign_in", "ready", "stand_down", "roll"))
        self.keys = self._run.keys

    async def sign_in(
        self, agent: str, *, name: str, skills: Mapping[str, int], line: str, now_ms: int
    ) -> AgentNow:
        """Come to work: off becomes away. A repeat keeps the presence and renews name, skills and line.

        ``skills`` is queue to handicap in ms (0 and more); queues the centre does not have are left out.
        ``line`` is "softphone" or a phone number. Raises Mendable for a name that is none.
        """
        if not nameable(agent) or "|" in line:
            raise Mendable("An agent's login is letters, digits and ._:+- only, and a line holds no '|'.")
        served = {q.name: max(0, int(skills[q.name])) for q in self.policy.queues if q.name in skills}
        page = await self._run(
            "sign_in",
            agent=agent,
            name=" ".join(name.replace("|", "/").split()),
            skills=pack_skills(served),
            phone=line,
            now_ms=now_ms,
        )
        return AgentNow.read(agent, page)

    async def ready(self, agent: str, now_ms: int) -> Outcome:
        """Take contacts: from away, wrap-up or off; the next is reserved at once (see ``agent``).

        While talking it takes back a wish to be away afterwards. DONE, ALREADY or GONE.
        """
        if not nameable(agent):
            return Outcome.GONE
        return Outcome(await self._run("ready", agent=agent, now_ms=now_ms))

    async def away(self, agent: str, reason: str, now_ms: int) -> Outcome:
        """A break: at once, or while talking afterwards. A contact it was asked for is put back.

        DONE, ALREADY, REFUSED (off: sign in first) or GONE.
        """
        return await self._stand_down(agent, "away", reason, now_ms)

    async def off(self, agent: str, now_ms: int) -> Outcome:
        """The end of work: at once, or while talking afterwards. DONE, ALREADY or GONE."""
        return await self._stand_down(agent, "off", "", now_ms)

    async def _stand_down(self, agent: str, wish: str, reason: str, now_ms: int) -> Outcome:
        if not nameable(agent):
            return Outcome.GONE
        told = reason.replace("|", "/")[:200]
        return Outcome(await self._run("stand_down", agent=agent, wish=wish, reason=told, now_ms=now_ms))

    async def agent(self, agent: str) -> AgentNow | None:
        """One agent as it stands; None for somebody who never signed in."""
        page = await self._run.page(f"@{agent}")
        return None if page is None else AgentNow.read(agent, page)

    async def agents(self) -> list[AgentNow]:
        """Everyone who ever signed in, whatever their presence, by login."""
        return sorted(await self._everyone(), key=lambda a: a.agent)

    async def with_cards(self, queue: str) -> list[tuple[AgentNow, Card | None]]:
        """Those at work who serve ``queue``, each with the card of the contact in hand, if there is one.

        Costs a step per agent: once a second, not once a call.
        """
        at_work = [
            agent
            for agent in await self._everyone()
            if queue in agent.skills and agent.presence not in (Presence.OFF, Presence.AWAY)
        ]
        names = sorted({agent.contact for agent in at_work if agent.contact})
        pages = await self._run.pages(names)
        cards = {name: ContactNow.read(name, page).card for name, page in pages.items()}
        return [(agent, cards.get(agent.contact)) for agent in at_work]

    async def _everyone(self) -> list[AgentNow]:
        told = await self._run("roll")
        return [AgentNow.read(told[i], told[i + 1]) for i in range(0, len(told), 2)]
