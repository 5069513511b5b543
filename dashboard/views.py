"""Rows and records into what a page shows. Pure: values in, values out.

Words, shapes and levels are chosen here; the templates only lay them out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from queueing.figures import Figures
from queueing.honesty import GOAL, Honesty
from queueing.presence import Presence
from queueing.records import Board
from queueing.rungs import Ladder
from queueing.states import Disposition

Level = Literal["", "near", "past"]
"""Ink, amber ▲, red ■."""

LANGUAGE_WORDS = {"en": "English", "es": "Spanish"}


def clock(ms: float | None) -> str:
    """Minutes and seconds, hours when there are any: 4:05, 1:02:09. Never below 0:00; "–" for None."""
    if ms is None:
        return "–"
    s = max(0, int(ms // 1000))
    hours, minutes, seconds = s // 3600, s // 60 % 60, s % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def about(ms: float | None) -> str:
    """A wait that is only known roughly: "under a minute", "about 12 min", "over 5 h"; "–" for None."""
    if ms is None:
        return "–"
    minutes = ms / 60_000
    if minutes < 1:
        return "under a minute"
    return f"about {minutes:.0f} min" if minutes <= 300 else "over 5 h"


def count(number: int | None) -> str:
    """1,234; "–" for None."""
    return "–" if number is None else f"{number:,}"


def pct(share: float | None) -> str:
    """A share of 0 to 1 as "64 %". All and nothing are only said when it is all or nothing."""
    if share is None:
        return "–"
    rounded = round(share * 100)
    if rounded == 100 and share < 1:
        rounded = 99
    if rounded == 0 and share > 0:
        rounded = 1
    return f"{rounded} %"


def level(value: float | None, target: float) -> Level:
    """How a figure that should stay below ``target`` stands: near it from four fifths on, past it above."""
    if value is None or value < 0.8 * target:
        return ""
    return "near" if value <= target else "past"


def level_least(value: float | None, target: float) -> Level:
    """The same for a figure that should reach ``target``: near when up to a fifth is missing."""
    if value is None or value >= target:
        return ""
    return "near" if value >= 0.8 * target else "past"


def off(seconds: float | None) -> str:
    """How far what was told is from what was had: "0:40 too long", "1:05 too short"; "–" for None."""
    if seconds is None:
        return "–"
    return (
        "none"
        if abs(seconds) < 0.5
        else f"{clock(abs(seconds) * 1000)} too {'long' if seconds > 0 else 'short'}"
    )


FEW_TOLD = 20
"""Of fewer told waits than this, how many held is chance."""


def honest(told: Honesty) -> Level:
    """Whether enough of the told ranges held: a tenth less than the goal is near."""
    if told.in_range is None or told.known < FEW_TOLD or told.in_range >= GOAL - 0.05:
        return ""
    return "near" if told.in_range >= GOAL - 0.2 else "past"


def lateness(told: Honesty) -> Level:
    """Whether too many waited longer than they were told: one in ten is what the range is made for."""
    if told.late is None or told.known < FEW_TOLD or told.late <= 0.12:
        return ""
    return "near" if told.late <= 0.2 else "past"


SILENCE_WORDS: Mapping[str, str] = {
    "nobody": "nobody at work",
    "few": "too few calls seen to tell a wait",
    "missed": "waits not told: they missed too often",
    "endless": "waits not told: no end in sight",
}
"""Why no wait is told now, by ``Ladder.silence``."""


def wait_words(ladder: Ladder) -> str:
    """What a newcomer to this queue would be told now."""
    wait = ladder.newcomer
    if wait is None:
        return SILENCE_WORDS.get(ladder.silence, SILENCE_WORDS["few"])
    low, high = wait.p10 / 60, max(1, math.ceil(wait.p90 / 60))
    return "wait now under 1 min" if high == 1 else f"wait now {math.ceil(low)}–{high} min"


@dataclass(frozen=True, slots=True)
class Said:
    """One thing told to the person at the page: ``tone`` is "good", "near" or "past"."""

    tone: str
    title: str
    words: str = ""
    lines: tuple[str, ...] = ()


# -- the line -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueRow:
    name: str
    waiting: int
    oldest_ms: int | None
    level: Level
    promises: int = 0
    """The callbacks among the waiting; the oldest is a caller."""
    wait: str = ""
    """What a newcomer is told, or why nothing; "" when nobody says."""


def queue_rows(
    board: Board, longest_target_ms: int, ladders: Mapping[str, Ladder] | None = None
) -> list[QueueRow]:
    """The queues as desk and wallboard list them, in the centre's order."""
    told = ladders or {}
    return [
        QueueRow(
            now.queue,
            now.waiting,
            now.oldest_entered_ms,
            level(now.longest_wait_ms, longest_target_ms),
            now.promises,
            wait_words(told[now.queue]) if now.queue in told else "",
        )
        for now in board.queues.values()
    ]


@dataclass(frozen=True, slots=True)
class StateCount:
    word: str
    mark: str
    count: int


@dataclass(frozen=True, slots=True)
class WallView:
    """What the wallboard shows. Nobody is named and nobody is ranked."""

    oldest_ms: int | None
    longest_level: Level
    longest_hours: bool
    longest_target_ms: int
    waiting: int
    promises: int
    within_s: int
    target_pct: int
    level_pct: str
    level_level: Level
    offered: int
    answered: int
    abandoned: int
    abandoned_pct: str
    abandoned_level: Level
    ready: int
    signed_in: int
    states: list[StateCount]
    told: Honesty


def wall_view(
    board: Board,
    day: Figures,
    told: Honesty,
    *,
    answered_pct: int,
    within_s: int,
    longest_wait_ms: int,
    abandoned_pct: int,
) -> WallView:
    """The wallboard from a look at the line and today's figures; the rest are the centre's targets."""
    oldest = min(
        (now.oldest_entered_ms for now in board.queues.values() if now.oldest_entered_ms is not None),
        default=None,
    )
    longest = max((now.longest_wait_ms for now in board.queues.values() if now.waiting), default=0)
    of = {presence: board.presences.get(presence, 0) for presence in Presence}
    return WallView(
        oldest_ms=oldest,
        longest_level=level(longest, longest_wait_ms),
        longest_hours=longest >= 3_600_000,
        longest_target_ms=longest_wait_ms,
        waiting=sum(now.waiting for now in board.queues.values()),
        promises=sum(now.promises for now in board.queues.values()),
        within_s=within_s,
        target_pct=answered_pct,
        level_pct=pct(day.service_level),
        level_level=level_least(None if day.service_level is None else day.service_level * 100, answered_pct),
        offered=day.offered,
        answered=day.answered,
        abandoned=day.abandoned,
        abandoned_pct=pct(day.abandonment),
        abandoned_level=level(None if day.abandonment is None else day.abandonment * 100, abandoned_pct),
        ready=of[Presence.READY],
        signed_in=sum(number for presence, number in of.items() if presence is not Presence.OFF),
        states=[
            StateCount("in contact", "live-mark", of[Presence.TALKING]),
            StateCount("being asked", "busy", of[Presence.RESERVED]),
            StateCount("wrapping up", "busy", of[Presence.WRAP_UP]),
            StateCount("away", "quiet", of[Presence.AWAY]),
        ],
        told=told,
    )


# -- the record ---------------------------------------------------------------------------------------

END_WORDS: Mapping[str, str] = {
    Disposition.ANSWERED: "answered",
    Disposition.ABANDONED: "hung up while waiting",
    Disposition.PROMISED: "will be called back",
    Disposition.DEFLECTED: "texted instead",
    Disposition.MESSAGE: "left a message",
    Disposition.CLOSED: "rang outside hours",
    Disposition.FULL: "line was full",
    Disposition.NOT_REACHED: "called back, not reached",
    Disposition.SET_ASIDE: "callback set aside",
    "": "in progress",
}
"""How a contact ended, as history says it."""

EVENT_WORDS: Mapping[str, str] = {
    "entered": "Entered the line",
    "backdated": "Had waited longer",
    "full": "The line was full",
    "reserved": "Offered to an agent",
    "declined": "Declined",
    "missed": "Not answered by the agent",
    "accepted": "Accepted",
    "connected": "Connected",
    "unjoined": "Could not be joined; back in line",
    "released": "The agent was freed",
    "ended": "Ended",
    "transferred": "Transferred",
    "band_changed": "Priority changed",
    "reopened": "Offered anew to those who passed",
    "wrap_up": "Wrap-up began",
    "told": "Was told the place in line",
    "turned_away": "Was turned away",
    "note": "Wrapped up",
    "held": "Put on hold",
    "unheld": "Taken off hold",
    "hang_up_asked": "The agent hung up",
    "message": "Left a message",
}


def sentence(key: str) -> str:
    """A menu's key as a word: "card_reader" is "Card reader"."""
    words = key.replace("_", " ")
    return words[:1].upper() + words[1:]


def event_words(kind: str) -> str:
    return EVENT_WORDS.get(kind, kind.replace("_", " ").capitalize())
