"""The violet band above every page of the staff: the surge is on, and what to say.

Read from the directive, once a second at most, whoever asks; it serves when Redis and SQL are away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.rooms import Rooms
from queueing.records import Card
from surge.board import BoardGlance
from surge.checking import is_stale
from surge.directive import Directive, Told
from surge.matching import Caller, Matched, best
from surge.states import Level, Match


@dataclass(frozen=True, slots=True)
class Script:
    """What an agent says of one incident."""

    title: str
    severity: str
    words: Sequence[tuple[str, str]]
    """Language, sentence."""
    do: str
    dont: str
    updated_ms: int
    next_update_ms: int | None
    stale: bool = False
    """Too old to be read out: callers hear neutral words."""


@dataclass(frozen=True, slots=True)
class BandView:
    """``word`` "" : no surge, only incidents to tell of; or neither, and something is due."""

    level: str
    word: str
    since_ms: int
    expires_ms: int | None
    dry_run: bool
    scripts: Sequence[Script]
    due: Sequence[tuple[str, str, int]] = ()
    """Owner, what, when: each sees their own."""


LEVEL_WORDS = {
    Level.CALM: "Calm",
    Level.WATCH: "Watch",
    Level.SURGE: "Surge on",
    Level.CLOSED_TO_NEW: "Closed to new callers",
}


class Bands:
    """The directive as this process knows it, and what follows from it for pages."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        watch = rooms.surge
        self.glance = BoardGlance(rooms.redis, watch.centre, watch.data_dir, rooms.breaker)

    async def directive(self) -> Directive:
        return await self.glance.directive(self.rooms.clock.now_ms())

    async def now(self) -> BandView | None:
        """None on an ordinary day."""
        stale_ms = self.rooms.surge.policy.stale_ms
        return band_view(await self.directive(), stale_ms, self.rooms.clock.now_ms())


def band_view(directive: Directive, stale_ms: int, now_ms: int) -> BandView | None:
    level = directive.level_at(now_ms)
    if level is Level.CALM and not directive.incidents and not directive.due:
        return None
    return BandView(
        level=level.name.lower(),
        word=LEVEL_WORDS[level] if level else "",
        since_ms=directive.since_ms if level else 0,
        expires_ms=directive.expires_ms if level else None,
        dry_run=directive.dry_run,
        scripts=[_script(told, stale_ms, now_ms) for told in directive.incidents],
        due=directive.due,
    )


def _script(told: Told, stale_ms: int, now_ms: int) -> Script:
    words = [(language, sentence) for language, sentence in told.words.items() if sentence]
    return Script(
        told.title,
        told.severity,
        words,
        told.do,
        told.dont,
        told.updated_ms,
        told.next_update_ms,
        is_stale(told.updated_ms, stale_ms, now_ms),
    )


@dataclass(frozen=True, slots=True)
class MatchView:
    """Whether the contact in hand is about an incident: ``mark`` is its shape."""

    word: str
    mark: str
    title: str
    reason: str


_MARKS = {Match.MATCH: ("Match", "near"), Match.MAYBE: ("Maybe", "quiet"), Match.NONE: ("No match", "quiet")}


def match_view(directive: Directive, card: Card | None) -> MatchView | None:
    """None while there is no incident, or nobody in hand."""
    if card is None or not directive.incidents:
        return None
    told, matched = best(directive.incidents, caller_of(card))
    if card.match == Match.MATCH and matched.match is not Match.MATCH:  # the caller has told us more
        theirs = next((each for each in directive.incidents if each.id == card.incident), None)
        told, matched = (theirs, Matched(Match.MATCH, card.reason)) if theirs else (told, matched)
    word, mark = _MARKS[matched.match]
    return MatchView(word, mark, told.title if told else "", matched.reason)


def caller_of(card: Card) -> Caller:
    """What a contact's card tells of who rings."""
    return Caller(
        merchant_id=card.merchant_id,
        products=(card.product,) if card.product else (),
        region=card.region,
        rail=card.rail,
        devices=card.devices,
        locations=(card.location,) if card.location else (),
        topic=card.topic,
    )
