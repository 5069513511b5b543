"""A contact's stays in the line, told from its events: the rows of a call history. Pure.

Most contacts have one; a transfer makes another, and a callback's turn has its own. Times are epoch ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from queueing.journal import Event
from queueing.names import is_turn
from queueing.states import Disposition
from queueing.story import order


@dataclass(slots=True)
class Stay:
    """From joining one line to the agent's being free again, or to leaving it otherwise.

    ``arrival_ms``: on the line's clock, by which the places are given; of a callback that of its call.
    """

    contact: str
    queue: str
    band: str
    entered_ms: int
    arrival_ms: float
    agent: str = ""
    answered_ms: int | None = None
    freed_ms: int | None = None
    abandoned_ms: int | None = None
    left_ms: int | None = None
    """Left in another way: for a callback, with a text, to another queue."""

    @property
    def callback(self) -> bool:
        return is_turn(self.contact)

    @property
    def over(self) -> bool:
        return any(at is not None for at in (self.freed_ms, self.abandoned_ms, self.left_ms))


def stays(events: Iterable[Event]) -> list[Stay]:
    """Of one contact, from all its events in whatever order; none for one that never joined a line."""
    found: list[Stay] = []
    ended_ms: int | None = None
    for event in sorted(events, key=lambda event: order(event.id)):
        if event.kind in ("entered", "transferred"):
            _enter(found, event)
        elif found and event.kind in _CHANGES:
            _CHANGES[event.kind](found[-1], event)
        elif event.kind in ("agent_ready", "agent_away", "agent_off"):
            _free(found, event)
        if event.kind == "ended":
            ended_ms = event.at_ms
    for stay in found:  # an agent who was lost while wrapping up: the talk's end is what is known
        if stay.answered_ms is not None and not stay.over and ended_ms is not None:
            stay.freed_ms = max(ended_ms, stay.answered_ms)
    return found


def _enter(found: list[Stay], event: Event) -> None:
    last = found[-1] if found else None
    if event.kind == "transferred":
        arrival_ms = last.arrival_ms if last else float(event.at_ms)
        if last and last.answered_ms is None:
            last.left_ms = max(event.at_ms, last.entered_ms)
        queue, entered_ms = event.fields.get("to", event.queue), event.at_ms
    elif last and not last.over:
        return  # in the line once more after Redis was lost: it is the same stay
    else:
        queue, entered_ms = event.queue, _whole(event, "since") or event.at_ms
        arrival_ms = _arrival_ms(event)
    found.append(Stay(event.contact, queue, event.band, entered_ms, arrival_ms))


def _backdated(stay: Stay, event: Event) -> None:
    stay.entered_ms, stay.arrival_ms = min(stay.entered_ms, _whole(event, "since")), _arrival_ms(event)


def _band_changed(stay: Stay, event: Event) -> None:
    stay.band = event.band


def _connected(stay: Stay, event: Event) -> None:
    if stay.answered_ms is None:
        stay.answered_ms, stay.agent = max(event.at_ms, stay.entered_ms), event.agent


def _unjoined(stay: Stay, event: Event) -> None:
    stay.answered_ms, stay.agent = None, ""  # it is back in its place


def _ended(stay: Stay, event: Event) -> None:
    if stay.answered_ms is not None:
        return
    at_ms = max(event.at_ms, stay.entered_ms)
    if event.fields.get("disposition") == Disposition.ABANDONED:
        stay.abandoned_ms = at_ms
    else:
        stay.left_ms = at_ms


def _free(found: list[Stay], event: Event) -> None:
    """The agent's wrap-up is over; the contact may be in another line already."""
    for stay in found:
        if stay.answered_ms is not None and stay.freed_ms is None and stay.agent == event.agent:
            stay.freed_ms = max(event.at_ms, stay.answered_ms)


def _arrival_ms(event: Event) -> float:
    return _whole(event, "arrival") / 1000 or float(event.at_ms)


def _whole(event: Event, name: str) -> int:
    text = event.fields.get(name, "")
    return int(text) if text.isdecimal() else 0


_CHANGES: Mapping[str, Callable[[Stay, Event], None]] = {
    "backdated": _backdated,
    "band_changed": _band_changed,
    "connected": _connected,
    "unjoined": _unjoined,
    "ended": _ended,
}
