"""What happened in the line, in order: the journal stream as typed events.

Every move writes its line in the same script; ``write`` adds what is no move (something said, asked for or
noted down). Readers are consumer groups, each at its own pace; ``trim`` drops what all of them have
acknowledged. Give reads a client of ``foundation.connections.open_blocking_redis`` and ``block_ms`` ≤ 4000.
All raise Unavailable when Redis does not answer.

In the stream a line is one field, named by the kind: ``at|contact|agent|queue|band|name=value|…``; a last
value that may hold a ``|`` itself stands after ``||``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from foundation.connections import answering
from queueing.keys import Keys

LONGEST_BLOCK_MS = 4_000

KINDS: Mapping[str, str] = {
    # A contact's moves.
    "entered": "it joined the line: arrival, resumed, since (it waited before, unknown to the line), turn "
    "(the callback's, whose merchant this is), card",
    "backdated": "it waits, and came earlier than the line knew: arrival, since, card",
    "full": "it found the line full, and did not join: card",
    "reserved": "an agent is asked for it: fence, deadline, line; from, when straight from away or off; "
    "claimed, when the agent chose it",
    "declined": "the agent said no: fence, line",
    "missed": "the agent did not say: fence, misses, line",
    "released": "the agent is asked no more, the caller or the agent having gone: fence, line, why",
    "accepted": "the agent said yes: fence, line",
    "connected": "the two have met: fence, wait_ms",
    "unjoined": "the two could not be joined, or lost each other: fence, from, why, line",
    "transferred": "to another queue: from, from_queue, from_band, to",
    "band_changed": "to another band: from_band",
    "reopened": "every agent at work had passed on it: they may be asked again",
    "ended": "disposition, wait_ms, talk_ms",
    # An agent's. Those after a wrap-up carry its contact, wrap_ms and handling_ms.
    "agent_in": "signed in, or changed queues or phone: from, skills, line, name",
    "agent_ready": "from, reason",
    "agent_away": "from, reason",
    "agent_off": "from, reason",
    "agent_wish": "asked while talking for afterwards: wish, reason",
    "wrap_up": "deadline",
    # No moves.
    "told": "what a caller heard: position, low_min, high_min (empty: no wait, or no upper end)",
    "note": "what an agent wrote down: outcome, text",
    "held": "the caller is put on hold",
    "unheld": "and is back",
    "hang_up_asked": "the agent asks to end the call",
    "message": "a recorded message",
    "turned_away": "a call that never joined: disposition, since (it began then), card",
    "informed": "a caller was told of an incident: incident, version, match, card",
    "spared": "a dry run: the call would have been turned to a text: incident, why",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal. ``id`` is the stream's: its order, and the name of the fact for ever."""

    id: str
    kind: str
    at_ms: int
    contact: str
    agent: str
    queue: str
    band: str
    fields: dict[str, str] = field(default_factory=dict)


def unpacked(entry_id: str, entry: Mapping[str, str]) -> Event:
    """The event of one stream entry. Raises ValueError for an entry that is none of ours."""
    ((kind, line),) = entry.items()
    at, contact, agent, queue, band, rest = line.split("|", 5)
    if rest.startswith("|"):
        pairs, last = [], rest[1:]
    else:
        named, _, last = rest.partition("||")
        pairs = named.split("|") if named else []
    told = dict(pair.split("=", 1) for pair in [*pairs, last] if pair)
    return Event(entry_id, kind, int(at), contact, agent, queue, band, told)


def packed(at_ms: int, contact: str, agent: str, queue: str, band: str, told: Mapping[str, object]) -> str:
    """The value of a stream entry. The last of ``told`` may hold anything; the others no ``|``."""
    *pairs, last = [f"{name}={value}" for name, value in told.items()] or [""]
    named = "|".join(pair.replace("|", "/") for pair in pairs)
    head = "|".join(word.replace("|", "/") for word in (contact, agent, queue, band))
    return f"{at_ms}|{head}|{named}" + (f"{'||' if named else '|'}{last}" if last else "")


async def write(
    redis: Redis,
    keys: Keys,
    kind: str,
    *,
    at_ms: int,
    contact: str = "",
    agent: str = "",
    queue: str = "",
    band: str = "",
    **told: object,
) -> str:
    """Add what is no move of the line; returns the event's id. Raises ValueError for an unknown kind."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not in journal.KINDS")
    async with answering():
        entry: Any = {kind: packed(at_ms, contact, agent, queue, band, told)}
        return str(await redis.xadd(keys.journal, entry))


async def ensure_group(redis: Redis, keys: Keys, group: str) -> None:
    """Make the group unless it is there. It begins with the oldest line still in the journal."""
    async with answering():
        try:
            await redis.xgroup_create(keys.journal, group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise


async def read(
    redis: Redis,
    keys: Keys,
    group: str,
    consumer: str,
    *,
    count: int = 100,
    block_ms: int = 0,
    again: bool = False,
) -> list[Event]:
    """The next lines for this consumer, oldest first; none when ``block_ms`` pass without one.

    ``block_ms`` 0 does not wait, 4000 is the longest. ``again`` gives what this consumer was given before
    and has not acknowledged: ask so first after a start or a failure.
    """
    async with answering():
        streams: dict[Any, Any] = {keys.journal: "0" if again else ">"}
        block = min(block_ms, LONGEST_BLOCK_MS) if block_ms > 0 and not again else None
        try:
            told: Any = await redis.xreadgroup(group, consumer, streams, count=count, block=block)
        except ResponseError as error:
            await _make_anew(redis, keys, group, error)
            told = None
    if isinstance(told, dict):
        told = list(told.items())
    return [event for _stream, entries in told or [] for event in _events(entries)]


async def claim(
    redis: Redis, keys: Keys, group: str, consumer: str, *, idle_ms: int = 30_000, count: int = 100
) -> list[Event]:
    """Take over lines that were given to a consumer which has not acknowledged them for ``idle_ms``."""
    async with answering():
        try:
            told: Any = await redis.xautoclaim(
                keys.journal, group, consumer, min_idle_time=idle_ms, start_id="0-0", count=count
            )
        except ResponseError as error:
            await _make_anew(redis, keys, group, error)
            return []
    return _events(told[1])


async def _make_anew(redis: Redis, keys: Keys, group: str, error: ResponseError) -> None:
    """Redis has come back empty: the group begins with the first line of the new journal."""
    if "NOGROUP" not in str(error):
        raise error
    await ensure_group(redis, keys, group)


async def ack(redis: Redis, keys: Keys, group: str, ids: Iterable[str]) -> None:
    """These are dealt with. Acknowledging twice is harmless."""
    given = tuple(ids)
    if given:
        async with answering():
            await redis.xack(keys.journal, group, *given)


async def after(redis: Redis, keys: Keys, event_id: str, count: int = 1_000) -> AsyncIterator[list[Event]]:
    """What was written after that event, some at a time, read and not taken: for a reader who keeps its own
    place, and has a group only to hold back ``trim`` (see ``move``).
    """
    while True:
        async with answering():
            entries: Any = await redis.xrange(keys.journal, f"({event_id}", "+", count=count)
        if entries:
            yield _events(entries)
            event_id = entries[-1][0]
        if len(entries) < count:
            return


async def move(redis: Redis, keys: Keys, group: str, event_id: str) -> None:
    """The group has got so far: ``trim`` may drop what came before."""
    async with answering():
        try:
            await redis.xgroup_setid(keys.journal, group, event_id)
        except ResponseError:  # Redis has come back empty
            await ensure_group(redis, keys, group)


async def event(redis: Redis, keys: Keys, event_id: str) -> Event | None:
    """One line by its id, while it is in the journal."""
    async with answering():
        entries: Any = await redis.xrange(keys.journal, event_id, event_id)
    events = _events(entries)
    return events[0] if events else None


async def trim(redis: Redis, keys: Keys) -> int:
    """Drop the lines that every group has acknowledged; returns how many. Without groups, none."""
    async with answering():
        if not await redis.exists(keys.journal):
            return 0
        groups: Any = await redis.xinfo_groups(keys.journal)
        firsts = []
        for group in groups:
            if group["pending"]:
                pending: Any = await redis.xpending(keys.journal, group["name"])
                first = pending["min"]
            else:
                first = None
            firsts.append(_parts(first) if first else _after(group["last-delivered-id"]))
        if not firsts:
            return 0
        ms, seq = min(firsts)
        return int(await redis.xtrim(keys.journal, minid=f"{ms}-{seq}", approximate=False))


def _events(entries: Sequence[tuple[str, Mapping[str, str] | None]]) -> list[Event]:
    # A claimed line that was trimmed meanwhile comes without its fields.
    return [unpacked(entry_id, entry) for entry_id, entry in entries if entry]


def _parts(entry_id: str) -> tuple[int, int]:
    ms, _, seq = entry_id.partition("-")
    return int(ms), int(seq or 0)


def _after(entry_id: str) -> tuple[int, int]:
    ms, seq = _parts(entry_id)
    return ms, seq + 1
