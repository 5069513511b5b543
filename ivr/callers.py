"""Who rings: the number as we keep it, the fingerprint that stands for it, and the merchant behind it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from carrier import numbers
from foundation.connections import answering
from foundation.errors import Mendable
from ivr.desk import Desk
from ivr.visits import AWAY, Away, Visit
from merchants import directory
from merchants.recognition import Recognised

WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8566696", "+86282452253", "+17378742833"})
"""Numbers that spell ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE: what Twilio puts in From when a
caller withholds the number (twilio.com/docs/voice/twiml)."""


@dataclass(frozen=True, slots=True)
class Caller:
    number: str
    """E.164, or "" when it is withheld or no number."""
    key: str
    """A keyed fingerprint of the number, the same in every call; "" without a number."""


def identify(desk: Desk, visit: Visit) -> Caller:
    """The caller by ``From``, a merchant whom we rang by ``To``. Anonymous callers are nobody, not one
    person."""
    rung = visit.form.get("Direction", "").startswith("outbound")
    raw = visit.form.get("To" if rung else "From", "").strip()
    if not raw or raw in WITHHELD or len(raw) > 40:
        return Caller("", "")
    try:
        number = numbers.normalise(raw)
    except Mendable:
        return Caller("", "")
    return Caller(number, fingerprint(desk.secret, number))


def fingerprint(secret: str, number: str) -> str:
    """What stands for a number where the number itself may not go."""
    return hmac.new(secret.encode(), number.encode(), hashlib.sha256).hexdigest()[:32]


async def recognise(desk: Desk, visit: Visit, caller: Caller) -> Recognised | Away:
    """The merchant behind the number, as far as SQL says so in time."""
    if not caller.number:
        return Recognised()
    if desk.sql is None:
        return AWAY
    return await visit.enrich(_find(desk, caller.number), within_s=desk.budget.look_up_s)


async def _find(desk: Desk, number: str) -> Recognised:
    assert desk.sql is not None
    async with answering(desk.sql_breaker, enrichment=True), desk.sql.reading() as session:
        return await directory.find(session, number)
