"""Telephones that are called: they ring, and are answered, or not, as they were told to behave."""

from __future__ import annotations

from drill.network.exchange import Exchange, Phone
from drill.network.legs import CallStatus, Leg
from drill.network.people import Person, Script

OUTCOMES = {
    "busy": CallStatus.BUSY,
    "failed": CallStatus.FAILED,
    "no-answer": CallStatus.NO_ANSWER,
}
BUSY_MS = 1_500


async def ring(exchange: Exchange, leg: Leg, timeout_s: int) -> CallStatus:
    """Ring until answered or given up: in-progress, busy, failed or no-answer."""
    if exchange.hands.holds(leg.to):
        return await exchange.hands.ring(exchange.clock, leg, timeout_s)
    phone = exchange.phones.get(leg.to) or Phone()
    answers = phone.answers
    if phone.then:
        phone.answers = phone.then.pop(0)
    if answers in ("busy", "failed"):
        await exchange.clock.sleep(min(BUSY_MS, phone.after_ms))
        return OUTCOMES[answers]
    if answers == "no-answer" or phone.after_ms > timeout_s * 1000:
        await exchange.clock.sleep(timeout_s * 1000)
        return CallStatus.NO_ANSWER
    await exchange.clock.sleep(phone.after_ms)
    leg.machine = answers == "machine"
    if phone.script and leg.person is None and not leg.machine:
        leg.person = Person(exchange, leg, Script.of(phone.script))
    return CallStatus.IN_PROGRESS
