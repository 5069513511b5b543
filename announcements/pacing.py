"""When to speak to a waiting caller, and about what.

Pure: numbers in, a decision out. The words are in ``phrases/``, the TwiML is in ``ivr``.

The rules. The first word comes ``first_ms`` after entering the line, then one every ``repeat_ms``; sooner
when the position told would be better than the last, but never within ``quiet_ms`` of the last word, and
never while the caller is being connected. A position told never rises: when others with a head start came
in between, the caller hears words of comfort. Above ``more_than`` no number is told. A wait is told as a
range, rounded up, and only when there is an honest estimate.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Wait = tuple[int, int | None]
"""Whole minutes, low and high: (0, h) is "less than h", (l, None) "more than l", else low < high."""

_MINUTES = (*range(11), 15, 20, 25, *range(30, 91, 10))
"""The minutes we say: each one to ten, then steps of five to thirty, then of ten to ninety."""


class Topic(StrEnum):
    """What an announcement is about, beside the wait."""

    NEXT = "next"
    """The caller is next in line."""

    POSITION = "position"
    """The caller's number in line."""

    MORE_THAN = "more_than"
    """More than so many are in line."""

    COMFORT = "comfort"
    """Still in line; no position is told."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How talkative the line is. Music comes in clips of ``clip_ms``, at most ``look_ms`` between looks."""

    first_ms: int = 20_000
    repeat_ms: int = 90_000
    quiet_ms: int = 45_000
    more_than: int = 10
    clip_ms: int = 10_000
    look_ms: int = 20_000


@dataclass(frozen=True, slots=True)
class Said:
    """What a caller was last told. It rides in the wait URL, which the carrier signs.

    ``at_ms`` is when, ``position`` the best position told so far (``more_than + 1`` stands for all above
    it; 0: none told yet), ``count`` how many announcements were made.
    """

    at_ms: int
    position: int
    count: int

    def to_query(self) -> dict[str, str]:
        """The memory as query parameters."""
        return {"said_at": str(self.at_ms), "said_pos": str(self.position), "n": str(self.count)}

    @staticmethod
    def from_query(query: Mapping[str, str]) -> Said | None:
        """The memory read back; None when nothing was said, or when it cannot be read."""
        at_ms = _whole(query.get("said_at", ""))
        position = _whole(query.get("said_pos", ""))
        if at_ms is None or position is None:
            return None
        return Said(at_ms, position, _whole(query.get("n", "")) or 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a caller stands now. ``position`` 1 is next, 0 is not known.

    ``low_s`` and ``high_s`` are the estimated wait, None when there is no honest estimate.
    """

    position: int
    entered_ms: int
    low_s: float | None = None
    high_s: float | None = None
    connecting: bool = False


@dataclass(frozen=True, slots=True)
class Announcement:
    """One thing to say now.

    ``position`` is the one to tell (with MORE_THAN the number it is above, with COMFORT 0); ``said`` is the
    caller's memory once it has been said.
    """

    topic: Topic
    position: int
    wait: Wait | None
    said: Said


def decide(pacing: Pacing, said: Said | None, place: Place, now_ms: int) -> Announcement | None:
    """What to say at ``now_ms`` to the caller at ``place`` who was last told ``said``; None is music."""
    if place.connecting or not _due(pacing, said, place, now_ms):
        return None
    here = _told(pacing, place.position)
    before = said.position if said else 0
    count = said.count + 1 if said else 1
    wait = announced_range(place.low_s, place.high_s)
    if here == 0 or (before and here > before):
        return Announcement(Topic.COMFORT, 0, wait, Said(now_ms, before, count))
    memory = Said(now_ms, here, count)
    if here > pacing.more_than:
        return Announcement(Topic.MORE_THAN, pacing.more_than, wait, memory)
    return Announcement(Topic.NEXT if here == 1 else Topic.POSITION, here, wait, memory)


def next_look_ms(pacing: Pacing, said: Said | None, entered_ms: int, now_ms: int) -> int:
    """How much music to play before looking again: whole clips, from one clip to ``look_ms``.

    Enough for the next word to be due; once the quiet is over a better position may be told at any look.
    """
    if said is None:
        due_ms = entered_ms + pacing.first_ms
    elif now_ms < said.at_ms + pacing.quiet_ms:
        due_ms = said.at_ms + pacing.quiet_ms
    else:
        due_ms = said.at_ms + pacing.repeat_ms
    clips = math.ceil((due_ms - now_ms) / pacing.clip_ms)
    most = max(1, pacing.look_ms // pacing.clip_ms)
    return min(max(clips, 1), most) * pacing.clip_ms


def announced_range(low_s: float | None, high_s: float | None) -> Wait | None:
    """The wait as we say it, in whole minutes; None is silence.

    Both ends are rounded up to the minute. From ten minutes on we speak in steps: the high end is then
    rounded up to its step and the low end down, so that the range holds what it was made from (the low end
    to within the minute). Above ninety minutes only the low end is told.
    """
    if low_s is None or high_s is None or not 0 <= low_s <= high_s < math.inf:
        return None
    low = _MINUTES[bisect_right(_MINUTES, math.ceil(low_s / 60)) - 1]
    step = bisect_left(_MINUTES, math.ceil(high_s / 60))
    if step < len(_MINUTES) and _MINUTES[step] == low:
        step += 1
    if step < len(_MINUTES):
        return low, _MINUTES[step]
    return (low, None) if low else None


def _due(pacing: Pacing, said: Said | None, place: Place, now_ms: int) -> bool:
    if said is None:
        return now_ms - place.entered_ms >= pacing.first_ms
    silence_ms = now_ms - said.at_ms
    if silence_ms < -pacing.quiet_ms:  # a memory from the future is no reason for silence
        return True
    if silence_ms < pacing.quiet_ms:
        return False
    here = _told(pacing, place.position)
    better = here != 0 and (said.position == 0 or here < said.position)
    return better or silence_ms >= pacing.repeat_ms


def _told(pacing: Pacing, position: int) -> int:
    """The position as it is told: all above ``more_than`` are alike, 0 is not known."""
    return min(max(position, 0), pacing.more_than + 1)


def _whole(text: str) -> int | None:
    """A whole number from a query, 0 to 10^15; None when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None
