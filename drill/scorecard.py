"""The score of a run: what became of every call, promise, text and follow-up, and the laws held. Pure.

Plain rows in, a card out, ready for JSON. Waits are seconds, shares 0 to 1; a figure is None where there is
nothing to divide by.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from callbacks.figures import Row as PromiseRow
from callbacks.figures import tally
from queueing.figures import SHORT_ABANDON_MS

OUTCOMES = ("answered", "abandoned", "promised", "deflected", "message", "closed", "full")
"""Every recorded outcome of a call, in the order in which it is told."""
SLOT_MS = 300_000
"""The charts' five minutes."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call that rang in, as the record has it. Of what did not happen, None. ``queue`` "" never joined a
    line; ``told`` is the range of minutes first announced, and when."""

    sid: str
    number: str
    entered_ms: int
    outcome: str
    queue: str = ""
    answered_ms: int | None = None
    ended_ms: int | None = None
    told_ms: int | None = None
    told: tuple[int | None, int | None] = (None, None)


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    id: str
    why: str
    state: str
    ended: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a card is made from. ``begins_ms`` to ``ends_ms``: while calls came in. ``broken``: laws that
    were found broken in the journal, by name (``drill.laws``)."""

    begins_ms: int
    ends_ms: int
    calls: Sequence[Call]
    rang: Collection[str]
    """Every call of the phone network, by its SID …"""
    outcomes: Mapping[str, int]
    """… and how many outcomes were recorded for each."""
    promises: Sequence[PromiseRow] = ()
    kept_numbers: Collection[str] = ()
    """The numbers of those who were called back."""
    deflections: int = 0
    called_again: int = 0
    follow_ups: Sequence[FollowUpRow] = ()
    unkept: Collection[str] = ()
    """Promises that came to nothing: each needs a follow-up of its own."""
    texts: Mapping[str, int] = field(default_factory=dict)
    agents: Sequence[tuple[int, int]] = ()
    """(when, how many are at work from then on)."""
    broken: Mapping[str, Sequence[str]] = field(default_factory=dict)
    breaches: Sequence[str] = ()
    """Where Twilio's contract was broken."""
    within_s: int = 30


def card(facts: Facts) -> dict[str, Any]:
    """The whole card."""
    told = laws(facts)
    return {
        "calls": _calls(facts),
        "waits": _waits(facts),
        "people": _people(facts),
        "promises": _promises(facts),
        "announced": _announced(facts),
        "deflected": _deflected(facts),
        "follow_ups": _follow_ups(facts),
        "texts": dict(sorted(facts.texts.items())),
        "laws": told,
        "held": all(law["held"] for law in told),
        "slots": slots(facts),
    }


def laws(facts: Facts) -> list[dict[str, Any]]:
    """Each law by name, whether it was held, and the first few that broke it."""
    once = [sid for sid in facts.rang if facts.outcomes.get(sid, 0) != 1]
    known = {call.sid for call in facts.calls}
    sums = Counter(call.outcome for call in facts.calls)
    missing = [] if sum(sums[outcome] for outcome in OUTCOMES) == len(facts.rang) else [
        f"{len(facts.rang)} rang, {sum(sums[outcome] for outcome in OUTCOMES)} have one of the outcomes"
    ]  # fmt: skip
    strangers = sorted(known.symmetric_difference(facts.rang))
    ledger = {row.id for row in facts.follow_ups}
    owed = [call.sid for call in facts.calls if _is_owed(call) and call.sid not in ledger]
    owed += [promise for promise in facts.unkept if promise not in ledger]
    found = {
        "Every call has exactly one recorded outcome": once,
        "The outcomes add up to the calls that rang": [*missing, *strangers],
        "Nobody is served twice": facts.broken.get("twice", ()),
        "First come, first served within a band": facts.broken.get("order", ()),
        "The ledger holds every call not answered and every promise not kept": owed,
        "Twilio's contract is kept": facts.breaches,
    }
    return [
        {"law": law, "held": not broken, "broken": len(broken), "examples": list(broken)[:3]}
        for law, broken in found.items()
    ]


def slots(facts: Facts) -> list[dict[str, Any]]:
    """Five minutes each, by when a call rang: what became of it, the line's length and the longest wait at
    the slot's end, the agents at work, and the median wait of the answered (seconds)."""
    made = []
    for start in range(facts.begins_ms, facts.ends_ms, SLOT_MS):
        end = start + SLOT_MS
        mine = [call for call in facts.calls if start <= call.entered_ms < end]
        came = Counter(call.outcome for call in mine)
        line = [call for call in facts.calls if call.queue and _waits_at(call, end)]
        waits = sorted(_wait_s(call) for call in mine if call.answered_ms is not None)
        made.append(
            {
                "at_ms": start,
                "rang": len(mine),
                **{outcome: came[outcome] for outcome in OUTCOMES},
                "line": len(line),
                "longest_s": round(max(((end - call.entered_ms) / 1000 for call in line), default=0)),
                "agents": _agents_at(facts.agents, end),
                "wait_s": None if not waits else round(quantile(waits, 0.5)),
            }
        )
    return made


def quantile(ordered: Sequence[float], q: float) -> float:
    """The nearest-rank quantile of an ordered, non-empty sequence."""
    return ordered[min(len(ordered) - 1, max(0, math.ceil(q * len(ordered)) - 1))]


# -- the parts -------------------------------------------------------------------------------------------


def _calls(facts: Facts) -> dict[str, Any]:
    counts = Counter(call.outcome for call in facts.calls)
    short = sum(_is_short(call) for call in facts.calls)
    answered = [call for call in facts.calls if call.answered_ms is not None]
    in_time = sum(_wait_s(call) <= facts.within_s for call in answered)
    asked = len(facts.calls) - short
    return {
        "rang": len(facts.rang),
        **{outcome: counts[outcome] for outcome in OUTCOMES},
        "shut": counts["closed"] + counts["full"],
        "short_abandoned": short,
        "service_level": _share(in_time, asked),
        "abandoned_share": _share(counts["abandoned"] - short, asked),
    }


def _waits(facts: Facts) -> dict[str, Any]:
    """Of those who joined a line: until answered, and until they gave up."""
    answered = sorted(_wait_s(call) for call in facts.calls if call.answered_ms is not None)
    gave_up = sorted(
        _wait_s(call)
        for call in facts.calls
        if call.outcome == "abandoned" and not _is_short(call) and call.queue
    )
    return {"answered": _spread(answered), "abandoned": _spread(gave_up)}


def _people(facts: Facts) -> dict[str, Any]:
    """By number, since one person may ring several times. Served: talked with an agent, in a call or called
    back; informed: turned to a text, and not served; the others went without."""
    numbers: dict[str, set[str]] = {}
    for call in facts.calls:
        if call.number:
            numbers.setdefault(call.number, set()).add(call.outcome)
    kept = set(facts.kept_numbers)
    served = {number for number, came in numbers.items() if "answered" in came} | (kept & numbers.keys())
    informed = {number for number, came in numbers.items() if "deflected" in came} - served
    return {
        "rang": len(numbers),
        "served": len(served),
        "informed": len(informed),
        "without": len(numbers) - len(served) - len(informed),
        "served_share": _share(len(served), len(numbers)),
        "calls_each": _share(sum(bool(call.number) for call in facts.calls), len(numbers)),
    }


def _promises(facts: Facts) -> dict[str, Any]:
    told = tally(facts.promises)
    waits = sorted(
        (row.met_ms - row.made_ms) / 1000 for row in facts.promises if row.met_ms is not None and told.made
    )
    return {
        "made": told.made, "on_time": told.on_time, "late": told.late, "unreachable": told.unreachable,
        "cancelled": told.cancelled, "superseded": told.superseded, "resolved": told.resolved,
        "expired": told.expired, "open": told.open, "vain": told.unreachable + told.expired,
        "kept_share": None if told.kept_pct is None else told.kept_pct / 100,
        "on_time_share": None if told.on_time_pct is None else told.on_time_pct / 100,
        "waits": _spread(waits),
    }  # fmt: skip


def _announced(facts: Facts) -> dict[str, Any]:
    """Of callers who were told a wait and were answered: within the range, above it, below it, in share. A
    caller who was told that it takes more than so long is within it when it did."""
    within = late = early = 0
    for call in facts.calls:
        low, high = call.told
        if call.told_ms is None or call.answered_ms is None or (low is None and high is None):
            continue
        minutes = (call.answered_ms - call.told_ms) / 60_000
        if high is not None and minutes > high:
            late += 1
        elif low is not None and minutes < low - 1:  # "10" is said for all above nine
            early += 1
        else:
            within += 1
    total = within + late + early
    return {
        "told_and_answered": total,
        "within_share": _share(within, total),
        "late_share": _share(late, total),
        "early_share": _share(early, total),
    }


def _deflected(facts: Facts) -> dict[str, Any]:
    return {
        "count": facts.deflections,
        "called_again": facts.called_again,
        "called_again_share": _share(facts.called_again, facts.deflections),
    }


def _follow_ups(facts: Facts) -> dict[str, Any]:
    ended = [row for row in facts.follow_ups if row.ended]
    return {
        "made": len(facts.follow_ups),
        "ended": len(ended),
        "open": len(facts.follow_ups) - len(ended),
        "why": dict(sorted(Counter(row.why for row in facts.follow_ups).items())),
        "states": dict(sorted(Counter(row.state for row in facts.follow_ups).items())),
    }


def _is_owed(call: Call) -> bool:
    """Whether the ledger must hold it: not served, and not gone within the first seconds."""
    return call.outcome in ("abandoned", "deflected", "message", "closed", "full") and not _is_short(call)


def _is_short(call: Call) -> bool:
    return call.outcome == "abandoned" and _wait_s(call) * 1000 < SHORT_ABANDON_MS


def _wait_s(call: Call) -> float:
    until = call.answered_ms if call.answered_ms is not None else call.ended_ms
    return max(0, (call.entered_ms if until is None else until) - call.entered_ms) / 1000


def _waits_at(call: Call, at_ms: int) -> bool:
    until = call.answered_ms if call.answered_ms is not None else call.ended_ms
    return call.entered_ms <= at_ms and (until is None or until > at_ms)


def _agents_at(agents: Sequence[tuple[int, int]], at_ms: int) -> int:
    now = 0
    for when, count in agents:
        if when > at_ms:
            break
        now = count
    return now


def _spread(ordered: Sequence[float]) -> dict[str, Any]:
    if not ordered:
        return {"count": 0, "mean_s": None, "p50_s": None, "p90_s": None, "max_s": None}
    return {
        "count": len(ordered),
        "mean_s": round(sum(ordered) / len(ordered), 1),
        "p50_s": round(quantile(ordered, 0.5), 1),
        "p90_s": round(quantile(ordered, 0.9), 1),
        "max_s": round(ordered[-1], 1),
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def differing(cards: Iterable[Mapping[str, Any]]) -> list[str]:
    """The laws that were broken in any of the cards."""
    return sorted({law["law"] for each in cards for law in each["laws"] if not law["held"]})
