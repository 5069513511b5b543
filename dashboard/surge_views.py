"""Levels, incidents and their timeline as the console shows them. Pure: values in, values out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.load_chart import LoadChart, load_chart
from dashboard.views import LANGUAGE_WORDS
from dashboard.views import Level as Mark
from dashboard.views import level as mark_of
from surge.states import INCIDENT_MOVES, IncidentState, Level

MINUTE_MS = 60_000
LEVEL_WORDS = {
    Level.CALM: "Calm",
    Level.WATCH: "Watch",
    Level.SURGE: "Surge on",
    Level.CLOSED_TO_NEW: "Closed to new callers",
}
LEVEL_MEANS = {
    Level.CALM: "Callers hear of an incident that touches them, and join the line as ever.",
    Level.WATCH: "Callers hear of incidents first. Nobody is turned away.",
    Level.SURGE: "Callers who match hear the status first, then may choose a text or a callback.",
    Level.CLOSED_TO_NEW: "Callers who match are told, texted and followed up; they do not join the line.",
}
STATE_WORDS = {
    IncidentState.INVESTIGATING: "Investigating",
    IncidentState.IDENTIFIED: "Identified",
    IncidentState.MONITORING: "Monitoring: a fix is in",
    IncidentState.VERIFIED: "Verified: the fix holds",
    IncidentState.RESOLVED: "Resolved",
}
SEVERITY_WORDS = {
    "minor": "Minor",
    "major": "Major",
    "critical": "Critical",
    "safety": "Safety (nobody is turned away)",
    "data_loss": "Data loss (nobody is turned away)",
}
AUDIENCE_WORDS = {"merchants": "Merchants", "customers": "Their customers", "both": "Both"}
DETECTOR_WORDS = {
    "suggest": ("Suggest", "It suggests; a person decides."),
    "automatic": ("Automatic", "It sets watch and surge itself. It never closes the line."),
    "dry_run": ("Dry run", "Nobody is turned to a text; it is counted who would have been."),
}
EVENT_WORDS = {
    "declared": "Declared",
    "update": "Update posted",
    "edited": "Edited",
    "moved": "Moved",
    "verified": "Verified",
    "resolved": "Resolved",
    "reopened": "Reopened",
    "level": "Level set",
    "asked": "Asks for a second person",
    "undone": "Undone",
    "renewed": "Renewed",
    "expired": "Ended by itself",
    "detector": "Detector switched",
    "suggested": "Suggested",
    "suggestion_accepted": "Suggestion accepted",
    "suggestion_dismissed": "Suggestion dismissed",
    "notices_paused": "Notices paused",
    "notices_resumed": "Notices go on",
    "notice": "Told that it is over",
    "scope": "Scope changed",
    "relapsed": "Relapsed",
    "link_broken": "The status page cannot be seen",
    "link_mended": "The status page is seen again",
    "bulk": "Follow-ups worked off",
    "ledger_closed": "Follow-ups closed: each has an end",
}


# -- the level -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Press:
    """A button. ``kind``: "surge" (violet), "first", "end" or ""."""

    level: int
    word: str
    kind: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class LevelView:
    level: int
    name: str
    word: str
    means: str
    since_ms: int
    expires_ms: int | None
    set_by: str
    reason: str
    version: int
    big: Press
    small: Sequence[Press]
    undo_until_ms: int | None
    undo_word: str
    asked_by: str
    asked_ms: int | None
    may_confirm: bool
    """The reader is not who asked."""
    automatic: str


_CLOSE = Press(3, "Close to new callers", "end", "Takes two people: another lead is asked.")
_PRESSES: dict[Level, tuple[Press, tuple[Press, ...]]] = {
    Level.CALM: (Press(2, "Turn surge on", "surge"), (Press(1, "Watch"),)),
    Level.WATCH: (Press(2, "Turn surge on", "surge"), (Press(0, "Back to calm"),)),
    Level.SURGE: (Press(0, "End the surge", "first"), (Press(1, "Down to watch"), _CLOSE)),
    Level.CLOSED_TO_NEW: (
        Press(2, "Open the line again", "first"),
        (Press(1, "Down to watch"), Press(0, "Calm")),
    ),
}


def level_view(
    state: Any, reader: str, now_ms: int, undo_ms: int, names: Mapping[str, str] | None = None
) -> LevelView:
    """``state``: a ``SurgeState``; ``names``: login to name. A level that nobody renewed is calm."""
    known = names or {}
    over = state.expires_ms is not None and now_ms >= state.expires_ms
    here = Level.CALM if over else Level(state.level)
    big, small = _PRESSES[here]
    undo = state.undo_level is not None and now_ms < state.since_ms + undo_ms and not over
    asked = state.asked_level is not None and here is Level.SURGE
    return LevelView(
        level=int(here),
        name=here.name.lower(),
        word=LEVEL_WORDS[here],
        means=LEVEL_MEANS[here],
        since_ms=state.expires_ms if over else state.since_ms,
        expires_ms=state.expires_ms if here else None,
        set_by="nobody renewed it" if over else known.get(state.set_by, state.set_by),
        reason="" if over else state.reason,
        version=state.version,
        big=big,
        small=tuple(press for press in small if not (asked and press is _CLOSE)),
        undo_until_ms=state.since_ms + undo_ms if undo else None,
        undo_word=LEVEL_WORDS[Level(state.undo_level)] if undo else "",
        asked_by=known.get(state.asked_by, state.asked_by) if asked else "",
        asked_ms=state.asked_ms if asked else None,
        may_confirm=asked and state.asked_by != reader,
        automatic=state.automatic,
    )


# -- the load --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outlook:
    """The next hour in figures, one way. ``longest_ms``: the longest wait in it; "" words where unknown."""

    wait_ms: float | None
    longest_ms: float | None
    abandoned: int
    texts: int


@dataclass(frozen=True, slots=True)
class LoadView:
    """``figure`` is the largest thing on the page: "2.4×"."""

    figure: str
    mark: Mark
    words: str
    note: str
    per_min: str
    usual: str
    without: Outlook | None
    surge: Outlook | None
    assumed: str
    """What the outlook with surge takes for granted."""
    chart: LoadChart | None


def load_view(load: Any, clock: Any) -> LoadView:
    """``load``: a ``dashboard.load.Load``; ``clock`` makes an offset in minutes into a time of day."""
    if not load.known:
        note = "The line's figures are not fresh, so nothing is said. The button works all the same."
        return LoadView("–", "", "not known now", note, "–", "", None, None, "", None)
    figure, mark = "–", mark_of(load.ratio, 1.0)
    if load.ratio is None:
        nobody = "nobody is in" if not load.agents else ""
        figure, mark = ("∞", "past") if load.waiting or load.per_min else ("0×", "")
    else:
        nobody, figure = "", times(load.ratio)
    words = nobody or f"{load.offered:.1f} agents’ worth of calls, {load.agents} in"
    return LoadView(
        figure=figure,
        mark=mark,
        words=words,
        note=_note(load, clock),
        per_min=f"{load.per_min:.1f}",
        usual=f"usual {load.usual_per_min:.1f}" if load.usual_per_min is not None else "",
        without=_outlook(load.without, load.agents),
        surge=_outlook(load.surge, load.agents),
        assumed=_assumed(load.matched_share),
        chart=load_chart(
            load.past,
            _offered(load.without, load.handling_s),
            _offered(load.surge, load.handling_s),
            [minute.agents for minute in load.without.minutes] if load.without else [float(load.agents)],
            clock,
        ),
    )


def times(ratio: float) -> str:
    """2.4×; ten and more without a point."""
    return "∞" if math.isinf(ratio) else f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×"


def _assumed(share: float | None) -> str:
    if share is None:
        return "No incident is declared: half of the callers are taken to match."
    return f"{share:.0%} of the merchants match; six in ten of them are taken to choose a text."


def _note(load: Any, clock: Any) -> str:
    """What it comes to, in one line."""
    if load.without is None or not load.agents:
        return f"{load.waiting} wait." if load.waiting else ""
    waits = [minute.wait_s for minute in load.without.minutes]
    reach = next((i for i, wait_s in enumerate(waits) if wait_s >= 1_800), None)
    said = [f"{load.waiting} wait"]
    if reach == 0:
        said.append("the wait is above 30 min")
    elif reach is not None:
        said.append(f"it reaches 30 min at {clock(reach + 1)}")
    elif waits:
        said.append(f"the wait stays under {max(1, math.ceil(max(waits) / 60))} min")
    return ", ".join(said) + "."


def _offered(ahead: Any, handling_s: float) -> list[float]:
    """Erlangs of those who join the line in each minute to come."""
    return [] if ahead is None else [(m.calls - m.texts) * handling_s / 60 for m in ahead.minutes]


def _outlook(ahead: Any, agents: int) -> Outlook | None:
    if ahead is None:
        return None
    last, longest = (
        seconds * 1000 if agents and math.isfinite(seconds) else None
        for seconds in (ahead.last_wait_s, ahead.longest_wait_s)
    )
    return Outlook(last, longest, round(ahead.abandoned), round(ahead.texts))


# -- incidents -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IncidentView:
    """``next_level``: "near" when the next update is due within five minutes, "past" when it is late."""

    id: str
    title: str
    severity: str
    severity_word: str
    state: str
    state_word: str
    mark: str
    audience: str
    scope: str
    version: int
    since_ms: int
    updated_ms: int
    next_update_ms: int | None
    next_level: Mark
    eta_ms: int | None
    eta_source: str
    eta_slips: int
    words: Sequence[tuple[str, str, str]]
    """Language, its name, and the sentence that was said last."""
    said_by: str
    said_ms: int
    do: str
    dont: str
    topic: str
    states: Sequence[tuple[str, str]]
    """Where an update may bring it: itself first."""
    subscribed: int
    open: int
    stale: bool


def incident_view(
    row: Any,
    latest: Any,
    *,
    now_ms: int,
    stale_ms: int,
    languages: Sequence[str],
    subscribed: int,
    open_: int,
    names: Mapping[str, str] | None = None,
) -> IncidentView:
    """``row``: an ``Incident``; ``latest``: its last ``IncidentUpdate`` or None."""
    state = IncidentState(row.state)
    told: Mapping[str, str] = latest.words if latest else {}
    live = state is not IncidentState.RESOLVED
    left = None if row.next_update_ms is None else row.next_update_ms - now_ms
    due: Mark = "" if left is None or not live or left > 5 * MINUTE_MS else "past" if left < 0 else "near"
    order = [language for language in (*languages, *told) if language in told]
    return IncidentView(
        id=row.id,
        title=row.title,
        severity=row.severity,
        severity_word=SEVERITY_WORDS.get(row.severity, row.severity).partition(" (")[0],
        state=row.state,
        state_word=STATE_WORDS[state].partition(":")[0],
        mark="past"
        if live and row.severity in ("critical", "safety", "data_loss")
        else "near"
        if live
        else "quiet",
        audience=row.audience,
        scope=scope_words(row.scope),
        version=row.version,
        since_ms=row.declared_ms,
        updated_ms=row.updated_ms,
        next_update_ms=row.next_update_ms if live else None,
        next_level=due,
        eta_ms=row.eta_ms if live else None,
        eta_source=row.eta_source,
        eta_slips=row.eta_slips,
        words=[(each, LANGUAGE_WORDS.get(each, each), told[each]) for each in dict.fromkeys(order)],
        said_by=(names or {}).get(latest.by, latest.by) if latest else "",
        said_ms=latest.at_ms if latest else 0,
        do=row.do,
        dont=row.dont,
        topic=row.topic,
        states=[(s.value, STATE_WORDS[s]) for s in IncidentState if s is state or s in INCIDENT_MOVES[state]],
        subscribed=subscribed,
        open=open_,
        stale=live and now_ms - row.updated_ms > stale_ms,
    )


SCOPE_LISTS = ("components", "products", "regions", "rails", "devices")
SCOPE_WORDS = {
    "components": "Parts of the platform",
    "products": "Products",
    "regions": "Regions",
    "rails": "Payment rails",
    "devices": "Devices",
    "merchants": "Named merchants",
}


def scope_words(scope: Mapping[str, Any]) -> str:
    """Whom it touches, in a few words."""
    if scope.get("all"):
        return "everybody"
    said = [", ".join(scope[name]) for name in SCOPE_LISTS if scope.get(name)]
    if named := scope.get("merchants"):
        said.append(f"{len(named)} named {'merchant' if len(named) == 1 else 'merchants'}")
    return " · ".join(said) or "nobody"


# -- the timeline ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventView:
    at_ms: int
    what: str
    by: str
    words: str


def event_views(
    events: Sequence[Any], names: Mapping[str, str], titles: Mapping[str, str]
) -> list[EventView]:
    """``names``: login to name; ``titles``: incident to title."""
    found = []
    for row in events:
        what = EVENT_WORDS.get(row.kind, row.kind.replace("_", " ").capitalize())
        level = row.fields.get("level")
        if row.kind == "level" and isinstance(level, int):
            what = f"Level: {LEVEL_WORDS[Level(level)].lower()}"
        elif row.kind == "suggested" and isinstance(level, int):
            what = f"Suggested: {LEVEL_WORDS[Level(level)].lower()}"
        elif row.kind in ("update", "moved") and (state := row.fields.get("state")):
            what = f"{what}: {STATE_WORDS[IncidentState(state)].partition(':')[0].lower()}"
        title = titles.get(row.incident, "")
        words = " · ".join(part for part in (title if title != row.words else "", row.words) if part)
        found.append(EventView(row.at_ms, what, names.get(row.by, row.by), words))
    return found
