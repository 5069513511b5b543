"""Calls begin here: somebody rings in, a softphone connects, or the product dials out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from drill.network import dialing, gathering, holding, verbs
from drill.network.exchange import Exchange, OurNumber, new_sid
from drill.network.interpreter import Interpreter
from drill.network.legs import Callback, CallStatus, Course, Heard, Leg, Target
from drill.network.people import Person, Script
from drill.network.telephones import ring
from drill.network.texts import Outbox
from drill.network.webhooks import Webhook
from foundation.errors import Mendable

PERFORMERS = (dialing, gathering, holding, verbs)
"""Imported so that their verbs are known to the interpreter."""
DETECTING_MS = 3_000
COMPLETED = frozenset({"completed"})


@dataclass
class Placing:
    """A call the product asked for: what it wants beside the call itself."""

    leg: Leg
    course: Course
    timeout_s: int = 60
    time_limit_s: int = 14_400
    detect: str = ""
    detect_callback: Target | None = None
    """Asynchronous detection tells this address; without it the document waits for the result."""


class Switchboard:
    """Starts calls. Outbound ones leave one by one, ``calls_per_second``; the others wait queued."""

    def __init__(self, exchange: Exchange, hook_url: str, calls_per_second: float = 1.0) -> None:
        self.exchange = exchange
        self.hook_url = hook_url.rstrip("/")
        self.calls_per_second = calls_per_second
        self.outbox = Outbox(exchange)
        self._queued: deque[Placing] = deque()
        self._leaving: asyncio.Task[Any] | None = None
        self._next_ms = 0

    def own_number(self, number: str) -> OurNumber:
        """Give the account a number that points at the product."""
        hook = self.hook_url
        ours = OurNumber(
            new_sid("PN"),
            number,
            self.exchange.now_ms(),
            voice=Target(f"{hook}/voice/incoming"),
            fallback=Target(f"{hook}/voice/fallback"),
            status=Target(f"{hook}/voice/status"),
            sms=Target(f"{hook}/sms/incoming"),
            name=number,
            updated_ms=self.exchange.now_ms(),
        )
        self.exchange.numbers[ours.sid] = ours
        return ours

    def ring_in(self, from_: str, to: str, label: str = "", script: Mapping[str, Any] | None = None) -> Leg:
        """Somebody dials one of our numbers. Raises Mendable when it is none of ours, or without a voice
        URL, or when the script makes no sense.
        """
        ours = next((each for each in self.exchange.numbers.values() if each.number == to), None)
        if ours is None or ours.voice is None:
            raise Mendable(f"{to} is not a number of this account with a voice URL")
        read = Script.of(script) if script else None
        leg = self.exchange.new_leg(
            from_, to, "inbound", label=label, number_sid=ours.sid, fallback=ours.fallback
        )
        leg.extra["StirVerstat"] = "TN-Validation-Passed-A" if from_.startswith("+") else "No-TN-Validation"
        if ours.status is not None:
            leg.callback = Callback(ours.status.url, ours.status.method, COMPLETED)
        if read is not None:
            leg.person = Person(self.exchange, leg, read)
        self.begin(leg, Course(ours.voice.url, ours.voice.method))
        return leg

    def connect_client(self, identity: str, app_sid: str, params: Mapping[str, str]) -> Leg:
        """A softphone dials in: the TwiML App's voice URL is asked, with the parameters given."""
        leg = self.exchange.new_leg(f"client:{identity}", params.get("To", ""), "inbound", label="softphone")
        leg.callback = Callback(f"{self.hook_url}/voice/agent/status", "POST", COMPLETED)
        leg.extra["ApplicationSid"] = app_sid
        self.begin(leg, Course(f"{self.hook_url}/voice/agent", "POST", dict(params)))
        return leg

    def begin(self, leg: Leg, course: Course) -> None:
        """The call's life starts: a task of its own."""
        leg.hear(Heard(self.exchange.now_ms(), "note", "ringing"))
        self.exchange.courier.spawn(Interpreter(self.exchange, leg).live(course))

    # -- outbound ----------------------------------------------------------------------------------

    def dial_out(self, placing: Placing) -> None:
        """Queue a call; it leaves when its turn comes. ``queue_ms`` says when that is likely."""
        now_ms = self.exchange.now_ms()
        spacing_ms = 1000 / self.calls_per_second
        ahead = sum(not each.leg.ended for each in self._queued)
        placing.leg.queue_ms = round(max(0, self._next_ms - now_ms) + ahead * spacing_ms)
        self._queued.append(placing)
        if self._leaving is None or self._leaving.done():
            self._leaving = self.exchange.courier.spawn(self._leave())

    def backlog(self) -> int:
        """How many calls wait for their turn."""
        return len(self._queued)

    async def _leave(self) -> None:
        clock = self.exchange.clock
        while self._queued:
            if clock.now_ms() < self._next_ms:
                await clock.sleep(self._next_ms - clock.now_ms())
            placing = self._queued.popleft()
            if placing.leg.ended:
                continue
            self._next_ms = round(clock.now_ms() + 1000 / self.calls_per_second)
            self.exchange.courier.spawn(self._place(placing))

    async def _place(self, placing: Placing) -> None:
        """One outbound call from the first ring to its end."""
        leg = placing.leg
        leg.run = asyncio.ensure_future(self._until_answered(placing))
        await asyncio.wait({leg.run})
        if not leg.ended:
            await Interpreter(self.exchange, leg).live(leg.diverted or placing.course)

    async def _until_answered(self, placing: Placing) -> None:
        exchange, leg = self.exchange, placing.leg
        exchange.progress(leg, "initiated")
        leg.status = CallStatus.RINGING
        leg.dialed_ms = exchange.now_ms()
        exchange.progress(leg, "ringing")
        outcome = await ring(exchange, leg, placing.timeout_s)
        if outcome is not CallStatus.IN_PROGRESS:
            exchange.end(leg, outcome)
            return
        exchange.answered(leg)
        exchange.progress(leg, "answered")
        exchange.courier.spawn(self._limit(placing))
        if placing.detect:
            await self._detect(placing)

    async def _limit(self, placing: Placing) -> None:
        await self.exchange.clock.sleep(placing.time_limit_s * 1000)
        self.exchange.end(placing.leg)

    async def _detect(self, placing: Placing) -> None:
        """Answering machine detection: before the document is asked, or beside it."""
        leg = placing.leg
        machine = "machine_start" if placing.detect == "Enable" else "machine_end_beep"
        found = machine if leg.machine else "human"
        if placing.detect_callback is None:
            await self.exchange.clock.sleep(DETECTING_MS)
            leg.answered_by = found
        else:
            self.exchange.courier.spawn(self._detected(placing.leg, placing.detect_callback, found))

    async def _detected(self, leg: Leg, target: Target, found: str) -> None:
        await self.exchange.clock.sleep(DETECTING_MS)
        leg.answered_by = found
        fields = {
            "CallSid": leg.sid,
            "AccountSid": self.exchange.account.sid,
            "AnsweredBy": found,
            "MachineDetectionDuration": str(DETECTING_MS),
        }
        self.exchange.courier.tell(Webhook(target.url, target.method, fields, leg.sid))
