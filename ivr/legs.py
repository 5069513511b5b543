"""Small notes in Redis beside the line, under its hash tag, about legs and effects. They forget themselves.

``…:rung:<contact>:<fence>``  the agent's phone is being rung (or was): whoever sets it may dial, once
``…:leg:<contact>:<fence>``   CallSid of the agent's leg
``…:typed:<contact>``         the number a caller keyed in for the callback; it may stand in no URL
``…:met:<contact>:<fence>``   set of who has joined the conference
``…:back:<contact>:<fence>``  the caller was told that this reservation failed, and is in the queue again
``…:brought:<contact>:<fence>``  who brings a merchant who waits on the line to this agent: one does
``…:done:<event>``            the effect of this line of the journal has been carried out
"""

from __future__ import annotations

from redis.asyncio import Redis

from foundation.connections import Breaker, answering

NOTE_MS = 4 * 3_600_000
"""As long as the longest talk Twilio allows."""


class Legs:
    def __init__(self, redis: Redis, centre: str, breaker: Breaker | None = None) -> None:
        self._redis, self._breaker = redis, breaker
        self._prefix = f"surgeline:{{{centre}}}"

    async def claim_ring(self, contact: str, fence: int) -> bool:
        """True for the first who asks: the agent's phone is to be rung once per reservation."""
        return await self._note(f"rung:{contact}:{fence}", "1", once=True)

    async def note_agent(self, contact: str, fence: int, sid: str) -> None:
        """The agent's leg of this reservation is this call."""
        await self._note(f"leg:{contact}:{fence}", sid)

    async def agent(self, contact: str, fence: int) -> str:
        """The CallSid of the agent's leg; "" when none is known."""
        return await self._read(f"leg:{contact}:{fence}")

    async def note_typed(self, contact: str, number: str) -> None:
        """The number (E.164) that this caller wants to be called on; "" takes it back."""
        await self._note(f"typed:{contact}", number)

    async def typed(self, contact: str) -> str:
        return await self._read(f"typed:{contact}")

    async def note_joined(self, contact: str, fence: int, label: str) -> int:
        """``label`` ("caller", "agent") is in the conference; how many different ones have been."""
        key = f"{self._prefix}:met:{contact}:{fence}"
        async with answering(self._breaker), self._redis.pipeline(transaction=True) as together:
            together.sadd(key, label)
            together.pexpire(key, NOTE_MS)
            together.scard(key)
            return int((await together.execute())[-1])

    async def note_back(self, contact: str, fence: int) -> None:
        """The caller is back in the queue and has been told why."""
        await self._note(f"back:{contact}:{fence}", "1")

    async def is_back(self, contact: str, fence: int) -> bool:
        return bool(await self._read(f"back:{contact}:{fence}"))

    async def claim_bringing(self, contact: str, fence: int, who: str) -> bool:
        """True for the first who asks, whenever it asks: the merchant on the line is brought to the agent
        once, by a door or by an effect."""
        if await self._note(f"brought:{contact}:{fence}", who, once=True):
            return True
        return await self._read(f"brought:{contact}:{fence}") == who

    async def note_done(self, event_id: str) -> None:
        await self._note(f"done:{event_id}", "1")

    async def is_done(self, event_id: str) -> bool:
        return bool(await self._read(f"done:{event_id}"))

    async def _note(self, what: str, value: str, *, once: bool = False) -> bool:
        async with answering(self._breaker):
            return bool(await self._redis.set(f"{self._prefix}:{what}", value, px=NOTE_MS, nx=once))

    async def _read(self, what: str) -> str:
        async with answering(self._breaker):
            return str(await self._redis.get(f"{self._prefix}:{what}") or "")
