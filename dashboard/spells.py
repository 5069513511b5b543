"""The agents' time, read off the journal: who was in which presence from when to when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from queueing.figures import PresenceRow
from queueing.presence import Presence

TURNS: dict[str, Presence] = {
    "agent_ready": Presence.READY,
    "agent_away": Presence.AWAY,
    "agent_off": Presence.OFF,
    "reserved": Presence.RESERVED,
    "accepted": Presence.TALKING,
    "wrap_up": Presence.WRAP_UP,
    # The agent is free again; what comes instead (a break, the next contact) is told by the next line.
    "declined": Presence.READY,
    "missed": Presence.READY,
    "released": Presence.READY,
    "unjoined": Presence.READY,
}
"""Which lines of the journal change their agent's presence, and to what."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One such line; ``order`` is its place in the journal."""

    agent: str
    kind: str
    at_ms: int
    order: tuple[int, int]


def spells(turns: Iterable[Turn], until_ms: int) -> list[PresenceRow]:
    """Stretches of presence from the turns; the last of each agent lasts until ``until_ms``."""
    by_agent: dict[str, list[Turn]] = {}
    for turn in turns:
        if turn.kind in TURNS:
            by_agent.setdefault(turn.agent, []).append(turn)
    rows = []
    for agent, own in by_agent.items():
        own.sort(key=lambda turn: turn.order)
        ends = [turn.at_ms for turn in own[1:]] + [until_ms]
        rows += [
            PresenceRow(agent, TURNS[turn.kind].value, turn.at_ms, end)
            for turn, end in zip(own, ends, strict=True)
            if end > turn.at_ms
        ]
    return rows


def clipped(rows: Iterable[PresenceRow], from_ms: int, to_ms: int) -> list[PresenceRow]:
    """What of the agents' time falls between the two moments."""
    return [
        PresenceRow(row.agent, row.presence, max(row.from_ms, from_ms), min(row.to_ms, to_ms))
        for row in rows
        if row.from_ms < to_ms and row.to_ms > from_ms
    ]


def order(event_id: str) -> tuple[int, int]:
    """The place in the journal that an event's id tells."""
    ms, _, seq = event_id.partition("-")
    return (int(ms), int(seq or 0)) if ms.isdecimal() and (not seq or seq.isdecimal()) else (0, 0)
