"""The laws of the line, looked for in a journal: who was overtaken, and who was served twice. Pure.

Twilio's order and the agents' choices are accounted for: whoever was declined, missed, transferred, put into
another band or resumed an earlier place is nobody's measure any more, nor is a callback's turn, which may be
kept for an agent or wait for its time.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from callbacks.keeping import AGAIN, OUTCOMES
from queueing.journal import Event
from queueing.names import TURN, is_turn

EXCUSED = frozenset(
    {"declined", "missed", "transferred", "band_changed", "unjoined", "backdated", "released"}
)
AT_WORK = frozenset({"agent_ready", "reserved", "accepted", "connected"})
IN_VAIN = frozenset({*OUTCOMES, AGAIN})
"""An agent's word after a callback that has to be made once more."""
AWAY = frozenset({"agent_away", "agent_off"})


@dataclass
class Overtaking:
    """Events in the journal's order in; ``found`` says who was asked for before somebody of the same queue
    and band who had come earlier and was waiting."""

    found: list[str] = field(default_factory=list)
    _waiting: dict[str, tuple[tuple[str, str], int]] = field(default_factory=dict)
    _heads: defaultdict[tuple[str, str], list[tuple[int, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def see(self, event: Event) -> None:
        contact = event.contact
        if not contact or is_turn(contact):
            return
        if event.kind == "entered" and not event.fields.get("resumed") and not event.fields.get("since"):
            arrival = event.fields.get("arrival", "")
            if arrival.isdigit():
                place = (event.queue, event.band)
                self._waiting[contact] = place, int(arrival)
                heapq.heappush(self._heads[place], (int(arrival), contact))
        elif event.kind == "reserved":
            self._asked_for(event)
        elif event.kind in EXCUSED or event.kind == "ended":
            self._waiting.pop(contact, None)

    def _asked_for(self, event: Event) -> None:
        mine = self._waiting.pop(event.contact, None)
        if mine is None or event.fields.get("claimed"):
            return
        place, arrival = mine
        heads = self._heads[place]
        while heads and heads[0][1] not in self._waiting:
            heapq.heappop(heads)
        if heads and heads[0][0] < arrival:
            self.found.append(f"{event.contact} before {heads[0][1]}")


def served_twice(events: Iterable[Event]) -> list[str]:
    """Contacts and promises whose person met an agent more often than transfers, lost talks and the agents'
    word (nobody there, or "call again") explain."""
    met: Counter[str] = Counter()
    for event in events:
        if event.contact:
            turn = TURN.fullmatch(event.contact)
            name = turn[1] if turn else event.contact
            lost = event.kind == "unjoined" and event.fields.get("from") == "connected"
            vain = event.kind == "note" and _word(event) in IN_VAIN
            met[name] += (event.kind == "connected") - (lost or vain or event.kind == "transferred")
    return sorted(name for name, times in met.items() if times > 1)


def _word(event: Event) -> str:
    return event.fields.get("result", "") or event.fields.get("outcome", "")


def at_work(events: Iterable[Event]) -> list[tuple[int, int]]:
    """(when, agents at work from then on), each change: whoever is ready, asked or talking."""
    there: set[str] = set()
    steps: list[tuple[int, int]] = []
    for event in events:
        before = len(there)
        if event.agent and event.kind in AT_WORK:
            there.add(event.agent)
        elif event.agent and event.kind in AWAY:
            there.discard(event.agent)
        if len(there) != before:
            steps.append((event.at_ms, len(there)))
    return steps


def broken(events: Iterable[Event]) -> dict[str, list[str]]:
    """What was broken, by the names that ``scorecard.laws`` knows."""
    listed = list(events)
    overtaking = Overtaking()
    for event in listed:
        overtaking.see(event)
    return {"order": overtaking.found, "twice": served_twice(listed)}
