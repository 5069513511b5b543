"""The scorecard as one HTML page: self-contained, light and dark, charts as SVG. Pure.

The look is the product's: ink for what is normal, violet for what surge mode did, red for calls that were
lost; a colour never speaks alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from dashboard.charts import nice
from drill import reading

STYLE = (Path(__file__).parent / "page.css").read_text("utf-8")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960.0, 240.0, 44.0, 12.0, 14.0, 26.0
BANDS = (
    ("answered", "answered"),
    ("promised", "promised a callback"),
    ("deflected", "turned to a text"),
    ("message", "left a message"),
    ("shut", "closed or full"),
    ("abandoned", "abandoned"),
)
"""What became of the calls, from the bottom of a bar up: the key of a slot, and its words."""
MOST_LABELS = 12


def page(result: Mapping[str, Any]) -> str:
    """The whole document."""
    title = escape(f"Drill: {result['title']}")
    kicker = f"Drill · seed {result['seed']}" + (", with faults" if result["faults"] else "")
    verdict, story = escape(reading.verdict(result)), escape(result["story"])
    broken = escape(reading.broken(result))
    alarm = f"<p class='verdict broken'>■ {broken}</p>" if broken else ""
    body = "".join(
        [
            f"<header><p class=kicker>{kicker}</p><h1>{escape(result['title'])}</h1>",
            f"{alarm}<p class=verdict>{verdict}</p><p class=story>{story}</p></header>",
            _charts(result),
            _table(result),
            _laws(result),
            _script(result),
        ]
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )


# -- charts ----------------------------------------------------------------------------------------------


def _charts(result: Mapping[str, Any]) -> str:
    """Two charts for each run, all on the same scales: only then can they be laid side by side."""
    runs, zone = result["runs"], result["time_zone"]
    slots = [_shown(run["card"]["slots"]) for run in runs]
    calls = nice(max((sum(slot[key] for key, _ in BANDS) for each in slots for slot in each), default=0))
    line = nice(max((max(slot["line"], slot["agents"]) for each in slots for slot in each), default=0))
    keys = "".join(f'<span class="key {key}">{words}</span>' for key, words in BANDS)
    made = [f"<section><h2>What became of the calls</h2><p class=keys>{keys}</p>"]
    for run, each in zip(runs, slots, strict=True):
        made.append(_figure(run["name"], _bars(each, calls, zone)))
    made.append(
        "</section><section><h2>The line</h2><p class=keys><span class='key line'>waiting on the phone</span>"
        "<span class='key agents'>agents at work</span></p>"
    )
    for run, each in zip(runs, slots, strict=True):
        made.append(_figure(run["name"], _lines(each, line, zone)))
    return "".join([*made, "</section>"])


def _figure(name: str, drawn: str) -> str:
    """On a small screen it is wider than the page, and scrolls by itself, by keyboard too."""
    return f"<figure tabindex=0><figcaption>{escape(name)}</figcaption>{drawn}</figure>"


def _shown(slots: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{**slot, "shut": slot["closed"] + slot["full"]} for slot in slots]


def _bars(slots: Sequence[Mapping[str, Any]], most: int, zone: str) -> str:
    step, tall = _step(slots), HEIGHT - TOP - BOTTOM
    drawn = []
    for i, slot in enumerate(slots):
        floor = HEIGHT - BOTTOM
        told = [f"{slot[key]} {words}" for key, words in BANDS if slot[key]]
        title = escape(f"{reading.clock(slot['at_ms'], zone)}: {', '.join(told) or 'nobody rang'}")
        parts = []
        for key, _ in BANDS:
            height = tall * slot[key] / most
            floor -= height
            if height:
                x, width = LEFT + i * step + step * 0.1, step * 0.8
                sides = f'x="{x:.1f}" y="{floor:.1f}" width="{width:.1f}" height="{height:.1f}"'
                parts.append(f'<rect class="{key}" {sides}/>')
        drawn.append(f"<g><title>{title}</title>{''.join(parts)}</g>")
    return _framed("".join(drawn), slots, most, zone, "Calls in five minutes, by what became of them")


def _lines(slots: Sequence[Mapping[str, Any]], most: int, zone: str) -> str:
    step, tall, floor = _step(slots), HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM
    drawn = []
    for key in ("line", "agents"):
        points = [(LEFT + (i + 1) * step, floor - tall * slot[key] / most) for i, slot in enumerate(slots)]
        told = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        if key == "line":
            last = points[-1][0] if points else LEFT
            drawn.append(
                f'<polygon class="area" points="{LEFT:.1f},{floor:.1f} {told} {last:.1f},{floor:.1f}"/>'
            )
        drawn.append(f'<polyline class="{key}" points="{told}"/>')
    return _framed("".join(drawn), slots, most, zone, "Callers waiting on the phone, and agents at work")


def _framed(drawn: str, slots: Sequence[Mapping[str, Any]], most: int, zone: str, named: str) -> str:
    step, tall, floor = _step(slots), HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM
    rules = []
    for part in range(5):
        y = floor - tall * part / 4
        rules.append(
            f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{most * part // 4:,}</text>'
        )
    every = max(1, -(-len(slots) // MOST_LABELS))
    for i in range(0, len(slots), every):
        at = reading.clock(slots[i]["at_ms"], zone)
        rules.append(f'<text class="tick" x="{LEFT + i * step:.1f}" y="{HEIGHT - 8}">{at}</text>')
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" role="img" aria-label="{named}">'
        f"{''.join(rules)}{drawn}</svg>"
    )


def _step(slots: Sequence[object]) -> float:
    return (WIDTH - LEFT - RIGHT) / max(1, len(slots))


# -- tables ----------------------------------------------------------------------------------------------


def _table(result: Mapping[str, Any]) -> str:
    names = "".join(f"<th scope=col>{escape(run['name'])}</th>" for run in result["runs"])
    rows, columns = [], len(result["runs"]) + 1
    for part in reading.parts(result):
        rows.append(f"<tr class=part><th scope=rowgroup colspan={columns}>{escape(part.title)}</th></tr>")
        for line in part.lines:
            cells = "".join(
                f"<td{' class=best' if line.best == i else ''}>{escape(value)}"
                f"{' <span class=mark>better</span>' if line.best == i else ''}</td>"
                for i, value in enumerate(line.values)
            )
            note = f" <small>{escape(line.note)}</small>" if line.note else ""
            rows.append(f"<tr><th scope=row>{escape(line.word)}{note}</th>{cells}</tr>")
    return (
        f"<section><h2>The score</h2><div class=wide><table><thead><tr><td></td>{names}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _laws(result: Mapping[str, Any]) -> str:
    rows = []
    for law, held, broken, example in reading.laws(result):
        cells = "".join(
            "<td><span class=held>✓ held</span></td>"
            if ok
            else f"<td><span class=broken>■ broken {count}×</span></td>"
            for ok, count in zip(held, broken, strict=True)
        )
        first = f" <small>{escape(example)}</small>" if example else ""
        rows.append(f"<tr><th scope=row>{escape(law)}{first}</th>{cells}</tr>")
    names = "".join(f"<th scope=col>{escape(run['name'])}</th>" for run in result["runs"])
    return (
        f"<section><h2>The laws</h2><div class=wide><table><thead><tr><td></td>{names}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _script(result: Mapping[str, Any]) -> str:
    steps: list[dict[str, Any]] = next(
        (run["card"]["script"] for run in result["runs"] if run["card"]["script"]), []
    )
    if not steps:
        return ""
    zone = result["time_zone"]
    items = "".join(
        f"<li><time>{reading.clock(step['at_ms'], zone)}</time> {escape(step['words'])}</li>"
        for step in steps
    )
    return f"<section><h2>What the lead did</h2><ol class=steps>{items}</ol></section>"
