"""What the door does, by level and match: one table, and the callers to whom it never applies.

Pure. Nobody is turned away but by their own key, and only who surely matches is asked. "Closed to new" is the
one exception: who matches does not join the line, and leaves with a text, or a message, and a follow-up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from surge.directive import Directive, Told
from surge.policy import SurgePolicy
from surge.states import Level, Match


@dataclass(frozen=True, slots=True)
class Play:
    """``offer`` in the order in which it is said: "text", "callback", "message", "line". ``join``: the caller
    may enter the line."""

    status_first: bool = False
    ask_about: bool = False
    """"Is your call about this?" is asked; the answer goes back in as ``Facts.about``."""
    offer: tuple[str, ...] = ()
    join: bool = True

    @property
    def deflects(self) -> bool:
        """It ends, if the caller wants it, without the line."""
        return "text" in self.offer or not self.join


_AS_EVER = Play()
_TOLD = Play(status_first=True)
_BUSY = Play(offer=("callback", "line"))
_TOLD_BUSY = Play(status_first=True, offer=("callback", "line"))
_ASKED_BUSY = Play(status_first=True, ask_about=True, offer=("callback", "line"))

TABLE: Mapping[tuple[Level, Match], Play] = {
    (Level.CALM, Match.MATCH): _TOLD,
    (Level.CALM, Match.MAYBE): _TOLD,
    (Level.CALM, Match.NONE): _AS_EVER,
    (Level.WATCH, Match.MATCH): _TOLD_BUSY,
    (Level.WATCH, Match.MAYBE): _TOLD,
    (Level.WATCH, Match.NONE): _AS_EVER,
    (Level.SURGE, Match.MATCH): Play(True, True, ("text", "callback", "line")),
    (Level.SURGE, Match.MAYBE): _ASKED_BUSY,
    (Level.SURGE, Match.NONE): _BUSY,
    (Level.CLOSED_TO_NEW, Match.MATCH): Play(True, True, ("text", "message"), join=False),
    (Level.CLOSED_TO_NEW, Match.MAYBE): _ASKED_BUSY,
    (Level.CLOSED_TO_NEW, Match.NONE): _BUSY,
}
"""The whole law. "callback" is an offer only while ``callbacks.offering`` allows one: the door asks it."""


class Why(StrEnum):
    """Why it was decided so."""

    TABLE = "table"
    """The table's row as it is."""
    NO_MATCH = "no_match"
    SOMETHING_ELSE = "something_else"
    """They say that it is about something else."""
    NEVER_THIS = "never_this"
    """Safety, or loss of data: a person is needed."""
    CALLED_AGAIN = "called_again"
    WORKAROUND_FAILED = "workaround_failed"
    BAND = "band"
    NO_TEXT = "no_text"
    """No text can reach them."""
    TEXTS_SHUT = "texts_shut"
    """The hour's cap of texts is reached, or the senders are behind."""
    SHORT_WAIT = "short_wait"
    RESERVE = "reserve"
    """This incident's callers hold as many agents as they may: the others are kept for other matters."""
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of this call. Times in epoch milliseconds."""

    about: bool | None = None
    """Their answer to "is your call about this?"; None before they were asked, or without an answer."""
    band: str = ""
    untextable: str = ""
    """Why no text reaches them: landline, opted_out, withheld; "" when one does."""
    deflected_ms: int | None = None
    """When this number was last turned to a text."""
    workaround_failed: bool = False
    """They told us that it is still down for them: "2", or at the desk."""
    wait_s: float | None = None
    """A newcomer's predicted wait (p50); None when nothing honest can be said, and that is no short wait."""
    agents: int = 0
    """Agents in, and those of them who are with callers of an incident now."""
    with_matched: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """``reason`` is a clause for the agent and the timeline. ``would``: in a dry run, they would have been
    offered a text, or been turned away."""

    play: Play
    why: Why
    reason: str
    would: bool = False


def decide(
    policy: SurgePolicy, directive: Directive, incident: Told | None, match: Match, facts: Facts, now_ms: int
) -> Decision:
    """What the door does with this caller now.

    ``incident``: the one they match best (``matching.best``), or None. A yes to the question makes a MAYBE a
    MATCH, a no makes either a NONE.
    """
    level = directive.level_at(now_ms)
    match = Match.NONE if incident is None else _told(match, facts.about)
    play = _asked(TABLE[level, match], facts.about)
    if incident is None or match is not Match.MATCH:
        no = facts.about is False
        reason = "they say it is about something else" if no else "they match no incident for sure"
        return Decision(play, Why.SOMETHING_ELSE if no else Why.NO_MATCH, reason)
    if not play.deflects:
        return Decision(play, Why.TABLE, f"the level is {level.name.lower()}")
    if never := _never(policy, incident, facts, now_ms):
        return Decision(_asked(_TOLD_BUSY, facts.about), *never)
    decided = _turned(policy, directive, level, play, facts)
    if directive.dry_run and decided.play.deflects:
        spared = _asked(TABLE[Level.WATCH, match], facts.about)
        return Decision(spared, Why.DRY_RUN, f"dry run; otherwise: {decided.reason}", would=True)
    return decided


def kept_for_others(policy: SurgePolicy, agents: int) -> int:
    """How many of ``agents`` are kept for callers who match no incident: the share, rounded up, and never
    the last one."""
    return min(max(0, agents - 1), -(-agents * policy.reserve_pct // 100))


@dataclass(frozen=True, slots=True)
class Count:
    """A dry run in figures: "would have deflected 41"."""

    would: int = 0
    spared: Mapping[Why, int] = field(default_factory=dict)
    """Who would have been spared, by the reason."""


def count(decisions: Iterable[Decision]) -> Count:
    decided = list(decisions)
    spared = Counter(each.why for each in decided if each.why in _SPARED)
    return Count(sum(each.would for each in decided), dict(spared))


_SPARED = frozenset(Why) - {Why.TABLE, Why.RESERVE, Why.DRY_RUN}


def _told(match: Match, about: bool | None) -> Match:
    if match is Match.NONE or about is False:
        return Match.NONE
    return Match.MATCH if about else match


def _asked(play: Play, about: bool | None) -> Play:
    """Who has answered has heard the status, and is not asked again."""
    return play if about is None else replace(play, status_first=False, ask_about=False)


def _never(policy: SurgePolicy, incident: Told, facts: Facts, now_ms: int) -> tuple[Why, str] | None:
    """Why a caller who matches is not to be turned away, if so."""
    if incident.severity in ("safety", "data_loss"):
        return Why.NEVER_THIS, f"it is about {incident.severity.replace('_', ' ')}: they need a person"
    if facts.deflected_ms is not None and 0 <= now_ms - facts.deflected_ms < policy.repeat_ms:
        minutes = (now_ms - facts.deflected_ms) // 60_000
        return Why.CALLED_AGAIN, f"they were turned to a text {minutes} min ago and call again"
    if facts.workaround_failed:
        return Why.WORKAROUND_FAILED, "they told us that it is still down for them"
    if facts.band and facts.band in policy.never_bands:
        return Why.BAND, f"callers of {facts.band} are never turned away"
    if facts.untextable:
        return Why.NO_TEXT, f"no text reaches them: {facts.untextable.replace('_', ' ')}"
    return None


def _turned(policy: SurgePolicy, directive: Directive, level: Level, play: Play, facts: Facts) -> Decision:
    """The table's row, without the text where there is no room for one or no need of it."""
    without = replace(play, offer=tuple(each for each in play.offer if each != "text"))
    if not directive.texts_open:
        return Decision(without, Why.TEXTS_SHUT, "there is no room for more texts at present")
    if not play.join:
        return Decision(play, Why.TABLE, "the line is closed to new callers about this")
    if facts.wait_s is None or facts.wait_s > policy.max_wait_s:
        return Decision(play, Why.TABLE, f"the level is {level.name.lower()}")
    room = facts.agents - kept_for_others(policy, facts.agents)
    if facts.agents and facts.with_matched >= room:
        reason = f"{facts.with_matched} of {facts.agents} agents are with this already"
        return Decision(play, Why.RESERVE, f"{reason}, and the others are kept for other matters")
    return Decision(without, Why.SHORT_WAIT, f"the wait is {round(facts.wait_s / 60)} min, short enough")
