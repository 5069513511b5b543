"""A contact's story: its row of figures and outcome, told from its events. Pure.

The events are taken in the journal's order, so the same events make the same story however they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from queueing.journal import Event
from queueing.names import is_turn
from queueing.states import Disposition

_OVERRULED = frozenset({"", Disposition.CLOSED.value, Disposition.FULL.value})
"""Outcomes that a later one replaces: the caller did leave something, or came in after all."""


@dataclass(slots=True)
class Story:
    """What the events say. The fields are those of ``tables.Contact`` of the same names."""

    queue: str = ""
    last_queue: str = ""
    band: str = ""
    entered_ms: int = 0
    answered_ms: int | None = None
    ended_ms: int | None = None
    disposition: str = ""
    agent: str = ""
    wait_ms: int | None = None
    talk_ms: int = 0
    wrap_ms: int = 0
    handling_ms: int = 0
    missed: int = 0
    transfers: int = 0
    resumed: bool = False
    told_position: int | None = None
    told_low_min: int | None = None
    told_high_min: int | None = None
    told_at_ms: int | None = None
    outcome: str = ""
    note: str = ""


def order(event_id: str) -> tuple[int, int]:
    """The place in the journal that an event's id tells."""
    ms, _, seq = event_id.partition("-")
    return (int(ms), int(seq or 0)) if ms.isdecimal() and (not seq or seq.isdecimal()) else (0, 0)


def told_from(events: Iterable[Event]) -> Story:
    """The story of one contact, from all its events in whatever order. At least one is given."""
    in_order = sorted(events, key=lambda event: order(event.id))
    story = Story(entered_ms=in_order[0].at_ms)
    met_ms: int | None = None
    for event in in_order:
        if event.kind == "connected":
            met_ms = event.at_ms
        elif event.kind in _PARTINGS:
            if met_ms is not None:
                story.talk_ms += event.at_ms - met_ms
            elif event.kind == "ended":
                story.talk_ms += _whole(event, "talk_ms")
            met_ms = None
        change = _CHANGES.get(event.kind)
        if change is not None:
            change(story, event)
    return story


_PARTINGS = frozenset({"ended", "transferred", "unjoined"})


def _whole(event: Event, name: str) -> int:
    text = event.fields.get(name, "")
    return int(text) if text.removeprefix("-").isdecimal() else 0


def _entered(story: Story, event: Event) -> None:
    # A turn came when it came into the line, however long ago its merchant rang.
    entered_ms = event.at_ms if is_turn(event.contact) else _whole(event, "since") or event.at_ms
    # In the line once more after Redis was lost: it is the same call, and as old.
    story.entered_ms = min(story.entered_ms, entered_ms) if story.queue else entered_ms
    story.queue = story.last_queue = event.queue
    story.band = event.band
    story.resumed = event.fields.get("resumed") == "1"
    if story.disposition in _OVERRULED:  # turned away at first, let in at last
        story.disposition, story.ended_ms = "", None


def _backdated(story: Story, event: Event) -> None:
    story.entered_ms = min(story.entered_ms, _whole(event, "since"))


def _full(story: Story, event: Event) -> None:
    _turned_away(story, event, Disposition.FULL)


def _turned_away(story: Story, event: Event, why: Disposition = Disposition.CLOSED) -> None:
    if story.disposition:  # a webhook so late that the line had forgotten the call; the record has not
        return
    story.queue = story.last_queue = story.queue or event.queue
    story.band = story.band or event.band
    story.entered_ms = min(story.entered_ms, _whole(event, "since") or event.at_ms)
    disposition = event.fields.get("disposition", why.value)
    if story.answered_ms is not None:  # Redis was lost while they talked: the record knows better
        disposition = Disposition.ANSWERED.value
    _end(story, event.at_ms, disposition)


def _end(story: Story, at_ms: int, disposition: str) -> None:
    if story.disposition in _OVERRULED:
        story.disposition, story.ended_ms = disposition, at_ms


def _connected(story: Story, event: Event) -> None:
    story.agent = event.agent
    if story.answered_ms is None:
        story.answered_ms = event.at_ms
        story.wait_ms = _whole(event, "wait_ms")


def _ended(story: Story, event: Event) -> None:
    _end(story, event.at_ms, event.fields.get("disposition", ""))
    if story.wait_ms is None:
        story.wait_ms = _whole(event, "wait_ms")
    story.agent = story.agent or event.agent


def _missed(story: Story, event: Event) -> None:
    story.missed += 1


def _transferred(story: Story, event: Event) -> None:
    story.transfers += 1
    story.last_queue = event.fields.get("to", event.queue)
    story.band = event.band or story.band


def _band_changed(story: Story, event: Event) -> None:
    story.band = event.band


def _told(story: Story, event: Event) -> None:
    low, high = event.fields.get("low_min", ""), event.fields.get("high_min", "")
    if story.told_at_ms is not None and (story.told_low_min is not None or not low.isdecimal()):
        return  # the first word counts, and of the wait the first that told one
    story.told_at_ms, story.told_position = event.at_ms, _whole(event, "position")
    story.told_low_min = int(low) if low.isdecimal() else None
    story.told_high_min = int(high) if high.isdecimal() else None


def _wrapped(story: Story, event: Event) -> None:
    story.wrap_ms += _whole(event, "wrap_ms")
    story.handling_ms += _whole(event, "handling_ms")


def _noted(story: Story, event: Event) -> None:
    story.outcome = event.fields.get("outcome", "") or story.outcome
    story.note = event.fields.get("text", "") or story.note


def _left_message(story: Story, event: Event) -> None:
    if story.disposition == Disposition.ABANDONED:  # left the line by star, to leave this
        story.disposition = ""
    _end(story, event.at_ms, Disposition.MESSAGE.value)


_CHANGES: dict[str, Callable[[Story, Event], None]] = {
    "entered": _entered,
    "backdated": _backdated,
    "full": _full,
    "turned_away": _turned_away,
    "connected": _connected,
    "ended": _ended,
    "missed": _missed,
    "transferred": _transferred,
    "band_changed": _band_changed,
    "told": _told,
    "note": _noted,
    "agent_ready": _wrapped,
    "agent_away": _wrapped,
    "agent_off": _wrapped,
    "message": _left_message,
}
