"""The support chapter of a post-mortem, as Markdown, from plain rows: what was measured, and what was said.

Pure. Nothing is judged here, and nothing hidden: the service level is told with and without short abandons,
and what we do not know is said to be unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Volume:
    """The calls of the incident's time. Shares are 0 to 1; None where there is nothing to divide by."""

    offered: int = 0
    answered: int = 0
    abandoned: int = 0
    promised: int = 0
    """Took a callback."""
    deflected: int = 0
    messages: int = 0
    other: int = 0
    """Closed, full, moved: ended in another recorded way."""
    peak_per_min: float = 0.0
    peak_ms: int | None = None
    usual_per_min: float | None = None
    service_level: float | None = None
    service_level_without_short: float | None = None
    asa_ms: float | None = None
    longest_wait_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """One update, level change or notice, as it was."""

    at_ms: int
    what: str
    words: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Waits:
    """The waits that were announced: how many, and how many came within the range that was told."""

    told: int = 0
    within: int = 0
    longer: int = 0


@dataclass(frozen=True, slots=True)
class Promises:
    made: int = 0
    kept: int = 0
    on_time: int = 0
    unreachable: int = 0
    withdrawn: int = 0
    """Cancelled by the merchant, or not needed any more."""
    expired: int = 0
    open: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    what: str
    owner: str
    due_ms: int
    done_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    title: str
    severity: str
    from_ms: int
    to_ms: int | None
    """When it was resolved; None while it is not."""
    time_zone: str
    volume: Volume = field(default_factory=Volume)
    said: tuple[Said, ...] = ()
    waits: Waits = field(default_factory=Waits)
    promises: Promises = field(default_factory=Promises)
    called_again: int = 0
    """Of those deflected, who rang again within thirty minutes."""
    follow_ups: tuple[tuple[str, int], ...] = ()
    """Each state to how many, the open ones included."""
    follow_ups_open: int = 0
    commitments: tuple[Due, ...] = ()
    first_said_ms: int | None = None
    """When callers were first told."""


def write(facts: Facts, now_ms: int) -> str:
    """The chapter. All times are on the clock of ``facts.time_zone``, whose name is told."""
    parts = [
        _head(facts, now_ms),
        _volumes(facts),
        _told(facts),
        _kept(facts),
        _followed(facts),
        _due(facts, now_ms),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(facts: Facts, now_ms: int) -> str:
    until_ms = now_ms if facts.to_ms is None else facts.to_ms
    lasted = f"{_span(until_ms - facts.from_ms)}"
    ends = "not resolved yet" if facts.to_ms is None else f"resolved {_at(facts, facts.to_ms)}"
    first = "Callers were never told."
    if facts.first_said_ms is not None:
        first = f"Callers were first told after {_span(facts.first_said_ms - facts.from_ms)}."
    return (
        f"## Support during “{_safe(facts.title)}”\n\n"
        f"Severity {_safe(facts.severity)}; declared {_at(facts, facts.from_ms)}, {ends} ({lasted}). {first} "
        f"Times are {facts.time_zone}."
    )


def _volumes(facts: Facts) -> str:
    of = facts.volume
    usual = "" if of.usual_per_min is None else f", where {of.usual_per_min:.1f} are usual"
    peak = "unknown"
    if of.peak_ms is not None:
        peak = f"{of.peak_per_min:.1f} calls a minute at {_at(facts, of.peak_ms)}{usual}"
    answer = "unknown" if of.asa_ms is None else _span(round(of.asa_ms))
    longest = "unknown" if of.longest_wait_ms is None else _span(of.longest_wait_ms)
    rows = [
        ("Calls offered", f"{of.offered:,}"),
        ("Answered", _part(of.answered, of.offered)),
        ("Abandoned", _part(of.abandoned, of.offered)),
        ("Took a callback", _part(of.promised, of.offered)),
        ("Took a text instead", _part(of.deflected, of.offered)),
        ("Left a message", _part(of.messages, of.offered)),
        ("Ended otherwise", _part(of.other, of.offered)),
        ("Peak", peak),
        ("Service level 80/30, of all offered", _share(of.service_level)),
        ("The same, short abandons left out", _share(of.service_level_without_short)),
        ("Average speed of answer", answer),
        ("Longest wait", longest),
    ]
    return "### What came in\n\n" + _table(("", ""), rows)


def _told(facts: Facts) -> str:
    if not facts.said:
        return "### What was said, and when\n\nNothing was said."
    rows = [
        (_at(facts, each.at_ms), _safe(each.what), _safe(each.words), _safe(each.by))
        for each in sorted(facts.said, key=lambda each: each.at_ms)
    ]
    return "### What was said, and when\n\n" + _table(("Time", "What", "Words", "By"), rows)


def _kept(facts: Facts) -> str:
    made, waits = facts.promises, facts.waits
    lines = [
        f"- Callbacks promised: {made.made:,}; kept {_part(made.kept, made.made)}, on time {made.on_time:,}; "
        f"not reached {made.unreachable:,}, withdrawn {made.withdrawn:,}, expired {made.expired:,}, "
        f"still open {made.open:,}.",
        f"- Waits announced: {waits.told:,}; within what was told {_part(waits.within, waits.told)}, "
        f"longer {_part(waits.longer, waits.told)}.",
        f"- Turned to a text: {facts.volume.deflected:,}; rang again within 30 minutes "
        f"{_part(facts.called_again, facts.volume.deflected)}.",
    ]
    return "### What we promised\n\n" + "\n".join(lines)


def _followed(facts: Facts) -> str:
    total = sum(many for _, many in facts.follow_ups)
    if not total:
        return "### Follow-ups\n\nNobody was left to follow up with."
    done = total - facts.follow_ups_open
    rows = [(_safe(state).replace("\\_", " "), f"{many:,}") for state, many in facts.follow_ups if many]
    whole = f"{_part(done, total)} of {total:,} follow-ups are done; {facts.follow_ups_open:,} are open."
    return f"### Follow-ups\n\n{whole}\n\n" + _table(("State", "Callers"), rows)


def _due(facts: Facts, now_ms: int) -> str:
    if not facts.commitments:
        return ""
    lines = []
    for each in sorted(facts.commitments, key=lambda each: each.due_ms):
        box, late = (
            ("x", "") if each.done_ms is not None else (" ", " (overdue)" if each.due_ms < now_ms else "")
        )
        owner = _safe(each.owner) or "nobody"
        lines.append(f"- [{box}] {_safe(each.what)}: {owner}, by {_at(facts, each.due_ms)}{late}")
    return "### What we said we would do\n\n" + "\n".join(lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _at(facts: Facts, at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, ZoneInfo(facts.time_zone)):%Y-%m-%d %H:%M}"


def _span(span_ms: int) -> str:
    seconds = max(0, round(span_ms / 1000))
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _part(part: int, whole: int) -> str:
    return f"{part:,} ({100 * part / whole:.0f}%)" if whole else f"{part:,}"


def _share(share: float | None) -> str:
    return "unknown" if share is None else f"{100 * share:.0f}%"


_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|<>~-])")


def _safe(text: str) -> str:
    """What people wrote, on one line, without a meaning to Markdown."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
