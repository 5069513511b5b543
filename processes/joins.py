"""Before the line parts two who were to meet, Twilio is asked whether they have.

That they met is told by the conference's callbacks. Are all of them lost, the two talk while the line counts
down; at the deadline it would send the caller back into the queue. So shortly before it Twilio's own list of
who is in the conference decides.
"""

from __future__ import annotations

import asyncio

import structlog

from carrier.twilio_rest import Busy, Carrier, Refused
from foundation.clock import Clock
from foundation.errors import Unavailable
from ivr.standing import conference_name
from queueing.line import Line
from queueing.presence import Presence
from queueing.records import AgentNow, Outcome
from queueing.roster import Roster

LEFT_MS = 12_000
"""A join that is still open so shortly before its deadline is asked about; most are over long before."""
AT_ONCE = 10
"""So many look-ups side by side: when no callback comes, every join is looked up."""
BOTH = frozenset({"caller", "agent"})

log = structlog.get_logger(__name__)


class Joins:
    """Looks every few seconds at the joins that are running out."""

    def __init__(self, carrier: Carrier, roster: Roster, line: Line, clock: Clock) -> None:
        self.carrier = carrier
        self.roster = roster
        self.line = line
        self.clock = clock

    async def look(self) -> list[str]:
        """Connect those who have met unnoticed; their contacts. Raises Unavailable when Redis is away."""
        now_ms, gate = self.clock.now_ms(), asyncio.Semaphore(AT_ONCE)
        open_joins = [agent for agent in await self.roster.agents() if _running_out(agent, now_ms)]

        async def settle(agent: AgentNow) -> bool:
            async with gate:
                met = await self._have_met(agent)
            return met and await self._connect(agent)

        settled = await asyncio.gather(*map(settle, open_joins))
        return [agent.contact for agent, met in zip(open_joins, settled, strict=True) if met]

    async def _have_met(self, agent: AgentNow) -> bool:
        """Whether both are in there. What Twilio does not tell is asked again at the next look."""
        try:
            return await self.carrier.participants(conference_name(agent.contact, agent.fence)) >= BOTH
        except (Refused, Busy, Unavailable) as failed:
            log.warning("a join could not be looked up", contact=agent.contact, why=str(failed))
            return False

    async def _connect(self, agent: AgentNow) -> bool:
        if await self.line.connect(agent.contact, self.clock.now_ms(), agent.agent) is not Outcome.DONE:
            return False  # a callback was faster, or one of them has gone
        log.warning("two had met unnoticed", contact=agent.contact)
        return True


def _running_out(agent: AgentNow, now_ms: int) -> bool:
    joining = agent.presence is Presence.TALKING and agent.deadline_ms > 0
    return joining and agent.deadline_ms - now_ms <= LEFT_MS
