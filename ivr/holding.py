"""Which of Twilio's queues holds a call. Pure, and known from the call's name alone, so nobody looks it up.

The name tells queue and band, so that the order could be rebuilt from Twilio alone. A queue of Twilio's holds
5,000 calls at most; where more may wait, a queue and band have several, and each call's name says which.
"""

from __future__ import annotations

from zlib import crc32

from queueing.policy import LinePolicy

LARGEST = 5_000
"""Members of one queue at Twilio (twilio.com/docs/voice/api/queue-resource)."""
AIMED_AT = 4_000
"""Members on average when the line is full: names spread evenly, so that none comes near ``LARGEST``."""
LONGEST_NAME = 64


def hold_queue(policy: LinePolicy, queue: str, band: str, contact: str) -> str:
    """The queue at Twilio for this call: ``support.p1``, or ``support.p1.3`` where there are several."""
    count = how_many(policy, queue)
    if count == 1:
        return f"{queue}.{band}"
    return f"{queue}.{band}.{crc32(contact.encode()) % count + 1}"


def hold_queues(policy: LinePolicy) -> dict[str, tuple[str, str]]:
    """Every queue at Twilio that is ours: its name to queue and band."""
    named = {}
    for queue in policy.queues:
        count = how_many(policy, queue.name)
        for band in policy.bands:
            for number in range(1, count + 1):
                name = f"{queue.name}.{band.name}" + (f".{number}" if count > 1 else "")
                named[name] = (queue.name, band.name)
    return named


def held_for(policy: LinePolicy, name: str) -> tuple[str, str] | None:
    """Queue and band of the calls that a queue at Twilio holds; None when it is not ours.

    Whatever its number: callers may still be in one from before ``max_waiting`` was changed.
    """
    queue, _, rest = name.partition(".")
    band, dot, number = rest.partition(".")
    if dot and not (number.isascii() and number.isdigit()):
        return None
    ours = queue in {each.name for each in policy.queues} and band in {each.name for each in policy.bands}
    return (queue, band) if ours else None


def how_many(policy: LinePolicy, queue: str) -> int:
    """Queues at Twilio for each band of ours. An unknown queue has one."""
    waiting = next((each.max_waiting for each in policy.queues if each.name == queue), 1)
    return max(1, -(-waiting // AIMED_AT))
