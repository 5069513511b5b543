"""A drill's result in words, row by row: what the terminal and the page both show. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drill.scorecard import differing

Card = Mapping[str, Any]
DASH = "–"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of every run. ``better``: which way is good, 1 more, -1 less, 0 neither."""

    word: str
    values: tuple[str, ...]
    raw: tuple[float | None, ...]
    better: int = 0
    note: str = ""

    @property
    def best(self) -> int | None:
        """The run that did best, where they differ by what shows."""
        if not self.better or len(self.raw) < 2 or None in self.raw or len(set(self.values)) == 1:
            return None
        known = [float(value or 0) for value in self.raw]
        return known.index(max(known) if self.better > 0 else min(known))


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    lines: Sequence[Line]


def whole(value: float | None) -> str:
    return DASH if value is None else f"{value:,.0f}"


def pct(value: float | None) -> str:
    return DASH if value is None else f"{value:.0%}" if value == 0 or value >= 0.1 else f"{value:.1%}"


def times(value: float | None) -> str:
    return DASH if value is None else f"{value:.2f}"


def span(value_s: float | None) -> str:
    """ "45 s", "12 min", "1 h 20"."""
    if value_s is None:
        return DASH
    if value_s < 90:
        return f"{value_s:.0f} s"
    minutes = round(value_s / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02}"


def clock(at_ms: int, time_zone: str) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, ZoneInfo(time_zone)):%H:%M}"


Row = tuple[str, Callable[[Any], str], int, tuple[str, ...], str]


def _row(word: str, say: Callable[[Any], str], better: int, *path: str, note: str = "") -> Row:
    return word, say, better, path, note


PARTS: tuple[tuple[str, list[Row]], ...] = (
    ("People", [
        _row("rang", whole, 0, "people", "rang", note="different numbers"),
        _row("spoke with an agent", whole, 1, "people", "served", note="on their call or called back"),
        _row("share of all", pct, 1, "people", "served_share"),
        _row("told by text, and no more", whole, 0, "people", "informed"),
        _row("neither", whole, -1, "people", "without"),
        _row("calls each", times, -1, "people", "calls_each"),
    ]),
    ("Calls", [
        _row("rang in", whole, -1, "calls", "rang"),
        _row("answered", whole, 1, "calls", "answered"),
        _row("abandoned", whole, -1, "calls", "abandoned"),
        _row("abandoned, of all", pct, -1, "calls", "abandoned_share", note="without those within 5 s"),
        _row("promised a callback", whole, 0, "calls", "promised"),
        _row("turned to a text", whole, 0, "calls", "deflected"),
        _row("left a message", whole, 0, "calls", "message"),
        _row("closed or full", whole, -1, "calls", "shut"),
        _row("service level", pct, 1, "calls", "service_level", note="answered in time, of all"),
    ]),
    ("Waits on the phone", [
        _row("median, of the answered", span, -1, "waits", "answered", "p50_s"),
        _row("one in ten longer than", span, -1, "waits", "answered", "p90_s"),
        _row("longest", span, -1, "waits", "answered", "max_s"),
        _row("median until they gave up", span, 0, "waits", "abandoned", "p50_s"),
    ]),
    ("What was announced", [
        _row("told a wait, and answered", whole, 0, "announced", "told_and_answered"),
        _row("came within the range", pct, 1, "announced", "within_share"),
        _row("waited longer than told", pct, -1, "announced", "late_share"),
    ]),
    ("Callbacks", [
        _row("promised", whole, 0, "promises", "made"),
        _row("kept, of those ours to keep", pct, 1, "promises", "kept_share"),
        _row("on time, of the kept", pct, 1, "promises", "on_time_share"),
        _row("median until they spoke", span, -1, "promises", "waits", "p50_s"),
        _row("one in ten later than", span, -1, "promises", "waits", "p90_s"),
        _row("still owed at the end", whole, -1, "promises", "open"),
        _row("not reached, or too late", whole, -1, "promises", "vain"),
    ]),
    ("Texts and follow-ups", [
        _row("turned away", whole, 0, "deflected", "count", note="by text or message, who then hung up too"),
        _row("rang again within 30 min", pct, -1, "deflected", "called_again_share"),
        _row("follow-ups", whole, 0, "follow_ups", "made"),
        _row("that came to an end", whole, 0, "follow_ups", "ended"),
        _row("still open", whole, -1, "follow_ups", "open"),
    ]),
)  # fmt: skip
"""The scorecard's lines: the word, how it is said, 1 when more is better (-1: less), where it is, a note."""


def parts(result: Mapping[str, Any]) -> list[Part]:
    """The scorecard of all runs, side by side."""
    cards = [run["card"] for run in result["runs"]]

    def line(word: str, say: Callable[[Any], str], better: int, path: tuple[str, ...], note: str) -> Line:
        raw = tuple(_at(card, path) for card in cards)
        return Line(word, tuple(say(value) for value in raw), raw, better, note)

    return [Part(title, [line(*row) for row in rows]) for title, rows in PARTS]


def laws(result: Mapping[str, Any]) -> list[tuple[str, tuple[bool, ...], tuple[int, ...], str]]:
    """Each law: held in each run, how often broken in each, and the first that broke it."""
    cards = [run["card"] for run in result["runs"]]
    rows = []
    for number, law in enumerate(cards[0]["laws"]):
        each = [card["laws"][number] for card in cards]
        example = next((told["examples"][0] for told in each if told["examples"]), "")
        rows.append(
            (
                law["law"],
                tuple(told["held"] for told in each),
                tuple(told["broken"] for told in each),
                example,
            )
        )
    return rows


def verdict(result: Mapping[str, Any]) -> str:
    """One sentence for whoever reads nothing else."""
    cards = [run["card"] for run in result["runs"]]
    if len(cards) < 2:
        people = cards[0]["people"]
        return f"{whole(people['served'])} of {whole(people['rang'])} people spoke with an agent."
    first, second = (card["people"] for card in cards[:2])
    names = [run["name"] for run in result["runs"]]
    cut = [card["calls"]["abandoned_share"] for card in cards[:2]]
    told = f", and {whole(first['informed'])} more were told by text" if first["informed"] else ""
    return (
        f"{_under(names[0])}, {pct(first['served_share'])} of the people spoke with an agent{told}; "
        f"{pct(cut[0])} of the calls were abandoned. {_under(names[1])}: "
        f"{pct(second['served_share'])}, and {pct(cut[1])}."
    )


def broken(result: Mapping[str, Any]) -> str:
    """What comes before all figures: the laws that did not hold; "" when all did."""
    told = differing(run["card"] for run in result["runs"])
    return f"Not held: {'; '.join(told)}." if told else ""


def _under(name: str) -> str:
    """A run's name as a sentence begins: "With surge mode", or with the rules it is named after."""
    return f"With {name}" if "=" in name else name.capitalize()


def _at(card: Card, path: Sequence[str]) -> Any:
    value: Any = card
    for step in path:
        value = value[step]
    return value
