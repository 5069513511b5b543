"""One webhook, read: what Twilio says of the call, and what the URL brings along."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

import structlog

from foundation.errors import Unavailable
from ivr import tallies

T = TypeVar("T")

_CALL_SID = re.compile(r"CA[0-9A-Za-z]{1,62}\Z")
_CONTACT = re.compile(r"(CA[0-9A-Za-z]{1,62}|PR[0-9a-f]{16}\.[1-9][0-9]{0,5})\Z")
_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


class Away(Enum):
    """The answer of a store that gave none in time."""

    AWAY = "away"


AWAY: Final = Away.AWAY


@dataclass(frozen=True, slots=True)
class Visit:
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    ask: str
    """The request's fingerprint (its signature): a repeat has the same, the next question another."""
    now_ms: int
    enrich_until_s: float
    """When, on the event loop's clock, stores have no more say in the answer."""

    @property
    def contact(self) -> str:
        """The CallSid, or "" when it is not fit to name a contact."""
        sid = self.form.get("CallSid", "")
        return sid if _CALL_SID.match(sid) else ""

    @property
    def over(self) -> bool:
        """The call has ended: whatever we answer, nobody hears it."""
        return self.form.get("CallStatus", "") in _OVER

    @property
    def is_agents(self) -> bool:
        """It is an agent's leg, not a caller's: a softphone's, or a telephone that we rang."""
        rung = self.form.get("Direction", "").startswith("outbound")
        return rung or self.form.get("From", "").startswith("client:")

    async def enrich(self, work: Awaitable[T], *, within_s: float | None = None) -> T | Away:
        """What a store says, or AWAY: not in time, not at all, or not without an error of ours.

        The base answer is true without it, so nothing that goes wrong here may cost the caller the answer.
        ``within_s``: this one has less time than all together.
        """
        until_s = self.enrich_until_s
        if within_s is not None:
            until_s = min(until_s, asyncio.get_running_loop().time() + within_s)
        try:
            async with asyncio.timeout_at(until_s):
                return await work
        except (Unavailable, TimeoutError) as away:
            structlog.get_logger().warning("store_away", door=self.path, call=self.contact, why=str(away))
            tallies.BASE_ANSWERS.labels(self.path, "away").inc()
        except Exception:
            structlog.get_logger().exception("enrichment_failed", door=self.path, call=self.contact)
            tallies.BASE_ANSWERS.labels(self.path, "error").inc()
        return AWAY


def named_contact(text: str) -> str:
    """A contact's id out of a query or a form: a call's, or a promise's turn; "" when it is none."""
    return text if _CONTACT.match(text) else ""
