"""A stand-in for the carrier, in memory: it rings phones, loses answers, notices when two ring for one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from carrier.twilio_rest import Ambiguous, Busy, Call
from foundation.clock import Clock

RINGS = "ringing"
TALKS = "in-progress"


class Died(BaseException):
    """A worker's end."""


@dataclass
class Leg:
    """A call that we made. ``status`` is Twilio's word; ``told``: whether its end has been told."""

    sid: str
    to: str
    attempt: str
    placed_ms: int
    status: str = RINGS

    @property
    def promise(self) -> str:
        return self.attempt.rpartition("-")[0]

    @property
    def live(self) -> bool:
        return self.status in (RINGS, TALKS)


@dataclass
class Wire:
    """As much of ``Carrier`` as dialling needs. ``fault`` is what befalls the next dial."""

    clock: Clock
    legs: dict[str, Leg] = field(default_factory=dict)
    fault: str = ""
    prefix: str = "CA0"

    async def dial(self, to: str, _from: str, url: str, **_named: Any) -> str:
        fault, self.fault = self.fault, ""
        if fault == "busy":
            raise Busy("too many requests")
        if fault == "broken":
            raise Ambiguous("no answer")
        if fault == "died before":
            raise Died
        attempt = parse_qs(urlsplit(url).query)["attempt"][0]
        leg = Leg(f"{self.prefix}leg{len(self.legs)}", to, attempt, self.clock.now_ms())
        others = [each for each in self.legs.values() if each.promise == leg.promise and each.live]
        self.legs[leg.sid] = leg
        assert not others, f"two phones ring for one promise: {[*others, leg]}"
        assert all(each.attempt != attempt for each in self.legs.values() if each is not leg), (
            f"an attempt was sent twice: {leg}"
        )
        if fault == "lost answer":
            raise Ambiguous("no answer")
        if fault == "died after":
            raise Died
        return leg.sid

    async def cancel(self, sid: str) -> None:
        if self.legs[sid].status == RINGS:
            self.legs[sid].status = "canceled"

    async def call(self, sid: str) -> Call | None:
        leg = self.legs.get(sid)
        return self._told(leg) if leg else None

    async def calls(self, *, to: str, from_: str, since_ms: int, limit: int) -> list[Call]:
        mine = [leg for leg in self.legs.values() if leg.to == to and leg.placed_ms >= since_ms]
        return [self._told(leg) for leg in reversed(mine)][:limit]

    def of(self, promise: str) -> Iterator[Leg]:
        """The live legs of a promise."""
        return (leg for leg in self.legs.values() if leg.promise == promise and leg.live)

    def _told(self, leg: Leg) -> Call:
        return Call(leg.sid, leg.to, "", leg.status, "outbound-api", leg.placed_ms)
